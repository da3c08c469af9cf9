"""The order of a graph (S14, S15)."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import Workflow, graph
from orchestration.plan.body import Body
from orchestration.plan.compile import compile_plan
from orchestration.plan.nodes import Graph, Scope, Step, Vertex
from orchestration.plan.topology import INPUT, Need, topology_of
from tests.bodies import double, increase, pair_total


def vertex(name: str, *needs: Need) -> Vertex:
    """Return a member of a graph."""
    return Vertex(Step(name, Body.of(double)), needs)


def test_ready_members_start_in_the_order_of_declaration() -> None:
    """S14: topological order, ties by declaration; wave by wave, as `graphlib` gives them."""
    topology = topology_of([vertex("d", "b", "c"), vertex("c", "a"), vertex("b", "a"), vertex("a"), vertex("e")])
    assert topology.order == (3, 4, 1, 2, 0)
    assert topology.ranks == {"a": 0, "e": 1, "c": 2, "b": 3, "d": 4}
    assert topology.needs == ((), (), (0,), (0,), (3, 2))
    assert topology.followers == ((2, 3), (), (4,), (4,), ())
    assert topology.cycle == ()


def test_the_input_and_what_is_not_there_are_no_members() -> None:
    """S15: what is not known is left to the checks."""
    topology = topology_of([vertex("a", INPUT), vertex("b", "a", "a"), vertex("c", "gone", 7)])
    assert topology.order == (0, 2, 1)
    assert topology.needs == ((), (), (0, 0))
    assert topology.followers == ((2,), (), ())


@pytest.mark.parametrize(
    ("needs", "cycle"),
    [
        ({"a": ["a"]}, ("a", "a")),
        ({"a": ["b"], "b": ["a"]}, ("a", "b", "a")),
        ({"a": ["c"], "b": ["a"], "c": ["b"]}, ("a", "b", "c", "a")),
        ({"start": [], "a": ["start", "c"], "b": ["a"], "c": ["b"], "end": ["c"]}, ("a", "b", "c", "a")),
    ],
)
def test_a_cycle_is_spelled_in_the_direction_of_its_values(needs, cycle) -> None:
    """S15: each name gives its value to the next; the order is then that of declaration."""
    topology = topology_of([vertex(name, *before) for name, before in needs.items()])
    assert topology.cycle == cycle
    assert topology.order == tuple(range(len(needs)))


NEEDS = st.integers(0, 7).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, size), max_size=3), min_size=size + 1, max_size=size + 1)
)


@given(NEEDS)
def test_the_order_is_one_of_graphlib(needs) -> None:
    """S15: of any graph the order keeps all needs, or there is a cycle that is one; either is what `graphlib` says."""
    topology = topology_of([vertex(f"n{n}", *(f"n{need}" for need in before)) for n, before in enumerate(needs)])
    try:
        expected = list(TopologicalSorter(dict(enumerate(needs))).static_order())
    except CycleError:
        names = [int(name[1:]) for name in topology.cycle]
        assert names[0] == names[-1]
        assert all(before in needs[after] for before, after in pairwise(names))
        return
    assert topology.cycle == ()
    assert sorted(topology.order) == sorted(expected)
    rank = {position: rank for rank, position in enumerate(topology.order)}
    for after, before in enumerate(needs):
        assert all(rank[need] < rank[after] for need in before)
        assert topology.needs[rank[after]] == tuple(rank[need] for need in before)
    depth: dict[int, int] = {}
    for position in topology.order:
        depth[position] = max((depth[need] + 1 for need in needs[position]), default=0)
    assert list(topology.order) == sorted(topology.order, key=lambda position: (depth[position], position))


def test_positions_become_the_names_that_stand_there() -> None:
    """S4, S15: a builder refers to members before they have their names."""
    members = (vertex("\0double"), vertex("\0double", 0), Vertex(Step("last", Body.of(max)), (1, 0, INPUT)))
    plan = compile_plan(Scope("f", (Graph("g", members, gives=(2, 0)),), int, retry=None))
    compiled: Any = plan.root.children[0]
    assert [(it.node.name, it.needs) for it in compiled.vertices] == [
        ("double", ()),
        ("double_2", ("double",)),
        ("last", ("double_2", "double", INPUT)),
    ]
    assert compiled.gives == ("last", "double")
    assert compiled.topology.ranks == {"double": 0, "double_2": 1, "last": 2}
    assert Graph("g", members, gives=1).gives == 1


def test_a_graph_may_be_a_body_everywhere() -> None:
    """S19: its members have paths below its own."""

    def build(g: Any) -> Any:
        one, other = g.node(increase, g.input), g.node(double, g.input)
        return g.node(pair_total, one, other)

    single: Any = Workflow[int]("f").step(graph(build)).compile()
    [node] = single.root.children
    assert node.gives == "pair_total"
    nested = Workflow[list[int]]("f").map(graph(build)).compile()
    assert nested.gives == list[int]


def test_a_graph_shows_what_it_was_made_of() -> None:
    """Its topology follows from that, and is as long again."""
    build = Workflow[int]("f").fork(double).fork(increase).join().compile()
    assert "Topology" not in repr(build.root)
