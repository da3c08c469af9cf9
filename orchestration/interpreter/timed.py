"""Deadlines: what has to end in time is cancelled when the time is over, and fails (S10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.errors import DeadlineExceeded
from orchestration.failures import Failure
from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import CancelTimer, StartTimer
from orchestration.interpreter.events import TimerFired
from orchestration.interpreter.turn import ENDED, Broken, Done, Stopped, foregone, illegal

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Timed


def enter(node: Timed, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin the body, with a timer unless a deadline around it comes no later."""
    due = turn.at + node.timeout
    if not turn.fits(due):
        return turn.enter(node.body, path, value)
    return limited(path, node.timeout, lambda: turn.enter(node.body, path, value), turn)


def limited(path: str, seconds: float, act: Callable[[], Frame | Ended], turn: Turn) -> Frame | Ended:
    """Begin something that has to end in so many seconds."""
    due = turn.at + seconds
    child = turn.within(act, deadline=due)
    if isinstance(child, ENDED):
        return child
    turn.effects.append(StartTimer(path, due, "timeout"))
    return TimedFrame(path, seconds, due, child)


@frozen
class TimedFrame:
    """Something under way that has to end by `due`. It is `exceeded` when that time has come and it was cancelled."""

    path: str
    seconds: float
    due: float
    child: Frame
    exceeded: Broken | None = None

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Take the end of the time, or pass the event on."""
        if type(event) is TimerFired and event.purpose == "timeout" and event.path == self.path:
            return self._exceed(event, turn)
        act = lambda: self.child.resume(event, turn)  # noqa: E731 - it is said once
        child = turn.within(act, stopping=self.exceeded is not None, deadline=self.due)
        return self._follow(child, self.exceeded, turn)

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel what is under way; its time does not matter any more."""
        if self.exceeded is not None:
            return self
        turn.effects.append(CancelTimer(self.path, "timeout"))
        return self.child.cancel(turn)

    def _exceed(self, event: TimerFired, turn: Turn) -> Frame | Ended:
        if self.exceeded is not None or event.at < self.due:
            raise illegal(event, self.path, f"TimerFired at {self.due}, once")
        bound = foregone(self.child, turn)
        if isinstance(bound, Done):  # it has succeeded and only cleans up: no deadline concerns it any more (S24)
            return self.child
        failure = _failure(self.path, self.seconds)
        exceeded = turn.broken(failure) if bound is None else turn.later(failure)
        child = turn.within(lambda: self.child.cancel(turn), stopping=True, deadline=self.due)
        return self._follow(child, exceeded, turn)

    def _follow(self, child: Frame | Ended, exceeded: Broken | None, turn: Turn) -> Frame | Ended:
        if not isinstance(child, ENDED):
            return TimedFrame(self.path, self.seconds, self.due, child, exceeded)
        if exceeded is None:
            turn.effects.append(CancelTimer(self.path, "timeout"))
            return child
        return _late(exceeded, child)


@foregone.register(TimedFrame)
def _(frame: TimedFrame, turn: Turn) -> Done | Broken | None:
    return foregone(frame.child, turn) if frame.exceeded is None else frame.exceeded


def _late(exceeded: Broken, ended: Ended) -> Broken:
    """Return how something ends whose time was over: what happened first is the failure (S8)."""
    match ended:
        case Done():
            return evolve(exceeded, trail=ended.trail)
        case Stopped():
            failure = exceeded.failure.attach(ended.failures)
            return evolve(exceeded, failure=failure, trail=ended.trail, partial=ended.partial)
        case Broken() if ended.order < exceeded.order:
            return evolve(ended, failure=ended.failure.attach((exceeded.failure,)))
        case Broken():  # pragma: no branch - the union is closed
            failure = exceeded.failure.attach((ended.failure,))
            return evolve(exceeded, failure=failure, trail=ended.trail, partial=ended.partial)


def _failure(path: str, seconds: float) -> Failure:
    """Return how it fails; a deadline of the whole run, which has no segment in its path, is beyond every recover."""
    error = DeadlineExceeded(
        path,
        found=f"no end after {seconds:g} s",
        expected="an end in time",
        mend="Give it more time, or let a recover go on from here." if "/" in path else "Give it more time.",
    )
    return Failure.of(error, path)
