"""pydantic-graph 2.x: the builder of steps, decisions and joins. Maps have no cap of their own, steps no retries."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic_graph import GraphBuilder, StepContext, TypeExpression, reduce_list_append

from benchmarks.workloads import NAPS_CAP, nap, noop, turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Body = Callable[[int], Awaitable[int]]
    Work = Callable[[], Awaitable[object]]


def running(graph: Any, inputs: object) -> Work:  # noqa: ANN401 - a graph of any types
    """Return what runs a graph."""
    return lambda: graph.run(inputs=inputs)


def chain(size: int) -> Work:
    """Return as many steps, one after the other."""
    g = GraphBuilder(input_type=int, output_type=int, auto_instrument=False)

    async def call(ctx: StepContext[None, None, int]) -> int:
        return await noop(ctx.inputs)

    steps = [g.step(call, node_id=f"step_{number}") for number in range(size)]
    nodes = [g.start_node, *steps, g.end_node]
    g.add(*(g.edge_from(one).to(other) for one, other in pairwise(nodes)))
    return running(g.build(), 1)


def mapped(body: Body, cap: int | None = None) -> Callable[[int], Work]:
    """Map over as many items; where waiting is measured, a semaphore is the cap."""

    def prepare(size: int) -> Work:
        g = GraphBuilder(input_type=list[int], output_type=list[int], auto_instrument=False)
        held: Any = nullcontext() if cap is None else asyncio.Semaphore(cap)

        @g.step
        async def call(ctx: StepContext[None, None, int]) -> int:
            async with held:
                return await body(ctx.inputs)

        collect = g.join(reduce_list_append, initial_factory=list[int])
        g.add(
            g.edge_from(g.start_node).map().to(call),
            g.edge_from(call).to(collect),
            g.edge_from(collect).to(g.end_node),
        )
        graph, items = g.build(), list(range(size))

        async def work() -> list[int]:
            return sorted(await graph.run(inputs=items))  # they come in the order in which they end

        return work

    return prepare


def loop(size: int) -> Work:
    """Go back to a step until it is enough."""
    g = GraphBuilder(input_type=int, output_type=int, auto_instrument=False)

    @g.step
    async def call(ctx: StepContext[None, None, int]) -> int:
        return await noop(ctx.inputs + 1)

    enough = g.decision()
    enough = enough.branch(g.match(TypeExpression[int], matches=lambda value: value < size).to(call))
    enough = enough.branch(g.match(TypeExpression[int]).to(g.end_node))
    g.add(g.edge_from(g.start_node).to(call), g.edge_from(call).to(enough))
    return running(g.build(), 0)


def branch(size: int) -> Work:
    """Choose between two steps, as often."""
    g = GraphBuilder(input_type=int, output_type=int, auto_instrument=False)

    async def this(ctx: StepContext[None, None, int]) -> int:
        return await noop(ctx.inputs)

    async def that(ctx: StepContext[None, None, int]) -> int:
        return await turn(ctx.inputs)

    ends: tuple[Any, ...] = (g.start_node,)
    for number in range(size):
        arms = g.step(this, node_id=f"this_{number}"), g.step(that, node_id=f"that_{number}")
        choice = g.decision(node_id=f"choice_{number}")
        choice = choice.branch(g.match(TypeExpression[int], matches=lambda value: value > 0).to(arms[0]))
        choice = choice.branch(g.match(TypeExpression[int]).to(arms[1]))
        g.add(g.edge_from(*ends).to(choice))
        ends = arms
    g.add(g.edge_from(*ends).to(g.end_node))
    return running(g.build(), 1)


PREPARE = {
    "chain": chain,
    "fan_out": mapped(noop),
    "map": mapped(noop),
    "map_that_waits": mapped(turn),
    "loop": loop,
    "branch": branch,
    "run": chain,
    "naps": mapped(nap, NAPS_CAP),
}
