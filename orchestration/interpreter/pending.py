"""What waits for an event: the effects of a run that are under way (S34).

An effect is *pending* from when it is emitted until an event ends it. Whoever folds a log of events knows by this what
is in flight at its end, and so does whoever explores what may happen next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from orchestration.interpreter.effects import (
    AskHooks,
    Attempted,
    Cancel,
    CancelTimer,
    CloseStream,
    Continue,
    Effect,
    Pull,
    RunCleanup,
    RunStep,
    RunUndo,
    StartTimer,
    Tell,
)
from orchestration.interpreter.events import (
    CleanupFailed,
    CleanupLost,
    CleanupSucceeded,
    CleanupTimedOut,
    Continued,
    Event,
    Exhausted,
    HooksAnswered,
    Pulled,
    PullFailed,
    Resumed,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoFailed,
    UndoLost,
    UndoSucceeded,
    UndoTimedOut,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Slot: TypeAlias = "tuple[str, str]"  # a path, and what waits for an event there
ATTEMPT, ASK, PULL, CONTINUE, TIMERS = "attempt", "ask", "pull", "continue", ("backoff", "timeout", "sleep")
KINDS = {ATTEMPT, ASK, PULL, CONTINUE, *TIMERS}  # what a slot can be besides that of an attempt that has leaked
SLOTS: dict[type, str] = {HooksAnswered: ASK, Continued: CONTINUE, Pulled: PULL, Exhausted: PULL, PullFailed: PULL}
ENDED: dict[type, type] = {
    **dict.fromkeys((StepSucceeded, StepFailed, StepTimedOut, StepCancelled, StepLeaked, StepLost), RunStep),
    **dict.fromkeys((UndoSucceeded, UndoFailed, UndoTimedOut, UndoLost), RunUndo),
    **dict.fromkeys((CleanupSucceeded, CleanupFailed, CleanupTimedOut, CleanupLost), RunCleanup),
}


class Waiting(NamedTuple):
    """An effect that waits for an event; it may have been `told` to end."""

    effect: Effect
    told: bool = False


Pending: TypeAlias = "dict[Slot, Waiting]"  # in the order in which the effects were emitted


def slot_of(event: Event, pending: Pending) -> Slot | None:
    """Return what an event is the end of."""
    kind = type(event)
    if kind is TimerFired:
        return event.path, cast("TimerFired", event).purpose
    of = ENDED.get(kind)
    if of is None:
        return (event.path, SLOTS[kind]) if kind in SLOTS else None
    attempt = cast("StepSucceeded", event).attempt
    waiting = pending.get((event.path, ATTEMPT))
    if waiting is not None and type(waiting.effect) is of and cast("RunStep", waiting.effect).attempt == attempt:
        return event.path, ATTEMPT
    return (event.path, f"leaked#{attempt}") if of is RunStep else None


def ended_by(event: Event, pending: Pending) -> Effect | None:
    """Return what an event is the end of, if that waits."""
    waiting = pending.get(slot_of(event, pending) or ("", ""))
    return None if waiting is None else waiting.effect


def pending_after(pending: Pending, event: Event, effects: list[Effect]) -> Pending:
    """Return what waits after an event and what came of it; `pending` stays as it is."""
    left = dict(pending)
    note(left, event, effects)
    return left


def note(pending: Pending, event: Event, effects: list[Effect]) -> None:
    """Bring `pending` up to date with an event and what came of it."""
    slot = slot_of(event, pending)
    if slot is not None:
        ended = pending.pop(slot, None)  # nothing waits for the late end of an undo that has leaked
        if type(event) is StepLeaked and ended is not None:
            pending[event.path, f"leaked#{event.attempt}"] = ended
    elif type(event) is Resumed:
        for slot in [slot for slot in pending if slot[1] not in KINDS]:  # what has leaked ended with its process
            del pending[slot]
    emit(pending, effects)


def emit(pending: Pending, effects: list[Effect]) -> None:
    """Add what was emitted to `pending`, and remove what that takes back."""
    for effect in effects:
        EMIT[type(effect)](pending, effect)


def _await(kind: str) -> Callable[[Pending, Any], None]:
    def take(pending: Pending, effect: Attempted | AskHooks | Pull | Continue) -> None:
        pending[effect.path, kind] = Waiting(effect)

    return take


def _start_timer(pending: Pending, effect: StartTimer) -> None:
    pending[effect.path, effect.purpose] = Waiting(effect)


def _cancel_timer(pending: Pending, effect: CancelTimer) -> None:
    del pending[effect.path, effect.purpose]


def _close_stream(pending: Pending, effect: CloseStream) -> None:
    pending.pop((effect.path, PULL), None)


def _cancel(pending: Pending, effect: Cancel) -> None:
    if effect.attempt > 0:  # hooks that are asked answer all the same
        slot = effect.path, ATTEMPT
        pending[slot] = Waiting(pending[slot].effect, told=True)


def _tell(pending: Pending, effect: Tell) -> None:
    """Wait for nothing: nobody answers."""


EMIT: dict[type, Callable[[Pending, Any], None]] = {
    **dict.fromkeys((RunStep, RunUndo, RunCleanup), _await(ATTEMPT)),
    AskHooks: _await(ASK),
    Pull: _await(PULL),
    Continue: _await(CONTINUE),
    StartTimer: _start_timer,
    CancelTimer: _cancel_timer,
    CloseStream: _close_stream,
    Cancel: _cancel,
    Tell: _tell,
}
