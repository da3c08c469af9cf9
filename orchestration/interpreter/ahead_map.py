"""What goes ahead with several steps under way: a map in the chain of a run, as full as its cap allows."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, cast, final

from orchestration.frozen import evolve, maker
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.few import FEW, Few
from orchestration.interpreter.members import Folding, keeps_failures
from orchestration.interpreter.step import StepFrame
from orchestration.interpreter.turn import Later
from orchestration.plan.nodes import Map, Step
from orchestration.results import Ok

if TYPE_CHECKING:
    from collections.abc import Callable

    from rpds import List

    from orchestration.interpreter.group import GroupFrame
    from orchestration.interpreter.members import Outputs
    from orchestration.interpreter.pure import Answer
    from orchestration.interpreter.scope import ScopeFrame
    from orchestration.interpreter.state import State

FAR = 1_000  # items that go ahead before the machine takes one: to make a state looks at all of them

_run_step, _folding = maker(RunStep), maker(Folding)


@final
class MapAhead:
    """A map that is full: each item that succeeds makes room for one more."""

    __slots__ = (
        "_body",
        "_cap",
        "_collects",
        "_combine",
        "_frame",
        "_items",
        "_last",
        "_prefix",
        "_ready",
        "_root",
        "_where",
        "answers",
        "before",
    )

    def __init__(self, before: State, root: ScopeFrame, frame: GroupFrame) -> None:
        """Begin where the state is."""
        node = cast("Map", frame.node)
        self.before: State = before
        self._root = root
        self._frame = frame
        self._body = cast("Step", node.body)
        self._items = frame.value
        self._prefix = f"{frame.path}["
        self._ready = frame.ready
        self._last = min(len(frame.ready), FAR)
        self._cap = node.concurrency
        self._combine = None if node.into is None else node.into.combine.call
        self._collects = keeps_failures(node)
        self.answers: tuple[Answer, ...] = ()
        # how many that were ready were begun, the outputs of those that have ended, and when the last was begun
        self._where: tuple[int, Any, float] = 0, frame.outputs, before.at

    def after(self, effect: RunStep, output: object, at: float) -> RunStep | None:
        """Begin the next item, if there is one, and room for it."""
        taken, outputs, last = self._where
        if taken == self._last:
            return None
        index = int(effect.path[len(self._prefix) : -1])
        result = Ok(output) if self._collects else output
        if self._combine is None:
            outputs = outputs.push_front((index, result))
        else:
            outputs = self._folded(self._combine, outputs, index, result)
            if outputs is None:
                return None
        following = self._ready[taken]
        self._where = taken + 1, outputs, at if at > last else last  # noqa: FURB136 - `max` costs 100 ns
        return _run_step(f"{self._prefix}{following}]", 1, self._body, self._items[following])

    def _folded(self, combine: Callable[..., object], folding: Folding, index: int, output: object) -> Folding | None:
        """Let an output wait for its turn, or fold it and those that have waited for it (S16)."""
        accumulator, position, waiting = folding.accumulator, folding.position, folding.waiting
        if index != position:
            waiting = waiting.insert(index, output)
            return None if len(waiting) == self._cap else _folding(accumulator, position, waiting)
        answers: list[Answer] = []
        while True:
            try:
                accumulator = combine(accumulator, output)
            except BaseException as error:  # noqa: BLE001 - it is for the machine to say what becomes of it
                self.answers = (*answers, (None, error))
                return None
            answers.append((accumulator, None))
            if hasattr(type(accumulator), "__await__"):
                self.answers = tuple(answers)
                return None
            position += 1
            if position not in waiting:
                return _folding(accumulator, position, waiting)
            output, waiting = waiting[position], waiting.remove(position)

    def state(self) -> State:
        """Return the state in which the items are under way that were begun and have not ended."""
        taken, outputs, at = self._where
        active, ready = self._frame.active, self._ready
        has_ended = _ended(outputs, taken)
        gone = [index for index in sorted(active) if has_ended(index)]
        begun = {
            index: StepFrame(RunStep(f"{self._prefix}{index}]", 1, self._body, self._items[index]))
            for index in ready[:taken]
            if not has_ended(index)
        }
        if isinstance(active, Few):
            active = active.exchange(gone, begun)
        else:
            for index in gone:
                active = active.discard(index)
            for index, child in begun.items():
                active = active.insert(index, child)
        frame = evolve(self._frame, ready=ready[taken:], active=active, outputs=outputs)
        return evolve(self.before, at=at, root=evolve(self._root, child=frame))


def _ended(outputs: Outputs, latest: int) -> Callable[[int], bool]:
    """Return what tells whether an item has ended: it is one of the `latest`, or all of those that are folded."""
    if isinstance(outputs, Folding):
        position, waiting = outputs.position, outputs.waiting
        return lambda index: index < position or index in waiting
    ended = {index for index, _ in islice(cast("List[tuple[int, Any]]", outputs), latest)}
    return ended.__contains__


def is_full(frame: GroupFrame) -> bool:
    """Tell whether a group is a map that can go ahead, with items for which there is no room.

    Nothing stops it: what does would have made room, and let no other item in.
    """
    node = frame.node
    if type(node) is not Map or len(frame.active) != node.concurrency or not frame.ready or not can_be_full(node):
        return False
    return type(frame.active.get(frame.ready[0] - 1)) is not Later  # others wait for that one (S7)


def can_be_full(node: Map) -> bool:
    """Tell whether items of a map leave nothing but their outputs, of which the success of one begins another."""
    body, cap = node.body, node.concurrency
    plain = type(body) is Step and body.compensation is None and not body.asks
    if cap is None or not plain or node.mode == "race":
        return False
    return node.into is None or cap <= FEW  # more results that wait might not be folded in one turn (S7)
