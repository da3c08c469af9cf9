"""How a run goes on in another process: what was under way is lost, and what waits is taken up (S35)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.interpreter.effects import Attempted, RunStep, StartTimer
from orchestration.interpreter.ends import lost
from orchestration.interpreter.events import Resumed, StepCancelled, TimerFired
from orchestration.interpreter.pending import ATTEMPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.interpreter.events import Event
    from orchestration.interpreter.pending import Pending


def resumption(path: str, pending: Pending, at: float, *, epoch: int, counted: bool) -> Iterator[Event]:
    """Yield the events with which owner number `epoch` takes a run up, at a time no earlier than its last event.

    Whoever iterates folds each event before the next, and keeps `pending` up to date. At the end no attempt of a former
    owner is in `pending`: all that is there is to be performed. Losses are `counted` unless that owner had ended in
    order.

    First what has become too late meanwhile: so an attempt whose deadline has passed is cancelled when it is lost, and
    does not begin again. Then the losses, in the order in which the attempts were emitted; then the ends of attempts
    that have begun again and were cancelled by what followed from a later loss.
    """
    under_way = [slot for slot, waiting in pending.items() if isinstance(waiting.effect, Attempted)]
    yield Resumed(path, at, epoch)
    while (timer := _overdue(pending, at)) is not None:
        yield TimerFired(timer.path, at, "timeout")
    for slot in under_way:
        waiting = pending.get(slot)
        if waiting is not None and isinstance(waiting.effect, Attempted):
            yield lost(waiting.effect, at, counted=counted)
    while (told := _told(pending)) is not None:
        yield StepCancelled(told.path, at, told.attempt, started=False)


def _overdue(pending: Pending, at: float) -> StartTimer | None:
    """Return the timeout that passed first."""
    timers = [waiting.effect for waiting in pending.values() if isinstance(waiting.effect, StartTimer)]
    due = [timer for timer in timers if timer.purpose == "timeout" and timer.due <= at]
    return min(due, key=lambda timer: timer.due, default=None)


def _told(pending: Pending) -> RunStep | None:
    """Return an attempt that was told to end before it could begin."""
    told = (waiting.effect for (_, kind), waiting in pending.items() if kind == ATTEMPT and waiting.told)
    return next((effect for effect in told if isinstance(effect, RunStep)), None)
