"""Gates and strict observers, as the interpreter sees them: it asks, and takes the answer (S31, S32)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestration import Failure, Retry, Workflow, step
from orchestration.errors import GateFailed, IllegalEvent, Vetoed
from orchestration.interpreter.effects import AskHooks, Cancel, RunStep, StartTimer, Tell
from orchestration.interpreter.engine import begin, start
from orchestration.interpreter.events import Started
from orchestration.outcomes import Cancelled, Failed, Succeeded, Undone
from orchestration.plan.hooks import gate, observer
from tests.bodies import double, increase, undo
from tests.machine import Machine

if TYPE_CHECKING:
    from orchestration.plan.hooks import Veto, When
    from orchestration.plan.moments import Asked, Moment

ONCE = Retry(max_attempts=1)


def allow(asked: Asked) -> Veto | None:
    """Allow everything."""


def note(moment: Moment) -> None:
    """Note a moment."""


def vetoed(path: str) -> Failure:
    """Return the failure of a veto."""
    return Failure.of(Vetoed(path, found="a veto", expected="none", mend="Allow it."), path)


def test_a_gate_is_asked_once_before_the_first_attempt() -> None:
    """S31: its answer holds for all attempts."""
    flow = Workflow[int]("flow").step(increase, hooks=[gate(allow)], retry=Retry(max_attempts=2))
    run = Machine(flow.compile(), 1)
    [question] = run.log
    assert isinstance(question, AskHooks)
    assert (question.when, question.value) == ("before", 1)
    assert run.stored() == run.state
    run.answer("flow/increase")
    run.fail("flow/increase")
    run.fire("flow/increase")
    run.succeed("flow/increase", 2)
    assert [type(effect) for effect in run.log].count(AskHooks) == 1
    assert run.outcome == Succeeded(2, "run")


def test_a_veto_fails_the_step_without_an_attempt_or_a_retry() -> None:
    """S9, S31: neither the step's retry nor one around it tries again; what stands before it is undone."""
    retry = Retry(max_attempts=3)
    inner = Workflow[int]("inner").step(increase, hooks=[gate(allow)], retry=retry)
    flow = Workflow[int]("flow").step(double).compensate(undo, retry=ONCE).step(inner, retry=retry)
    run = Machine(flow.compile(), 1)
    run.succeed("flow/double", 2)
    run.answer("flow/inner/increase", vetoed("flow/inner/increase"))
    run.run()
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "orchestration.errors.Vetoed"
    assert run.outcome.rollback.steps == (Undone("flow/double"),)
    assert [effect.path for effect in run.log if isinstance(effect, RunStep)] == ["flow/double"]


@pytest.mark.parametrize("kind", [Vetoed, GateFailed])
def test_what_a_gate_says_can_be_recovered_from(kind: type[Vetoed | GateFailed]) -> None:
    """S31: it is a failure like another to a recover."""
    flow = Workflow[int]("flow").step(increase, hooks=[gate(allow)]).recover(lambda _: 0, on=kind)
    run = Machine(flow.compile(), 1)
    error = kind("flow/increase", found="no", expected="yes", mend="Ask again.")
    run.answer("flow/increase", Failure.of(error, "flow/increase"))
    assert run.run() == Succeeded(0, "run")


def test_a_cancel_gives_the_asking_up_and_waits_for_its_answer() -> None:
    """S28, S31: the step has not begun, whatever the answer says."""
    flow = Workflow[int]("flow").step(increase, hooks=[gate(allow)]).compensate(undo)
    run = Machine(flow.compile(), 1)
    run.cancel("enough")
    assert run.log[-1] == Cancel("flow/increase", 0)
    run.answer("flow/increase", vetoed("flow/increase"))
    assert run.outcome == Cancelled("enough", "run")


def test_a_strict_observer_can_fail_a_step_after_it_has_succeeded() -> None:
    """S32: the step's effect has landed, so it is armed, and undone."""
    hook = observer(note, at="step", strict=True)
    flow = Workflow[int]("flow").step(increase, hooks=[hook]).compensate(undo, retry=ONCE)
    run = Machine(flow.compile(), 1)
    run.answer("flow/increase")
    run.succeed("flow/increase", 2)
    question = run.pending["flow/increase"]
    assert isinstance(question, AskHooks)
    assert (question.when, question.value) == ("after", 2)
    assert run.stored() == run.state
    run.answer("flow/increase", vetoed("flow/increase"))
    run.succeed("flow/increase")
    assert isinstance(run.outcome, Failed)
    assert run.outcome.rollback.steps == (Undone("flow/increase"),)


def test_a_strict_observer_that_agrees_lets_the_step_end() -> None:
    """S32: also one without an undo."""
    flow = Workflow[int]("flow", hooks=[observer(note, at="step", strict=True)]).step(increase)
    run = Machine(flow.compile(), 1)
    run.answer("flow/increase")
    run.succeed("flow/increase", 2)
    run.answer("flow/increase")
    assert run.outcome == Succeeded(2, "run")


def test_a_cancel_after_the_success_keeps_it() -> None:
    """S24, S28: a step that is cancelled while its observers are asked has succeeded, and is undone."""
    hook = observer(note, at="step", strict=True)
    flow = Workflow[int]("flow").step(increase, hooks=[hook]).compensate(undo, retry=ONCE).step(double)
    run = Machine(flow.compile(), 1)
    run.answer("flow/increase")
    run.succeed("flow/increase", 2)
    run.cancel()
    run.answer("flow/increase", vetoed("flow/increase"))
    run.succeed("flow/increase")
    assert isinstance(run.outcome, Cancelled)
    assert run.outcome.rollback.undone == ("flow/increase",)


def test_undos_ask_nothing() -> None:
    """S31: gates are not asked for undos and cleanups; nor are strict observers, of a step that was cancelled."""
    hooks = [gate(allow), observer(note, at="step", strict=True)]
    flow = Workflow[int]("flow", hooks=hooks).cleanup(undo).step(increase).compensate(undo)
    run = Machine(flow.compile(), 1)
    run.answer("flow/increase")
    run.cancel()
    run.succeed("flow/increase", 2)
    run.succeed("flow/increase")
    run.succeed("flow/undo")
    assert isinstance(run.outcome, Cancelled)
    assert [type(effect) for effect in run.log].count(AskHooks) == 1


def test_hooks_of_the_engine_are_asked_at_every_step() -> None:
    """S31: what the engine says at the start is in the state, so a resumed run asks as well."""
    plan = Workflow[int]("flow").step(increase).step(double).compile()
    run = Machine(plan, 1, asks=("before",))
    run.answer("flow/increase")
    run.succeed("flow/increase", 2)
    run.answer("flow/double")
    run.succeed("flow/double", 4)
    assert run.outcome == Succeeded(4, "run")


def test_what_is_asked_after_a_step_is_not_asked_before_it() -> None:
    """S32: an engine with a strict observer of the ends of steps, and no gate."""
    run = Machine(Workflow[int]("flow").step(increase).compile(), 1, asks=("after",))
    assert run.running == ["flow/increase"]
    run.succeed("flow/increase", 2)
    run.answer("flow/increase")
    assert run.outcome == Succeeded(2, "run")


def test_only_an_answer_answers() -> None:
    """S3: anything else at that path is illegal."""
    run = Machine(Workflow[int]("flow").step(increase, hooks=[gate(allow)]).compile(), 1)
    before = run.state
    with pytest.raises(IllegalEvent, match=r"expected HooksAnswered at flow/increase"):
        run.succeed_anyway("flow/increase")
    assert run.state == before


@pytest.mark.parametrize("asks", [(), ("before",), ("after",)])
def test_a_run_begins_as_its_first_event_says(asks: tuple[When, ...]) -> None:
    """S31, S34: what is recorded says whether each step asks the hooks of the engine, and until when there is time."""
    plan = Workflow[int]("flow").step(increase).compile()
    begun = begin(plan, Started("flow", 3.0, "run", 1, 5.0, asks))
    assert (begun.state, begun.effects) == start(plan, 1, run_id="run", at=3.0, deadline=5.0, asks=asks)
    assert begun.state.ledger.asks == asks
    assert any(isinstance(effect, AskHooks) for effect in begun.effects) == ("before" in asks)
    assert StartTimer("flow", 8.0, "timeout") in begun.effects


@pytest.mark.parametrize("how", ["succeeded", "failed", "cancelled"])
def test_hooks_of_a_workflow_inside_are_told_how_it_ended(how: str) -> None:
    """S31: the run itself is told of by its start and its outcome."""
    inner = Workflow[int]("inner", hooks=[observer(note)]).step(step(increase, name="one"))
    run = Machine(Workflow[int]("flow", hooks=[observer(note)]).step(inner).compile(), 1)
    if how == "succeeded":
        run.succeed("flow/inner/one", 2)
    elif how == "failed":
        run.fail("flow/inner/one")
    else:
        run.cancel()
        run.end_cancelled("flow/inner/one")
    told = [effect for effect in run.log if isinstance(effect, Tell)]
    assert [(effect.path, effect.ended) for effect in told] == [("flow/inner", None), ("flow/inner", how)]
