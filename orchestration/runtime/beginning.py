"""Where a run begins: what its engine gives it, its first event, and what that calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestration.interpreter.engine import Turned, begin
from orchestration.interpreter.events import Started

if TYPE_CHECKING:
    from orchestration.interpreter.ahead import Ahead, Route
    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan
    from orchestration.runtime.admission import Lines
    from orchestration.runtime.context import Clock
    from orchestration.runtime.handler import Handler
    from orchestration.runtime.hooks import Hooks
    from orchestration.runtime.threads import Threads


class Home(NamedTuple):
    """What a run has from its engine: `grace` is in seconds (S24), `lines` lead its attempts through gates (S14).

    `hooks` are those that concern the plan (S31), `clock` tells the time of events, in seconds (S2); `route` is what
    of the plan can go ahead of the machine. `is_quiet`: nobody sees the steps of the plan, and the event loop runs all.
    """

    handler: Handler
    threads: Threads
    grace: float
    lines: Lines
    hooks: Hooks
    clock: Clock
    route: Route
    is_quiet: bool = False


class Beginning(NamedTuple):
    """Where a driver begins: what its observers are told first, and the effects that are to be performed.

    `ahead` is what has gone ahead already of the state, which is the one before that then.
    """

    told: list[Turned]
    effects: list[Effect]
    state: State
    ahead: Ahead | None = None


def started(plan: Plan, value: object, home: Home, *, run_id: str, deadline: float | None = None) -> Started:
    """Return the first event of a run that begins now; `deadline` is in seconds from now (S10)."""
    return Started(plan.name, home.clock(), run_id, value, deadline, home.hooks.asks)


def beginning_of(plan: Plan, event: Started) -> Beginning:
    """Return where a new run begins."""
    turned = begin(plan, event)
    return Beginning([turned], turned.effects, turned.state)
