"""The driver: the loop between the interpreter and the handler.

The task that calls `run` only supervises. The workers of the crew perform attempts, the tasks of streams pull items,
and all of them, like timers, signals and cancels, come here with events. The order is always the same: event, state,
the log of a durable run, effects.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast

from orchestration.errors import JournalError, OrchestrationError
from orchestration.interpreter.effects import (
    AskHooks,
    Cancel,
    CancelTimer,
    CloseStream,
    Continue,
    Effect,
    Pull,
    RunCleanup,
    RunStep,
    RunUndo,
    StartTimer,
    Tell,
)
from orchestration.interpreter.engine import Turned
from orchestration.interpreter.events import AnyEvent, CancelRequested, Continued, Event, SignalReceived, TimerFired
from orchestration.journal.records import kept
from orchestration.runtime.crew import Crew
from orchestration.runtime.hooked import HookedRun, completed
from orchestration.runtime.log import is_an_end
from orchestration.runtime.position import Position
from orchestration.runtime.streams import Streams
from orchestration.runtime.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from contextvars import Context

    from orchestration.interpreter.effects import Attempted
    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.runtime.attempt import Attempt
    from orchestration.runtime.beginning import Beginning, Home
    from orchestration.runtime.context import Clock
    from orchestration.runtime.log import Log


class Parked(OrchestrationError):
    """A durable run was stopped, because it does nothing but wait."""


class Driver:
    """One run under way."""

    def __init__(self, plan: Plan, home: Home, beginning: Beginning, log: Log | None = None) -> None:
        """Go on with a run from its `beginning`, but perform nothing before `run`; a durable run has a `log` (S34)."""
        self.plan = plan
        self.run_id: str = beginning.state.run_id
        self.grace: float = home.grace
        self.clock: Clock = home.clock
        self.epoch: int = 0 if log is None else log.epoch
        self.context: Context = copy_context()  # that of `execute`, in which steps and sources run (S11)
        self._listeners: list[Callable[[Turned], None]] = []
        self._loop = asyncio.get_running_loop()
        self._supervisor: asyncio.Task[Any] | None = None
        self._crew = Crew(self, home)
        self._queue = self._crew.queue
        self._timers = Timers(self._loop, self._fire)
        self._streams = Streams(self, home.threads)
        hooked = home.hooks or beginning.state.ledger.asks
        self.hooks: HookedRun | None = HookedRun(home.hooks, self) if hooked else None
        self._inbox: deque[Event] = deque()
        self._begun = False
        self._folding = True  # until the run begins, events queue
        self._stop: BaseException | None = None  # what the awaiting task is to be told, once the run has ended
        self._wake: asyncio.Future[None] = self._loop.create_future()
        self._log = log
        self.wake: float = 0.0  # when another process is to go on with a run that was stopped
        self.suspended: bool = False  # whether it stops without an outcome, to be gone on with by another process
        self._patience: asyncio.TimerHandle | None = None  # for what is under way when the run is stopped
        self._beginning = beginning
        self.watched: bool = self.hooks is not None or log is not None or bool(home.lines)  # each event is needed
        self.position: Position = Position(plan, beginning, home, stays=self.watched)
        self.now: Callable[[], float] = self.position.now
        self.over: bool = beginning.state.outcome is not None

    @property
    def state(self) -> State:
        """Where the run is."""
        return self.position.state

    def listen(self, listener: Callable[[Turned], None]) -> None:
        """Tell a listener of each event from here on."""
        self.position.stay()
        self._listeners.append(listener)

    @property
    def waits_for(self) -> list[Effect]:
        """What the run is to perform when it begins: of one that is taken up again, all that it waited for."""
        return self._beginning.effects

    # --- the supervisor

    async def run(self) -> Outcome:
        """Run to the outcome. Cancelling the awaiting task cancels the run, and is passed on after its end (S30).

        A durable run is stopped by that: it has no outcome yet, and another process can go on with it.

        Raises:
            LeaseLost: if another process has taken over the durable run (S38).
            JournalFailed: if its log cannot be written.
        """
        self._supervisor = asyncio.current_task()
        if not self._begun:
            self.begin()
        while not self.over:
            self._wake = self._loop.create_future()
            await self._supervise(self._wake)
        self._crew.dismiss()
        self._timers.clear()
        if self._patience is not None:
            self._patience.cancel()
        self._streams.close_all()
        if self.hooks is not None:
            self.hooks.give_up()
        while self._crew.at_work or self._streams.open or (self.hooks is not None and self.hooks.busy):
            self._wake = self._loop.create_future()
            await self._supervise(self._wake)
        if self.hooks is not None:
            self.hooks.close()
        state = self.position.state = completed(self.state, self._streams.leaked, self.hooks)
        if self._log is None and not self._crew.under_way and not self._streams.leaked:
            self._part()
        outcome = state.outcome
        if outcome is None or self._stop is not None:
            raise cast("BaseException", self._stop)  # without an outcome there is what has stopped the run
        return outcome

    def begin(self) -> None:
        """Perform what the beginning calls for, and take the events that have queued until now."""
        self._begun = True
        for turned in self._beginning.told:
            self._tell(*turned)
        self._perform(self._beginning.effects)
        self._folding = False
        self._fold_all()
        self._crew.help()

    def _part(self) -> None:
        """Let go of what refers back to the driver: the garbage collector took a quarter of a run of one step."""
        del self._crew, self._queue, self._timers, self._streams

    async def _supervise(self, what: Awaitable[object]) -> None:
        """Wait. A cancel of the waiting task goes to the run, and to the caller only when the run has ended."""
        try:
            await what
        except asyncio.CancelledError as error:
            self.interrupt(error)

    def interrupt(self, error: asyncio.CancelledError) -> None:
        """Cancel the run, or stop it if it is durable, because the task that awaits it was cancelled (S30)."""
        self._stop = self._stop or error
        if self._log is None:
            self.cancel("the task that awaited the run was cancelled")
        else:
            self.suspend(error)

    def take_over(self, attempt: Attempt, rest: Awaitable[object]) -> Coroutine[Any, Any, None]:
        """Go on with an attempt that was begun before the run had a driver; to be awaited in its task."""
        return self._crew.take_over(attempt, rest)

    def cancel(self, reason: str) -> bool:
        """Cancel the run; tell whether this decided it (S28). One that is being stopped is for who goes on with it."""
        if not self.accepts:
            return False
        decided = self.state.ledger.decided or self._is_cancelled_soon()
        self.report(CancelRequested(self.plan.name, self.now(), reason))
        return not decided

    def _is_cancelled_soon(self) -> bool:
        """Tell whether a cancel came before the run has begun."""
        return any(isinstance(event, CancelRequested) for event in self._inbox)

    @property
    def accepts(self) -> bool:
        """Whether the run takes what comes from outside."""
        return not (self.over or self.suspended or self.state.root is None)

    def takes_back(self, effect: Attempted) -> bool:
        """Tell whether the machine wants an attempt no more, before the cancel that says so is durable."""
        return self._log is not None and self._log.has_told(effect)

    @property
    def stopped(self) -> bool:
        """Whether the run is for somebody else to go on with."""
        return (self.over or self.suspended) and self.state.outcome is None

    def suspend(self, why: BaseException) -> None:
        """Stop without an outcome: admit nothing more, but record what ends within the grace (S30)."""
        self._stop = self._stop or why
        if self.suspended or self.over:
            return
        self.suspended = True
        self._timers.clear()
        self._streams.close_all()
        self._crew.drop()
        if self.hooks is not None:
            self.hooks.give_up()
        self._patience = self._loop.call_later(self.grace, self._end)
        self._rest()

    def park(self, wake: float) -> None:
        """Stop a durable run that does nothing but wait: it goes on by itself at `wake`, or when a letter comes."""
        if self.accepts:
            self.wake = wake
            self.suspend(Parked(f"{self.run_id} waits: another process goes on with it"))

    def _rest(self) -> None:
        """End when nothing is under way any more."""
        if self.suspended and not self._crew.under_way and (self._log is None or self._log.is_written):
            self._end()

    def signal(self, name: str, signal_id: str, payload: object) -> None:
        """Give the run a signal (S21); one behind a cancel comes too late."""
        if not self._is_cancelled_soon():
            self.report(SignalReceived(self.plan.name, self.now(), name, signal_id, payload))

    # --- events and effects

    def report(self, event: Event) -> None:
        """Take an event that comes from outside of the workers, and let them do what follows."""
        self.fold(event)
        self._crew.help()

    def fold(self, event: Event) -> None:
        """Take an event: advance the machine and perform what comes out. Events that come up meanwhile queue."""
        if self.suspended and not is_an_end(event):
            self._rest()
            return
        self._inbox.append(event)
        if not self._folding:
            self._fold_all()

    def _fold_all(self) -> None:
        inbox, log, position = self._inbox, self._log, self.position
        self._folding = True
        try:
            while True:
                while inbox and not self.over:
                    event = inbox.popleft()
                    if log is not None:
                        if position.state.root is None or log.is_stale(event):
                            continue
                        event = kept(self.plan, event)
                    state, effects = position.advance(event)
                    if log is None:
                        self._release(event, effects, state)
                    else:
                        log.add(event, effects, state)
                if log is None or not self._write_here(log):
                    break
        except BaseException as error:  # noqa: BLE001 - an interrupt in a pure function, or a defect: no run goes on
            self._stop = error
            self._end()
        finally:
            self._folding = False

    def _write_here(self, log: Log) -> bool:
        """Write what was folded and perform what follows, if that can be done here; otherwise the log will (S34)."""
        try:
            batch = log.write_here(alone=not self._crew.is_busy)
        except JournalError as error:
            self.give_up(error)
            return False
        if not batch:
            self._rest()
            return False
        self._crew.note_kept(log.took)
        self._release_all(batch)
        return True

    def released(self, batch: list[Turned]) -> None:
        """Perform what follows from events that are durable now (S34). For the log."""
        self._folding = True
        self._release_all(batch)
        self._folding = False
        self._fold_all()
        self._crew.help()

    def _release_all(self, batch: list[Turned]) -> None:
        for turned in batch:
            if not self.over:
                self._release(*turned)

    def _release(self, event: AnyEvent, effects: list[Effect], state: State) -> None:
        if self._listeners or self.hooks is not None:
            self._tell(event, effects, state)
        if self._log is not None:
            effects = self._log.still_due(effects)
        if self.suspended:  # what is told to end may do so in time; all else is for who goes on
            effects = [effect for effect in effects if type(effect) is Cancel]
        self._perform(effects)
        if state.root is None:
            self._end()

    def give_up(self, error: BaseException) -> None:
        """Stop the run without an outcome: what performs it has broken, and would let it wait for ever."""
        if not self.over:  # otherwise it has its outcome, which is durable
            self._stop = self._stop or error
            self._end()

    def _end(self) -> None:
        self.over = True
        self._crew.drop()
        self.wake_up()

    def wake_up(self) -> None:
        """Let the supervisor see what is left."""
        if not self._wake.done():
            self._wake.set_result(None)

    def _tell(self, event: AnyEvent, effects: list[Effect], state: State) -> None:
        for listener in self._listeners:
            listener(Turned(event, effects, state))
        if self.hooks is not None:
            self.hooks.see(event, effects, state)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is RunStep or kind is RunUndo or kind is RunCleanup:
                self._queue(effect)  # type: ignore[arg-type]  # a cast costs more than the rest of the loop
            else:
                PERFORM[kind](self, effect)

    def _fire(self, effect: StartTimer) -> None:
        if self._log is None or self._log.awaits(effect):
            self.report(TimerFired(effect.path, max(effect.due, self.now()), effect.purpose))

    def _continue(self, effect: Continue) -> None:
        self._loop.call_soon(self._go_on, effect.path)

    def _go_on(self, path: str) -> None:
        self.report(Continued(path, self.now()))

    def _ask(self, effect: AskHooks) -> None:
        assert self.hooks is not None  # noqa: S101 - who asks has hooks
        self.hooks.ask(effect)

    def _cancel(self, effect: Cancel) -> None:
        if effect.attempt == 0 and self.hooks is not None:
            self.hooks.give_up(effect.path)
            return
        ended = self._crew.cancel(effect)
        if ended is not None:
            self._inbox.append(ended)

    def shut_down(self, error: BaseException) -> BaseException:
        """Stop a durable run of which a task was cancelled with all of the event loop; return what that task is to say.

        It may have raised another `error` when it was cancelled, which is no failure of a step then (S30).
        """
        cancelled = isinstance(error, asyncio.CancelledError)
        if self._log is None or not (cancelled or (self._supervisor is not None and self._supervisor.cancelling())):
            return error
        stop = error if cancelled else asyncio.CancelledError()
        self.suspend(stop)
        return stop

    def note_raised(self, error: BaseException) -> None:
        """See to it that an interrupt stops the run, and is raised where it is awaited (S30)."""
        if not isinstance(error, KeyboardInterrupt | SystemExit):
            return
        self._stop = self._stop or error
        if self._log is None:
            self.cancel(f"a step raised {type(error).__name__}")
        else:
            self.suspend(error)


# ruff: noqa: SLF001 - the table belongs to the class
PERFORM: dict[type, Callable[[Driver, Any], None]] = {
    StartTimer: lambda driver, effect: driver._timers.start(effect, driver.now()),
    CancelTimer: lambda driver, effect: driver._timers.cancel(effect),
    Continue: Driver._continue,
    Cancel: Driver._cancel,
    AskHooks: Driver._ask,
    Tell: lambda driver, effect: None,  # noqa: ARG005 - the hooks have seen it
    Pull: lambda driver, effect: driver._streams.pull(effect),
    CloseStream: lambda driver, effect: driver._streams.close(effect.path),
}
