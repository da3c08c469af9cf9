"""`Ahead`: the steps of a chain that were begun before the machine was told how those before them ended.

In a chain the success of a step leads to the next step, whatever its output. Where nobody looks, the machine need not
be advanced for each: what `advance` would have made of all of them is made once, when somebody asks for the state.
That is half of what a step of a chain costs (CPython 3.11: 4.8 µs without it).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, final

from orchestration.frozen import evolve, maker
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.scope import ScopeFrame
from orchestration.interpreter.step import StepFrame
from orchestration.interpreter.trail import Entry, chained
from orchestration.plan.nodes import Step

if TYPE_CHECKING:
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan

_run_step = maker(RunStep)


@final
class Ahead:
    """A chain that goes on ahead of its state. It is no value, and belongs to who performs the steps."""

    __slots__ = ("_before", "_children", "_effect", "_frame", "_index", "_last", "_prefix", "_trail")

    def __init__(self, before: State, frame: ScopeFrame, effect: RunStep) -> None:
        """Begin where the state is: with `effect` under way, and nothing else."""
        self._before = before
        self._frame = frame
        self._effect = effect
        self._children = frame.node.children
        self._index = frame.index
        self._last = len(self._children) - 1
        self._prefix = f"{frame.path}/"
        self._trail = frame.trail

    def after(self, output: object) -> RunStep | None:
        """Return the effect that a success of the step under way leads to; `None` if that is for the machine to say.

        It may as well lead to something that is no step, to the end, or to a question to the hooks (S31).
        """
        if self._index == self._last:
            return None
        index, effect = self._index + 1, self._effect
        following = self._children[index]
        if type(following) is not Step or following.asks:
            return None
        if effect.step.compensation is not None:  # registered before the next effect goes out (S22)
            self._trail = chained(self._trail, Entry(effect.path, effect.step, armed=True, value=output))
        self._index = index
        self._effect = effect = _run_step(self._prefix + following.name, 1, following, output)
        return effect

    def state(self, at: float) -> State:
        """Return the state in which the step under way is the one that was begun last, at the time `at`."""
        frame = evolve(self._frame, index=self._index, child=StepFrame(self._effect), trail=self._trail)
        return evolve(self._before, at=at, root=frame)


def has_chain(plan: Plan) -> bool:
    """Tell whether a run of the plan can go ahead: somewhere in its own chain a step follows another."""
    children = plan.root.children
    return len(children) > 1 and any(type(one) is type(other) is Step for one, other in pairwise(children))


def ahead_of(state: State) -> Ahead | None:
    """Return the chain that can go on ahead: that of the whole run, with a step under way and nothing that stops it."""
    root, ledger = state.root, state.ledger
    if type(root) is not ScopeFrame or ledger.asks or ledger.cancel is not None:
        return None
    child = root.child
    if type(child) is not StepFrame or child.due is not None or child.effect.step.asks:
        return None
    return Ahead(state, root, child.effect)
