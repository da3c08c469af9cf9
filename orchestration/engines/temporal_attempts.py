"""The Temporal activity that performs an attempt of a step, an undo or a cleanup, and tells how it ended.

How it ended is data, an event of the interpreter; that the activity itself fails says that this worker could not so
much as try, or was stopped. While the body is at work, signs of life go to the server, which answers them with the
cancel, if there is one.
"""

from __future__ import annotations

import asyncio
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from orchestration.engines import temporal_wire as wire
from orchestration.engines.temporal_local import stopped
from orchestration.interpreter.serial import from_data, to_data
from orchestration.journal.records import kept
from orchestration.runtime.attempt import Attempt
from orchestration.runtime.context import StepContext, current
from orchestration.runtime.tasks import leak

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.engines.temporal_local import Local
    from orchestration.engines.temporal_plans import Plans
    from orchestration.interpreter.effects import Attempted
    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Plan
    from orchestration.runtime.handler import Handler


@final
class Attempts:
    """Performs the attempts that come to one worker. `grace` and `pulse` are in seconds."""

    def __init__(
        self, plans: Plans, make: Callable[[Plan], Handler], local: Local, *, grace: float, pulse: float
    ) -> None:
        """Perform for these plans; `local` are the attempts and others that the worker performs for its own runs."""
        self._plans = plans
        self._local = local
        self._make = make
        self._handlers: dict[str, Handler] = {}
        self._grace = grace
        self._pulse = pulse

    def prepare(self, plan: Plan) -> None:
        """Find out what there is to call for a plan.

        Raises:
            MissingService: if a service that it needs is not bound.
            MissingExecutor: if a step names an executor that there is not.
        """
        self._handlers[plan.fingerprint] = self._make(plan)

    @activity.defn(name=wire.ATTEMPT)
    async def perform(self, order: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Perform an attempt; return the event of its end."""
        plan, handler = self._plans.get(order["fingerprint"]), self._handlers.get(order["fingerprint"])
        if plan is None or handler is None:
            raise ApplicationError(f"{order['plan']} {order['fingerprint']}", type=wire.UNKNOWN, non_retryable=True)
        effect: Any = from_data(plan, order["effect"], "attempt")
        if activity.info().is_local:
            with self._local.one(effect.path):
                event = await Work(effect, order["run"], handler, self._grace, self._is_stopping).end()
        else:
            beats = asyncio.create_task(_beat(self._pulse))
            try:
                event = await Work(effect, order["run"], handler, self._grace, _is_stopping).end()
            finally:
                beats.cancel()
        if event is None:
            raise stopped(effect.path)
        return to_data(plan, kept(plan, event), effect.path)

    def _is_stopping(self) -> bool:
        return self._local.stopped


def _is_stopping() -> bool:
    """Tell whether an attempt is told to end because its worker is."""
    why = activity.cancellation_details()
    return why is not None and why.worker_shutdown and not why.cancel_requested


@activity.defn(name=wire.PAUSE)
async def pause() -> None:
    """Do nothing: that it is waited for is its purpose (S7)."""


async def _beat(pulse: float) -> None:
    while True:
        await asyncio.sleep(pulse)
        activity.heartbeat()


class _Remote(Attempt):
    """An attempt that a worker of Temporal's performs, for a run that it knows only the id of."""

    task: asyncio.Task[Any]

    def __init__(self, effect: Attempted, run_id: str, watch: Callable[[Attempt], None]) -> None:
        StepContext.__init__(self, effect, run_id, time.time)
        self.watch = watch


@final
class Work:
    """A body at work, and its clock."""

    def __init__(
        self, effect: Attempted, run_id: str, handler: Handler, grace: float, is_stopping: Callable[[], bool]
    ) -> None:
        """Begin; `is_stopping` tells, when this is cancelled, whether it is the worker that ends."""
        self._is_stopping = is_stopping
        self._loop = asyncio.get_running_loop()
        self._grace = grace
        self._attempt = attempt = _Remote(effect, run_id, self._watch)
        context = copy_context()
        context.run(current.set, attempt)
        attempt.task = asyncio.create_task(_called(handler, effect), context=context)
        self._over: asyncio.Future[None] = self._loop.create_future()  # the grace is
        self._stopped = False
        self._watch(attempt)

    async def end(self) -> Event | None:
        """Wait for the end, and return it; `None` if it came because this worker was stopped."""
        attempt = self._attempt
        while not (attempt.task.done() or self._over.done()):
            try:
                await asyncio.wait([attempt.task, self._over], return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                self._stopped = self._is_stopping()
                self._interrupt()
        if attempt.timer is not None:
            attempt.timer.cancel()
        if not attempt.task.done():
            return self._leaked()
        try:
            return attempt.succeeded(attempt.task.result(), time.time())
        except BaseException as error:  # noqa: BLE001 - whatever a body raises is its failure (S8)
            if self._stopped and isinstance(error, asyncio.CancelledError):
                return None
            return attempt.failed(error, time.time())

    def _leaked(self) -> Event | None:
        attempt = self._attempt
        if attempt.when_leaked is not None:
            attempt.when_leaked()
        leak(attempt.task)
        return None if self._stopped else attempt.outlived(time.time())

    def _interrupt(self) -> None:
        """Tell the body to end, and give it the grace for it (S24)."""
        attempt = self._attempt
        if attempt.interrupt():
            if attempt.timer is not None:
                attempt.timer.cancel()
            attempt.timer = self._loop.call_later(self._grace, self._over.set_result, None)

    def _watch(self, attempt: Attempt) -> None:
        """Start the clock of the attempt's timeout, unless the body still waits for a thread (S10)."""
        timeout = attempt.effect.timeout
        if timeout is not None and attempt.started and not attempt.leaving and attempt.timer is None:
            attempt.note_deadline(time.time() + timeout)
            attempt.timer = self._loop.call_later(timeout, self._give_a_turn)

    def _give_a_turn(self) -> None:
        """Let a result that has arrived at the same instant win (S10)."""
        self._attempt.timer = self._loop.call_soon(self._time_out)

    def _time_out(self) -> None:
        if not self._attempt.task.done():
            self._attempt.timed_out = True
            self._interrupt()


async def _called(handler: Handler, effect: Attempted) -> object:
    return await handler(effect)
