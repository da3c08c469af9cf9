"""A driver for tests: the pure interpreter alone, events given by hand. No asyncio, no clock but a number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orchestration.failures import Failure
from orchestration.interpreter.effects import Cancel, CancelTimer, Continue, RunStep, RunUndo, StartTimer
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import (
    CancelRequested,
    Continued,
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


class Declined(Exception):
    """What a step of a test fails with."""


def failure(path: str, error: Exception | None = None) -> Failure:
    """Return the failure of a step at `path`."""
    return Failure.of(error or Declined("no"), path)


class Machine:
    """A run, driven by hand: `pending` are the effects that wait for an event, by path; `log` all that were emitted."""

    def __init__(self, plan: Plan, value: object, run_id: str = "run") -> None:
        """Begin the run at time 0."""
        self.plan = plan
        self.value = value
        self.run_id = run_id
        self.pending: dict[str, Effect] = {}
        self.cancelling: set[str] = set()
        self.log: list[Effect] = []
        self.events: list[Event] = []
        self.state: State
        self.state, effects = start(plan, value, run_id=run_id, at=0.0)
        self._take(effects)

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, once there is one."""
        return self.state.outcome

    @property
    def running(self) -> list[str]:
        """The paths of the steps and undos in flight, in the order in which they were emitted."""
        return [path for path, effect in self.pending.items() if isinstance(effect, RunStep | RunUndo)]

    def give(self, event: Event) -> None:
        """Give an event to the interpreter."""
        self.state, effects = advance(self.plan, self.state, event)
        self.events.append(event)
        if not isinstance(event, CancelRequested):
            self.pending.pop(event.path, None)
            self.cancelling.discard(event.path)
        self._take(effects)

    def _take(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.log.append(effect)
            match effect:
                case Cancel():
                    assert effect.path in self.pending, "a cancel addresses what is in flight"
                    self.cancelling.add(effect.path)
                case CancelTimer():
                    assert isinstance(self.pending.pop(effect.path), StartTimer)
                case _:
                    assert effect.path not in self.pending, f"{effect.path} is in flight already"
                    self.pending[effect.path] = effect

    def _attempt(self, path: str) -> Any:
        effect = self.pending[path]
        assert isinstance(effect, RunStep | RunUndo)
        return effect

    def succeed(self, path: str, output: object = None) -> None:
        """Let what is in flight at `path` return."""
        effect = self._attempt(path)
        if isinstance(effect, RunStep):
            self.give(StepSucceeded(path, self.state.at, effect.attempt, output))
        else:
            self.give(UndoSucceeded(path, self.state.at, effect.attempt))

    def fail(self, path: str, error: Exception | None = None) -> None:
        """Let what is in flight at `path` raise."""
        effect = self._attempt(path)
        kind = StepFailed if isinstance(effect, RunStep) else UndoFailed
        self.give(kind(path, self.state.at, effect.attempt, failure(path, error)))

    def time_out(self, path: str, seconds: float = 1.0) -> None:
        """Let what is in flight at `path` take too long."""
        effect = self._attempt(path)
        kind = StepTimedOut if isinstance(effect, RunStep) else UndoTimedOut
        self.give(kind(path, self.state.at, effect.attempt, seconds))

    def end_cancelled(self, path: str, *, started: bool = True) -> None:
        """Let what was told to end do so."""
        self.give(StepCancelled(path, self.state.at, self._attempt(path).attempt, started))

    def leak(self, path: str, seconds: float | None = None) -> None:
        """Let what was told to end outlive the grace."""
        self.give(StepLeaked(path, self.state.at, self._attempt(path).attempt, seconds))

    def fire(self, path: str) -> None:
        """Let the timer at `path` be due."""
        timer = self.pending[path]
        assert isinstance(timer, StartTimer)
        self.give(TimerFired(path, timer.due))

    def go_on(self, path: str) -> None:
        """Let the interpreter go on at `path`."""
        assert isinstance(self.pending[path], Continue)
        self.give(Continued(path, self.state.at))

    def cancel(self, reason: str = "enough") -> None:
        """Request a cancel."""
        self.give(CancelRequested(self.plan.name, self.state.at, reason))

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
                case RunStep() | RunUndo() if path in self.cancelling:
                    self.end_cancelled(path)
                case RunStep() | RunUndo():
                    self.call(path)
                case StartTimer():
                    self.fire(path)
                case _:
                    self.go_on(path)
        return self.outcome

    def stored(self) -> State:
        """Return the state as it comes back from a JSON text."""
        return state_from_data(self.plan, json.loads(json.dumps(state_to_data(self.plan, self.state))))
