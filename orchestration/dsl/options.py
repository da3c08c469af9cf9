"""The options of the builder's methods, one class a group, and what becomes of a body that is given to one.

Overloads of a body, everywhere in this package: a workflow, an async function, a function, an async method of a
service, a method of a service. mypy needs them apart: `Callable[[A], Awaitable[T] | T]` makes it infer `Never`.

A function stands there a second time, at the end, where it is never chosen: of a body that does not fit, pyright
explains the last overload, and of a function it would otherwise say that a method takes one value more.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Generic, Literal, Required

from typing_extensions import TypedDict, TypeVar

from orchestration.plan.naming import DEFAULTED, defaulted
from orchestration.policies import Tolerate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration.plan.hooks import Hook
    from orchestration.policies import Kinds, OnPartial, Retry

T = TypeVar("T")
Async = Coroutine[Any, Any, T]
Items = Iterable[T] | AsyncIterable[T]
Collecting = Literal["collect"] | Tolerate
Excepted = type[Exception] | tuple[type[Exception], ...]


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
    timeout: float
    """Seconds that the step may take with its retries, backoff and waiting; this is final (S10)."""
    run_in: str
    """`"loop"`, `"thread"`, `"process"` or an executor's name; by default async functions run in the loop, others in a
    thread (S11)."""
    limit: str
    """The name of a limit that bounds attempts across runs (S14)."""
    cheap: bool
    """Whether an attempt is so quick that it may run in the process that runs the workflow: on Temporal, as a local
    activity; other engines do so anyway."""
    hooks: Iterable[Hook]
    """Gates that are asked before it, observers that are told of it (S31)."""


class WorkflowOptions(Named, total=False):
    """Options of a body that is a workflow, and of every composite."""

    retry: Retry
    """How often all of it is tried; it is unwound before it is tried again (S9, S20)."""
    timeout: float
    """Seconds that all of it may take, retries and waiting included; this is final (S10)."""
    on_partial: OnPartial
    """Whether to go on past what could not be undone; by default it fails (S20)."""


class RaceOptions(WorkflowOptions, total=False):
    """Options of what runs several bodies side by side, whatever becomes of failures."""

    concurrency: int | None
    """How many may be under way at a time; by default all (S14)."""


class GroupOptions(RaceOptions, total=False):
    """Options of what runs several bodies side by side, and fails with the first of them (S18)."""

    on_error: Literal["fail_fast"]


class CollectOptions(RaceOptions, total=False):
    """Options of what runs several bodies side by side, and keeps their failures (S18)."""

    on_error: Required[Collecting]
    """`"collect"`, or `tolerate(...)` to fail past so many."""


class JoinOptions(StepOptions, total=False):
    """Options of a fork that is joined by a step; the first three concern the fork."""

    concurrency: int | None
    """How many bodies of the fork may be under way at a time; by default all (S14)."""
    on_partial: OnPartial
    """Whether to go on past what could not be undone; by default the fork fails (S20)."""
    on_error: Literal["fail_fast"]


class JoinCollectOptions(StepOptions, total=False):
    """Options of a fork whose outcomes a step takes; the first three concern the fork."""

    concurrency: int | None
    """How many bodies of the fork may be under way at a time; by default all (S14)."""
    on_partial: OnPartial
    """Whether to go on past what could not be undone; by default the fork fails (S20)."""
    on_error: Required[Collecting]
    """`"collect"`, or `tolerate(...)` to fail past so many (S18)."""


class RecoverOptions(StepOptions, total=False):
    """Options of a step that recovers."""

    on: Required[Excepted]
    """The kinds of failures it takes, with their subclasses (S20)."""
    on_partial: OnPartial
    """Whether to go on past what could not be undone; by default the failure passes through (S20)."""


class RecoverWorkflowOptions(WorkflowOptions, total=False):
    """Options of a workflow that recovers; `on_partial` concerns the recovery, not a retry of the workflow."""

    on: Required[Excepted]
    """The kinds of failures it takes, with their subclasses (S20)."""


class CleanupOptions(Named, total=False):
    """Options of a cleanup."""

    retry: Retry
    """How often it is tried; by default three times (S24)."""
    timeout: float
    """Seconds that one attempt may take; 30 by default (S24)."""
    limit: str
    """The name of a limit that bounds attempts across runs (S14)."""


class WaitOptions(Named, total=False):
    """Options of a wait for a signal."""

    timeout: float
    """Seconds that it may take to come (S10); by default it may take for ever."""


class Until(Named, Generic[T], total=False):
    """Options of a loop that ends when something holds (S17)."""

    until: Required[Callable[[T, int], bool]]
    """Asked after each iteration: `until(value, index)`, a plain, deterministic function."""
    max_iterations: Required[int]
    """Past it the loop fails with `LoopLimitExceeded`."""


class While(Named, Generic[T], total=False):
    """Options of a loop that goes on while something holds (S17)."""

    while_: Required[Callable[[T, int], bool]]
    """Asked before each iteration: `while_(value, index)`, a plain, deterministic function."""
    max_iterations: Required[int]
    """Past it the loop fails with `LoopLimitExceeded`."""


class UndoOptions(TypedDict, total=False):
    """Options of a compensation."""

    in_doubt_on: Kinds
    """Failures after which nobody knows whether the effect landed; by default timeouts and lost connections (S22)."""
    retry: Retry
    """How often the undo is tried; by default three times (S24)."""
    timeout: float
    """Seconds that one attempt of the undo may take; 30 by default (S24)."""


def check(options: Iterable[str], allowed: type) -> None:
    """Raise if there are options that `allowed`, one of the classes above, does not name.

    Raises:
        TypeError: nothing that a caller wrote is ignored silently (S6).
    """
    refuse(set(options) - allowed.__annotations__.keys(), f"see {allowed.__name__} for what is taken here")


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
    refuse(options.keys() - {"name"}, "it takes only name=; give policies to the steps inside")
    return name_of(options, default)


def name_of(options: Mapping[str, Any], default: str) -> str:
    """Return the name among other options, as `named` does."""
    given = text("name", options.get("name"))
    if given is not None:
        return str(given)
    return default if default.startswith(DEFAULTED) else defaulted(default)
