"""A chain that goes on ahead of its state does what the machine would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration import Workflow, gate
from orchestration.interpreter.ahead import ahead_of, has_chain
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import StepSucceeded
from tests.bodies import double, increase, undo
from tests.interpreter.parts import PATIENT
from tests.machine import Machine
from tests.plans import act, workflows

if TYPE_CHECKING:
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan


OUTPUTS = [5, 6, 7, 8]  # as many as a chain of these tests has steps, and more


def go_on(plan: Plan, state: State, outputs: list[int]) -> int:
    """Let successes go on ahead and give them to the machine as well; return how far they went."""
    ahead, effect = ahead_of(state), effect_of(state)
    for count, output in enumerate(outputs):
        following = None if ahead is None else ahead.after(output)
        if ahead is None or following is None:
            return count
        at = state.at + 1.0
        state, effects = advance(plan, state, StepSucceeded(effect.path, at, effect.attempt, output))
        assert effects == [following]
        assert ahead.state(at) == state
        effect = following
    return len(outputs)


def effect_of(state: State) -> Any:
    """Return the effect of the step under way, if the run is one chain."""
    return getattr(getattr(state.root, "child", None), "effect", None)


@settings(max_examples=300)
@given(workflows(), st.integers(0, 9), st.data())
def test_what_goes_ahead_is_what_the_machine_does(flow, value, data) -> None:
    """S2, S22: at each point of a run the same effects and states come out, trails of what is to be undone included."""
    run = Machine(flow.compile(), value)
    while run.outcome is None:
        go_on(run.plan, run.state, OUTPUTS)
        act(data.draw, run, list(run.pending))


CHAIN = Workflow[int]("flow").step(increase).step(increase, name="b").compensate(undo).step(increase, name="c")
NESTED = Workflow[int]("inner").step(increase).step(increase, name="b")


def allow(_: object) -> None:
    """Let a step begin."""


def zero(_: object) -> int:
    """Go on with nothing."""
    return 0


@pytest.mark.parametrize(
    ("flow", "count"),
    [
        (CHAIN, 2),
        (CHAIN.pure(double), 2),
        (CHAIN.sleep(1).step(increase, name="d"), 2),
        (CHAIN.step(NESTED), 2),
        (CHAIN.recover(zero, on=ValueError).step(increase, name="d"), 2),
        (CHAIN.pivot().step(increase, name="d"), 2),
        (Workflow[int]("flow").sleep(1).step(increase), 0),
        (Workflow[int]("flow").step(NESTED), 0),
        (Workflow[int]("flow").step(increase), 0),
    ],
)
def test_how_far_a_chain_goes(flow, count) -> None:
    """S7: as long as one step follows another; what is inside of another construct is for the machine."""
    plan = flow.compile()
    assert go_on(plan, start(plan, 1, run_id="r", at=0.0)[0], OUTPUTS) == count
    assert has_chain(plan) is (count > 0)


def test_a_run_with_a_deadline_does_not_go_ahead() -> None:
    """S10: what is around the chain is for the machine."""
    plan = CHAIN.compile()
    assert ahead_of(start(plan, 1, run_id="r", at=0.0, deadline=60.0)[0]) is None


def test_nothing_goes_ahead_of_a_question() -> None:
    """S31: a step that asks a gate asks it; what such a step leads to is for the machine as well."""
    asking = Workflow[int]("flow").step(increase).step(double, hooks=[gate(allow)]).step(increase, name="c")
    run = Machine(asking.compile(), 1)
    assert go_on(run.plan, run.state, OUTPUTS) == 0
    run.succeed("flow/increase", 2)
    run.answer("flow/double")
    assert effect_of(run.state).path == "flow/double"
    assert go_on(run.plan, run.state, OUTPUTS) == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_nothing_goes_ahead_where_the_engine_asks(when) -> None:
    """S31: it asks about each step."""
    run = Machine(CHAIN.compile(), 1, asks=(when,))
    if when == "before":
        run.answer("flow/increase")
    assert effect_of(run.state) is not None
    assert go_on(run.plan, run.state, OUTPUTS) == 0


def test_nothing_goes_ahead_of_a_cancel() -> None:
    """S28: a step that succeeds after the cancel is the last."""
    run = Machine(CHAIN.compile(), 1)
    run.cancel()
    assert ahead_of(run.state) is None


def test_nothing_goes_ahead_of_a_backoff() -> None:
    """S9: no attempt is under way that could succeed."""
    run = Machine(Workflow[int]("flow").step(increase, retry=PATIENT).step(double).compile(), 1)
    run.fail("flow/increase")
    assert ahead_of(run.state) is None
    run.fire("flow/increase")
    assert go_on(run.plan, run.state, OUTPUTS) == 1
