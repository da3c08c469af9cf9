"""`Current`: what is under way in a run right now, followed by the effects that go out and the events that end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from orchestration.frozen import frozen
from orchestration.interpreter.effects import AskHooks, CancelTimer, RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import HooksAnswered, StepFailed, StepTimedOut, TimerFired, timed_out
from orchestration.interpreter.pending import ENDED
from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestration.failures import Failure
    from orchestration.interpreter.effects import Effect, Purpose
    from orchestration.interpreter.engine import Turned

Doing = Literal["step", "undo", "cleanup", "ask"]
DOING: dict[type, Doing] = {RunStep: "step", RunUndo: "undo", RunCleanup: "cleanup", AskHooks: "ask"}


class Attempt(NamedTuple):
    """Something under way: what it is, the number of the attempt, and when it went out, in seconds."""

    doing: Doing
    number: int
    since: float


@frozen
class Here:
    """What is under way at one static path.

    `running` and `undoing` count attempts, `waiting` the waits for a next attempt or the end of a sleep, of which the
    first is over at `due`. `since` and `attempt` are those of the attempt that went out first.
    """

    running: int = 0
    undoing: int = 0
    waiting: int = 0
    attempt: int = 0
    since: float | None = None
    due: float | None = None


NOWHERE = Here()


class Current:
    """What is under way, by path; and of each static path the failure that was told last."""

    def __init__(self, effects: Iterable[Effect] = (), at: float = 0.0) -> None:
        """Begin with what a run that is taken up again waits for already."""
        self._attempts: dict[str, Attempt] = {}
        self._due: dict[tuple[str, Purpose], float] = {}
        self.failures: dict[str, Failure] = {}
        for effect in effects:
            self._emitted(effect, at)

    def __bool__(self) -> bool:
        """Tell whether anything is under way, or waits for a time."""
        return bool(self._attempts or self._due)

    def take(self, turned: Turned) -> None:
        """Take an event, and what came of it."""
        event = turned.event
        if type(event) is TimerFired:
            self._due.pop((event.path, event.purpose), None)
        elif type(event) in ENDED or type(event) is HooksAnswered:
            self._ended(event.path, getattr(event, "attempt", 0))
        if type(event) is StepFailed:
            self.failures[static_path(event.path)] = event.failure
        elif type(event) is StepTimedOut:
            self.failures[static_path(event.path)] = timed_out(event.path, event.seconds)
        for effect in turned.effects:
            self._emitted(effect, event.at)

    def places(self) -> dict[str, Here]:
        """Return what is under way at each static path where anything is."""
        found: dict[str, Here] = {}
        for path, attempt in self._attempts.items():
            place = static_path(path)
            found[place] = _with_attempt(found.get(place, NOWHERE), attempt)
        for (path, purpose), due in self._due.items():
            if purpose != "timeout":
                place = static_path(path)
                found[place] = _with_wait(found.get(place, NOWHERE), due)
        return found

    def _ended(self, path: str, number: int) -> None:
        known = self._attempts.get(path)
        if known is not None and known.number == number:  # one that has leaked may end after the next has begun
            del self._attempts[path]

    def _emitted(self, effect: Effect, at: float) -> None:
        doing = DOING.get(type(effect))
        if doing is not None:
            self._attempts[effect.path] = Attempt(doing, getattr(effect, "attempt", 0), at)
        elif type(effect) is StartTimer:
            self._due[effect.path, effect.purpose] = effect.due
        elif type(effect) is CancelTimer:
            self._due.pop((effect.path, effect.purpose), None)


def _with_attempt(here: Here, attempt: Attempt) -> Here:
    undo = attempt.doing == "undo"
    first = here.since is None
    return Here(
        here.running + (not undo),
        here.undoing + undo,
        here.waiting,
        attempt.number if first else here.attempt,
        attempt.since if here.since is None else here.since,
        here.due,
    )


def _with_wait(here: Here, due: float) -> Here:
    soonest = due if here.due is None else min(due, here.due)
    return Here(here.running, here.undoing, here.waiting + 1, here.attempt, here.since, soonest)
