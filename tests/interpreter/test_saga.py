"""Compensation: what is undone, in which order, and what becomes of each step (S22-S26)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Graph, Retry, Workflow, graph, step
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import RunUndo, StartTimer
from orchestration.interpreter.events import StepSucceeded, TimerFired, UndoFailed, UndoSucceeded
from orchestration.outcomes import Cancelled, Failed, Held, InDoubt, Succeeded, Undone
from orchestration.outcomes import UndoFailed as NotUndone
from tests.bodies import double, increase, pair_total, settle, sum_of, undo, void
from tests.machine import Declined, Machine, failure

ONCE = Retry(max_attempts=1)
first = step(increase, name="first").compensate(undo, retry=ONCE)
second = step(increase, name="second").compensate(undo, retry=ONCE)
third = step(increase, name="third").compensate(undo, retry=ONCE)


def three() -> Machine:
    """Return a run of three compensated steps and a last one that is not."""
    flow = Workflow[int]("flow").step(first).step(second).step(third).step(double)
    run = Machine(flow.compile(), 0)
    for name in ("first", "second", "third"):
        run.succeed(f"flow/{name}", run.pending[f"flow/{name}"].value + 1)
    return run


def test_undos_get_the_outputs_in_reverse_order_one_at_a_time() -> None:
    """S22, S23: each undo begins when the one before it has ended, and gets its step's output."""
    run = three()
    run.fail("flow/double")
    seen = []
    while run.outcome is None:
        [effect] = run.pending.values()
        assert isinstance(effect, RunUndo)
        assert effect.key("run") == f"run:{effect.path}:undo"
        seen.append((effect.path, effect.value))
        run.succeed(effect.path)
    assert seen == [("flow/third", 3), ("flow/second", 2), ("flow/first", 1)]
    assert run.outcome.rollback.verdict == "complete"
    assert run.outcome.rollback.undone == ("flow/third", "flow/second", "flow/first")


def test_a_run_that_succeeds_undoes_nothing() -> None:
    """S22: compensation is for what fails or is cancelled."""
    run = three()
    run.succeed("flow/double", 8)
    assert run.outcome == Succeeded(8, "run")


def test_an_undo_is_retried_with_the_same_key() -> None:
    """S5, S24: three attempts by default, with backoff between them."""
    run = Machine(Workflow[int]("flow").step(increase).compensate(undo).step(double).compile(), 0)
    run.succeed("flow/increase", 1)
    run.fail("flow/double")
    keys = set()
    for attempt in (1, 2, 3):
        effect = run.pending["flow/increase"]
        assert isinstance(effect, RunUndo)
        assert effect.attempt == attempt
        keys.add(effect.key("run"))
        run.fail("flow/increase") if attempt % 2 else run.time_out("flow/increase")
        if attempt < 3:
            assert isinstance(run.pending["flow/increase"], StartTimer)
            run.fire("flow/increase")
    assert keys == {"run:flow/increase:undo"}
    assert isinstance(run.outcome, Failed)
    [state] = run.outcome.rollback.steps
    assert isinstance(state, NotUndone)
    assert "NOT undone, its undo failed with tests.machine.Declined: no" in str(run.outcome.rollback)


def test_an_undo_that_fails_for_good_holds_what_came_before_it() -> None:
    """S26: what the step built on stays; the failure of the run stays the first one."""
    run = three()
    run.fail("flow/double")
    run.succeed("flow/third")
    run.fail("flow/second", OSError("gone"))
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "tests.machine.Declined"
    undone, failed, held = run.outcome.rollback.steps
    assert undone == Undone("flow/third")
    assert isinstance(failed, NotUndone)
    assert held == Held("flow/first", "flow/second")
    assert run.outcome.rollback.verdict == "partial"


def test_an_undo_that_fails_holds_no_sibling_of_a_fork() -> None:
    """S26: what ran beside the step is undone all the same; what came before both is held."""
    flow = Workflow[int]("flow").step(first).fork(second).fork(third).join().step(lambda pair: pair)
    run = Machine(flow.compile(), 0)
    for path in ("flow/first", "flow/fork/second", "flow/fork/third"):
        run.succeed(path, 1)
    run.fail("flow/step")
    run.fail("flow/fork/third")
    run.succeed("flow/fork/second")
    assert run.outcome is not None
    assert [type(state).__name__ for state in run.outcome.rollback.steps] == ["UndoFailed", "Undone", "Held"]


def needing(g: Graph[int]) -> Any:
    """Build a graph of four: the second needs the first, the fourth the second and the third, which needs nothing."""
    a = g.node(first, g.input, name="a")
    b = g.node(second, a, name="b")
    c = g.node(third, g.input, name="c")
    return g.node(step(sum_of).compensate(void, retry=ONCE), b, c, name="d")


@pytest.mark.parametrize(("stuck", "held"), [("d", "cba"), ("b", "a"), ("c", ""), ("a", "")])
def test_an_undo_that_fails_holds_what_it_needs_in_a_graph(stuck, held) -> None:
    """S26: directly or not; a member that it does not need ran beside it and is undone."""
    run = Machine(Workflow[int]("flow").step(graph(needing), name="graph").step(double).compile(), 0)
    for name in "acbd":
        run.succeed(f"flow/graph/{name}", 1)
    run.fail("flow/double")
    while run.outcome is None:
        [path] = run.running
        run.fail(path) if path == f"flow/graph/{stuck}" else run.succeed(path)
    ends = {state.path[-1]: type(state) for state in run.outcome.rollback.steps}
    assert {name for name in "abcd" if ends[name] is Held} == set(held)
    assert [name for name in "abcd" if ends[name] is NotUndone] == [stuck]


def test_an_undo_that_fails_holds_what_came_before_it_in_its_own_item() -> None:
    """S26, S27: another item of the map is undone all the same."""
    both = Workflow[int]("both").step(first).step(second)
    run = Machine(Workflow[list[int]]("flow").map(both).step(lambda numbers: numbers).compile(), [1, 2])
    for path in ("flow/both[0]/first", "flow/both[1]/first", "flow/both[0]/second", "flow/both[1]/second"):
        run.succeed(path, 1)
    run.fail("flow/step")
    run.fail("flow/both[1]/second")
    run.succeed("flow/both[0]/second")
    run.succeed("flow/both[0]/first")
    assert run.outcome is not None
    assert run.outcome.rollback.steps[1] == Held("flow/both[1]/first", "flow/both[1]/second")


def test_an_undo_that_fails_holds_the_fork_before_it() -> None:
    """S26: what stands in an earlier group came before it, in whichever arm."""
    flow = Workflow[int]("flow").fork(first).fork(second).join().pure(sum).fork(third).fork(double).join()
    run = Machine(flow.compile(), 0)
    for path in ("flow/fork/first", "flow/fork/second", "flow/fork_2/third"):
        run.succeed(path, 1)
    run.fail("flow/fork_2/double")
    run.fail("flow/fork_2/third")
    assert run.outcome is not None
    assert [type(state).__name__ for state in run.outcome.rollback.steps] == ["UndoFailed", "Held", "Held"]


def test_a_failed_undo_in_a_nested_workflow_holds_outward() -> None:
    """S26: an enclosing workflow holds what the nested one had built on."""
    inner = Workflow[int]("inner").step(second).step(double)
    run = Machine(Workflow[int]("flow").step(first).step(inner).compile(), 0)
    run.succeed("flow/first", 1)
    run.succeed("flow/inner/second", 2)
    run.fail("flow/inner/double")
    run.fail("flow/inner/second")
    assert run.outcome is not None
    assert run.outcome.rollback.steps[1] == Held("flow/first", "flow/inner/second")


def test_a_nested_workflow_unwinds_before_its_parent() -> None:
    """S19, S27: a failed sub-workflow unwinds itself as a block, then its parent the rest."""
    inner = Workflow[int]("inner").step(second).step(double)
    run = Machine(Workflow[int]("flow").step(first).step(inner).step(third).compile(), 0)
    run.succeed("flow/first", 1)
    run.succeed("flow/inner/second", 2)
    run.fail("flow/inner/double")
    assert run.running == ["flow/inner/second"]
    run.succeed("flow/inner/second")
    run.succeed("flow/first")
    assert run.outcome is not None
    assert run.outcome.rollback.undone == ("flow/inner/second", "flow/first")


def test_a_nested_workflow_that_had_succeeded_is_unwound_at_its_place() -> None:
    """S27: its steps stand in reverse plan order among the parent's."""
    inner = Workflow[int]("inner").step(second)
    run = Machine(Workflow[int]("flow").step(first).step(inner).step(third).step(double).compile(), 0)
    for path in ("flow/first", "flow/inner/second", "flow/third"):
        run.succeed(path, 1)
    run.fail("flow/double")
    for path in ("flow/third", "flow/inner/second", "flow/first"):
        run.succeed(path)
    assert run.outcome is not None


def test_items_are_undone_by_number_the_last_first() -> None:
    """S4, S23, S27: twelve items, whatever the order of completion; item 11 before item 2."""
    flow = Workflow[list[int]]("flow").map(first).step(lambda numbers: numbers)
    run = Machine(flow.compile(), list(range(12)))
    for index in (3, 11, 0, 7, 1, 2, 10, 9, 8, 6, 5, 4):
        run.succeed(f"flow/first[{index}]", index)
    run.fail("flow/step")
    while run.outcome is None:
        run.succeed(run.running[0])
    assert run.outcome.rollback.undone == tuple(f"flow/first[{index}]" for index in range(11, -1, -1))


@pytest.mark.parametrize("how", ["timeout", "connection", "leak", "cancel"])
def test_an_uncertain_attempt_leaves_the_step_in_doubt(how) -> None:
    """S22: timed out, lost connection, leaked or cancelled: nobody knows whether the effect landed."""
    body = step(increase).compensate(undo, in_doubt=settle)
    run = Machine(Workflow[int]("flow").step(first).step(body).compile(), 0)
    run.succeed("flow/first", 1)
    match how:
        case "timeout":
            run.time_out("flow/increase")
        case "connection":
            run.fail("flow/increase", ConnectionResetError())
        case "leak":
            run.leak("flow/increase", 1.0)
        case _:
            run.cancel()
            run.end_cancelled("flow/increase")
    effect = run.pending["flow/increase"]
    assert isinstance(effect, RunUndo)
    assert (effect.by, effect.value, effect.body.call) == ("in_doubt", 1, settle)
    assert effect.key("run") == "run:flow/increase:in_doubt"
    run.succeed("flow/increase")
    run.succeed("flow/first")
    assert run.outcome is not None
    assert run.outcome.rollback.steps == (Undone("flow/increase", "in_doubt"), Undone("flow/first"))
    assert run.outcome.rollback.verdict == "complete"


def test_a_doubt_without_a_handler_is_listed_and_left_alone() -> None:
    """S22, S26: an in-doubt step holds nothing, and makes the rollback partial."""
    run = Machine(Workflow[int]("flow").step(first).step(second).compile(), 0)
    run.succeed("flow/first", 1)
    run.time_out("flow/second")
    run.succeed("flow/first")
    assert run.outcome is not None
    assert run.outcome.rollback.steps == (InDoubt("flow/second"), Undone("flow/first"))
    assert run.outcome.rollback.verdict == "partial"


def test_a_doubt_stays_when_a_later_attempt_fails_clearly() -> None:
    """S22: one uncertain attempt is enough, whatever the later ones say."""
    body = step(increase, retry=Retry(max_attempts=2)).compensate(undo)
    run = Machine(Workflow[int]("flow").step(body).compile(), 0)
    run.time_out("flow/increase")
    run.fire("flow/increase")
    run.fail("flow/increase", Declined())
    assert run.outcome is not None
    assert run.outcome.rollback.steps == (InDoubt("flow/increase"),)


def test_a_success_after_a_doubt_arms_the_step() -> None:
    """S22: any attempt that succeeds arms the step, and then only `undo(output)` concerns it."""
    body = step(increase, retry=Retry(max_attempts=2)).compensate(undo, in_doubt=settle)
    run = Machine(Workflow[int]("flow").step(body).step(double).compile(), 0)
    run.time_out("flow/increase")
    run.fire("flow/increase")
    run.succeed("flow/increase", 7)
    run.fail("flow/double")
    assert (run.pending["flow/increase"].by, run.pending["flow/increase"].value) == ("undo", 7)


def test_an_attempt_that_never_started_leaves_no_doubt() -> None:
    """S22: it was cancelled while it waited for a place."""
    run = Machine(Workflow[int]("flow").step(second).compile(), 0)
    run.cancel()
    run.end_cancelled("flow/second", started=False)
    assert run.outcome == Cancelled("enough", "run")


def test_a_late_success_arms_what_unwinding_has_not_reached() -> None:
    """S24: the output of a leaked attempt is undone if it lands in time."""
    flow = Workflow[int]("flow").fork(first).fork(second).fork(third).join()
    run = Machine(flow.compile(), 0)
    run.succeed("flow/fork/third", 3)
    run.fail("flow/fork/second")
    run.leak("flow/fork/first")
    assert run.running == ["flow/fork/third"]
    undo_of_third = run.pending["flow/fork/third"]
    run.give(StepSucceeded("flow/fork/first", 0.0, 1, 9))
    run.pending["flow/fork/third"] = undo_of_third
    run.succeed("flow/fork/third")
    assert (run.pending["flow/fork/first"].by, run.pending["flow/fork/first"].value) == ("undo", 9)
    run.succeed("flow/fork/first")
    assert run.outcome is not None
    assert run.outcome.rollback.undone == ("flow/fork/third", "flow/fork/first")
    assert run.outcome.leaked == ("flow/fork/first#1",)


def test_a_late_success_behind_the_unwinding_is_only_listed() -> None:
    """S24: unwinding has passed it, so it stays in doubt and is named as leaked."""
    flow = Workflow[int]("flow").step(first).step(second)
    run = Machine(flow.compile(), 0)
    run.succeed("flow/first", 1)
    run.leak("flow/second", 1.0)
    assert run.running == ["flow/first"]
    run.give(StepSucceeded("flow/second", 0.0, 1, 9))
    run.succeed("flow/first")
    assert run.outcome is not None
    assert run.outcome.rollback.steps == (InDoubt("flow/second"), Undone("flow/first"))


def test_unwinding_is_shielded_from_a_cancel() -> None:
    """S24, S28: the failure has decided; a cancel neither stops the undo nor changes the outcome."""
    run = three()
    run.fail("flow/double")
    before = run.state.root
    run.cancel()
    assert run.state.root == before
    assert run.state.ledger.cancel is None
    run.run()
    assert isinstance(run.outcome, Failed)
    assert run.outcome.rollback.verdict == "complete"


def test_unwinding_is_shielded_from_the_failure_of_a_sibling() -> None:
    """S18, S24: an arm that unwinds is not cancelled with the others; the first failure stays primary."""
    inner = Workflow[int]("inner").step(second).step(double)
    run = Machine(Workflow[int]("flow").fork(inner).fork(increase).fork(third).join().compile(), 0)
    run.succeed("flow/fork/inner/second", 1)
    run.fail("flow/fork/inner/double", Declined("first"))
    run.fail("flow/fork/increase", Declined("second"))
    assert run.cancelling == {"flow/fork/third"}
    run.end_cancelled("flow/fork/third", started=False)
    run.succeed("flow/fork/inner/second")
    assert isinstance(run.outcome, Failed)
    assert run.outcome.rollback.undone == ("flow/fork/inner/second",)
    assert run.outcome.failure.message == "first"
    assert [later.message for later in run.outcome.failure.attached] == ["second"]


def test_an_undo_that_leaks_is_named() -> None:
    """S24: an undo that outlives its timeout and the grace counts as failed and is listed as leaked."""
    from orchestration.interpreter.events import UndoTimedOut

    run = Machine(Workflow[int]("flow").step(first).step(double).compile(), 0)
    run.succeed("flow/first", 1)
    run.fail("flow/double")
    run.give(UndoTimedOut("flow/first", 0.0, 1, 30.0, leaked=True))
    assert run.outcome is not None
    assert run.outcome.leaked == ("flow/first:undo#1",)
    assert run.outcome.rollback.verdict == "partial"


@pytest.mark.parametrize("failed", [True, False])
def test_the_late_end_of_a_leaked_undo_changes_nothing(failed) -> None:
    """S24: what a leaked undo reports later is taken and has no effect."""
    from orchestration.interpreter.events import UndoTimedOut

    run = three()
    run.fail("flow/double")
    run.give(UndoTimedOut("flow/third", 0.0, 1, 30.0, leaked=True))
    assert run.outcome is not None, "the undo of the third holds the others"
    flow = Workflow[int]("flow").fork(first).fork(second).join().step(lambda pair: pair)
    run = Machine(flow.compile(), 0)
    run.succeed("flow/fork/first", 1)
    run.succeed("flow/fork/second", 1)
    run.fail("flow/step")
    run.give(UndoTimedOut("flow/fork/second", 0.0, 1, 30.0, leaked=True))
    before = run.state.root
    late: Any = UndoTimedOut("flow/fork/second", 0.0, 1, 30.0)
    if failed:
        late = UndoFailed("flow/fork/second", 0.0, 1, failure("flow/fork/second"))
    run.give(late)
    assert run.state.root == before
    with pytest.raises(IllegalEvent):
        run.give(late)


@pytest.mark.parametrize(
    "event",
    [
        UndoSucceeded("flow/second", 0.0, 1),
        UndoSucceeded("flow/third", 0.0, 2),
        StepSucceeded("flow/third", 0.0, 1, 1),
        TimerFired("flow/third", 0.0),
    ],
    ids=repr,
)
def test_an_illegal_event_while_unwinding_is_refused(event) -> None:
    """S3: only the undo under way may end."""
    run = three()
    run.fail("flow/double")
    with pytest.raises(IllegalEvent):
        run.give(event)


def test_a_backoff_of_an_undo_is_not_cut_short() -> None:
    """S3: during the backoff of an undo only its timer is legal, and not before it is due."""
    run = Machine(Workflow[int]("flow").step(increase).compensate(undo).step(double).compile(), 0)
    run.succeed("flow/increase", 1)
    run.fail("flow/double")
    run.fail("flow/increase")
    due = run.pending["flow/increase"].due
    for event in (TimerFired("flow/increase", due - 0.01), UndoSucceeded("flow/increase", due, 1)):
        with pytest.raises(IllegalEvent):
            run.give(event)


def test_a_composite_is_undone_as_a_whole() -> None:
    """S27: a fork with one undo is armed when all of it has succeeded, and undone with its output."""
    flow = Workflow[int]("flow").fork(increase).fork(double).join().compensate(void).step(lambda pair: pair)
    run = Machine(flow.compile(), 0)
    run.succeed("flow/fork/increase", 1)
    run.succeed("flow/fork/double", 2)
    run.fail("flow/step")
    assert run.pending["flow/fork"].value == (1, 2)
    run.succeed("flow/fork")
    assert run.outcome is not None
    assert run.outcome.rollback.undone == ("flow/fork",)


def test_a_composite_that_fails_or_is_cancelled_is_not_armed() -> None:
    """S27: there is nothing to undo as a whole if the whole never succeeded."""
    flow = Workflow[int]("flow").fork(increase).fork(double).join().compensate(void)
    run = Machine(flow.compile(), 0)
    run.fail("flow/fork/increase")
    run.end_cancelled("flow/fork/double")
    assert run.outcome is not None
    assert run.outcome.rollback.steps == ()
    run = Machine(flow.compile(), 0)
    run.cancel()
    run.end_cancelled("flow/fork/increase")
    run.end_cancelled("flow/fork/double")
    assert run.outcome == Cancelled("enough", "run")


def folded() -> Machine:
    """Return a run of a fold of two items with one undo, the first of which is done."""
    flow = Workflow[list[int]]("flow").fold(0, pair_total, name="sum").compensate(void, retry=ONCE).step(double)
    run = Machine(flow.compile(), [1, 2])
    run.succeed("flow/sum[0]", 1)
    return run


def test_a_fold_whose_last_item_finishes_in_the_grace_is_armed() -> None:
    """S27, S28: all of it has succeeded, so it is undone as a whole; with an item left it is not armed."""
    run = folded()
    run.cancel()
    run.succeed("flow/sum[1]", 3)
    assert run.pending["flow/sum"].value == 3
    run.succeed("flow/sum")
    assert isinstance(run.outcome, Cancelled)
    assert run.outcome.rollback.steps == (Undone("flow/sum"),)
    run = folded()
    run.cancel()
    run.end_cancelled("flow/sum[1]")
    assert run.outcome == Cancelled("enough", "run")


def test_a_rollback_tells_a_person_what_happened() -> None:
    """S26: printed, it says what was undone, what was not and why."""
    run = three()
    run.fail("flow/double")
    run.succeed("flow/third")
    run.fail("flow/second", OSError("gone"))
    assert run.outcome is not None
    assert str(run.outcome.rollback).splitlines() == [
        "rollback PARTIAL",
        "  flow/third: undone",
        "  flow/second: NOT undone, its undo failed with OSError: gone",
        "  flow/first: NOT undone, held because flow/second could not be undone",
    ]
