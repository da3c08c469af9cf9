"""Hooks: functions that are asked before a step (gates), or told what happens (observers) (S31, S32).

The same values stand on a step, on a workflow, where they concern all steps in it, and on an engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs

from orchestration.frozen import frozen
from orchestration.plan.body import Body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from orchestration.plan.moments import Asked, Moment

When = Literal["before", "after"]  # a step: before its first attempt, or after it has succeeded
Point = Literal["workflow", "step", "attempt", "retry", "undo", "cancel", "resume"]
POINTS: tuple[Point, ...] = get_args(Point)
STRICT_POINTS: tuple[Point, ...] = ("step",)
TIMEOUT = 5.0


@frozen
class Veto:
    """What a gate returns to forbid a step: it fails with `Vetoed`, for this `reason` (S31)."""

    reason: str


def _positive(_: object, field: attrs.Attribute[Any], value: float) -> None:
    if not value > 0:
        message = f"{field.name} must be above 0, found {value!r}"
        raise ValueError(message)


@attrs.frozen  # not `frozen`: it has validators
class Hook:
    """A function and when it is called; made by `gate` and `observer`.

    `timeout` is in seconds. `at` names the points that an observer is told of. A `strict` one fails the step when it
    fails itself; with `expose` the values are shown as they are instead of redacted (S32, S33).
    """

    body: Body
    kind: Literal["gate", "observer"]
    at: tuple[Point, ...] = ()
    timeout: float = attrs.field(default=TIMEOUT, validator=_positive)
    strict: bool = False
    expose: bool = False

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.body.name or f"a {self.body.kind}"


def gate(
    function: Callable[[Asked], Veto | None] | Callable[[Asked], Awaitable[Veto | None]],
    /,
    *,
    timeout: float = TIMEOUT,
    expose: bool = False,
) -> Hook:
    """Return a hook that is asked once before a step, before its first attempt (S31).

    The function gets an `Asked` and returns `None` to let the step begin, or a `Veto`. A veto fails the step with
    `Vetoed`; an error of the gate, or none of both in `timeout` seconds, with `GateFailed`. Neither is retried, both
    can be recovered from. A plain function runs in a thread. With `expose` it is shown the input of the step.

    Raises:
        ValueError: if `timeout` is not above 0.
        TypeError: if the function cannot be called with one value.
    """
    return Hook(_body(function, "gate"), "gate", (), timeout, expose=expose)


def observer(
    function: Callable[[Moment], object],
    /,
    *,
    at: Point | tuple[Point, ...] = POINTS,
    timeout: float = TIMEOUT,
    strict: bool = False,
    expose: bool = False,
) -> Hook:
    """Return a hook that is told of what happens, in the order in which it happens (S31, S32).

    The function gets a `Moment` at each of the points `at`, by default all. It is awaited for at most `timeout`
    seconds; what it raises is listed in the outcome's `hook_failures` and changes nothing. A `strict` one, which can
    only be told of steps, fails the step when it fails itself. A plain function runs in a thread.

    Raises:
        ValueError: if a point is not known, if a strict hook is told of others than steps, if `timeout` is not above 0.
        TypeError: if the function cannot be called with one value.
    """
    points = at if isinstance(at, tuple) else (at,)
    unknown = [point for point in points if point not in POINTS]
    if unknown or not points:
        message = f"at takes points of {', '.join(POINTS)}, found {at!r}"
        raise ValueError(message)
    if strict and points != STRICT_POINTS:
        message = f'a strict observer is told of steps only: write at="step", found at={at!r}'
        raise ValueError(message)
    return Hook(_body(function, "observer"), "observer", points, timeout, strict, expose)


def _body(function: object, what: str) -> Body:
    body = Body.of(function)
    if not callable(function) or body.kind == "method" or not body.accepts(1):
        message = f"a {what} is a function that takes one value, found {function!r}"
        raise TypeError(message)
    return body


def asks_of(hooks: Iterable[Hook]) -> tuple[When, ...]:
    """Return when a step asks these hooks: gates before it, strict observers before and after it (S31, S32)."""
    known = tuple(hooks)
    if any(hook.strict for hook in known):
        return ("before", "after")
    return ("before",) if any(hook.kind == "gate" for hook in known) else ()
