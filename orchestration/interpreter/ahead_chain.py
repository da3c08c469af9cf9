"""What goes ahead with one step under way: the chain of a run with its branches, and a loop or a fold in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

from orchestration.frozen import evolve, maker
from orchestration.interpreter.branch import is_of_kind
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.step import StepFrame
from orchestration.interpreter.trail import Entry, chained
from orchestration.outcomes import Succeeded
from orchestration.plan.nodes import Branch, Loop, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.pure import Answer
    from orchestration.interpreter.repeat import RepeatFrame
    from orchestration.interpreter.scope import ScopeFrame
    from orchestration.interpreter.state import State
    from orchestration.interpreter.trail import Chain

Row: TypeAlias = "tuple[tuple[str, Step | None, Branch | None], ...]"  # nodes with their paths; other nodes are neither

_run_step = maker(RunStep)


@final
class ChainAhead:
    """The chain of the run, with a step under way."""

    __slots__ = ("_frame", "_row", "_where", "answers", "before")

    def __init__(self, before: State, frame: ScopeFrame, effect: RunStep, row: Row) -> None:
        """Begin at a state and a frame that hold no values of this chain, which does not need them to go on."""
        self.before: State = before
        self._frame = frame
        self._row = row
        self.answers: tuple[Answer, ...] = ()
        # the step that was begun last, the trail of those before it, and when it was begun
        self._where: tuple[int, RunStep, Chain | None, float] = frame.index, effect, frame.trail, before.at

    @staticmethod
    def of(state: State, frame: ScopeFrame, effect: RunStep, row: Row) -> ChainAhead:
        """Begin where a state is."""
        return ChainAhead(evolve(state, root=None), evolve(frame, child=None), effect, row)

    def after(self, effect: RunStep, output: object, at: float) -> RunStep | None:
        """Begin the next node, if it is a step, or a branch that chooses one."""
        index, _, trail, last = self._where
        index += 1
        path, step, branch = self._row[index]
        if step is None:
            if branch is None:
                return None
            path, step = self._choose(path, branch, output)
            if step is None:
                return None
        if effect.step.compensation is not None:  # registered before the next effect goes out (S22)
            trail = chained(trail, Entry(effect.path, effect.step, armed=True, value=output))
        begun = _run_step(path, 1, step, output)
        self._where = index, begun, trail, at if at > last else last  # noqa: FURB136 - `max` costs 100 ns
        return begun

    def outcome(self, output: object) -> Succeeded[object] | None:
        """Return the outcome that the success of the step under way leads to, if that is the last of the chain."""
        return Succeeded(output, self.before.run_id) if self._where[0] + 2 == len(self._row) else None

    def _choose(self, path: str, branch: Branch, value: object) -> tuple[str, Step | None]:
        """Return the arm of a branch that is taken, if that is a step that asks no hooks (S13, S31)."""
        answers: list[Answer] = []
        arm = branch.otherwise
        for candidate in branch.arms:
            if candidate.test is None:
                takes: object = is_of_kind(value, candidate.kind)
            else:
                try:
                    takes = candidate.test.call(value)
                except BaseException as error:  # noqa: BLE001 - it is the machine's to say what becomes of it
                    answers.append((None, error))
                    takes = None
                else:
                    answers.append((takes, None))
            if takes is not False:
                arm = candidate.node if takes is True else None
                break
        if type(arm) is Step and not arm.asks:
            return f"{path}/{arm.name}", arm
        self.answers = tuple(answers)
        return path, None

    def state(self) -> State:
        """Return the state in which the step that was begun last is under way."""
        index, effect, trail, at = self._where
        frame = evolve(self._frame, index=index, child=StepFrame(effect), trail=trail)
        return evolve(self.before, at=at, root=frame)


@final
class LoopAhead:
    """A loop or a fold in the chain of the run, with a step under way as its iteration."""

    __slots__ = (
        "_asked_after",
        "_frame",
        "_goes_on",
        "_items",
        "_last",
        "_prefix",
        "_root",
        "_test",
        "_where",
        "answers",
        "before",
    )

    def __init__(self, before: State, root: ScopeFrame, frame: RepeatFrame, effect: RunStep) -> None:
        """Begin where the state is, but keep none of its values."""
        node = frame.node
        self.before: State = evolve(before, root=None)
        self._root = evolve(root, child=None)
        self._frame = evolve(frame, child=None)
        self._prefix = f"{frame.path}["
        self._items = frame.items
        self._last = len(frame.items)
        self._test: Callable[..., object] | None = None
        if isinstance(node, Loop):
            self._last = node.max_iterations
            self._test = node.test.call
        # what a predicate says of one more iteration, and whether it is asked with the number of the last one
        self._goes_on, self._asked_after = (True, 0) if isinstance(node, Loop) and node.check == "while" else (False, 1)
        self.answers: tuple[Answer, ...] = ()
        # the iteration that was begun last, the trail of those before it, and when it was begun
        self._where: tuple[int, RunStep, Chain | None, float] = frame.index, effect, frame.trail, before.at

    def after(self, effect: RunStep, output: object, at: float) -> RunStep | None:
        """Begin the next iteration, unless it is over (S16, S17)."""
        index, _, trail, last = self._where
        index += 1
        test, step = self._test, effect.step
        value = output
        if test is not None:
            try:
                answer = test(output, index - self._asked_after)
            except BaseException as error:  # noqa: BLE001 - it is the machine's to say what becomes of it
                self.answers = ((None, error),)
                return None
            if answer is not self._goes_on or index == self._last:
                self.answers = ((answer, None),)
                return None
        elif index == self._last:
            return None
        else:
            value = output, self._items[index]
        if step.compensation is not None:  # registered before the next effect goes out (S22)
            trail = chained(trail, Entry(effect.path, step, armed=True, value=output))
        begun = _run_step(f"{self._prefix}{index}]", 1, step, value)
        self._where = index, begun, trail, at if at > last else last  # noqa: FURB136 - as above
        return begun

    def state(self) -> State:
        """Return the state in which the iteration that was begun last is under way."""
        index, effect, trail, at = self._where
        frame = evolve(self._frame, index=index, child=StepFrame(effect), trail=trail)
        return evolve(self.before, at=at, root=evolve(self._root, child=frame))
