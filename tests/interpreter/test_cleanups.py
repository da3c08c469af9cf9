"""Cleanups: when they run, in which order, and that nothing reaches them (S21, S24, S28)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Retry, Workflow
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import RunCleanup, StartTimer
from orchestration.interpreter.events import (
    CleanupFailed,
    CleanupSucceeded,
    CleanupTimedOut,
    StepSucceeded,
    TimerFired,
    UndoSucceeded,
)
from orchestration.outcomes import Cancelled, Failed, Succeeded
from tests.bodies import void
from tests.interpreter.parts import ONCE, Flow, armed, failure_of, forked, kinds, plain, undone
from tests.machine import Declined, Machine, failure


def clean(flow: Flow, name: str, retry: Retry = ONCE) -> Flow:
    """Return a workflow with a cleanup of this name."""
    return flow.cleanup(void, name=name, retry=retry)


def two() -> Flow:
    """Return a workflow of a cleanup, a step, another cleanup and another step."""
    return clean(clean(Workflow[Any]("flow"), "outer").step(armed("x")), "inner").step(plain("y"))


def reached() -> Machine:
    """Return a run of `two` in which both have been registered."""
    run = Machine(two().compile(), 1)
    run.succeed("flow/x", 2)
    return run


def cleaned(run: Machine) -> list[tuple[str, object]]:
    """Return the paths and values of the cleanups that have begun, in order."""
    return [(effect.path, effect.value) for effect in run.log if isinstance(effect, RunCleanup)]


def test_cleanups_run_when_the_scope_has_ended_the_last_first() -> None:
    """S5, S21: one at a time, each with the value where it was registered, and a key of its own."""
    run = reached()
    assert cleaned(run) == []
    run.succeed("flow/y", 3)
    [effect] = run.pending.values()
    assert isinstance(effect, RunCleanup)
    assert (effect.path, effect.value, effect.body.call) == ("flow/inner", 2, void)
    assert effect.key("run") == "run:flow/inner:cleanup"
    run.succeed("flow/inner")
    run.succeed("flow/outer")
    assert cleaned(run) == [("flow/inner", 2), ("flow/outer", 1)]
    assert run.outcome == Succeeded(3, "run"), "the value passes"


def test_they_run_after_the_unwinding() -> None:
    """S21, and the order when an attempt fails: unwinding of the scope, then its cleanups."""
    run = reached()
    run.fail("flow/y", Declined("broke"))
    assert cleaned(run) == []
    run.succeed("flow/x")
    run.run()
    assert failure_of(run).message == "broke"
    assert cleaned(run) == [("flow/inner", 2), ("flow/outer", 1)]


def test_what_was_not_reached_does_not_run() -> None:
    """S21: nor when a recover goes on behind it."""
    run = Machine(two().compile(), 1)
    run.fail("flow/x")
    run.run()
    assert cleaned(run) == [("flow/outer", 1)]
    run = Machine(two().recover(lambda failure: 9, on=Declined).compile(), 1)
    run.fail("flow/x")
    run.succeed("flow/recover", 9)
    run.run()
    assert run.outcome == Succeeded(9, "run")
    assert cleaned(run) == [("flow/outer", 1)]


def test_what_was_reached_runs_once_though_a_recover_goes_on() -> None:
    """S21: at the end of the scope, not when the failure is taken."""
    run = Machine(two().recover(lambda failure: 9, on=Declined).step(plain("z")).compile(), 1)
    run.succeed("flow/x", 2)
    run.fail("flow/y")
    run.succeed("flow/x")
    assert run.running == ["flow/recover"]
    run.succeed("flow/recover", 9)
    assert cleaned(run) == []
    run.succeed("flow/z", 10)
    run.run()
    assert cleaned(run) == [("flow/inner", 2), ("flow/outer", 1)]


@pytest.mark.parametrize("ends", ["succeed", "fail"])
def test_those_of_a_nested_scope_run_before_its_parent_goes_on(ends) -> None:
    """S21, S28: inner scopes wholly before outer."""
    nested = clean(Workflow[Any]("nested"), "inner").step(plain("x"))
    run = Machine(clean(Workflow[Any]("flow"), "outer").step(nested).step(plain("y")).compile(), 1)
    getattr(run, ends)("flow/nested/x")
    assert run.running == ["flow/nested/inner"]
    run.succeed("flow/nested/inner")
    assert run.running == ["flow/y" if ends == "succeed" else "flow/outer"]
    run.run()
    assert [path for path, _ in cleaned(run)] == ["flow/nested/inner", "flow/outer"]


def test_each_item_cleans_up_after_itself() -> None:
    """S5, S21: a scope per item, side by side."""
    body = clean(Workflow[Any]("body"), "c").step(plain("x"))
    run = Machine(Workflow[Any]("flow").map(body).compile(), [1, 2])
    run.succeed("flow/body[1]/x", 20)
    run.succeed("flow/body[0]/x", 10)
    assert run.running == ["flow/body[1]/c", "flow/body[0]/c"]
    run.run()
    assert run.outcome == Succeeded([10, 20], "run")


def test_a_retried_scope_cleans_up_after_each_attempt() -> None:
    """S21, S20: before the next attempt begins, under the path of the one that failed."""
    body = clean(Workflow[Any]("body"), "c").step(plain("x"))
    run = Machine(Workflow[Any]("flow").step(body, retry=Retry(max_attempts=2)).compile(), 1)
    run.fail("flow/body/x")
    run.succeed("flow/body/c")
    run.fire("flow/body")
    run.succeed("flow/body#2/x", 2)
    run.succeed("flow/body#2/c")
    assert run.outcome == Succeeded(2, "run")


# --- their own retry and timeout


@pytest.mark.parametrize("how", ["fail", "time_out"])
def test_a_cleanup_has_attempts_of_its_own(how) -> None:
    """S5, S24: three by default with backoff between them, all under one key."""
    run = Machine(Workflow[Any]("flow").cleanup(void).step(plain("x")).compile(), 1)
    run.succeed("flow/x", 2)
    assert run.pending["flow/void"].timeout == 30.0
    for attempt in (1, 2):
        assert run.pending["flow/void"].attempt == attempt
        getattr(run, how)("flow/void")
        assert isinstance(run.pending["flow/void"], StartTimer)
        run.fire("flow/void")
    run.succeed("flow/void")
    assert run.outcome == Succeeded(2, "run")


def test_one_that_fails_for_good_is_listed_and_changes_nothing_else() -> None:
    """S21: the next one runs, and the outcome stays."""
    run = reached()
    run.succeed("flow/y", 3)
    run.fail("flow/inner", OSError("full"))
    run.time_out("flow/outer", 30.0)
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == 3
    listed = [(failure.path, failure.kind) for failure in run.outcome.cleanup_failures]
    assert listed == [("flow/inner", "OSError"), ("flow/outer", "TimeoutError")]


def test_one_that_fails_does_not_change_a_failure() -> None:
    """S8, S21: nothing is attached to the failure of the run."""
    run = reached()
    run.fail("flow/y", Declined("broke"))
    run.succeed("flow/x")
    run.fail("flow/inner", OSError("full"))
    run.succeed("flow/outer")
    assert failure_of(run).message == "broke"
    assert failure_of(run).attached == ()
    assert isinstance(run.outcome, Failed)
    assert len(run.outcome.cleanup_failures) == 1


def test_one_that_leaks_is_named_and_may_report_later() -> None:
    """S24: it counts as failed, gives up its place, and its late end changes nothing."""
    run = reached()
    run.succeed("flow/y", 3)
    run.give(CleanupTimedOut("flow/inner", 0.0, 1, 30.0, leaked=True))
    before = run.state.root
    run.give(CleanupSucceeded("flow/inner", 0.0, 1))
    assert run.state.root == before
    with pytest.raises(IllegalEvent):
        run.give(CleanupSucceeded("flow/inner", 0.0, 1))
    run.succeed("flow/outer")
    assert run.outcome is not None
    assert run.outcome.leaked == ("flow/inner:cleanup#1",)


# --- shielded


def test_a_cancel_when_all_nodes_are_done_comes_too_late() -> None:
    """S28: the last node has settled, that decides; the cleanups go on."""
    run = reached()
    run.succeed("flow/y", 3)
    run.cancel()
    assert run.cancelling == set()
    run.run()
    assert run.outcome == Succeeded(3, "run")


def test_a_cancel_during_the_cleanup_of_a_nested_scope_ends_the_run_after_it() -> None:
    """S24, S28: the cleanup is shielded; then the scope, which had succeeded, is undone at its place."""
    nested = clean(Workflow[Any]("nested"), "inner").step(armed("x"))
    run = Machine(Workflow[Any]("flow").step(nested).step(plain("y")).compile(), 1)
    run.succeed("flow/nested/x", 2)
    run.cancel()
    assert run.running == ["flow/nested/inner"]
    run.run()
    assert isinstance(run.outcome, Cancelled)
    assert undone(run) == ("flow/nested/x",)


def test_they_run_after_a_cancel() -> None:
    """S28: unwinding, then cleanups, then the outcome."""
    run = reached()
    run.cancel()
    run.end_cancelled("flow/y")
    assert run.running == ["flow/x"]
    run.run()
    assert isinstance(run.outcome, Cancelled)
    assert cleaned(run) == [("flow/inner", 2), ("flow/outer", 1)]


def test_a_cancel_does_not_reach_a_scope_that_unwinds_or_cleans_up() -> None:
    """S24: in a fork of which something else is still to be cancelled."""
    flow = forked(two(), plain("z")).join(on_error="collect")
    for undo in (True, False):
        run = Machine(flow.compile(), 1)
        run.succeed("flow/fork/flow/x", 2)
        run.fail("flow/fork/flow/y")
        if undo:
            run.succeed("flow/fork/flow/x")
        run.cancel()
        assert run.cancelling == {"flow/fork/z"}
        run.end_cancelled("flow/fork/z")
        run.run()
        assert isinstance(run.outcome, Cancelled)
        assert len(cleaned(run)) == 2


def test_the_deadline_of_the_run_does_not_concern_what_has_succeeded() -> None:
    """S24: its cleanups may take longer."""
    run = Machine(two().compile(), 1, deadline=5.0)
    run.succeed("flow/x", 2)
    run.succeed("flow/y", 3)
    run.fire("flow@timeout")
    run.run()
    assert run.outcome == Succeeded(3, "run")
    assert len(cleaned(run)) == 2


def test_a_deadline_during_the_cleanups_of_a_failure_is_attached() -> None:
    """S8, S24: it reaches none of them."""
    run = Machine(two().compile(), 1, deadline=5.0)
    run.fail("flow/x", Declined())
    run.fire("flow@timeout")
    assert run.running == ["flow/outer"]
    run.run()
    assert kinds(run) == ["Declined", "DeadlineExceeded"]


@pytest.mark.parametrize(
    "event",
    [
        CleanupSucceeded("flow/inner", 0.0, 2),
        CleanupSucceeded("flow/outer", 0.0, 1),
        CleanupFailed("flow/x", 0.0, 1, failure("flow/x")),
        UndoSucceeded("flow/inner", 0.0, 1),
        StepSucceeded("flow/inner", 0.0, 1, 1),
        TimerFired("flow/inner", 0.0),
    ],
    ids=repr,
)
def test_an_illegal_event_while_cleaning_up_is_refused(event) -> None:
    """S3: only the cleanup under way may end; the state is unchanged."""
    run = reached()
    run.succeed("flow/y", 3)
    before = run.state
    with pytest.raises(IllegalEvent):
        run.give(event)
    assert run.state == before


def test_a_backoff_of_a_cleanup_is_not_cut_short() -> None:
    """S3, S24: by anything but its timer."""
    run = Machine(Workflow[Any]("flow").cleanup(void).step(plain("x")).compile(), 1)
    run.succeed("flow/x", 2)
    run.fail("flow/void")
    due = run.pending["flow/void"].due
    run.cancel()
    for event in (TimerFired("flow/void", due - 0.01), CleanupSucceeded("flow/void", due, 1)):
        with pytest.raises(IllegalEvent):
            run.give(event)
