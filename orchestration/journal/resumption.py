"""How a run goes on in another process: what was under way is lost, and what waits is taken up (S35)."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, TypeGuard, cast

from orchestration.interpreter import ends
from orchestration.interpreter.effects import RunStep, StartTimer
from orchestration.interpreter.events import CleanupLost, Resumed, StepCancelled, StepLost, TimerFired, UndoLost
from orchestration.interpreter.pending import ATTEMPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestration.interpreter.effects import Attempted, Effect
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.pending import Pending, Slot

LOSSES = (StepLost, UndoLost, CleanupLost)


def resume(
    path: str, pending: Pending, at: float, fold: Callable[[Event], Iterable[Effect]], *, epoch: int, counted: bool
) -> None:
    """Fold the events with which owner number `epoch` takes a run up, at a time no earlier than its last event.

    `fold` returns what comes of an event, and keeps `pending` up to date. At the end no attempt of a former owner is in
    `pending`: all that is there is to be performed. Losses are `counted` unless that owner had ended in order.
    """
    lost = under_way(pending)
    fold(Resumed(path, at, epoch))
    settle(pending, lost, at, fold, counted=counted)


def settle(
    pending: Pending, lost: Iterable[Slot], at: float, fold: Callable[[Event], Iterable[Effect]], *, counted: bool
) -> None:
    """Fold what has become too late by now, and the ends of the attempts that are lost: what `following` says.

    There may be thousands of either, so it does not look at all that is pending before each event.
    """
    left, late, number = deque(lost), list[tuple[float, int, StartTimer]](), count()
    emitted: Iterable[Effect] = [waiting.effect for waiting in pending.values()]
    while True:
        for effect in emitted:
            if _is_over(effect, at):
                heappush(late, (effect.due, next(number), effect))
        while late and not _waits(pending, late[0][2]):
            heappop(late)
        event = _next(pending, late[0][2] if late else None, left[0] if left else None, at, counted=counted)
        if event is None:
            return
        if isinstance(event, LOSSES):
            left.popleft()
        emitted = fold(event)


def under_way(pending: Pending) -> tuple[Slot, ...]:
    """Return the attempts that are lost when their process ends now."""
    return tuple(slot for slot in pending if slot[1] == ATTEMPT)


def following(pending: Pending, lost: tuple[Slot, ...], at: float, *, counted: bool) -> Event | None:
    """Return the next event of a resumption, where these attempts are lost still; `None` at its end.

    First what has become too late meanwhile: so an attempt whose deadline has passed is cancelled when it is lost, and
    does not begin again. Then the losses, in the order in which the attempts were emitted; then the ends of attempts
    that have begun again and were cancelled by what followed from a later loss.
    """
    late = (waiting.effect for waiting in pending.values() if _is_over(waiting.effect, at))
    timer = min(late, key=lambda timer: timer.due, default=None)
    return _next(pending, timer, lost[0] if lost else None, at, counted=counted)


def without(lost: tuple[Slot, ...], event: Event) -> tuple[Slot, ...]:
    """Return which attempts are lost still after an event of a resumption."""
    return lost[1:] if isinstance(event, LOSSES) else lost


def _next(pending: Pending, timer: StartTimer | None, lost: Slot | None, at: float, *, counted: bool) -> Event | None:
    """Return the next event, where this timeout passed first, and this attempt was lost first."""
    if timer is not None:
        return TimerFired(timer.path, at, "timeout")
    if lost is not None:
        return ends.lost(cast("Attempted", pending[lost].effect), at, counted=counted)
    told = _told(pending)
    return None if told is None else StepCancelled(told.path, at, told.attempt, started=False)


def _is_over(effect: Effect, at: float) -> TypeGuard[StartTimer]:
    """Tell whether an effect is a timeout that has passed."""
    return isinstance(effect, StartTimer) and effect.purpose == "timeout" and effect.due <= at


def _waits(pending: Pending, timer: StartTimer) -> bool:
    """Tell whether a timeout has not been taken back."""
    waiting = pending.get((timer.path, timer.purpose))
    return waiting is not None and waiting.effect is timer


def _told(pending: Pending) -> RunStep | None:
    """Return an attempt that was told to end before it could begin."""
    told = (waiting.effect for (_, kind), waiting in pending.items() if kind == ATTEMPT and waiting.told)
    return next((effect for effect in told if isinstance(effect, RunStep)), None)
