"""Traces: what a test can ask of them, and the story that they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import attrs
import pytest

from orchestration import Retry, Secret, Workflow
from orchestration.interpreter.engine import start
from orchestration.interpreter.events import Started
from orchestration.testing import FakeHandler, Trace, answers
from tests.bodies import double, increase, pair_total, total, undo, void

if TYPE_CHECKING:
    from pathlib import Path

saga = (
    Workflow[int]("saga")
    .cleanup(void)
    .step(increase)
    .compensate(undo)
    .step(double, retry=Retry(max_attempts=2, jitter="none"))
)
forked = Workflow[int]("forked").fork(increase).fork(double).join(pair_total)


@attrs.frozen
class Card:
    """A value with a secret."""

    number: Annotated[str, Secret]


def under_way() -> Trace[Any]:
    """Return a trace of a run that has only begun."""
    trace: Trace[Any] = Trace(saga.compile())
    state, effects = start(saga.compile(), 3, run_id="test", at=0.0)
    trace.add(Started("saga", 0.0, "test", 3), effects, state)
    return trace


# --- questions


def test_the_end_of_a_run_is_asked_for_by_name() -> None:
    """A run that has ended otherwise fails the test, with its story."""
    good = FakeHandler(real=True).run(saga, 3)
    bad = FakeHandler(real=True).on(double, OSError("full")).run(saga, 3)
    assert good.value == 8
    assert bad.failure.message == "full"
    with pytest.raises(AssertionError, match=r"(?s)the run has no value\n.*saga .*failed: saga/double: OSError: full"):
        _ = bad.value
    with pytest.raises(AssertionError, match=r"(?s)the run has not failed\n.*saga .*succeeded: 8"):
        _ = good.failure
    with pytest.raises(AssertionError, match=r"the run has not ended\n.*saga  began with 3; began increase"):
        _ = under_way().outcome
    assert [repr(trace) for trace in (good, bad, under_way())] == [
        "<Trace of saga: Succeeded after 0 s>",
        "<Trace of saga: Failed after 1 s>",
        "<Trace of saga: under way after 0 s>",
    ]


def test_what_ran_is_asked_for_by_what_it_is_called() -> None:
    """By its function, its name or its path; undos and cleanups as well."""
    trace = FakeHandler(real=True).on(double, OSError).run(saga, 3)
    assert trace.steps == ["saga/increase", "saga/double"]
    assert trace.cleanups == ["saga/void"]
    assert trace.undone == ["saga/increase"]
    for what in (double, "double", "saga/double"):
        assert trace.ran(what)
        assert trace.ran(what, times=2)
        assert not trace.ran(what, times=1)
        assert trace.inputs(what) == [4, 4]
    assert trace.inputs(undo) == trace.inputs("increase:undo") == [4]
    assert [effect.attempt for effect in trace.attempts(double)] == [1, 2]
    assert not trace.ran("nothing")
    assert not trace.ran(total)


def test_the_items_of_a_map_are_meant_together_or_one_by_one() -> None:
    """By the path with or without the number."""
    trace = FakeHandler(real=True).run(Workflow[list[int]]("many").map(increase), [5, 6])
    assert trace.ran(increase, times=2)
    assert trace.inputs("many/increase[]") == [5, 6]
    assert trace.inputs("many/increase[1]") == [6]


def test_what_ended_before_something_else_began_was_before_it() -> None:
    """Each time, undos and cleanups included; what has not run, or not ended, was before nothing."""
    trace = FakeHandler(real=True).on(double, OSError).run(saga, 3)
    for one, other in [(increase, double), (double, undo), (undo, void), ("increase", "increase:undo")]:
        assert trace.before(one, other)
        assert not trace.before(other, one)
    assert not trace.before(increase, total)
    assert not trace.before(total, increase)
    assert not under_way().before(increase, double)
    side_by_side = FakeHandler(real=True).on(double, 1, takes=3).run(forked, 3)
    assert not side_by_side.before(increase, double)
    assert not side_by_side.before(double, increase)
    assert side_by_side.before(double, pair_total)


def test_one_that_began_twice_has_to_have_ended_twice() -> None:
    """Of two items one is done when the other is cancelled, and both before the sum; not so if one is under way."""
    many = Workflow[list[int]]("many").map(increase).step(total)
    fake = FakeHandler(real=True).on("many/increase[1]", 1, takes=5)
    assert fake.run(many, [1, 2]).before("many/increase[]", total)
    assert not fake.run(many, [1, 2]).before("many/increase[1]", "many/increase[0]")


# --- stories


def test_a_run_is_told_as_a_story() -> None:
    """A line an event, with what came of it; then how it ended, and what is left."""
    fake = FakeHandler(real=True).on(undo, OSError("locked")).on(void, None, takes=2)
    fake.on(double, each=[ConnectionError("gone"), answers(raises=OSError("two\nlines"), takes=0.5)])
    trace = fake.run(saga, 3)
    assert str(trace).splitlines() == [
        "      0.0 s  saga      began with 3; began increase",
        "      0.0 s  increase  succeeded: 4; began double",
        "      0.0 s  double    failed: ConnectionError: gone; tried again at 1.0 s",
        "      1.0 s  double    waited long enough; began double",
        "      1.5 s  double    failed at attempt 2: OSError: two lines; began to undo increase",
        "      1.5 s  increase  undo failed: OSError: locked; tried again at 1.713 s",
        "    1.713 s  increase  waited long enough; began to undo increase",
        "    1.713 s  increase  undo failed at attempt 2: OSError: locked; tried again at 2.76 s",
        "     2.76 s  increase  waited long enough; began to undo increase",
        "     2.76 s  increase  undo failed at attempt 3: OSError: locked; began to clean up void",
        "     4.76 s  void      cleaned up",
        "     4.76 s  saga      failed: saga/double: OSError: two lines; rollback PARTIAL",
        "     4.76 s  increase  NOT undone, its undo failed with OSError: locked",
    ]


def test_a_story_tells_of_waits_timeouts_and_composites() -> None:
    """What is not a step has lines as well."""
    inner = Workflow[int]("inner").sleep(5).step(increase)
    outer = Workflow[int]("outer").cleanup(void).step(inner, retry=Retry(max_attempts=2, jitter="none"), timeout=20)
    fake = FakeHandler().on(increase, each=[OSError, answers(hangs=True, stubborn=True)])
    trace = fake.on(void, each=[OSError("full"), answers(hangs=True, stubborn=True)]).run(outer, 3)
    told = " ".join(str(trace).split())
    for line in [
        "0.0 s outer began with 3; inner/sleep sleeps until 5.0 s",
        "5.0 s inner/sleep slept; began inner/increase",
        "5.0 s inner/increase failed: OSError; inner tried again at 6.0 s",
        "20.0 s inner took too long; told to end: inner#2/increase",
        "25.0 s inner#2/increase leaked: it did not end when it was told to; began to clean up void",
        "25.0 s void cleanup failed: OSError: full; tried again at ",
        "void cleanup took longer than 30 s at attempt 2 and leaked; tried again at ",
        "outer failed: outer/inner: orchestration.errors.DeadlineExceeded",
        "inner#2/increase#1 still at work, and may yet land",
        "void not cleaned up: ",
    ]:
        assert line in told, line


def test_a_value_is_told_without_its_secrets() -> None:
    """S33: and one of which that cannot be seen is only named."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    told = str(FakeHandler().on(double, deep).run(Workflow[Any]("told").step(double), Card("4000-1234")))
    assert "4000" not in told
    assert "began with Card(number='**********')" in told
    assert "double  succeeded: a list" in told


# --- comparisons


def test_what_is_the_same_for_long_is_left_out_of_a_drawing() -> None:
    """Two lines before a difference are shown."""
    long = Workflow[int]("long").step(increase).step(increase).step(increase).step(double)
    before, after = FakeHandler(real=True).run(long, 3), FakeHandler(real=True).on(double, 13).run(long, 3)
    with pytest.raises(AssertionError) as caught:
        after.check_same(before)
    drawing = str(caught.value).splitlines()
    assert drawing[:3] == ["the runs differ", "  …", "       0.0 s  increase_2  succeeded: 5; began increase_3"]
    assert [line[0] for line in drawing[3:]] == [" ", "-", "-", "+", "+"]


def test_two_runs_that_went_the_same_way_are_the_same() -> None:
    """S2: a run is a function of its answers; where it goes another way is drawn."""
    fake = FakeHandler(real=True)
    before = fake.run(saga, 3)
    before.check_same(fake.run(saga, 3))
    after = fake.on(double, OSError("full")).run(saga, 3)
    with pytest.raises(AssertionError) as caught:
        after.check_same(before)
    assert str(caught.value).splitlines() == [
        "the runs differ",
        "       0.0 s  saga      began with 3; began increase",
        "       0.0 s  increase  succeeded: 4; began double",
        "-      0.0 s  double    succeeded: 8; began to clean up void",
        "-      0.0 s  void      cleaned up",
        "-      0.0 s  saga      succeeded: 8",
        "+      0.0 s  double    failed: OSError: full; tried again at 1.0 s",
        "+      1.0 s  double    waited long enough; began double",
        "+      1.0 s  double    failed at attempt 2: OSError: full; began to undo increase",
        "+      1.0 s  increase  undone; began to clean up void",
        "+      1.0 s  void      cleaned up",
        "+      1.0 s  saga      failed: saga/double: OSError: full; rollback complete",
    ]


def test_a_golden_trace_is_written_once_and_then_compared(tmp_path: Path) -> None:
    """The first run fails and says that the file is new; it holds the story."""
    golden = tmp_path / "saga.txt"
    fake = FakeHandler(real=True)
    with pytest.raises(AssertionError, match="was not there and has been written"):
        fake.run(saga, 3).check_golden(golden)
    assert golden.read_text(encoding="utf-8") == f"{fake.run(saga, 3)}\n"
    fake.run(saga, 3).check_golden(str(golden))
    with pytest.raises(
        AssertionError, match=r"(?s)differs from .*\n-.*began with 3.*\n\+.*began with 4.*delete the file"
    ):
        fake.run(saga, 4).check_golden(golden)
