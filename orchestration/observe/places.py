"""The rows of a plan: where in it something can be seen to happen, as a tree, and which maps are how far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import attrs

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.group import GroupFrame
from orchestration.interpreter.members import Stream
from orchestration.interpreter.serial import FRAMES
from orchestration.plan.nodes import (
    Branch,
    Cleanup,
    Fold,
    Graph,
    Loop,
    Map,
    Node,
    Pivot,
    Pure,
    Recover,
    Retried,
    Scope,
    Sleep,
    Step,
    WaitFor,
)
from orchestration.plan.tree import child_path, children_of, static_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan

Kind = Literal["step", "branch", "arm", "recover", "cleanup", "sleep", "wait", "map", "part"]
KINDS: dict[type, Kind] = {
    Branch: "branch",
    Recover: "recover",
    Cleanup: "cleanup",
    Sleep: "sleep",
    WaitFor: "wait",
    Map: "map",
    Step: "step",
}
UNSEEN = (Pure, Pivot)  # what the interpreter does by itself has no events


@frozen
class Place:
    """Where something can be seen to happen: a step, or what is made of steps.

    `paths` are the static paths that count here, `map_path` is that of the map whose items are counted. `attempts` says
    how often at most it is tried. What is `repeated` stands for many: it is inside of a map, a loop or a fold.
    """

    name: str
    kind: Kind
    paths: tuple[str, ...]
    children: tuple[Place, ...] = ()
    map_path: str | None = None
    attempts: int = 1
    repeated: bool = False

    @property
    def repeats(self) -> bool:
        """Whether this is where many begin: a map, a loop or a fold."""
        return self.paths[-1].endswith("]")


def places_of(plan: Plan) -> tuple[Place, ...]:
    """Return the places of a plan, in its order."""
    return _below(plan.root, plan.name, repeated=False)


def _below(node: Node, path: str, *, repeated: bool) -> tuple[Place, ...]:
    found = (_place(child, child_path(path, how, child.name), repeated=repeated) for how, child in children_of(node))
    arms = isinstance(node, Branch)
    return tuple(evolve(place, kind="arm") if arms else place for place in found if place is not None)


def _place(node: Node, path: str, *, repeated: bool) -> Place | None:
    """Return the place of a node with the layers around it that have no path of their own, if it has one."""
    name, kind, paths, attempts, map_path = node.name, KINDS.get(type(node), "part"), [path], 1, None
    while True:
        if isinstance(node, UNSEEN):
            return None
        kind = KINDS.get(type(node), kind) if kind == "part" else kind
        retry = node.retry if isinstance(node, Step | Retried) else None
        attempts = attempts if retry is None else retry.max_attempts
        below = children_of(node)
        if len(below) != 1 or below[0][0] == "named":
            break
        if isinstance(node, Map | Loop | Fold):
            map_path = path if isinstance(node, Map) and not repeated else map_path
            repeated = True
        path = child_path(path, below[0][0], below[0][1].name)
        paths.append(path)
        node = below[0][1]
    if isinstance(node, Scope | Branch | Graph):
        children = _below(node, path, repeated=repeated)
        if not children and map_path is None:
            return None
        return Place(name, kind, tuple(dict.fromkeys(paths)), children, map_path, attempts, repeated)
    return Place(name, kind, tuple(dict.fromkeys(paths)), (), map_path, attempts, repeated)


# --- how far maps are


class Extent(NamedTuple):
    """How many items of a map have ended, and how many there are, `None` while nobody knows."""

    ended: int
    total: int | None


def extents(state: State) -> dict[str, Extent]:
    """Return how far each map under way is that is not inside of another's items, by its path in the plan."""
    return {static_path(frame.path): _extent(frame) for frame in _maps(state.root)}


def _extent(frame: GroupFrame) -> Extent:
    begun = frame.value.pulled if isinstance(frame.value, Stream) else (frame.total or 0) - len(frame.ready)
    return Extent(begun - len(frame.active), frame.total)


def _maps(frame: Any) -> Iterator[GroupFrame]:  # noqa: ANN401 - any part of a state
    if isinstance(frame, GroupFrame) and isinstance(frame.node, Map):
        yield frame  # its items are as many as they like: they are counted, not visited
    elif isinstance(frame, GroupFrame):
        for rank in sorted(frame.active):
            yield from _maps(frame.active[rank])
    elif isinstance(frame, FRAMES):
        kind: Any = type(frame)
        for field in attrs.fields(kind):
            yield from _maps(getattr(frame, field.name))
