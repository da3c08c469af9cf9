"""`Work`: the next frame of a group while a turn makes it; the failure modes are here (S18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.errors import NothingToRace, ToleranceExceeded
from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.interpreter.effects import CloseStream, Continue, Pull
from orchestration.interpreter.events import Exhausted, Pulled
from orchestration.interpreter.fate import NO_FAILURES
from orchestration.interpreter.members import Folding, Stream, keeps_failures, members_of
from orchestration.interpreter.pure import evaluate
from orchestration.interpreter.settling import merged, settle, several, without
from orchestration.interpreter.turn import ENDED, Broken, Done, Later, Stopped, foregone_failure
from orchestration.policies import Tolerate
from orchestration.results import Err, Ok

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rpds import HashTrieMap

    from orchestration.interpreter.events import PullFailed
    from orchestration.interpreter.fate import Fate
    from orchestration.interpreter.few import Few
    from orchestration.interpreter.group import GroupFrame
    from orchestration.interpreter.members import Members
    from orchestration.interpreter.trail import Trail
    from orchestration.interpreter.turn import Absorber, Ended, Frame, Turn
    from orchestration.plan.nodes import Graph, Map, Node


class Work:
    """The next frame of a group while a turn makes it."""

    __slots__ = ("active", "fate", "frame", "members", "node", "outputs", "ready", "total", "trails", "turn", "value")

    def __init__(self, frame: GroupFrame, turn: Turn) -> None:
        """Begin where the frame stands."""
        self.frame: GroupFrame = frame
        self.turn: Turn = turn
        self.node: Graph | Map = frame.node
        self.members: Members = members_of(frame.node)
        self.value: Any = frame.value
        self.total = frame.total
        self.ready: Sequence[int] = frame.ready
        self.active: HashTrieMap[int, Frame] | Few = frame.active
        self.outputs = frame.outputs
        self.trails: HashTrieMap[int, Trail] = frame.trails
        self.fate: Fate = frame.fate

    # --- what has become of a child

    def take(self, index: int, child: Frame | Ended) -> None:
        """Note what has become of a child under way."""
        if not isinstance(child, ENDED):
            self.active = self.active.insert(index, child)
            return
        self.active = self.active.discard(index)
        if isinstance(child, Broken) and self._absorbs(child):
            self._absorb(index, child)
            return
        if child.trail is not None:
            self.trails = self.trails.insert(index, child.trail)
        if isinstance(child, Done):
            self._keep(index, child.value)
        elif isinstance(child, Broken):
            if not self.fate.halted and self.node.mode != "fail_fast":
                self.turn.passes(self._earliest(index, child.failure))
            self._fail(child)
        else:
            fate = self.fate
            self.fate = evolve(
                fate,
                failures=fate.failures + child.failures,
                stopped=fate.stopped + 1,
                partial=fate.partial or child.partial,
            )

    def _keep(self, index: int, value: object) -> None:
        mode = self.node.mode
        if mode == "race" and self.members.finishes(self.node, index) and not self.fate.halted:
            self.outputs = self.members.keep(self.outputs, index, value)
            if not self.turn.stopping:
                self.fate = evolve(self.fate, winner=index)
                self.cancel_all()
            return
        kept = Ok(value) if keeps_failures(self.node) else value
        outputs = self.outputs
        if isinstance(outputs, Folding) and outputs.position == index and self._folds(kept, outputs.waiting):
            return  # in its turn, it need not wait
        self.outputs = self.members.keep(self.outputs, index, kept)
        unlocked = self.members.unlocked(self.node, index, self.outputs)
        if unlocked:
            self.ready = tuple(sorted((*self.ready, *unlocked)))

    def _fail(self, broken: Broken, *, members: int = 1) -> None:
        """Fail, or take one more failure; `members` is 0 if it is none of a member's."""
        fate = evolve(self.fate, errors=self.fate.errors + members)
        if not fate.halted and not self.turn.stopping:
            known = sorted([*fate.absorbed, (broken.order, broken.failure)], key=lambda pair: pair[0])
            (order, primary), *others = known
            self.fate = evolve(
                fate,
                failure=primary,
                order=order,
                failures=tuple(failure for _, failure in others),
                absorbed=NO_FAILURES,
                partial=fate.partial or broken.partial,
            )
            self.cancel_all()
            return
        if fate.failure is not None and broken.order == fate.order:  # it was known to come
            self.fate = evolve(fate, failure=broken.failure, partial=fate.partial or broken.partial)
        elif fate.failure is not None and broken.order < fate.order:
            # it happened first, and was unwound before it came here
            failures, partial = (fate.failure, *fate.failures), fate.partial or broken.partial
            self.fate = evolve(fate, failure=broken.failure, order=broken.order, failures=failures, partial=partial)
        else:
            failures, partial = (*fate.failures, broken.failure), fate.partial or broken.partial
            self.fate = evolve(fate, failures=failures, partial=partial)

    # --- failures that the group goes on in spite of

    def absorber(self, index: int) -> Absorber | None:
        """Return what goes on up of a failure of the child at `index`: nothing, or the earliest that is known."""
        if self.fate.halted:
            return None
        return lambda failure: None if self._goes_on(index) else self._earliest(index, failure)

    def _goes_on(self, index: int) -> bool:
        mode = self.node.mode
        if mode == "race":
            return bool(self.ready) or len(self.active.discard(index)) > 0 or self._is_open()
        return mode != "fail_fast" and self._tolerates(self.fate.errors + 1)

    def _earliest(self, index: int, failure: Failure) -> Failure:
        """Return the failure that the group would fail with: others may have come before, and still unwind."""
        known = list(self.fate.absorbed)
        for other in sorted(self.active.discard(index)):
            broken = foregone_failure(self.active[other], self.turn)
            if broken is not None and not self._may_absorb(broken):
                known.append((broken.order, broken.failure))
        return min(known, key=lambda pair: pair[0])[1] if known else failure

    def _may_absorb(self, broken: Broken) -> bool:
        return self.node.mode != "fail_fast" and not broken.partial

    def _tolerates(self, errors: int) -> bool:
        mode = self.node.mode
        return not isinstance(mode, Tolerate) or mode.allows(errors, self.total)

    def _absorbs(self, child: Broken) -> bool:
        if self.node.mode == "fail_fast" or self.fate.halted or self.turn.stopping:
            return False
        return not child.partial or self.node.on_partial == "continue"

    def _absorb(self, index: int, child: Broken) -> None:
        fate, mode = self.fate, self.node.mode
        absorbed = fate.absorbed.push_front((child.order, child.failure))
        lost = fate.lost if child.trail is None else fate.lost.insert(index, child.trail)
        partial = fate.partial or child.partial
        beaten = (*fate.beaten, index) if mode == "race" else ()
        self.fate = evolve(fate, errors=fate.errors + 1, absorbed=absorbed, lost=lost, beaten=beaten, partial=partial)
        if mode != "race" and self._tolerates(self.fate.errors):
            self.outputs = self.members.keep(self.outputs, index, Err(child.failure))
        elif mode != "race" or not self.members.can_win(self.node, beaten):
            self.turn.passes(self.fate.in_order()[0][1])
            self.fate = evolve(self.fate, absorbed=fate.absorbed, errors=fate.errors)  # it is counted as what it is
            self._fail(child)

    # --- streams and folding

    def pulled(self, event: Pulled | Exhausted | PullFailed, stream: Stream) -> None:
        """Take what a pull has brought: an item, the end, or a failure."""
        if isinstance(event, Exhausted):
            self.value = evolve(stream, pulling=False, ended=True)
            self.total = stream.pulled
        elif isinstance(event, Pulled):
            self.value = Stream(stream.source, stream.pulled + 1)
            self._enter(event.index, self.node.body, f"{self.frame.path}[{event.index}]", event.item)  # type: ignore[union-attr]  # a map
        else:
            self.value = evolve(stream, pulling=False, ended=True)
            self._fail(self.turn.broken(event.failure), members=0)

    def is_folding(self) -> bool:
        """Tell whether the group has asked to go on folding in another turn."""
        return isinstance(self.outputs, Folding) and self.outputs.continuing

    def go_on(self) -> None:
        """Go on folding."""
        self.outputs = evolve(self.outputs, continuing=False)

    def _fold(self) -> None:
        """Fold the results that wait and whose turn has come."""
        while isinstance(self.outputs, Folding) and self.outputs.position in self.outputs.waiting:
            position, waiting = self.outputs.position, self.outputs.waiting
            if not self._folds(waiting[position], waiting.remove(position)):
                return

    def _folds(self, result: object, waiting: HashTrieMap[int, Any]) -> bool:
        """Fold the result whose turn it is, as long as the budget lasts (S7); `waiting` are those that are left."""
        turn, outputs, into = self.turn, self.outputs, getattr(self.node, "into", None)
        if into is None or not isinstance(outputs, Folding) or outputs.continuing or self.fate.halted or turn.stopping:
            return False
        if turn.budget <= 0:
            turn.effects.append(Continue(self.frame.path))
            self.outputs = evolve(outputs, continuing=True)
            return False
        turn.budget -= 1
        folded = evaluate(into.combine, (outputs.accumulator, result), self.frame.path, turn)
        if isinstance(folded, Broken):
            self._fail(folded, members=0)
            return False
        self.outputs = Folding(folded.value, outputs.position + 1, waiting)
        return True

    # --- going on

    def cancel_all(self) -> None:
        """Cancel the children under way, in order, and close the stream."""
        turn = self.turn
        if isinstance(self.value, Stream) and not self.value.ended:
            turn.effects.append(CloseStream(self.frame.path))
            self.value = evolve(self.value, pulling=False, ended=True)
        for index in sorted(self.active):
            child = self.active[index]
            self.take(index, turn.within(lambda child=child: child.cancel(turn), stopping=True))  # type: ignore[misc]

    def proceed(self) -> Frame | Ended:
        """Admit as many children as the cap allows, and end when there are no more."""
        self._fold()
        while self.ready and self._has_room() and not self._awaits_a_turn():
            index, self.ready = self.ready[0], self.ready[1:]
            child, path, value = self.members.child(self.node, self.frame.path, self.value, index, self.outputs)
            if self._enter(index, child, path, value):
                break
            self._fold()
        if isinstance(self.value, Stream):
            self._pull(self.value)
        waits = self.active or self.is_folding() or self._is_open()
        return self._frame() if waits else self._end()

    def _is_open(self) -> bool:
        return isinstance(self.value, Stream) and not self.value.ended

    def _has_room(self) -> bool:
        if self.fate.halted or self.turn.stopping:
            return False
        cap = self.node.concurrency
        if cap is None:
            return True
        outputs = self.outputs
        # results that wait for their turn are bounded as well, or one slow item would let all others pile up
        return len(self.active) < cap and not (isinstance(outputs, Folding) and len(outputs.waiting) >= cap)

    def _awaits_a_turn(self) -> bool:
        """Tell whether the child before the next one is begun in a later turn: then so are those after it (S7)."""
        return type(self.active.get(self.ready[0] - 1)) is Later

    def _enter(self, index: int, node: Node, path: str, value: object) -> bool:
        """Begin a child; tell whether the turn has gone on for long enough."""
        turn = self.turn
        absorbs = None if self.node.mode == "fail_fast" and not turn.absorbers else self.absorber(index)
        if absorbs is None:
            child = turn.enter(node, path, value)
        else:
            child = turn.within(lambda: turn.enter(node, path, value), absorbs=absorbs)
        self.take(index, child)
        return isinstance(child, Later)

    def _pull(self, stream: Stream) -> None:
        if not stream.pulling and not stream.ended and self._has_room():
            self.turn.effects.append(Pull(self.frame.path, stream.pulled, stream.source))
            self.value = evolve(stream, pulling=True)

    def _frame(self) -> GroupFrame:
        frame = self.frame
        return type(frame)(
            frame.node,
            frame.path,
            self.value,
            self.total,
            self.ready,
            self.active,
            self.outputs,
            self.trails,
            self.fate,
        )

    # --- the end

    def _end(self) -> Frame | Ended:
        fate, path = self.fate, self.frame.path
        trails = merged(self.trails, fate.lost)
        if fate.failure is not None:
            failure = fate.failure.attach(fate.failures).attach(self._too_many())
            return Broken(failure, several(self.node, path, trails), fate.order, fate.partial)
        if self.turn.stopping and (fate.absorbed or self._is_incomplete()):
            absorbed = tuple(failure for _, failure in fate.in_order())
            return Stopped(several(self.node, path, trails), absorbed + fate.failures, fate.partial)
        if self.node.mode == "race":
            return self._race_over(trails)
        result = self.members.result(self.node, self.outputs, self.total or 0)
        return self._settle(result, self.trails, fate.lost)

    def _is_incomplete(self) -> bool:
        if self.node.mode == "race" or self.total is None:  # a stream that was closed before its end
            return True
        return self.members.count(self.outputs) < self.total

    def _race_over(self, trails: HashTrieMap[int, Trail]) -> Frame | Ended:
        fate, path, turn = self.fate, self.frame.path, self.turn
        if fate.winner is not None:
            kept = self.members.kept(self.node, fate.winner)
            lost = without(trails, kept)
            return self._settle(self.members.output(self.outputs, fate.winner), without(trails, frozenset(lost)), lost)
        if not fate.absorbed:
            return turn.broken(_nobody(path), several(self.node, path, trails))
        (order, primary), *others = fate.in_order()
        turn.passes(primary)
        return Broken(
            primary.attach(failure for _, failure in others), several(self.node, path, trails), order, fate.partial
        )

    def _settle(self, value: object, trails: HashTrieMap[int, Trail], lost: HashTrieMap[int, Trail]) -> Frame | Ended:
        if not lost and not self.fate.partial:
            return Done(value, several(self.node, self.frame.path, trails))
        return settle(self.node, self.frame.path, value, trails, lost, self.fate, self.turn)

    def _too_many(self) -> tuple[Failure, ...]:
        """Return the note that more members failed than are tolerated, and what became of the others."""
        fate, mode, path = self.fate, self.node.mode, self.frame.path
        if not isinstance(mode, Tolerate) or self._tolerates(fate.errors):
            return ()
        succeeded = self.members.succeeded(self.outputs)
        ended = fate.errors + fate.stopped + (succeeded or 0)
        left = "" if self.total is None or succeeded is None else f", {self.total - ended} not started"
        error = ToleranceExceeded(
            path,
            found=f"{fate.errors} failed, {fate.stopped} cancelled{left}",
            expected=f"at most {mode} to fail",
            mend="Tolerate more, or see why so many fail.",
        )
        return (Failure.of(error, path),)


def _nobody(path: str) -> Failure:
    error = NothingToRace(
        path,
        found="no members that could win",
        expected="one at least",
        mend="Branch before the race, for the case that there is nothing.",
    )
    return Failure.of(error, path)
