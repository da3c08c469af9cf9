"""A composite with one undo: armed with the composite's output when it has succeeded (S27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.frozen import frozen
from orchestration.interpreter.trail import Entry
from orchestration.interpreter.turn import Broken, Done, Frame, Stopped, foregone, foregone_failure

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Turn
    from orchestration.plan.nodes import Compensated


def enter(node: Compensated, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin the body."""
    return _follow(node, path, turn.enter(node.body, path, value))


@frozen
class CompensatedFrame:
    """The body under way."""

    node: Compensated
    path: str
    child: Frame

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the body."""
        return _follow(self.node, self.path, self.child.resume(event, turn))

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel the body."""
        return _follow(self.node, self.path, self.child.cancel(turn))


@foregone.register(CompensatedFrame)
def _(frame: CompensatedFrame, turn: Turn) -> Broken | None:
    return foregone_failure(frame.child, turn)


def _follow(node: Compensated, path: str, child: Frame | Ended) -> Frame | Ended:
    match child:
        case Done():
            return Done(child.value, Entry(path, node, armed=True, value=child.value))
        case Broken() | Stopped():
            return child
        case _:
            return CompensatedFrame(node, path, child)
