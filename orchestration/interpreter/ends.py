"""How an attempt of any kind ends, as events: for whoever performs effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.frozen import maker
from orchestration.interpreter.effects import RunCleanup, RunStep, RunUndo
from orchestration.interpreter.events import (
    CleanupFailed,
    CleanupLost,
    CleanupSucceeded,
    CleanupTimedOut,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    UndoFailed,
    UndoLost,
    UndoSucceeded,
    UndoTimedOut,
)

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.effects import Attempted
    from orchestration.interpreter.events import Event

FAILED: dict[type[Attempted], type[StepFailed | UndoFailed | CleanupFailed]] = {
    RunStep: StepFailed,
    RunUndo: UndoFailed,
    RunCleanup: CleanupFailed,
}


_step_succeeded = maker(StepSucceeded)


def succeeded(effect: Attempted, at: float, output: object) -> Event:
    """Return the event of an attempt that returned."""
    if isinstance(effect, RunStep):
        return _step_succeeded(effect.path, at, effect.attempt, output)
    kind = UndoSucceeded if isinstance(effect, RunUndo) else CleanupSucceeded
    return kind(effect.path, at, effect.attempt)


def failed(effect: Attempted, at: float, failure: Failure) -> Event:
    """Return the event of an attempt that raised."""
    return FAILED[type(effect)](effect.path, at, effect.attempt, failure)


def timed_out(effect: Attempted, at: float) -> Event:
    """Return the event of an attempt that took too long, and has ended."""
    seconds = effect.timeout or 0.0
    if isinstance(effect, RunStep):
        return StepTimedOut(effect.path, at, effect.attempt, seconds)
    kind = UndoTimedOut if isinstance(effect, RunUndo) else CleanupTimedOut
    return kind(effect.path, at, effect.attempt, seconds)


def leaked(effect: Attempted, at: float, *, cancelled: bool) -> Event:
    """Return the event of an attempt that did not end when it took too long, or was `cancelled` (S24)."""
    if isinstance(effect, RunStep):
        return StepLeaked(effect.path, at, effect.attempt, None if cancelled else effect.timeout)
    kind = UndoTimedOut if isinstance(effect, RunUndo) else CleanupTimedOut
    return kind(effect.path, at, effect.attempt, effect.timeout or 0.0, leaked=True)


def lost(effect: Attempted, at: float, *, counted: bool) -> Event:
    """Return the event of an attempt whose process has ended; it is `counted` if that was not in order (S35)."""
    if isinstance(effect, RunStep):
        return StepLost(effect.path, at, effect.attempt, counted)
    kind = UndoLost if isinstance(effect, RunUndo) else CleanupLost
    return kind(effect.path, at, effect.attempt)
