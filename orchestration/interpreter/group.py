"""What runs side by side: the vertices of a graph, the items of a map. One frame serves both (S14, S16, S18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from rpds import HashTrieMap, List

from orchestration.failures import Failure
from orchestration.frozen import frozen
from orchestration.interpreter.effects import OUTPUTS, VALUE
from orchestration.interpreter.members import MEMBERS
from orchestration.interpreter.trail import Several, Trail
from orchestration.interpreter.turn import Broken, Done, Later, Stopped, Turn, illegal

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame
    from orchestration.plan.nodes import Graph, Map

EMPTY: HashTrieMap[int, Any] = HashTrieMap()
NO_OUTPUTS: List[tuple[int, Any]] = List()
ENDED = (Done, Broken, Stopped)


@frozen
class GroupFrame:
    """Children under way.

    `following` is the next to be admitted. `active` and `trails` go by position and are never iterated, because the
    order of these maps is random (S2). `outputs` are pairs of position and output, the latest first: a map of all
    items would cost ten times as much. `failure` is the first that happened, as the run's number `order`: with it,
    nothing new begins.
    """

    node: Graph | Map
    path: str
    value: Any = attrs.field(metadata=VALUE)
    total: int
    following: int = 0
    active: HashTrieMap[int, Frame] = EMPTY
    outputs: List[tuple[int, Any]] = attrs.field(default=NO_OUTPUTS, metadata=OUTPUTS)
    trails: HashTrieMap[int, Trail] = EMPTY
    failure: Failure | None = None
    failures: tuple[Failure, ...] = ()
    order: int = 0

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the child that it is meant for."""
        index = MEMBERS[type(self.node)].position(self.node, self.path, event.path)
        child = None if index is None else self.active.get(index)
        if index is None or child is None:
            raise illegal(event, self.path, "an event of a child under way")
        if self.failure is not None:
            ended = turn.resume(child, event, stopping=True)
        else:
            ended = child.resume(event, turn)
            full = self.following < self.total and len(self.active) == self.node.concurrency
            if full and type(ended) is Done and ended.trail is None and not turn.stopping:
                return self._replaced(index, ended, turn)
        work = Work(self, turn)
        work.take(index, ended)
        return work.proceed()

    def _replaced(self, index: int, ended: Done, turn: Turn) -> Frame | Ended:
        """Put the next child in the place of one that is done, in a group that is full.

        `Work` would do the same; this saves it 1 µs of the 7 that an item costs.
        """
        node, following = self.node, self.following
        child = turn.enter(*MEMBERS[type(node)].child(node, self.path, self.value, following))
        if isinstance(child, ENDED):
            work = Work(self, turn)
            work.take(index, ended)
            work.admit(child)
            return work.proceed()
        return GroupFrame(
            node,
            self.path,
            self.value,
            self.total,
            following + 1,
            self.active.discard(index).insert(following, child),
            self.outputs.push_front((index, ended.value)),
            self.trails,
            None,
            self.failures,
        )

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel all children, in order."""
        work = Work(self, turn)
        work.cancel_all()
        return work.proceed()


class Work:
    """The next frame of a group while a turn makes it."""

    __slots__ = ("active", "failure", "failures", "following", "frame", "order", "outputs", "trails", "turn")

    def __init__(self, frame: GroupFrame, turn: Turn) -> None:
        """Begin where the frame stands."""
        self.frame = frame
        self.turn = turn
        self.following = frame.following
        self.active = frame.active
        self.outputs = frame.outputs
        self.trails = frame.trails
        self.failure = frame.failure
        self.failures = frame.failures
        self.order = frame.order

    def take(self, index: int, child: Frame | Ended) -> None:
        """Note what has become of a child under way."""
        if not isinstance(child, ENDED):
            self.active = self.active.insert(index, child)
            return
        self.active = self.active.discard(index)
        if child.trail is not None:
            self.trails = self.trails.insert(index, child.trail)
        if isinstance(child, Done):
            self.outputs = self.outputs.push_front((index, child.value))
        elif isinstance(child, Broken):
            self._fail(child.failure, child.order)
        else:
            self.failures += child.failures

    def cancel_all(self) -> None:
        """Cancel the children under way, in order."""
        for index in sorted(self.active):
            self.take(index, self.turn.cancel(self.active[index]))

    def proceed(self) -> Frame | Ended:
        """Admit as many children as the cap allows, and end when there are no more."""
        frame, turn = self.frame, self.turn
        node, total = frame.node, frame.total
        cap = node.concurrency or total
        child_of = MEMBERS[type(node)].child
        while self.following < total and len(self.active) < cap and self.failure is None and not turn.stopping:
            child = turn.enter(*child_of(node, frame.path, frame.value, self.following))
            self.admit(child)
            if isinstance(child, Later):
                break
        return self._frame() if self.active else self._end()

    def admit(self, child: Frame | Ended) -> None:
        """Count the next child in; it may have ended at once."""
        index = self.following
        self.following += 1
        self.take(index, child)

    def _fail(self, failure: Failure, order: int) -> None:
        if self.failure is None and not self.turn.stopping:
            self.failure, self.order = failure, order
            self.cancel_all()
        elif self.failure is not None and order < self.order:
            # it happened first, and was unwound before it came here
            self.failures = (self.failure, *self.failures)
            self.failure, self.order = failure, order
        else:
            self.failures = (*self.failures, failure)

    def _frame(self) -> GroupFrame:
        frame = self.frame
        return GroupFrame(
            frame.node,
            frame.path,
            frame.value,
            frame.total,
            self.following,
            self.active,
            self.outputs,
            self.trails,
            self.failure,
            self.failures,
            self.order,
        )

    def _end(self) -> Ended:
        frame = self.frame
        trail = Several(frame.path, self.trails) if self.trails else None
        if self.failure is not None:
            return Broken(self.failure.attach(self.failures), trail, self.order)
        if len(self.outputs) < frame.total:
            return Stopped(trail, self.failures)
        outputs: list[object] = [None] * frame.total
        for index, output in self.outputs:
            outputs[index] = output
        return Done(MEMBERS[type(frame.node)].result(outputs), trail)


def enter(node: Graph | Map, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin a group: lay out its members, and admit as many as the cap allows."""
    members = MEMBERS[type(node)]
    try:
        laid_out = members.lay_out(value)
    except TypeError as error:
        return turn.broken(Failure.of(error, path))
    return Work(GroupFrame(node, path, laid_out, members.total(node, laid_out)), turn).proceed()
