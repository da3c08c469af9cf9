"""Recovery: a chain goes on after a failure, with what a body makes of it, when what had been done is undone (S20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.frozen import frozen
from orchestration.interpreter.saga import unwind
from orchestration.interpreter.trail import Chain, chained
from orchestration.interpreter.turn import ENDED, Broken, Done, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.events import Event
    from orchestration.interpreter.trail import Trail
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Recover


@frozen
class RecoverFrame:
    """A recovery under way: first the unwinding of what it covers, then, with `broken`, the body.

    `broken` is the failure that is recovered from, as the unwinding has left it.
    """

    node: Recover
    path: str
    child: Frame
    broken: Broken | None = None

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the unwinding or the body."""
        return self._follow(_within(self.broken, lambda: self.child.resume(event, turn), turn), turn)

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel the body; an unwinding goes on (S24)."""
        return self._follow(self.child.cancel(turn), turn)

    def _follow(self, child: Frame | Ended, turn: Turn) -> Frame | Ended:
        if not isinstance(child, ENDED):
            return RecoverFrame(self.node, self.path, child, self.broken)
        if self.broken is None:
            return _unwound(self.node, self.path, child, turn)
        return _recovered(self.broken, child)


def recover(node: Recover, path: str, chain: str, broken: Broken, turn: Turn) -> Frame | Ended:
    """Unwind what has `broken` of the chain at the path `chain`, then let the body go on from the failure."""
    child = unwind(broken, chain, turn)
    if not isinstance(child, ENDED):
        return RecoverFrame(node, path, child)
    return _unwound(node, path, child, turn)


def _unwound(node: Recover, path: str, ended: Ended, turn: Turn) -> Frame | Ended:
    assert isinstance(ended, Broken)  # noqa: S101 - what was broken unwinds to be so
    if turn.stopping:
        return Stopped(ended.trail, (ended.failure,), ended.partial)
    if ended.partial and node.on_partial == "fail":
        return ended
    child = _within(ended, lambda: turn.enter(node.body, path, ended.failure), turn)
    return RecoverFrame(node, path, child, ended) if not isinstance(child, ENDED) else _recovered(ended, child)


def _within(broken: Broken | None, act: Callable[[], Frame | Ended], turn: Turn) -> Frame | Ended:
    """Let the body act: when it fails, what goes on up is the failure that it was to recover from."""
    return act() if broken is None else turn.within(act, absorbs=lambda _: broken.failure)


def _recovered(broken: Broken, ended: Ended) -> Ended:
    """Return how a recovery ends: what its unwinding could not undo stays in the trail."""
    trail = _joined(broken.trail, ended.trail)
    if isinstance(ended, Done):
        return Done(ended.value, trail)
    if isinstance(ended, Stopped):
        return Stopped(trail, (broken.failure, *ended.failures), broken.partial or ended.partial)
    partial = broken.partial or ended.partial
    return Broken(broken.failure.attach((ended.failure,)), trail, broken.order, partial)


def _joined(before: Trail | None, latest: Trail | None) -> Chain | None:
    return chained(chained(None, before), latest)
