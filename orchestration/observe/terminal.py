"""What others wrote, made safe for a terminal: names and messages may hold anything."""

from __future__ import annotations

import re

# C0, DEL and C1 move the cursor or start escape sequences; U+2028 and U+2029 break lines; the marks and overrides of
# direction make a line read as something else; a lone surrogate cannot be encoded.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape(text: str) -> str:
    r"""Return the text as one line without control characters: a line feed becomes `\n`, an escape `\x1b`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def escape_json(text: str) -> str:
    r"""Return a JSON text that says the same without control characters: in its strings they become `\u001b`."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def block(text: str, indent: str = "  ") -> str:
    """Return a text of several lines, each escaped, all but the first indented: none can pose as a line of ours."""
    return f"\n{indent}".join(escape(line) for line in text.expandtabs(4).splitlines())
