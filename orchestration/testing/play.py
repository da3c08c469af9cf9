"""`Play`: a run on a virtual clock, synchronous and without an event loop. The real interpreter, a world of answers.

What is to happen stands in a queue by time. At one instant results come first, in the order in which they were asked
for, then what comes from outside, then timers, as a driver sees to (S10, S21).
"""

from __future__ import annotations

import heapq
import math
from asyncio import CancelledError
from contextvars import copy_context
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs

from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.interpreter.effects import (
    AskHooks,
    Attempted,
    Cancel,
    CancelTimer,
    CloseStream,
    Continue,
    Effect,
    Pull,
    RunStep,
    StartTimer,
    Tell,
)
from orchestration.interpreter.ends import failed, leaked, succeeded, timed_out
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import (
    CancelRequested,
    Continued,
    Event,
    Exhausted,
    HooksAnswered,
    Pulled,
    PullFailed,
    SignalReceived,
    Started,
    StepCancelled,
    TimerFired,
)
from orchestration.runtime.boundary import validate_signal
from orchestration.runtime.context import StepContext, current
from orchestration.runtime.streams import Streams
from orchestration.testing.hooking import PlayedHooks
from orchestration.testing.inputs import Input
from orchestration.testing.sources import END, items_of
from orchestration.testing.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan
    from orchestration.signals import Signal
    from orchestration.testing.answers import Answer

RESULT, OUTSIDE, TIMER = range(3)  # which of several things at one instant comes first
Happening: TypeAlias = "tuple[float, int, int, Callable[[float], None]]"


class WaitsForEver(AssertionError):
    """A run waits for what will never come.

    ```python
    try:
        FakeHandler().run(Workflow[Order]("claim").wait_for(Signal("approved", bool)), order)
    except WaitsForEver as error:
        print(error)  # FakeHandler().send(…) is what it waits for
    ```
    """


@attrs.define
class Work:
    """An attempt under way: since when, where its end stands in the queue, and whether it has been told to end."""

    effect: Attempted
    answer: Answer
    begun: float
    place: int = -1
    leaving: bool = False

    @property
    def limit(self) -> float:
        """When it has taken too long."""
        return self.begun + (math.inf if self.effect.timeout is None else self.effect.timeout)

    @property
    def due(self) -> float:
        """When it ends by itself."""
        return self.begun + self.answer.takes


class Play:
    """One run, from its start to its outcome."""

    state: State

    def __init__(
        self,
        plan: Plan,
        value: object,
        answer: Callable[[Attempted, Trace[Any]], Answer],
        *,
        run_id: str = "test",
        deadline: float | None = None,
        grace: float = 5.0,
    ) -> None:
        """Begin at time 0; `grace` is in seconds (S24). `answer` is asked for each attempt, with what was before."""
        self._plan = plan
        self._answer = answer
        self._grace = grace
        self._queue: list[Happening] = []
        self._order = count()
        self._gone: set[int] = set()  # what will not happen after all
        self._under_way: dict[str, Work] = {}
        self._timers: dict[tuple[str, str], int] = {}
        self._streams: dict[str, Generator[object, None, None]] = {}
        self._read = Streams(cast("Any", None), cast("Any", None))  # opens nothing: it knows which sources are spent
        self._hooks = PlayedHooks(plan, run_id)
        self.trace: Trace[Any] = Trace(plan)
        self.state, effects = start(plan, value, run_id=run_id, at=0.0, deadline=deadline)
        self._note(Started(plan.name, 0.0, run_id, value, deadline), effects)

    def cancel_at(self, at: float, reason: str) -> None:
        """Cancel the run at a time."""
        self._at(at, OUTSIDE, lambda now: self._give(CancelRequested(self._plan.name, now, reason)))

    def signal_at(self, at: float, signal: Signal[Any], payload: object, signal_id: str) -> None:
        """Send a signal at a time."""

        def send(now: float) -> None:
            checked = validate_signal(self._plan, self.state, signal, payload)
            self._give(SignalReceived(self._plan.name, now, signal.name, signal_id, checked))

        self._at(at, OUTSIDE, send)

    def run(self) -> Trace[Any]:
        """Let everything happen; return the trace.

        Raises:
            WaitsForEver: if the run waits for something that never comes.
            MutatedInput: if a body changes its input (S11).
            SignalRefused: if it cannot take a signal when that is sent (S21).
        """
        try:
            while self.state.outcome is None:
                self._next()
        finally:
            for stream in self._streams.values():
                stream.close()
        return self.trace

    def _next(self) -> None:
        if not self._queue:
            raise WaitsForEver(f"the run waits for ever: {'; '.join(self._awaited())}\n{self.trace}")
        at, _, place, happen = heapq.heappop(self._queue)
        if place not in self._gone:
            happen(max(at, self.state.at))

    def _awaited(self) -> list[str]:
        attempts = [f"{path} hangs: give it a timeout, or cancel the run with cancel_at=" for path in self._under_way]
        waiting = self.state.ledger.mail.waiting
        waits = [waiting[ticket] for ticket in sorted(waiting)]
        return attempts + [f"{path} waits for the signal {name!r}: .send(...) one" for name, path in waits]

    # --- the queue

    def _at(self, at: float, rank: int, happen: Callable[[float], None]) -> int:
        place = next(self._order)
        heapq.heappush(self._queue, (at, rank, place, happen))
        return place

    def _now(self, happen: Callable[[float], None]) -> int:
        return self._at(self.state.at, RESULT, happen)

    def _give(self, event: Event) -> None:
        self.state, effects = advance(self._plan, self.state, event)
        self._note(event, effects)

    def _note(self, event: Event | Started, effects: list[Effect]) -> None:
        self._hooks.see(event, effects, self.state)
        outcome = self.state.outcome
        if outcome is not None and self._hooks.failures:
            self.state = evolve(self.state, outcome=evolve(outcome, hook_failures=self._hooks.failures))
        self.trace.add(event, effects, self.state)
        for effect in effects:
            if isinstance(effect, Attempted):
                self._attempt(effect)
            else:
                PERFORM[type(effect)](self, effect)

    # --- attempts

    def _attempt(self, effect: Attempted) -> None:
        work = Work(effect, self._answer(effect, self.trace), self.state.at)
        self._under_way[effect.path] = work
        if work.due <= work.limit:
            self._end_in_time(work, math.inf, cancelled=False)
        elif work.answer.stubborn:
            self._end_in_time(work, work.limit + self._grace, cancelled=False)
        else:
            self._end_at(work, work.limit, TIMER, lambda at: timed_out(effect, at))

    def _end_in_time(self, work: Work, latest: float, *, cancelled: bool) -> None:
        """Let an attempt end by itself, or leak if it has not done so at the latest."""
        if work.due <= latest:
            if work.due < math.inf:
                self._end_at(work, work.due, RESULT, lambda at: self._result(work, at))
            return

        def outlive(at: float) -> Event:
            if work.due < math.inf:  # it lands all the same
                self._at(work.due, RESULT, lambda late: self._give(self._result(work, late)))
            return leaked(work.effect, at, cancelled=cancelled)

        self._end_at(work, latest, TIMER, outlive)

    def _end_at(self, work: Work, at: float, rank: int, event: Callable[[float], Event]) -> None:
        def end(now: float) -> None:
            happened = event(now)
            del self._under_way[work.effect.path]
            self._give(happened)

        work.place = self._at(at, rank, end)

    def _result(self, work: Work, at: float) -> Event:
        effect = work.effect
        given = None if work.answer.does is None else Input(effect)
        try:
            event = succeeded(effect, at, copy_context().run(self._perform, work))
        except (Exception, CancelledError) as error:  # noqa: BLE001 - a fake's failure is what is asked for
            event = failed(effect, at, Failure.of(error, effect.path))
        if given is not None:
            given.check()
        return event

    def _perform(self, work: Work) -> object:
        effect = work.effect
        context = StepContext(effect, self.state.run_id)
        if work.limit < math.inf:
            context.note_deadline(work.limit)
        current.set(context)
        spread = isinstance(effect, RunStep) and effect.step.spread
        return work.answer.outcome(tuple(effect.value) if spread else (effect.value,))

    def _cancel(self, effect: Cancel) -> None:
        if effect.attempt == 0:
            return  # hooks are asked at once, and have answered
        work, now = self._under_way[effect.path], self.state.at
        if work.leaving or now > work.limit:
            return  # it has been told already
        work.leaving = True
        self._gone.add(work.place)
        if work.answer.stubborn:
            self._end_in_time(work, now + self._grace, cancelled=True)
        else:
            self._end_at(work, now, RESULT, lambda at: StepCancelled(effect.path, at, effect.attempt))

    # --- everything else

    def _start_timer(self, effect: StartTimer) -> None:
        key = effect.path, effect.purpose

        def fire(at: float) -> None:
            del self._timers[key]
            self._give(TimerFired(effect.path, at, effect.purpose))

        self._timers[key] = self._at(effect.due, TIMER, fire)

    def _cancel_timer(self, effect: CancelTimer) -> None:
        self._gone.add(self._timers.pop((effect.path, effect.purpose)))

    def _continue(self, effect: Continue) -> None:
        self._now(lambda at: self._give(Continued(effect.path, at)))

    def _ask(self, effect: AskHooks) -> None:
        failure = self._hooks.ask(effect, self.state.at)
        self._now(lambda at: self._give(HooksAnswered(effect.path, at, failure)))

    def _told(self, effect: Tell) -> None:
        """Do nothing: the hooks have seen it."""

    def _pull(self, effect: Pull) -> None:
        path, source = effect.path, effect.source
        if path not in self._streams:
            self._streams[path] = items_of(source, lambda: self._read.take(source, path))
        stream = self._streams[path]

        def pulled(at: float) -> None:
            if self._streams.get(path) is stream:
                self._give(self._item(effect, stream, at))

        self._now(pulled)

    def _item(self, effect: Pull, stream: Generator[object, None, None], at: float) -> Event:
        path, index = effect.path, effect.index
        try:
            item = next(stream, END)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - whatever a source raises is its failure
            del self._streams[path]
            return PullFailed(path, at, index, Failure.of(error, path))
        if item is not END:
            return Pulled(path, at, index, item)
        del self._streams[path]
        return Exhausted(path, at, index)

    def _close_stream(self, effect: CloseStream) -> None:
        self._streams.pop(effect.path).close()


PERFORM: dict[type, Callable[[Play, Any], None]] = {
    Cancel: Play._cancel,  # noqa: SLF001 - the table belongs to the class
    StartTimer: Play._start_timer,  # noqa: SLF001
    CancelTimer: Play._cancel_timer,  # noqa: SLF001
    Continue: Play._continue,  # noqa: SLF001
    AskHooks: Play._ask,  # noqa: SLF001
    Tell: Play._told,  # noqa: SLF001
    Pull: Play._pull,  # noqa: SLF001
    CloseStream: Play._close_stream,  # noqa: SLF001
}
