"""A workflow: a chain of nodes, the scope of its compensations. Failing, it unwinds before its parent learns (S19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpds import List

from orchestration.frozen import frozen, maker
from orchestration.interpreter.cleanup import Cleanups, Registered, close
from orchestration.interpreter.effects import Tell
from orchestration.interpreter.recover import recover
from orchestration.interpreter.saga import unwind
from orchestration.interpreter.told import tell
from orchestration.interpreter.trail import Chain, Sealed, chained
from orchestration.interpreter.turn import Broken, Done, Stopped, foregone, foregone_failure
from orchestration.plan.nodes import Cleanup, Pivot, Recover

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Absorber, Ended, Frame, Turn
    from orchestration.plan.nodes import Node, Scope

MARKS = frozenset({Cleanup, Pivot, Recover})  # what concerns the chain itself: the value passes


def enter(node: Scope, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin the first node of the chain."""
    if node.hooks and node.number:  # the root's hooks are told of the run
        turn.effects.append(Tell(path, node, None, value))
        return tell(node, path, _follow(ScopeFrame(node, path, -1), Done(value), turn), turn)
    return _follow(ScopeFrame(node, path, -1), Done(value), turn)


@frozen
class ScopeFrame:
    """The chain under way: `child` is node number `index`, `trail` what the nodes before it have done.

    `cleanups` are those that were reached, the last first.
    """

    node: Scope
    path: str
    index: int
    child: Frame | None = None  # never None between two turns
    trail: Chain | None = None
    cleanups: Cleanups = ()

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the node under way, and go on when it has ended."""
        assert self.child is not None  # noqa: S101 - see the field
        child, node = self.child, self.node
        if node.recovers:
            absorbs = _absorber(node, self.index)
            return _follow(self, turn.within(lambda: child.resume(event, turn), absorbs=absorbs), turn)
        return _follow(self, child.resume(event, turn), turn)

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel the node under way."""
        assert self.child is not None  # noqa: S101 - see the field
        return _follow(self, self.child.cancel(turn), turn)


_scope_frame = maker(ScopeFrame)


def _follow(frame: ScopeFrame, child: Frame | Ended, turn: Turn) -> Frame | Ended:
    node, path, index, trail, cleanups = frame.node, frame.path, frame.index, frame.trail, frame.cleanups
    children = node.children
    while True:
        if isinstance(child, Done):
            if child.trail is not None:
                trail = chained(trail, child.trail)
            index += 1
            if index == len(children) or turn.stopping:
                whole = index == len(children) and not (turn.stopping and node.number == 0)
                return _end(node, path, Done(child.value, trail) if whole else Stopped(trail), cleanups, turn)
            following = children[index]
            if type(following) in MARKS:
                trail, cleanups = _mark(following, f"{path}/{following.name}", child.value, trail, cleanups)
                child = Done(child.value)
            else:
                child = _enter(node, path, index, child.value, turn)
        elif isinstance(child, Broken):
            child.trail = chained(trail, child.trail)
            at = _recovery(node, index, Broken(child.failure) if turn.stopping else child)
            if at is None:
                return _end(node, path, child, cleanups, turn)
            if turn.stopping:  # it was to be recovered from, so it is not why the scope ends
                stopped = Stopped(child.trail, (child.failure,), child.partial)
                return _end(node, path, stopped, cleanups, turn)
            index, trail = at, None
            child = _recover(node, path, index, child, turn)
        elif isinstance(child, Stopped):
            child.trail = chained(trail, child.trail)
            return _end(node, path, child, cleanups, turn)
        else:
            return _scope_frame(node, path, index, child, trail, cleanups)


def _enter(node: Scope, path: str, index: int, value: object, turn: Turn) -> Frame | Ended:
    following = node.children[index]
    if node.recovers:
        absorbs = _absorber(node, index)
        return turn.within(lambda: turn.enter(following, f"{path}/{following.name}", value), absorbs=absorbs)
    return turn.enter(following, f"{path}/{following.name}", value)


def _mark(
    node: Node, path: str, value: object, trail: Chain | None, cleanups: Cleanups
) -> tuple[Chain | None, Cleanups]:
    """Pass a node that concerns the chain itself; a recover is passed when there is nothing to recover from."""
    if isinstance(node, Pivot) and trail is not None:
        return List([Sealed(trail)]), cleanups
    if isinstance(node, Cleanup):
        return trail, (Registered(path, node, value), *cleanups)
    return trail, cleanups


def _recovery(node: Scope, index: int, broken: Broken) -> int | None:
    """Return the position of the next recover that takes a failure of the node at `index`, if there is one (S20)."""
    for at in node.recovers:
        recovering = node.children[at]
        if at > index and isinstance(recovering, Recover) and broken.failure.matches(recovering.on):
            if broken.partial and recovering.on_partial == "fail":
                continue
            return at
    return None


def _absorber(node: Scope, index: int) -> Absorber:
    return lambda failure: failure if _recovery(node, index, Broken(failure)) is None else None


@foregone.register(ScopeFrame)
def _(frame: ScopeFrame, turn: Turn) -> Broken | None:
    broken = foregone_failure(frame.child, turn)
    return None if broken is None or _recovery(frame.node, frame.index, broken) is not None else broken


def _recover(node: Scope, path: str, index: int, broken: Broken, turn: Turn) -> Frame | Ended:
    recovering = node.children[index]
    assert isinstance(recovering, Recover)  # noqa: S101 - `_recovery` says so
    absorbs = _absorber(node, index)
    return turn.within(lambda: recover(recovering, f"{path}/{recovering.name}", path, broken, turn), absorbs=absorbs)


def _end(node: Scope, path: str, ended: Ended, cleanups: Cleanups, turn: Turn) -> Frame | Ended:
    """End a scope: unwind it unless it has succeeded, then clean up."""
    if isinstance(ended, Done):
        if node.number == 0 and cleanups:
            turn.decide()  # all nodes of the run are settled (S28)
        return close(ended, cleanups, turn)
    if isinstance(ended, Broken) and node.recovers:
        turn.passes(ended.failure)
    return close(unwind(ended, path, turn), cleanups, turn)
