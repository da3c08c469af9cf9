"""What a type is made of: the items of an iterable, the members of a union (S6, S13, S16)."""

from __future__ import annotations

import collections.abc
import enum
import types
from typing import Any, TypeGuard, Union, get_args, get_origin

from orchestration.plan.types import plain


def union_members(kind: object) -> tuple[object, ...] | None:
    """Return the members of a union, or a class as the only one; `None` where the type is not known."""
    kind = plain(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(member for inner in get_args(kind) for member in union_members(inner) or (inner,))
    if _is_class(kind):
        return (kind,)
    return None


def item_type(kind: object) -> object | None:
    """Return the type of an iterable's items, `Any` where it is not known, `None` where it is surely no iterable."""
    kind = plain(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        items = [item_type(member) for member in arguments]
        if None in items:
            return None
        return Any if any(item is Any for item in items) else Union[tuple(items)]  # noqa: UP007 - at run time
    if isinstance(origin, type):
        return _argument(origin, arguments)
    if _is_class(kind) and not _iterable(kind):
        return None
    return str if kind is str else int if kind is bytes else Any


def unordered(kind: object) -> bool:
    """Tell whether a type is a set, or a union with one: its items come in no defined order (S2)."""
    kind = plain(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return any(unordered(member) for member in get_args(kind))
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and (
        issubclass(origin, set | frozenset) or origin in (collections.abc.Set, collections.abc.MutableSet)
    )


def _is_class(kind: object) -> TypeGuard[type]:
    """Tell a class from a type form; since Python 3.11 `Any` is a class as well, but says nothing."""
    return isinstance(kind, type) and kind is not object and kind is not Any and get_origin(kind) is None


def _argument(origin: type, arguments: tuple[object, ...]) -> object | None:
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
            return arguments[0]
        return Union[arguments] if arguments else Any  # noqa: UP007 - at run time
    if not _iterable(origin):
        return None
    known = origin.__module__ in {"builtins", "collections", "collections.abc"}
    return arguments[0] if known and arguments else Any


def _iterable(kind: type) -> bool:
    iterable = issubclass(kind, collections.abc.Iterable | collections.abc.AsyncIterable) or hasattr(
        kind, "__getitem__"
    )
    return iterable or issubclass(type(kind), enum.EnumMeta) or getattr(kind, "_is_protocol", False)


def tuple_items(kind: object) -> tuple[object, ...] | None:
    """Return the types of a tuple's items; `None` where they are not known."""
    arguments = get_args(plain(kind))
    known = get_origin(plain(kind)) is tuple and Ellipsis not in arguments
    return arguments if known else None
