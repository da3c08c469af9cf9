"""The options of the builder's methods, one class a group, and what becomes of a body that is given to one.

Overloads of a body, everywhere in this package: a workflow, an async function, a function, an async method of a
service, a method of a service. mypy needs them apart: `Callable[[A], Awaitable[T] | T]` makes it infer `Never`.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypedDict

from typing_extensions import TypeVar

from orchestration.plan.naming import DEFAULTED, defaulted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestration.policies import Kinds, Retry

T = TypeVar("T")
Async = Coroutine[Any, Any, T]


class Named(TypedDict, total=False):
    """Options of every method that takes a body."""

    name: str
    """The name of the node, a segment of its path; by default the body's (S4)."""


class StepOptions(Named, total=False):
    """Options of a step."""

    retry: Retry
    """How often it is tried; by default once (S9)."""
    attempt_timeout: float
    """Seconds that one attempt may take, counted from the start of the body (S10)."""
    run_in: str
    """`"loop"` or `"thread"`; by default async functions run in the loop, others in a thread (S11)."""


class GroupOptions(Named, total=False):
    """Options of what runs several bodies side by side."""

    concurrency: int | None
    """How many may be under way at a time; by default all (S14)."""


class JoinOptions(StepOptions, total=False):
    """Options of a fork that is joined by a step."""

    concurrency: int | None
    """How many bodies of the fork may be under way at a time; by default all (S14)."""


class UndoOptions(TypedDict, total=False):
    """Options of a compensation."""

    in_doubt_on: Kinds
    """Failures after which nobody knows whether the effect landed; by default timeouts and lost connections (S22)."""
    retry: Retry
    """How often the undo is tried; by default three times (S24)."""
    timeout: float
    """Seconds that one attempt of the undo may take; 30 by default (S24)."""


def refuse(options: Iterable[str], reason: str) -> None:
    """Raise if there are options that cannot take effect."""
    unknown = ", ".join(sorted(options))
    if unknown:
        raise TypeError(f"unexpected option {unknown}: {reason}")


def text(option: str, value: Any) -> Any:  # noqa: ANN401 - as it came from a caller
    """Return the value of an option that is text, or None; a name of another type could not even be reported."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{option} must be a str, found {value!r}")
    return value


def named(options: Mapping[str, Any], default: str) -> str:
    """Return the name that the options give, or else one that may be numbered to be unique (S4).

    Raises:
        TypeError: if there is another option (nothing is ignored silently, S6), or the name is no text.
    """
    given = text("name", options.get("name"))
    refuse(options.keys() - {"name"}, "it takes only name=; give policies to the steps inside")
    if given is not None:
        return str(given)
    return default if default.startswith(DEFAULTED) else defaulted(default)
