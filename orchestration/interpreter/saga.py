"""Unwinding: undo what a scope has done, in reverse plan order, one at a time, shielded from every cancel (S22-S26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.backoff import delay_before_next
from orchestration.interpreter.effects import RunUndo, StartTimer
from orchestration.interpreter.events import TimerFired, UndoFailed, UndoSucceeded, UndoTimedOut, timed_out
from orchestration.interpreter.trail import Entry, Lane, Stuck, Trail, depends, in_reverse
from orchestration.interpreter.turn import Broken, Stopped, illegal
from orchestration.outcomes import Held, InDoubt, Undone
from orchestration.outcomes import UndoFailed as NotUndone

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Frame, Turn


@frozen
class Unwinding:
    """A scope that unwinds because of a `failure`, or without one because of a cancel.

    `entries` are to be undone in order, the one at `position` is under way; `stuck` are the paths and lanes of what
    could not be undone, which hold what they depended on (S26). `order` is the failure's number in the run.
    """

    path: str
    failure: Failure | None
    attached: tuple[Failure, ...]
    entries: tuple[tuple[Entry | Stuck, Lane], ...]
    position: int = 0
    stuck: tuple[tuple[str, Lane], ...] = ()
    effect: RunUndo | None = None
    due: float | None = None
    order: int = 0

    def resume(self, event: Event, turn: Turn) -> Frame | Broken | Stopped:
        """Take the end of an undo's attempt, or of a backoff."""
        effect = self.effect
        if effect is None or event.path != effect.path:
            raise illegal(event, self.path, "the end of an undo")
        if self.due is not None:
            return self._next_attempt(effect, event, self.due, turn)
        if isinstance(event, _ENDS) and event.attempt != effect.attempt:
            raise illegal(event, effect.path, f"undo attempt {effect.attempt}")
        match event:
            case UndoSucceeded():
                turn.settle(Undone(effect.path, effect.by))
                return _proceed(evolve(self, position=self.position + 1), turn)
            case UndoFailed():
                return self._failed(effect, event.failure, turn)
            case UndoTimedOut():
                if event.leaked:
                    turn.leak(f"{effect.path}:{effect.by}", effect.attempt)
                return self._failed(effect, timed_out(effect.path, event.seconds), turn)
            case _:
                raise illegal(event, effect.path, "the end of an undo")

    def cancel(self, turn: Turn) -> Self:  # noqa: ARG002 - the protocol's signature
        """Go on: unwinding is shielded (S24)."""
        return self

    def _next_attempt(self, effect: RunUndo, event: Event, due: float, turn: Turn) -> Unwinding:
        if type(event) is not TimerFired or event.at < due:
            raise illegal(event, effect.path, f"TimerFired at {due}")
        following = evolve(effect, attempt=effect.attempt + 1)
        turn.effects.append(following)
        return evolve(self, effect=following, due=None)

    def _failed(self, effect: RunUndo, failure: Failure, turn: Turn) -> Frame | Broken | Stopped:
        delay = delay_before_next(effect.compensation.retry, failure, effect, turn.run_id)
        if delay is not None:
            due = turn.at + delay
            turn.effects.append(StartTimer(effect.path, due))
            return evolve(self, due=due)
        turn.settle(NotUndone(effect.path, failure))
        stuck = (*self.stuck, (effect.path, self.entries[self.position][1]))
        return _proceed(evolve(self, position=self.position + 1, stuck=stuck), turn)


_ENDS = (UndoSucceeded, UndoFailed, UndoTimedOut)


def unwind(ended: Broken | Stopped, path: str, turn: Turn) -> Frame | Broken | Stopped:
    """Undo the trail of a scope that has failed or was cancelled; what comes back has no trail left to undo."""
    if ended.trail is None:
        return ended
    entries = tuple(in_reverse(ended.trail))
    if isinstance(ended, Broken):
        return _proceed(Unwinding(path, ended.failure, (), entries, order=ended.order), turn)
    return _proceed(Unwinding(path, None, ended.failures, entries), turn)


def _proceed(frame: Unwinding, turn: Turn) -> Unwinding | Broken | Stopped:
    """Go on at `frame.position`: settle what needs no effect, and emit the next undo."""
    stuck = frame.stuck
    for position in range(frame.position, len(frame.entries)):
        entry, lane = frame.entries[position]
        holder = next((path for path, later in stuck if depends(later, lane)), None)
        if isinstance(entry, Stuck):
            stuck = (*stuck, (entry.path, lane))
        elif holder is not None:
            turn.settle(Held(entry.path, holder))
        else:
            effect = _undo_of(entry, turn)
            if effect is not None:
                turn.effects.append(effect)
                return evolve(frame, position=position, stuck=stuck, effect=effect)
            turn.settle(InDoubt(entry.path))
    trail = _stuck(stuck)
    if frame.failure is None:
        return Stopped(trail, frame.attached)
    return Broken(frame.failure, trail, frame.order)


def _undo_of(entry: Entry, turn: Turn) -> RunUndo | None:
    compensation = entry.step.compensation
    if entry.armed:
        return RunUndo(entry.path, 1, entry.step, "undo", entry.value)
    late = turn.ledger.late
    if entry.path in late:
        return RunUndo(entry.path, 1, entry.step, "undo", late[entry.path])
    if compensation is None or compensation.in_doubt is None:
        return None
    return RunUndo(entry.path, 1, entry.step, "in_doubt", entry.value)


def _stuck(stuck: tuple[tuple[str, Lane], ...]) -> Trail | None:
    """Return what enclosing scopes need to know: that something in here could not be undone."""
    return Stuck(stuck[0][0]) if stuck else None
