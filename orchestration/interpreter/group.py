"""What runs side by side: the vertices of a graph, the items of a map. One frame serves both (S14, S16, S18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from rpds import HashTrieMap, List

from orchestration.failures import Failure
from orchestration.frozen import evolve, frozen, maker
from orchestration.interpreter.effects import OUTPUTS, VALUE
from orchestration.interpreter.events import Continued, Exhausted, Pulled, PullFailed
from orchestration.interpreter.fate import NO_TRAILS, OPEN, Fate
from orchestration.interpreter.few import FEW, NOBODY, Few
from orchestration.interpreter.members import NO_OUTPUTS, Outputs, Stream, members_of
from orchestration.interpreter.turn import ENDED, Broken, Done, foregone, foregone_failure, illegal
from orchestration.interpreter.work import Work
from orchestration.plan.nodes import Graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.interpreter.events import Event
    from orchestration.interpreter.trail import Trail
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Map

NONE_ACTIVE: HashTrieMap[int, Any] = HashTrieMap()


@frozen
class GroupFrame:
    """Children under way.

    `total` is not known of a stream that has not ended. `ready` are the children that can be admitted, in order.
    `active` and `trails` go by position and are never iterated, because the order of these maps is random (S2).
    `outputs` is what the members keep them in; `fate` all that is not going well.
    """

    node: Graph | Map
    path: str
    value: Any = attrs.field(metadata=VALUE)
    total: int | None
    ready: Sequence[int]
    active: HashTrieMap[int, Frame] | Few = NONE_ACTIVE
    outputs: Outputs = attrs.field(default=NO_OUTPUTS, metadata=OUTPUTS)
    trails: HashTrieMap[int, Trail] = NO_TRAILS
    fate: Fate = OPEN

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the child that it is meant for."""
        node = self.node
        index = members_of(node).position(node, self.path, event.path)
        child = None if index is None else self.active.get(index)
        if index is None or child is None:
            return self._own(event, turn)
        if self.fate is OPEN and node.mode == "fail_fast" and not turn.absorbers:
            ended = child.resume(event, turn)
            if self._is_replaced_by(ended) and not turn.stopping:
                return self._replaced(index, ended, turn)  # type: ignore[arg-type]  # it says so
            work = Work(self, turn)
        else:
            work = Work(self, turn)
            act = lambda: child.resume(event, turn)  # noqa: E731 - it is said once
            ended = turn.within(act, stopping=self.fate.halted, absorbs=work.absorber(index))
        work.take(index, ended)
        return work.proceed()

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel all children, in order, unless that has been done."""
        if self.fate.halted:
            return self
        work, bound = Work(self, turn), foregone_failure(self, turn)
        if bound is not None:  # a child has failed before, and still unwinds
            work.fate = evolve(work.fate, failure=bound.failure, order=bound.order)
        work.cancel_all()
        return work.proceed()

    def _own(self, event: Event, turn: Turn) -> Frame | Ended:
        """Take an event of the group itself: of its stream, or that it may go on folding."""
        work, stream = Work(self, turn), self.value
        mine = event.path == self.path
        if mine and isinstance(event, Pulled | Exhausted | PullFailed) and isinstance(stream, Stream):
            if not stream.pulling or stream.pulled != event.index:
                raise illegal(event, self.path, f"the end of a pull of item {stream.pulled}")
            work.pulled(event, stream)
        elif mine and type(event) is Continued and work.is_folding():
            work.go_on()
        else:
            raise illegal(event, self.path, "an event of a child under way")
        return work.proceed()

    def _is_replaced_by(self, ended: Frame | Ended) -> bool:
        """Tell whether another item takes the place of one that has ended, and nothing else happens."""
        full = len(self.active) == self.node.concurrency and type(self.outputs) is List
        return full and bool(self.ready) and type(ended) is Done and ended.trail is None

    def _replaced(self, index: int, ended: Done, turn: Turn) -> Frame | Ended:
        """Put the next item in the place of one that is done, in a map that is full.

        `Work` would do the same; this saves it 1 µs of the 7 that an item costs.
        """
        ready, path = self.ready, self.path
        following = ready[0]
        child = turn.enter(self.node.body, f"{path}[{following}]", self.value[following])  # type: ignore[union-attr]  # a map
        if isinstance(child, ENDED):
            work = Work(self, turn)
            work.take(index, ended)
            work.ready = ready[1:]
            work.take(following, child)
            return work.proceed()
        active = self.active
        if type(active) is Few:
            active = active.replace(index, following, child)
        else:
            active = active.discard(index).insert(following, child)
        outputs = self.outputs.push_front((index, ended.value))  # type: ignore[union-attr]  # a list
        return _group_frame(self.node, path, self.value, self.total, ready[1:], active, outputs, self.trails, self.fate)


_group_frame = maker(GroupFrame)


def enter(node: Graph | Map, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin a group: lay out its members, and admit as many as the cap allows."""
    members = members_of(node)
    try:
        laid_out = members.lay_out(value)
    except Exception as error:  # noqa: BLE001 - what has items is a user's class, which may raise anything
        return turn.broken(Failure.of(error, path))
    total = members.total(node, laid_out)
    ready = members.first(node, total or 0)
    most = node.concurrency or (len(node.vertices) if isinstance(node, Graph) else None)
    active = NONE_ACTIVE if most is None or most > FEW else NOBODY
    return Work(GroupFrame(node, path, laid_out, total, ready, active, members.nothing(node)), turn).proceed()


@foregone.register(GroupFrame)
def _(frame: GroupFrame, turn: Turn) -> Broken | None:
    fate = frame.fate
    if fate.failure is not None:
        return Broken(fate.failure, None, fate.order, fate.partial)
    if frame.node.mode != "fail_fast":
        return None
    bound = (foregone_failure(frame.active[index], turn) for index in sorted(frame.active))
    return min((broken for broken in bound if broken is not None), key=lambda broken: broken.order, default=None)
