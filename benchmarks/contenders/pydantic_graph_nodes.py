"""pydantic-graph 1.x, its first API: nodes that return the next node. It has no maps, no caps and no retries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_graph import BaseNode, End, Graph, GraphRunContext

from benchmarks.workloads import noop, turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Work = Callable[[], Awaitable[object]]


@dataclass
class Step(BaseNode[None, None, int]):
    """A step of a chain."""

    left: int
    value: int

    async def run(self, _ctx: GraphRunContext) -> Step | End[int]:
        """Go on until none are left."""
        value = await noop(self.value)
        return Step(self.left - 1, value) if self.left > 1 else End(value)


@dataclass
class Waiting(BaseNode[None, None, int]):
    """A step of a chain that waits for a turn of the event loop."""

    left: int
    value: int

    async def run(self, _ctx: GraphRunContext) -> Waiting | End[int]:
        """Go on until none are left."""
        value = await turn(self.value)
        return Waiting(self.left - 1, value) if self.left > 1 else End(value)


@dataclass
class Increase(BaseNode[None, None, int]):
    """An iteration of a loop."""

    size: int
    value: int

    async def run(self, _ctx: GraphRunContext) -> Increase | End[int]:
        """Go on until it is enough."""
        value = await noop(self.value + 1)
        return Increase(self.size, value) if value < self.size else End(value)


@dataclass
class Choice(BaseNode[None, None, int]):
    """A branch: the node that it chooses does the work, and leads to the next choice."""

    left: int
    value: int

    async def run(self, _ctx: GraphRunContext) -> This | That | End[int]:
        """Choose."""
        if self.left == 0:
            return End(self.value)
        return This(self.left, self.value) if self.value > 0 else That(self.left, self.value)


@dataclass
class This(BaseNode[None, None, int]):
    """One arm."""

    left: int
    value: int

    async def run(self, _ctx: GraphRunContext) -> Choice:
        """Go on."""
        return Choice(self.left - 1, await noop(self.value))


@dataclass
class That(BaseNode[None, None, int]):
    """The other arm."""

    left: int
    value: int

    async def run(self, _ctx: GraphRunContext) -> Choice:
        """Go on."""
        return Choice(self.left - 1, await turn(self.value))


STEPS = Graph(nodes=(Step,), auto_instrument=False)
WAITING = Graph(nodes=(Waiting,), auto_instrument=False)
LOOP = Graph(nodes=(Increase,), auto_instrument=False)
BRANCHES = Graph(nodes=(Choice, This, That), auto_instrument=False)


def running(graph: Graph, first: Callable[[], BaseNode]) -> Work:
    """Return what runs a graph."""

    async def work() -> object:
        return (await graph.run(first())).output

    return work


PREPARE = {
    "chain": lambda size: running(STEPS, lambda: Step(size, 1)),
    "chain_that_waits": lambda size: running(WAITING, lambda: Waiting(size, 1)),
    "loop": lambda size: running(LOOP, lambda: Increase(size, 0)),
    "branch": lambda size: running(BRANCHES, lambda: Choice(size, 1)),
    "run": lambda _size: running(STEPS, lambda: Step(1, 1)),
}
