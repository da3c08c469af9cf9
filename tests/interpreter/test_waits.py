"""Waits: sleeps and signals (S21)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Workflow
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import CancelTimer, StartTimer
from orchestration.interpreter.events import Continued, StepSucceeded, TimerFired
from orchestration.outcomes import Cancelled, Succeeded
from orchestration.signals import Signal
from tests.bodies import both, increase
from tests.interpreter.parts import PATIENT, Flow, armed, chain, forked, kinds, plain, undone
from tests.machine import Declined, Machine

GO = Signal("go", int)
STOP = Signal("stop", int)
WAIT: Flow = Workflow[Any]("").wait_for(GO)


def two() -> Machine:
    """Return a run with two waits for the same signal, side by side."""
    return Machine(forked(chain("a", WAIT), chain("b", WAIT)).join().compile(), 0)


# --- sleep


def test_a_sleep_passes_the_value_on_when_it_is_over() -> None:
    """S21: it is a timer and no effect of a handler."""
    run = Machine(Workflow[Any]("flow").step(plain("x")).sleep(60.0).step(plain("y")).compile(), 1)
    run.wait(5.0)
    run.succeed("flow/x", 2)
    assert list(run.pending.values()) == [StartTimer("flow/sleep", 65.0, "sleep")]
    run.fire("flow/sleep")
    assert run.pending["flow/y"].value == 2


def test_a_sleep_of_nothing_is_none() -> None:
    """S21: no timer for 0 seconds."""
    run = Machine(Workflow[Any]("flow").sleep(0).compile(), 1)
    assert run.outcome == Succeeded(1, "run")
    assert run.log == []


def test_a_cancel_and_a_deadline_end_a_sleep_at_once() -> None:
    """S10, S28: its timer is cancelled."""
    run = Machine(Workflow[Any]("flow").sleep(60.0).compile(), 1)
    run.cancel()
    assert run.log[-1] == CancelTimer("flow/sleep", "sleep")
    assert run.outcome == Cancelled("enough", "run")
    run = Machine(Workflow[Any]("flow").sleep(60.0).compile(), 1, deadline=5.0)
    run.fire("flow@timeout")
    assert kinds(run) == ["DeadlineExceeded"]
    assert run.pending == {}


@pytest.mark.parametrize(
    "event",
    [
        TimerFired("flow/sleep", 59.0, "sleep"),
        TimerFired("flow/sleep", 60.0),
        TimerFired("flow/other", 60.0, "sleep"),
        Continued("flow/sleep", 60.0),
    ],
    ids=repr,
)
def test_only_its_timer_ends_a_sleep(event) -> None:
    """S3: when it is due; the state is unchanged."""
    run = Machine(Workflow[Any]("flow").sleep(60.0).compile(), 1)
    before = run.state
    with pytest.raises(IllegalEvent):
        run.give(event)
    assert run.state == before


# --- signals


def test_a_signal_ends_the_wait_with_its_payload() -> None:
    """S21: nothing runs meanwhile."""
    run = Machine(Workflow[Any]("flow").wait_for(GO).step(increase).compile(), 0)
    assert run.log == []
    run.signal("go", 7)
    assert run.pending["flow/increase"].value == 7


def test_the_payload_may_be_combined_with_the_value() -> None:
    """S21: by a pure function; one that raises fails the node (S7)."""
    run = Machine(Workflow[Any]("flow").wait_for(GO, both).compile(), "value")
    run.signal("go", 7)
    assert run.outcome == Succeeded(["value", 7], "run")
    run = Machine(Workflow[Any]("flow").wait_for(GO, lambda value, payload: value / payload).compile(), 1)
    run.signal("go", 0)
    assert kinds(run) == ["ZeroDivisionError"]


def test_a_signal_that_comes_before_the_wait_queues() -> None:
    """S21: per name first in, first out."""
    flow = Workflow[Any]("flow").step(plain("x")).wait_for(GO).wait_for(STOP, both).wait_for(GO, both)
    run = Machine(flow.compile(), 0)
    for name, payload in (("go", 1), ("go", 2), ("stop", 3)):
        run.signal(name, payload)
    run.succeed("flow/x")
    assert run.outcome == Succeeded([[1, 3], 2], "run")


def test_each_signal_goes_once_to_who_has_waited_longest() -> None:
    """S21: ties by plan order; another's signal passes it by."""
    run = two()
    run.signal("go", 1)
    run.signal("go", 2)
    assert run.outcome == Succeeded((1, 2), "run")
    flow = forked(chain("a", plain("x"), WAIT), chain("c", Workflow[Any]("").wait_for(STOP)), chain("b", WAIT)).join()
    run = Machine(flow.compile(), 0)
    run.succeed("flow/fork/a/x")
    for name, payload in (("go", 1), ("stop", 2), ("go", 3)):
        run.signal(name, payload)
    assert run.outcome == Succeeded((3, 2, 1), "run")


def test_the_same_id_counts_once() -> None:
    """S21: however often it is sent, whether it was consumed or queues; another id is another signal."""
    run = two()
    run.signal("go", 1, "id")
    before = run.state
    run.signal("go", 1, "id")
    assert run.state == before
    run.signal("go", 2, "other")
    assert run.outcome == Succeeded((1, 2), "run")


def test_what_nobody_took_is_listed_in_the_outcome() -> None:
    """S21: in the order of its coming."""
    run = Machine(Workflow[Any]("flow").wait_for(GO).step(plain("x")).compile(), 0)
    run.signal("go", 1, "first")
    run.signal("go", 2, "second")
    run.signal("go", 3, "third")
    run.succeed("flow/x", 4)
    assert run.outcome == Succeeded(4, "run", unused_signals=("go:second", "go:third"))


@pytest.mark.parametrize("name", ["unheard", "flow"])
def test_a_signal_that_the_plan_does_not_wait_for_is_refused(name) -> None:
    """S3, S21: the state is unchanged."""
    run = two()
    before = run.state
    with pytest.raises(IllegalEvent, match="a signal that the plan waits for"):
        run.signal(name)
    assert run.state == before


def test_a_signal_after_the_cancel_or_the_outcome_is_refused() -> None:
    """S21: nobody would ever take it."""
    run = Machine(Workflow[Any]("flow").step(plain("x")).wait_for(GO).compile(), 0)
    run.cancel()
    with pytest.raises(IllegalEvent, match="no signal after the cancel"):
        run.signal("go", 1)
    run.end_cancelled("flow/x")
    with pytest.raises(IllegalEvent, match="after the outcome"):
        run.signal("go", 1)


def test_who_is_cancelled_leaves_the_line() -> None:
    """S21, S28: the next signal goes to the next waiter."""
    inner = forked(chain("a", WAIT), plain("b")).race()
    run = Machine(inner.wait_for(GO, both).compile(), 0)
    run.succeed("flow/fork/b", "won")
    run.signal("go", 7)
    assert run.outcome == Succeeded(["won", 7], "run")


def test_a_cancel_ends_a_wait_and_undoes_what_came_before() -> None:
    """S28: at once."""
    run = Machine(chain("flow", armed("x"), WAIT).compile(), 0)
    run.succeed("flow/x", 1)
    run.cancel()
    run.succeed("flow/x")
    assert isinstance(run.outcome, Cancelled)
    assert undone(run) == ("flow/x",)


def timed() -> Machine:
    """Return a run that waits ten seconds for a signal, and then for another."""
    first = Workflow[Any]("first").wait_for(GO, timeout=10.0).recover(lambda failure: "late", on=TimeoutError)
    return Machine(Workflow[Any]("flow").step(first).wait_for(GO, both, name="next").compile(), 0)


@pytest.mark.parametrize("at", [3.0, 10.0])
def test_a_signal_at_or_before_the_timeout_beats_it(at) -> None:
    """S21: the timer is forgotten."""
    run = timed()
    run.wait(at)
    run.signal("go", 1)
    assert run.pending == {}
    run.signal("go", 2)
    assert run.outcome == Succeeded([1, 2], "run")


def test_a_signal_after_the_timeout_queues_for_the_next_waiter() -> None:
    """S21: the wait has failed and left the line."""
    run = timed()
    run.fire("flow/first/go@timeout")
    run.signal("go", 1)
    run.succeed("flow/first/recover", "late")
    assert run.outcome == Succeeded(["late", 1], "run")


def test_what_was_consumed_is_not_put_back() -> None:
    """S21: also when what took it fails and is tried again."""
    inner = Workflow[Any]("inner").wait_for(GO).step(plain("x"))
    run = Machine(Workflow[Any]("flow").step(inner, retry=PATIENT).compile(), 0)
    run.signal("go", 1)
    run.fail("flow/inner/x", Declined())
    run.fire("flow/inner")
    assert run.pending == {}
    run.signal("go", 2)
    assert run.pending["flow/inner#2/x"].value == 2


@pytest.mark.parametrize("path", ["flow/fork/a/go", "flow/fork/a"])
def test_only_a_signal_ends_a_wait(path) -> None:
    """S3: an event of a step is none; the state is unchanged."""
    run = two()
    before = run.state
    with pytest.raises(IllegalEvent):
        run.give(StepSucceeded(path, 0.0, 1, 1))
    assert run.state == before
