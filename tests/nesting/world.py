"""What may happen to a run: everything goes well, but for one or two things, at every point where they can."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Literal

from orchestration.interpreter.effects import Attempted, Continue, RunCleanup, RunStep, RunUndo, StartTimer
from tests.machine import Declined, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Plan

How = Literal["fail", "stumble", "lose", "time out", "leak", "end", "never start", "succeed"]
FAILING: dict[How, How] = {
    "fail": "end",
    "stumble": "end",
    "lose": "never start",
    "time out": "succeed",
    "leak": "leak",
}
ENDING: tuple[How, ...] = ("end", "never start", "succeed", "fail", "leak")
FEWER: tuple[How, ...] = ("fail", "lose", "end", "succeed")  # at places where all has been tried at another


class World(Machine):
    """A run in which all goes well but for what is `bad`, and for how what is cancelled ends: as `ending` says.

    Attempts take no time; a timer fires when nothing else is left to happen. `history` is all that has happened.
    """

    def __init__(self, plan: Plan, value: object) -> None:
        """Begin the run."""
        self.history: list[Event | Effect] = []
        super().__init__(plan, value)
        self.history = [*self.log]
        self.bad: dict[tuple[type, str], How] = {}
        self.ending: How = "never start"
        self.troubles: tuple[tuple[str, str], ...] = ()
        self.outputs = 0

    def other(self, trouble: tuple[str, str]) -> World:
        """Return the same run in a world of its own, in which this is going to happen."""
        world = copy.copy(self)
        world.pending, world.cancelling = dict(self.pending), set(self.cancelling)
        world.log, world.events, world.history = [*self.log], [*self.events], [*self.history]
        world.bad = dict(self.bad)
        world.troubles = (*self.troubles, trouble)
        return world

    def give(self, event: Event) -> None:
        """Give an event, and keep it with what comes of it."""
        known = len(self.log)
        self.history.append(event)
        super().give(event)
        self.history += self.log[known:]

    @property
    def next(self) -> str:
        """Where something happens next: an attempt, then a signal (nowhere), then the timer that is due first."""
        timers: list[tuple[float, str]] = []
        for place, effect in self.pending.items():
            if not isinstance(effect, StartTimer):
                return place
            timers.append((effect.due, place))
        if self.state.ledger.mail.waiting:
            return ""
        return min(timers)[1]

    def go(self) -> None:
        """Let the next thing happen."""
        place = self.next
        effect = self.pending.get(place)
        match effect:
            case None:
                self.signal("go", self._output())
            case StartTimer():
                self.fire(place)
            case Continue():
                self.go_on(place)
            case RunStep() if place in self.cancelling:
                self._end(effect, self.ending)
            case _:
                assert isinstance(effect, Attempted), f"{effect} is nothing that a world knows"
                self._end(effect, self.bad.get((type(effect), place), "succeed"))

    def _end(self, effect: Attempted, how: How) -> None:
        path = effect.path
        match how:
            case "succeed":
                self.succeed(path, self._output())
            case "fail":
                self.fail(path, Declined(path))
            case "stumble":
                self.fail(path, Declined(path)) if effect.attempt == 1 else self.succeed(path, self._output())
            case "lose":
                self.fail(path, ConnectionResetError(path))
            case "time out":
                self.time_out(path)
            case "leak":
                self.leak(path, None if path in self.cancelling else 1.0)
            case _:
                self.end_cancelled(path, started=how == "end")

    def _output(self) -> str:
        """Return a text of two letters that no other attempt has returned."""
        self.outputs += 1
        return f"{chr(64 + self.outputs)}{chr(96 + self.outputs)}"

    def to_its_end(self) -> World:
        """Let all the rest happen."""
        while self.outcome is None:
            self.go()
        return self


def worlds(plan: Plan, value: object, *, deep: bool = True) -> Iterator[World]:
    """Yield the run that goes well, and at each of its points every run in which something goes wrong there.

    With `deep` in every way, and also those in which a second thing goes wrong while the first is dealt with.
    """
    run = World(plan, value)
    while run.outcome is None:
        yield from _troubled(run, deep=deep)
        run.go()
    yield run


def _troubled(run: World, *, deep: bool) -> Iterator[World]:
    place = run.next
    effect = run.pending.get(place)
    if isinstance(effect, RunStep) and place not in run.cancelling:
        retried = effect.step.retry is not None
        for how, ending in FAILING.items():
            if (how == "stumble" and not retried) or (how not in FEWER and not deep):
                continue
            failing = run.other((how, place))
            failing.bad[RunStep, place], failing.ending = how, ending
            failing.go()
            yield from _unwound(failing, deep=deep and how in ("fail", "stumble"))
    elif isinstance(effect, RunCleanup):
        yield _shielded(run, place, effect)
    for timer in [place for place in run.pending if place.endswith("@timeout")]:
        late = run.other(("is over", timer))
        late.fire(timer)
        yield from _unwound(late, deep=deep)
    attempts = any(isinstance(effect, RunStep) for effect in run.pending.values())
    for how in (how for how in (ENDING if attempts else ENDING[:1]) if deep or how in FEWER):
        cancelled = _cancelled(run)
        cancelled.ending = how
        if how != "end":
            cancelled.cancel("again")
        yield from _unwound(cancelled, deep=deep and how == "end")


def _unwound(run: World, *, deep: bool) -> Iterator[World]:
    """Yield the runs in which a second thing goes wrong, while the first is dealt with; then that without."""
    ordinary = len([effect for effect in run.log if isinstance(effect, RunStep)])
    while deep and run.outcome is None:
        place = run.next
        effect = run.pending.get(place)
        if isinstance(effect, RunUndo | RunCleanup):
            yield _shielded(run, place, effect)
        new = isinstance(effect, RunStep) and len([e for e in run.log if isinstance(e, RunStep)]) > ordinary
        if not isinstance(effect, RunStep) or new:
            yield _cancelled(run).to_its_end()
        run.go()
    yield run.to_its_end()


def _shielded(run: World, place: str, effect: RunUndo | RunCleanup) -> World:
    stuck = run.other((f"fail {type(effect).__name__}", place))
    stuck.bad[type(effect), place] = "fail"
    return stuck.to_its_end()


def _cancelled(run: World) -> World:
    cancelled = run.other(("cancel", run.next))
    cancelled.cancel()
    return cancelled
