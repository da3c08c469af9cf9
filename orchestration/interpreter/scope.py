"""A workflow: a chain of nodes, the scope of its compensations. Failing, it unwinds before its parent learns (S19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.frozen import frozen
from orchestration.interpreter.saga import unwind
from orchestration.interpreter.trail import Chain, chained
from orchestration.interpreter.turn import Broken, Done, Stopped

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Scope


def enter(node: Scope, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin the first node of the chain."""
    return _follow(node, path, -1, Done(value), None, turn)


@frozen
class ScopeFrame:
    """The chain under way: `child` is node number `index`, `trail` what the nodes before it have done."""

    node: Scope
    path: str
    index: int
    child: Frame
    trail: Chain | None = None

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the node under way, and go on when it has ended."""
        return _follow(self.node, self.path, self.index, self.child.resume(event, turn), self.trail, turn)

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel the node under way."""
        return _follow(self.node, self.path, self.index, self.child.cancel(turn), self.trail, turn)


def _follow(node: Scope, path: str, index: int, child: Frame | Ended, trail: Chain | None, turn: Turn) -> Frame | Ended:
    children = node.children
    while isinstance(child, Done):
        if child.trail is not None:
            trail = chained(trail, child.trail)
        index += 1
        if index == len(children):
            return Done(child.value, trail)
        if turn.stopping:
            return unwind(Stopped(trail), path, turn)
        following = children[index]
        child = turn.enter(following, f"{path}/{following.name}", child.value)
    if not isinstance(child, (Broken, Stopped)):
        return ScopeFrame(node, path, index, child, trail)
    child.trail = chained(trail, child.trail)
    return unwind(child, path, turn)
