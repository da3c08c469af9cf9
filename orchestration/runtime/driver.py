"""The driver: the loop between the interpreter and the handler.

The task that calls `run` only supervises. The workers of the crew perform attempts, the tasks of streams pull items,
and all of them, like timers, signals and cancels, come here with events. The order is always the same: event, state,
effects.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from orchestration.frozen import evolve
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
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import (
    AnyEvent,
    CancelRequested,
    Continued,
    Event,
    SignalReceived,
    Started,
    TimerFired,
)
from orchestration.runtime.crew import Crew
from orchestration.runtime.hooked import HookedRun
from orchestration.runtime.streams import Streams
from orchestration.runtime.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.runtime.admission import Lines
    from orchestration.runtime.context import Clock
    from orchestration.runtime.handler import Handler
    from orchestration.runtime.hooks import Hooks
    from orchestration.runtime.threads import Threads


class Home(NamedTuple):
    """What a run has from its engine: `grace` is in seconds (S24), `lines` lead its attempts through gates (S14).

    `hooks` are those that concern the plan (S31), `clock` tells the time of events, in seconds (S2).
    """

    handler: Handler
    threads: Threads
    grace: float
    lines: Lines
    hooks: Hooks
    clock: Clock


class Driver:
    """One run under way."""

    def __init__(self, plan: Plan, value: object, home: Home, *, run_id: str, deadline: float | None = None) -> None:
        """Begin a run, but perform nothing before `run`; `deadline` is in seconds from now (S10)."""
        self.plan = plan
        self.run_id = run_id
        self.grace = home.grace
        self.clock = home.clock
        self.epoch = 0
        self.context = copy_context()  # that of `execute`, in which steps and sources run (S11)
        self.listeners: list[Callable[[AnyEvent], None]] = []
        self._loop = asyncio.get_running_loop()
        self._crew = Crew(self, home)
        self._queue = self._crew.queue
        self._timers = Timers(self._loop, self._fire)
        self._streams = Streams(self, home.threads)
        self.hooks = HookedRun(home.hooks, self) if home.hooks else None
        self._inbox: deque[Event] = deque()
        self._folding = True  # until the run begins, events queue
        self._stop: BaseException | None = None  # what the awaiting task is to be told, once the run has ended
        self._wake: asyncio.Future[None] = self._loop.create_future()
        at = self.clock()
        asks = home.hooks.asks
        self._started = Started(plan.name, at, run_id, value, deadline, asks)
        self.state, self._first = start(plan, value, run_id=run_id, at=at, deadline=deadline, asks=asks)
        self.over = self.state.outcome is not None

    # --- the supervisor

    async def run(self) -> Outcome:
        """Run to the outcome. Cancelling the awaiting task cancels the run, and is passed on after its end (S30)."""
        self._tell(self._started, self._first)
        self._perform(self._first)
        self._folding = False
        self._fold_all()
        self._crew.help()
        while not self.over:
            self._wake = self._loop.create_future()
            await self._supervise(self._wake)
        self._crew.dismiss()
        self._timers.clear()
        self._streams.close_all()
        if self.hooks is not None:
            self.hooks.give_up()
        while self._crew.at_work or self._streams.open or (self.hooks is not None and self.hooks.busy):
            self._wake = self._loop.create_future()
            await self._supervise(self._wake)
        if self.hooks is not None:
            self.hooks.close()
        outcome = self._completed()
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
        if self.over:
            return False
        ledger = self.state.ledger
        self.report(CancelRequested(self.plan.name, self.now(), reason))
        return not ledger.decided

    def signal(self, name: str, signal_id: str, payload: object) -> None:
        """Give the run a signal (S21)."""
        self.report(SignalReceived(self.plan.name, self.now(), name, signal_id, payload))

    def _completed(self) -> Outcome | None:
        """Return the outcome, which names streams and hooks that did not end (S24) or failed (S32) as well."""
        outcome = self.state.outcome
        failures, leaked = ((), ()) if self.hooks is None else (self.hooks.failures, self.hooks.leaked)
        if outcome is not None and (self._streams.leaked or failures or leaked):
            all_leaked = (*outcome.leaked, *self._streams.leaked, *leaked)
            outcome = evolve(outcome, leaked=all_leaked, hook_failures=failures)
            self.state = evolve(self.state, outcome=outcome)
        return outcome

    # --- events and effects

    def report(self, event: Event) -> None:
        """Take an event that comes from outside of the workers, and let them do what follows."""
        self.fold(event)
        self._crew.help()

    def fold(self, event: Event) -> None:
        """Take an event: advance the machine and perform what comes out. Events that come up meanwhile queue."""
        self._inbox.append(event)
        if not self._folding:
            self._fold_all()

    def _fold_all(self) -> None:
        inbox = self._inbox
        self._folding = True
        try:
            while inbox and not self.over:
                event = inbox.popleft()
                state, effects = advance(self.plan, self.state, event)
                self.state = state
                if self.listeners or self.hooks is not None:
                    self._tell(event, effects)
                self._perform(effects)
                if state.root is None:
                    self._end()
        except BaseException as error:  # noqa: BLE001 - an interrupt in a pure function, or a defect: no run goes on
            self._stop = error
            self._end()
        finally:
            self._folding = False

    def give_up(self, error: BaseException) -> None:
        """Stop the run without an outcome: what performs it has broken, and would let it wait for ever."""
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

    def _tell(self, event: AnyEvent, effects: list[Effect]) -> None:
        for listener in self.listeners:
            listener(event)
        if self.hooks is not None:
            self.hooks.see(event, effects, self.state)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            kind = type(effect)
            if kind is RunStep or kind is RunUndo:
                self._queue(effect)  # type: ignore[arg-type]  # a cast costs more than the rest of the loop
            else:
                PERFORM[kind](self, effect)

    def _clean_up(self, effect: RunCleanup) -> None:
        self._queue(effect)

    def _start_timer(self, effect: StartTimer) -> None:
        self._timers.start(effect, self.now())

    def _fire(self, effect: StartTimer) -> None:
        self.report(TimerFired(effect.path, max(effect.due, self.now()), effect.purpose))

    def _cancel_timer(self, effect: CancelTimer) -> None:
        self._timers.cancel(effect)

    def _pull(self, effect: Pull) -> None:
        self._streams.pull(effect)

    def _close_stream(self, effect: CloseStream) -> None:
        self._streams.close(effect.path)

    def _continue(self, effect: Continue) -> None:
        self._loop.call_soon(self._go_on, effect.path)

    def _go_on(self, path: str) -> None:
        self.report(Continued(path, self.now()))

    def _ask(self, effect: AskHooks) -> None:
        assert self.hooks is not None  # noqa: S101 - who asks has hooks
        self.hooks.ask(effect)

    def _nothing(self, effect: Tell) -> None:
        """Do nothing: the hooks have seen it."""

    def _cancel(self, effect: Cancel) -> None:
        if effect.attempt == 0 and self.hooks is not None:
            self.hooks.give_up(effect.path)
            return
        ended = self._crew.cancel(effect)
        if ended is not None:
            self._inbox.append(ended)

    def note_raised(self, error: BaseException) -> None:
        """See to it that an interrupt stops the run, and is raised where it is awaited (S30)."""
        if isinstance(error, KeyboardInterrupt | SystemExit):
            self._stop = self._stop or error
            self.cancel(f"a step raised {type(error).__name__}")

    def now(self) -> float:
        """Return the time of an event: it never runs backwards (S2)."""
        now, last = self.clock(), self.state.at
        return now if now > last else last  # noqa: FURB136 - `max` costs more than the clock


PERFORM: dict[type, Callable[[Driver, Any], None]] = {
    RunCleanup: Driver._clean_up,  # noqa: SLF001 - the table belongs to the class
    StartTimer: Driver._start_timer,  # noqa: SLF001
    CancelTimer: Driver._cancel_timer,  # noqa: SLF001
    Continue: Driver._continue,  # noqa: SLF001
    Cancel: Driver._cancel,  # noqa: SLF001
    AskHooks: Driver._ask,  # noqa: SLF001
    Tell: Driver._nothing,  # noqa: SLF001
    Pull: Driver._pull,  # noqa: SLF001
    CloseStream: Driver._close_stream,  # noqa: SLF001
}
