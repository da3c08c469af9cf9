"""Values as a person reads them, from the value itself or from what a journal has of it: JSON with tags."""

from __future__ import annotations

import json
import re
from reprlib import Repr
from typing import Any, cast

from orchestration.plan.secrets import masked
from orchestration.render.chronicle import HIDDEN

LONGEST = 400  # characters that are shown of a value
SHORT = Repr()
SHORT.maxstring = SHORT.maxother = LONGEST
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def text_of(value: object) -> str:
    """Return a text of a value of this process, without its secrets and without addresses in memory (S33)."""
    try:
        return ADDRESS.sub("", SHORT.repr(masked(value)))
    except Exception:  # noqa: BLE001 - a foreign __repr__ may raise anything; a report can do without
        return f"a {type(value).__qualname__}"


def shown(data: object) -> str:
    """Return a text of a value; what is sealed stays so (S33)."""
    text = _text(data)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} {HIDDEN}"


def _text(data: Any) -> str:  # noqa: ANN401 - JSON data
    match data:
        case {"$sealed": _}:
            return HIDDEN
        case {"$type": str(name), "fields": dict(fields)}:
            known = cast("dict[str, object]", fields) | cast("dict[str, object]", data.get("unset", {}))
            inner = ", ".join(f"{key}={_text(item)}" for key, item in known.items())
            return f"{_short(name)}({inner})"
        case {"$enum": str(name), "member": member}:
            return f"{_short(name)}.{member}"
        case {"$tuple": list(items)}:
            return "(" + ", ".join(map(_text, items)) + ")"
        case dict() if len(data) == 1 and next(iter(data)).startswith("$"):
            return _text(next(iter(data.values())))
        case dict():
            return "{" + ", ".join(f"{key}: {_text(item)}" for key, item in data.items()) + "}"
        case list():
            return "[" + ", ".join(map(_text, data)) + "]"
        case _:
            return json.dumps(data, ensure_ascii=False)


def _short(name: str) -> str:
    return name.rpartition(":")[2].rpartition(".")[2]
