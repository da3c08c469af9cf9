"""A driver for tests: the pure interpreter alone, events given by hand. No asyncio, no clock but a number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orchestration.failures import Failure
from orchestration.interpreter.effects import (
    AskHooks,
    Attempted,
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
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import (
    CancelRequested,
    CleanupFailed,
    CleanupSucceeded,
    CleanupTimedOut,
    Continued,
    Exhausted,
    HooksAnswered,
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
from orchestration.interpreter.serial import state_from_data, state_to_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import When


class Declined(Exception):
    """What a step of a test fails with."""


def failure(path: str, error: Exception | None = None) -> Failure:
    """Return the failure of a step at `path`."""
    return Failure.of(error or Declined("no"), path)


ENDS: dict[type, tuple[type, type, type]] = {
    RunStep: (StepSucceeded, StepFailed, StepTimedOut),
    RunUndo: (UndoSucceeded, UndoFailed, UndoTimedOut),
    RunCleanup: (CleanupSucceeded, CleanupFailed, CleanupTimedOut),
}


def place(path: str, purpose: str = "") -> str:
    """Return under which key what waits at a path is pending: only a timeout's timer and a pull stand beside others."""
    return f"{path}@{purpose}" if purpose in ("timeout", "pull") else path


class Machine:
    """A run, driven by hand: `pending` are the effects that wait for an event, by path; `log` all that were emitted.

    The timer of a timeout is pending at `path@timeout`, a pull at `path@pull`.
    """

    def __init__(
        self,
        plan: Plan,
        value: object,
        run_id: str = "run",
        deadline: float | None = None,
        asks: tuple[When, ...] = (),
    ) -> None:
        """Begin the run at time 0."""
        self.plan = plan
        self.value = value
        self.run_id = run_id
        self.deadline = deadline
        self.pending: dict[str, Effect] = {}
        self.cancelling: set[str] = set()
        self.clock = 0.0
        self.log: list[Effect] = []
        self.events: list[Event] = []
        self.state: State
        self.state, effects = start(plan, value, run_id=run_id, at=0.0, deadline=deadline, asks=asks)
        self._take(effects)

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, once there is one."""
        return self.state.outcome

    @property
    def running(self) -> list[str]:
        """The paths of the steps and undos in flight, in the order in which they were emitted."""
        return [path for path, effect in self.pending.items() if isinstance(effect, Attempted)]

    @property
    def now(self) -> float:
        """The time of the next event."""
        return max(self.clock, self.state.at)

    def wait(self, until: float) -> None:
        """Let it be so late."""
        self.clock = until

    def give(self, event: Event) -> None:
        """Give an event to the interpreter."""
        self.state, effects = advance(self.plan, self.state, event)
        self.events.append(event)
        if isinstance(event, TimerFired):
            self.pending.pop(place(event.path, event.purpose))
        elif isinstance(event, Pulled | PullFailed | Exhausted):
            self.pending.pop(place(event.path, "pull"))
        elif not isinstance(event, CancelRequested | SignalReceived):
            self.pending.pop(event.path, None)
            self.cancelling.discard(event.path)
        self._take(effects)

    def _take(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.log.append(effect)
            match effect:
                case Cancel(attempt=0):
                    assert isinstance(self.pending[effect.path], AskHooks)
                case Cancel():
                    assert effect.path in self.pending, "a cancel addresses what is in flight"
                    self.cancelling.add(effect.path)
                case CancelTimer():
                    assert isinstance(self.pending.pop(place(effect.path, effect.purpose)), StartTimer)
                case Tell():
                    pass
                case CloseStream():
                    self.pending.pop(place(effect.path, "pull"), None)
                case _:
                    purpose = "pull" if isinstance(effect, Pull) else getattr(effect, "purpose", "")
                    where = place(effect.path, purpose)
                    assert where not in self.pending, f"{where} is in flight already"
                    self.pending[where] = effect

    def _attempt(self, path: str) -> Any:
        effect = self.pending[path]
        assert isinstance(effect, Attempted)
        return effect

    def succeed(self, path: str, output: object = None) -> None:
        """Let what is in flight at `path` return."""
        effect = self._attempt(path)
        if isinstance(effect, RunStep):
            self.give(StepSucceeded(path, self.now, effect.attempt, output))
        else:
            self.give(ENDS[type(effect)][0](path, self.now, effect.attempt))

    def succeed_anyway(self, path: str) -> None:
        """Report a success at `path`, whatever is in flight there."""
        self.give(StepSucceeded(path, self.state.at, 1, None))

    def fail(self, path: str, error: Exception | None = None) -> None:
        """Let what is in flight at `path` raise."""
        effect = self._attempt(path)
        self.give(ENDS[type(effect)][1](path, self.now, effect.attempt, failure(path, error)))

    def time_out(self, path: str, seconds: float = 1.0) -> None:
        """Let what is in flight at `path` take too long."""
        effect = self._attempt(path)
        self.give(ENDS[type(effect)][2](path, self.now, effect.attempt, seconds))

    def end_cancelled(self, path: str, *, started: bool = True) -> None:
        """Let what was told to end do so."""
        self.give(StepCancelled(path, self.now, self._attempt(path).attempt, started))

    def leak(self, path: str, seconds: float | None = None) -> None:
        """Let what was told to end outlive the grace."""
        self.give(StepLeaked(path, self.now, self._attempt(path).attempt, seconds))

    def answer(self, path: str, failure: Failure | None = None) -> None:
        """Let the hooks that are asked at `path` answer."""
        assert isinstance(self.pending[path], AskHooks)
        self.give(HooksAnswered(path, self.state.at, failure))

    def fire(self, path: str) -> None:
        """Let the timer that is pending at `path` be due."""
        timer = self.pending[path]
        assert isinstance(timer, StartTimer)
        self.give(TimerFired(timer.path, timer.due, timer.purpose))

    def pull(self, path: str, item: object) -> None:
        """Let the stream of the map at `path` give an item."""
        pull = self.pending[place(path, "pull")]
        assert isinstance(pull, Pull)
        self.give(Pulled(path, self.now, pull.index, item))

    def exhaust(self, path: str) -> None:
        """Let the stream of the map at `path` end."""
        pull = self.pending[place(path, "pull")]
        assert isinstance(pull, Pull)
        self.give(Exhausted(path, self.now, pull.index))

    def fail_pull(self, path: str, error: Exception | None = None) -> None:
        """Let the stream of the map at `path` raise."""
        pull = self.pending[place(path, "pull")]
        assert isinstance(pull, Pull)
        self.give(PullFailed(path, self.now, pull.index, failure(path, error)))

    def signal(self, name: str, payload: object = None, signal_id: str = "") -> None:
        """Send a signal, by default with an id of its own."""
        number = signal_id or f"{name}-{len(self.events)}"
        self.give(SignalReceived(self.plan.name, self.now, name, number, payload))

    def go_on(self, path: str) -> None:
        """Let the interpreter go on at `path`."""
        assert isinstance(self.pending[path], Continue)
        self.give(Continued(path, self.now))

    def cancel(self, reason: str = "enough") -> None:
        """Request a cancel."""
        self.give(CancelRequested(self.plan.name, self.now, reason))

    def call(self, path: str) -> None:
        """Let the body of what is in flight at `path` do its work, here and now."""
        effect = self._attempt(path)
        value, body = effect.value, effect.body
        try:
            output = body.call(*value) if isinstance(effect, RunStep) and effect.step.spread else body.call(value)
        except Exception as error:  # noqa: BLE001 - a body's failure is what is asked for
            self.fail(path, error)
        else:
            self.succeed(path, output)

    def run(self, *, choose: Callable[[list[str]], str] = lambda paths: paths[0]) -> Outcome:
        """Let everything in flight do its work until there is an outcome; `choose` says what comes next."""
        while self.outcome is None:
            path = choose(list(self.pending))
            match self.pending[path]:
                case RunStep() | RunUndo() | RunCleanup() if path in self.cancelling:
                    self.end_cancelled(path)
                case RunStep() | RunUndo() | RunCleanup():
                    self.call(path)
                case StartTimer():
                    self.fire(path)
                case _:
                    self.go_on(path)
        return self.outcome

    def stored(self) -> State:
        """Return the state as it comes back from a JSON text."""
        return state_from_data(self.plan, json.loads(json.dumps(state_to_data(self.plan, self.state))))
