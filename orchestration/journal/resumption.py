"""How a run goes on in another process: what was under way is lost, and what waits is taken up (S35)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from orchestration.interpreter import ends
from orchestration.interpreter.effects import RunStep, StartTimer
from orchestration.interpreter.events import CleanupLost, Resumed, StepCancelled, StepLost, TimerFired, UndoLost
from orchestration.interpreter.pending import ATTEMPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.interpreter.effects import Attempted
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.pending import Pending, Slot


def resumption(path: str, pending: Pending, at: float, *, epoch: int, counted: bool) -> Iterator[Event]:
    """Yield the events with which owner number `epoch` takes a run up, at a time no earlier than its last event.

    Whoever iterates folds each event before the next, and keeps `pending` up to date. At the end no attempt of a former
    owner is in `pending`: all that is there is to be performed. Losses are `counted` unless that owner had ended in
    order.
    """
    lost = under_way(pending)
    yield Resumed(path, at, epoch)
    while (event := following(pending, lost, at, counted=counted)) is not None:
        lost = without(lost, event)
        yield event


def under_way(pending: Pending) -> tuple[Slot, ...]:
    """Return the attempts that are lost when their process ends now."""
    return tuple(slot for slot in pending if slot[1] == ATTEMPT)


def following(pending: Pending, lost: tuple[Slot, ...], at: float, *, counted: bool) -> Event | None:
    """Return the next event of a resumption, where these attempts are lost still; `None` at its end.

    First what has become too late meanwhile: so an attempt whose deadline has passed is cancelled when it is lost, and
    does not begin again. Then the losses, in the order in which the attempts were emitted; then the ends of attempts
    that have begun again and were cancelled by what followed from a later loss.
    """
    timer = _overdue(pending, at)
    if timer is not None:
        return TimerFired(timer.path, at, "timeout")
    if lost:
        return ends.lost(cast("Attempted", pending[lost[0]].effect), at, counted=counted)
    told = _told(pending)
    return None if told is None else StepCancelled(told.path, at, told.attempt, started=False)


def without(lost: tuple[Slot, ...], event: Event) -> tuple[Slot, ...]:
    """Return which attempts are lost still after an event of a resumption."""
    return lost[1:] if isinstance(event, StepLost | UndoLost | CleanupLost) else lost


def _overdue(pending: Pending, at: float) -> StartTimer | None:
    """Return the timeout that passed first."""
    timers = [waiting.effect for waiting in pending.values() if isinstance(waiting.effect, StartTimer)]
    due = [timer for timer in timers if timer.purpose == "timeout" and timer.due <= at]
    return min(due, key=lambda timer: timer.due, default=None)


def _told(pending: Pending) -> RunStep | None:
    """Return an attempt that was told to end before it could begin."""
    told = (waiting.effect for (_, kind), waiting in pending.items() if kind == ATTEMPT and waiting.told)
    return next((effect for effect in told if isinstance(effect, RunStep)), None)
