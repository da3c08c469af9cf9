"""`start` and `advance`: the whole interpreter, from outside (S2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from orchestration.errors import IllegalEvent
from orchestration.frozen import evolve, maker
from orchestration.interpreter.events import (
    CancelRequested,
    CleanupFailed,
    CleanupSucceeded,
    CleanupTimedOut,
    Event,
    Resumed,
    SignalReceived,
    StepCancelled,
    StepFailed,
    StepSucceeded,
    StepTimedOut,
    UndoFailed,
    UndoSucceeded,
    UndoTimedOut,
)
from orchestration.interpreter.mail import Letter
from orchestration.interpreter.rooms import ROOMS
from orchestration.interpreter.state import Ledger, State
from orchestration.interpreter.timed import limited
from orchestration.interpreter.turn import ENDED, Broken, Done, Ended, Frame, Turn, illegal
from orchestration.outcomes import Cancelled, Failed, Outcome, Rollback, Succeeded
from orchestration.plan.nodes import WaitFor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import AnyEvent, Started
    from orchestration.interpreter.pure import Answer
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import When

Advanced = tuple[State, list["Effect"]]

_state = maker(State)


def start(
    plan: Plan,
    value: object,
    *,
    run_id: str,
    at: float,
    deadline: float | None = None,
    asks: tuple[When, ...] = (),
) -> Advanced:
    """Begin a run: return its first state and the effects to perform.

    `at` is the time in seconds on the clock that the events will use; `deadline` is how many seconds the run may take
    (S10), `asks` when every step asks the hooks of the engine (S31). The value is taken as it is: an engine validates
    it first (S12).
    """
    turn = Turn(ROOMS, run_id, at, Ledger(asks=asks))
    path = plan.root.name
    if deadline is None:
        return _close(turn.enter(plan.root, path, value), turn)
    return _close(limited(path, deadline, lambda: turn.enter(plan.root, path, value), turn), turn)


class Turned(NamedTuple):
    """An event, and what came of it."""

    event: AnyEvent
    effects: list[Effect]
    state: State


def begin(plan: Plan, event: Started) -> Turned:
    """Begin a run as its first event says."""
    value, run_id, at = event.value, event.run_id, event.at
    state, effects = start(plan, value, run_id=run_id, at=at, deadline=event.deadline, asks=event.asks)
    return Turned(event, effects, state)


def advance(plan: Plan, state: State, event: Event, answers: Sequence[Answer] = ()) -> Advanced:
    """Take one event: return the next state and the effects to perform. `state` stays as it is, and usable.

    `answers` are what pure functions have said of this event already, in the order in which it makes them asked: they
    are not called again. An engine that has asked them itself gives them.

    Raises:
        IllegalEvent: if the event cannot happen in this state (S3).
    """
    root = state.root
    if root is None:
        raise _over(event)
    at = event.at if event.at > state.at else state.at  # noqa: FURB136 - `max` costs a third of this function
    turn = Turn(ROOMS, state.run_id, at, state.ledger, answers)
    kind = type(event)
    if kind is CancelRequested:
        return _cancel(root, cast("CancelRequested", event), turn)
    if kind is SignalReceived:
        return _signal(plan, root, cast("SignalReceived", event), turn)
    if kind is Resumed:
        return _close(root, turn)
    if state.ledger.leaked and _is_late(event, turn):
        return _close(root, turn)
    return _close(root.resume(event, turn), turn)


def _cancel(root: Frame, event: CancelRequested, turn: Turn) -> Advanced:
    """Cancel the run, unless something else has decided it already: the first reason wins (S28)."""
    if turn.ledger.decided:
        return _close(root, turn)
    turn.ledger = evolve(turn.ledger, cancel=event.reason, decided=True)
    turn.stopping = True
    return _close(root.cancel(turn), turn)


def _signal(plan: Plan, root: Frame, event: SignalReceived, turn: Turn) -> Advanced:
    """Give a signal to who has waited longest for it, or let it queue; one that was seen before changes nothing (S21).

    Raises:
        IllegalEvent: if the run is cancelled, or no node of the plan waits for such a signal.
    """
    if turn.ledger.cancel is not None:
        raise illegal(event, plan.root.name, "no signal after the cancel")
    if not any(isinstance(node, WaitFor) and node.signal == event.name for node in plan.nodes):
        raise illegal(event, plan.root.name, "a signal that the plan waits for")
    if event.signal_id in turn.ledger.mail.seen:
        return _close(root, turn)
    path, mail = turn.ledger.mail.receive(Letter(event.name, event.signal_id, event.payload))
    turn.ledger = evolve(turn.ledger, mail=mail)
    return _close(root if path is None else root.resume(evolve(event, path=path), turn), turn)


def _is_late(event: Event, turn: Turn) -> bool:
    """Take the end of a leaked attempt, once: a success arms its step if unwinding has not reached it (S24)."""
    if isinstance(event, StepSucceeded | StepFailed | StepCancelled | StepTimedOut):
        paths = {event.path}
    elif isinstance(event, UndoSucceeded | UndoFailed | UndoTimedOut):
        paths = {f"{event.path}:undo", f"{event.path}:in_doubt"}
    elif isinstance(event, CleanupSucceeded | CleanupFailed | CleanupTimedOut):
        paths = {f"{event.path}:cleanup"}
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


def _close(result: Frame | Ended, turn: Turn) -> Advanced:
    """Make the state that a turn ends in."""
    if not isinstance(result, ENDED):
        return _state(turn.run_id, turn.at, result, turn.ledger), turn.effects
    return State(turn.run_id, turn.at, None, turn.ledger, _outcome(result, turn)), turn.effects


def _outcome(ended: Ended, turn: Turn) -> Outcome:
    ledger = turn.ledger
    common: dict[str, Any] = {
        "run_id": turn.run_id,
        "rollback": Rollback(tuple(ledger.rollback)[::-1]),
        "leaked": tuple(f"{path}#{attempt}" for path, attempt, _ in ledger.leaked),
        "unused_signals": tuple(f"{letter.name}:{letter.signal_id}" for letter in ledger.mail.queued),
        "cleanup_failures": ledger.cleanup_failures,
    }
    if isinstance(ended, Done):
        return Succeeded(ended.value, **common)
    if isinstance(ended, Broken) and ledger.cancel is None:
        return Failed(ended.failure, **common)
    attached = (ended.failure,) if isinstance(ended, Broken) else ended.failures
    return Cancelled(ledger.cancel or "", attached=attached, **common)


def _over(event: Event) -> IllegalEvent:
    return IllegalEvent(
        event.path,
        found=f"{type(event).__name__} after the outcome",
        expected="no event",
        mend="A run that has ended takes no events.",
    )
