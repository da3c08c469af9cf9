"""A workflow inside the run that has hooks of its own: they are told how it ended (S31)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.frozen import frozen
from orchestration.interpreter.effects import Tell
from orchestration.interpreter.turn import ENDED, Broken, Done, foregone

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Scope


@frozen
class ToldFrame:
    """The workflow under way."""

    node: Scope
    path: str
    child: Frame

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event on."""
        return tell(self.node, self.path, self.child.resume(event, turn), turn)

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel the workflow."""
        return tell(self.node, self.path, self.child.cancel(turn), turn)


@foregone.register(ToldFrame)
def _(frame: ToldFrame, turn: Turn) -> Done | Broken | None:
    return foregone(frame.child, turn)


def tell(node: Scope, path: str, child: Frame | Ended, turn: Turn) -> Frame | Ended:
    """Tell how a workflow ended, if it has."""
    if not isinstance(child, ENDED):
        return ToldFrame(node, path, child)
    if isinstance(child, Done):
        turn.effects.append(Tell(path, node, "succeeded", child.value))
    elif isinstance(child, Broken):
        turn.effects.append(Tell(path, node, "failed", None, child.failure))
    else:
        turn.effects.append(Tell(path, node, "cancelled", None))
    return child
