"""What the observers of one run are told: each moment in its turn, before-hooks before what they are of (S31).

One task tells one moment after the other, so that every observer sees the run in its order. An attempt begins when the
moments before it have been told; nothing else waits for observers but the end of the run.

The watch of a run that was taken up again has not seen how that began. The events of the resumption say what was lost;
of what waits it learns when that ends (S32).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from orchestration.interpreter.effects import AskHooks, CancelTimer, RunStep, RunUndo, StartTimer, Tell
from orchestration.interpreter.events import (
    CancelRequested,
    HooksAnswered,
    Resumed,
    Started,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    UndoFailed,
    UndoLost,
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
    RunResumed,
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
    from orchestration.interpreter.events import AnyEvent, Event, StepEvent, UndoEvent
    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.hooks import Hook, Point
    from orchestration.plan.moments import Moment
    from orchestration.runtime.hooks import HookCaller, Hooks

AttemptHow = Literal["succeeded", "failed", "timed out", "cancelled", "leaked", "lost"]
StepHow = Literal["succeeded", "failed", "cancelled", "leaked", "lost"]
UndoHow = Literal["succeeded", "failed", "timed out", "lost"]
HOWS: dict[type, AttemptHow] = {
    StepSucceeded: "succeeded",
    StepFailed: "failed",
    StepTimedOut: "timed out",
    StepCancelled: "cancelled",
    StepLeaked: "leaked",
    StepLost: "lost",
}
STEP_HOWS: dict[type, StepHow] = {
    StepSucceeded: "succeeded",
    StepFailed: "failed",
    StepTimedOut: "failed",
    StepCancelled: "cancelled",
    StepLeaked: "leaked",
    StepLost: "lost",
}
UNDO_HOWS: dict[type, UndoHow] = {
    UndoSucceeded: "succeeded",
    UndoFailed: "failed",
    UndoTimedOut: "timed out",
    UndoLost: "lost",
}
GOES_ON = (AskHooks, RunStep)  # after the end of an attempt, at its path: strict observers, or the same attempt again
ENDS = (AttemptEnded, StepEnded, UndoEnded, WorkflowEnded)


class UnderWay(NamedTuple):
    """A step or undo under way: whom it concerns, and the number of its attempt, 0 between two attempts."""

    hooks: tuple[Hook, ...]
    attempt: int


class Moments:
    """What the observers of one run are to be told, by its events and effects; who tells them overrides `add`."""

    def __init__(self, hooks: Hooks, run_id: str) -> None:
        """Begin with nothing seen."""
        self._hooks = hooks
        self._run_id = run_id
        self._steps: dict[str, UnderWay] = {}
        self._undos: dict[str, UnderWay] = {}
        self._questions: dict[str, AskHooks] = {}
        self._root = ""
        self._cancelled = False  # whether a cancel has decided the run

    def see(self, event: AnyEvent, effects: list[Effect], state: State) -> None:
        """Take an event, with what came of it."""
        if isinstance(event, Started):
            self._root = event.path
            self._add("workflow", self._hooks.of[0], WorkflowBegan(self._run_id, event.path, event.at), event.value)
        else:
            self._after(event, effects, state)
        for effect in effects:
            self._before(effect, state.at)
        if state.outcome is not None:
            self._over(state.outcome, state.at)

    def note_asked(self, question: AskHooks) -> None:
        """Take note of what the hooks of a step are asked, maybe not for the first time."""
        self._questions[question.path] = question

    def _after(self, event: Event, effects: list[Effect], state: State) -> None:
        path, at, run_id = event.path, event.at, self._run_id
        match event:
            case StepSucceeded() | StepFailed() | StepTimedOut() | StepCancelled() | StepLeaked():
                self._attempt_ended(event, effects)
            case StepLost(attempt=attempt):
                self._steps[path] = UnderWay(self._hooks.of_step(path), attempt)
                self._attempt_ended(event, effects)
            case HooksAnswered(failure=failure):
                self._answered(self._questions.pop(path), at, bare(failure), effects)
            case UndoSucceeded() | UndoFailed() | UndoTimedOut():
                undo = _ended(self._undos, event, effects)
                if undo is not None:
                    self._undo_ended(undo.hooks, event)
            case UndoLost():
                again = next(effect for effect in effects if type(effect) is RunUndo and effect.path == path)
                self._undo_ended(self._hooks.of[again.step.number], event)
            case Resumed(epoch=epoch):
                self._root = path
                self._cancelled = state.ledger.cancel is not None
                self._add("resume", self._hooks.of[0], RunResumed(run_id, path, at, epoch))
            case CancelRequested(reason=reason):
                decided = not self._cancelled and state.ledger.cancel is not None
                self._cancelled = self._cancelled or decided
                self._add("cancel", self._hooks.of[0], RunCancelled(run_id, path, at, reason, decided))
            case _:
                pass

    def _attempt_ended(self, event: StepEvent, effects: list[Effect]) -> None:
        path, at, failure = event.path, event.at, _failure(event)
        goes_on = any(type(effect) in GOES_ON and effect.path == path for effect in effects)
        step = _ended(self._steps, event, effects, goes_on=goes_on)
        if step is None:
            return
        ended = AttemptEnded(self._run_id, path, at, event.attempt, HOWS[type(event)], failure)
        self._add("attempt", step.hooks, ended)
        if path not in self._steps:
            value = event.output if isinstance(event, StepSucceeded) else None
            self._step_ended(step.hooks, path, at, STEP_HOWS[type(event)], failure, value)

    def _undo_ended(self, hooks: tuple[Hook, ...], event: UndoEvent) -> None:
        how, failure = UNDO_HOWS[type(event)], _failure(event)
        self._add("undo", hooks, UndoEnded(self._run_id, event.path, event.at, event.attempt, how, failure))

    def _answered(self, question: AskHooks, at: float, failure: Failure | None, effects: list[Effect]) -> None:
        path, hooks = question.path, self._hooks.of[question.step.number]
        how: StepHow = "succeeded" if failure is None else "failed"
        if question.when == "after":
            self._steps.pop(path, None)
            value = question.value if failure is None else None
            self._step_ended(hooks, path, at, how, failure, value, asked=True)
        elif not any(type(effect) is RunStep and effect.path == path for effect in effects):
            self._step_ended(hooks, path, at, "cancelled" if failure is None else how, failure, None)

    def _before(self, effect: Effect, at: float) -> None:
        path, run_id = effect.path, self._run_id
        match effect:
            case RunStep(attempt=attempt, step=step, value=value):
                hooks = self._hooks.of[step.number]
                if attempt == 1 and path not in self._steps:
                    self._add("step", hooks, StepBegan(run_id, path, at, effect.key(run_id)), value, asked=True)
                self._steps[path] = UnderWay(hooks, attempt)
                self._add("attempt", hooks, AttemptBegan(run_id, path, at, attempt))
            case RunUndo(attempt=attempt, step=step, by=by, value=value):
                hooks = self._hooks.of[step.number]
                self._undos[path] = UnderWay(hooks, attempt)
                self._add("undo", hooks, UndoBegan(run_id, path, at, by, attempt), value)
            case AskHooks():
                self.note_asked(effect)
            case StartTimer(purpose="backoff", due=due):
                under_way = self._steps.get(path) or self._undos.get(path)
                hooks = self._hooks.of_retried(path) if under_way is None else under_way.hooks
                self._add("retry", hooks, RetryPlanned(run_id, path, at, due))
            case CancelTimer(purpose="backoff"):
                self._steps.pop(path, None)
                self._step_ended(self._hooks.of_step(path), path, at, "cancelled", None, None)
            case Tell(ended=None, value=value, scope=scope):
                self._add("workflow", self._hooks.of[scope.number], WorkflowBegan(run_id, path, at), value)
            case Tell(ended=ended, value=value, scope=scope, failure=failure) if ended is not None:
                moment = WorkflowEnded(run_id, path, at, ended, bare(failure))
                self._add("workflow", self._hooks.of[scope.number], moment, value)
            case _:
                pass

    def _step_ended(
        self,
        hooks: tuple[Hook, ...],
        path: str,
        at: float,
        how: StepHow,
        failure: Failure | None,
        value: object,
        *,
        asked: bool = False,
    ) -> None:
        self._add("step", hooks, StepEnded(self._run_id, path, at, how, failure), value, asked=asked)

    def _over(self, outcome: Outcome, at: float) -> None:
        how: Literal["succeeded", "failed", "cancelled"] = "cancelled"
        failure, value = None, None
        if isinstance(outcome, Succeeded):
            how, value = "succeeded", outcome.value
        elif isinstance(outcome, Failed):
            how, failure = "failed", outcome.failure
        ended = WorkflowEnded(self._run_id, self._root, at, how, bare(failure), outcome.rollback.verdict)
        self._add("workflow", self._hooks.of[0], ended, value)

    def _add(
        self, point: Point, hooks: tuple[Hook, ...], moment: Moment, value: object = None, *, asked: bool = False
    ) -> None:
        """Let observers be told, in the order of their registration, of an end in reverse (S31).

        What strict ones were `asked` about they know already (S32).
        """
        told = [hook for hook in hooks if point in hook.at and not (hook.strict and asked)]
        if isinstance(moment, ENDS):
            told.reverse()
        if told:
            self.add(moment, value, tuple(told))

    def add(self, moment: Moment, value: object, hooks: tuple[Hook, ...]) -> None:
        """Let these observers be told of a moment, one after the other, and of the next one after that."""
        raise NotImplementedError


class Watch(Moments):
    """Tells the observers of one run."""

    def __init__(self, hooks: Hooks, caller: HookCaller, run_id: str, when_told: Callable[[], None]) -> None:
        """Begin with nothing to tell; `when_told` is called each time that all has been told."""
        super().__init__(hooks, run_id)
        self._when_told = when_told
        self._caller = caller
        self._queue: deque[tuple[Moment, Any, tuple[Hook, ...]]] = deque()
        self._teller: asyncio.Task[None] | None = None

    async def all_told(self) -> None:
        """Wait until the observers have been told of all that was seen."""
        while self._teller is not None:
            await asyncio.wait([self._teller])

    @property
    def telling(self) -> bool:
        """Whether observers are being told."""
        return self._teller is not None

    def add(self, moment: Moment, value: object, hooks: tuple[Hook, ...]) -> None:
        """Begin to tell, unless others are being told; then this comes in its turn."""
        self._queue.append((moment, value, hooks))
        if self._teller is None:
            self._begin_to_tell()

    def _begin_to_tell(self) -> None:
        self._teller = asyncio.create_task(self._tell_all(), context=self._caller.context.copy())
        self._teller.add_done_callback(self._told)

    async def _tell_all(self) -> None:
        while self._queue:
            moment, value, hooks = self._queue.popleft()
            for hook in hooks:
                await self._caller.tell(hook, moment, value)

    def _told(self, _: asyncio.Task[None]) -> None:
        """Take note that all was told; a teller that was cancelled before it began is replaced by another."""
        self._teller = None
        if self._queue:
            self._begin_to_tell()
        else:
            self._when_told()


def _ended(
    under_way: dict[str, UnderWay], event: StepEvent | UndoEvent, effects: list[Effect], *, goes_on: bool = False
) -> UnderWay | None:
    """Take note that an attempt has ended, and forget what it was of unless that goes on; `None` if it had before.

    An attempt that has leaked may end a second time: it was told of when it was given up.
    """
    path, found = event.path, under_way.get(event.path)
    if found is None or found.attempt != event.attempt:
        return None
    if goes_on or any(type(e) is StartTimer and e.path == path and e.purpose == "backoff" for e in effects):
        under_way[path] = UnderWay(found.hooks, 0)
    else:
        del under_way[path]
    return found


def _failure(event: Event) -> Failure | None:
    if isinstance(event, StepTimedOut | StepLeaked | UndoTimedOut):
        return None if event.seconds is None else timed_out(event.path, event.seconds)
    return bare(getattr(event, "failure", None))
