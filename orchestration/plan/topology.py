"""The order of a graph: `graphlib`'s, made deterministic by the order of declaration (S14, S15)."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import attrs

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestration.plan.nodes import Graph, Vertex

INPUT = "@input"  # the need for the graph's own value; no legal name has an @
Need = int | str


@frozen
class Topology:
    """The members of a graph by rank, their place in topological order with ties by declaration.

    `order` gives a rank's position of declaration, `ranks` a name's rank, `needs` and `followers` the ranks before and
    behind a rank; `cycle` spells a cycle, if there is one: the order is then that of declaration.
    """

    order: tuple[int, ...]
    ranks: Mapping[str, int]
    needs: tuple[tuple[int, ...], ...]
    followers: tuple[tuple[int, ...], ...]
    cycle: tuple[str, ...] = ()

    def before(self, rank: int) -> frozenset[int]:
        """Return the ranks that a rank needs, directly or not; none for what is no rank."""
        found: set[int] = set()
        left = [rank] if rank >= 0 else []
        while left:
            for need in self.needs[left.pop()]:
                if need not in found:
                    found.add(need)
                    left.append(need)
        return frozenset(found)


def topology_of(vertices: Sequence[Vertex]) -> Topology:
    """Order the members of a graph; what they need and is not there is left to the checks of compilation."""
    positions = {vertex.node.name: position for position, vertex in enumerate(vertices)}
    needed = [[positions[need] for need in vertex.needs if need in positions] for vertex in vertices]
    order, cycle = _ordered(needed)
    rank_of = {position: rank for rank, position in enumerate(order)}
    needs = tuple(tuple(rank_of[need] for need in needed[position]) for position in order)
    followers: list[list[int]] = [[] for _ in order]
    for rank, before in enumerate(needs):
        for need in dict.fromkeys(before):
            followers[need].append(rank)
    return Topology(
        order,
        {name: rank_of[position] for name, position in positions.items()},
        needs,
        tuple(map(tuple, followers)),
        tuple(vertices[position].node.name for position in cycle),
    )


def _ordered(needed: list[list[int]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    sorter = TopologicalSorter(dict(enumerate(needed)))
    try:
        sorter.prepare()
    except CycleError as error:
        return tuple(range(len(needed))), tuple(error.args[1])
    order: list[int] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return tuple(order), ()


def _of_graph(graph: Graph) -> Topology:
    return topology_of(graph.vertices)


TOPOLOGY: Any = attrs.Factory(_of_graph, takes_self=True)
