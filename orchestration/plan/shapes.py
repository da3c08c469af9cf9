"""What a type is made of: the items of an iterable, the members of a union (S6, S13, S16)."""

from __future__ import annotations

import collections.abc
import enum
import types
from typing import Any, Literal, TypeGuard, Union, cast, get_args, get_origin

from orchestration.plan.types import members_of, plain


def union_members(kind: object) -> tuple[object, ...] | None:
    """Return the members of a union, each value of a literal, a class alone; `None` where the type is not known."""
    members = members_of(kind)
    return None if len(members) == 1 and not _is_class(members[0]) and not literals(kind) else members


def literals(kind: object) -> dict[tuple[type, object], object]:
    """Return each value of a literal as a literal, by its class and itself: `1` is not `True`."""
    if get_origin(kind) is not Literal:
        return {}
    return {(type(value), value): cast("Any", Literal)[value] for value in get_args(kind)}


def single_values(kind: object) -> dict[tuple[type, object], object]:
    """Return the values of an enum, of `bool` or None as literals; a class of which there may be others has none."""
    if kind is bool:
        return literals(Literal[True, False])
    if kind is types.NoneType:
        return {(types.NoneType, None): cast("Any", Literal)[None]}
    if not isinstance(kind, enum.EnumMeta) or issubclass(kind, enum.Flag):
        return {}
    members = tuple(cast("type[enum.Enum]", kind))
    return literals(cast("Any", Literal)[members]) if members else {}


def either(outputs: list[object]) -> object:
    """Return the union of types, `Any` where one of them is not known or there are none."""
    if not outputs or any(output is Any for output in outputs):
        return Any
    return Union[tuple(outputs)]  # noqa: UP007 - built at run time


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


def streaming(kind: object) -> bool:
    """Tell whether a type is a stream, or a union with one: what can be read once, and may never end (S16)."""
    kind = plain(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return any(streaming(member) for member in get_args(kind))
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, collections.abc.AsyncIterable | collections.abc.Iterator)


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
