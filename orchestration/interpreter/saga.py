"""Unwinding: undo what a scope has done, in reverse plan order, one at a time, shielded from every cancel (S22-S26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import RunUndo
from orchestration.interpreter.shielded import Shielded, begin
from orchestration.interpreter.trail import Entry, Lane, Mark, Stuck, in_reverse
from orchestration.interpreter.trail import depends as built_on
from orchestration.interpreter.turn import Broken, foregone
from orchestration.outcomes import Held, InDoubt, Kept, Undone
from orchestration.outcomes import UndoFailed as NotUndone

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Frame, Stopped, Turn


@frozen
class Unwinding:
    """A part of a run that unwinds because it `ended` so, and ends so when all is undone that can be.

    `marks` are to be undone in order, the one at `position` is under way as `child`; `stuck` is what could not be
    undone, each with its lane, and holds what it depended on (S26). `off`: it began because the run was cancelled,
    which not every workflow compensates for (S28).
    """

    path: str
    ended: Broken | Stopped
    marks: tuple[Mark, ...]
    off: bool
    position: int = 0
    stuck: tuple[tuple[Stuck, Lane], ...] = ()
    child: Shielded[RunUndo] | None = None  # never None between two turns

    def resume(self, event: Event, turn: Turn) -> Frame | Broken | Stopped:
        """Take the end of an undo's attempt, or of a backoff."""
        child = self.child
        assert child is not None  # noqa: S101 - see the field
        after = child.resume(event, turn)
        if isinstance(after, Shielded):
            return evolve(self, child=after)
        effect, stuck, ended = child.effect, self.stuck, self.ended
        if after is None:
            turn.settle(Undone(effect.path, effect.by))
        else:
            turn.settle(NotUndone(effect.path, after))
            ended, policy = evolve(ended, partial=True), effect.compensation.on_failure
            if policy != "continue":
                stuck = (*stuck, (Stuck(effect.path, halts=policy == "halt"), self.marks[self.position].lane))
        return _proceed(Unwinding(self.path, ended, self.marks, self.off, self.position + 1, stuck), turn)

    def cancel(self, turn: Turn) -> Self:  # noqa: ARG002 - the protocol's signature
        """Go on: unwinding is shielded (S24)."""
        return self


def unwind(ended: Broken | Stopped, path: str, turn: Turn) -> Frame | Broken | Stopped:
    """Undo the trail of a part that has failed or was cancelled; what comes back has no trail left to undo."""
    if ended.trail is None:
        return ended
    marks = tuple(in_reverse(ended.trail))
    return _proceed(Unwinding(path, evolve(ended, trail=None), marks, turn.ledger.cancel is not None), turn)


def _proceed(frame: Unwinding, turn: Turn) -> Unwinding | Broken | Stopped:
    """Go on at `frame.position`: settle what needs no effect, and emit the next undo."""
    stuck, partial = frame.stuck, frame.ended.partial
    for position in range(frame.position, len(frame.marks)):
        mark = frame.marks[position]
        leaf, lane = mark.leaf, mark.lane
        holder = next((one.path for one, later in stuck if one.halts or built_on(later, lane)), None)
        if isinstance(leaf, Stuck):
            if not mark.sealed:
                stuck, partial = (*stuck, (leaf, lane)), True
        elif mark.sealed or (frame.off and _is_off(leaf)):
            turn.settle(Kept(leaf.path))
        else:
            effect = _undo_of(leaf, turn)
            if effect is not None and holder is None:
                ended = evolve(frame.ended, partial=partial)
                return Unwinding(frame.path, ended, frame.marks, frame.off, position, stuck, begin(effect, turn))
            turn.settle(InDoubt(leaf.path) if effect is None or holder is None else Held(leaf.path, holder))
            partial = True
    # enclosing scopes need to know that something in here could not be undone
    first = next((one for one, _ in stuck if one.halts), stuck[0][0]) if stuck else None
    return evolve(frame.ended, partial=partial, trail=first)


def _is_off(entry: Entry) -> bool:
    """Tell whether a step is kept when the run is cancelled, because its workflow does not compensate then (S28)."""
    compensation = entry.step.compensation
    return compensation is not None and not compensation.on_cancel


@foregone.register(Unwinding)
def _(frame: Unwinding, turn: Turn) -> Broken | None:  # noqa: ARG001 - as registered
    return frame.ended if isinstance(frame.ended, Broken) else None


def _undo_of(entry: Entry, turn: Turn) -> RunUndo | None:
    compensation = entry.step.compensation
    if entry.armed:
        return RunUndo(entry.path, 1, entry.step, "undo", entry.value)
    late = turn.ledger.late
    if entry.path in late:
        return RunUndo(entry.path, 1, entry.step, "undo", late[entry.path])
    if compensation is None or compensation.in_doubt is None:
        return None
    return RunUndo(entry.path, 1, entry.step, "in_doubt", entry.value)
