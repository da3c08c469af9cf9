"""Values as a person reads them, from what a journal has of them: JSON with tags, read without their classes."""

from __future__ import annotations

import json
from typing import Any, cast

from orchestration.render.chronicle import HIDDEN

LONGEST = 400  # characters that are shown of a value


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
        case dict():
            return "{" + ", ".join(f"{key}: {_text(item)}" for key, item in data.items()) + "}"
        case list():
            return "[" + ", ".join(map(_text, data)) + "]"
        case _:
            return json.dumps(data, ensure_ascii=False)


def _short(name: str) -> str:
    return name.rpartition(":")[2].rpartition(".")[2]
