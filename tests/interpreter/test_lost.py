"""Attempts whose process has ended while they were under way (S35)."""

from __future__ import annotations

import pytest

from orchestration import Retry, Workflow
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import AskHooks, Cancel, RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import CleanupLost, Resumed, StepLost, UndoLost
from orchestration.interpreter.pending import Pending, emit, note
from orchestration.interpreter.step import MOST_LOSSES
from orchestration.outcomes import Cancelled, Failed, InDoubt, Succeeded, Undone
from orchestration.plan.hooks import gate
from tests.bodies import double, increase, undo, void
from tests.machine import Machine

TWICE = Retry(max_attempts=2, initial_delay=2.0, jitter="none")


def lose(run: Machine, path: str, *, counted: bool = True) -> None:
    """Let the process end while a step is under way."""
    run.give(StepLost(path, run.now, run.pending[path].attempt, counted))


def test_a_lost_attempt_begins_again_and_does_not_count() -> None:
    """S35: the same attempt, by the same key, and all the attempts of the policy are still to come."""
    run = Machine(Workflow[int]("flow").step(increase, retry=TWICE).compile(), 4)
    lose(run, "flow/increase")
    first, again = run.log
    assert isinstance(first, RunStep)
    assert again == first
    run.fail("flow/increase")
    run.fire("flow/increase")
    lose(run, "flow/increase")
    assert run.pending["flow/increase"].attempt == 2
    run.succeed("flow/increase", 5)
    assert run.outcome == Succeeded(5, "run")


def test_a_step_that_is_lost_three_times_fails() -> None:
    """S35: it may be what ends the process; it is not retried, and a recovery goes on from there."""
    plan = Workflow[int]("flow").step(increase, retry=TWICE).recover(void, on="orchestration.errors.StepLost").compile()
    run = Machine(plan, 4)
    for _ in range(MOST_LOSSES):
        lose(run, "flow/increase")
    assert run.running == ["flow/void"]


def test_losses_count_over_all_attempts_of_a_step() -> None:
    """S35: a step that ends its process in each attempt does not begin anew with each."""
    run = Machine(Workflow[int]("flow").step(increase, retry=TWICE).compile(), 4)
    lose(run, "flow/increase")
    lose(run, "flow/increase")
    run.fail("flow/increase")
    run.fire("flow/increase")
    lose(run, "flow/increase")
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "orchestration.errors.StepLost"
    assert "3 times" in run.outcome.failure.message


def test_a_loss_by_an_orderly_end_of_the_process_is_not_counted() -> None:
    """S35: a process that was stopped in order was not ended by the step."""
    run = Machine(Workflow[int]("flow").step(increase).compile(), 4)
    for _ in range(2 * MOST_LOSSES):
        lose(run, "flow/increase", counted=False)
    run.succeed("flow/increase", 5)
    assert run.outcome == Succeeded(5, "run")


def test_a_lost_attempt_leaves_the_step_in_doubt() -> None:
    """S22: it may have landed, so its in-doubt handler has to look when the step then fails."""
    plan = Workflow[int]("flow").step(increase).compensate(undo, in_doubt=void).compile()
    run = Machine(plan, 4)
    lose(run, "flow/increase")
    run.fail("flow/increase")
    assert isinstance(run.pending["flow/increase"], RunUndo)
    assert run.pending["flow/increase"].by == "in_doubt"


def test_a_lost_attempt_that_then_succeeds_is_armed() -> None:
    """S22: with a success, only the undo concerns the step."""
    plan = Workflow[int]("flow").step(increase).compensate(undo, in_doubt=void).step(double).compile()
    run = Machine(plan, 4)
    lose(run, "flow/increase")
    run.succeed("flow/increase", 5)
    run.fail("flow/double")
    assert (run.pending["flow/increase"].by, run.pending["flow/increase"].value) == ("undo", 5)


def test_an_attempt_that_was_being_cancelled_settles_as_uncertain() -> None:
    """S35: it does not begin again, and may have landed."""
    run = Machine(Workflow[int]("flow").step(increase).compensate(undo).compile(), 4)
    run.cancel("enough")
    assert isinstance(run.log[-1], Cancel)
    lose(run, "flow/increase")
    assert isinstance(run.outcome, Cancelled)
    assert run.outcome.rollback.steps == (InDoubt("flow/increase"),)


def test_an_attempt_whose_deadline_has_passed_settles_as_uncertain() -> None:
    """S35: its time was over while no process was there; the loss stays primary (S10)."""
    plan = Workflow[int]("flow").step(increase, timeout=10).compensate(undo, in_doubt=void).compile()
    run = Machine(plan, 4)
    run.wait(11)
    lose(run, "flow/increase")
    assert run.running == ["flow/increase"]
    assert isinstance(run.pending["flow/increase"], RunUndo)
    run.succeed("flow/increase")
    assert isinstance(run.outcome, Failed)
    assert [failure.kind for failure in run.outcome.failure.attached] == ["orchestration.errors.DeadlineExceeded"]


def test_a_lost_undo_begins_again() -> None:
    """S25, S35: its completion was not durable; it may run again, by the same key and in the same attempt."""
    plan = Workflow[int]("flow").step(increase).compensate(undo).step(double).compile()
    run = Machine(plan, 4)
    run.succeed("flow/increase", 5)
    run.fail("flow/double")
    for _ in range(2 * MOST_LOSSES):
        run.give(UndoLost("flow/increase", run.now, 1))
    assert [effect for effect in run.log if isinstance(effect, RunUndo)] == [run.pending["flow/increase"]] * 7
    run.succeed("flow/increase")
    assert isinstance(run.outcome, Failed)
    assert run.outcome.rollback.steps == (Undone("flow/increase"),)


def test_a_lost_cleanup_begins_again() -> None:
    """S35: it runs once, but what was under way when the process ended runs again."""
    run = Machine(Workflow[int]("flow").cleanup(void).step(increase).compile(), 4)
    run.succeed("flow/increase", 5)
    run.give(CleanupLost("flow/void", run.now, 1))
    assert isinstance(run.pending["flow/void"], RunCleanup)
    run.succeed("flow/void")
    assert run.outcome == Succeeded(5, "run")


@pytest.mark.parametrize("event", [StepLost("flow/increase", 0, 2), UndoLost("flow/increase", 0, 1)])
def test_what_is_not_under_way_cannot_be_lost(event: StepLost | UndoLost) -> None:
    """S3: neither another attempt, nor an undo where a step is under way."""
    run = Machine(Workflow[int]("flow").step(increase).compile(), 4)
    with pytest.raises(IllegalEvent):
        run.give(event)


def test_to_be_resumed_changes_nothing_but_the_time() -> None:
    """S2, S35: what was under way is lost by events of its own."""
    run = Machine(Workflow[int]("flow").step(increase).compile(), 4)
    before = run.state
    run.give(Resumed("flow", 9.0, 2))
    assert (run.state.root, run.state.ledger, run.state.at) == (before.root, before.ledger, 9.0)


def test_pending_is_what_waits_for_an_event() -> None:
    """S34: what was emitted and has not ended; an attempt that has leaked ended with its process."""
    plan = Workflow[int]("flow").step(increase, timeout=10).compile()
    run = Machine(plan, 4)
    pending: Pending = {}
    emit(pending, run.log)
    assert [(slot, type(waiting.effect)) for slot, waiting in pending.items()] == [
        (("flow/increase", "attempt"), RunStep),
        (("flow/increase", "timeout"), StartTimer),
    ]
    run.fire("flow/increase@timeout")
    note(pending, run.events[-1], run.log[2:])
    assert pending["flow/increase", "attempt"].told
    run.leak("flow/increase")
    note(pending, run.events[-1], run.log[3:])
    assert [*pending] == [("flow/increase", "leaked#1")]
    note(pending, Resumed("flow", 11.0, 2), [])
    assert not pending


def test_the_late_end_of_a_leaked_undo_ends_nothing_that_waits() -> None:
    """S24: nobody waits for it any more."""
    pending: Pending = {}
    note(pending, UndoLost("flow/increase", 0.0, 1), [])
    assert not pending


def test_a_question_that_is_pending_can_be_asked_again() -> None:
    """S31: a verdict that is not durable was not given."""
    plan = Workflow[int]("flow").step(increase, hooks=[gate(lambda _: None)]).compile()
    run = Machine(plan, 4)
    pending: Pending = {}
    emit(pending, run.log)
    assert [type(waiting.effect) for waiting in pending.values()] == [AskHooks]


def test_a_value_that_cannot_be_kept_leaves_the_step_in_doubt() -> None:
    """S12, S22: the body returned, so what it does has landed, although the step fails."""
    from orchestration.errors import Unserialisable

    plan = Workflow[int]("flow").step(increase, retry=TWICE).compensate(undo, in_doubt=void).compile()
    run = Machine(plan, 4)
    run.fail("flow/increase", Unserialisable("flow/increase", found="a lock", expected="data", mend="Give data."))
    assert isinstance(run.pending["flow/increase"], RunUndo)
