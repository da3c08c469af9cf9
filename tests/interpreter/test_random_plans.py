"""Random plans, random outcomes, random orders of completion: what holds whatever happens."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import Cancel, CancelTimer, RunStep, RunUndo
from orchestration.interpreter.engine import advance
from orchestration.interpreter.events import (
    CancelRequested,
    Continued,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
)
from orchestration.interpreter.serial import state_key, state_to_data
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.plan.nodes import Compensated
from tests.machine import Machine
from tests.plans import act, plan_order, scope_of, workflows

VALUES = st.integers(0, 9)


def drive(data: st.DataObject, run: Machine, *, stored: bool = False) -> None:
    """Drive a run to its end by drawn choices, with at most one cancel somewhere."""
    cancel_at = data.draw(st.integers(-1, 12), label="cancel after")
    while run.outcome is None:
        if cancel_at == 0:
            run.cancel()
        else:
            act(data.draw, run, list(run.pending))
        cancel_at -= 1
        if stored:
            decoded = run.stored()
            assert decoded == run.state
            assert state_key(run.plan, decoded) == state_key(run.plan, run.state)
            run.state = decoded


@settings(max_examples=300)
@given(workflows(), VALUES, st.data())
def test_the_same_events_give_the_same_effects(flow, value, data) -> None:
    """S2: a run replayed from its events emits the same effects and ends in the same state."""
    run = Machine(flow.compile(), value)
    drive(data, run)
    again = Machine(flow.compile(), value)
    for event in run.events:
        again.give(event)
    assert again.log == run.log
    assert again.state == run.state


@settings(max_examples=150)
@given(workflows(), VALUES, st.data())
def test_a_state_survives_its_json_form(flow, value, data) -> None:
    """S12: state to JSON to state is the identity, at every point of a run, and the run goes on from it."""
    run = Machine(flow.compile(), value)
    drive(data, run, stored=True)
    assert run.outcome is not None


@settings(max_examples=150)
@given(workflows(), VALUES, st.data())
def test_an_earlier_state_stays_as_it_was(flow, value, data) -> None:
    """S2: `advance` leaves the state that it was given unchanged and usable."""
    run = Machine(flow.compile(), value)
    states = [(run.state, state_to_data(run.plan, run.state))]
    while run.outcome is None:
        act(data.draw, run, list(run.pending))
        states.append((run.state, state_to_data(run.plan, run.state)))
    for (before, form), (after, _), event in zip(states, states[1:], run.events, strict=False):
        assert state_to_data(run.plan, before) == form
        assert advance(run.plan, before, event)[0] == after


@settings(max_examples=150)
@given(workflows(), VALUES, st.data())
def test_an_illegal_event_changes_nothing(flow, value, data) -> None:
    """S3: an event that nothing asked for is refused at any point of a run, and the state is unchanged."""
    run = Machine(flow.compile(), value)
    paths = sorted({effect.path for effect in run.log} | {"flow", "flow/nowhere", "flow/nowhere[3]/x", ""})
    while run.outcome is None:
        path = data.draw(st.sampled_from(paths))
        leaked = {leak[0] for leak in run.state.ledger.leaked}  # one that leaked may still report
        if path not in run.pending and path not in leaked:
            event = data.draw(st.sampled_from(_events(path, run.state.at)))
            before = state_to_data(run.plan, run.state)
            with pytest.raises(IllegalEvent):
                advance(run.plan, run.state, event)
            assert state_to_data(run.plan, run.state) == before
        act(data.draw, run, list(run.pending))


def _events(path: str, at: float) -> list[object]:
    return [
        StepSucceeded(path, at, 1, 0),
        StepTimedOut(path, at, 1, 1.0),
        StepLeaked(path, at, 7, 1.0),
        TimerFired(path, at + 99),
        Continued(path, at),
    ]


@settings(max_examples=300)
@given(workflows(), VALUES, st.data())
def test_effects_and_events_balance(flow, value, data) -> None:
    """S29: every attempt that was emitted has ended when the run has, and nothing is left over."""
    run = Machine(flow.compile(), value)
    drive(data, run)
    assert run.pending == {}
    attempts = [(effect.path, effect.attempt) for effect in run.log if isinstance(effect, RunStep)]
    assert len(attempts) == len(set(attempts)), "no attempt is emitted twice"
    ended = [(e.path, e.attempt) for e in run.events if type(e).__name__.startswith("Step")]
    assert sorted(ended) == sorted(attempts)
    assert all(isinstance(effect, RunStep | RunUndo | Cancel | CancelTimer) or effect.path for effect in run.log)


@settings(max_examples=300)
@given(workflows(), VALUES, st.data())
def test_each_eligible_step_has_one_end_state(flow, value, data) -> None:
    """S22, S25: armed or in doubt, a step ends in exactly one state if the run does not succeed, else in none."""
    run = Machine(flow.compile(), value)
    drive(data, run)
    assert run.outcome is not None
    paths = [step.path for step in run.outcome.rollback.steps]
    assert len(paths) == len(set(paths))
    if isinstance(run.outcome, Succeeded):
        assert paths == []
    else:
        composites = {path for path in paths if _is_composite(run, path)}
        assert set(paths) - composites == _eligible(run)


def _is_composite(run: Machine, path: str) -> bool:
    undos = [effect for effect in run.log if isinstance(effect, RunUndo) and effect.path == path]
    return any(isinstance(effect.step, Compensated) for effect in undos) or path.rpartition("/")[2].startswith("fork")


def _eligible(run: Machine) -> set[str]:
    steps = {effect.path: effect.step for effect in run.log if isinstance(effect, RunStep)}
    eligible = set()
    for event in run.events:
        step = steps.get(event.path)
        if step is None or step.compensation is None:
            continue
        match event:
            case StepSucceeded() | StepTimedOut() | StepLeaked() | StepCancelled(started=True):
                eligible.add(event.path)
            case StepFailed() if event.failure.matches(step.compensation.in_doubt_on):
                eligible.add(event.path)
            case _:
                pass
    return eligible


@settings(max_examples=300)
@given(workflows(), VALUES, st.data())
def test_undos_go_in_reverse_plan_order(flow, value, data) -> None:
    """S23: within a workflow, end states come in reverse plan order, whatever the order of completion was."""
    run = Machine(flow.compile(), value)
    drive(data, run)
    assert run.outcome is not None
    paths = [step.path for step in run.outcome.rollback.steps]
    for earlier, later in combinations(paths, 2):
        if scope_of(run.plan, earlier) == scope_of(run.plan, later):
            assert plan_order(run.plan, earlier) > plan_order(run.plan, later)


@settings(max_examples=200)
@given(workflows(), VALUES, st.data())
def test_one_undo_at_a_time(flow, value, data) -> None:
    """S23: within one workflow, an undo begins when the one before it has ended."""
    run = Machine(flow.compile(), value)
    cancel_at = data.draw(st.integers(-1, 6))
    while run.outcome is None:
        if cancel_at == 0:
            run.cancel()
        else:
            act(data.draw, run, list(run.pending))
        cancel_at -= 1
        scopes = [scope_of(run.plan, path) for path in run.pending if isinstance(run.pending[path], RunUndo)]
        assert len(scopes) == len(set(scopes))


@settings(max_examples=200)
@given(workflows(), VALUES, st.data())
def test_the_first_decision_stands(flow, value, data) -> None:
    """S28: a cancel before any failure gives `Cancelled`, a failure before any cancel gives `Failed`."""
    run = Machine(flow.compile(), value)
    drive(data, run)
    cancels = [index for index, event in enumerate(run.events) if isinstance(event, CancelRequested)]
    match run.outcome:
        case Succeeded():
            assert not cancels
        case Cancelled():
            assert cancels
            assert run.outcome.reason == "enough"
        case Failed():
            assert any(isinstance(event, StepFailed | StepTimedOut) for event in run.events)
        case _:
            pytest.fail("no outcome")


@settings(max_examples=200)
@given(workflows(), VALUES, st.data())
def test_nothing_new_begins_after_a_cancel(flow, value, data) -> None:
    """S28: after a cancel that has decided the run no step is emitted any more, only undos."""
    run = Machine(flow.compile(), value)
    for _ in range(data.draw(st.integers(0, 8))):
        if run.outcome is None:
            act(data.draw, run, list(run.pending))
    if run.outcome is None:
        run.cancel()
        emitted = len(run.log)
        while run.outcome is None:
            act(data.draw, run, list(run.pending))
        decided = run.state.ledger.cancel is not None  # and not a failure that was still being unwound
        assert not decided or not any(isinstance(effect, RunStep) for effect in run.log[emitted:])
