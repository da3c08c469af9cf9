"""`start` and `advance`: the whole interpreter, from outside (S2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.errors import IllegalEvent
from orchestration.frozen import evolve
from orchestration.interpreter.events import (
    CancelRequested,
    Event,
    StepCancelled,
    StepFailed,
    StepSucceeded,
    UndoFailed,
    UndoSucceeded,
)
from orchestration.interpreter.rooms import ROOMS
from orchestration.interpreter.saga import unwind
from orchestration.interpreter.state import Ledger, State
from orchestration.interpreter.turn import Broken, Done, Ended, Frame, Stopped, Turn
from orchestration.outcomes import Cancelled, Failed, Outcome, Rollback, Succeeded

if TYPE_CHECKING:
    from orchestration.interpreter.effects import Effect
    from orchestration.plan.compile import Plan

Advanced = tuple[State, list["Effect"]]
ENDED = (Done, Broken, Stopped)


def start(plan: Plan, value: object, *, run_id: str, at: float) -> Advanced:
    """Begin a run: return its first state and the effects to perform.

    `at` is the time in seconds on the clock that the events will use. The value is taken as it is: an engine
    validates it first (S12).
    """
    turn = Turn(ROOMS, run_id, at, Ledger())
    return _close(turn.enter(plan.root, plan.root.name, value), plan, turn)


def advance(plan: Plan, state: State, event: Event) -> Advanced:
    """Take one event: return the next state and the effects to perform. `state` stays as it is, and usable.

    Raises:
        IllegalEvent: if the event cannot happen in this state (S3).
    """
    root = state.root
    if root is None:
        raise _over(event)
    at = event.at if event.at > state.at else state.at  # noqa: FURB136 - `max` costs a third of this function
    turn = Turn(ROOMS, state.run_id, at, state.ledger)
    if type(event) is CancelRequested:
        return _cancel(plan, root, event, turn)
    if state.ledger.leaked and _is_late(event, turn):
        return _close(root, plan, turn)
    return _close(root.resume(event, turn), plan, turn)


def _cancel(plan: Plan, root: Frame, event: CancelRequested, turn: Turn) -> Advanced:
    """Cancel the run, unless something else has decided it already: the first reason wins (S28)."""
    if turn.ledger.cancel is not None or turn.ledger.failing:
        return _close(root, plan, turn)
    turn.ledger = evolve(turn.ledger, cancel=event.reason)
    turn.stopping = True
    return _close(root.cancel(turn), plan, turn)


def _is_late(event: Event, turn: Turn) -> bool:
    """Take the end of a leaked attempt, once: a success arms its step if unwinding has not reached it (S24)."""
    if isinstance(event, StepSucceeded | StepFailed | StepCancelled):
        paths = {event.path}
    elif isinstance(event, UndoSucceeded | UndoFailed):
        paths = {f"{event.path}:undo", f"{event.path}:in_doubt"}
    else:
        return False
    leaked = turn.ledger.leaked
    found = next((leak for leak in leaked if leak[0] in paths and leak[1:] == (event.attempt, False)), None)
    if found is None:
        return False
    reported = tuple((*leak[:2], True) if leak is found else leak for leak in leaked)
    turn.ledger = evolve(turn.ledger, leaked=reported)
    if isinstance(event, StepSucceeded):
        turn.ledger = evolve(turn.ledger, late=turn.ledger.late.insert(event.path, event.output))
    return True


def _close(result: Frame | Ended, plan: Plan, turn: Turn) -> Advanced:
    """Make the state that a turn ends in."""
    if not isinstance(result, ENDED):
        return State(turn.run_id, turn.at, result, turn.ledger), turn.effects
    if isinstance(result, Done) and turn.stopping:
        # all was done when the cancel came: the run is cancelled, and what it did is undone (S28)
        return _close(unwind(Stopped(result.trail), plan.root.name, turn), plan, turn)
    return State(turn.run_id, turn.at, None, turn.ledger, _outcome(result, turn)), turn.effects


def _outcome(ended: Ended, turn: Turn) -> Outcome:
    ledger = turn.ledger
    rollback = Rollback(tuple(ledger.rollback)[::-1])
    leaked = tuple(f"{path}#{attempt}" for path, attempt, _ in ledger.leaked)
    if isinstance(ended, Done):
        return Succeeded(ended.value, turn.run_id, rollback, leaked)
    if isinstance(ended, Broken) and ledger.cancel is None:
        return Failed(ended.failure, turn.run_id, rollback, leaked)
    attached = (ended.failure,) if isinstance(ended, Broken) else ended.failures
    return Cancelled(ledger.cancel or "", turn.run_id, rollback, leaked, attached)


def _over(event: Event) -> IllegalEvent:
    return IllegalEvent(
        event.path,
        found=f"{type(event).__name__} after the outcome",
        expected="no event",
        mend="A run that has ended takes no events.",
    )
