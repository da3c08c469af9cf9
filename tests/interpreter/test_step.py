"""Steps: attempts, retries, what they leave behind (S3, S7-S9)."""

from __future__ import annotations

import attrs
import pytest

from orchestration import Retry, Workflow
from orchestration.errors import IllegalEvent, InvalidOutput
from orchestration.interpreter.effects import RunStep, StartTimer
from orchestration.interpreter.events import (
    Continued,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
)
from orchestration.outcomes import Failed, Succeeded
from tests.bodies import double, increase, undo
from tests.machine import Declined, Machine, failure

PATIENT = Retry(max_attempts=3, initial_delay=2.0, jitter="none")


def machine(retry: Retry | None = None) -> Machine:
    """Return a run of one step."""
    options = {} if retry is None else {"retry": retry}
    return Machine(Workflow[int]("flow").step(increase, **options).compile(), 4)


def test_a_step_is_described_not_called() -> None:
    """S7: a step is an effect with its path, attempt, body and value; nothing is called."""
    [effect] = machine().log
    assert isinstance(effect, RunStep)
    assert (effect.path, effect.attempt, effect.value, effect.body.call) == ("flow/increase", 1, 4, increase)
    assert effect.key("run") == "run:flow/increase"


def test_the_output_of_the_last_step_is_the_value() -> None:
    """S7: outputs go from step to step, falsy ones too (S8)."""
    run = Machine(Workflow[int]("flow").step(increase).step(double).compile(), 4)
    run.succeed("flow/increase", 0)
    assert run.running == ["flow/double"]
    assert run.pending["flow/double"].value == 0
    run.succeed("flow/double", None)
    assert run.outcome == Succeeded(None, "run")


def test_a_step_that_raises_fails_the_run() -> None:
    """S8: the failure names its kind, bases, message and path."""
    run = machine()
    run.fail("flow/increase", Declined("no credit"))
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "tests.machine.Declined"
    assert run.outcome.failure.bases == ("Exception", "BaseException")
    assert str(run.outcome.failure) == "flow/increase: tests.machine.Declined: no credit"


def test_a_retry_waits_longer_each_time_and_counts_the_first_attempt() -> None:
    """S9: three attempts in all, two waits, the second twice as long."""
    run = machine(PATIENT)
    run.fail("flow/increase")
    assert run.pending["flow/increase"] == StartTimer("flow/increase", 2.0)
    run.fire("flow/increase")
    assert run.pending["flow/increase"].attempt == 2
    run.fail("flow/increase")
    assert run.pending["flow/increase"] == StartTimer("flow/increase", 6.0)
    run.fire("flow/increase")
    run.fail("flow/increase")
    assert isinstance(run.outcome, Failed)


def test_what_a_policy_gives_up_on_is_not_retried() -> None:
    """S9: `give_up_on` wins over `retry_on`, by kind or base."""
    for policy in (Retry(give_up_on=Declined), Retry(retry_on=OSError)):
        run = machine(policy)
        run.fail("flow/increase")
        assert isinstance(run.outcome, Failed)


def test_retry_after_lengthens_the_wait() -> None:
    """S9: an exception that asks to be left alone for longer is."""
    error = Declined("busy")
    error.retry_after = 30  # type: ignore[attr-defined]  # what an HTTP client's error would carry
    run = machine(PATIENT)
    run.fail("flow/increase", error)
    assert run.pending["flow/increase"].due == 30.0


def test_jitter_is_the_same_when_replayed_and_differs_between_runs() -> None:
    """S2, S9: the draw is a hash of run id, path and attempt."""
    plan = Workflow[int]("flow").step(increase, retry=Retry()).compile()
    dues = []
    for run_id in ("a", "a", "b"):
        run = Machine(plan, 4, run_id)
        run.fail("flow/increase")
        dues.append(run.pending["flow/increase"].due)
    assert dues[0] == dues[1] != dues[2]
    assert all(0 <= due < 1 for due in dues)


def test_a_timeout_is_a_failure_that_may_be_retried() -> None:
    """S9, S10: a timed-out attempt counts as one, its kind is `TimeoutError`."""
    run = machine(PATIENT)
    run.time_out("flow/increase", 7)
    run.fire("flow/increase")
    run.time_out("flow/increase", 7)
    run.fire("flow/increase")
    run.time_out("flow/increase", 7)
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "TimeoutError"
    assert run.outcome.failure.message == "took longer than 7 s"
    assert run.outcome.failure.bases == failure("flow/increase", TimeoutError()).bases


def test_an_attempt_that_leaks_after_its_timeout_is_named_and_the_next_begins() -> None:
    """S24: the next attempt does not wait for a leaked one, and the outcome names it."""
    run = machine(PATIENT)
    run.leak("flow/increase", 7)
    run.fire("flow/increase")
    run.succeed("flow/increase", 5)
    assert run.outcome == Succeeded(5, "run", leaked=("flow/increase#1",))


@pytest.mark.parametrize(
    "event",
    [
        StepFailed("flow/increase", 9.0, 1, failure("flow/increase")),
        StepCancelled("flow/increase", 9.0, 1),
        StepSucceeded("flow/increase", 9.0, 1, 5),
        StepTimedOut("flow/increase", 9.0, 1, 7.0),
    ],
    ids=repr,
)
def test_the_late_end_of_a_leaked_attempt_changes_nothing_else(event) -> None:
    """S3, S24: a leaked attempt may still report, once; the attempt under way goes on."""
    run = machine(PATIENT)
    run.leak("flow/increase", 7)
    run.fire("flow/increase")
    before, second = run.state.root, run.pending["flow/increase"]
    run.give(event)
    assert run.state.root == before
    with pytest.raises(IllegalEvent):
        run.give(event)
    run.pending["flow/increase"] = second
    run.succeed("flow/increase", 6)
    assert run.outcome == Succeeded(6, "run", leaked=("flow/increase#1",))


def test_what_does_not_fit_its_type_is_not_retried() -> None:
    """S9: invalid input or output will not fit the next time either."""
    run = machine(PATIENT)
    run.fail("flow/increase", InvalidOutput("flow/increase", found="a", expected="b", mend="c."))
    assert isinstance(run.outcome, Failed)


@pytest.mark.parametrize(
    "event",
    [
        StepSucceeded("flow/other", 0.0, 1, 5),
        StepSucceeded("flow/increase", 0.0, 2, 5),
        StepCancelled("flow/increase", 0.0, 1),
        StepLeaked("flow/increase", 0.0, 1),
        TimerFired("flow/increase", 0.0),
        Continued("flow/increase", 0.0),
    ],
    ids=repr,
)
def test_an_illegal_event_is_refused_and_changes_nothing(event) -> None:
    """S3: an unknown path, another attempt, or a kind that nobody asked for."""
    run = machine()
    before = run.stored()
    with pytest.raises(IllegalEvent, match=f"found {type(event).__name__} at {event.path}"):
        run.give(event)
    assert run.state == before


def test_a_timer_before_it_is_due_is_refused() -> None:
    """S3: so is any event but the timer during a backoff."""
    run = machine(PATIENT)
    run.fail("flow/increase")
    for event in (TimerFired("flow/increase", 1.9), StepSucceeded("flow/increase", 3.0, 1, 5)):
        with pytest.raises(IllegalEvent, match=r"TimerFired at 2\.0"):
            run.give(event)


def test_an_event_after_the_outcome_is_refused() -> None:
    """S3: a run that has ended takes no events."""
    run = machine()
    run.succeed("flow/increase", 5)
    with pytest.raises(IllegalEvent, match="after the outcome"):
        run.give(StepSucceeded("flow/increase", 0.0, 1, 5))


def test_time_never_runs_backwards() -> None:
    """S2: the time of the state is the larger of the last one and the event's."""
    run = machine(PATIENT)
    run.give(StepFailed("flow/increase", 9.0, 1, failure("flow/increase")))
    run.give(TimerFired("flow/increase", 11.0))
    run.give(StepFailed("flow/increase", 3.0, 2, failure("flow/increase")))
    assert run.state.at == 11.0
    assert run.pending["flow/increase"].due == 15.0


def test_a_state_is_frozen() -> None:
    """S2: nobody changes a state, a frame, an effect or an event."""
    run = machine()
    for value in (run.state, run.state.root, run.state.ledger, run.log[0]):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            value.path = "elsewhere"


def test_a_compensated_step_arms_only_by_success() -> None:
    """S22: a definite failure says that nothing landed, so there is nothing to undo."""
    run = Machine(Workflow[int]("flow").step(increase).compensate(undo).compile(), 4)
    run.fail("flow/increase")
    assert run.outcome is not None
    assert run.outcome.rollback.steps == ()
