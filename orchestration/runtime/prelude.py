"""`Prelude`: the first steps of a run, before it has a driver.

A run that nobody can look at needs neither a state nor somebody who takes events, as long as its steps follow one
another and neither wait nor fail. Making all that took two thirds of a run of one step (CPython 3.11: 33 µs with it,
14 without, of which the task takes 6).
"""

from __future__ import annotations

import asyncio
import os
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast, final

from orchestration.runtime.attempt import Attempt, drive
from orchestration.runtime.beginning import Beginning, beginning_of, started
from orchestration.runtime.context import current
from orchestration.runtime.crew import STREAK
from orchestration.runtime.driver import Driver
from orchestration.runtime.tasks import unless_cancelled

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from orchestration.interpreter.ahead_chain import ChainAhead
    from orchestration.interpreter.effects import Effect
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.runtime.beginning import Home
    from orchestration.runtime.context import Clock
    from orchestration.runtime.executors import Executors


@final
class Prelude:
    """A run that ends in its prelude, or is handed over to a driver in the middle of a step.

    As ever, the caller's task supervises, and the steps are performed in another (S29). To an attempt it is its run.
    """

    epoch = 0

    def __init__(self, plan: Plan, home: Home, executors: Executors, value: object) -> None:
        """Have nothing begun; `executors` are for what comes after the prelude."""
        self.run_id: str = os.urandom(16).hex()
        self.clock: Clock = home.clock
        self._plan = plan
        self._home = home
        self._value = value
        self._executors = executors
        self._context = copy_context()  # that of `execute` (S11)
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._begun = False
        self._outcome: Outcome[Any] | None = None
        self._driver: Driver | None = None

    async def run(self) -> Outcome[Any]:
        """Run to the outcome, as `Driver.run` does."""
        worker = self._loop.create_task(self._work(), context=self._context.copy())
        worker.add_done_callback(self._gone)
        interrupt: asyncio.CancelledError | None = None
        try:
            await self._over
        except asyncio.CancelledError as error:
            interrupt = error
            if not self._begun:
                await unless_cancelled(asyncio.sleep(0))  # the worker has its turn: it sees that it need not begin
        if self._outcome is not None and interrupt is None:
            return self._outcome
        if interrupt is not None and self._begun and self._driver is None:
            raise interrupt
        driver = self._driver or self._begin()
        try:
            if interrupt is not None:
                driver.interrupt(interrupt)
            return await driver.run()
        finally:
            self._executors.__exit__()

    def _begin(self) -> Driver:
        """Return a driver for all of the run: its worker was cancelled before it began."""
        self._executors.__enter__()  # until the end of `run`, as below
        event = started(self._plan, self._value, self._home, run_id=self.run_id)
        return Driver(self._plan, self._home, beginning_of(self._plan, event))

    def _gone(self, worker: asyncio.Task[None]) -> None:
        """Wake the supervisor if the worker could not: it was cancelled before it began, or is broken."""
        error = None if worker.cancelled() else worker.exception()
        if error is None or self._over.done():
            self._wake()
        else:
            self._over.set_exception(error)

    async def _work(self) -> None:
        """Perform steps in this task, and go on with what is more than that."""
        if not self._over.done():
            self._begun = True
            more = self._perform(cast("asyncio.Task[None]", asyncio.current_task()))
            if more is not None:
                await more

    def _perform(self, task: asyncio.Task[None]) -> Awaitable[None] | None:
        """Perform steps, as the workers of a crew do, up to the outcome or the first that is more than a step.

        Return what goes on with that, if there is something under way. No value is left to who awaits it.
        """
        handler, clock = self._home.handler, self.clock
        ahead, effect = self._home.route.begin(self._value, self.run_id, clock())
        self._value = None
        for _ in range(STREAK):
            attempt = Attempt(effect, self, task)
            current.set(attempt)
            context = copy_context()
            rest: Awaitable[object] | None = None
            output: object = None
            try:
                body = handler(effect)
                future = context.run(body.send, None)
            except StopIteration as stop:
                output = stop.value
            except BaseException as error:  # noqa: BLE001 - the driver says what becomes of it
                rest = _raising(error)
            else:
                rest = drive(context, body, future)
            if rest is None:
                following = ahead.after(effect, output, clock())
                if following is not None:
                    effect = following
                    continue
                self._outcome = ahead.outcome(output)
                if self._outcome is not None:
                    del attempt.task  # a circle, by the context of the worker
                    self._wake()
                    return None
                rest = _returning(output)
            return self._hand_over(ahead, []).take_over(attempt, rest)
        self._hand_over(ahead, [effect])
        return None

    def _hand_over(self, ahead: ChainAhead, effects: list[Effect]) -> Driver:
        """Let a driver go on from here: the supervisor awaits it as soon as it has its turn."""
        self._executors.__enter__()
        beginning = Beginning([], effects, ahead.before, ahead)
        driver = self._driver = self._context.run(Driver, self._plan, self._home, beginning)
        driver.begin()
        self._wake()
        return driver

    def _wake(self) -> None:
        """Let the supervisor go on, unless the step has cancelled it."""
        if not self._over.done():
            self._over.set_result(None)


async def _returning(output: object) -> object:
    return output


async def _raising(error: BaseException) -> object:
    raise error
