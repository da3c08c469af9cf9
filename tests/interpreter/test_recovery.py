"""Recovery: what it covers, what it unwinds, what it never takes (S20, S28)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Workflow
from orchestration.failures import Failure
from orchestration.interpreter.effects import RunStep
from orchestration.outcomes import Cancelled, Failed, Succeeded
from tests.interpreter.parts import Flow, armed, attached, chain, failure_of, forked, kinds, plain, undone
from tests.machine import Declined, Machine


def instead(failure: Failure) -> str:
    """Recover."""
    return failure.message


def otherwise(failure: Failure) -> str:
    """Recover in another way."""
    return failure.message


def after(*bodies: Flow) -> Flow:
    """Return a workflow of these bodies, to be recovered from."""
    return chain("flow", *bodies)


def failed(flow: Flow, error: Exception | None = None, *, last: str = "last") -> Machine:
    """Return a run of `first` and `last` of which the last has failed."""
    run = Machine(flow.compile(), 1)
    run.succeed("flow/first", 2)
    run.fail(f"flow/{last}", error or Declined("broke"))
    return run


BOTH = after(armed("first"), plain("last"))


def test_what_is_covered_is_unwound_then_the_body_gets_the_failure() -> None:
    """S20: its output takes the place of the value; what was undone stays undone."""
    run = failed(BOTH.recover(instead, on=Declined).step(plain("next")))
    assert run.running == ["flow/first"]
    run.succeed("flow/first")
    effect = run.pending["flow/instead"]
    assert isinstance(effect, RunStep)
    assert isinstance(effect.value, Failure)
    assert (effect.value.path, effect.value.message) == ("flow/last", "broke")
    run.succeed("flow/instead", "better")
    assert run.pending["flow/next"].value == "better"
    run.succeed("flow/next", 5)
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == 5
    assert undone(run) == ("flow/first",)


def test_without_a_failure_the_value_passes() -> None:
    """S20: the body does not run."""
    run = Machine(BOTH.recover(instead, on=Declined).compile(), 1)
    run.succeed("flow/first", 2)
    run.succeed("flow/last", 3)
    assert run.outcome == Succeeded(3, "run")


@pytest.mark.parametrize(
    ("on", "error", "takes"),
    [
        (Declined, Declined(), True),
        (Exception, Declined(), True),
        ((ValueError, OSError), TimeoutError(), True),
        (ValueError, Declined(), False),
        (ValueError, Exception(), False),
    ],
    ids=["itself", "a base", "one of several", "another", "a subclass of it only"],
)
def test_a_failure_is_taken_by_its_kind(on, error, takes) -> None:
    """S8, S20: subclasses included."""
    run = Machine(after(plain("last")).recover(instead, on=on).compile(), 1)
    run.fail("flow/last", error)
    assert ("flow/instead" in run.pending) is takes


def test_the_first_recover_that_takes_a_failure_has_it() -> None:
    """S20: those between it and the failure are passed, and so are the steps."""
    flow = after(plain("last")).recover(instead, on=ValueError).step(plain("next")).recover(otherwise, on=Declined)
    run = Machine(flow.compile(), 1)
    run.fail("flow/last", Declined("broke"))
    assert run.running == ["flow/otherwise"]


def test_a_recover_covers_what_an_earlier_one_has_given() -> None:
    """S20: it covers all before it in the chain, and a second failure is recovered from like the first."""
    flow = after(plain("last")).recover(instead, on=Declined).step(armed("next")).step(plain("end"))
    run = Machine(flow.recover(otherwise, on=OSError).compile(), 1)
    run.fail("flow/last", Declined())
    run.succeed("flow/instead", "better")
    run.succeed("flow/next", 1)
    run.fail("flow/end", OSError("gone"))
    run.succeed("flow/next")
    run.succeed("flow/otherwise", "best")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == "best"


def test_a_recover_takes_no_failure_of_what_comes_behind_it() -> None:
    """S20: nor is what it had unwound unwound again."""
    run = failed(BOTH.recover(instead, on=Declined).step(plain("next")))
    run.succeed("flow/first")
    run.succeed("flow/instead", 1)
    run.fail("flow/next", Declined("later"))
    assert failure_of(run).message == "later"
    assert undone(run) == ("flow/first",)


def test_the_failure_of_the_body_is_attached_to_the_first() -> None:
    """S8, S20: that one goes on, and what the body had left in doubt is unwound with the rest."""
    flow = after(plain("last")).recover(chain("mend", armed("a"), plain("b")), on=Declined)
    run = Machine(flow.compile(), 1)
    run.fail("flow/last", Declined("broke"))
    run.succeed("flow/mend/a", 1)
    run.fail("flow/mend/b", OSError("mending"))
    run.succeed("flow/mend/a")
    assert failure_of(run).message == "broke"
    assert attached(run) == ["mending"]
    assert undone(run) == ("flow/mend/a",)


def test_what_computes_recovers_at_once() -> None:
    """S7, S20: also where there is nothing to unwind."""
    run = Machine(after(plain("last")).recover(Workflow[Any]("now").pure(instead), on=Declined).compile(), 1)
    run.fail("flow/last", Declined("broke"))
    assert run.outcome == Succeeded("broke", "run")


@pytest.mark.parametrize("on_partial", ["fail", "continue"])
def test_what_could_not_be_undone_lets_the_failure_through(on_partial) -> None:
    """S20: unless the recover says to go on all the same; the rollback tells it either way."""
    run = failed(BOTH.recover(instead, on=Declined, on_partial=on_partial))
    run.fail("flow/first", OSError("undo"))
    if on_partial == "fail":
        assert failure_of(run).message == "broke"
    else:
        run.succeed("flow/instead", "better")
        assert isinstance(run.outcome, Succeeded)
        assert run.outcome.value == "better"
    assert run.outcome is not None
    assert run.outcome.rollback.verdict == "partial"


def test_a_later_recover_may_take_what_an_earlier_one_lets_through() -> None:
    """S20: the first refuses the partial rollback, the second goes on in spite of it."""
    flow = BOTH.recover(instead, on=Declined).recover(otherwise, on=Declined, on_partial="continue")
    run = failed(flow)
    run.fail("flow/first", OSError("undo"))
    run.succeed("flow/otherwise", "better")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == "better"


def test_a_workflow_that_could_not_unwind_is_recovered_only_if_told_to() -> None:
    """S20: the recover of its parent asks for the rollback of all that it covers."""
    inner = chain("inner", armed("a"), plain("b"))
    flow = after(inner).recover(instead, on=Declined).recover(otherwise, on=Declined, on_partial="continue")
    run = Machine(flow.compile(), 1)
    run.succeed("flow/inner/a", 1)
    run.fail("flow/inner/b", Declined("broke"))
    run.fail("flow/inner/a", OSError("undo"))
    assert run.running == ["flow/otherwise"]


def test_what_could_not_be_undone_holds_what_stands_around_the_recovery() -> None:
    """S26: when the run fails after all."""
    inner = BOTH.recover(instead, on=Declined, on_partial="continue")
    flow = Workflow[Any]("outer").step(armed("before")).step(inner).step(plain("end"))
    run = Machine(flow.compile(), 1)
    run.succeed("outer/before", 1)
    run.succeed("outer/flow/first", 1)
    run.fail("outer/flow/last", Declined())
    run.fail("outer/flow/first", OSError("undo"))
    run.succeed("outer/flow/instead", 1)
    run.fail("outer/end")
    assert run.outcome is not None
    assert [type(state).__name__ for state in run.outcome.rollback.steps] == ["UndoFailed", "Held"]


def test_a_cancel_is_never_recovered() -> None:
    """S20, S28: nor is what fails after it."""
    run = Machine(BOTH.recover(instead, on=Exception).compile(), 1)
    run.succeed("flow/first", 2)
    run.cancel()
    run.fail("flow/last")
    run.succeed("flow/first")
    assert isinstance(run.outcome, Cancelled)
    assert undone(run) == ("flow/first",)


def test_a_cancel_during_the_unwinding_lets_it_end_and_begins_nothing() -> None:
    """S28: the failure would have been absorbed, so the cancel decides; the failure is attached."""
    run = failed(BOTH.recover(instead, on=Declined))
    run.cancel()
    assert run.running == ["flow/first"]
    run.succeed("flow/first")
    assert isinstance(run.outcome, Cancelled)
    assert [later.message for later in run.outcome.attached] == ["broke"]
    assert undone(run) == ("flow/first",)


def test_a_cancel_during_the_body_cancels_it() -> None:
    """S28: the failure that it was to recover from is attached."""
    run = Machine(after(plain("last")).recover(instead, on=Declined).compile(), 1)
    run.fail("flow/last", Declined("broke"))
    run.cancel()
    run.end_cancelled("flow/instead")
    assert isinstance(run.outcome, Cancelled)
    assert [later.message for later in run.outcome.attached] == ["broke"]


def test_a_cancel_during_an_unwinding_that_nothing_absorbs_comes_too_late() -> None:
    """S28: the failure has decided."""
    run = failed(BOTH.recover(instead, on=ValueError))
    run.cancel()
    run.succeed("flow/first")
    assert isinstance(run.outcome, Failed)


def test_a_partial_rollback_decides_when_it_is_known() -> None:
    """S20, S28: before, the recover would have taken the failure and a cancel been in time; now it comes too late."""
    run = Machine(forked(BOTH.recover(instead, on=Declined), armed("aside")).join().compile(), 1)
    run.succeed("flow/fork/flow/first", 1)
    run.succeed("flow/fork/aside", 1)
    run.fail("flow/fork/flow/last", Declined())
    assert not run.state.ledger.decided
    run.fail("flow/fork/flow/first", OSError("undo"))
    run.cancel()
    run.succeed("flow/fork/aside")
    assert isinstance(run.outcome, Failed)


def test_the_deadline_of_an_enclosing_scope_is_never_recovered() -> None:
    """S10, S20: a recover inside does not take it, one outside does."""
    inner = after(plain("last")).recover(instead, on=Exception)
    flow = Workflow[Any]("outer").step(inner, timeout=3.0).recover(otherwise, on=TimeoutError)
    run = Machine(flow.compile(), 1)
    run.fire("outer/flow@timeout")
    run.end_cancelled("outer/flow/last")
    assert run.running == ["outer/otherwise"]
    assert run.pending["outer/otherwise"].value.kind == "orchestration.errors.DeadlineExceeded"


def test_the_deadline_of_the_run_ends_the_body() -> None:
    """S10, S20: a recovery that is under way is no exception."""
    run = Machine(after(plain("last")).recover(instead, on=Exception).compile(), 1, deadline=5.0)
    run.fail("flow/last", Declined("broke"))
    run.fire("flow@timeout")
    run.end_cancelled("flow/instead")
    assert kinds(run) == ["DeadlineExceeded", "Declined"]


def test_a_deadline_during_the_unwinding_begins_nothing_more() -> None:
    """S10, S28: the recover would have taken the failure, so it is the deadline that decides."""
    run = Machine(BOTH.recover(instead, on=Declined).compile(), 1, deadline=5.0)
    run.succeed("flow/first", 2)
    run.fail("flow/last", Declined("broke"))
    run.fire("flow@timeout")
    run.succeed("flow/first")
    assert kinds(run) == ["DeadlineExceeded", "Declined"]
    assert "flow/instead" not in {effect.path for effect in run.log}


def test_a_member_of_a_group_recovers_by_itself() -> None:
    """S18, S20: its failure is none of the group's, and decides nothing."""
    run = Machine(forked(chain("a", plain("x")).recover(instead, on=Declined), plain("b")).join().compile(), 1)
    run.fail("flow/fork/a/x", Declined("broke"))
    assert run.cancelling == set()
    run.succeed("flow/fork/a/instead", 1)
    run.succeed("flow/fork/b", 2)
    assert run.outcome == Succeeded((1, 2), "run")


def test_a_recovery_that_loses_a_race_ends() -> None:
    """S18, S20: its unwinding is shielded and awaited, its body does not begin."""
    run = Machine(forked(BOTH.recover(instead, on=Declined), plain("b")).race().compile(), 1)
    run.succeed("flow/fork/flow/first", 1)
    run.fail("flow/fork/flow/last", Declined())
    run.succeed("flow/fork/b", "won")
    run.succeed("flow/fork/flow/first")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == "won"
