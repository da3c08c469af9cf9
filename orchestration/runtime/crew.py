"""The crew of a run: the workers that perform its attempts, and the clocks of these.

A worker that has finished an attempt advances the machine itself and carries on with an effect that comes out, so a
chain runs in one worker, and a map in no more than its cap. New workers start only when one has to wait while effects
are left over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING

from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.events import StepCancelled
from orchestration.runtime.admission import Admission
from orchestration.runtime.attempt import Attempt, drive
from orchestration.runtime.context import current
from orchestration.runtime.tasks import leak, unless_cancelled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestration.interpreter.effects import Attempted, Cancel
    from orchestration.interpreter.events import Event
    from orchestration.runtime.beginning import Home
    from orchestration.runtime.driver import Driver

STREAK = 200  # attempts in a row that did not wait, before the event loop gets its turn: about a millisecond
ATTEMPT = 0.001 / STREAK  # seconds that such a one takes, about
NEWCOMERS = 8  # workers that a waiting one starts at most; each may start as many
IDLE = 64  # workers that are kept for more work; others end


class Crew:
    """The workers of one run, the attempts that they perform, and those that wait for a worker."""

    def __init__(self, driver: Driver, home: Home) -> None:
        """Have no worker yet."""
        self._driver = driver
        self._handler = home.handler
        self._loop = asyncio.get_running_loop()
        self._ready: deque[Attempted] = deque()
        self._attempts: dict[str, Attempt] = {}
        self._withdrawn: set[str] = set()
        self._admission = Admission(home.lines, self._ready.append, self.help) if home.lines else None
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: list[asyncio.Future[None]] = []
        self._unborn: set[asyncio.Task[None]] = set()  # workers that were started and have done nothing yet
        self._coming = 0  # workers that have been woken or started and have not come to work yet
        self._streak = 0  # attempts in a row that did not wait
        self._resting = False  # whether the streak is to end in the next turn of the loop
        admitted = self._ready.append if self._admission is None else self._admission.queue
        self.queue: Callable[[Attempted], None] = admitted

    # --- for the driver

    @property
    def at_work(self) -> bool:
        """Whether a worker is left, apart from those whose attempt has leaked."""
        return bool(self._workers)

    @property
    def under_way(self) -> bool:
        """Whether an attempt is under way."""
        return bool(self._attempts)

    @property
    def is_busy(self) -> bool:
        """Whether an attempt is under way, or about to begin."""
        return bool(self._attempts or self._ready)

    def note_kept(self, seconds: float) -> None:
        """Count something else that has kept the event loop to the streak."""
        self._streak += int(seconds / ATTEMPT)

    def cancel(self, effect: Cancel) -> StepCancelled | None:
        """Tell an attempt to end; return its end at once if it has not begun."""
        attempt = self._attempts.get(effect.path)
        if attempt is not None:
            self._interrupt(attempt)
            return None
        if self._admission is None or self._admission.leave(effect.path):  # it waits for a worker, not for its places
            self._withdrawn.add(effect.path)
        return StepCancelled(effect.path, self._driver.now(), effect.attempt, started=False)

    def drop(self) -> None:
        """Forget what waits: the run was stopped without an outcome."""
        self._ready.clear()
        if self._admission is not None:
            self._admission.close(self._attempts)

    def dismiss(self) -> None:
        """Let the workers go: nothing of the run lives on, except attempts that have leaked (S29)."""
        while self._wake_worker():
            pass
        for attempt in list(self._attempts.values()):  # only if the run was stopped without an outcome
            self._interrupt(attempt)

    # --- attempts

    def _interrupt(self, attempt: Attempt) -> None:
        if attempt.interrupt():
            if attempt.timer is not None:
                attempt.timer.cancel()
            attempt.timer = self._loop.call_later(self._driver.grace, self._leak, attempt)

    def _watch(self, attempt: Attempt) -> None:
        """Start the clock of an attempt's timeout, unless it still waits for a thread (S10)."""
        timeout = attempt.effect.timeout
        if timeout is None:
            return
        under_way = attempt.started and not attempt.leaving and self._attempts.get(attempt.path) is attempt
        if under_way and attempt.timer is None:
            attempt.note_deadline(self._driver.clock() + timeout)
            attempt.timer = self._loop.call_later(timeout, self._give_a_turn, attempt)

    def _give_a_turn(self, attempt: Attempt) -> None:
        """Let a result that has arrived at the same instant win (S10)."""
        attempt.timer = self._loop.call_soon(self._time_out, attempt)

    def _time_out(self, attempt: Attempt) -> None:
        attempt.timed_out = True
        self._interrupt(attempt)

    def _leak(self, attempt: Attempt) -> None:
        attempt.leaked = True
        self._leave(attempt.path)
        self._retire(attempt.task)
        if attempt.when_leaked is not None:
            attempt.when_leaked()
        leak(attempt.task)
        self._driver.report(attempt.outlived(self._driver.now()))

    def _ended(self, attempt: Attempt, event: Event) -> None:
        if attempt.timer is not None:
            attempt.timer.cancel()
        if attempt.leaving:
            attempt.task.uncancel()
        if not attempt.leaked:
            self._leave(attempt.path)
            self._driver.fold(event)
        elif not self._driver.over:
            self._driver.report(event)

    def _leave(self, path: str) -> None:
        """Note that an attempt is not under way any more; who waits for its places comes next."""
        del self._attempts[path]
        if self._admission is not None:
            self._admission.leave(path)

    def _raised(self, attempt: Attempt, error: BaseException) -> Event:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            attempt.leaving = True
            self._driver.note_raised(error)
        elif not attempt.leaving and attempt.task.cancelling():
            error = self._driver.shut_down(error)
        return attempt.failed(error, self._driver.now())

    # --- workers

    def _retire(self, worker: asyncio.Task[None]) -> None:
        """Count a worker out: it has come home, or what it performs has leaked."""
        self._workers.discard(worker)
        if not self._workers:
            self._driver.wake_up()

    def _come_home(self, worker: asyncio.Task[None], last: Attempt | None) -> None:
        """Count a worker out that ends; its context holds its last attempt: a circle, see `Driver._part`."""
        if last is not None and self._attempts.get(last.path) is not last:
            del last.task
        self._retire(worker)

    def _gone(self, worker: asyncio.Task[None]) -> None:
        """See how a worker has ended: it may have been cancelled before it began, with all of its loop, or broken."""
        if worker in self._unborn:  # another takes its place
            self._unborn.discard(worker)
            self._coming -= 1
            self._retire(worker)
            if not self._driver.over:
                self.help()
        elif not worker.cancelled() and (error := worker.exception()) is not None:
            self._retire(worker)
            self._driver.give_up(error)

    def help(self) -> None:
        """Let as many workers as are useful go to work: idle ones first, then some new ones."""
        wanted = min(len(self._ready) - self._coming, NEWCOMERS)
        for _ in range(wanted):
            self._coming += 1
            if not self._wake_worker():
                worker = asyncio.create_task(self._work(), context=self._driver.context.copy())
                worker.add_done_callback(self._gone)
                self._workers.add(worker)
                self._unborn.add(worker)

    def _wake_worker(self) -> bool:
        """Wake an idle worker; one whose place is done has been cancelled with its loop, and comes by itself."""
        while self._idle:
            place = self._idle.pop()
            if not place.done():
                place.set_result(None)
                return True
        return False

    async def _work(self) -> None:
        """Perform attempts, one after the other, until there is nothing left to do."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a worker is a task
        ready, withdrawn, attempts = self._ready, self._withdrawn, self._attempts
        driver, handler, watch = self._driver, self._handler, self._watch
        watched, step_after = driver.watched, driver.position.step_after
        attempt: Attempt | None = None
        self._coming -= 1
        self._unborn.discard(task)
        try:
            while (ready and self._streak < STREAK) or await self._has_work():
                effect = ready.popleft()
                if (watched or withdrawn) and not await self._may_begin(effect):
                    continue
                attempt = attempts[effect.path] = Attempt(effect, driver, task, watch)
                current.set(attempt)
                context = copy_context()
                try:
                    body = handler(effect)
                    future = context.run(body.send, None)
                except StopIteration as stop:
                    event, output = None, stop.value
                    self._streak += 1
                except BaseException as error:  # noqa: BLE001 - whatever a body raises is its failure (S8)
                    event, output = self._raised(attempt, error), None
                    self._streak += 1
                else:
                    event, output = await self._waited(attempt, drive(context, body, future))
                if event is None:  # not above, where what a pure function raises would have a cause
                    following = step_after(effect, output)
                    if following is not None:
                        ready.append(following)
                        del attempts[effect.path]
                        output = following = None  # a value that was passed on is not held
                        continue
                    event = attempt.succeeded(output, driver.now())
                if attempt.timer is None and not attempt.leaving:
                    self._leave(effect.path)
                    driver.fold(event)
                elif not await self._settled(attempt, event):
                    return
        finally:
            self._come_home(task, attempt)

    async def take_over(self, attempt: Attempt, rest: Awaitable[object]) -> None:
        """Go on, in the task of an attempt that is under way, with that and then with others."""
        task = attempt.task
        task.add_done_callback(self._gone)
        self._workers.add(task)
        attempt.watch = self._watch
        self._attempts[attempt.path] = attempt
        if await self._finished(attempt, rest):
            self._coming += 1
            del attempt.task, attempt, rest  # a circle, see `_come_home`; a value that was passed on is not held
            await self._work()
        else:
            self._come_home(task, attempt)

    async def _finished(self, attempt: Attempt, rest: Awaitable[object]) -> bool:
        """Go on with a body that waits to its end; false if it has leaked. No value is left to who awaits this."""
        event, output = await self._waited(attempt, rest)
        return await self._settled(attempt, event or attempt.succeeded(output, self._driver.now()))

    async def _settled(self, attempt: Attempt, event: Event) -> bool:
        """Note how an attempt has ended; false if it has leaked, and its worker is to end as well."""
        self._ended(attempt, event)
        if attempt.leaving and not attempt.leaked:
            # a cancel that the body has not met is met here, not by the next body
            await unless_cancelled(asyncio.sleep(0))
        return not attempt.leaked

    async def _may_begin(self, effect: Attempted) -> bool:
        """Wait until the observers have been told of what was before; false if the attempt is not to begin any more."""
        hooks = self._driver.hooks
        if hooks is not None:
            await unless_cancelled(hooks.all_told())
            if self._driver.over:
                return False
        return not self._is_taken_back(effect)

    def _is_taken_back(self, effect: Attempted) -> bool:
        """Tell whether an attempt is not to begin: it was cancelled, or will be as soon as that is durable."""
        if type(effect) is RunStep and effect.path in self._withdrawn:
            self._withdrawn.discard(effect.path)
            return True
        return self._driver.takes_back(effect)

    async def _waited(self, attempt: Attempt, rest: Awaitable[object]) -> tuple[Event | None, object]:
        """Go on with a body that waits, while other workers take what is left over.

        Return how it ended; what it returned instead, if nothing has been done about its end before.
        """
        self._watch(attempt)
        if self._ready:
            self.help()
        try:
            output = await rest
        except BaseException as error:  # noqa: BLE001 - as above
            return self._raised(attempt, error), None
        if attempt.timer is None and not attempt.leaving:
            return None, output
        return attempt.succeeded(output, self._driver.now()), None

    async def _has_work(self) -> bool:
        """Wait for an effect to perform; false if this worker is not needed any more."""
        while not self._driver.over:
            if self._streak >= STREAK:  # the workers of a run share one budget a turn of the loop
                if not self._resting:
                    self._resting = True
                    self._loop.call_soon(self._end_streak)
                await unless_cancelled(asyncio.sleep(0))
                continue
            if self._ready:
                return True
            if len(self._idle) >= IDLE:
                return False
            place: asyncio.Future[None] = self._loop.create_future()
            self._idle.append(place)
            await unless_cancelled(place)
            if not place.cancelled():
                self._coming -= 1
            elif place in self._idle:
                self._idle.remove(place)
        return False

    def _end_streak(self) -> None:
        self._streak = 0
        self._resting = False
