"""The builder: graphs, loops, folds and cases of members."""

from __future__ import annotations

import enum
import typing
from typing import Any

import pytest

from orchestration import Graph, Node, Race, Workflow, graph, step
from orchestration.plan.library import numbered
from orchestration.plan.nodes import Fold, Loop, Pure, Step, Timed
from orchestration.plan.nodes import Graph as GraphNode
from tests.bodies import Order, double, increase, is_even, pair_total, spread, sum_of

flow: Any = Workflow[int]("f")
lines: Any = flow.step(spread)


def last(workflow: Any) -> Any:
    """Return the node that was added last."""
    return workflow._last


def diamond(g: Graph[int]) -> Node[int]:
    """Build a graph of four nodes."""
    start = g.node(increase, g.input)
    left, right = g.node(double, start, name="left"), g.node(step(double), start, timeout=3)
    return g.node(pair_total, left, right)


# --- graphs


def test_a_graph_has_its_nodes_in_the_order_in_which_they_were_added() -> None:
    """S14: each with what it needs, by position until it is named."""
    node = last(graph(diamond))
    assert isinstance(node, GraphNode)
    assert (node.name, node.gives, node.mode) == ("\0diamond", 3, "fail_fast")
    assert [vertex.needs for vertex in node.vertices] == [("@input",), (0,), (0,), (1, 2)]
    members: list[Any] = [vertex.node for vertex in node.vertices]
    assert [member.name for member in members] == ["\0increase", "left", "\0double", "\0pair_total"]
    assert isinstance(members[2], Timed)


def test_a_node_with_several_needs_takes_them_as_its_arguments() -> None:
    """S14: a function does; a workflow takes the tuple."""
    assert [vertex.node.spread for vertex in last(graph(lambda g: g.node(sum_of, g.input))).vertices] == [False]
    both = last(graph(lambda g: (g.node(pair_total, g.input, g.input), g.node(step(sum_of), g.input, g.input))))
    function, workflow = (vertex.node for vertex in both.vertices)
    assert (function.spread, function.body.arity) == (True, 2)
    assert (workflow.spread, workflow.body.arity) == (False, 1)


def test_what_a_graph_takes_is_read_from_the_function_that_builds_it() -> None:
    """S12: as a workflow reads it from its brackets."""

    def of_order(g: Graph[Order]) -> Node[Order]:
        return g.node(lambda order: order, g.input)

    def unknown(g: Graph) -> Node[Order]:  # type: ignore[type-arg]  # the case
        return of_order(g)

    assert graph(diamond).as_node() == last(graph(diamond))
    assert graph(diamond)._scope().takes is int
    assert graph(of_order)._scope().takes is Order
    assert graph(unknown)._scope().takes is Any
    assert graph(lambda g: g.node(double, g.input))._scope().takes is Any


def test_a_graphs_name_is_given_or_that_of_the_function_that_builds_it() -> None:
    """S4: a lambda has none."""
    assert last(graph(diamond, name="x")).name == "x"
    assert last(graph(lambda g: g.node(double, g.input))).name == "\0graph"
    assert last(flow.step(graph(diamond), name="y")).name == "y"


def test_needs_may_be_named_also_before_the_node_is_there() -> None:
    """S15: a plan that comes as data knows names only; whether they are there is seen when it is compiled."""

    def by_name(g: Graph[int]) -> Node[Any, Any]:
        g.node(pair_total, "one", "other", name="sum")
        g.node(double, g.input, name="one")
        g.node(increase, g["one"], name="other")
        return g["sum"]

    node = last(graph(by_name))
    assert [vertex.needs for vertex in node.vertices] == [("one", "other"), ("@input",), ("one",)]
    assert node.gives == "sum"


def test_a_graph_gives_one_node_or_a_tuple_of_nodes() -> None:
    """S14: or its own value."""

    def pair(g: Graph[int]) -> tuple[Node[int], Node[int]]:
        return g.node(double, g.input), g.input

    assert last(graph(pair)).gives == (0, "@input")
    assert last(graph(lambda g: (g.node(double, g.input),))).gives == (0,)


def test_a_graph_that_races_gives_the_first_of_some_nodes() -> None:
    """S18: among those that are named only."""

    def first(g: Graph[int]) -> Race[int]:
        start = g.node(increase, g.input)
        return g.race(g.node(double, start), g.node(increase, start))

    node = last(graph(first, on_partial="continue", concurrency=1))
    assert (node.mode, node.gives, node.on_partial, node.concurrency) == ("race", (1, 2), "continue", 1)
    with pytest.raises(TypeError, match="unexpected option on_error: see RaceOptions"):
        graph(first, on_error="collect")  # type: ignore[call-overload]  # the case


KEPT: list[Any] = []


def keeping(g: Graph[int]) -> Node[int]:
    """Keep what is only for the function that builds."""
    KEPT[:] = [g, g.node(double, g.input)]
    return KEPT[1]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda g: g.node(double), "a node needs something: g.input, other nodes, or names of nodes"),
        (lambda g: g.node(double, Graph().input), "found one of another: give its value to the graph as input"),
        (lambda g: graph(lambda inner: inner.node(double, g.input)), "found one of another"),
        (lambda _: Graph().input, "found one of another"),
        (lambda g: g.node(double, 3), "expected a node of this graph or the name of one, found 3"),
        (lambda g: g.node(double, g.race(g.input, g.input)), "expected a node of this graph or the name of one, found"),
        (lambda g: g.node(double, increase), "expected a node of this graph or the name of one, found <function"),
        (lambda g: g.race(g.input, 3), "expected a node of this graph or the name of one, found 3"),
        (lambda g: g.node(double, g.input, retries=3), "unexpected option retries: see StepOptions"),
        (lambda g: g.node(step(double), g.input, limit="x"), "unexpected option limit: see WorkflowOptions"),
        (lambda _: None, "expected a node of this graph or the name of one, found None"),
        (lambda _: (), "a graph gives something: return a node, or a tuple of nodes"),
        (lambda g: [g.input], "expected a node of this graph or the name of one, found"),
    ],
)
def test_what_is_no_node_of_the_graph_is_refused_at_once(build, message) -> None:
    """S15: where it is written, with the mend."""
    with pytest.raises(TypeError) as caught:
        graph(build)
    assert message in str(caught.value)


def test_a_graph_takes_no_node_once_it_is_built() -> None:
    """S6: it would be ignored silently."""
    graph(keeping)
    kept, node = KEPT
    with pytest.raises(TypeError, match=r"the graph is built: add nodes inside of the function that graph\(...\)"):
        kept.node(double, node)


def test_an_option_of_no_graph_is_refused() -> None:
    """S6: nothing that a caller wrote is ignored silently."""
    with pytest.raises(TypeError, match="unexpected option attempt_timeout: see CollectOptions"):
        graph(diamond, attempt_timeout=3)  # type: ignore[call-overload]  # the case


# --- loops and folds


def test_a_loop_has_a_body_a_test_and_a_bound() -> None:
    """S17: until a test holds, or while it does."""
    until = last(flow.loop(double, until=pair_total, max_iterations=3))
    assert isinstance(until, Loop)
    assert (until.name, until.check, until.max_iterations) == ("\0double", "until", 3)
    assert (until.test.call, until.test.arity, type(until.body)) == (pair_total, 2, Step)
    while_ = last(flow.loop(step(double, retry=None), while_=pair_total, max_iterations=3, name="x"))
    assert (while_.name, while_.check, while_.body.name) == ("x", "while", "x")
    assert last(flow.loop(lambda n: n, until=pair_total, max_iterations=3)).name == "\0loop"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "a loop takes one of until= and while_=, and max_iterations=; found none"),
        ({"max_iterations": 3}, "found max_iterations"),
        ({"until": is_even}, "found until"),
        ({"until": is_even, "while_": is_even, "max_iterations": 3}, "found until, while_, max_iterations"),
        ({"until": is_even, "max_iterations": 3, "retry": 3}, "unexpected option retry: see Until and While"),
    ],
)
def test_a_loop_has_one_test_and_a_bound(options, message) -> None:
    """S17: no loop is without end by mistake."""
    with pytest.raises(TypeError) as caught:
        flow.loop(double, **options)
    assert message in str(caught.value)


def test_a_fold_has_a_step_of_two_arguments() -> None:
    """S16: the accumulator and an item; the options are those of the step of an item."""
    node = last(lines.fold(0, pair_total))
    assert isinstance(node, Fold)
    assert (node.name, node.initial) == ("\0pair_total", 0)
    assert (node.body.spread, node.body.body.arity) == (True, 2)
    timed = last(lines.fold(0, lambda a, b: a + b, timeout=3, attempt_timeout=1))
    assert (timed.name, timed.body.timeout, timed.body.body.attempt_timeout) == ("\0fold", 3, 1)


def test_enumerate_gives_each_item_its_index() -> None:
    """S16: by a function of the library that a stored plan can name."""
    node = last(lines.enumerate())
    assert isinstance(node, Pure)
    assert (node.name, node.body.call, node.body.ref) == (
        "enumerate",
        numbered,
        "orchestration.plan.library:numbered",
    )
    assert numbered("ab") == [(0, "a"), (1, "b")]
    assert numbered([]) == []


# --- members of enums and literals


class Size(enum.Enum):
    """Two sizes."""

    SMALL = 1
    LARGE = 2


@pytest.mark.parametrize("member", [Size.SMALL, "card", 3, True, None])
def test_a_case_of_a_member_is_a_literal(member) -> None:
    """S13: an enum's member, or what a literal type can hold."""
    [arm] = last(flow.branch().case(member, double).otherwise(increase)).arms
    assert arm.kind == typing.Literal[member]
    assert typing.get_args(arm.kind)[0] is member


@pytest.mark.parametrize("kind", [int, Size, Order, 1.5])
def test_a_case_of_anything_else_is_a_kind(kind) -> None:
    """S13: whether it is one is seen when it is compiled."""
    [arm] = last(flow.branch().case(kind, double).otherwise(increase)).arms
    assert arm.kind is kind
