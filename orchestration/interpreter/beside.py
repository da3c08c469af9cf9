"""Tap and enrich: a body runs beside the value, which goes on, alone or combined with the output (S21)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from orchestration.frozen import frozen
from orchestration.interpreter.effects import VALUE
from orchestration.interpreter.pure import evaluate
from orchestration.interpreter.turn import Broken, Done, Stopped, foregone, foregone_failure

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Beside


def enter(node: Beside, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin the body."""
    return _follow(node, path, value, turn.enter(node.body, path, value), turn)


@frozen
class BesideFrame:
    """The body under way, and the value that waits for it."""

    node: Beside
    path: str
    value: Any = attrs.field(metadata=VALUE)
    child: Frame

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the body."""
        return _follow(self.node, self.path, self.value, self.child.resume(event, turn), turn)

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel the body."""
        return _follow(self.node, self.path, self.value, self.child.cancel(turn), turn)


@foregone.register(BesideFrame)
def _(frame: BesideFrame, turn: Turn) -> Broken | None:
    return foregone_failure(frame.child, turn)


def _follow(node: Beside, path: str, value: object, child: Frame | Ended, turn: Turn) -> Frame | Ended:
    match child:
        case Done():
            if node.combine is None:
                return Done(value, child.trail)
            if turn.stopping:
                return Stopped(child.trail)
            return evaluate(node.combine, (value, child.value), path, turn, child.trail)
        case Broken() | Stopped():
            return child
        case _:
            return BesideFrame(node, path, value, child)
