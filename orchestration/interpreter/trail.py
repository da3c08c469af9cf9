"""Trails: what a finished part of a run has done that can be undone, shaped like the plan (S22, S23, S27).

A leaf is an `Entry`; a chain is a `List` with the latest first; what ran side by side is `Several`. `None` stands for
nothing, so that work without compensation costs nothing. `in_reverse` is where the order of every rollback comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Union

import attrs
from rpds import HashTrieMap, List

from orchestration.frozen import frozen
from orchestration.interpreter.effects import VALUE
from orchestration.plan.nodes import Graph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.plan.nodes import Map, Undoable


@frozen
class Entry:
    """A step that is to be undone: `armed` with its output as `value`, or in doubt with its input (S22)."""

    path: str
    step: Undoable
    armed: bool
    value: Any = attrs.field(metadata=VALUE)


@frozen
class Stuck:
    """The step at `path` could not be undone; what it depended on is held, with `halts` all that remains (S26)."""

    path: str
    halts: bool = False


@frozen
class Sealed:
    """What a scope did before its pivot: it is kept, whoever unwinds (S27)."""

    trail: Trail


@frozen
class Several:
    """The trails of the children of a group, by their position; `path` is the group's."""

    node: Graph | Map
    path: str
    trails: HashTrieMap[int, Trail]


Chain: TypeAlias = "List[Trail]"
Trail = Union[Entry, Stuck, Sealed, Several, "List[Trail]"]
Lane = tuple[tuple["Graph | Map", str, int], ...]  # the groups that an entry lies in, with its position in each


@frozen
class Mark:
    """A leaf of a trail, with the lane it lies in and whether it stands before a pivot."""

    leaf: Entry | Stuck
    lane: Lane
    sealed: bool


def chained(before: Chain | None, latest: Trail | None) -> Chain | None:
    """Return the trail of a chain that has gone on."""
    if latest is None:
        return before
    return List([latest]) if before is None else before.push_front(latest)


def in_reverse(trail: Trail, lane: Lane = (), *, sealed: bool = False) -> Iterator[Mark]:
    """Yield all leaves in reverse plan order (S4, S23)."""
    match trail:
        case Several():
            for position in sorted(trail.trails, reverse=True):
                yield from in_reverse(
                    trail.trails[position], (*lane, (trail.node, trail.path, position)), sealed=sealed
                )
        case Sealed():
            yield from in_reverse(trail.trail, lane, sealed=True)
        case Entry() | Stuck():
            yield Mark(trail, lane, sealed)
        case _:
            for part in trail:
                yield from in_reverse(part, lane, sealed=sealed)


def depends(later: Lane, earlier: Lane) -> bool:
    """Tell whether what stands in lane `later` came after, and so built on, what stands in `earlier` (S26).

    It does unless the two ran side by side in the same group, neither needing the other.
    """
    for (node, path, position), (_, other_path, other) in zip(later, earlier, strict=False):
        if path != other_path:
            return True
        if position != other:
            return isinstance(node, Graph) and other in node.topology.before(position)
    return True
