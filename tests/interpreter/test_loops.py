"""Loops and folds: tests, bounds, compensation, and that they keep little (S16, S17)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestration import Workflow
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.events import StepSucceeded
from orchestration.interpreter.serial import state_to_data
from orchestration.outcomes import Cancelled, Succeeded
from tests.bodies import double, increase, pair_total
from tests.interpreter.parts import Flow, armed, chain, failure_of, kinds, plain, undone
from tests.machine import Machine

Asked = list[tuple[object, int]]


def looping(body: Any, value: object = 0, **options: Any) -> Machine:
    """Return a run of one loop, of at most five iterations."""
    return Machine(Workflow[Any]("flow").loop(body, **{"max_iterations": 5, **options}).compile(), value)


def asked(until: int) -> tuple[Any, Asked]:
    """Return a test that holds from a value on, and a list of what it was asked."""
    seen: Asked = []

    def test(value: int, index: int) -> bool:
        seen.append((value, index))
        return value >= until

    return test, seen


def test_until_is_asked_after_each_iteration() -> None:
    """S17: with the new value and the index of the iteration; each output is the next input."""
    test, seen = asked(3)
    run = looping(increase, until=test)
    assert seen == []
    assert run.run() == Succeeded(3, "run")
    assert seen == [(1, 0), (2, 1), (3, 2)]
    effects = [(effect.path, effect.value) for effect in run.log if isinstance(effect, RunStep)]
    assert effects == [(f"flow/increase[{n}]", n) for n in range(3)]


def test_while_is_asked_before_each_iteration() -> None:
    """S17: with the value and the index of the one that would begin; none at all is possible."""
    seen: Asked = []
    run = looping(increase, while_=lambda value, index: seen.append((value, index)) or value < 2)
    assert run.run() == Succeeded(2, "run")
    assert seen == [(0, 0), (1, 1), (2, 2)]
    run = looping(increase, 9, while_=lambda value, _: value < 2)
    assert run.outcome == Succeeded(9, "run")
    assert run.log == []


@pytest.mark.parametrize("test", ["until", "while_"])
def test_past_the_bound_it_fails_with_the_last_value(test) -> None:
    """S17: after exactly so many iterations; the value is told, and there in this process."""
    answer = test == "while_"
    run = looping(increase, **{test: lambda value, index: answer})
    run.run()
    assert kinds(run) == ["LoopLimitExceeded"]
    assert "no end after 5 iterations; the last value is 5" in failure_of(run).message
    assert getattr(failure_of(run).exception, "value", None) == 5
    assert sum(isinstance(effect, RunStep) for effect in run.log) == 5


@pytest.mark.parametrize("test", ["until", "while_"])
def test_the_bound_may_be_reached(test) -> None:
    """S17: one that ends with its last iteration is not past it."""
    run = looping(increase, **{test: lambda value, _: (value >= 5) is (test == "until")})
    assert run.run() == Succeeded(5, "run")


def test_a_test_that_raises_fails_the_loop() -> None:
    """S7: like a step that raises; what was done is undone."""
    run = looping(armed("x"), until=lambda value, index: 1 / index)
    run.succeed("flow/x[0]", 1)
    run.run()
    assert kinds(run) == ["ZeroDivisionError"]
    assert failure_of(run).path == "flow/x"
    assert undone(run) == ("flow/x[0]",)


def test_iterations_are_undone_in_reverse() -> None:
    """S23, S27: each at its place, whether the loop fails or something behind it."""
    run = looping(armed("x"), until=lambda value, index: False)
    for index in range(3):
        run.succeed(f"flow/x[{index}]", index)
    run.fail("flow/x[3]")
    run.run()
    assert undone(run) == ("flow/x[2]", "flow/x[1]", "flow/x[0]")
    flow = Workflow[Any]("flow").loop(armed("x"), until=lambda value, index: index == 1, max_iterations=3)
    run = Machine(flow.step(plain("end")).compile(), 0)
    for index in range(2):
        run.succeed(f"flow/x[{index}]", index)
    run.fail("flow/end")
    run.run()
    assert undone(run) == ("flow/x[1]", "flow/x[0]")


def test_an_iteration_that_is_a_workflow_unwinds_itself_first() -> None:
    """S19, S27: then the iterations before it."""
    run = looping(chain("inner", armed("a"), plain("b")), until=lambda value, index: False)
    for name in ("a", "b"):
        run.succeed(f"flow/inner[0]/{name}", 1)
    run.succeed("flow/inner[1]/a", 1)
    run.fail("flow/inner[1]/b")
    run.run()
    assert undone(run) == ("flow/inner[1]/a", "flow/inner[0]/a")


@pytest.mark.parametrize("ends", ["succeed", "end_cancelled"])
def test_a_cancel_ends_the_loop(ends) -> None:
    """S28: no further iteration begins, and those before are undone."""
    run = looping(plain("x"), until=lambda value, index: False)
    run.succeed("flow/x[0]", 1)
    run.cancel()
    getattr(run, ends)("flow/x[1]")
    assert run.outcome == Cancelled("enough", "run")


def test_a_cancel_of_a_fold_ends_it() -> None:
    """S28: as for a loop."""
    run = Machine(Workflow[Any]("flow").fold(0, pair_total).compile(), [1, 2])
    run.cancel()
    run.succeed("flow/pair_total[0]", 1)
    assert run.outcome == Cancelled("enough", "run")


@pytest.mark.parametrize("path", ["flow/increase", "flow/increase[1]", "flow/increase[0]/x"])
def test_an_event_for_no_iteration_under_way_is_refused(path) -> None:
    """S3: there is one at a time."""
    run = looping(increase, until=lambda value, index: False)
    with pytest.raises(IllegalEvent):
        run.give(StepSucceeded(path, 0.0, 1, 1))


def counting(body: Any) -> Flow:
    """Return a loop of ten thousand iterations."""
    return Workflow[int]("flow").loop(body, until=lambda value, _: value >= 10_000, max_iterations=10_000)


def test_a_loop_of_any_length_keeps_a_small_state() -> None:
    """S17: the accumulator and the index, nothing of the iterations before."""
    run = Machine(counting(increase).compile(), 0)
    sizes = {}
    for index in range(10_000):
        if index in (10, 9_990):
            sizes[index] = len(json.dumps(state_to_data(run.plan, run.state)))
        run.succeed(f"flow/increase[{index}]", index + 1)
    assert run.outcome == Succeeded(10_000, "run")
    assert sizes[9_990] - sizes[10] <= 3 * len("9990")


def test_a_loop_that_computes_takes_turns() -> None:
    """S7: a thousand evaluations at a stretch, then others have theirs."""
    run = Machine(counting(Workflow[int]("body").pure(increase)).compile(), 0)
    assert run.run() == Succeeded(10_000, "run")
    assert len(run.events) >= 10


def test_a_fold_takes_one_item_at_a_time() -> None:
    """S16: the step gets the accumulator and the item."""
    run = Machine(Workflow[list[int]]("flow").fold(100, pair_total).compile(), [1, 2, 3])
    effect = run.pending["flow/pair_total[0]"]
    assert isinstance(effect, RunStep)
    assert (effect.value, effect.step.spread) == ((100, 1), True)
    assert run.running == ["flow/pair_total[0]"]
    run.succeed("flow/pair_total[0]", 101)
    assert run.running == ["flow/pair_total[1]"]
    assert run.run() == Succeeded(106, "run")


def test_a_fold_over_nothing_gives_the_initial_value() -> None:
    """S16: no items, no effects."""
    run = Machine(Workflow[list[int]]("flow").fold(7, pair_total).compile(), [])
    assert run.outcome == Succeeded(7, "run")
    assert run.log == []


def test_a_fold_over_a_hundred_thousand_items_works() -> None:
    """S16: no recursion, and one step at a time."""
    run = Machine(Workflow[Any]("flow").fold(0, pair_total).compile(), range(100_000))
    for index in range(100_000):
        run.succeed(f"flow/pair_total[{index}]", index)
    assert run.outcome == Succeeded(99_999, "run")


def test_each_run_has_its_own_initial_value() -> None:
    """S2: a body that changes its accumulator changes no other run's."""
    plan = Workflow[list[int]]("flow").fold([], lambda seen, item: [*seen, item], name="f").compile()
    one, other = Machine(plan, [1]), Machine(plan, [1])
    one.pending["flow/f[0]"].value[0].append("mine")
    assert other.pending["flow/f[0]"].value == ([], 1)
    assert Machine(plan, []).outcome == Succeeded([], "run")


@pytest.mark.parametrize("value", [{3, 1}, frozenset({1}), 7, iter([1])], ids=lambda value: type(value).__name__)
def test_a_fold_refuses_what_has_no_order_or_no_items(value) -> None:
    """S2, S16: a set's order is random, an iterator is gone after one look."""
    run = Machine(Workflow[Any]("flow").fold(0, pair_total).compile(), value)
    assert kinds(run) == ["TypeError"]


class Broken:
    """What raises when its items are asked for."""

    def __iter__(self) -> None:
        """Raise."""
        raise OSError("gone")

    def __len__(self) -> int:
        """Have items, as it says."""
        return 1


@pytest.mark.parametrize("flow", [Workflow[Any]("flow").fold(0, pair_total), Workflow[Any]("flow").map(double)])
def test_items_that_cannot_be_had_fail_the_node(flow) -> None:
    """S7: a user's class that raises is a failure of the run, not of the interpreter."""
    run = Machine(flow.compile(), Broken())
    assert kinds(run) == ["OSError"]
