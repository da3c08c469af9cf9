"""Forks and maps: order, caps, failing fast (S13, S14, S16, S18)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Workflow, step
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import Continue, RunStep
from orchestration.interpreter.events import Continued, StepSucceeded
from orchestration.interpreter.few import FEW
from orchestration.interpreter.rooms import ROOMS
from orchestration.interpreter.state import Ledger
from orchestration.interpreter.turn import Done, Later, Turn
from orchestration.outcomes import Cancelled, Failed, Succeeded
from tests.bodies import double, increase, is_even, pair_total, undo
from tests.machine import Declined, Machine


def numbers(count: int, cap: int | None = None) -> Machine:
    """Return a map over so many numbers."""
    return Machine(Workflow[list[int]]("flow").map(increase, concurrency=cap).compile(), list(range(count)))


def test_a_fork_joins_in_the_order_of_declaration() -> None:
    """S14: the tuple goes by declaration, not by completion."""
    run = Machine(Workflow[int]("flow").fork(increase).fork(double).join().compile(), 4)
    assert run.running == ["flow/fork/increase", "flow/fork/double"]
    run.succeed("flow/fork/double", "second")
    run.succeed("flow/fork/increase", "first")
    assert run.outcome == Succeeded(("first", "second"), "run")


def test_a_joining_step_gets_the_outputs_as_arguments() -> None:
    """S14: `join(body)` calls the body with as many arguments as there are arms."""
    run = Machine(Workflow[int]("flow").fork(increase).fork(double).join(pair_total).compile(), 4)
    assert run.run() == Succeeded(13, "run")


def test_a_map_takes_items_in_order_and_keeps_their_order() -> None:
    """S16: items begin in order, results are in input order."""
    run = numbers(4, cap=2)
    assert run.running == ["flow/increase[0]", "flow/increase[1]"]
    run.succeed("flow/increase[1]", "b")
    assert run.running == ["flow/increase[0]", "flow/increase[2]"]
    for index, output in ((2, "c"), (3, "d"), (0, "a")):
        run.succeed(f"flow/increase[{index}]", output)
    assert run.outcome == Succeeded(["a", "b", "c", "d"], "run")


def test_a_wide_map_is_full_as_well() -> None:
    """S14, S16: the next item takes the place of one that is done, however many are under way."""
    run = numbers(FEW + 5, cap=FEW + 2)
    under_way = [f"flow/increase[{index}]" for index in range(FEW + 2)]
    assert run.running == under_way
    for following in (FEW + 2, FEW + 3, FEW + 4):
        run.succeed(under_way.pop(0), following)
        under_way.append(f"flow/increase[{following}]")
        assert run.running == under_way
    for path in under_way:
        run.succeed(path, 0)
    assert run.outcome == Succeeded([FEW + 2, FEW + 3, FEW + 4] + [0] * (FEW + 2), "run")


def test_an_empty_input_gives_an_empty_result() -> None:
    """S16: no items, no effects."""
    run = numbers(0)
    assert run.outcome == Succeeded([], "run")
    assert run.log == []


@pytest.mark.parametrize("cap", [1, 3, None])
def test_a_cap_is_held_and_used(cap) -> None:
    """S14: never more under way than the cap, and never fewer while there are items."""
    run = numbers(10, cap)
    done = 0
    while run.outcome is None:
        assert len(run.running) == min(cap or 10, 10 - done)
        run.call(run.running[-1])
        done += 1


def test_the_cap_counts_an_item_during_its_backoff() -> None:
    """S14: `concurrency` counts children until they settle, backoff included."""
    from orchestration import Retry

    flow = Workflow[list[int]]("flow").map(step(increase, retry=Retry()), concurrency=1)
    run = Machine(flow.compile(), [1, 2])
    run.fail("flow/increase[0]")
    assert run.running == []
    run.fire("flow/increase[0]")
    run.succeed("flow/increase[0]", 2)
    assert run.running == ["flow/increase[1]"]


def test_the_first_failure_cancels_the_others_and_waits_for_them() -> None:
    """S18: nothing new begins, what is in flight is cancelled and awaited, later failures are attached."""
    run = numbers(9, cap=4)
    run.fail("flow/increase[2]", Declined("first"))
    assert run.outcome is None
    assert run.cancelling == {"flow/increase[0]", "flow/increase[1]", "flow/increase[3]"}
    run.end_cancelled("flow/increase[0]")
    run.fail("flow/increase[1]", Declined("second"))
    run.succeed("flow/increase[3]", 4)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.message == "first"
    assert [later.message for later in run.outcome.failure.attached] == ["second"]
    assert sum(isinstance(effect, RunStep) for effect in run.log) == 4


def test_a_backoff_ends_when_a_sibling_fails() -> None:
    """S18: the waiting item ends at once, and its last failure is attached."""
    from orchestration import Retry

    flow = Workflow[list[int]]("flow").map(step(increase, retry=Retry()))
    run = Machine(flow.compile(), [1, 2])
    run.fail("flow/increase[0]", Declined("retried"))
    run.fire("flow/increase[0]")
    run.fail("flow/increase[0]", Declined("again"))
    run.succeed("flow/increase[1]", 2)
    run = Machine(Workflow[int]("flow").fork(step(increase, retry=Retry())).fork(double).join().compile(), 1)
    run.fail("flow/fork/increase", Declined("waits"))
    run.fail("flow/fork/double", Declined("fails"))
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.message == "fails"
    assert [later.message for later in run.outcome.failure.attached] == ["waits"]
    assert run.pending == {}


def test_what_finishes_after_a_cancel_is_armed() -> None:
    """S18, S28: a step that still succeeds keeps its outcome, and is undone."""
    armed = step(increase).compensate(undo)
    run = Machine(Workflow[int]("flow").fork(armed).fork(double).join().compile(), 1)
    run.fail("flow/fork/double")
    run.succeed("flow/fork/increase", 2)
    assert run.pending["flow/fork/increase"].value == 2


def test_a_nested_workflow_admits_nothing_after_a_siblings_failure() -> None:
    """S18, S28: its step may finish, but the next one does not begin."""
    inner = Workflow[int]("inner").step(step(increase).compensate(undo)).step(double)
    run = Machine(Workflow[int]("flow").fork(inner).fork(double).join().compile(), 1)
    run.fail("flow/fork/double")
    run.succeed("flow/fork/inner/increase", 2)
    run.succeed("flow/fork/inner/increase")
    assert isinstance(run.outcome, Failed)
    assert run.outcome.rollback.undone == ("flow/fork/inner/increase",)


def test_a_cancel_reaches_every_nested_construct() -> None:
    """S28: items, arms, taps and sub-workflows are all told, and awaited."""
    deep = Workflow[int]("deep").tap(increase).fork(increase).fork(double).join().pure(sum)
    plan = Workflow[list[int]]("flow").map(deep).compile()
    run = Machine(plan, [1, 2])
    run.succeed("flow/deep[1]/increase")
    run.cancel()
    assert run.cancelling == {"flow/deep[0]/increase", "flow/deep[1]/fork/increase", "flow/deep[1]/fork/double"}
    for path in sorted(run.cancelling):
        run.end_cancelled(path)
    assert run.outcome == Cancelled("enough", "run")


def test_a_failure_after_a_cancel_is_attached_to_the_cancel() -> None:
    """S28: the cancel has decided; what fails afterwards is told beside it."""
    run = numbers(2)
    run.cancel("stop")
    run.cancel("again")
    run.fail("flow/increase[0]")
    run.end_cancelled("flow/increase[1]")
    assert isinstance(run.outcome, Cancelled)
    assert run.outcome.reason == "stop"
    assert [late.path for late in run.outcome.attached] == ["flow/increase[0]"]


def test_a_step_that_fails_after_a_cancel_gives_a_cancel() -> None:
    """S28: the first decision stands, also for a single step."""
    run = Machine(Workflow[int]("flow").step(increase).compile(), 1)
    run.cancel()
    run.fail("flow/increase")
    assert isinstance(run.outcome, Cancelled)
    assert [late.path for late in run.outcome.attached] == ["flow/increase"]


def test_a_run_whose_last_step_finishes_after_the_cancel_is_undone() -> None:
    """S28: the cancel came first, so the run is cancelled and what it did is undone."""
    run = Machine(Workflow[int]("flow").step(increase).compensate(undo).compile(), 1)
    run.cancel()
    run.succeed("flow/increase", 2)
    run.succeed("flow/increase")
    assert isinstance(run.outcome, Cancelled)
    assert run.outcome.rollback.undone == ("flow/increase",)


def test_a_failure_before_a_cancel_stays_the_outcome() -> None:
    """S28: while the others settle, a cancel comes too late to decide."""
    run = numbers(2)
    run.fail("flow/increase[0]")
    run.cancel()
    run.end_cancelled("flow/increase[1]")
    assert isinstance(run.outcome, Failed)


@pytest.mark.parametrize("path", ["flow/increase[7]", "flow/increase[x]", "flow/increase", "flow/increase/x"])
def test_an_event_for_no_item_is_refused(path) -> None:
    """S3: there is no such child under way."""
    run = numbers(3)
    with pytest.raises(IllegalEvent, match="a child under way"):
        run.give(StepSucceeded(path, 0.0, 1, 1))


@pytest.mark.parametrize("value", [{3, 1}, frozenset({1}), 7], ids=lambda value: type(value).__name__)
def test_a_map_refuses_what_has_no_order_or_no_items(value) -> None:
    """S2, S16: a set's order is random; an iterator, which is gone after one look, is a stream."""
    run = Machine(Workflow("flow").map(increase).compile(), value)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "TypeError"


def test_each_node_that_is_entered_counts() -> None:
    """S7: what a turn may enter becomes less with each, until the next is put off."""
    plan = Workflow[int]("flow").pure(increase).compile()
    turn = Turn(ROOMS, "run", 0.0, Ledger())
    for _ in range(3):
        left = turn.budget
        assert turn.enter(plan.nodes[1], "flow/increase", 1) == Done(2)
        assert turn.budget < left
    turn.budget = 0
    assert turn.enter(plan.nodes[1], "flow/increase", 1) == Later(plan.nodes[1], "flow/increase", 1)
    assert turn.effects == [Continue("flow/increase")]


def test_a_hundred_thousand_pure_items_take_turns() -> None:
    """S7: at most a thousand nodes are entered in one turn, one `Continue` at a time."""
    run = Machine(Workflow[list[int]]("flow").map(Workflow[int]("body").pure(increase)).compile(), list(range(2_500)))
    turns = 0
    while run.outcome is None:
        [effect] = run.pending.values()
        assert isinstance(effect, Continue)
        run.go_on(effect.path)
        turns += 1
    assert turns >= 2_500 * 2 // 1_000
    assert run.outcome == Succeeded(list(range(1, 2_501)), "run")


@pytest.mark.parametrize("before", range(7))  # where in an item the turn ends
@pytest.mark.parametrize("cap", [None, 700])
def test_taking_turns_keeps_a_group_full(cap, before) -> None:
    """S7, S14: when the interpreter goes on, it admits as many as the cap allows, whatever ended at once."""
    body = Workflow[int]("body").branch().when(is_even, Workflow[int]("even").pure(double)).otherwise(increase)
    flow = Workflow[list[int]]("flow")
    for _ in range(before):
        flow = flow.pure(lambda numbers: numbers)
    run = Machine(flow.map(body, concurrency=cap).compile(), list(range(3_000)))
    while [effect for effect in run.pending.values() if isinstance(effect, Continue)]:
        run.go_on(next(path for path, effect in run.pending.items() if isinstance(effect, Continue)))
    assert len(run.running) == (cap or 1_500)


def test_what_ends_meanwhile_begins_no_further_items() -> None:
    """S7, S16: the items after the one that waits for its turn wait with it, so a slow driver has few under way."""
    run = Machine(Workflow[list[int]]("flow").map(increase).compile(), list(range(3_000)))
    begun = len(run.running)
    [path] = [path for path, effect in run.pending.items() if isinstance(effect, Continue)]
    run.succeed("flow/increase[0]", 1)
    assert (begun, len(run.running)) == (998, 997)
    run.go_on(path)
    assert len(run.running) > 1_990


def test_a_long_chain_of_pure_functions_takes_turns_and_can_be_cancelled_between() -> None:
    """S7, S28: nothing evaluates for ever; a cancel that comes between two turns ends the run."""
    flow = Workflow[int]("flow")
    for _ in range(1_500):
        flow = flow.pure(increase)
    run = Machine(flow.compile(), 0)
    [path] = run.pending
    for wrong in (Continued("flow/elsewhere", 0.0), StepSucceeded(path, 0.0, 1, 1)):
        with pytest.raises(IllegalEvent, match="Continued"):
            run.give(wrong)
    run.cancel()
    run.go_on(path)
    assert run.outcome == Cancelled("enough", "run")
    run = Machine(flow.compile(), 0)
    assert run.run() == Succeeded(1_500, "run")


def test_items_that_end_at_once_take_no_place() -> None:
    """S14, S16: in a full map, too; who comes after them begins in the same turn."""
    body = Workflow[int]("body").branch().when(is_even, increase).otherwise(Workflow[int]("same").pure(lambda n: n))
    run = Machine(Workflow[list[int]]("flow").map(body, concurrency=1).compile(), [2, 3, 5, 4])
    run.succeed("flow/body[0]/branch/increase", 20)
    assert run.running == ["flow/body[3]/branch/increase"]
    run.succeed("flow/body[3]/branch/increase", 40)
    assert run.outcome == Succeeded([20, 3, 5, 40], "run")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({3, 1}, "over a set, whose order is random: sort it first, .pure(sorted)"),
        (iter([1]), "over a list_iterator, which can be read only once: return a list instead"),
    ],
    ids=["set", "iterator"],
)
def test_what_has_no_order_of_its_own_is_refused_with_its_mend(value, message) -> None:
    """S2, S16: a replay would take the items in another order, or find none."""
    run = Machine(Workflow[Any]("flow").fold(0, pair_total).compile(), value)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.message.endswith(message)
