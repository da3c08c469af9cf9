"""Going ahead: steps that are begun before the machine was told how those before them have ended.

What the success of a step leads to is known without the machine where it is a step again: the next of a chain, the arm
of a branch, another iteration, the next item of a map that is full. Where nobody looks, the machine need not be
advanced for each: what `advance` would have made of all of them is made once, when somebody asks for the state. Most of
what such a step cost went into states and events that nobody saw (CPython 3.11: a step of a chain 4.8 µs with them,
1.6 without; an item of a map 7.8 and 2.9).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, final

from orchestration.frozen import maker
from orchestration.interpreter.ahead_chain import ChainAhead, LoopAhead
from orchestration.interpreter.ahead_map import MapAhead, can_be_full, is_full
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.group import GroupFrame
from orchestration.interpreter.repeat import RepeatFrame
from orchestration.interpreter.scope import ScopeFrame
from orchestration.interpreter.state import Ledger, State
from orchestration.interpreter.step import StepFrame
from orchestration.plan.nodes import Branch, Fold, Loop, Map, Step

if TYPE_CHECKING:
    from orchestration.interpreter.ahead_chain import Row
    from orchestration.interpreter.pure import Answer
    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node


NO_LEDGER = Ledger()
_run_step, _state, _scope_frame = maker(RunStep), maker(State), maker(ScopeFrame)


class Ahead(Protocol):
    """A part of a run that goes on ahead of its state. It is no value, and belongs to who performs the steps.

    `before` is the state that it began at, maybe without the values that it does not need to go on. `answers` are what
    pure functions have said of a success that is left to the machine: it is not to ask them again.
    """

    before: State
    answers: tuple[Answer, ...]

    def after(self, effect: RunStep, output: object, at: float) -> RunStep | None:
        """Take the success of a step under way: return the effect that it leads to, `None` if the machine has to say.

        Then nothing was taken. A time `at` before the last one counts as that (S2).
        """
        ...

    def state(self) -> State:
        """Return the state in which all is under way that was begun and has not ended.

        Threads and signals may ask at any moment, so that where it is is stored all at once.
        """
        ...


@final
class Route:
    """What of a plan can go ahead, found out once for all its runs: only what is in the chain of the run itself."""

    __slots__ = ("_root", "_row", "is_row", "leads_on")

    def __init__(self, plan: Plan) -> None:
        """Look for it."""
        root = plan.root
        row = [(f"{root.name}/{child.name}", _free_step(child), _branch(child)) for child in root.children]
        begins = [step is not None or branch is not None for _, step, branch in row]
        in_a_row = any(before and after for before, after in pairwise(begins))
        self._root = root
        self._row: Row = (*row, ("", None, None))
        # whether the plan is a chain of nothing but what can go ahead, from the beginning to the outcome
        self.is_row: bool = self._row[0][1] is not None and all(begins)
        self.leads_on: bool = in_a_row or any(_goes_round(child) for child in root.children)

    def begin(self, value: object, run_id: str, at: float) -> tuple[ChainAhead, RunStep]:
        """Begin a run of a plan that is a row, as `start` does: return what goes ahead, and its first step."""
        path, step, _ = self._row[0]
        assert step is not None  # noqa: S101 - it is a row
        effect = _run_step(path, 1, step, value)
        state, frame = _state(run_id, at, None, NO_LEDGER), _scope_frame(self._root, self._root.name, 0)
        return ChainAhead(state, frame, effect, self._row), effect

    def ahead_of(self, state: State) -> Ahead | None:
        """Return what can go on ahead of a state, if nothing stops that."""
        root, ledger = state.root, state.ledger
        if type(root) is not ScopeFrame or ledger.asks or ledger.cancel is not None:
            return None
        child = root.child
        if type(child) is StepFrame and child.due is None and not child.effect.step.asks:
            return ChainAhead.of(state, root, child.effect, self._row)
        if type(child) is RepeatFrame and _goes_round(child.node):
            iteration = child.child
            if type(iteration) is StepFrame and iteration.due is None:
                return LoopAhead(state, root, child, iteration.effect)
        if type(child) is GroupFrame and is_full(child):
            return MapAhead(state, root, child)
        return None


def _free_step(node: Node) -> Step | None:
    """Return a node that is a step and asks no hooks (S31)."""
    return node if isinstance(node, Step) and not node.asks else None


def _branch(node: Node) -> Branch | None:
    """Return a node that is a branch."""
    return node if isinstance(node, Branch) else None


def _goes_round(node: Node) -> bool:
    """Tell whether a node has a step as its body, and more than one of these follow one another."""
    if type(node) is Map:
        return can_be_full(node)
    return (type(node) is Loop or type(node) is Fold) and _free_step(node.body) is not None
