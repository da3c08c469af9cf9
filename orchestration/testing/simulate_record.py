"""What is known of a simulated run when it is over: its log, folded anew, and what the world has seen."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from orchestration.interpreter.effects import Attempted, RunStep
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.pending import ENDED, ended_by, pending_after
from orchestration.testing.explore_invariants import Moment
from orchestration.testing.explore_moves import begun
from orchestration.testing.explore_report import WAITS, Ending
from orchestration.testing.simulate_world import key_of_attempt
from orchestration.testing.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration.interpreter.events import AnyEvent, Event, Started
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.testing.simulate_chance import Choices
    from orchestration.testing.simulate_outside import Said
    from orchestration.testing.simulate_world import Mark, Work

Capacities: TypeAlias = "Mapping[str, int]"  # of what bounds attempts: the run, the engine, a limit by its name
THE_RUN, THE_ENGINE = "max_concurrency of the run", "max_concurrency of the engine"


@attrs.define(slots=False, kw_only=True)  # with a dict, for what is computed once
class Record:
    """One run of a simulation; `waits` says that it would wait for a signal for ever.

    `trouble` is what the run has died of, if it has, `left` what of it was still there when it was over. `told` are the
    events that its listeners were told.
    """

    plan: Plan
    choices: Choices
    events: list[AnyEvent]
    works: list[Work]
    marks: list[Mark]
    grace: float
    capacities: Capacities
    hooked: bool
    outcome: Outcome | None
    waits: bool = False
    trouble: tuple[str, str] | None = None
    left: list[str] = attrs.Factory(list)
    said: Said | None = None
    tokened: float | None = None  # when a run that was not over was cancelled by a token
    stopped: bool | None = None  # whether the cancel of the awaiting task was passed on; `None` if there was none
    durable: bool = False
    told: list[AnyEvent] = attrs.Factory(list)

    @cached_property
    def moments(self) -> list[Moment]:
        """The events with what came of them, by the pure interpreter.

        Raises:
            IllegalEvent: if this cannot be.
        """
        return folded(self.plan, self.events)

    @cached_property
    def ends(self) -> list[str | None]:
        """Of which attempt each event is the end."""
        asked: dict[tuple[type, str, int], str] = {}
        ends: list[str | None] = []
        for moment in self.moments:
            event = moment.event
            kind = ENDED.get(type(event))
            ends.append(None if kind is None else asked.get((kind, event.path, cast("Any", event).attempt)))
            for effect in moment.effects:
                if isinstance(effect, Attempted):
                    asked[type(effect), effect.path, effect.attempt] = key_of_attempt(effect)
        return ends

    @property
    def ending(self) -> Ending:
        """How it ended."""
        outcome = self.outcome
        if self.waits or outcome is None:
            return Ending(WAITS, "")
        return Ending(type(outcome).__name__, outcome.rollback.verdict)

    @property
    def digest(self) -> bytes:
        """What is equal for runs that went the same way: what happened where and when, and how it ended."""
        lines = [f"{type(event).__name__} {event.path} {event.at!r}" for event in self.events]
        return hashlib.blake2b("\n".join([*lines, str(self.ending)]).encode(), digest_size=16).digest()

    def trace(self) -> Trace[Any]:
        """Return what happened, as far as it can be told."""
        trace: Trace[Any] = Trace(self.plan)
        for moment in folded(self.plan, self.events, strict=False):
            trace.add(moment.event, list(moment.effects), moment.state)
        return trace

    def gates(self, effect: Attempted) -> list[str]:
        """Return what bounds an attempt (S14): an undo or cleanup is under the limit of its step alone."""
        node = getattr(effect, "cleanup", None) or getattr(effect, "step", None)
        limit = getattr(node, "limit", None)
        wide = [THE_RUN, THE_ENGINE] if isinstance(effect, RunStep) else []
        return [name for name in (*wide, limit) if name is not None and name in self.capacities]


def folded(plan: Plan, events: list[AnyEvent], *, strict: bool = True) -> list[Moment]:
    """Return events with what comes of them, by the pure interpreter; if not `strict`, as far as that is possible.

    Raises:
        IllegalEvent: if one of them cannot be.
    """
    first = cast("Started", events[0])
    state, effects = start(
        plan, first.value, run_id=first.run_id, at=first.at, deadline=first.deadline, asks=first.asks
    )
    pending = begun(state, effects).pending
    moments = [Moment(first, None, effects, state, pending)]
    for event in cast("list[Event]", events[1:]):
        ended = ended_by(event, pending)
        try:
            state, effects = advance(plan, state, event)
        except Exception:
            if strict:
                raise
            break
        pending = pending_after(pending, event, effects)
        moments.append(Moment(event, ended, effects, state, pending))
    return moments
