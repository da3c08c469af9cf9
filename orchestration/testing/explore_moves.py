"""What may happen next in a run, and what comes of it: the moves of `explore`, over the real interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast, final

from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.interpreter.effects import (
    AskHooks,
    Attempted,
    Effect,
    Pull,
    RunStep,
    StartTimer,
)
from orchestration.interpreter.ends import leaked, timed_out
from orchestration.interpreter.engine import advance
from orchestration.interpreter.events import (
    CancelRequested,
    Continued,
    Event,
    Exhausted,
    HooksAnswered,
    Pulled,
    PullFailed,
    Resumed,
    SignalReceived,
    StepCancelled,
    StepSucceeded,
    TimerFired,
)
from orchestration.interpreter.pending import (
    ASK,
    ATTEMPT,
    CONTINUE,
    KINDS,
    PULL,
    TIMERS,
    Pending,
    Slot,
    Waiting,
    emit,
    ended_by,
    pending_after,
)
from orchestration.journal.resumption import following, under_way, without
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.testing.answers import Answer
from orchestration.testing.sources import items_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.testing.explore_keys import Keys
    from orchestration.testing.explore_outcomes import Outcomes

CANCELLED = "cancelled at this point"


class Place(NamedTuple):
    """Where a run may be: its state, what waits for an event, how many of the user's signals were sent."""

    state: State
    pending: Pending
    sent: int = 0
    lost: tuple[Slot, ...] | None = None  # while the run is taken up after a crash: the attempts that are lost still
    crashes: int = 0

    @property
    def timers(self) -> list[StartTimer]:
        """The timers that run."""
        return [waiting.effect for waiting in self.pending.values() if type(waiting.effect) is StartTimer]

    def key(self, keys: Keys) -> tuple[object, ...]:
        """Return what is equal for places that go on equally.

        What the time is matters only in comparison to the timers that run.
        """
        of, state = keys.of, self.state
        waiting = frozenset([(slot, of(effect), told) for slot, (effect, told) in self.pending.items()])
        at = state.at if self.timers else None
        ended = None if state.outcome is None else tuple(map(of, _result(state.outcome)))
        return of(state.root), of(state.ledger), ended, waiting, at, self.sent, self.lost


class Turned(NamedTuple):
    """What came of an event: it was the end of `ended`, if of anything."""

    event: Event
    ended: Effect | None
    effects: list[Effect]
    place: Place


def _result(outcome: Outcome) -> tuple[object, ...]:
    """Return what an outcome has not from the ledger of its run, nor from the run itself."""
    match outcome:
        case Succeeded(value=value):
            return Succeeded, value
        case Failed(failure=failure):
            return Failed, failure
        case _:
            return Cancelled, outcome.attached


def begun(state: State, effects: list[Effect]) -> Place:
    """Return where a run begins."""
    pending: Pending = {}
    emit(pending, effects)
    return Place(state, pending)


@final
class Moves:
    """What may happen next: as the outcomes have it, with or without cancel, leaks, crashes, and with these signals."""

    def __init__(
        self,
        plan: Plan,
        outcomes: Outcomes,
        keys: Keys,
        *,
        signals: Sequence[tuple[str, object]] = (),
        cancel: bool = True,
        leaks: bool = False,
        crash: bool = False,
    ) -> None:
        """Keep what is asked for."""
        self._plan = plan
        self._outcomes = outcomes
        self._keys = keys
        self._signals = signals
        self._cancels = cancel
        self._leaks = leaks
        self._crash = crash
        self._sources: dict[int, Source] = {}

    def turns(self, place: Place) -> Iterator[Turned]:
        """Yield all that may come next."""
        timers = place.timers
        for event in self.events(place):
            first = self.turn(place, event)
            yield first
            if type(event) is Resumed:  # the process may have been away for long
                yield from (self.turn(place, evolve(event, at=due)) for due in _dues(timers, event.at))
            elif timers and type(event) is not TimerFired and place.lost is None:
                yield from self._later(place, timers, first)

    def events(self, place: Place) -> list[Event]:
        """Return the events that may come next, as early as they may.

        What the interpreter puts off for the sake of others goes on at once.
        """
        state, pending = place.state, place.pending
        if state.outcome is not None:
            return []
        at = state.at
        if place.lost is not None:
            return [cast("Event", following(pending, place.lost, at, counted=True))]
        put_off = [Continued(path, at) for path, kind in pending if kind == CONTINUE]
        if put_off:
            return [put_off[0]]
        found: list[Event] = []
        for (_, kind), waiting in pending.items():
            if kind == ATTEMPT:
                found += self._ends(waiting, at)
            elif kind == ASK:
                found += self._answers(cast("AskHooks", waiting.effect), at)
            elif kind == PULL:
                found.append(self._pulled(cast("Pull", waiting.effect), at))
            elif kind not in TIMERS:
                found += self._landings(cast("RunStep", waiting.effect), at)
        return found + _fired(place) + self._from_outside(place)

    def wait_for_ever(self, place: Place) -> bool:
        """Tell whether nothing but a cancel would help a run: it waits for a signal that does not come."""
        waits = all(kind not in KINDS for _, kind in place.pending)
        return waits and place.state.outcome is None and not self._has_signal(place)

    def _has_signal(self, place: Place) -> bool:
        return place.sent < len(self._signals) and place.state.ledger.cancel is None

    def _from_outside(self, place: Place) -> list[Event]:
        state, root = place.state, self._plan.name
        found: list[Event] = []
        if self._has_signal(place):
            name, payload = self._signals[place.sent]
            found.append(SignalReceived(root, state.at, name, f"signal-{place.sent + 1}", payload))
        if self._cancels and not state.ledger.decided:
            found.append(CancelRequested(root, state.at, CANCELLED))
        if self._crash:
            found.append(Resumed(root, state.at, place.crashes + 2))
        return found

    # --- attempts

    def _ends(self, waiting: Waiting, at: float) -> Iterator[Event]:
        effect = cast("Attempted", waiting.effect)
        for end in self._outcomes.of(effect):
            if isinstance(end, Answer):
                yield self._outcomes.event(effect, end, at)
                continue
            yield timed_out(effect, at)
            if self._leaks:
                yield leaked(effect, at, cancelled=False)
        if waiting.told:
            yield StepCancelled(effect.path, at, effect.attempt)
            if cast("RunStep", effect).step.compensation is not None:  # otherwise it makes no difference
                yield StepCancelled(effect.path, at, effect.attempt, started=False)
            if self._leaks:
                yield leaked(effect, at, cancelled=True)

    def _landings(self, effect: RunStep, at: float) -> Iterator[Event]:
        """Yield how a leaked attempt may end after all; only a success that can be undone changes anything (S24)."""
        if effect.step.compensation is None:
            return
        for end in self._outcomes.of(effect):
            event = self._outcomes.event(effect, end, at) if isinstance(end, Answer) else None
            if isinstance(event, StepSucceeded):
                yield event

    def _answers(self, effect: AskHooks, at: float) -> Iterator[Event]:
        for end in self._outcomes.of(effect):
            raises = end.raises if isinstance(end, Answer) else None
            yield HooksAnswered(
                effect.path, at, None if raises is None else self._outcomes.failure(raises, effect.path)
            )

    def _pulled(self, effect: Pull, at: float) -> Event:
        source = self._sources.get(id(effect.source))
        if source is None:
            source = self._sources[id(effect.source)] = Source(effect.source)
        return source.event(effect, at)

    # --- times

    def _later(self, place: Place, timers: list[StartTimer], first: Turned) -> Iterator[Turned]:
        """Yield what comes of an event at each later time at which something else comes of it than `first`, at once.

        While timers run, an event may be late: as late as the next of them. Times between are tried where a timer that
        the event starts changes places with one that runs. Without timers the time makes no difference.
        """
        event, now, last = first.event, first.event.at, min(timer.due for timer in timers)
        if last <= now:
            return
        latest = self.turn(place, evolve(event, at=last))
        if self._is_equal(first, latest):
            return
        yield latest
        started = [effect.due for effect in first.effects if type(effect) is StartTimer]
        between = {now + timer.due - due for timer in timers for due in started}
        for at in sorted(between):
            if now < at < last:
                yield self.turn(place, evolve(event, at=at))

    def turn(self, place: Place, event: Event) -> Turned:
        """Return what comes of an event."""
        state, effects = advance(self._plan, place.state, event)
        ended = ended_by(event, place.pending)
        sent = place.sent + (type(event) is SignalReceived)
        pending = pending_after(place.pending, event, effects)
        lost = under_way(place.pending) if type(event) is Resumed else place.lost
        if lost is not None:
            lost = without(lost, event)
            if state.outcome is not None or following(pending, lost, state.at, counted=True) is None:
                lost = None
        crashes = place.crashes + (type(event) is Resumed)
        return Turned(event, ended, effects, Place(state, pending, sent, lost, crashes))

    def _is_equal(self, one: Turned, other: Turned) -> bool:
        of = self._keys.of
        here, there = one.place.state, other.place.state
        return all(of(part) == of(same) for part, same in zip(_parts(here), _parts(there), strict=True))


def _parts(state: State) -> tuple[object, ...]:
    return state.root, state.ledger, state.outcome


def _dues(timers: list[StartTimer], after: float) -> list[float]:
    return sorted({timer.due for timer in timers if timer.due > after})


def _fired(place: Place) -> list[Event]:
    """Return the timers that may be due next: of two, the earlier comes first."""
    timers, at = place.timers, place.state.at
    due = min((timer.due for timer in timers), default=at)
    return [TimerFired(timer.path, max(due, at), timer.purpose) for timer in timers if timer.due <= max(due, at)]


@final
class Source:
    """A stream that many runs read: its items are taken once, and kept."""

    def __init__(self, source: object) -> None:
        """Open it."""
        self._source = source  # kept alive: it is known by its identity
        self._rest = items_of(source, lambda: None)
        self._events: list[Event] = []

    def event(self, effect: Pull, at: float) -> Event:
        """Return what comes of a pull."""
        while len(self._events) <= effect.index:
            self._events.append(self._next(effect, at))
        return evolve(self._events[effect.index], path=effect.path, at=at)

    def _next(self, effect: Pull, at: float) -> Event:
        index = len(self._events)
        try:
            return Pulled(effect.path, at, index, next(self._rest))
        except StopIteration:
            return Exhausted(effect.path, at, index)
        except Exception as error:  # noqa: BLE001 - whatever a source raises is its failure
            return PullFailed(effect.path, at, index, Failure.of(error, effect.path))
