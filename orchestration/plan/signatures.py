"""What bodies take and give, read from their annotations before anything runs: `signature_of` (S6)."""

# Annotations are data here, of any type: pyright's strict mode sees `Unknown` in each narrowing of them.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import functools
import inspect
import typing
from collections import abc
from typing import TYPE_CHECKING, Any, cast, get_origin

from orchestration.frozen import frozen
from orchestration.plan.types import (
    EMPTY,
    members_of,
    module_names,
    resolve,
    seen_as,
    split_type,
    type_parameters,
    union_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@frozen
class Signature:
    """What a body takes and gives, as far as annotations tell; `Any` where they do not.

    `parameters` are the annotations of the required positional parameters in order. `asynchronous`: calling it gives an
    awaitable, of which `returns` is the result.
    """

    parameters: tuple[object, ...] = ()
    returns: object = Any
    asynchronous: bool = False


def signature_of(function: Callable[..., object]) -> Signature | None:
    """Return the signature of a function, partial, bound method, callable object or class; None where it has none (S6).

    A decorator may have changed what a function takes or gives, though `functools.wraps` copies its annotations:
    those of a wrapped or overloaded function are `declared | Any`, which name their types and refuse nothing.
    """
    target = cast("Callable[..., object]", get_origin(function) or function)
    if isinstance(target, type) and target.__module__ == "builtins":
        return None  # some have a signature, on some versions of Python
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    names, loose = _surroundings(target)
    hints = {name: _loosened(resolve(item.annotation, names), loose) for name, item in signature.parameters.items()}
    returned = resolve(signature.return_annotation, names)
    returns, awaitable = (returned, True) if _is_coroutine_function(target) else _awaited(returned)
    positional = [item for item in signature.parameters.values() if item.kind in POSITIONAL]
    return Signature(
        parameters=tuple(hints[item.name] for item in positional if item.default is EMPTY),
        returns=function if isinstance(target, type) else _loosened(returns, loose),
        asynchronous=awaitable,
    )


def _surroundings(target: object) -> tuple[dict[str, object], bool]:
    """Return the names that the annotations of a callable see, and whether they may be untrue of it."""
    loose = False
    while not inspect.isfunction(target):
        if isinstance(target, functools.partial):
            target = target.func
        elif isinstance(target, type):
            outer, target = target, target.__init__  # type: ignore[misc]  # the class is at hand, not a value of it
            return {**module_names(outer), **type_parameters(outer), **getattr(target, "__globals__", {})}, loose
        elif inspect.ismethod(target):
            target = target.__func__
        elif (wrapped := getattr(target, "__wrapped__", None)) is not None:
            target, loose = wrapped, True
        elif inspect.isfunction(type(target).__call__):
            target = type(target).__call__
        else:
            return {}, loose
    function = inspect.unwrap(target)
    loose = loose or function is not target or bool(typing.get_overloads(function))
    return {**getattr(function, "__globals__", {}), **type_parameters(function)}, loose


def _loosened(hint: object, loose: bool) -> object:  # noqa: FBT001 - private, and said by its name
    return union_of((hint, Any)) if loose else hint


def _is_coroutine_function(target: object) -> bool:
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(type(target).__call__)


def _awaited(returned: object) -> tuple[object, bool]:
    """Return what awaiting a value annotated `returned` gives, and whether it is an awaitable for certain."""
    results: list[object] = []
    awaitable: list[bool] = []
    for member in members_of(returned):
        kind, arguments = split_type(member)
        awaitable.append(hasattr(kind, "__await__"))
        seen = seen_as(kind, arguments, abc.Awaitable) if awaitable[-1] else (member,)
        results.append(seen[0] if seen else Any)
    return (union_of(tuple(results)), all(awaitable)) if any(awaitable) else (returned, False)
