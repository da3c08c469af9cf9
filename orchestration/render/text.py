"""How wide a text is, near enough to lay out boxes, and how one that is too wide is shortened."""

from __future__ import annotations

import re
import unicodedata

# The widths of Helvetica, Arial and Liberation Sans, which are the same, in thousandths of the font's size, from the
# space on. The list of fonts in `theme` begins with them, so that what is measured here is what is drawn.
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(278, 278, 584, 584, 584, 556, 1015),
    *(667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(278, 278, 278, 469, 556, 333),
    *(556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833),
    *(556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500),
    *(334, 260, 334, 584),
)
_SIGNS = {"…": 1_000, "·": 278, "→": 1_000}
_KNOWN = {chr(32 + index): width for index, width in enumerate(_WIDTHS)} | _SIGNS
_OTHER, _WIDE = 600, 1_000
BOLD = 1.07  # how much wider a bold text is
ELLIPSIS = "…"

# What is no text: XML allows no control characters, and marks of direction would make a name read as another.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_MARKUP = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}


def plain(text: str) -> str:
    r"""Return a text without what a picture or page cannot hold: a line feed becomes `\n`, an escape `\x1b`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def markup(text: str) -> str:
    """Return a text as it stands in XML or HTML, in an attribute as well."""
    return plain(text).translate(_MARKUP)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is at a font's size, in the same unit."""
    total = sum(_KNOWN.get(char) or _width(char) for char in text)
    return total / 1_000 * size * (BOLD if bold else 1.0)


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return _WIDE if unicodedata.east_asian_width(char) in "WF" else _OTHER


def fitted(text: str, size: float, most: float, *, bold: bool = False) -> str:
    """Return a text that is at most so wide: the middle of a longer one is left out, as both its ends tell the most."""
    text = plain(text)
    if width_of(text, size, bold=bold) <= most:
        return text
    keep = max(int(len(text) * most / width_of(text, size, bold=bold)), 2)
    while keep > 2 and width_of(_shortened(text, keep), size, bold=bold) > most:  # noqa: PLR2004 - an end each
        keep -= 1
    return _shortened(text, keep)


def _shortened(text: str, keep: int) -> str:
    head = (keep + 1) // 2
    return f"{text[:head]}{ELLIPSIS}{text[len(text) - (keep - head) :]}"
