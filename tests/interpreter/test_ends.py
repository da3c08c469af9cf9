"""How an attempt ends, as events: what a driver gives the interpreter for each kind of attempt."""

from __future__ import annotations

import pytest

from orchestration import Workflow
from orchestration.failures import Failure
from orchestration.interpreter.effects import CancelTimer, RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.ends import failed, leaked, lost, succeeded, timed_out
from orchestration.interpreter.events import (
    CleanupFailed,
    CleanupLost,
    CleanupSucceeded,
    CleanupTimedOut,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoFailed,
    UndoLost,
    UndoSucceeded,
    UndoTimedOut,
)
from orchestration.interpreter.pending import KINDS, Pending, emit, ended_by, pending_after
from tests.bodies import double, increase, undo, void
from tests.machine import Machine

FAILURE = Failure("OSError", "gone", "flow")


def attempts(seconds: float | None = None) -> list:
    """Return an attempt of each kind as the interpreter starts them: the step's may take so many seconds."""
    plan = (
        Workflow[int]("flow")
        .cleanup(void, timeout=4.0)
        .step(increase, attempt_timeout=seconds)
        .compensate(undo, in_doubt=void, timeout=6.0)
        .step(double)
        .compile()
    )
    run = Machine(plan, 1)
    run.succeed("flow/increase", 2)
    run.fail("flow/double")
    run.succeed("flow/increase")
    kinds = (RunStep, RunUndo, RunCleanup)
    return [next(effect for effect in run.log if isinstance(effect, kind)) for kind in kinds]


def test_each_kind_of_attempt_has_events_of_its_own() -> None:
    """S7: of its path and its attempt, at the time at which it ended."""
    step, undoing, cleanup = attempts()
    at = ("flow/increase", 5.0, 1)
    cleanup_at = (cleanup.path, 5.0, 1)
    assert succeeded(step, 5.0, 7) == StepSucceeded(*at, 7)
    assert succeeded(undoing, 5.0, None) == UndoSucceeded(*at)
    assert succeeded(cleanup, 5.0, None) == CleanupSucceeded(*cleanup_at)
    assert failed(step, 5.0, FAILURE) == StepFailed(*at, FAILURE)
    assert failed(undoing, 5.0, FAILURE) == UndoFailed(*at, FAILURE)
    assert failed(cleanup, 5.0, FAILURE) == CleanupFailed(*cleanup_at, FAILURE)


@pytest.mark.parametrize("seconds", [None, 3.0])
def test_an_attempt_that_takes_too_long_tells_how_long_it_had(seconds) -> None:
    """S10: its timeout; nothing, where a step has none and a deadline around it has ended it."""
    step, undoing, cleanup = attempts(seconds)
    assert timed_out(step, 5.0) == StepTimedOut("flow/increase", 5.0, 1, seconds or 0.0)
    assert timed_out(undoing, 5.0) == UndoTimedOut("flow/increase", 5.0, 1, 6.0)
    assert timed_out(cleanup, 5.0) == CleanupTimedOut(cleanup.path, 5.0, 1, 4.0)


@pytest.mark.parametrize("seconds", [None, 3.0])
def test_an_attempt_that_outlives_its_grace_has_leaked(seconds) -> None:
    """S24: with the time that it had, unless a cancel has ended it."""
    step, undoing, cleanup = attempts(seconds)
    assert leaked(step, 5.0, cancelled=False) == StepLeaked("flow/increase", 5.0, 1, seconds)
    assert leaked(step, 5.0, cancelled=True) == StepLeaked("flow/increase", 5.0, 1, None)
    for cancelled in (False, True):
        undone, cleaned = (leaked(effect, 5.0, cancelled=cancelled) for effect in (undoing, cleanup))
        assert undone == UndoTimedOut("flow/increase", 5.0, 1, 6.0, leaked=True)
        assert cleaned == CleanupTimedOut(cleanup.path, 5.0, 1, 4.0, leaked=True)


def test_a_lost_step_counts_unless_its_process_ended_in_order() -> None:
    """S35: undos and cleanups begin again however often."""
    assert StepLost("flow/increase", 5.0, 1).counted is True
    step, undoing, cleanup = attempts()
    for counted in (False, True):
        assert lost(step, 5.0, counted=counted) == StepLost("flow/increase", 5.0, 1, counted)
        assert lost(undoing, 5.0, counted=counted) == UndoLost("flow/increase", 5.0, 1)
        assert lost(cleanup, 5.0, counted=counted) == CleanupLost(cleanup.path, 5.0, 1)


def test_an_event_that_says_no_more_is_the_ordinary_one() -> None:
    """S24: whoever writes down the events of a run by hand leaves out what is seldom."""
    assert not UndoTimedOut("flow/increase", 5.0, 1, 3.0).leaked
    assert not CleanupTimedOut("flow/void", 5.0, 1, 3.0).leaked
    assert TimerFired("flow/increase", 5.0).purpose == "backoff"
    assert (StartTimer("flow/increase", 5.0).purpose, CancelTimer("flow/increase").purpose) == ("backoff", "backoff")


def test_an_event_tells_which_effect_it_ends() -> None:
    """S2: the attempt of its path, if that is under way."""
    step, _, _ = attempts()
    pending: Pending = {}
    emit(pending, [step])
    assert ended_by(StepSucceeded("flow/increase", 5.0, 1, 2), pending) is step
    assert ended_by(StepSucceeded("flow/double", 5.0, 1, 2), pending) is None


def test_what_waits_is_stored_under_these_names() -> None:
    """S34, S36: a snapshot holds them, which later releases read."""
    assert sorted(KINDS) == ["ask", "attempt", "backoff", "continue", "pull", "sleep", "timeout"]


def test_what_waits_after_an_event_is_another_table() -> None:
    """S2: the one before stays as it is."""
    run = Machine(Workflow[int]("flow").step(double).step(increase).compile(), 1)
    before: Pending = {}
    emit(before, run.log)
    run.succeed("flow/double", 2)
    after = pending_after(before, run.events[-1], run.log[1:])
    assert [path for path, _ in before] == ["flow/double"]
    assert [path for path, _ in after] == ["flow/increase"]
