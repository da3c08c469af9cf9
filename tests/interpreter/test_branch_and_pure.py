"""Branches, pure functions, taps and enrichments (S7, S13, S21)."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from orchestration import Workflow
from orchestration.interpreter.effects import RunStep
from orchestration.outcomes import Cancelled, Failed, Succeeded
from tests.bodies import Order, Receipt, double, increase, is_even, pair_total
from tests.interpreter.parts import kinds, plain
from tests.machine import Machine


def explode(value: object) -> bool:
    """Raise."""
    message = f"cannot judge {value}"
    raise ValueError(message)


async def later(n: int) -> int:
    """Return a number, awaited."""
    return n


def test_the_first_arm_that_holds_is_taken() -> None:
    """S13: arms are asked in order; the others do not run."""
    flow = Workflow[int]("flow").branch().when(lambda n: n > 1, increase).when(lambda n: n > 0, double).otherwise(later)
    for value, path in ((2, "flow/branch/increase"), (1, "flow/branch/double"), (0, "flow/branch/later")):
        assert Machine(flow.compile(), value).running == [path]


def test_cases_go_by_type() -> None:
    """S13: `case` takes instances of a class, and the body gets them."""
    flow = Workflow[Order | Receipt]("flow").branch().case(Order, lambda o: o.id).case(Receipt, lambda r: r.number)
    plan = flow.exhaustive().compile()
    assert Machine(plan, Receipt(7)).run() == Succeeded(7, "run")
    assert Machine(plan, Order("a")).run() == Succeeded("a", "run")


def test_cases_go_by_literal() -> None:
    """S13: a case takes an equal value of the same class, so `True` is no 1."""
    branch = Workflow[Any]("flow").branch().case(1, plain("one")).case("1", plain("text"))
    plan = branch.otherwise(plain("other")).compile()
    for value, name in ((1, "one"), ("1", "text"), (True, "other"), (1.0, "other")):
        assert Machine(plan, value).running == [f"flow/branch/{name}"]


def test_no_arm_for_a_value_is_a_failure_that_names_the_arms() -> None:
    """S13: the declared type was covered, but another value came."""
    plan = Workflow[Order]("flow").branch().case(Order, lambda o: o.id, name="pay").exhaustive().compile()
    run = Machine(plan, 3)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "orchestration.errors.NoBranchMatched"
    assert "found a int" in run.outcome.failure.message
    assert "(pay)" in run.outcome.failure.message


def test_a_predicate_that_raises_fails_its_branch() -> None:
    """S7: like a step."""
    run = Machine(Workflow[int]("flow").branch().when(explode, increase).otherwise(double).compile(), 3)
    assert isinstance(run.outcome, Failed)
    assert str(run.outcome.failure) == "flow/branch/increase: ValueError: cannot judge 3"


class Unclear:
    """An answer that nobody can take for yes or no, as an array of numpy is."""

    def __bool__(self) -> bool:
        """Raise."""
        raise ValueError("ambiguous")


def test_an_answer_without_a_truth_value_fails_its_branch_or_loop() -> None:
    """S7: what a predicate returns is a user's object, and no defect of the interpreter."""
    branch = Workflow[Any]("flow").branch().when(lambda _: Unclear(), plain("a")).otherwise(plain("b"))
    assert kinds(Machine(branch.compile(), 1)) == ["ValueError"]
    loop = Workflow[Any]("flow").loop(plain("a"), while_=lambda value, index: Unclear(), max_iterations=3)
    assert kinds(Machine(loop.compile(), 1)) == ["ValueError"]


def test_a_pure_function_is_evaluated_without_an_effect() -> None:
    """S7: the interpreter calls it itself; one that raises fails its node."""
    run = Machine(Workflow[int]("flow").pure(double).pure(increase).compile(), 3)
    assert (run.outcome, run.log) == (Succeeded(7, "run"), [])
    run = Machine(Workflow[int]("flow").pure(explode).compile(), 3)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.path == "flow/explode"


@pytest.mark.parametrize("body", [lambda n: later(n + 1), lambda _: Awaited()], ids=["coroutine", "awaitable"])
def test_a_pure_function_that_returns_an_awaitable_fails(body) -> None:
    """S7: pure functions are synchronous; what cannot be seen at compile time fails at run time."""
    run = Machine(Workflow[int]("flow").pure(body).compile(), 3)
    assert isinstance(run.outcome, Failed)
    assert "use .step(...)" in run.outcome.failure.message


def test_a_coroutine_that_nobody_may_await_is_closed() -> None:
    """S7: else Python would warn of it later, far from the function that has made it."""
    made = []

    def forgets(n: int) -> object:
        made.append(later(n))
        return made[0]

    Machine(Workflow[int]("flow").pure(forgets).compile(), 3)
    assert inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED


class Awaited:
    """Something to await that cannot be closed."""

    def __await__(self):
        """Wait for nothing."""
        yield


def test_a_tap_passes_its_input_on() -> None:
    """S21: the output of the body is dropped."""
    run = Machine(Workflow[int]("flow").tap(double).step(increase).compile(), 3)
    run.succeed("flow/double", 99)
    assert run.pending["flow/increase"].value == 3


def test_an_enrichment_combines_the_value_with_the_output() -> None:
    """S21: `combine(value, output)`; one that raises fails its node."""
    run = Machine(Workflow[int]("flow").enrich(double).into(pair_total).compile(), 3)
    run.succeed("flow/double", 6)
    assert run.outcome == Succeeded(9, "run")
    run = Machine(Workflow[int]("flow").enrich(double).into(lambda one, other: one // other).compile(), 3)
    run.succeed("flow/double", 0)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "ZeroDivisionError"


def test_nothing_is_combined_after_a_cancel() -> None:
    """S28: the body may finish, its combiner is not asked any more; a tap has finished with its body."""
    run = Machine(Workflow[int]("flow").enrich(double).into(explode_two).compile(), 3)
    run.cancel()
    run.succeed("flow/double", 6)
    assert run.outcome == Cancelled("enough", "run")
    run = Machine(Workflow[int]("flow").tap(double).compile(), 3)
    run.cancel()
    run.succeed("flow/double", 6)
    assert run.outcome == Cancelled("enough", "run")


def explode_two(one: object, other: object) -> bool:
    """Raise."""
    return explode((one, other))


def test_the_same_workflow_may_stand_in_many_places() -> None:
    """S4, S19: the path tells them apart."""
    inner = Workflow[int]("inner").step(increase)
    flow = Workflow[int]("flow").step(inner).step(inner).branch().when(is_even, inner).otherwise(inner)
    run = Machine(flow.compile(), 0)
    run.run()
    paths = [effect.path for effect in run.log if isinstance(effect, RunStep)]
    assert paths == ["flow/inner/increase", "flow/inner_2/increase", "flow/branch/inner/increase"]
