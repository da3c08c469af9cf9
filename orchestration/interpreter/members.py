"""What the children of a group are: the vertices of a graph, the items of a map (S4, S14, S16)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Protocol

from orchestration.plan.nodes import Graph, Map

if TYPE_CHECKING:
    from orchestration.plan.nodes import Node

SEGMENT = re.compile(r"/([^/\[#]+)")


class Members(Protocol):
    """What sets the two groups apart."""

    def lay_out(self, value: Any) -> Any:  # noqa: ANN401 - a user's value
        """Return the group's value as the frame keeps it; raise `TypeError` if it cannot be."""
        ...

    def total(self, node: Any, value: Any) -> int:  # noqa: ANN401 - the group's own node and value
        """Return how many children there are."""
        ...

    def child(self, node: Any, path: str, value: Any, index: int) -> tuple[Node, str, object]:  # noqa: ANN401 - as above
        """Return a child's node, path and value."""
        ...

    def position(self, node: Any, path: str, below: str) -> int | None:  # noqa: ANN401 - as above
        """Return which child the path `below` leads to."""
        ...

    def result(self, outputs: list[object]) -> object:
        """Return the output of the whole."""
        ...


class Vertices:
    """The vertices of a graph: each takes the graph's value; the output is the tuple of theirs."""

    def lay_out(self, value: object) -> object:
        """Keep the value as it is."""
        return value

    def total(self, node: Graph, value: object) -> int:  # noqa: ARG002 - the protocol's signature
        """Count the vertices."""
        return len(node.vertices)

    def child(self, node: Graph, path: str, value: object, index: int) -> tuple[Node, str, object]:
        """Return a vertex; its name is a segment of its path."""
        vertex = node.vertices[node.topology.order[index]].node
        return vertex, f"{path}/{vertex.name}", value

    def position(self, node: Graph, path: str, below: str) -> int | None:
        """Find a vertex by the segment behind the graph's path."""
        match = SEGMENT.match(below, len(path))
        return None if match is None else node.topology.ranks.get(match[1])

    def result(self, outputs: list[object]) -> tuple[object, ...]:
        """Return the outputs in the order of declaration."""
        return tuple(outputs)


class Items:
    """The items of a map: each is a child's value; the output is the list of theirs."""

    def lay_out(self, value: Any) -> tuple[object, ...]:  # noqa: ANN401 - a user's value
        """Return the items in order; what has no order of its own, or can be read only once, is refused (S2)."""
        if isinstance(value, AbstractSet):
            message = f"map over a {type(value).__name__}, whose order is random: sort it first, .pure(sorted)"
            raise TypeError(message)
        if isinstance(value, Iterator):
            message = f"map over a {type(value).__name__}, which can be read only once: return a list instead"
            raise TypeError(message)
        return tuple(value)

    def total(self, node: Map, value: tuple[object, ...]) -> int:  # noqa: ARG002 - the protocol's signature
        """Count the items."""
        return len(value)

    def child(self, node: Map, path: str, value: tuple[object, ...], index: int) -> tuple[Node, str, object]:
        """Return the body for an item."""
        return node.body, f"{path}[{index}]", value[index]

    def position(self, node: Map, path: str, below: str) -> int | None:  # noqa: ARG002 - the protocol's signature
        """Find an item by the number behind the map's path."""
        before = len(path)
        digits = below[before + 1 : below.find("]", before)]
        return int(digits) if below[before : before + 1] == "[" and digits.isdecimal() else None

    def result(self, outputs: list[object]) -> list[object]:
        """Return the outputs in input order."""
        return outputs


MEMBERS: dict[type, Members] = {Graph: Vertices(), Map: Items()}
