"""Going ahead: steps that are begun before the machine was told how those before them have ended.

In a chain the success of a step leads to the next step, and in a map that is full to the next item, whatever its
output. Where nobody looks, the machine need not be advanced for each: what `advance` would have made of all of them is
made once, when somebody asks for the state. Most of what such a step cost went into states and events that nobody saw
(CPython 3.11: a step of a chain 4.8 µs with them, 1.8 without; an item of a map 7.8 and 3.2).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, cast, final

from orchestration.frozen import evolve, maker
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.few import Few
from orchestration.interpreter.group import GroupFrame
from orchestration.interpreter.scope import ScopeFrame
from orchestration.interpreter.step import StepFrame
from orchestration.interpreter.trail import Entry, chained
from orchestration.interpreter.turn import Later
from orchestration.plan.nodes import Map, Step

if TYPE_CHECKING:
    from rpds import List

    from orchestration.interpreter.state import State
    from orchestration.interpreter.trail import Chain
    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node

_run_step = maker(RunStep)


class Ahead(Protocol):
    """A part of a run that goes on ahead of its state. It is no value, and belongs to who performs the steps."""

    def after(self, effect: RunStep, output: object, at: float) -> RunStep | None:
        """Take the success of a step under way: return the effect that it leads to, `None` if the machine has to say.

        Then nothing was taken. A time `at` before the last one counts as that (S2).
        """
        ...

    def state(self) -> State:
        """Return the state in which all is under way that was begun and has not ended.

        Something has gone ahead: before that, the state is what it was. Threads and signals may ask at any moment, so
        that where it is is stored all at once.
        """
        ...


@final
class ChainAhead:
    """The chain of the run, with a step under way."""

    __slots__ = ("_before", "_children", "_frame", "_last", "_prefix", "_where")

    def __init__(self, before: State, frame: ScopeFrame, effect: RunStep) -> None:
        """Begin where the state is."""
        self._before = before
        self._frame = frame
        self._children = frame.node.children
        self._last = len(self._children) - 1
        self._prefix = f"{frame.path}/"
        # the step that was begun last, the trail of those before it, and when it was begun
        self._where: tuple[int, RunStep, Chain | None, float] = frame.index, effect, frame.trail, before.at

    def after(self, effect: RunStep, output: object, at: float) -> RunStep | None:
        """Begin the next node, if it is a step and asks no hooks (S31)."""
        index, _, trail, last = self._where
        if index == self._last:
            return None
        index += 1
        following = self._children[index]
        if type(following) is not Step or following.asks:
            return None
        if effect.step.compensation is not None:  # registered before the next effect goes out (S22)
            trail = chained(trail, Entry(effect.path, effect.step, armed=True, value=output))
        begun = _run_step(self._prefix + following.name, 1, following, output)
        self._where = index, begun, trail, max(last, at)
        return begun

    def state(self) -> State:
        """Return the state in which the step that was begun last is under way."""
        index, effect, trail, at = self._where
        frame = evolve(self._frame, index=index, child=StepFrame(effect), trail=trail)
        return evolve(self._before, at=at, root=frame)


@final
class MapAhead:
    """A map in the chain of the run, as full as its cap allows: each item that succeeds makes room for one more."""

    __slots__ = ("_before", "_body", "_frame", "_items", "_last", "_prefix", "_ready", "_where")

    def __init__(self, before: State, frame: GroupFrame, body: Step) -> None:
        """Begin where the state is."""
        self._before = before
        self._frame = frame
        self._body = body
        self._items = frame.value
        self._prefix = f"{frame.path}["
        self._ready = frame.ready
        self._last = len(frame.ready)
        # how many that were ready were begun, what those have given that have ended, and when the last was begun
        self._where: tuple[int, List[tuple[int, Any]], float] = 0, cast("List[Any]", frame.outputs), before.at

    def after(self, effect: RunStep, output: object, at: float) -> RunStep | None:
        """Begin the next item, if there is one."""
        taken, outputs, last = self._where
        if taken == self._last:
            return None
        following = self._ready[taken]
        outputs = outputs.push_front((int(effect.path[len(self._prefix) : -1]), output))
        self._where = taken + 1, outputs, max(last, at)
        return _run_step(f"{self._prefix}{following}]", 1, self._body, self._items[following])

    def state(self) -> State:
        """Return the state in which the items are under way that were begun and have not ended."""
        taken, outputs, at = self._where
        ended = {index for index, _ in islice(outputs, taken)}  # one for each that was begun, the latest first
        begun = {
            index: StepFrame(RunStep(f"{self._prefix}{index}]", 1, self._body, self._items[index]))
            for index in self._ready[:taken]
            if index not in ended
        }
        gone, active = ended.difference(self._ready[:taken]), self._frame.active
        if isinstance(active, Few):
            active = active.exchange(gone, begun)
        else:
            for index in sorted(gone):
                active = active.discard(index)
            for index, child in begun.items():
                active = active.insert(index, child)
        frame = evolve(self._frame, ready=self._ready[taken:], active=active, outputs=outputs)
        return evolve(self._before, at=at, root=evolve(self._before.root, child=frame))


def can_go_ahead(plan: Plan) -> bool:
    """Tell whether there is anything in the chain of a run that can go ahead: two steps, or a map with a cap."""
    before: Node | None = None
    for child in plan.root.children:
        if type(child) is Step and type(before) is Step:
            return True
        if type(child) is Map and child.concurrency is not None and _keeps_outputs(child):
            return True
        before = child
    return False


def ahead_of(state: State) -> Ahead | None:
    """Return what can go on ahead of a state: the chain of the run or a map in it, if nothing stops that."""
    root, ledger = state.root, state.ledger
    if type(root) is not ScopeFrame or ledger.asks or ledger.cancel is not None:
        return None
    child = root.child
    if type(child) is StepFrame and child.due is None and not child.effect.step.asks:
        return ChainAhead(state, root, child.effect)
    if type(child) is GroupFrame and _is_full(child):
        return MapAhead(state, child, child.node.body)  # type: ignore[union-attr,arg-type]  # a map of a step
    return None


def _is_full(frame: GroupFrame) -> bool:
    """Tell whether a group is a map that keeps its results, with items for which there is no room.

    Nothing has failed in it: a failure would have made room, and let no other item in.
    """
    node = frame.node
    if type(node) is not Map or len(frame.active) != node.concurrency or not frame.ready:
        return False
    if not _keeps_outputs(node):
        return False
    return type(frame.active.get(frame.ready[0] - 1)) is not Later  # others wait for that one (S7)


def _keeps_outputs(node: Map) -> bool:
    """Tell whether items leave nothing but their outputs, which are kept as they are."""
    body = node.body
    plain = type(body) is Step and body.compensation is None and not body.asks
    return plain and node.into is None and node.mode == "fail_fast"
