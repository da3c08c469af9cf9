"""What the children of a group are: the vertices of a graph, the items of a map (S4, S14, S16)."""

from __future__ import annotations

import copy
import re
from collections.abc import AsyncIterable, Iterable, Iterator, Sized
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import attrs
from rpds import HashTrieMap, List

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import VALUE, VALUES
from orchestration.plan.nodes import Graph, Map
from orchestration.plan.topology import INPUT
from orchestration.results import Err, NotStarted, Ok

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.plan.nodes import Node

SEGMENT = re.compile(r"/([^/\[#]+)")
NO_OUTPUTS: List[tuple[int, Any]] = List()
NOTHING: HashTrieMap[int, Any] = HashTrieMap()


@frozen
class Stream:
    """Where the items of a map come from one by one: the `source` that was opened, and how far it is (S16)."""

    source: Any = attrs.field(metadata=VALUE)
    pulled: int = 0
    pulling: bool = False
    ended: bool = False


@frozen
class Folding:
    """The results of a map that are folded as they come: those before `position` are in the `accumulator` (S16).

    `continuing`: enough was folded in one turn, the next goes on (S7).
    """

    accumulator: Any = attrs.field(metadata=VALUE)
    position: int = 0
    waiting: HashTrieMap[int, Any] = attrs.field(default=NOTHING, metadata=VALUES)
    continuing: bool = False


Outputs: TypeAlias = "List[tuple[int, Any]] | HashTrieMap[int, Any] | Folding"


class Members(Protocol):
    """What sets the two groups apart."""

    def lay_out(self, value: Any) -> Any:  # noqa: ANN401 - a user's value
        """Return the group's value as the frame keeps it; raise `TypeError` if it cannot be."""
        ...

    def total(self, node: Any, value: Any) -> int | None:  # noqa: ANN401 - the group's own node and value
        """Return how many children there are, `None` where nobody knows yet."""
        ...

    def first(self, node: Any, total: int) -> Sequence[int]:  # noqa: ANN401 - the group's own node
        """Return the children that are ready at the beginning, in order."""
        ...

    def unlocked(self, node: Any, index: int, outputs: Any) -> Sequence[int]:  # noqa: ANN401 - as above
        """Return the children that are ready now that the one at `index` has succeeded."""
        ...

    def child(self, node: Any, path: str, value: Any, index: int, outputs: Any) -> tuple[Node, str, object]:  # noqa: ANN401 - as above
        """Return a child's node, path and value."""
        ...

    def position(self, node: Any, path: str, below: str) -> int | None:  # noqa: ANN401 - as above
        """Return which child the path `below` leads to."""
        ...

    def nothing(self, node: Any) -> Outputs:  # noqa: ANN401 - as above
        """Return the outputs of no children."""
        ...

    def keep(self, outputs: Any, index: int, output: object) -> Outputs:  # noqa: ANN401 - as above
        """Return the outputs with one more."""
        ...

    def count(self, outputs: Any) -> int:  # noqa: ANN401 - as above
        """Return how many outputs there are."""
        ...

    def succeeded(self, outputs: Any) -> int | None:  # noqa: ANN401 - as above
        """Return how many of the outputs are no failures, `None` where they are not kept."""
        ...

    def output(self, outputs: Any, index: int) -> object:  # noqa: ANN401 - as above
        """Return the output of one child."""
        ...

    def result(self, node: Any, outputs: Any, total: int) -> object:  # noqa: ANN401 - as above
        """Return the output of the whole."""
        ...

    def finishes(self, node: Any, index: int) -> bool:  # noqa: ANN401 - as above
        """Tell whether a child can win a race."""
        ...

    def can_win(self, node: Any, beaten: tuple[int, ...]) -> bool:  # noqa: ANN401 - as above
        """Tell whether a race can still be won when these have failed, as far as that tells."""
        ...

    def kept(self, node: Any, winner: int) -> frozenset[int]:  # noqa: ANN401 - as above
        """Return the children whose work counts when one has won: this and all that it needs."""
        ...


class Vertices:
    """The vertices of a graph, by their rank in topological order (S14)."""

    def lay_out(self, value: object) -> object:
        """Keep the value as it is."""
        return value

    def total(self, node: Graph, value: object) -> int:  # noqa: ARG002 - the protocol's signature
        """Count the vertices."""
        return len(node.vertices)

    def first(self, node: Graph, total: int) -> tuple[int, ...]:
        """Return those that need no other."""
        return tuple(rank for rank in range(total) if not node.topology.needs[rank])

    def unlocked(self, node: Graph, index: int, outputs: HashTrieMap[int, Any]) -> tuple[int, ...]:
        """Return the followers of which all other needs are done as well."""
        needs = node.topology.needs
        followers = node.topology.followers[index]
        return tuple(rank for rank in followers if all(_succeeded(node, outputs, need) for need in needs[rank]))

    def child(
        self, node: Graph, path: str, value: object, index: int, outputs: HashTrieMap[int, Any]
    ) -> tuple[Node, str, object]:
        """Return a vertex; its name is a segment of its path, its value what it needs."""
        vertex = node.vertices[node.topology.order[index]]
        if vertex.needs:
            ranks = node.topology.ranks
            given = tuple(value if need == INPUT else _value(node, outputs[ranks[str(need)]]) for need in vertex.needs)
            value = given[0] if len(given) == 1 else given
        return vertex.node, f"{path}/{vertex.node.name}", value

    def position(self, node: Graph, path: str, below: str) -> int | None:
        """Find a vertex by the segment behind the graph's path."""
        match = SEGMENT.match(below, len(path))
        return None if match is None else node.topology.ranks.get(match[1])

    def nothing(self, node: Graph) -> HashTrieMap[int, Any]:  # noqa: ARG002 - the protocol's signature
        """Begin with an empty map."""
        return NOTHING

    def keep(self, outputs: HashTrieMap[int, Any], index: int, output: object) -> HashTrieMap[int, Any]:
        """Keep outputs by rank: what follows looks them up."""
        return outputs.insert(index, output)

    def count(self, outputs: HashTrieMap[int, Any]) -> int:
        """Count them."""
        return len(outputs)

    def succeeded(self, outputs: HashTrieMap[int, Any]) -> int:
        """Look at all of them."""
        return sum(not isinstance(outputs[rank], Err) for rank in sorted(outputs))

    def output(self, outputs: HashTrieMap[int, Any], index: int) -> object:
        """Look it up."""
        return outputs[index]

    def finishes(self, node: Graph, index: int) -> bool:
        """Tell whether the graph gives what this vertex gives."""
        if node.gives is None:
            return True
        gives = node.gives if isinstance(node.gives, tuple) else (node.gives,)
        return node.vertices[node.topology.order[index]].node.name in gives

    def can_win(self, node: Graph, beaten: tuple[int, ...]) -> bool:
        """Look for a vertex that the graph gives, of which neither itself nor anything before it has failed."""
        ranks = range(len(node.vertices))
        return any(self.finishes(node, rank) and self.kept(node, rank).isdisjoint(beaten) for rank in ranks)

    def kept(self, node: Graph, winner: int) -> frozenset[int]:
        """Return a vertex and all before it."""
        return node.topology.before(winner) | {winner}

    def result(self, node: Graph, outputs: HashTrieMap[int, Any], total: int) -> object:  # noqa: ARG002 - the protocol's signature
        """Return what the graph gives: one output, several, or all in the order of declaration."""
        ranks = node.topology.ranks
        if node.gives is None:
            return tuple(_found(node, outputs, ranks[vertex.node.name]) for vertex in node.vertices)
        if isinstance(node.gives, tuple):
            return tuple(_found(node, outputs, ranks[str(name)]) for name in node.gives)
        return _found(node, outputs, ranks[str(node.gives)])


def _succeeded(node: Graph, outputs: HashTrieMap[int, Any], rank: int) -> bool:
    return rank in outputs and (isinstance(outputs[rank], Ok) or not keeps_failures(node))


def _value(node: Graph, output: Any) -> object:  # noqa: ANN401 - a user's value, or an `Ok` around it
    return output.value if keeps_failures(node) else output


def keeps_failures(node: Graph | Map) -> bool:
    """Tell whether outputs are wrapped, `Ok` around a value, `Err` around a failure; a value may be one itself."""
    return node.mode not in ("fail_fast", "race")


def _found(node: Graph, outputs: HashTrieMap[int, Any], rank: int) -> object:
    if rank in outputs:
        return outputs[rank]
    before = next(need for need in node.topology.needs[rank] if not _succeeded(node, outputs, need))
    return NotStarted(node.vertices[node.topology.order[before]].node.name)


class Items:
    """The items of a map: each is a child's value; the output is the list of theirs."""

    def lay_out(self, value: object) -> tuple[object, ...] | Stream:
        """Return the items in order, or a stream of them: what has a size lies there already (S2, S16)."""
        if isinstance(value, AsyncIterable) or (isinstance(value, Iterable) and not isinstance(value, Sized)):
            return Stream(value)
        return laid_out(value, "map")

    def total(self, node: Map, value: tuple[object, ...] | Stream) -> int | None:  # noqa: ARG002 - the protocol's signature
        """Count the items."""
        return None if isinstance(value, Stream) else len(value)

    def first(self, node: Map, total: int) -> range:  # noqa: ARG002 - the protocol's signature
        """Return all of them."""
        return range(total)

    def unlocked(self, node: Map, index: int, outputs: object) -> tuple[int, ...]:  # noqa: ARG002 - the protocol's signature
        """Return none: items need no other."""
        return ()

    def child(
        self,
        node: Map,
        path: str,
        value: tuple[object, ...],
        index: int,
        outputs: object,  # noqa: ARG002 - the protocol's signature
    ) -> tuple[Node, str, object]:
        """Return the body for an item."""
        return node.body, f"{path}[{index}]", value[index]

    def position(self, node: Map, path: str, below: str) -> int | None:  # noqa: ARG002 - the protocol's signature
        """Find an item by the number behind the map's path."""
        before = len(path)
        digits = below[before + 1 : below.find("]", before)]
        return int(digits) if below[before : before + 1] == "[" and digits.isdecimal() else None

    def nothing(self, node: Map) -> List[tuple[int, Any]]:  # noqa: ARG002 - the protocol's signature
        """Begin with an empty list: a persistent map of all items would cost ten times as much."""
        return NO_OUTPUTS

    def keep(self, outputs: List[tuple[int, Any]], index: int, output: object) -> List[tuple[int, Any]]:
        """Keep pairs of position and output, the latest first."""
        return outputs.push_front((index, output))

    def count(self, outputs: List[tuple[int, Any]]) -> int:
        """Count them."""
        return len(outputs)

    def succeeded(self, outputs: List[tuple[int, Any]]) -> int:
        """Look at all of them."""
        return sum(not isinstance(output, Err) for _, output in outputs)

    def output(self, outputs: List[tuple[int, Any]], index: int) -> object:
        """Find it."""
        return next(output for position, output in outputs if position == index)

    def finishes(self, node: Map, index: int) -> bool:  # noqa: ARG002 - the protocol's signature
        """Say yes: every item can win."""
        return True

    def can_win(self, node: Map, beaten: tuple[int, ...]) -> bool:  # noqa: ARG002 - the protocol's signature
        """Say yes: every item that is left can."""
        return True

    def kept(self, node: Map, winner: int) -> frozenset[int]:  # noqa: ARG002 - the protocol's signature
        """Return the winner alone."""
        return frozenset({winner})

    def result(self, node: Map, outputs: List[tuple[int, Any]], total: int) -> object:  # noqa: ARG002 - the protocol's signature
        """Return the outputs in input order."""
        results: list[object] = [None] * total
        for index, output in outputs:
            results[index] = output
        return results


class FoldedItems(Items):
    """The items of a map whose results are folded into one value as they come."""

    def nothing(self, node: Map) -> Folding:  # type: ignore[override]  # another container of outputs
        """Begin with a copy of the initial accumulator: each run has its own."""
        assert node.into is not None  # noqa: S101 - the row for such maps
        return Folding(copy.deepcopy(node.into.initial))

    def keep(self, outputs: Folding, index: int, output: object) -> Folding:  # type: ignore[override]  # as above
        """Let a result wait for its turn."""
        return evolve(outputs, waiting=outputs.waiting.insert(index, output))

    def count(self, outputs: Folding) -> int:  # type: ignore[override]  # as above
        """Count those that are folded and those that wait."""
        return outputs.position + len(outputs.waiting)

    def succeeded(self, outputs: Folding) -> None:  # type: ignore[override]
        """Know nothing of it."""

    def result(self, node: Map, outputs: Folding, total: int) -> object:  # type: ignore[override]  # noqa: ARG002 - as above
        """Return the accumulator."""
        return outputs.accumulator


VERTICES = Vertices()
ITEMS = Items()
FOLDED = FoldedItems()


def members_of(node: Graph | Map) -> Members:
    """Return what the children of a group are."""
    if isinstance(node, Graph):
        return VERTICES
    return ITEMS if node.into is None else FOLDED


def laid_out(value: Any, what: str) -> tuple[object, ...]:  # noqa: ANN401 - a user's value
    """Return items in order.

    Raises:
        TypeError: if the value has none, or has no order of its own, or can be read only once (S2).
    """
    if isinstance(value, AbstractSet):
        message = f"{what} over a {type(value).__name__}, whose order is random: sort it first, .pure(sorted)"
        raise TypeError(message)
    if isinstance(value, Iterator):
        message = f"{what} over a {type(value).__name__}, which can be read only once: return a list instead"
        raise TypeError(message)
    return tuple(value)
