"""The retry of a composite: what failed is unwound, then it begins anew under another path (S4, S9, S20)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.backoff import delay_before_next, no_time_left
from orchestration.interpreter.effects import VALUE, CancelTimer, StartTimer
from orchestration.interpreter.events import TimerFired
from orchestration.interpreter.saga import unwind
from orchestration.interpreter.trail import Chain, chained
from orchestration.interpreter.turn import ENDED, Broken, Stopped, foregone, illegal

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.failures import Failure
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Done, Ended, Frame, Turn
    from orchestration.plan.nodes import Retried


def enter(node: Retried, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin the first attempt."""
    return RetryFrame(node, path, value).begin(turn)


@frozen
class RetryFrame:
    """A composite under way, in its attempt number `attempt`.

    With `failure` that attempt has failed: `child` is its unwinding, and then, until `due`, there is none. `trail` is
    what could not be undone of earlier attempts.
    """

    node: Retried
    path: str
    value: Any = attrs.field(metadata=VALUE)
    attempt: int = 1
    child: Frame | None = None
    failure: Failure | None = None
    due: float | None = None
    trail: Chain | None = None

    def begin(self, turn: Turn) -> Frame | Ended:
        """Begin the attempt."""
        name = self._name
        return self._follow(self._within(turn, lambda: turn.enter(self.node.body, name, self.value)), turn)

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Take the end of the backoff, or pass the event to the body or its unwinding."""
        child = self.child
        if child is None:
            return self._next_attempt(event, turn)
        if self.failure is not None:
            return self._unwound(child.resume(event, turn), self.failure, turn)
        return self._follow(self._within(turn, lambda: child.resume(event, turn)), turn)

    def cancel(self, turn: Turn) -> Frame | Ended:
        """End the backoff, or cancel the body; an unwinding goes on (S24)."""
        if self.child is None:
            turn.effects.append(CancelTimer(self.path))
            return Stopped(self.trail, () if self.failure is None else (self.failure,))
        if self.failure is not None:
            return self
        return self._follow(self.child.cancel(turn), turn)

    @property
    def _name(self) -> str:
        return self.path if self.attempt == 1 else f"{self.path}#{self.attempt}"

    def _within(self, turn: Turn, act: Callable[[], Frame | Ended]) -> Frame | Ended:
        around = turn.deadline  # what fails may have an earlier one of its own

        def absorbs(failure: Failure) -> Failure | None:
            delay = self._delay(failure, turn)
            return None if delay is not None and (around is None or turn.at + delay < around) else failure

        return turn.within(act, absorbs=absorbs)

    def _delay(self, failure: Failure, turn: Turn) -> float | None:
        return delay_before_next(self.node.retry, failure, f"{turn.run_id}:{self.path}", self.attempt)

    def is_tried_again(self, broken: Broken, turn: Turn) -> bool:
        """Tell whether another attempt follows one that has failed so, as far as can be known."""
        return self._delay(broken.failure, turn) is not None

    def _follow(self, child: Frame | Ended, turn: Turn) -> Frame | Ended:
        if not isinstance(child, ENDED):
            return evolve(self, child=child)
        if isinstance(child, Broken) and self.is_tried_again(child, turn):
            if turn.stopping:
                return Stopped(chained(self.trail, child.trail), (child.failure,), child.partial)
            return self._unwound(unwind(child, self._name, turn), child.failure, turn)
        if self.trail is None:
            return child
        return evolve(child, trail=chained(self.trail, child.trail))

    def _unwound(self, child: Frame | Ended, failure: Failure, turn: Turn) -> Frame | Ended:
        """Wait for the next attempt when the one that failed is unwound."""
        if not isinstance(child, ENDED):
            return evolve(self, child=child, failure=failure)
        assert isinstance(child, Broken)  # noqa: S101 - what was broken unwinds to be so
        trail = chained(self.trail, child.trail)
        if turn.stopping:
            return Stopped(trail, (failure,), child.partial)
        delay = self._delay(failure, turn)
        due = turn.at + (delay or 0.0)
        if child.partial and self.node.on_partial == "fail":
            turn.passes(failure)
            return evolve(child, trail=trail)
        if not turn.fits(due):
            turn.passes(failure)
            return evolve(child, trail=trail, failure=failure.attach((no_time_left(self.path, due, turn.deadline),)))
        turn.effects.append(StartTimer(self.path, due))
        return evolve(self, child=None, failure=failure, due=due, trail=trail)

    def _next_attempt(self, event: Event, turn: Turn) -> Frame | Ended:
        due = self.due or 0.0
        backoff = type(event) is TimerFired and event.purpose == "backoff" and event.path == self.path
        if not backoff or event.at < due:
            raise illegal(event, self.path, f"TimerFired at {due}")
        return evolve(self, attempt=self.attempt + 1, failure=None, due=None).begin(turn)


@foregone.register(RetryFrame)
def _(frame: RetryFrame, turn: Turn) -> Done | Broken | None:
    ended = None if frame.failure is not None else foregone(frame.child, turn)
    return None if isinstance(ended, Broken) and frame.is_tried_again(ended, turn) else ended
