"""Names, numbers and paths (S4)."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from orchestration import Failure, Retry, Signal, Workflow, graph, step
from orchestration.plan.naming import DEFAULTED
from orchestration.plan.tree import child_path, children_of
from tests.bodies import double, increase, is_even, pair_total, spread, undo

flow: Any = Workflow[int]("f")


class Odd:
    """A callable object."""

    def __call__(self, number: int) -> int:
        """Return the number."""
        return number


class Users:
    """A service."""

    def get(self, number: int) -> int:
        """Return the number."""
        return number


def len_of(failure: Failure) -> int:
    """Return the length of a message."""
    return len(failure.message)


def paths(workflow: Any) -> list[str]:
    """Return the paths of all nodes in plan order, each once."""
    plan = workflow.compile()
    found: list[str] = []

    def visit(node: Any, path: str) -> None:
        if path not in found:
            found.append(path)
        for how, child in children_of(node):
            visit(child, child_path(path, how, child.name))

    visit(plan.root, plan.name)
    return found


def named(workflow: Any) -> list[str]:
    """Return the names of the nodes of a chain."""
    return [node.name for node in workflow.compile().root.children]


@pytest.mark.parametrize(
    ("workflow", "names"),
    [
        (flow.step(double).pure(increase), ["double", "increase"]),
        (flow.step(double, name="x").pure(increase, name="y-2.z"), ["x", "y-2.z"]),
        (flow.step(Users.get).step(Users().get), ["get", "get_2"]),
        (
            flow.step(functools.partial(double)).step(functools.partial(functools.partial(double))),
            ["double", "double_2"],
        ),
        (flow.step(functools.partial(lambda n: n)), ["step"]),
        (flow.step(Odd()), ["Odd"]),
        (flow.step(str), ["str"]),
        (flow.step(lambda n: n).pure(lambda n: n).tap(lambda n: n), ["step", "pure", "tap"]),
        (flow.enrich(lambda n: n).into(lambda n, _: n), ["enrich"]),
        (flow.fork(lambda n: n).fork(lambda n: n).join(lambda n, m: n + m), ["fork", "join"]),
        (flow.fork(double).join(name="both"), ["both"]),
        (flow.fork(double).join(lambda n: n, name="last"), ["fork", "last"]),
        (flow.step(spread).map(lambda n: n), ["spread", "map"]),
        (flow.step(spread).map(double, name="all"), ["spread", "all"]),
        (flow.branch().when(is_even, double).otherwise(increase), ["branch"]),
        (flow.branch(name="even").when(is_even, double).otherwise(increase), ["even"]),
        (flow.step(double).step(double).step(double), ["double", "double_2", "double_3"]),
        (flow.step(increase).compensate(undo).step(increase).compensate(undo), ["increase", "increase_2"]),
        (flow.fork(double).join().compensate(lambda _: None), ["fork"]),
        (flow.step(Workflow[int]("sub").step(double)), ["sub"]),
        (flow.step(Workflow[int]("sub").step(double), name="other"), ["other"]),
    ],
)
def test_a_node_is_called_by_its_body_and_a_lambda_by_its_method(workflow, names) -> None:
    """S4: a name that nobody gave is the body's, or the method's where the body has none; siblings are numbered."""
    assert named(workflow) == names


@pytest.mark.parametrize(
    ("workflow", "names"),
    [
        (flow.step(double).recover(lambda failure: 0, on=ValueError), ["double", "recover"]),
        (flow.step(double).recover(len_of, on=ValueError), ["double", "len_of"]),
        (flow.cleanup(undo).cleanup(lambda n: n).cleanup(undo), ["undo", "cleanup", "undo_2"]),
        (flow.step(double).pivot().step(double).pivot(), ["double", "pivot", "double_2", "pivot_2"]),
        (flow.sleep(1).sleep(2, name="rest").sleep(3), ["sleep", "rest", "sleep_2"]),
        (flow.wait_for(Signal("approval", int)).wait_for(Signal("approval", int)), ["approval", "approval_2"]),
        (flow.loop(double, until=pair_total, max_iterations=2), ["double"]),
        (flow.loop(lambda n: n, while_=pair_total, max_iterations=2), ["loop"]),
        (flow.step(spread).fold(0, pair_total), ["spread", "pair_total"]),
        (flow.step(spread).fold(0, lambda one, other: one), ["spread", "fold"]),
        (flow.fork(double).race(), ["fork"]),
        (flow.step(graph(lambda g: g.node(double, g.input))), ["graph"]),
    ],
)
def test_later_constructs_are_called_by_their_body_or_method(workflow, names) -> None:
    """S4: as a step is."""
    assert named(workflow) == names


def test_policies_share_the_path_of_what_they_are_around() -> None:
    """S4: a timeout, a retry of the whole, a recover and a compensation are no segments of their own."""
    sub = Workflow[int]("sub").step(double)
    around = flow.step(sub, retry=Retry(), timeout=3).compensate(undo).recover(step(len_of, timeout=3), on=ValueError)
    assert paths(around) == ["f", "f/sub", "f/sub/double", "f/len_of"]


def test_iterations_have_paths_as_items_have() -> None:
    """S4, S16, S17: `name[i]`; in a graph each member has a segment."""
    sub = Workflow[int]("sub").step(double)
    again = flow.loop(sub, until=pair_total, max_iterations=2).step(spread).fold(0, pair_total)
    assert paths(again) == ["f", "f/sub", "f/sub[]", "f/sub[]/double", "f/spread", "f/pair_total", "f/pair_total[]"]
    members = flow.step(graph(lambda g: g.node(double, g.node(double, g.input)), name="g"))
    assert paths(members) == ["f", "f/g", "f/g/double", "f/g/double_2"]


def test_a_given_name_stays_and_defaulted_ones_make_way() -> None:
    """S4: only names that were not given are numbered, wherever they stand."""
    chain = flow.step(increase).step(double, name="increase").pure(increase, name="increase_3").step(increase)
    assert named(chain) == ["increase_2", "increase", "increase_3", "increase_4"]


def test_many_of_one_name_are_numbered_in_order() -> None:
    """S4: `_2`, `_3` and so on, in the order of the chain, in linear time."""
    chain = flow
    for _ in range(2000):
        chain = chain.step(double)
    assert named(chain) == ["double", *(f"double_{n}" for n in range(2, 2001))]


def test_a_name_that_is_no_legal_one_in_python_either_is_made_one() -> None:
    """S4: only a caller is told to choose another name; a body's is made to fit."""

    def strange(number: int) -> int:
        return number

    strange.__name__ = "2nd größe/<x>"
    assert named(flow.step(strange)) == ["_2nd_gr__e__x_"]
    assert DEFAULTED not in "".join(paths(flow.step(strange)))


def test_an_anonymous_step_is_the_body_itself() -> None:
    """S4, S19: `step(f)` as a body adds no segment; names that it was given are defaults."""
    plain = flow.step(step(double)).step(step(double, name="x")).step(step(double, name="x"))
    assert paths(plain) == ["f", "f/double", "f/x", "f/x_2"]
    assert paths(flow.step(spread).map(step(double))) == ["f", "f/spread", "f/double", "f/double[]"]
    assert paths(flow.step(step(double), name="y")) == ["f", "f/y"]


def test_an_anonymous_chain_is_a_scope_that_is_called_by_its_first_step() -> None:
    """S4, S19: two steps are a scope of their own."""
    both = step(double).step(increase)
    assert paths(flow.step(both).step(both)) == [
        "f",
        "f/double",
        "f/double/double",
        "f/double/increase",
        "f/double_2",
        "f/double_2/double",
        "f/double_2/increase",
    ]
    assert both.compile().name == "double"


def test_the_same_workflow_may_stand_in_many_places() -> None:
    """S4: the path tells them apart."""
    sub = Workflow[int]("sub").step(double)
    everywhere = flow.step(sub).tap(sub).fork(sub).fork(sub).join(pair_total).step(spread).map(sub)
    assert paths(everywhere) == [
        "f",
        "f/sub",
        "f/sub/double",
        "f/sub_2",
        "f/sub_2/double",
        "f/fork",
        "f/fork/sub",
        "f/fork/sub/double",
        "f/fork/sub_2",
        "f/fork/sub_2/double",
        "f/pair_total",
        "f/spread",
        "f/sub_3",
        "f/sub_3[]",
        "f/sub_3[]/double",
    ]


def test_arms_are_segments_below_their_branch() -> None:
    """S4, S13: arms in order, called by their body or method."""
    choice = (
        flow.branch()
        .when(lambda n: n > 3, lambda n: n)
        .when(is_even, double)
        .case(int, lambda n: n)
        .case(bool, double)
        .otherwise(lambda n: n)
    )
    assert paths(choice) == [
        "f",
        "f/branch",
        "f/branch/when",
        "f/branch/double",
        "f/branch/case",
        "f/branch/double_2",
        "f/branch/otherwise",
    ]


def test_what_stands_beside_or_is_compensated_as_a_whole_has_the_path_of_its_body() -> None:
    """S4: a tap, an enrichment and a compensated composite are no segments of their own."""
    beside = flow.tap(double).enrich(Workflow[int]("sub").step(double)).into(pair_total)
    assert paths(beside) == ["f", "f/double", "f/sub", "f/sub/double"]
    whole = flow.step(Workflow[int]("sub").step(double)).compensate(undo)
    assert paths(whole) == ["f", "f/sub", "f/sub/double"]


def test_numbers_are_places_in_the_plan() -> None:
    """S4: nodes are numbered in preorder, and `nodes` holds each at its number."""
    plan = flow.step(spread).map(Workflow[int]("sub").tap(double)).fork(len).join().compile()
    assert [node.number for node in plan.nodes] == list(range(len(plan.nodes)))
    assert plan.nodes[0] is plan.root
    assert [type(node).__name__ for node in plan.nodes] == [
        "Scope",
        "Step",
        "Map",
        "Scope",
        "Beside",
        "Step",
        "Graph",
        "Step",
    ]
