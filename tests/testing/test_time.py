"""The virtual clock: what takes how long, and what comes first at one instant."""

from __future__ import annotations

import pytest

from orchestration import Cancelled, Failed, Retry, Workflow, step
from orchestration.interpreter.events import StepCancelled, StepLeaked, StepSucceeded, StepTimedOut
from orchestration.testing import FakeHandler, WaitsForEver, answers
from tests.bodies import double, increase, pair_total, settle, total, undo, void

DAY = 86_400.0
flow = Workflow[int]("flow").step(increase).compensate(undo).step(double)
limited = Workflow[int]("limited").step(increase, attempt_timeout=10).compensate(undo, in_doubt=settle).step(double)
forked = Workflow[int]("forked").fork(increase).fork(double).join(pair_total)


def ends(trace: object) -> list[type]:
    """Return the kinds of the events of `increase`."""
    return [type(event) for event in trace.events if event.path.endswith("/increase")]  # type: ignore[attr-defined]


def test_a_week_of_backoff_takes_no_time() -> None:
    """S9: the clock jumps from one thing that happens to the next."""
    patient = Retry(max_attempts=8, initial_delay=DAY, factor=1, max_delay=DAY, jitter="none")
    trace = (
        FakeHandler().on(increase, each=[OSError] * 7 + [5]).run(Workflow[int]("w").step(increase, retry=patient), 1)
    )
    assert trace.seconds == 7 * DAY


def test_what_is_done_side_by_side_takes_as_long_as_the_slowest() -> None:
    """S14: with a cap, items wait for each other."""
    each = FakeHandler().on(increase, 1, takes=10)
    assert each.run(Workflow[list[int]]("wide").map(increase), [1, 2, 3]).seconds == 10
    assert each.run(Workflow[list[int]]("narrow").map(increase, concurrency=1), [1, 2, 3]).seconds == 30


def test_a_run_has_a_deadline() -> None:
    """S10: the run ends there, though the step has no timeout of its own."""
    trace = FakeHandler().on(increase, hangs=True).on(double, 3).run(flow, 1, deadline=60)
    assert trace.failure.kind == "orchestration.errors.DeadlineExceeded"
    assert trace.seconds == 60


def test_a_result_comes_before_a_timeout_at_the_same_instant() -> None:
    """S10: an attempt may take as long as its timeout; a run as long as its deadline."""
    fake = FakeHandler(real=True).on(increase, 1, takes=10)
    assert fake.run(limited, 3, deadline=10).value == 2
    trace = fake.on(increase, 1, takes=10.5).run(limited, 3)
    assert ends(trace)[0] is StepTimedOut
    assert (trace.seconds, trace.undone) == (10, ["limited/increase"])


def test_a_cancel_comes_behind_results_and_before_timers_at_the_same_instant() -> None:
    """S28: a step that finishes keeps its outcome and is undone; a timeout comes too late."""
    fake = FakeHandler().on(increase, 1, takes=10).on(double, hangs=True)
    trace = fake.run(flow, 3, cancel_at=10)
    assert trace.undone == ["flow/increase"]
    trace = fake.on(increase, hangs=True).run(limited, 3, cancel_at=10)
    assert isinstance(trace.outcome, Cancelled)
    assert ends(trace)[0] is StepCancelled


def test_a_cancelled_attempt_ends_at_once() -> None:
    """S18: the other arm of the fork is not waited for."""
    trace = FakeHandler(real=True).on(increase, OSError).on(double, 1, takes=60).run(forked, 3)
    assert trace.seconds == 0
    assert "double    ended, as it was told to" in str(trace)


def test_a_stubborn_attempt_ends_when_its_time_is_over() -> None:
    """S24, S28: within the grace it keeps its outcome, and is waited for."""
    fake = FakeHandler().on(increase, 1, takes=13, stubborn=True).on(double, 1)
    trace = fake.run(flow, 3, cancel_at=10)
    assert ends(trace)[0] is StepSucceeded
    assert (trace.seconds, trace.undone) == (13, ["flow/increase"])
    trace = fake.run(limited, 3)
    assert (trace.seconds, trace.value) == (13, 1)


def test_a_stubborn_attempt_leaks_when_the_grace_is_over() -> None:
    """S24: after a cancel, or after its timeout; the outcome names it."""
    fake = FakeHandler().on(increase, hangs=True, stubborn=True).on(double, 1)
    trace = fake.run(flow, 3, cancel_at=10, grace=2)
    assert trace.outcome.leaked == ("flow/increase#1",)
    assert trace.seconds == 12
    trace = fake.run(limited, 3)
    assert ends(trace)[0] is StepLeaked
    assert (trace.seconds, trace.undone) == (15, ["limited/increase"])


@pytest.mark.parametrize(("cancel_at", "seconds"), [(9, 14), (10, 15), (11, 15)])
def test_a_stubborn_attempt_is_told_to_end_once(cancel_at: float, seconds: float) -> None:
    """S24: after its timeout a cancel gives it no further grace."""
    fake = FakeHandler().on(increase, 1, takes=100, stubborn=True).on(double, 1)
    trace = fake.run(limited, 3, cancel_at=cancel_at)
    assert isinstance(trace.outcome, Cancelled)
    assert trace.seconds == seconds


def test_a_cancel_of_what_ends_already_changes_nothing() -> None:
    """S28: the failure of the fork has told it to end, the cancel of the run comes later."""
    fake = FakeHandler(real=True).on(increase, OSError).on(double, 1, takes=3, stubborn=True)
    trace = fake.run(forked, 3, cancel_at=2)
    assert isinstance(trace.outcome, Failed)
    assert trace.seconds == 3


def test_a_leaked_attempt_that_lands_before_the_unwinding_is_undone() -> None:
    """S24: the other arm has not ended yet when it lands, so there is an output to undo, and no doubt."""
    leaky = step(increase, attempt_timeout=1).compensate(undo, in_doubt=settle)
    both = Workflow[int]("both").fork(leaky).fork(double).join(pair_total)
    fake = FakeHandler(real=True).on(double, 1, takes=10, stubborn=True)
    trace = fake.on(increase, 5, takes=9, stubborn=True).run(both, 3)
    assert trace.inputs(undo) == [5]
    assert trace.outcome.leaked == ("both/fork/increase#1",)
    assert not trace.ran(settle)
    trace = fake.on(increase, OSError, takes=9, stubborn=True).run(both, 3)
    assert trace.inputs(settle) == [3]


def test_an_undo_that_takes_too_long_is_tried_again() -> None:
    """S24: half a minute each time, with its backoff between; a stubborn one leaks."""
    fake = FakeHandler().on(increase, 1).on(double, OSError)
    trace = fake.on(undo, each=[answers(hangs=True), None]).run(flow, 3)
    assert trace.undone == ["flow/increase"]
    assert trace.ran(undo, times=2)
    trace = fake.on(undo, hangs=True, stubborn=True).run(flow, 3)
    assert trace.undone == []
    assert "flow/increase:undo#1" in trace.outcome.leaked


def test_a_cleanup_runs_at_the_end_and_may_take_too_long() -> None:
    """S21, S24: it succeeds without an answer, and is tried again when it fails."""
    cleaned = Workflow[int]("cleaned").cleanup(void).step(increase)
    fake = FakeHandler(real=True).on(increase, 1)
    assert fake.run(cleaned, 3).cleanups == ["cleaned/void"]
    assert FakeHandler().on(increase, 1).run(cleaned, 3).ran(void, times=1)
    late = answers(hangs=True)
    stuck = answers(hangs=True, stubborn=True)
    trace = fake.on(void, each=[OSError("full"), late, stuck]).run(cleaned, 3)
    assert trace.ran(void, times=3)
    assert len(trace.outcome.cleanup_failures) == 1
    assert trace.value == 1


def test_a_run_that_waits_for_ever_fails_the_test_and_says_what_for() -> None:
    """The message names the step and the mend, and tells the story."""
    with pytest.raises(WaitsForEver) as caught:
        FakeHandler().on(increase, hangs=True).on(double, 1).run(flow, 3)
    assert str(caught.value) == (
        "the run waits for ever: flow/increase hangs: give it a timeout, or cancel the run with cancel_at=\n"
        "      0.0 s  flow  began with 3; began increase"
    )


def test_what_evaluates_much_at_a_stretch_goes_on() -> None:
    """S7: the interpreter lets others have a turn, and nothing takes time."""
    counting = Workflow[int]("counting").loop(
        Workflow[int]("one").pure(increase), until=lambda n, _: n >= 5000, max_iterations=6000
    )
    trace = FakeHandler().run(counting, 0)
    assert (trace.value, trace.seconds) == (5000, 0)
    assert "went on" in str(trace)


def test_a_map_of_many_is_summed_up() -> None:
    """S16: the real interpreter takes the items; the story names some of them."""
    trace = FakeHandler(real=True).run(Workflow[list[int]]("many").map(increase).step(total), list(range(100)))
    assert trace.value == sum(range(101))
    assert "began increase[0], increase[1], increase[2], increase[3], increase[4] and 95 more" in str(trace)
