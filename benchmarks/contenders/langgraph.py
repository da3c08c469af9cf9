"""LangGraph: a `StateGraph`, compiled; maps by `Send`, caps by `max_concurrency`. In memory, without a checkpointer."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, Send

from benchmarks.workloads import CAP, FAILURES, FAN_CAP, NAPS_CAP, Flaky, nap, noop, turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Body = Callable[[int], Awaitable[int]]
    Work = Callable[[], Awaitable[object]]


class Value(TypedDict):
    """The state of a chain."""

    value: int


class Many(TypedDict):
    """The state of a map."""

    items: list[int]
    outputs: Annotated[list[int], operator.add]


async def call(state: Value) -> Value:
    """Do a step."""
    return {"value": await noop(state["value"])}


async def call_other(state: Value) -> Value:
    """Do the step that is not chosen."""
    return {"value": await turn(state["value"])}


async def increase(state: Value) -> Value:
    """Do an iteration."""
    return {"value": await noop(state["value"] + 1)}


def running(graph: StateGraph[Any], limit: int, *, value: int = 1, saver: object = None) -> Work:
    """Compile, and return what runs it."""
    compiled: Any = graph.compile(checkpointer=saver)  # type: ignore[arg-type]  # a saver, or none
    count = 0

    async def work() -> object:
        nonlocal count
        count += 1
        settings = {"recursion_limit": limit, "configurable": {"thread_id": f"{id(graph)}-{count}"}}
        return (await compiled.ainvoke({"value": value}, settings))["value"]

    return work


def chain(size: int, saver: object = None) -> Work:
    """Return as many nodes, one after the other."""
    graph = StateGraph(Value)
    names = [f"step_{number}" for number in range(size)]
    for name in names:
        graph.add_node(name, call)
    for one, other in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(one, other)
    return running(graph, size + 10, saver=saver)


def mapped(body: Body, cap: int, saver: object = None) -> Callable[[int], Work]:
    """Send each item to a node."""

    def prepare(size: int) -> Work:
        async def one(item: dict[str, int]) -> dict[str, list[int]]:
            return {"outputs": [await body(item["item"])]}

        graph = StateGraph(Many)
        graph.add_node("one", one)
        graph.add_conditional_edges(
            START, lambda state: [Send("one", {"item": item}) for item in state["items"]], ["one"]
        )
        graph.add_edge("one", END)
        compiled: Any = graph.compile(checkpointer=saver)  # type: ignore[arg-type]  # a saver, or none
        items, count = list(range(size)), 0

        async def work() -> object:
            nonlocal count
            count += 1
            settings = {"max_concurrency": cap, "configurable": {"thread_id": f"{id(graph)}-{count}"}}
            return (await compiled.ainvoke({"items": items, "outputs": []}, settings))["outputs"]

        return work

    return prepare


def loop(size: int, saver: object = None) -> Work:
    """Go back to a node until it is enough."""
    graph = StateGraph(Value)
    graph.add_node("step", increase)
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", lambda state: "step" if state["value"] < size else END, ["step", END])
    return running(graph, size + 10, value=0, saver=saver)


def branch(size: int) -> Work:
    """Choose between two nodes, as often."""
    graph = StateGraph(Value)
    ends = [START]
    for number in range(size):
        arms = [f"this_{number}", f"that_{number}"]
        graph.add_node(arms[0], call)
        graph.add_node(arms[1], call_other)
        for end in ends:
            graph.add_conditional_edges(end, lambda state, arms=arms: arms[state["value"] <= 0], arms)
        ends = arms
    for end in ends:
        graph.add_edge(end, END)
    return running(graph, size + 10)


def retry(_size: int, saver: object = None) -> Work:
    """Let the policy of a node try again."""
    flaky = Flaky()

    async def one(state: Value) -> Value:
        return {"value": await flaky(state["value"])}

    graph = StateGraph(Value)
    policy = RetryPolicy(initial_interval=0, jitter=False, max_attempts=FAILURES + 1, retry_on=ConnectionError)
    graph.add_node("step", one, retry_policy=policy)
    graph.add_edge(START, "step")
    graph.add_edge("step", END)
    return running(graph, 10, saver=saver)


PREPARE = {
    "chain": chain,
    "fan_out": mapped(noop, FAN_CAP),
    "map": mapped(noop, CAP),
    "map_that_waits": mapped(turn, CAP),
    "loop": loop,
    "branch": branch,
    "retry": retry,
    "run": chain,
    "naps": mapped(nap, NAPS_CAP),
}
