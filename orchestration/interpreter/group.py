"""What runs side by side: the vertices of a graph, the items of a map. One frame serves both (S14, S16, S18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from rpds import HashTrieMap

from orchestration.failures import Failure
from orchestration.frozen import frozen
from orchestration.interpreter.effects import VALUE, VALUES
from orchestration.interpreter.members import MEMBERS
from orchestration.interpreter.trail import Several, Trail
from orchestration.interpreter.turn import Broken, Done, Later, Stopped, Turn, illegal

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame
    from orchestration.plan.nodes import Graph, Map


@frozen
class GroupFrame:
    """Children under way.

    `following` is the next to be admitted; `active`, `outputs` and `trails` go by position and are never iterated,
    because the order of these maps is random (S2). `failure` is the first that happened; with it, nothing new begins.
    """

    node: Graph | Map
    path: str
    value: Any = attrs.field(metadata=VALUE)
    following: int
    active: HashTrieMap[int, Frame]
    outputs: HashTrieMap[int, Any] = attrs.field(metadata=VALUES)
    trails: HashTrieMap[int, Trail]
    failure: Failure | None = None
    failures: tuple[Failure, ...] = ()

    def resume(self, event: Event, turn: Turn) -> Frame | Ended:
        """Pass the event to the child that it is meant for."""
        index = MEMBERS[type(self.node)].position(self.node, self.path, event.path)
        child = None if index is None else self.active.get(index)
        if index is None or child is None:
            raise illegal(event, self.path, "an event of a child under way")
        work = Work(self, turn)
        if self.failure is None:
            work.take(index, child.resume(event, turn))
        else:
            work.take(index, turn.resume(child, event, stopping=True))
        return work.proceed()

    def cancel(self, turn: Turn) -> Frame | Ended:
        """Cancel all children, in order."""
        work = Work(self, turn)
        work.cancel_all()
        return work.proceed()


class Work:
    """The next frame of a group while a turn makes it."""

    __slots__ = ("active", "failure", "failures", "following", "frame", "members", "outputs", "trails", "turn")

    def __init__(self, frame: GroupFrame, turn: Turn) -> None:
        """Begin where the frame stands."""
        self.frame = frame
        self.turn = turn
        self.members = MEMBERS[type(frame.node)]
        self.following = frame.following
        self.active = frame.active
        self.outputs = frame.outputs
        self.trails = frame.trails
        self.failure = frame.failure
        self.failures = frame.failures

    def take(self, index: int, child: Frame | Ended) -> None:
        """Note what became of a child."""
        match child:
            case Done():
                self.active = self.active.discard(index)
                self.outputs = self.outputs.insert(index, child.value)
                self._keep(index, child.trail)
            case Broken():
                self.active = self.active.discard(index)
                self._keep(index, child.trail)
                self._fail(child.failure)
            case Stopped():
                self.active = self.active.discard(index)
                self._keep(index, child.trail)
                self.failures += child.failures
            case _:
                self.active = self.active.insert(index, child)

    def cancel_all(self) -> None:
        """Cancel the children under way, in order."""
        for index in sorted(self.active):
            self.take(index, self.turn.cancel(self.active[index]))

    def proceed(self) -> Frame | Ended:
        """Admit as many children as the cap allows, and end when there are no more."""
        frame, turn = self.frame, self.turn
        total = self.members.total(frame.node, frame.value)
        cap = frame.node.concurrency or total
        while self.following < total and len(self.active) < cap and self.failure is None and not turn.stopping:
            index = self.following
            self.following += 1
            child = turn.enter(*self.members.child(frame.node, frame.path, frame.value, index))
            self.take(index, child)
            if type(child) is Later:
                break
        return self._frame() if self.active else self._end(total)

    def _keep(self, index: int, trail: Trail | None) -> None:
        if trail is not None:
            self.trails = self.trails.insert(index, trail)

    def _fail(self, failure: Failure) -> None:
        if self.failure is not None or self.turn.stopping:
            self.failures = (*self.failures, failure)
            return
        self.failure = failure
        self.cancel_all()

    def _frame(self) -> GroupFrame:
        frame = self.frame
        return GroupFrame(
            frame.node,
            frame.path,
            frame.value,
            self.following,
            self.active,
            self.outputs,
            self.trails,
            self.failure,
            self.failures,
        )

    def _end(self, total: int) -> Ended:
        frame = self.frame
        trail = Several(frame.path, self.trails) if self.trails else None
        if self.failure is not None:
            return Broken(self.failure.attach(self.failures), trail)
        if len(self.outputs) < total:
            return Stopped(trail, self.failures)
        return Done(self.members.result([self.outputs[index] for index in range(total)]), trail)


EMPTY: HashTrieMap[int, Any] = HashTrieMap()


def enter(node: Graph | Map, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Begin a group: lay out its members, and admit as many as the cap allows."""
    try:
        laid_out = MEMBERS[type(node)].lay_out(value)
    except TypeError as error:
        return turn.broken(Failure.of(error, path))
    return Work(GroupFrame(node, path, laid_out, 0, EMPTY, EMPTY, EMPTY), turn).proceed()
