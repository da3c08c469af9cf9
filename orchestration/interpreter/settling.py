"""How a group ends that goes on in spite of failed or cancelled members: these are unwound first (S18, S20)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import attrs

from orchestration.errors import PartialRollback
from orchestration.failures import Failure
from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import VALUE
from orchestration.interpreter.fate import NO_TRAILS
from orchestration.interpreter.members import members_of
from orchestration.interpreter.saga import unwind
from orchestration.interpreter.trail import Several, Stuck, Trail
from orchestration.interpreter.turn import ENDED, Broken, Done, Stopped

if TYPE_CHECKING:
    from rpds import HashTrieMap

    from orchestration.interpreter.events import Event
    from orchestration.interpreter.fate import Fate
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Graph, Map


@frozen
class SettlingFrame:
    """A group whose `value` waits for the unwinding of what it goes on in spite of; `trails` are those that stay."""

    node: Graph | Map
    path: str
    value: Any = attrs.field(metadata=VALUE)
    trails: HashTrieMap[int, Trail]
    fate: Fate
    child: Frame

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the unwinding."""
        return _settled(self, self.child.resume(event, turn), turn)

    def cancel(self, turn: Turn) -> SettlingFrame:  # noqa: ARG002 - the protocol's signature
        """Go on: unwinding is shielded (S24)."""
        return self


def settle(
    node: Graph | Map,
    path: str,
    value: object,
    trails: HashTrieMap[int, Trail],
    lost: HashTrieMap[int, Trail],
    fate: Fate,
    turn: Turn,
) -> Frame | Ended:
    """Unwind what is `lost`, then end with the value."""
    child = unwind(Stopped(several(node, path, lost), partial=fate.partial), path, turn)
    return _settled(SettlingFrame(node, path, value, trails, fate, child), child, turn)  # type: ignore[arg-type]  # replaced if it has ended


def _settled(frame: SettlingFrame, child: Frame | Ended, turn: Turn) -> Frame | Ended:
    if not isinstance(child, ENDED):
        return evolve(frame, child=child)
    assert isinstance(child, Stopped)  # noqa: S101 - so `settle` has begun the unwinding
    stuck, trails = child.trail, frame.trails
    if isinstance(stuck, Stuck):  # it stands where its member does, of which nothing else is left
        index = members_of(frame.node).position(frame.node, frame.path, stuck.path)
        trails = trails.insert(cast("int", index), stuck)
    trail = several(frame.node, frame.path, trails)
    if turn.stopping:
        failures = tuple(failure for _, failure in frame.fate.in_order())
        return Stopped(trail, failures + frame.fate.failures, child.partial)
    if not child.partial or frame.node.on_partial == "continue":
        return Done(frame.value, trail)
    if not frame.fate.absorbed:  # all losers were cancelled: what failed meanwhile, if something did, passes through
        failures = frame.fate.failures or (_not_undone(frame.path, stuck),)
        primary, *others = failures
        return evolve(turn.broken(primary.attach(others)), trail=trail, partial=True)
    (order, earliest), *later = frame.fate.in_order()
    turn.passes(earliest)
    attached = (*(failure for _, failure in later), *frame.fate.failures)
    return Broken(earliest.attach(attached), trail, order, partial=True)


def several(node: Graph | Map, path: str, trails: HashTrieMap[int, Trail]) -> Several | None:
    """Return the trail of a group."""
    return Several(node, path, trails) if trails else None


def merged(one: HashTrieMap[int, Trail], other: HashTrieMap[int, Trail]) -> HashTrieMap[int, Trail]:
    """Return the trails of both."""
    for position in sorted(other):
        one = one.insert(position, other[position])
    return one


def without(trails: HashTrieMap[int, Trail], kept: frozenset[int]) -> HashTrieMap[int, Trail]:
    """Return the trails of all others."""
    left = NO_TRAILS
    for position in sorted(trails):
        if position not in kept:
            left = left.insert(position, trails[position])
    return left


def _not_undone(path: str, stuck: Trail | None) -> Failure:
    error = PartialRollback(
        path,
        found=f"{stuck.path}, which could not be undone" if isinstance(stuck, Stuck) else "an effect in doubt",
        expected="all that the losers of the race have done to be undone",
        mend='Mend its undo, or go on all the same with on_partial="continue".',
    )
    return Failure.of(error, path)
