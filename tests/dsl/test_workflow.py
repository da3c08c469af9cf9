"""The builder: workflows as values (S4, S19)."""

from __future__ import annotations

import asyncio
import typing
from typing import Any

import pytest

from orchestration import Failure, Retry, Services, Signal, Workflow, WorkflowFailed, graph, step
from orchestration.dsl.typed import Typed
from orchestration.plan.compile import Plan
from orchestration.plan.nodes import Compensated, Map, Pure
from orchestration.plan.nodes import Step as StepNode
from orchestration.plan.registry import Registry
from tests import bodies
from tests.bodies import Order, Receipt, double, increase, is_even, pair_total, settle, spread, undo, void

flow: Any = Workflow[int]("f")
T = typing.TypeVar("T")


class Users:
    """A service."""

    def __init__(self, bonus: int) -> None:
        """Know how much to add."""
        self.bonus = bonus

    def get(self, number: int) -> int:
        """Return the number, and more."""
        return number + self.bonus


def message_length(failure: Failure) -> int:
    """Make a number of a failure."""
    return len(failure.message)


def fail(number: int) -> int:
    """Raise."""
    raise ValueError(number)


def names(workflow: Any) -> list[str]:
    """Return the names of the steps of a workflow."""
    return [node.name for node in workflow.compile().root.children]


METHODS = {
    "step": lambda before: before.step(double),
    "pure": lambda before: before.pure(double),
    "tap": lambda before: before.tap(double),
    "enrich": lambda before: before.enrich(double).into(pair_total),
    "branch": lambda before: before.branch().when(is_even, double).otherwise(increase),
    "exhaustive": lambda before: before.branch().case(int, double).exhaustive(),
    "fork": lambda before: before.fork(double).fork(increase).join(pair_total),
    "map": lambda before: before.step(spread).map(double),
    "race": lambda before: before.fork(double).fork(increase).race(),
    "into": lambda before: before.step(spread).map(double).into(0, pair_total),
    "enumerate": lambda before: before.step(spread).enumerate(),
    "fold": lambda before: before.step(spread).fold(0, pair_total),
    "loop": lambda before: before.loop(increase, until=lambda value, _: value > 3, max_iterations=9),
    "recover": lambda before: before.recover(message_length, on=ValueError),
    "cleanup": lambda before: before.cleanup(void),
    "pivot": lambda before: before.pivot(),
    "sleep": lambda before: before.sleep(0.1),
    "wait_for": lambda before: before.wait_for(Signal("go", int)),
    "graph": lambda before: before.step(graph(lambda g: g.node(double, g.input))),
    "compensate": lambda before: before.step(double).compensate(undo),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_a_method_returns_a_new_workflow_and_leaves_the_old_one(method) -> None:
    """S1: a workflow is a value; nothing that is built on it changes it."""
    before = flow.step(increase)
    plan = before.compile()
    after = method(before)
    assert after is not before
    assert names(before) == ["increase"]
    assert before.compile() == plan
    assert names(after)[0] == "increase"
    assert len(names(after)) > 1
    assert type(before) is type(flow.step(increase))


def test_two_workflows_from_one_prefix_do_not_meet() -> None:
    """S1: each goes its own way, also from an open branch, fork or enrichment."""
    start = flow.step(increase)
    assert names(start.step(double)) == ["increase", "double"]
    assert names(start.pure(str)) == ["increase", "str"]
    branch = start.branch().when(is_even, double)
    one, other = branch.otherwise(increase), branch.when(is_even, increase).otherwise(double)
    assert len(one.compile().root.children[1].arms) == 1
    assert len(other.compile().root.children[1].arms) == 2
    fork = start.fork(double)
    assert len(fork.join().compile().root.children[1].vertices) == 1
    assert len(fork.fork(double).join().compile().root.children[1].vertices) == 2
    enrich = start.enrich(double)
    assert enrich.into(pair_total).compile() != enrich.into(max).compile()
    compensated = start.step(double)
    assert compensated.compensate(undo).compile() != compensated.compensate(settle).compile()
    assert compensated.compile().root.children[1].compensation is None


def test_a_workflow_is_compiled_once() -> None:
    """S1: a plan is immutable, so that one will do."""
    workflow = flow.step(double)
    assert workflow.compile() is workflow.compile()
    assert isinstance(workflow.compile(), Plan)


@pytest.mark.parametrize("tp", [Order, int | str, list[Order], Order | None, None, typing.Any, dict[str, list[int]]])
def test_the_type_in_brackets_is_the_type_that_is_taken(tp) -> None:
    """S12: what a checker sees is kept for the plan."""
    assert Workflow[tp]("x").compile().takes == tp
    assert Workflow[tp, str]("x").compile().takes == tp
    assert Workflow[tp]("x", version="3").compile().root.version == "3"
    assert Workflow("x", takes=tp).compile().takes == tp


def test_without_brackets_nothing_is_known() -> None:
    """S6: any input will do."""
    assert Workflow("x").compile().takes is Any
    assert Workflow[T]("x").compile().takes is Any


def annotated(workflow: Workflow[Order], others: list[Workflow[Order, Receipt] | None]) -> Workflow[int | str, Receipt]:
    """Have workflows in its annotations."""
    raise NotImplementedError


def test_a_workflow_with_its_type_is_an_annotation() -> None:
    """S12: `Workflow[Order]` is a generic alias in every respect."""
    hints = typing.get_type_hints(annotated)
    assert hints["workflow"] == Workflow[Order]
    assert typing.get_args(hints["workflow"]._alias)[0] is Order
    assert repr(hints["workflow"]).startswith("orchestration.dsl.workflow.Workflow[tests.bodies.Order")
    assert hints["return"].__origin__ is Workflow
    assert hints["return"].__args__[:2] == (int | str, Receipt)


def test_aliases_are_compared_hashed_and_joined_as_aliases() -> None:
    """S12: an alias is a value."""
    one, other = Workflow[Order], Workflow[Receipt]
    assert isinstance(one, Typed)
    assert one == Workflow[Order]
    assert one == one._alias
    assert one != other
    assert one != Order
    assert len({one, Workflow[Order], other}) == 2
    assert (one | None).__args__[1] is type(None)
    assert (None | one).__args__[0] is type(None)
    assert not hasattr(one, "nothing")


def test_a_class_over_type_variables_only_names_a_base() -> None:
    """S12: `class Mine(Workflow[T])` is how a generic class is written."""
    assert not isinstance(Workflow[T], Typed)
    assert not isinstance(Workflow[T, int], Typed)


def test_a_long_chain_compiles() -> None:
    """S6: no recursion along a chain, and every method is as quick at its end as at its start."""
    chain = flow
    for number in range(10_000):
        chain = chain.step(increase, name=f"step{number}")
    plan = chain.compile()
    assert len(plan.nodes) == 10_001
    assert plan.nodes[-1].name == "step9999"
    assert Plan.from_json(plan.to_json(), Registry(bodies)).fingerprint == plan.fingerprint
    assert plan.to_mermaid().count("-->") == 10_001
    del chain, plan


def test_run_sync_returns_the_value() -> None:
    """S19: one call from a workflow to its result."""
    assert flow.step(increase).pure(double).run_sync(3) == 8
    assert flow.run_sync(3) == 3


def test_run_sync_raises_what_run_raises() -> None:
    """S8: the original exception is the cause."""
    with pytest.raises(WorkflowFailed) as caught:
        flow.step(fail).run_sync(3)
    assert isinstance(caught.value.__cause__, ValueError)


def test_run_takes_the_services_that_a_workflow_needs() -> None:
    """S7: a method is called on the service of its class."""
    workflow = flow.step(Users.get).step(double)
    assert asyncio.run(workflow.run(3, Services().bind(Users).to(Users(4)))) == 14
    assert workflow.run_sync(3, Services().bind(Users).to(Users(5))) == 16


@pytest.mark.parametrize(
    ("composite", "value"),
    [
        (flow.fork(double).fork(increase).join(), 1),
        (flow.step(spread).map(double), 3),
        (flow.enrich(double).into(pair_total), 3),
        (flow.step(Workflow[int]("sub").step(double).step(increase)), 3),
    ],
    ids=["join", "map", "enrich", "workflow"],
)
def test_a_composite_can_be_compensated_as_a_whole(composite, value) -> None:
    """S27: the undo gets the output of the whole."""
    seen: list[Any] = []
    whole = composite.compensate(seen.append, retry=Retry(max_attempts=1), timeout=5)
    node = whole.compile().root.children[-1]
    assert isinstance(node, Compensated)
    assert not isinstance(node.body, StepNode)
    assert (node.compensation.timeout, node.compensation.retry.max_attempts) == (5, 1)
    output = composite.run_sync(value)
    with pytest.raises(WorkflowFailed):
        whole.step(lambda _: fail(0)).run_sync(value)
    assert seen == [output]


def test_an_undo_behind_a_joining_step_is_that_steps() -> None:
    """S27: after `join(body)` a compensation concerns that body only."""
    joined = flow.fork(double).fork(increase).join(pair_total).compensate(void).compile().root.children
    assert [type(node).__name__ for node in joined] == ["Graph", "Step"]
    assert joined[1].spread
    assert joined[1].compensation.undo.call is void


def test_an_item_may_have_policies_of_its_own() -> None:
    """S9: `step(body, ...)` is how an arm or an item gets them."""
    node = flow.step(spread).map(step(increase, retry=Retry())).compile().root.children[1]
    assert isinstance(node, Map)
    assert node.body.retry == Retry()
    assert isinstance(step(double).pure(double).compile().root.children[1], Pure)


@pytest.mark.parametrize(
    ("opened", "text"),
    [
        (flow.branch(), "an open branch (close it with .otherwise(body) or .exhaustive())"),
        (flow.fork(double), "an open fork (close it with .join(), .join(body) or .race())"),
        (flow.enrich(double), "an open enrich (close it with .into(combine))"),
    ],
)
def test_what_is_open_says_so(opened, text) -> None:
    """S13: so that a message about it can be understood."""
    assert repr(opened) == text
