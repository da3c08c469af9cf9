"""A step: one effect, its attempts and the waits between them (S7, S8, S9, S22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orchestration import errors
from orchestration.failures import Failure
from orchestration.frozen import evolve, frozen, maker
from orchestration.interpreter.backoff import delay_before_next, no_time_left
from orchestration.interpreter.effects import AskHooks, Cancel, CancelTimer, RunStep, StartTimer
from orchestration.interpreter.events import (
    HooksAnswered,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    timed_out,
)
from orchestration.interpreter.trail import Entry
from orchestration.interpreter.turn import Broken, Done, Stopped, illegal
from orchestration.policies import names_of

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event, StepEvent
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Step


MOST_LOSSES = 3  # ends of a process that a step may be the cause of (S35)
RETURNED = names_of((errors.InvalidOutput, errors.Unserialisable))  # what these fail has landed


def enter(node: Step, path: str, value: object, turn: Turn) -> Frame:
    """Begin the first attempt, or ask first."""
    if node.asks or turn.ledger.asks:
        return asked(node, path, value, turn)
    effect = _run_step(path, 1, node, value, turn.deadline)  # `begin`, without a call more for each step
    turn.effects.append(effect)
    return _step_frame(effect)


def begin(node: Step, path: str, value: object, turn: Turn) -> StepFrame:
    """Begin the first attempt."""
    effect = RunStep(path, 1, node, value, turn.deadline)
    turn.effects.append(effect)
    return StepFrame(effect)


@frozen
class StepFrame:
    """A step under way. The frame itself registers the compensation: it stands before the effect goes out (S22).

    `doubt` says that some attempt may have landed, `failure` is that of the last attempt, and `due` the time
    at which the backoff before the next one is over. `losses` are the ends of a process meanwhile.
    """

    effect: RunStep
    doubt: bool = False
    failure: Failure | None = None
    due: float | None = None
    losses: int = 0

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Take the end of an attempt, or of a backoff."""
        effect = self.effect
        if event.path != effect.path:
            raise illegal(event, effect.path, "an event")
        if self.due is not None:
            return self._next_attempt(event, self.due, turn)
        if not isinstance(event, _ENDS) or event.attempt != effect.attempt:
            raise illegal(event, effect.path, f"the end of attempt {effect.attempt}")
        if isinstance(event, StepSucceeded):
            return self._succeeded(event.output, turn)
        return self._ended(event, turn)

    def _succeeded(self, output: object, turn: Turn) -> Frame | Done:
        effect = self.effect
        node = effect.step
        trail = None if node.compensation is None else Entry(effect.path, node, armed=True, value=output)
        if (node.asks or turn.ledger.asks) and "after" in (*node.asks, *turn.ledger.asks) and not turn.stopping:
            return ask(AskHooks(effect.path, "after", node, output), trail, turn)
        return Done(output, trail)

    def _ended(self, event: StepEvent, turn: Turn) -> Frame | Ended:
        effect = self.effect
        match event:
            case StepFailed():
                return self._failed(event.failure, turn, doubt=self._uncertain(event.failure))
            case StepTimedOut():
                return self._failed(timed_out(effect.path, event.seconds), turn, doubt=True)
            case StepLeaked() if event.seconds is not None:
                turn.leak(effect.path, effect.attempt)
                return self._failed(timed_out(effect.path, event.seconds), turn, doubt=True)
            case StepLeaked() if turn.stopping:
                turn.leak(effect.path, effect.attempt)
                return self._stopped(doubt=True)
            case StepCancelled() if turn.stopping:
                return self._stopped(doubt=event.started)
            case StepLost() if turn.stopping:
                return self._stopped(doubt=True)
            case StepLost():
                return self._lost(turn, losses=self.losses + event.counted)
            case _:
                raise illegal(event, effect.path, "no end that nobody asked for")

    def cancel(self, turn: Turn) -> Self | Stopped:
        """Cancel the attempt in flight; a backoff ends at once."""
        if self.due is not None:
            turn.effects.append(CancelTimer(self.effect.path))
            return self._stopped(doubt=False)
        turn.effects.append(Cancel(self.effect.path, self.effect.attempt))
        return self

    def _next_attempt(self, event: Event, due: float, turn: Turn) -> StepFrame:
        if type(event) is not TimerFired or event.purpose != "backoff" or event.at < due:
            raise illegal(event, self.effect.path, f"TimerFired at {due}")
        effect = evolve(self.effect, attempt=self.effect.attempt + 1)
        turn.effects.append(effect)
        return evolve(self, effect=effect, due=None)

    def _failed(self, failure: Failure, turn: Turn, *, doubt: bool) -> StepFrame | Broken:
        effect = self.effect
        retry = None if turn.stopping else effect.step.retry
        delay = None if retry is None else delay_before_next(retry, failure, effect.key(turn.run_id), effect.attempt)
        if delay is None:
            return turn.broken(failure, self._trail(doubt=doubt))
        due = turn.at + delay
        if not turn.fits(due):
            late = failure.attach((no_time_left(effect.path, due, turn.deadline),))
            return turn.broken(late, self._trail(doubt=doubt))
        turn.effects.append(StartTimer(effect.path, due))
        return StepFrame(effect, self.doubt or doubt, failure, due, self.losses)

    def _lost(self, turn: Turn, *, losses: int) -> StepFrame | Broken:
        """Begin the same attempt again, unless it is too late for it, or the step may be what ends its process."""
        effect = self.effect
        in_time = turn.fits(turn.at)
        if in_time and losses < MOST_LOSSES:
            turn.effects.append(effect)
            return evolve(self, doubt=True, losses=losses)
        failure = _lost_for_good(effect.path, losses)
        late = () if in_time else (no_time_left(effect.path, turn.at, turn.deadline),)
        return turn.broken(failure.attach(late), self._trail(doubt=True))

    def _stopped(self, *, doubt: bool) -> Stopped:
        return Stopped(self._trail(doubt=doubt), () if self.failure is None else (self.failure,))

    def _uncertain(self, failure: Failure) -> bool:
        compensation = self.effect.step.compensation
        return compensation is not None and failure.matches((*RETURNED, *compensation.in_doubt_on))

    def _trail(self, *, doubt: bool) -> Entry | None:
        effect = self.effect
        if effect.step.compensation is None or not (self.doubt or doubt):
            return None
        return Entry(effect.path, effect.step, armed=False, value=effect.value)


def asked(node: Step, path: str, value: object, turn: Turn) -> Frame:
    """Begin with the question to the gates, if there are any."""
    if "before" in node.asks or "before" in turn.ledger.asks:
        return ask(AskHooks(path, "before", node, value), None, turn)
    return begin(node, path, value, turn)


def ask(question: AskHooks, trail: Entry | None, turn: Turn) -> AskFrame:
    """Ask."""
    turn.effects.append(question)
    return AskFrame(question, trail)


@frozen
class AskFrame:
    """A step that waits for its hooks: before its first attempt, or after it has succeeded, with what it has done."""

    question: AskHooks
    trail: Entry | None = None

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Take the answer."""
        question = self.question
        if type(event) is not HooksAnswered or event.path != question.path:
            raise illegal(event, question.path, "HooksAnswered")
        if turn.stopping:
            return Stopped() if question.when == "before" else Done(question.value, self.trail)
        if event.failure is not None:
            return turn.broken(event.failure, self.trail)
        if question.when == "before":
            return begin(question.step, question.path, question.value, turn)
        return Done(question.value, self.trail)

    def cancel(self, turn: Turn) -> Self:
        """Give the asking up; it is answered all the same."""
        turn.effects.append(Cancel(self.question.path, 0))
        return self


def _lost_for_good(path: str, losses: int) -> Failure:
    error = errors.StepLost(
        path,
        found=f"the end of its process while it was under way, {losses} times",
        expected="an end of the step",
        mend="See whether it is the step that ends the process; run it in a process of its own.",
    )
    return Failure.of(error, path)


_run_step, _step_frame = maker(RunStep), maker(StepFrame)
_ENDS = (StepSucceeded, StepFailed, StepTimedOut, StepCancelled, StepLeaked, StepLost)
