"""One attempt: a coroutine in a context of its own, driven by a worker, and how its end becomes an event."""

from __future__ import annotations

import types
from asyncio import CancelledError, Task
from typing import TYPE_CHECKING, Any

from orchestration.failures import Failure
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.ends import failed, leaked, succeeded, timed_out
from orchestration.interpreter.events import StepCancelled
from orchestration.runtime.context import ENDING, StepContext

if TYPE_CHECKING:
    from asyncio import Handle
    from collections.abc import Callable, Coroutine, Generator
    from contextvars import Context

    from orchestration.interpreter.effects import Attempted
    from orchestration.interpreter.events import Event
    from orchestration.runtime.context import Run


class Attempt(StepContext):
    """An attempt under way. To its body it is the step's context."""

    timer: Handle | None = None
    timed_out: bool = False
    leaving: bool = False  # it has been told to end
    leaked: bool = False

    def __init__(
        self, effect: Attempted, run: Run, task: Task[None], watch: Callable[[Attempt], None] | None = None
    ) -> None:
        """Begin; `task` is the worker that drives it, `watch` starts the clock of its timeout."""
        self.effect = effect  # as `StepContext` does it, without a call more for each step
        self._run = run
        self.task = task
        self.watch = watch

    def note_started(self) -> None:
        """Start the clock of the timeout: a thread has begun with the body (S10)."""
        super().note_started()
        if self.effect.timeout is not None and self.watch is not None:
            self.task.get_loop().call_soon_threadsafe(self.watch, self)

    def interrupt(self) -> bool:
        """Tell the body to end, once; false if it has been told before."""
        if self.leaving:
            return False
        self.leaving = self._cancelled = True
        if self._token is not None:
            self._token.cancel(ENDING)
        self.task.cancel()
        return True

    def succeeded(self, output: object, at: float) -> Event:
        """Return the event of a body that returned."""
        return succeeded(self.effect, at, output)

    def failed(self, error: BaseException, at: float) -> Event:
        """Return the event of a body that raised: its failure, or the cancel or timeout that it was told of."""
        effect = self.effect
        if isinstance(error, CancelledError) and self.leaving:
            return self.interrupted(at)
        return failed(effect, at, Failure.of(error, effect.path))

    def interrupted(self, at: float) -> Event:
        """Return the event of a body that ended because it was told to."""
        effect = self.effect
        if self.timed_out or type(effect) is not RunStep:
            return timed_out(effect, at)
        return StepCancelled(effect.path, at, effect.attempt, self._started)

    def outlived(self, at: float) -> Event:
        """Return the event of a body that did not end in time after it was told to (S24)."""
        return leaked(self.effect, at, cancelled=not self.timed_out)


@types.coroutine
def drive(context: Context, body: Coroutine[Any, Any, object], future: object) -> Generator[object, object, object]:
    """Go on with a coroutine that has yielded `future`, every part of it inside `context`."""
    while True:
        try:
            value = yield future
        except BaseException as error:  # noqa: BLE001 - a cancel goes to the body like everything else
            resume: Callable[..., object] = body.throw
            value = error
        else:
            resume = body.send
        try:
            future = context.run(resume, value)
        except StopIteration as stop:
            return stop.value
