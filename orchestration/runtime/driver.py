"""The driver: the loop between the interpreter and the handler.

The task that calls `run` only supervises. Workers perform attempts: one that has finished an attempt advances the
machine itself and carries on with an effect that comes out, so a chain runs in one worker, and a map in no more than
its cap. New workers start only when one has to wait while effects are left over. The order is always the same:
event, state, effects.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast

from orchestration.interpreter.effects import (
    Attempted,
    Cancel,
    CancelTimer,
    Continue,
    Effect,
    RunStep,
    RunUndo,
    StartTimer,
)
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import (
    AnyEvent,
    CancelRequested,
    Continued,
    Event,
    Started,
    StepCancelled,
    TimerFired,
)
from orchestration.runtime.attempt import Attempt, drive
from orchestration.runtime.context import current

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.runtime.handler import Handler

STREAK = 200  # attempts in a row that did not wait, before the event loop gets its turn: about a millisecond
NEWCOMERS = 8  # workers that a waiting one starts at most; each may start as many
IDLE = 64  # workers that are kept for more work; others end


class Driver:
    """One run under way."""

    def __init__(self, plan: Plan, handler: Handler, value: object, *, run_id: str, grace: float) -> None:
        """Begin a run, but perform nothing before `run`; `grace` is in seconds (S24)."""
        self.plan = plan
        self.run_id = run_id
        self.listeners: list[Callable[[AnyEvent], None]] = []
        self._value = value
        self._handler = handler
        self._grace = grace
        self._loop = asyncio.get_running_loop()
        self._ready: deque[Attempted] = deque()
        self._attempts: dict[str, Attempt] = {}
        self._withdrawn: set[str] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._inbox: deque[Event] = deque()
        self._folding = False
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: list[asyncio.Future[None]] = []
        self._coming = 0  # workers that have been woken or started and have not come to work yet
        self._streak = 0  # attempts in a row that did not wait
        self._resting = False  # whether the streak is to end in the next turn of the loop
        self._stop: BaseException | None = None  # what the awaiting task is to be told, once the run has ended
        self._wake: asyncio.Future[None] = self._loop.create_future()
        self.state, self._first = start(plan, value, run_id=run_id, at=time.time())
        self._over = self.state.outcome is not None

    # --- the supervisor

    async def run(self) -> Outcome:
        """Run to the outcome. Cancelling the awaiting task cancels the run, and is passed on after its end (S30)."""
        self._tell(Started(self.plan.name, self.state.at, self.run_id, self._value))
        self._perform(self._first)
        self._help()
        while not self._over:
            self._wake = self._loop.create_future()
            await self._supervise(self._wake)
        self._dismiss()
        while self._workers:
            self._wake = self._loop.create_future()
            await self._supervise(self._wake)
        outcome = self.state.outcome
        if outcome is None or self._stop is not None:
            raise cast("BaseException", self._stop)  # without an outcome there is what has stopped the run
        return outcome

    async def _supervise(self, what: Awaitable[object]) -> None:
        """Wait. A cancel of the waiting task goes to the run, and to the caller only when the run has ended."""
        try:
            await what
        except asyncio.CancelledError as error:
            self._stop = self._stop or error
            self.cancel("the task that awaited the run was cancelled")

    def cancel(self, reason: str) -> bool:
        """Cancel the run; tell whether this decided it (S28)."""
        if self._over:
            return False
        ledger = self.state.ledger
        self.fold(CancelRequested(self.plan.name, self._now(), reason))
        self._help()
        return ledger.cancel is None and not ledger.failing

    def _dismiss(self) -> None:
        """Let the workers go: nothing of the run lives on, except attempts that have leaked (S29)."""
        while self._wake_worker():
            pass
        for timer in self._timers.values():
            timer.cancel()
        for attempt in list(self._attempts.values()):  # only if the run was stopped without an outcome
            self._interrupt(attempt)

    # --- events and effects

    def fold(self, event: Event) -> None:
        """Take an event: advance the machine and perform what comes out. Events that come up meanwhile queue."""
        inbox = self._inbox
        inbox.append(event)
        if self._folding:
            return
        self._folding = True
        try:
            while inbox and not self._over:
                event = inbox.popleft()
                state, effects = advance(self.plan, self.state, event)
                self.state = state
                if self.listeners:
                    self._tell(event)
                self._perform(effects)
                if state.root is None:
                    self._end()
        except BaseException as error:  # noqa: BLE001 - an interrupt in a pure function, or a defect: no run goes on
            self._stop = error
            self._end()
        finally:
            self._folding = False

    def _end(self) -> None:
        self._over = True
        self._ready.clear()  # only a run that was stopped without an outcome has effects left
        self._wake_up()

    def _wake_up(self) -> None:
        if not self._wake.done():
            self._wake.set_result(None)

    def _retire(self, worker: asyncio.Task[None]) -> None:
        """Count a worker out: it has come home, or what it performs has leaked."""
        self._workers.discard(worker)
        if self._over and not self._workers:
            self._wake_up()

    def _tell(self, event: AnyEvent) -> None:
        for listener in self.listeners:
            listener(event)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is RunStep or kind is RunUndo:
                self._ready.append(effect)  # type: ignore[arg-type]  # a cast costs more than the rest of the loop
            else:
                PERFORM[kind](self, effect)

    def _start_timer(self, effect: StartTimer) -> None:
        self._timers[effect.path] = self._loop.call_later(max(0.0, effect.due - self._now()), self._fire, effect)

    def _fire(self, effect: StartTimer) -> None:
        del self._timers[effect.path]
        self.fold(TimerFired(effect.path, max(effect.due, self._now())))
        self._help()

    def _cancel_timer(self, effect: CancelTimer) -> None:
        self._timers.pop(effect.path).cancel()

    def _continue(self, effect: Continue) -> None:
        self._loop.call_soon(self._go_on, effect.path)

    def _go_on(self, path: str) -> None:
        self.fold(Continued(path, self._now()))
        self._help()

    def _cancel(self, effect: Cancel) -> None:
        attempt = self._attempts.get(effect.path)
        if attempt is None:  # it waits for a worker
            self._withdrawn.add(effect.path)
            self._inbox.append(StepCancelled(effect.path, self._now(), effect.attempt, started=False))
        else:
            self._interrupt(attempt)

    # --- attempts

    def _interrupt(self, attempt: Attempt) -> None:
        if attempt.interrupt():
            if attempt.timer is not None:
                attempt.timer.cancel()
            attempt.timer = self._loop.call_later(self._grace, self._leak, attempt)

    def _watch(self, attempt: Attempt) -> None:
        """Start the clock of an attempt's timeout, unless it still waits for a thread (S10)."""
        timeout = attempt.effect.timeout
        under_way = attempt.started and not attempt.leaving and self._attempts.get(attempt.path) is attempt
        if timeout is not None and under_way and attempt.timer is None:
            attempt.note_deadline(time.time() + timeout)
            attempt.timer = self._loop.call_later(timeout, self._time_out, attempt)

    def _time_out(self, attempt: Attempt) -> None:
        attempt.timed_out = True
        self._interrupt(attempt)

    def _leak(self, attempt: Attempt) -> None:
        attempt.leaked = True
        del self._attempts[attempt.path]
        self._retire(attempt.task)
        if attempt.when_leaked is not None:
            attempt.when_leaked()
        LEAKED.add(attempt.task)
        attempt.task.add_done_callback(LEAKED.discard)
        self.fold(attempt.outlived(self._now()))
        self._help()

    def _ended(self, attempt: Attempt, event: Event) -> None:
        if attempt.timer is not None:
            attempt.timer.cancel()
        if attempt.leaving:
            attempt.task.uncancel()
        if not attempt.leaked:
            del self._attempts[attempt.path]
            self.fold(event)
        elif not self._over:
            self.fold(event)
            self._help()

    def _raised(self, attempt: Attempt, error: BaseException) -> Event:
        if isinstance(error, KeyboardInterrupt | SystemExit):  # stops the run, and is raised where it is awaited (S30)
            self._stop = self._stop or error
            attempt.leaving = True
            self.cancel(f"a step raised {type(error).__name__}")
        return attempt.failed(error, self._now())

    # --- workers

    def _help(self) -> None:
        """Let as many workers as are useful go to work: idle ones first, then some new ones."""
        wanted = min(len(self._ready) - self._coming, NEWCOMERS)
        for _ in range(wanted):
            self._coming += 1
            if not self._wake_worker():
                self._workers.add(asyncio.create_task(self._work()))

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
        self._coming -= 1
        try:
            while (ready and self._streak < STREAK) or await self._has_work():
                effect = ready.popleft()
                if withdrawn and effect.path in withdrawn:
                    withdrawn.discard(effect.path)
                    continue
                attempt = attempts[effect.path] = Attempt(effect, self.run_id, task, self._watch)
                current.set(attempt)
                context = copy_context()
                try:
                    body = self._handler(effect)
                    future = context.run(body.send, None)
                except StopIteration as stop:
                    event = attempt.succeeded(stop.value, self._now())
                    self._streak += 1
                except BaseException as error:  # noqa: BLE001 - whatever a body raises is its failure (S8)
                    event = self._raised(attempt, error)
                    self._streak += 1
                else:
                    event = await self._waited(attempt, drive(context, body, future))
                if attempt.timer is None and not attempt.leaving:
                    del attempts[effect.path]
                    self.fold(event)
                else:
                    self._ended(attempt, event)
                    if attempt.leaked:
                        return
                    # a cancel that the body has not met is met here, not by the next body
                    await _unless_cancelled(asyncio.sleep(0))
        finally:
            self._retire(task)

    async def _waited(self, attempt: Attempt, rest: Awaitable[object]) -> Event:
        """Go on with a body that waits, while other workers take what is left over; return how it ended."""
        self._watch(attempt)
        self._help()
        try:
            output = await rest
        except BaseException as error:  # noqa: BLE001 - as above
            return self._raised(attempt, error)
        return attempt.succeeded(output, self._now())

    async def _has_work(self) -> bool:
        """Wait for an effect to perform; false if this worker is not needed any more."""
        while not self._over:
            if self._streak >= STREAK:  # the workers of a run share one budget a turn of the loop
                if not self._resting:
                    self._resting = True
                    self._loop.call_soon(self._end_streak)
                await _unless_cancelled(asyncio.sleep(0))
                continue
            if self._ready:
                return True
            if len(self._idle) >= IDLE:
                return False
            place: asyncio.Future[None] = self._loop.create_future()
            self._idle.append(place)
            await _unless_cancelled(place)
            if not place.cancelled():
                self._coming -= 1
            elif place in self._idle:
                self._idle.remove(place)
        return False

    def _end_streak(self) -> None:
        self._streak = 0
        self._resting = False

    def _now(self) -> float:
        """Return the time of an event: it never runs backwards (S2)."""
        now, last = time.time(), self.state.at
        return now if now > last else last  # noqa: FURB136 - `max` costs more than the clock


async def _unless_cancelled(what: Awaitable[object]) -> None:
    """Wait; a cancel that reaches a worker here was meant for an attempt that has ended, or for all tasks of the loop.

    A worker ends with its run, never before: the unwinding needs it.
    """
    with contextlib.suppress(asyncio.CancelledError):
        await what


LEAKED: set[asyncio.Task[None]] = set()  # asyncio keeps no strong reference to a task that still runs
PERFORM: dict[type, Callable[[Driver, Any], None]] = {
    StartTimer: Driver._start_timer,  # noqa: SLF001 - the table belongs to the class
    CancelTimer: Driver._cancel_timer,  # noqa: SLF001
    Continue: Driver._continue,  # noqa: SLF001
    Cancel: Driver._cancel,  # noqa: SLF001
}
