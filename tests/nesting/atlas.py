"""Where the steps of a run stand in its plan, read from their paths: what came before what, and what ran beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from orchestration.plan.nodes import Branch, Cleanup, Compensated, Fold, Graph, Loop, Map, Node, Retried, Scope
from orchestration.plan.tree import children_of

if TYPE_CHECKING:
    from orchestration.plan.compile import Plan

SEGMENT = re.compile(r"/([^/\[#]+)")
ITEM = re.compile(r"\[(\d+)\]")
ATTEMPT = re.compile(r"#(\d+)")
Relation = Literal["after", "beside"]  # of a step to an earlier one: built on it, or beside it


class Place(NamedTuple):
    """One turn on the way to a step: at `node`, which is at `path`, to its child at `position`."""

    node: Node
    path: str
    position: int
    below: str  # the path of that child


class Registered(NamedTuple):
    """A cleanup: its path, that of the node before it, its workflow and place there, the path of the last node."""

    path: str
    before: str
    scope: str
    position: int
    last: str


class Atlas:
    """The ways to all paths of a plan."""

    def __init__(self, plan: Plan) -> None:
        """Know none yet."""
        self._root = plan.root
        self._ways: dict[str, tuple[Place, ...]] = {}
        self._relations: dict[tuple[str, str], Relation | None] = {}
        self._cleanups: dict[str, tuple[Registered, ...]] = {}

    def way(self, path: str) -> tuple[Place, ...]:
        """Return the turns from the root to a step."""
        known = self._ways.get(path)
        if known is None:
            root = self._root
            known = self._ways[path] = tuple(_turns(root, root.name, path))
        return known

    def relation(self, path: str, other: str) -> Relation | None:
        """Tell whether the step at `path` was built on the `other`, or stands later in plan order and beside it.

        `None` if it stands earlier.
        """
        pair = path, other
        if pair not in self._relations:
            ways = zip(self.way(path), self.way(other), strict=False)
            self._relations[pair] = _relation(*next((a, b) for a, b in ways if a.position != b.position))
        return self._relations[pair]

    def cleanups(self, path: str) -> tuple[Registered, ...]:
        """Return the cleanups of all workflows around a step."""
        known = self._cleanups.get(path)
        if known is None:
            scopes = [place for place in self.way(path) if isinstance(place.node, Scope)]
            known = self._cleanups[path] = tuple(one for place in scopes for one in _registered(place))
        return known


def _relation(here: Place, there: Place) -> Relation | None:
    if here.position < there.position:
        return None
    if isinstance(here.node, Map) or (isinstance(here.node, Graph) and not _needs(here.node, here, there)):
        return "beside"
    return "after"


def _registered(place: Place) -> list[Registered]:
    children = place.node.children if isinstance(place.node, Scope) else ()
    last = f"{place.path}/{children[-1].name}"
    return [
        Registered(f"{place.path}/{child.name}", f"{place.path}/{children[at - 1].name}", place.path, at, last)
        for at, child in enumerate(children)
        if isinstance(child, Cleanup)
    ]


def _needs(graph: Graph, here: Place, there: Place) -> bool:
    """Tell whether one member of a graph needs another, directly or not."""
    left, seen = [here.position], {here.position}
    while left:
        for rank in graph.topology.needs[left.pop()]:
            if rank not in seen:
                seen.add(rank)
                left.append(rank)
    return there.position in seen


def _turns(node: Node, here: str, path: str) -> list[Place]:
    turns: list[Place] = []
    while children_of(node) and not (here == path and isinstance(node, Compensated)):
        below, position, child = _turn(node, here, path)
        turns.append(Place(node, here, position, below))
        node, here = child, below
    return turns


def _turn(node: Node, here: str, path: str) -> tuple[str, int, Node]:
    match node:
        case Map() | Loop() | Fold():
            item = ITEM.match(path, len(here))
            assert item is not None, f"{path} leads to an item of {here}"
            return here + item[0], int(item[1]), node.body
        case Retried():
            attempt = ATTEMPT.match(path, len(here))
            return (here, 1, node.body) if attempt is None else (here + attempt[0], int(attempt[1]), node.body)
        case Scope() | Branch() | Graph():
            segment = SEGMENT.match(path, len(here))
            assert segment is not None, f"{path} leads into {here}"
            names = [child.name for _, child in children_of(node)]
            index = names.index(segment[1])
            position = node.topology.ranks[segment[1]] if isinstance(node, Graph) else index
            return here + segment[0], position, children_of(node)[index][1]
        case _:
            [(_, child)] = children_of(node)
            return here, 0, child
