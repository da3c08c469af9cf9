"""Hooks: functions that are asked before a step (gates), or told what happens (observers) (S31, S32).

The same values stand on a step, on a workflow, where they concern all steps in it, and on an engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs

from orchestration.plan.body import Body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from orchestration.plan.moments import Asked, Moment

When = Literal["before", "after"]  # a step: before its first attempt, or after it has succeeded
Point = Literal["workflow", "step", "attempt", "retry", "undo", "cancel", "resume"]
POINTS: tuple[Point, ...] = get_args(Point)
STRICT_POINTS: tuple[Point, ...] = ("step",)
TIMEOUT = 5.0


@attrs.frozen  # not `frozen`: it has a validator
class Veto:
    """What a gate returns to forbid a step: it fails with `Vetoed`, for this `reason` (S31).

    ```python
    def small_only(asked: object) -> Veto | None: return Veto("too large")

    sale = Workflow[Order]("sale").step(reserve, hooks=[gate(small_only)])
    ```
    """

    reason: str = attrs.field(validator=attrs.validators.instance_of(str))


def _positive(_: object, field: attrs.Attribute[Any], value: float) -> None:
    if not value > 0:
        raise ValueError(f"{field.name} must be above 0, found {value!r}")


def _points(hook: Hook, _: object, at: tuple[Point, ...]) -> None:
    if hook.kind == "gate":
        if at:
            raise ValueError(f"a gate is asked before steps and takes no points, found at={at!r}")
    elif not at or any(point not in POINTS for point in at):
        raise ValueError(f"at takes points of {', '.join(POINTS)}, found {at!r}")


def _strictness(hook: Hook, _: object, strict: bool) -> None:  # noqa: FBT001 - the signature of a validator
    if strict and hook.at != STRICT_POINTS:
        raise ValueError(f'a strict observer is told of steps only: write at="step", found at={hook.at!r}')


@attrs.frozen  # not `frozen`: it has validators
class Hook:
    """A function and when it is called; made by `gate` and `observer`.

    `timeout` is in seconds. `at` names the points that an observer is told of. A `strict` one fails the step when it
    fails itself; with `expose` the values are shown as they are instead of redacted (S32, S33).
    """

    body: Body
    kind: Literal["gate", "observer"] = attrs.field(validator=attrs.validators.in_(("gate", "observer")))
    at: tuple[Point, ...] = attrs.field(default=(), validator=_points)
    timeout: float = attrs.field(default=TIMEOUT, validator=_positive)
    strict: bool = attrs.field(default=False, validator=_strictness)
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

    ```python
    def by_day(asked: object) -> Veto | None: return None

    sale = Workflow[Order]("sale", hooks=[gate(by_day, timeout=1)]).step(reserve)
    ```

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

    ```python
    def count(moment: object) -> None: print(type(moment).__name__)

    engine = LocalEngine(hooks=[observer(count, at=("workflow", "step"))])
    ```

    The function gets a `Moment` at each of the points `at`, by default all. It is awaited for at most `timeout`
    seconds; what it raises is listed in the outcome's `hook_failures` and changes nothing. A `strict` one, which can
    only be told of steps, fails the step when it fails itself. A plain function runs in a thread.

    Raises:
        ValueError: if a point is not known, if a strict hook is told of others than steps, if `timeout` is not above 0.
        TypeError: if the function cannot be called with one value.
    """
    points = at if isinstance(at, tuple) else (at,)
    return Hook(_body(function, "observer"), "observer", points, timeout, strict, expose)


def _body(function: object, what: str) -> Body:
    body = Body.of(function)
    if not callable(function) or body.kind == "method" or not body.accepts(1):
        raise TypeError(f"{what} takes a function of one value, found {function!r}")
    return body


def hooks_of(hooks: Iterable[Hook]) -> tuple[Hook, ...]:
    """Return hooks as a tuple.

    Raises:
        TypeError: if something else is among them.
    """
    given: tuple[Any, ...] = tuple(hooks)
    wrong = next((hook for hook in given if not isinstance(hook, Hook)), None)
    if wrong is not None:
        raise TypeError(f"hooks are made by gate(...) and observer(...), found {wrong!r}")
    return given


def asks_of(hooks: Iterable[Hook]) -> tuple[When, ...]:
    """Return when a step asks these hooks: gates before it, strict observers before and after it (S31, S32)."""
    known = tuple(hooks)
    if any(hook.strict for hook in known):
        return ("before", "after")
    return ("before",) if any(hook.kind == "gate" for hook in known) else ()
