"""`Walk`: a run that is taken on event by event, by whoever says what comes next. The moves are those of `explore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.engine import start
from orchestration.interpreter.events import CancelRequested, Continued, Resumed, StepCancelled, TimerFired
from orchestration.interpreter.pending import slot_of
from orchestration.plan.nodes import WaitFor
from orchestration.runtime.boundary import validate_input
from orchestration.testing.explore_invariants import Moment
from orchestration.testing.explore_keys import Keys
from orchestration.testing.explore_moves import Moves, begun
from orchestration.testing.explore_outcomes import Outcomes
from orchestration.testing.explore_report import Run
from orchestration.testing.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestration.interpreter.events import Event
    from orchestration.interpreter.pending import Slot
    from orchestration.plan.compile import Plan
    from orchestration.signals import Signal
    from orchestration.testing.explore_moves import Place
    from orchestration.testing.explore_outcomes import Given


@frozen
class World:
    """What may happen to the runs of a plan: see `explore`, which takes the same."""

    plan: Plan
    outcomes: Outcomes
    signals: tuple[tuple[str, object], ...] = ()
    deadline: float | None = None
    cancel: bool = True
    leaks: bool = False
    crash: bool = False

    @staticmethod
    def of(
        plan: Plan, given: Given | None, default: object, signals: Iterable[tuple[Signal[Any] | str, object]]
    ) -> World:
        """Return the world with these outcomes and signals.

        Raises:
            Unanswered: if steps have no outcomes and there is no default.
            Unasked: if outcomes are given for something that is not in the plan.
            ValueError: if an outcome or a signal can never come.
        """
        sent = tuple((one if isinstance(one, str) else one.name, payload) for one, payload in signals)
        waited = {node.signal for node in plan.nodes if isinstance(node, WaitFor)}
        for name, _ in sent:
            if name not in waited:
                raise ValueError(f"nothing in {plan.name} waits for the signal {name!r}")
        return World(plan, Outcomes(plan, given or {}, default), sent)

    def begin(self, value: object) -> Walk:
        """Return a run at its start.

        Raises:
            InvalidInput: if the value does not fit the workflow's type (S12).
        """
        return Walk(self, validate_input(self.plan, value))


@final
class Walk:
    """A run under way, and what has happened so far."""

    def __init__(self, world: World, value: object) -> None:
        """Begin at time 0."""
        self._moves = Moves(
            world.plan,
            world.outcomes,
            Keys(),
            signals=world.signals,
            cancel=world.cancel,
            leaks=world.leaks,
            crash=world.crash,
        )
        run = Run(world.plan, value, world.deadline, ())  # as `replay` begins: by its id the jitter is the same
        state, effects = start(run.plan, value, run_id=run.run_id, at=0.0, deadline=run.deadline)
        self.plan: Plan = world.plan
        self.place: Place = begun(state, effects)
        self.moments: list[Moment] = [Moment(run.started, None, effects, state, self.place.pending)]
        self.events: list[Event] = self._moves.events(self.place)

    @property
    def expected(self) -> list[Event]:
        """What comes next if nothing goes wrong: of all that is under way the first of its outcomes."""
        found: list[Event] = []
        seen: set[Slot] = set()
        for event in self.events:
            slot = slot_of(event, self.place.pending)
            as_told = isinstance(event, StepCancelled) and event.started
            if not isinstance(event, CancelRequested | Resumed) and (slot is None or slot not in seen or as_told):
                found.append(event)
            if slot is not None:
                seen.add(slot)
        return found

    @property
    def faults(self) -> list[Event]:
        """What may come instead: other outcomes, a cancel, a crash."""
        expected = {id(event) for event in self.expected}
        return [event for event in self.events if id(event) not in expected]

    @property
    def timed(self) -> list[Event]:
        """What may come next, also later where that makes a difference: see `Moves`."""
        return [turned.event for turned in self._moves.turns(self.place)]

    def latest(self, event: Event) -> float:
        """Return how late an event may come: when the next timer is due, after a crash the last, if any runs."""
        dues = [timer.due for timer in self.place.timers]
        if not dues or self.place.lost is not None or isinstance(event, TimerFired | Continued):
            return event.at
        return max(event.at, max(dues) if isinstance(event, Resumed) else min(dues))

    def take(self, event: Event, at: float | None = None) -> Moment:
        """Let an event happen, at a time that it may."""
        timed = event if at is None else evolve(event, at=at)
        turned = self._moves.turn(self.place, timed)
        self.place = turned.place
        moment = Moment(timed, turned.ended, turned.effects, turned.place.state, turned.place.pending)
        self.moments.append(moment)
        self.events = self._moves.events(self.place)
        return moment

    def trace(self) -> Trace[Any]:
        """Return what has happened so far."""
        trace: Trace[Any] = Trace(self.plan)
        for moment in self.moments:
            trace.add(moment.event, list(moment.effects), moment.state)
        return trace
