"""The retry of a composite: unwound, then begun anew under another path (S4, S9, S20)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Retry, Workflow
from orchestration.errors import IllegalEvent, InvalidOutput
from orchestration.interpreter.effects import CancelTimer, RunStep, StartTimer
from orchestration.interpreter.events import StepSucceeded, TimerFired
from orchestration.outcomes import Cancelled, Failed, Succeeded
from tests.interpreter.parts import (
    ONCE,
    PATIENT,
    Flow,
    armed,
    attached,
    chain,
    failure_of,
    forked,
    kinds,
    plain,
    undone,
)
from tests.machine import Declined, Machine

INNER = chain("inner", armed("first"), plain("last"))


def retried(body: Flow = INNER, retry: Retry = PATIENT, **options: Any) -> Flow:
    """Return a workflow of one composite that is retried."""
    return Workflow[Any]("flow").step(body, retry=retry, **options)


def broken(flow: Flow, error: Exception | None = None) -> Machine:
    """Return a run of `INNER` whose last step has failed for the first time."""
    run = Machine(flow.compile(), 1)
    run.succeed("flow/inner/first", 2)
    run.fail("flow/inner/last", error or Declined("broke"))
    return run


def test_a_workflow_is_unwound_before_it_is_tried_again_under_another_path() -> None:
    """S4, S5, S9, S20: no key is used for two different effects."""
    run = broken(retried())
    assert run.running == ["flow/inner/first"]
    run.succeed("flow/inner/first")
    assert list(run.pending.values()) == [StartTimer("flow/inner", 2.0)]
    run.fire("flow/inner")
    run.succeed("flow/inner#2/first", 3)
    run.succeed("flow/inner#2/last", 4)
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == 4
    assert undone(run) == ("flow/inner/first",)
    keys = [effect.key("run") for effect in run.log if isinstance(effect, RunStep)]
    assert keys == [f"run:flow/inner{n}/{name}" for n in ("", "#2") for name in ("first", "last")]


def test_each_attempt_takes_the_value_anew() -> None:
    """S9: the composite begins from where it stood."""
    run = broken(retried())
    run.succeed("flow/inner/first")
    run.fire("flow/inner")
    assert run.pending["flow/inner#2/first"].value == 1


def test_the_last_attempts_failure_is_what_fails_it() -> None:
    """S9: the policy counts all attempts, and the delays grow."""
    run = Machine(retried(chain("inner", plain("x"))).compile(), 1)
    for number, path in enumerate(("inner", "inner#2", "inner#3"), 1):
        run.fail(f"flow/{path}/x", Declined(f"{number}"))
        if number < 3:
            run.fire("flow/inner")
    assert run.state.at == 2.0 + 4.0
    assert (failure_of(run).message, failure_of(run).path) == ("3", "flow/inner#3/x")
    assert attached(run) == []


def test_a_map_and_a_fork_are_retried_as_a_whole() -> None:
    """S4, S20: all members begin anew; what had succeeded is undone first, by the retrier."""
    run = Machine(Workflow[Any]("flow").map(armed("x"), retry=PATIENT).compile(), [1, 2])
    run.succeed("flow/x[0]", 1)
    run.fail("flow/x[1]")
    run.succeed("flow/x[0]")
    run.fire("flow/x")
    assert run.running == ["flow/x#2[0]", "flow/x#2[1]"]
    for index in (0, 1):
        run.succeed(f"flow/x#2[{index}]", index)
    assert isinstance(run.outcome, Succeeded)
    run = Machine(forked(plain("a"), plain("b")).join(retry=PATIENT).compile(), 1)
    run.fail("flow/fork/a")
    run.end_cancelled("flow/fork/b")
    run.fire("flow/fork")
    for name in "ab":
        run.succeed(f"flow/fork#2/{name}", name)
    assert run.outcome == Succeeded(("a", "b"), "run")


def test_what_later_fails_undoes_the_attempt_that_succeeded() -> None:
    """S27: at its place, under its own path."""
    run = broken(retried().step(plain("end")))
    run.succeed("flow/inner/first")
    run.fire("flow/inner")
    run.succeed("flow/inner#2/first", 3)
    run.succeed("flow/inner#2/last", 4)
    run.fail("flow/end")
    run.run()
    assert undone(run) == ("flow/inner/first", "flow/inner#2/first")


@pytest.mark.parametrize(
    ("retry", "error"),
    [
        (ONCE, Declined()),
        (Retry(give_up_on=Declined), Declined()),
        (Retry(retry_on=OSError), Declined()),
        (PATIENT, InvalidOutput("x", found="a", expected="b", mend="c")),
    ],
    ids=["one attempt", "give_up_on", "retry_on", "what does not fit its type"],
)
def test_what_is_not_retried_fails_at_once(retry, error) -> None:
    """S9: after its unwinding; a cancel during that comes too late (S28)."""
    run = broken(retried(retry=retry), error)
    run.cancel()
    run.succeed("flow/inner/first")
    assert isinstance(run.outcome, Failed)
    assert not any(isinstance(effect, StartTimer) for effect in run.log)


@pytest.mark.parametrize("on_partial", ["fail", "continue"])
def test_no_attempt_follows_a_partial_rollback_unless_told_to(on_partial) -> None:
    """S20: what stands may not be done twice."""
    run = broken(retried(on_partial=on_partial).step(plain("end")))
    run.fail("flow/inner/first", OSError("undo"))
    if on_partial == "fail":
        assert failure_of(run).message == "broke"
    else:
        run.fire("flow/inner")
        run.succeed("flow/inner#2/first", 3)
        run.succeed("flow/inner#2/last", 4)
        run.succeed("flow/end", 5)
        assert isinstance(run.outcome, Succeeded)
    assert run.outcome is not None
    assert run.outcome.rollback.verdict == "partial"


def test_what_an_attempt_could_not_undo_holds_what_stands_before_the_composite() -> None:
    """S26: also when a later attempt has succeeded, and when the waiting for one is cancelled."""
    for cancelled in (False, True):
        flow = Workflow[Any]("flow").step(armed("before")).step(INNER, retry=PATIENT, on_partial="continue")
        run = Machine(flow.step(plain("end")).compile(), 1)
        run.succeed("flow/before", 1)
        run.succeed("flow/inner/first", 2)
        run.fail("flow/inner/last")
        run.fail("flow/inner/first", OSError("undo"))
        if cancelled:
            run.cancel()
        else:
            run.fire("flow/inner")
            for name in ("inner#2/first", "inner#2/last"):
                run.succeed(f"flow/{name}", 3)
            run.fail("flow/end")
            run.succeed("flow/inner#2/first")
        assert run.outcome is not None
        assert type(run.outcome.rollback.steps[-1]).__name__ == "Held"


def test_a_cancel_ends_the_backoff() -> None:
    """S28: at once; the failure is attached."""
    run = broken(retried())
    run.succeed("flow/inner/first")
    run.cancel()
    assert isinstance(run.log[-1], CancelTimer)
    assert isinstance(run.outcome, Cancelled)
    assert [later.message for later in run.outcome.attached] == ["broke"]


def test_a_cancel_during_the_unwinding_lets_it_end_and_nothing_follows() -> None:
    """S28: an absorbable failure does not decide."""
    run = broken(retried())
    run.cancel()
    assert run.running == ["flow/inner/first"]
    run.succeed("flow/inner/first")
    assert isinstance(run.outcome, Cancelled)
    assert undone(run) == ("flow/inner/first",)


def test_the_retrier_unwinds_what_is_no_scope_and_a_cancel_lets_it() -> None:
    """S24, S28: a map's undos are as shielded as a workflow's."""
    run = Machine(Workflow[Any]("flow").map(armed("x"), retry=PATIENT).compile(), [1, 2])
    run.succeed("flow/x[0]", 1)
    run.fail("flow/x[1]")
    before = run.state.root
    run.cancel()
    assert run.state.root == before
    run.succeed("flow/x[0]")
    assert isinstance(run.outcome, Cancelled)
    assert undone(run) == ("flow/x[0]",)


def test_a_cancel_during_an_attempt_is_not_retried() -> None:
    """S9, S28: nor is what fails after it."""
    run = Machine(retried().compile(), 1)
    run.cancel()
    run.fail("flow/inner/first")
    assert isinstance(run.outcome, Cancelled)


def test_a_backoff_that_does_not_fit_the_deadline_fails_it_at_once() -> None:
    """S10: when it is unwound; the composite's own timeout bounds all attempts."""
    run = broken(retried(timeout=5.0))
    run.succeed("flow/inner/first")
    run.fire("flow/inner")
    run.fail("flow/inner#2/first", Declined("again"))
    assert kinds(run) == ["Declined", "DeadlineExceeded"]
    assert failure_of(run).message == "again"
    assert "1 s after the deadline" in attached(run)[0]
    assert run.pending == {}


def test_a_deadline_inside_does_not_bound_the_backoff() -> None:
    """S9, S10: a child's own is retried, and a cancel during the backoff decides (S28)."""
    inner = Workflow[Any]("inner").step(plain("x"), timeout=1.0)
    run = Machine(retried(inner).compile(), 1)
    run.fail("flow/inner/x", Declined("broke"))
    assert list(run.pending.values()) == [StartTimer("flow/inner", 2.0)]
    run.cancel()
    assert isinstance(run.outcome, Cancelled)


def test_a_deadline_that_passes_during_the_unwinding_leaves_no_time() -> None:
    """S10, S24: the unwinding is shielded and ends, then no attempt follows."""
    run = Machine(retried().compile(), 1, deadline=9.0)
    run.succeed("flow/inner/first", 2)
    run.fail("flow/inner/last", Declined("broke"))
    run.fire("flow@timeout")
    assert run.running == ["flow/inner/first"]
    run.succeed("flow/inner/first")
    assert sorted(kinds(run)) == ["DeadlineExceeded", "Declined"]
    assert run.pending == {}


def test_an_unwinding_that_took_long_leaves_no_time_for_the_backoff() -> None:
    """S10: the time is asked for when the backoff would begin."""
    run = Machine(retried().compile(), 1, deadline=9.0)
    run.succeed("flow/inner/first", 2)
    run.fail("flow/inner/last", Declined("broke"))
    assert not run.state.ledger.decided
    run.wait(8.0)
    run.succeed("flow/inner/first")
    assert kinds(run) == ["Declined", "DeadlineExceeded"]


@pytest.mark.parametrize(
    "event",
    [
        TimerFired("flow/inner", 1.9),
        TimerFired("flow/inner", 2.0, "timeout"),
        TimerFired("flow/inner/last", 2.0),
        StepSucceeded("flow/inner/last", 2.0, 1, 1),
    ],
    ids=repr,
)
def test_only_its_timer_ends_the_backoff(event) -> None:
    """S3: when it is due; the state is unchanged."""
    run = broken(retried())
    run.succeed("flow/inner/first")
    before = run.state
    with pytest.raises(IllegalEvent):
        run.give(event)
    assert run.state == before


def test_what_computes_may_be_retried() -> None:
    """S7, S9: a composite that ends within a turn fails and succeeds like others."""
    answers = iter([ValueError("not yet"), 7])

    def ask(_: object) -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    run = Machine(retried(Workflow[Any]("inner").pure(ask)).compile(), 1)
    run.fire("flow/inner")
    assert run.outcome == Succeeded(7, "run")


def test_what_an_earlier_attempt_could_not_undo_holds_what_stands_before_when_no_time_is_left() -> None:
    """S10, S20, S26: the last attempt was undone, but the one before it was not."""
    flow = Workflow[Any]("flow").step(armed("before")).step(INNER, retry=PATIENT, on_partial="continue")
    run = Machine(flow.compile(), 1, deadline=10.0)
    run.succeed("flow/before", 1)
    run.succeed("flow/inner/first", 2)
    run.fail("flow/inner/last", Declined("one"))
    run.fail("flow/inner/first", OSError("undo"))
    run.fire("flow/inner")
    run.succeed("flow/inner#2/first", 3)
    run.wait(7.0)
    run.fail("flow/inner#2/last", Declined("two"))
    run.succeed("flow/inner#2/first")
    assert kinds(run) == ["Declined", "DeadlineExceeded"]
    assert run.outcome is not None
    ends = {end.path: type(end).__name__ for end in run.outcome.rollback.steps}
    assert ends == {"flow/inner#2/first": "Undone", "flow/inner/first": "UndoFailed", "flow/before": "Held"}


def test_a_backoff_of_no_time_is_over_at_once() -> None:
    """S9: its timer is due when it starts, not later."""
    run = broken(retried(retry=Retry(max_attempts=2, initial_delay=0.0, jitter="none")))
    run.wait(3.0)
    run.succeed("flow/inner/first")
    assert list(run.pending.values()) == [StartTimer("flow/inner", run.now)]
    first = Machine(retried(chain("inner", plain("x")), Retry(initial_delay=0.0, jitter="none")).compile(), 1)
    first.fail("flow/inner/x", Declined("broke"))
    first.fire("flow/inner")
    assert (first.now, first.running) == (0.0, ["flow/inner#2/x"])


def test_what_a_recovery_could_not_undo_lets_no_attempt_follow_when_it_fails_as_well() -> None:
    """S20: what stands may not be done twice; that the recovery went on in spite of it changes nothing."""
    inner = INNER.recover(plain("r"), on=Declined, on_partial="continue")
    run = broken(retried(inner))
    run.fail("flow/inner/first", OSError("undo"))
    run.fail("flow/inner/r", OSError("recovery"))
    assert failure_of(run).message == "broke"
    assert run.pending == {}
