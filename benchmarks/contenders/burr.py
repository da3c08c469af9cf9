"""Burr: an application of actions, built anew for each run because it holds its state. Without its tracker."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from burr.core import ApplicationBuilder, State, action, default, expr
from burr.core.graph import GraphBuilder

from benchmarks.workloads import noop, turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from burr.core.graph import Graph

    Work = Callable[[], Awaitable[object]]


@action(reads=["value"], writes=["value"])
async def call(state: State) -> State:
    """Do a step."""
    return state.update(value=await noop(state["value"]))


@action(reads=["value"], writes=["value"])
async def call_other(state: State) -> State:
    """Do the step that is not chosen."""
    return state.update(value=await turn(state["value"]))


@action(reads=["value"], writes=["value"])
async def increase(state: State) -> State:
    """Do an iteration."""
    return state.update(value=await noop(state["value"] + 1))


@action(reads=["value"], writes=["value"])
async def finish(state: State) -> State:
    """End."""
    return state.update(value=state["value"])


def running(graph: Graph, first: str, last: str, value: int = 1) -> Work:
    """Return what builds an application on a graph, and runs it."""

    async def work() -> object:
        built = ApplicationBuilder().with_graph(graph).with_state(value=value).with_entrypoint(first)
        application = await built.abuild()
        _, _, state = await application.arun(halt_after=[last])
        return state["value"]

    return work


def chain(size: int) -> Work:
    """Return as many actions, one after the other."""
    names = [f"step_{number}" for number in range(size)]
    graph = GraphBuilder().with_actions(**dict.fromkeys(names, call))
    graph = graph.with_transitions(*pairwise(names))
    return running(graph.build(), names[0], names[-1])


def loop(size: int) -> Work:
    """Go back to an action until it is enough."""
    graph = GraphBuilder().with_actions(step=increase, last=finish)
    graph = graph.with_transitions(("step", "step", expr(f"value < {size}")), ("step", "last", default))
    return running(graph.build(), "step", "last", 0)


def branch(size: int) -> Work:
    """Choose between two actions, as often."""
    graph = GraphBuilder().with_actions(first=finish, last=finish)
    ends = ["first"]
    for number in range(size):
        this, that = f"this_{number}", f"that_{number}"
        graph = graph.with_actions(**{this: call, that: call_other})
        for end in ends:
            graph = graph.with_transitions((end, this, expr("value > 0")), (end, that, default))
        ends = [this, that]
    graph = graph.with_transitions(*((end, "last") for end in ends))
    return running(graph.build(), "first", "last")


PREPARE = {"chain": chain, "loop": loop, "branch": branch, "run": chain}
