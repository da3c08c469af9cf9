"""Loops and folds: a body again and again, each time with what came of the last (S16, S17)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import attrs

from orchestration.errors import LoopLimitExceeded
from orchestration.failures import Failure
from orchestration.frozen import evolve, frozen, maker
from orchestration.interpreter.effects import VALUE
from orchestration.interpreter.members import laid_out
from orchestration.interpreter.pure import holds
from orchestration.interpreter.trail import Chain, chained
from orchestration.interpreter.turn import Broken, Done, Stopped, foregone, foregone_failure
from orchestration.plan.nodes import Fold, Loop
from orchestration.plan.secrets import text_of

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame, Turn


def loop(node: Loop, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin a loop: the value is the accumulator."""
    return _follow(RepeatFrame(node, path, ()), Done(value), turn)


def fold(node: Fold, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin a fold over the items of the value; each run has its own copy of the initial accumulator."""
    try:
        items = laid_out(value, "fold")
    except Exception as error:  # noqa: BLE001 - what has items is a user's class, which may raise anything
        return turn.broken(Failure.of(error, path))
    return _follow(RepeatFrame(node, path, items), Done(copy.deepcopy(node.initial)), turn)


@frozen
class RepeatFrame:
    """A loop, or a fold over `items`: `child` is iteration number `index`, `trail` what those before it have done."""

    node: Loop | Fold
    path: str
    items: Any = attrs.field(metadata=VALUE)
    index: int = -1
    child: Frame | None = None  # never None between two turns
    trail: Chain | None = None

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the iteration under way, and go on when it has ended."""
        assert self.child is not None  # noqa: S101 - see the field
        return _follow(self, self.child.resume(event, turn), turn)

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel the iteration under way."""
        assert self.child is not None  # noqa: S101 - see the field
        return _follow(self, self.child.cancel(turn), turn)


_repeat_frame = maker(RepeatFrame)


@foregone.register(RepeatFrame)
def _(frame: RepeatFrame, turn: Turn) -> Broken | None:
    return foregone_failure(frame.child, turn)


def _follow(frame: RepeatFrame, child: Frame | Ended, turn: Turn) -> Frame | Ended:
    node, path, index, trail = frame.node, frame.path, frame.index, frame.trail
    while isinstance(child, Done):
        trail = chained(trail, child.trail)
        index += 1
        if turn.stopping:
            whole = isinstance(node, Fold) and index == len(frame.items)
            return Done(child.value, trail) if whole else Stopped(trail)
        ended = _over(node, path, frame.items, index, child.value, turn)
        if ended is not None:
            return evolve(ended, trail=trail)
        value = child.value if isinstance(node, Loop) else (child.value, frame.items[index])
        child = turn.enter(node.body, f"{path}[{index}]", value)
    if isinstance(child, Broken | Stopped):
        child.trail = chained(trail, child.trail)
        return child
    return _repeat_frame(node, path, frame.items, index, child, trail)


def _over(
    node: Loop | Fold, path: str, items: tuple[object, ...], index: int, value: object, turn: Turn
) -> Done | Broken | None:
    """Return how it ends before iteration number `index`, if it does."""
    if isinstance(node, Fold):
        return Done(value) if index == len(items) else None
    if node.check == "while" or index > 0:
        answer = holds(node.test, (value, index if node.check == "while" else index - 1), path, turn)
        if isinstance(answer, Broken):
            return answer
        if answer is (node.check == "until"):
            return Done(value)
    if index == node.max_iterations:
        return turn.broken(_past_the_limit(node, path, value))
    return None


def _past_the_limit(node: Loop, path: str, value: object) -> Failure:
    error = LoopLimitExceeded(
        path,
        found=f"no end after {node.max_iterations} iterations; the last value is {text_of(value)}",
        expected=f"{node.check} to end it",
        mend="Raise max_iterations, or see why the predicate never holds.",
    )
    error.value = value
    return Failure.of(error, path)
