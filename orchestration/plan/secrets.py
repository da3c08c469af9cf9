"""Secrets in values: fields that are marked as such, masked wherever a value is shown (S33).

`SecretStr`, `SecretBytes` and `Secret` of pydantic mask themselves. Any other field of a record is marked by its
annotation: `number: Annotated[str, Secret]`.
"""

from __future__ import annotations

import typing
from functools import lru_cache
from typing import Any, cast, final, get_args, get_origin

import attrs
import pydantic

MASK = "**********"


@final
class Secret:
    """Marks a field whose value is not shown: `Annotated[str, Secret]` (S33)."""


def masked(value: object) -> object:
    """Mask the secret fields of a value and of all that is in it, in place; return it."""
    _mask(value, set())
    return value


def _mask(value: object, seen: set[int]) -> None:
    if id(value) in seen or isinstance(value, str | bytes | int | float | None):
        return
    seen.add(id(value))
    if isinstance(value, dict):
        for key, item in cast("dict[object, object]", value).items():
            _mask(key, seen)
            _mask(item, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in cast("list[object]", value):
            _mask(item, seen)
    else:
        kind: Any = type(value)
        secret = secret_fields(kind)
        for name in _fields(kind):
            if name in secret:
                object.__setattr__(value, name, MASK)  # a frozen record is no less a secret
            elif hasattr(value, name):
                _mask(getattr(value, name), seen)


def _fields(kind: type) -> tuple[str, ...]:
    if issubclass(kind, pydantic.BaseModel):
        return tuple(kind.model_fields)
    if attrs.has(kind):
        return tuple(field.name for field in attrs.fields(cast("Any", kind)))
    return tuple(getattr(kind, "__dataclass_fields__", ()))


@lru_cache(maxsize=1024)
def secret_fields(kind: type) -> frozenset[str]:
    """Return the names of the fields of a record that are marked as secret."""
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except (NameError, TypeError, AttributeError):  # an annotation that cannot be resolved here: marks are read as text
        return frozenset(name for name, hint in _annotations(kind) if "Secret" in str(hint))
    return frozenset(name for name, hint in hints.items() if get_origin(hint) is typing.Annotated and _is_marked(hint))


def _is_marked(hint: object) -> bool:
    return any(mark is Secret or isinstance(mark, Secret) for mark in get_args(hint)[1:])


def _annotations(kind: type) -> list[tuple[str, object]]:
    return [pair for base in kind.__mro__ for pair in getattr(base, "__annotations__", {}).items()]
