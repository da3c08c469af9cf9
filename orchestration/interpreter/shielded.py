"""An undo or a cleanup: its attempts and the waits between them, shielded from every cancel and deadline (S24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.backoff import delay_before_next
from orchestration.interpreter.effects import RunCleanup, RunUndo, StartTimer
from orchestration.interpreter.events import (
    CleanupFailed,
    CleanupLost,
    CleanupSucceeded,
    CleanupTimedOut,
    Event,
    TimerFired,
    UndoFailed,
    UndoLost,
    UndoSucceeded,
    UndoTimedOut,
    timed_out,
)
from orchestration.interpreter.turn import illegal

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.turn import Turn

E = TypeVar("E", bound=RunUndo | RunCleanup)
ENDS: dict[type, tuple[type[Event], ...]] = {
    RunUndo: (UndoSucceeded, UndoFailed, UndoTimedOut, UndoLost),
    RunCleanup: (CleanupSucceeded, CleanupFailed, CleanupTimedOut, CleanupLost),
}


@frozen
class Shielded(Generic[E]):
    """An undo or cleanup under way, or until `due` in the backoff before its next attempt."""

    effect: E
    due: float | None = None

    def resume(self, event: Event, turn: Turn) -> Shielded[E] | Failure | None:
        """Take an event; return what takes its place, `None` if it has succeeded, its failure if it failed for good."""
        effect = self.effect
        if event.path != effect.path:
            raise illegal(event, effect.path, "the end of what runs")
        if self.due is not None:
            return self._next_attempt(event, self.due, turn)
        if not isinstance(event, ENDS[type(effect)]) or getattr(event, "attempt", None) != effect.attempt:
            raise illegal(event, effect.path, f"the end of attempt {effect.attempt} of {type(effect).__name__}")
        match event:
            case UndoFailed() | CleanupFailed():
                return self._failed(event.failure, turn)
            case UndoTimedOut() | CleanupTimedOut():
                if event.leaked:
                    turn.leak(effect.key("").removeprefix(":"), effect.attempt)
                return self._failed(timed_out(effect.path, event.seconds), turn)
            case UndoLost() | CleanupLost():
                return begin(effect, turn)
            case _:
                return None

    def _next_attempt(self, event: Event, due: float, turn: Turn) -> Shielded[E]:
        if type(event) is not TimerFired or event.purpose != "backoff" or event.at < due:
            raise illegal(event, self.effect.path, f"TimerFired at {due}")
        return begin(evolve(self.effect, attempt=self.effect.attempt + 1), turn)

    def _failed(self, failure: Failure, turn: Turn) -> Shielded[E] | Failure:
        effect = self.effect
        delay = delay_before_next(effect.retry, failure, effect.key(turn.run_id), effect.attempt)
        if delay is None:
            return failure
        due = turn.at + delay
        turn.effects.append(StartTimer(effect.path, due))
        return Shielded(effect, due)


def begin(effect: E, turn: Turn) -> Shielded[E]:
    """Begin an attempt."""
    turn.effects.append(effect)
    return Shielded(effect)
