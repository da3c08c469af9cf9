"""What the observers of one run are told: each moment in its turn, before-hooks before what they are of (S31).

One task tells one moment after the other, so that every observer sees the run in its order. An attempt begins when the
moments before it have been told; nothing else waits for observers but the end of the run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from orchestration.interpreter.effects import AskHooks, CancelTimer, RunStep, RunUndo, StartTimer, Tell
from orchestration.interpreter.events import (
    CancelRequested,
    HooksAnswered,
    Started,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepSucceeded,
    StepTimedOut,
    UndoFailed,
    UndoSucceeded,
    UndoTimedOut,
    timed_out,
)
from orchestration.outcomes import Failed, Succeeded
from orchestration.plan.moments import (
    AttemptBegan,
    AttemptEnded,
    RetryPlanned,
    RunCancelled,
    StepBegan,
    StepEnded,
    UndoBegan,
    UndoEnded,
    WorkflowBegan,
    WorkflowEnded,
)
from orchestration.runtime.hooks import bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.failures import Failure
    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import AnyEvent, Event
    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.hooks import Hook, Point
    from orchestration.plan.moments import Moment
    from orchestration.runtime.hooks import HookCaller, Hooks

AttemptHow = Literal["succeeded", "failed", "timed out", "cancelled", "leaked"]
StepHow = Literal["succeeded", "failed", "cancelled", "leaked"]
HOWS: dict[type, AttemptHow] = {
    StepSucceeded: "succeeded",
    StepFailed: "failed",
    StepTimedOut: "timed out",
    StepCancelled: "cancelled",
    StepLeaked: "leaked",
}
STEP_HOWS: dict[type, StepHow] = {
    StepSucceeded: "succeeded",
    StepFailed: "failed",
    StepTimedOut: "failed",
    StepCancelled: "cancelled",
    StepLeaked: "leaked",
}
ENDS = (AttemptEnded, StepEnded, UndoEnded, WorkflowEnded)
ASKED = (StepBegan, StepEnded)  # what strict observers are asked about, instead of told (S32)


class Watch:
    """Tells the observers of one run."""

    def __init__(self, hooks: Hooks, caller: HookCaller, run_id: str, when_told: Callable[[], None]) -> None:
        """Begin with nothing to tell; `when_told` is called each time that all has been told."""
        self._when_told = when_told
        self._hooks = hooks
        self._caller = caller
        self._run_id = run_id
        self._queue: deque[tuple[Moment, Any, tuple[Hook, ...]]] = deque()
        self._teller: asyncio.Task[None] | None = None
        self._nodes: dict[str, int] = {}  # of the steps and undos under way
        self._questions: dict[str, AskHooks] = {}
        self._root = ""

    def see(self, event: AnyEvent, effects: list[Effect], state: State) -> None:
        """Take an event, with what came of it."""
        if isinstance(event, Started):
            self._root = event.path
            self._add("workflow", 0, WorkflowBegan(self._run_id, event.path, event.at), event.value)
        else:
            self._after(event, effects, state)
        for effect in effects:
            self._before(effect, state.at)
        if state.outcome is not None:
            self._over(state.outcome, state.at)

    async def all_told(self) -> None:
        """Wait until the observers have been told of all that was seen."""
        while self._teller is not None:
            await asyncio.wait([self._teller])

    @property
    def telling(self) -> bool:
        """Whether observers are being told."""
        return self._teller is not None

    # --- from events and effects to moments

    def _after(self, event: Event, effects: list[Effect], state: State) -> None:
        path, at, run_id = event.path, event.at, self._run_id
        retry = next((e for e in effects if type(e) is StartTimer and e.path == path and e.purpose == "backoff"), None)
        match event:
            case StepSucceeded() | StepFailed() | StepTimedOut() | StepCancelled() | StepLeaked():
                failure = _failure(event)
                ended = AttemptEnded(run_id, path, at, event.attempt, HOWS[type(event)], failure)
                self._add("attempt", self._nodes.get(path, 0), ended)
                asks = any(type(effect) is AskHooks and effect.path == path for effect in effects)
                if retry is None and not asks:
                    self._step_ended(path, at, STEP_HOWS[type(event)], failure, getattr(event, "output", None))
            case HooksAnswered(failure=failure):
                question = self._questions.pop(path)
                if failure is not None or question.when == "after":
                    self._nodes.setdefault(path, question.step.number)
                    how: StepHow = "succeeded" if failure is None else "failed"
                    self._step_ended(path, at, how, bare(failure), question.value)
            case UndoSucceeded() | UndoFailed() | UndoTimedOut():
                ended_undo = UndoEnded(run_id, path, at, event.attempt, _failure(event))
                self._add("undo", self._nodes.get(path, 0), ended_undo)
            case CancelRequested(reason=reason):
                decided = state.ledger.cancel == reason
                self._add("cancel", 0, RunCancelled(run_id, path, at, reason, decided))
            case _:
                pass
        if retry is not None:
            self._add("retry", self._nodes.get(path, 0), RetryPlanned(run_id, path, at, retry.due))

    def _before(self, effect: Effect, at: float) -> None:
        path, run_id = effect.path, self._run_id
        match effect:
            case RunStep(attempt=attempt, step=step, value=value):
                number = self._nodes[path] = step.number
                if attempt == 1:
                    self._add("step", number, StepBegan(run_id, path, at, effect.key(run_id)), value)
                self._add("attempt", number, AttemptBegan(run_id, path, at, attempt))
            case RunUndo(attempt=attempt, step=step, by=by, value=value):
                self._nodes[path] = step.number
                self._add("undo", step.number, UndoBegan(run_id, path, at, by, attempt), value)
            case AskHooks():
                self._questions[path] = effect
            case CancelTimer(purpose="backoff") if path in self._nodes:
                self._step_ended(path, at, "cancelled", None, None)
            case Tell(ended=None, value=value, scope=scope):
                self._add("workflow", scope.number, WorkflowBegan(run_id, path, at), value)
            case Tell(ended=ended, value=value, scope=scope, failure=failure) if ended is not None:
                self._add("workflow", scope.number, WorkflowEnded(run_id, path, at, ended, bare(failure)), value)
            case _:
                pass

    def _step_ended(self, path: str, at: float, how: StepHow, failure: Failure | None, value: object) -> None:
        number = self._nodes.pop(path, 0)
        self._add("step", number, StepEnded(self._run_id, path, at, how, failure), value)

    def _over(self, outcome: Outcome, at: float) -> None:
        how: Literal["succeeded", "failed", "cancelled"] = "cancelled"
        failure, value = None, None
        if isinstance(outcome, Succeeded):
            how, value = "succeeded", outcome.value
        elif isinstance(outcome, Failed):
            how, failure = "failed", outcome.failure
        ended = WorkflowEnded(self._run_id, self._root, at, how, bare(failure), outcome.rollback.verdict)
        self._add("workflow", 0, ended, value)

    # --- telling

    def _add(self, point: Point, number: int, moment: Moment, value: object = None) -> None:
        """Let the observers of a node be told, in the order of their registration, of an end in reverse (S31)."""
        hooks = [
            hook
            for hook in self._hooks.of.get(number, ())
            if hook.kind == "observer" and point in hook.at and not (hook.strict and isinstance(moment, ASKED))
        ]
        if isinstance(moment, ENDS):
            hooks.reverse()
        if hooks:
            self._queue.append((moment, value, tuple(hooks)))
            if self._teller is None:
                self._teller = asyncio.create_task(self._tell_all())

    async def _tell_all(self) -> None:
        try:
            while self._queue:
                moment, value, hooks = self._queue.popleft()
                for hook in hooks:
                    await self._caller.tell(hook, moment, value)
        finally:
            self._teller = None
            self._when_told()


def _failure(event: Event) -> Failure | None:
    if isinstance(event, StepTimedOut | UndoTimedOut):
        return timed_out(event.path, event.seconds)
    return bare(getattr(event, "failure", None))
