"""Deadlines: of a step, a composite and the run; what fits and what is primary (S10)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Retry, Workflow
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import CancelTimer, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import StepSucceeded, TimerFired
from orchestration.outcomes import Cancelled, Failed, Succeeded
from tests.interpreter.parts import PATIENT, Flow, armed, attached, chain, failure_of, kinds, plain, settled, undone
from tests.machine import Declined, Machine


def alone(body: Any, **options: Any) -> Flow:
    """Return a workflow of one body with a timeout of 10 seconds."""
    return Workflow[Any]("flow").step(body, timeout=10.0, **options)


def step_of(body: Flow) -> Flow:
    """Return a body with a timeout of 10 seconds."""
    return Workflow[Any]("").step(body, timeout=10.0)


def within(flow: Flow, *, deadline: float | None = None) -> Machine:
    """Return a run at time 0."""
    return Machine(flow.compile(), 1, deadline=deadline)


STEP = alone(plain("x"))
INNER = chain("inner", armed("first"), plain("last"))


def timers(run: Machine) -> list[tuple[str, float]]:
    """Return the path and the time of all timeouts that were asked for."""
    found = [effect for effect in run.log if isinstance(effect, StartTimer) and effect.purpose == "timeout"]
    return [(timer.path, timer.due) for timer in found]


# --- what is bounded


def test_a_step_is_cancelled_when_its_time_is_over_and_then_fails() -> None:
    """S10: it is awaited; `DeadlineExceeded` is a `TimeoutError` with its path and the mend."""
    run = within(STEP)
    assert timers(run) == [("flow/x", 10.0)]
    run.fire("flow/x@timeout")
    assert run.cancelling == {"flow/x"}
    run.end_cancelled("flow/x")
    failure = failure_of(run)
    assert failure.matches(("TimeoutError",))
    assert (failure.path, failure.attached) == ("flow/x", ())
    assert "no end after 10 s" in failure.message
    assert failure.message.endswith("Give it more time, or let a recover go on from here.")


@pytest.mark.parametrize("deadline", [None, 30.0])
def test_a_timer_is_cancelled_when_its_work_has_ended(deadline) -> None:
    """S10, S29: no timer outlives what it bounds."""
    run = within(STEP, deadline=deadline)
    run.succeed("flow/x", 2)
    assert run.outcome == Succeeded(2, "run")
    assert run.pending == {}
    assert sum(isinstance(effect, CancelTimer) for effect in run.log) == len(timers(run))


@pytest.mark.parametrize("deadline", [None, 30.0])
def test_what_ends_at_once_needs_no_timer(deadline) -> None:
    """S7, S10: a pure workflow is over before it could be late."""
    run = within(alone(Workflow[Any]("now").pure(abs)), deadline=deadline)
    assert run.outcome == Succeeded(1, "run")
    assert run.log == []


def test_a_result_at_the_instant_of_the_timeout_wins() -> None:
    """S10: and a timer that fires afterwards is illegal (S3)."""
    run = within(STEP.step(plain("y")))
    run.wait(10.0)
    run.succeed("flow/x", 2)
    assert run.running == ["flow/y"]
    with pytest.raises(IllegalEvent):
        run.give(TimerFired("flow/x", 10.0, "timeout"))


def test_a_workflow_is_bounded_with_all_inside() -> None:
    """S10: it unwinds itself, shielded, and is undone as a block before its parent learns of it."""
    run = within(chain("flow", armed("before"), step_of(INNER)))
    run.succeed("flow/before", 1)
    run.succeed("flow/inner/first", 2)
    run.fire("flow/inner@timeout")
    run.end_cancelled("flow/inner/last")
    assert run.running == ["flow/inner/first"]
    run.run()
    assert kinds(run) == ["DeadlineExceeded"]
    assert undone(run) == ("flow/inner/first", "flow/before")


def test_the_run_is_bounded() -> None:
    """S10, S28: in seconds from its start; the deadline decides, so a cancel after it comes too late."""
    run = within(chain("flow", armed("first"), plain("last")), deadline=5.0)
    assert timers(run) == [("flow", 5.0)]
    run.succeed("flow/first", 2)
    run.fire("flow@timeout")
    run.cancel()
    run.end_cancelled("flow/last")
    run.succeed("flow/first")
    assert kinds(run) == ["DeadlineExceeded"]
    assert failure_of(run).message.endswith("end in time. Give it more time.")  # no recover takes it
    assert undone(run) == ("flow/first",)


def test_a_cancel_before_the_deadline_decides() -> None:
    """S28: the timer does not matter any more and is cancelled."""
    run = within(STEP, deadline=30.0)
    run.cancel()
    assert list(run.pending) == ["flow/x"]
    run.end_cancelled("flow/x")
    assert run.outcome == Cancelled("enough", "run")


def test_a_map_and_a_fork_are_bounded() -> None:
    """S10: members under way are cancelled, those that have not begun never do."""
    run = Machine(Workflow[Any]("flow").map(plain("x"), timeout=10.0, concurrency=2).compile(), [1, 2, 3])
    run.fire("flow/x@timeout")
    assert run.cancelling == {"flow/x[0]", "flow/x[1]"}
    run.succeed("flow/x[0]", 1)
    run.end_cancelled("flow/x[1]")
    assert kinds(run) == ["DeadlineExceeded"]
    run = within(Workflow[Any]("flow").fork(plain("a")).fork(plain("b")).join(timeout=10.0))
    run.fire("flow/fork@timeout")
    run.succeed("flow/fork/a", 1)
    run.succeed("flow/fork/b", 2)
    assert kinds(run) == ["DeadlineExceeded"]


def test_a_timeout_is_a_failure_like_others_to_what_is_around_it() -> None:
    """S9, S18, S20: a group that collects keeps it, a composite's retry tries again."""
    run = Machine(Workflow[Any]("flow").map(step_of(plain("x")), on_error="collect").compile(), [1])
    run.fire("flow/x[0]@timeout")
    run.end_cancelled("flow/x[0]")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value[0].failure.kind == "orchestration.errors.DeadlineExceeded"
    run = within(Workflow[Any]("flow").step(chain("inner", step_of(plain("x"))), retry=PATIENT))
    run.fire("flow/inner/x@timeout")
    run.end_cancelled("flow/inner/x")
    run.fire("flow/inner")
    assert timers(run) == [("flow/inner/x", 10.0), ("flow/inner#2/x", 22.0)], "each attempt has its own time"


# --- one inside another


@pytest.mark.parametrize("deadline", [9.0, 10.0])
def test_a_deadline_that_comes_no_later_makes_the_inner_one_void(deadline) -> None:
    """S10: a child's can only be earlier; at the same instant the outer one counts."""
    run = within(STEP, deadline=deadline)
    assert timers(run) == [("flow", deadline)]
    run.fire("flow@timeout")
    run.end_cancelled("flow/x")
    assert failure_of(run).path == "flow"


def test_the_earliest_deadline_is_told_to_the_step() -> None:
    """S10: `RunStep.deadline` is on the clock of the events, also of what begins later."""
    run = within(chain("flow", plain("a"), step_of(plain("b")), plain("c")), deadline=30.0)
    for name, at, due in (("a", 3.0, 30.0), ("b", 5.0, 13.0), ("c", 6.0, 30.0)):
        effect = run.pending[f"flow/{name}"]
        assert isinstance(effect, RunStep)
        assert effect.deadline == due
        run.wait(at)
        run.succeed(f"flow/{name}", 1)
    assert within(chain("flow", plain("a"))).pending["flow/a"].deadline is None


def test_a_deadline_around_one_that_is_exceeded_waits_for_the_same() -> None:
    """S10, S24: when both pass, the first is primary and the other attached."""
    run = within(chain("flow", plain("before"), step_of(plain("x"))), deadline=15.0)
    run.wait(1.0)
    run.succeed("flow/before", 1)
    run.fire("flow/x@timeout")
    cancels = [effect for effect in run.log if type(effect).__name__ == "Cancel"]
    run.fire("flow@timeout")
    assert [effect for effect in run.log if type(effect).__name__ == "Cancel"] == cancels, "it was told once"
    run.leak("flow/x")
    assert [failure_of(run).path, *(later.path for later in failure_of(run).attached)] == ["flow/x", "flow"]
    assert run.outcome is not None
    assert run.outcome.leaked == ("flow/x#1",)


# --- backoff


@pytest.mark.parametrize(("timeout", "fits"), [(2.5, True), (2.0, False), (1.5, False)])
def test_a_backoff_that_does_not_fit_fails_the_step_at_once(timeout, fits) -> None:
    """S10: one that would end at the deadline is too late; the last real failure stays primary."""
    run = within(Workflow[Any]("flow").step(plain("x", retry=PATIENT, timeout=timeout)))
    run.fail("flow/x", Declined("broke"))
    if fits:
        assert isinstance(run.pending["flow/x"], StartTimer)
    else:
        assert kinds(run) == ["Declined", "DeadlineExceeded"]
        assert ("at the deadline" if timeout == 2.0 else "0.5 s after the deadline") in attached(run)[0]
        assert run.pending == {}


def test_the_deadline_of_the_run_bounds_a_backoff_as_well() -> None:
    """S10: the earliest around it counts."""
    run = within(Workflow[Any]("flow").step(plain("x", retry=PATIENT, timeout=60.0)), deadline=2.0)
    run.fail("flow/x", Declined("broke"))
    assert kinds(run) == ["Declined", "DeadlineExceeded"]


def test_a_wait_that_the_failure_asks_for_may_not_fit() -> None:
    """S9, S10: `retry_after` lengthens the backoff, here beyond the deadline."""
    error = Declined("busy")
    error.retry_after = 60.0  # type: ignore[attr-defined]  # as an HTTP client's exception has it
    run = within(Workflow[Any]("flow").step(plain("x", retry=PATIENT, timeout=10.0)))
    run.fail("flow/x", error)
    assert kinds(run) == ["Declined", "DeadlineExceeded"]


def test_a_later_attempt_is_cut_short_and_the_earlier_failure_attached() -> None:
    """S8, S10: the deadline is primary, because the step had not failed yet."""
    run = within(Workflow[Any]("flow").step(plain("x", retry=PATIENT, timeout=10.0)))
    run.fail("flow/x", Declined("first"))
    run.fire("flow/x")
    assert run.pending["flow/x"].deadline == 10.0
    run.fire("flow/x@timeout")
    run.end_cancelled("flow/x")
    assert kinds(run) == ["DeadlineExceeded", "Declined"]


def test_the_timeout_of_an_attempt_is_the_handlers() -> None:
    """S10: it may be retried, and is no timer of the interpreter."""
    run = within(Workflow[Any]("flow").step(plain("x", retry=PATIENT, attempt_timeout=3.0)))
    assert run.pending["flow/x"].timeout == 3.0
    assert timers(run) == []
    run.time_out("flow/x", 3.0)
    run.fire("flow/x")
    run.succeed("flow/x", 2)
    assert run.outcome == Succeeded(2, "run")


@pytest.mark.parametrize("jitter", ["full", "equal"])
def test_jitter_is_the_same_when_the_log_is_folded_again(jitter) -> None:
    """S2, S9: it is a hash of run id, path and attempt, so two runs differ and one is equal to itself."""
    flow = Workflow[Any]("flow").step(plain("x", retry=Retry(max_attempts=5, jitter=jitter), timeout=500.0))

    def delays(run_id: str) -> list[float]:
        run = Machine(flow.compile(), 1, run_id)
        for _ in range(4):
            run.fail("flow/x")
            run.fire("flow/x")
        return [effect.due for effect in run.log if isinstance(effect, StartTimer)]

    assert delays("one") == delays("one")
    assert delays("one") != delays("other")


# --- what is inside when the time is over


def test_a_step_that_finishes_in_the_grace_is_armed_and_undone() -> None:
    """S10, S28: it keeps its outcome, but comes too late."""
    run = within(alone(settled("x")))
    run.fire("flow/x@timeout")
    run.succeed("flow/x", 2)
    [effect] = run.pending.values()
    assert isinstance(effect, RunUndo)
    run.succeed("flow/x")
    assert kinds(run) == ["DeadlineExceeded"]
    assert undone(run) == ("flow/x",)


def test_a_step_that_is_cut_short_is_in_doubt() -> None:
    """S10, S22: nobody knows whether its effect landed."""
    run = within(alone(settled("x")))
    run.fire("flow/x@timeout")
    run.end_cancelled("flow/x")
    assert run.pending["flow/x"].by == "in_doubt"


def test_what_fails_in_the_grace_is_attached() -> None:
    """S8, S10: the deadline came first."""
    run = within(STEP)
    run.fire("flow/x@timeout")
    run.fail("flow/x", Declined("late"))
    assert kinds(run) == ["DeadlineExceeded", "Declined"]


def test_what_had_failed_before_the_time_was_over_stays_primary() -> None:
    """S8, S10: the deadline passes during its unwinding, which is shielded (S24)."""
    run = within(alone(INNER))
    run.succeed("flow/inner/first", 2)
    run.fail("flow/inner/last", Declined("broke"))
    run.fire("flow/inner@timeout")
    assert run.running == ["flow/inner/first"]
    run.succeed("flow/inner/first")
    assert kinds(run) == ["Declined", "DeadlineExceeded"]


def test_a_partial_rollback_is_told_by_what_was_cut_short() -> None:
    """S20: a group that collects does not go on past it, whether the work was stopped or failed in the grace."""
    for end in ("end_cancelled", "fail"):
        run = Machine(Workflow[Any]("flow").map(step_of(INNER), on_error="collect").compile(), [1])
        run.succeed("flow/inner[0]/first", 2)
        run.fire("flow/inner[0]@timeout")
        getattr(run, end)("flow/inner[0]/last")
        run.fail("flow/inner[0]/first", OSError("undo"))
        assert isinstance(run.outcome, Failed)


@pytest.mark.parametrize("at", [9.9, 0.0])
def test_a_timer_before_it_is_due_is_refused(at) -> None:
    """S3: and so is one that has fired already; the state is unchanged."""
    run = within(STEP)
    with pytest.raises(IllegalEvent):
        run.give(TimerFired("flow/x", at, "timeout"))
    with pytest.raises(IllegalEvent):
        run.give(StepSucceeded("flow/y", 0.0, 1, 1))
    run.fire("flow/x@timeout")
    before = run.state
    with pytest.raises(IllegalEvent, match="once"):
        run.give(TimerFired("flow/x", 10.0, "timeout"))
    assert run.state == before
