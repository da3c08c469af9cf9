"""A run inside its Temporal workflow: the loop between the interpreter and Temporal.

Whatever happens becomes an event in the inbox, and when all of Temporal's news have arrived the inbox is folded:
results first, then the timers that were due at the same instant (S10). Nothing here knows the clock of a machine, so a
replay of the history does the same again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast, final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError
from temporalio.exceptions import TimeoutError as TimedOut

from orchestration.engines import temporal_wire as wire
from orchestration.engines.temporal_calls import anywhere, here
from orchestration.engines.temporal_chunks import Move, Stretches
from orchestration.engines.temporal_hooked import hooked
from orchestration.engines.temporal_local import WorkerStopped
from orchestration.errors import InvalidDocument, PlanError, SignalRefused, UnresolvedReference, Unserialisable
from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.interpreter import ends
from orchestration.interpreter.effects import (
    AskHooks,
    Cancel,
    CancelTimer,
    CloseStream,
    Continue,
    Pull,
    RunCleanup,
    RunStep,
    RunUndo,
    StartTimer,
    Tell,
)
from orchestration.interpreter.engine import advance, begin
from orchestration.interpreter.events import (
    CancelRequested,
    Continued,
    Event,
    PullFailed,
    SignalReceived,
    Started,
    StepCancelled,
    TimerFired,
)
from orchestration.interpreter.pending import ATTEMPT, CONTINUE, KINDS, emit, note
from orchestration.interpreter.serial import from_data
from orchestration.runtime.boundary import validate_signal
from orchestration.runtime.inbox import kind_of
from orchestration.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.engines.temporal_plans import Found
    from orchestration.engines.temporal_wire import Data
    from orchestration.interpreter.effects import Attempted, Effect
    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.pending import Pending, Slot
    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan

SOON = 0.001  # seconds: the shortest timer of Temporal, with which a workflow task ends
AGAIN = 2.0  # seconds, after which an attempt that came to a worker without its plan is offered again


@final
class Run:
    """A run under way. `pending` is what waits for an event, whether Temporal knows of it already or not."""

    state: State

    def __init__(self, found: Found, order: Data) -> None:
        """Be where the order says: at the start, or where a former history has ended."""
        self.plan: Plan = found.plan
        plan = self.plan
        self._listen = found.listen
        self.pending: Pending = {}
        self._order = order
        self._settings = wire.Settings(**order["settings"])
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[Callable[[], Event | None]] = deque()  # each makes its event when it is folded
        self._fired: deque[StartTimer] = deque()
        self._steps_ready: OrderedDict[str, RunStep] = OrderedDict()  # by path
        self._others_ready: deque[RunUndo | RunCleanup] = deque()  # none of these is ever told to end
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._steps = 0  # of those under way
        self._again: Counter[str] = Counter()  # how often an attempt has begun in vain
        self._offered: dict[str, asyncio.TimerHandle] = {}  # attempts that no worker could take so far
        self._timers: dict[Slot, asyncio.TimerHandle] = {}
        self._stretches = Stretches(self._settings.window)
        self._pausing = 0
        self._move = Move(self._settings.longest, self._settings.patience, self._wake)
        self._hooks = hooked(plan, order, self._inbox.append)
        if "rest" in order:
            self.state, self.pending, listed = wire.rest_of(plan, order)
            effects = [waiting.effect for (_, kind), waiting in self.pending.items() if kind in KINDS]
            if self._hooks is not None and listed is not None:
                self._hooks.take_up(effects, self.state, listed)
            self._perform(effects)
        else:
            value = plan.codec.decode(order["value"], f"{plan.name}: the input")
            begun = workflow.info().workflow_start_time.timestamp()  # it may have waited for a worker since (S10)
            asks = () if self._hooks is None else self._hooks.asks
            event = Started(plan.name, begun, order["run"], value, order["deadline"], asks)
            _, effects, self.state = begin(plan, event)
            self._tell(event, effects)
            emit(self.pending, effects)
            self._perform(effects)

    # --- from outside

    def cancel(self, reason: str) -> None:
        """Cancel the run: the first reason wins (S28)."""
        self._inbox.append(lambda: CancelRequested(self.plan.name, self._now, reason))

    def signal(self, letter: Data) -> None:
        """Give the run a signal, as `letter_of` wrote it (S21)."""
        self._inbox.append(lambda: self._understood(letter))

    def _understood(self, letter: Data) -> Event | None:
        """Return what a signal is; one that the run cannot take, or not any more, is nothing."""
        plan = self.plan
        try:
            name = letter["signal"]
            payload = plan.codec.decode(letter["payload"], f"{plan.name}: the signal {name!r}")
            checked = validate_signal(plan, self.state, Signal(name, kind_of(plan, name)), payload)
            return SignalReceived(plan.name, 0.0, name, str(letter["id"]), checked)
        except (KeyError, TypeError, SignalRefused, InvalidDocument, UnresolvedReference) as error:
            workflow.logger.warning("a signal was refused: %s", error)
            return None

    @property
    def moved(self) -> bool:
        """Whether something has happened since the last fold."""
        return bool(self._inbox or self._fired)

    @property
    def waits(self) -> list[str]:
        """What is waited for: the path, and what of it."""
        return [f"{path} ({kind})" for path, kind in self.pending]

    # --- events

    def fold(self) -> Outcome | None:
        """Take all that has happened, and let Temporal know what follows; return the outcome, once there is one."""
        if self.state.root is not None:
            self._move.look()
        while (event := self._next()) is not None:
            if self.state.root is None:  # all has ended but the telling of it
                continue
            self.state, effects = advance(self.plan, self.state, event)
            note(self.pending, event, effects)
            self._tell(event, effects)
            self._perform(effects)
        if self._hooks is None:
            self._admit()
            return self.state.outcome
        self._hooks.go_on(draining=self._move.draining)
        self._admit()
        return None if self._hooks.busy else self._hooks.completed(self.state.outcome)

    def _tell(self, event: AnyEvent, effects: list[Effect]) -> None:
        self._listen(event)
        if self._hooks is not None:
            self._hooks.see(event, effects, self.state)

    @property
    def _now(self) -> float:
        """The time of an event: it never runs backwards (S2)."""
        return max(workflow.time(), self.state.at)

    def _next(self) -> Event | None:
        while self._inbox:
            event = self._inbox.popleft()()
            if event is not None:
                return evolve(event, at=self._now)
        while self._fired:
            timer = self._fired.popleft()
            waiting = self.pending.get((timer.path, timer.purpose))
            if waiting is not None and waiting.effect is timer:
                del self._timers[timer.path, timer.purpose]
                return TimerFired(timer.path, max(timer.due, self._now), timer.purpose)
        return None

    # --- effects

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            PERFORM[type(effect)](self, effect)

    def _queue(self, effect: Attempted) -> None:
        if isinstance(effect, RunStep):
            self._steps_ready[effect.path] = effect
        else:
            self._others_ready.append(effect)

    def _admit(self) -> None:
        """Let attempts begin: as many as the window and the run's own cap leave room for (S14)."""
        if self._hooks is not None and self._hooks.telling:
            return
        most = self.plan.root.max_concurrency
        while len(self._under_way) < self._settings.window and not self._move.draining:
            if self._others_ready:
                self._begin(self._others_ready.popleft())
            elif self._steps_ready and (most is None or self._steps < most):
                self._begin(self._steps_ready.popitem(last=False)[1])
            else:
                break
        if not self._move.draining:
            for effect in self._stretches.open(self._steps_ready):
                self._pause(effect)

    def _begin(self, effect: Attempted) -> None:
        try:
            order = wire.order_of_attempt(self.plan, self.state.run_id, effect)
        except Unserialisable as error:  # made by a pure function
            event = ends.failed(effect, 0.0, Failure.of(error, effect.path))
            self._inbox.append(lambda: event)
            return
        known = wire.id_of(effect, 0)
        begun = self._again[known]
        nearby = isinstance(effect, RunStep) and effect.step.cheap and not begun
        if nearby:
            task = here(wire.ATTEMPT, [order], called=known)
        else:
            identity, heartbeat = wire.id_of(effect, begun), self._settings.heartbeat
            task = anywhere(wire.ATTEMPT, order, known=identity, called=known, heartbeat=heartbeat)
        self._steps += isinstance(effect, RunStep)
        self._under_way[effect.path] = task
        task.add_done_callback(lambda ended: self._inbox.append(partial(self._ended, effect, ended, nearby=nearby)))

    def _ended(self, effect: Attempted, task: asyncio.Task[Any], *, nearby: bool) -> Event | None:
        """Return what the end of an activity means; `None` if its attempt is to be offered again."""
        del self._under_way[effect.path]
        self._steps -= isinstance(effect, RunStep)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        cause = error.cause if isinstance(error, ActivityError) else error
        match cause:
            case None:
                return cast("Event", from_data(self.plan, task.result(), effect.path))
            case asyncio.CancelledError() | CancelledError() if self.pending[effect.path, ATTEMPT].told:
                return StepCancelled(effect.path, 0.0, effect.attempt, started=False)  # no worker had begun with it
            case TimedOut():
                return self._lost(effect, counted=True)
            case ApplicationError(type=wire.STOPPED) if nearby:
                raise WorkerStopped(effect.path)
            case asyncio.CancelledError() | CancelledError() | ApplicationError(type=wire.STOPPED):
                return self._lost(effect, counted=False)
            case ApplicationError(type=wire.UNKNOWN):
                self._again[wire.id_of(effect, 0)] += 1
                self._offered[effect.path] = self._loop.call_later(AGAIN, self._offer, effect)
                return None
            case _:
                return ends.failed(effect, 0.0, Failure.of(cause, effect.path))

    def _lost(self, effect: Attempted, *, counted: bool) -> Event:
        self._again[wire.id_of(effect, 0)] += 1
        return ends.lost(effect, 0.0, counted=counted)

    def _offer(self, effect: Attempted) -> None:
        del self._offered[effect.path]
        self._queue(effect)
        self._inbox.append(lambda: None)

    def _ask(self, effect: AskHooks) -> None:
        assert self._hooks is not None  # noqa: S101 - who asks has hooks
        self._hooks.ask(effect)

    def _cancel(self, effect: Cancel) -> None:
        if effect.attempt == 0 and self._hooks is not None:
            self._hooks.give_up(effect.path)
            return
        task, offered = self._under_way.get(effect.path), self._offered.pop(effect.path, None)
        if task is not None:
            task.cancel()
            return
        if offered is not None:
            offered.cancel()
        elif self._steps_ready.pop(effect.path, None) is None:  # its end is in the inbox
            return
        event = StepCancelled(effect.path, 0.0, effect.attempt, started=False)
        self._inbox.append(lambda: event)

    def _start_timer(self, effect: StartTimer) -> None:
        delay = max(effect.due - workflow.time(), SOON)
        self._timers[effect.path, effect.purpose] = self._loop.call_later(delay, self._fired.append, effect)

    def _cancel_timer(self, effect: CancelTimer) -> None:
        self._timers.pop((effect.path, effect.purpose)).cancel()

    def _continue(self, effect: Continue) -> None:
        self._stretches.add(effect)

    def _pause(self, effect: Continue) -> None:
        """End this stretch of a workflow task, by a local activity that does nothing: a timer may take a second."""
        self._pausing += 1
        task = here(wire.PAUSE)
        task.add_done_callback(lambda ended: self._inbox.append(partial(self._continued, effect, ended)))

    def _continued(self, effect: Continue, task: asyncio.Task[Any]) -> Event | None:
        self._pausing -= 1
        if not task.cancelled():
            task.exception()  # seen: whatever it is, the workflow task has ended
        waiting = self.pending.get((effect.path, CONTINUE))
        return Continued(effect.path, 0.0) if waiting is not None and waiting.effect is effect else None

    def _wake(self, delay: float) -> None:
        self._loop.call_later(delay, self._inbox.append, lambda: None)

    def _pull(self, effect: Pull) -> None:
        error = PlanError(
            effect.path,
            found="a map over a stream",
            expected="a list, or what else is there as a whole",
            mend="Let a step read a page of it, and loop over the pages.",
        )
        event = PullFailed(effect.path, 0.0, effect.index, Failure.of(error, effect.path))
        self._inbox.append(lambda: event)

    def _nothing(self, effect: CloseStream | Tell) -> None:
        """Do nothing: no stream is ever open, and the hooks have seen what they are told."""

    # --- a new history

    def rest(self) -> Data | None:
        """Return what the run goes on with in a new history, if this one is long and nothing is under way."""
        hooks = self._hooks
        busy = self._under_way or self._pausing or self.moved
        if not self._move.draining or busy or (hooks is not None and hooks.busy):
            return None
        listed = None if hooks is None else hooks.listed
        rest: Data | None = None
        with suppress(Unserialisable):  # a pure function made it
            rest = wire.order_of_rest(self.plan, self._order, self.state, self.pending, listed)
        if rest is None or len(rest["rest"]) > wire.LARGEST:  # then the history grows
            self._move.fail()
            self._inbox.append(lambda: None)
            return None
        return rest


PERFORM: dict[type, Callable[[Run, Any], None]] = {
    **dict.fromkeys((RunStep, RunUndo, RunCleanup), Run._queue),  # noqa: SLF001 - the table belongs to the class
    StartTimer: Run._start_timer,  # noqa: SLF001
    CancelTimer: Run._cancel_timer,  # noqa: SLF001
    Cancel: Run._cancel,  # noqa: SLF001
    Continue: Run._continue,  # noqa: SLF001
    Pull: Run._pull,  # noqa: SLF001
    AskHooks: Run._ask,  # noqa: SLF001
    **dict.fromkeys((CloseStream, Tell), Run._nothing),  # noqa: SLF001
}
