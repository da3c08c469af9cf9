"""The real interpreter in a scripted world: virtual time, every effect performed as the script says."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from orchestration.failures import Failure
from orchestration.interpreter.effects import (
    Cancel,
    CancelTimer,
    CloseStream,
    Continue,
    Pull,
    RunCleanup,
    RunStep,
    RunUndo,
    StartTimer,
)
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import (
    CancelRequested,
    CleanupFailed,
    CleanupSucceeded,
    CleanupTimedOut,
    Continued,
    Exhausted,
    Pulled,
    PullFailed,
    SignalReceived,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoFailed,
    UndoSucceeded,
    UndoTimedOut,
)
from orchestration.outcomes import Cancelled, Failed, Succeeded
from tests.model.bodies import Declined
from tests.model.seen import Seen, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Plan
    from tests.model.draws import Case
    from tests.model.script import End, Script

DECLINED = Failure.of(Declined("no"), "")
LOST = Failure.of(ConnectionError("gone"), "")


def perform(case: Case) -> Seen:
    """Run a plan by the interpreter to its end."""
    return Drive(case.plan, case.value, case.script).run()


class Drive:
    """A run of the interpreter; `pending` is what waits for an event, by what it is."""

    def __init__(self, plan: Plan, value: object, script: Script) -> None:
        """Begin at time 0."""
        self.plan = plan
        self.script = script
        self.now = 0.0
        self.pending: set[tuple[object, ...]] = set()
        self.trace: list[tuple[float, str, str, int]] = []
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        if script.cancel_at is not None:
            self._alarm(script.cancel_at, self._cancel)
        for signal in script.signals:
            event = SignalReceived(plan.name, signal.at, signal.name, signal.signal_id, signal.payload)
            self._alarm(signal.at, lambda event=event: self._signal(event))
        self.state, effects = start(plan, value, run_id="run", at=0.0, deadline=script.deadline)
        self._perform(effects)

    def run(self) -> Seen:
        """Go on until there is an outcome."""
        while self.state.outcome is None:
            self.now, _, call = heapq.heappop(self._alarms)
            call()
        return self._seen()

    def _alarm(self, at: float, call: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._alarms, (at, self._count, call))

    def _give(self, event: Event) -> None:
        self.state, effects = advance(self.plan, self.state, event)
        self._perform(effects)

    def _cancel(self) -> None:
        if self.state.outcome is None:
            self._give(CancelRequested(self.plan.name, self.now, "enough"))

    def _signal(self, event: SignalReceived) -> None:
        if self.state.ledger.cancel is None:
            self._give(event)

    # ── effects ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case RunStep():
                    self._step(effect)
                case RunUndo() | RunCleanup():
                    self._shielded(effect)
                case Cancel():
                    self._end_early(effect)
                case StartTimer():
                    key = ("timer", effect.path, effect.purpose)
                    fired = TimerFired(effect.path, effect.due, effect.purpose)
                    self._pend(key, effect.due - self.now, fired)
                case CancelTimer():
                    self.pending.remove(("timer", effect.path, effect.purpose))
                case Pull():
                    self._pull(effect)
                case CloseStream():
                    self.pending = {key for key in self.pending if key[:2] != ("pull", effect.path)}
                case Continue():
                    self._pend(("continue", effect.path), 0.0, Continued(effect.path, self.now))
                case _:
                    raise AssertionError(f"an effect that no plan of this test asks for: {effect}")

    def _pend(self, key: tuple[object, ...], after: float, event: Event, lands: End | None = None) -> None:
        assert key not in self.pending, f"{key} is under way already"
        self.pending.add(key)
        self._alarm(self.now + after, lambda: self._end(key, event, lands))

    def _end(self, key: tuple[object, ...], event: Any, lands: End | None) -> None:
        if key not in self.pending:
            return  # it has been cancelled, or given up
        self.pending.remove(key)
        if lands is not None and lands.lands is not None:
            late = StepSucceeded(event.path, self.now + lands.lands, event.attempt, lands.output)
            self._alarm(late.at, lambda: self._land(late))
        self._give(event)

    def _step(self, effect: RunStep) -> None:
        path, attempt = effect.path, effect.attempt
        self.trace.append((self.now, "step", path, attempt))
        end = self.script.attempt(path, attempt, may_time_out=effect.timeout is not None)
        self._pend(("step", path, attempt), end.after, self._event(path, attempt, end, effect.timeout), end)

    def _end_early(self, effect: Cancel) -> None:
        path, attempt = effect.path, effect.attempt
        self.pending.remove(("step", path, attempt))
        end = self.script.cancelled(path, attempt)
        self._pend(("cancelled", path, attempt), end.after, self._event(path, attempt, end, None), end)

    def _event(self, path: str, attempt: int, end: End, timeout: float | None) -> Event:
        at = self.now + end.after
        match end.how:
            case "succeed":
                return StepSucceeded(path, at, attempt, end.output)
            case "time out":
                return StepTimedOut(path, at, attempt, timeout or 0.0)
            case "leak":
                return StepLeaked(path, at, attempt, timeout)
            case "end" | "never start":
                return StepCancelled(path, at, attempt, started=end.how == "end")
            case _:
                return StepFailed(path, at, attempt, self._failure(path, end))

    def _land(self, event: StepSucceeded) -> None:
        if self.state.outcome is None:
            self._give(event)

    def _failure(self, path: str, end: End) -> Failure:
        model = LOST if end.how == "lose connection" else DECLINED
        return Failure(model.kind, model.message, path, model.bases)

    def _shielded(self, effect: RunUndo | RunCleanup) -> None:
        undo = isinstance(effect, RunUndo)
        what, path, attempt = (effect.by if isinstance(effect, RunUndo) else "cleanup"), effect.path, effect.attempt
        self.trace.append((self.now, what, path, attempt))
        end = self.script.shielded(what, path, attempt)
        at = self.now + end.after
        event: Event
        match end.how:
            case "succeed":
                event = (UndoSucceeded if undo else CleanupSucceeded)(path, at, attempt)
            case "fail":
                event = (UndoFailed if undo else CleanupFailed)(path, at, attempt, self._failure(path, end))
            case _:
                timed_out: Any = UndoTimedOut if undo else CleanupTimedOut
                event = timed_out(path, at, attempt, 30.0, leaked=end.how == "leak")
        self._pend((what, path, attempt), end.after, event)

    def _pull(self, effect: Pull) -> None:
        path, index = effect.path, effect.index
        self.trace.append((self.now, "pull", path, index))
        end = self.script.pull(path, index)
        at = self.now + end.after
        event: Event
        match end.how:
            case "succeed":
                event = Pulled(path, at, index, end.output)
            case "exhaust":
                event = Exhausted(path, at, index)
            case _:
                event = PullFailed(path, at, index, self._failure(path, end))
        self._pend(("pull", path, index), end.after, event)

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _seen(self) -> Seen:
        assert not self.pending, f"left over at the end: {self.pending}"
        outcome = self.state.outcome
        flat: list[tuple[str, str]] = []
        match outcome:
            case Failed():
                flat = _flat(outcome.failure)
            case Cancelled():
                flat = [pair for failure in outcome.attached for pair in _flat(failure)]
        failed = isinstance(outcome, Failed)
        assert outcome is not None
        return Seen(
            outcome=type(outcome).__name__.lower(),
            value=plain(outcome.value) if isinstance(outcome, Succeeded) else None,
            primary=flat[0] if failed else None,
            attached=tuple(sorted(flat[1:] if failed else flat)),
            rollback=tuple((type(state).__name__, state.path) for state in outcome.rollback.steps),
            cleanup_failures=tuple((failure.path, failure.kind) for failure in outcome.cleanup_failures),
            leaked=tuple(sorted(outcome.leaked)),
            unused_signals=tuple(sorted(outcome.unused_signals)),
            trace=tuple(sorted(self.trace)),
            ended_at=self.now,
        )


def _flat(failure: Failure) -> list[tuple[str, str]]:
    return [(failure.path, failure.kind), *(pair for later in failure.attached for pair in _flat(later))]
