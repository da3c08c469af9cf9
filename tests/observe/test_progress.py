"""`Progress`, and its views for those who have no terminal: `Lines` and `JsonLines`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Failure, Workflow
from orchestration.interpreter.engine import Turned, begin
from orchestration.interpreter.events import (
    CancelRequested,
    Continued,
    Resumed,
    Started,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoFailed,
    UndoSucceeded,
)
from orchestration.observe.json_lines import JsonLines, outcome_data
from orchestration.observe.lines import Lines
from orchestration.observe.progress import Counts, Progress
from orchestration.observe.terminal import block, escape
from orchestration.outcomes import Failed, Succeeded
from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from orchestration.interpreter.events import AnyEvent

FAILURE = Failure("ValueError", "no", "w/a")
STARTED = Started("w", 0.0, "run-1", None)
RESUMED = Resumed("w", 0.0, 2)


def ok(path: str, attempt: int = 1) -> StepSucceeded:
    """Return the event of an attempt that returned."""
    return StepSucceeded(path, 0.0, attempt, None)


def failed(path: str, attempt: int = 1) -> StepFailed:
    """Return the event of an attempt that raised."""
    return StepFailed(path, 0.0, attempt, FAILURE)


async def both(value: Any) -> Any:
    """Do something."""
    return value


PLAN = Workflow[list[int]]("w").tap(both, name="a").compile()
STATE = begin(PLAN, Started("w", 0.0, "run-1", [])).state


def turned(event: AnyEvent) -> Turned:
    """Return an event as views get it."""
    return Turned(event, [], STATE)


def folded(*events: AnyEvent) -> Progress:
    """Return the progress after these events."""
    progress = Progress()
    for event in events:
        progress = progress.fold(event)
    return progress


@pytest.mark.parametrize(
    ("path", "static"),
    [("w", "w"), ("w/a[3]/b", "w/a[]/b"), ("w/a[3]/b[14]", "w/a[]/b[]"), ("w/sub#2/a", "w/sub/a")],
)
def test_static_path(path: str, static: str) -> None:
    """S4: a static path has no numbers of items and attempts."""
    assert static_path(path) == static


def test_items_count_together() -> None:
    """The items of a map count at one static path; paths keep the order in which they were heard of."""
    progress = folded(STARTED, ok("w/z"), *(ok(f"w/a[{index}]") for index in range(1000)))
    assert progress.paths == ("w/z", "w/a[]")
    assert progress.at("w/a[]") == Counts(done=1000)
    assert (progress.name, progress.run_id) == ("w", "run-1")


@pytest.mark.parametrize(
    ("events", "counts"),
    [
        ([failed("w/a")], Counts(failed=1)),
        ([failed("w/a"), TimerFired("w/a", 0.0), ok("w/a", 2)], Counts(done=1, retried=1)),
        ([failed("w/a"), failed("w/a", 2)], Counts(failed=1, retried=1)),
        ([StepTimedOut("w/a", 0.0, 1, 5.0), ok("w/a", 2)], Counts(done=1, retried=1)),
        ([failed("w/a"), StepCancelled("w/a", 0.0, 2)], Counts(retried=1)),
        ([StepCancelled("w/a", 0.0, 1)], Counts()),
        ([ok("w/a"), UndoFailed("w/a", 0.0, 1, FAILURE), UndoSucceeded("w/a", 0.0, 2)], Counts(done=1, undone=1)),
        ([StepLeaked("w/a", 0.0, 1)], Counts()),
        ([StepLeaked("w/a", 0.0, 1, 5.0), ok("w/a", 2), ok("w/a", 1)], Counts(done=1, retried=1)),
        ([ok("w/a", 2)], Counts(done=1, retried=1)),
        ([RESUMED, StepLost("w/a", 0.0, 1), ok("w/a")], Counts(done=1, lost=1)),
        ([failed("w/a"), RESUMED, StepLost("w/a", 0.0, 2), ok("w/a", 2)], Counts(done=1, retried=1, lost=1)),
    ],
)
def test_attempts(events: list[AnyEvent], counts: Counts) -> None:
    """A step that is tried again has not failed, a late end of a leaked attempt does not count; none is negative."""
    assert folded(*events).at("w/a") == counts


def test_folding_is_pure() -> None:
    """`fold` leaves the progress that it was called on as it was, and an event without news gives that very value."""
    before = folded(STARTED, ok("w/a"))
    after = before.fold(ok("w/a"))
    assert before.at("w/a") == Counts(done=1)
    assert after.at("w/a") == Counts(done=2)
    assert after.fold(Continued("w", 0.0)) is after
    assert after == folded(STARTED, ok("w/a"), ok("w/a"))


def test_first_cancel_counts() -> None:
    """S28: the first reason of a cancel wins."""
    assert folded(CancelRequested("w", 0.0, "one"), CancelRequested("w", 0.0, "two")).cancelled == "one"


def test_a_run_that_is_taken_up_again() -> None:
    """S35: how often is counted; what had leaked ended with its process, so nothing of it comes any more."""
    progress = Progress.of(PLAN, [STARTED, StepLeaked("w/a", 0.0, 1), RESUMED, RESUMED])
    assert (progress.name, progress.run_id, progress.resumed, progress.leaked) == ("w", "run-1", 2, frozenset())
    assert folded(RESUMED).name == Progress.of(PLAN, []).name == "w"


def test_counts_say_what_there_is() -> None:
    """Counts read as a person would say them, without what is zero."""
    assert str(Counts(1024, 3, 2, 1, 4)) == "1,024 done, 3 failed, 2 retried, 1 undone, 4 lost"
    assert str(Counts()) == "nothing yet"


# --- lines


def lines(*events: AnyEvent) -> list[str]:
    """Return what `Lines` writes."""
    written: list[str] = []
    with Lines(written.append) as view:
        for event in events:
            view.take(turned(event))
    return written


def test_lines_stay_few() -> None:
    """20,000 items write a line for each doubling, and one at the end."""
    written = lines(*(ok(f"w/a[{index}]") for index in range(20_000)))
    assert len(written) == 16
    assert written[:3] == ["w/a[]: 1 done", "w/a[]: 2 done", "w/a[]: 4 done"]
    assert written[-1] == "w/a[]: 20,000 done"


def test_lines_of_a_cancelled_run() -> None:
    """Start, cancel and undo are told as they come; nothing is told twice."""
    events: list[AnyEvent] = [
        STARTED,
        ok("w/a"),
        CancelRequested("w", 0.0, "enough\x1b"),
        CancelRequested("w", 0.0, "more"),
        StepCancelled("w/b", 0.0, 1),
        UndoSucceeded("w/a", 0.0, 1),
    ]
    assert lines(*events) == [
        "w: run run-1 started",
        "w/a: 1 done",
        r"w: cancelled: enough\x1b",
        "w/a: 1 done, 1 undone",
    ]


def test_lines_of_a_run_that_is_taken_up_again() -> None:
    """S32: what was told of before is not told again, also at the end."""
    known = folded(STARTED, ok("w/a"), ok("w/b"))
    written: list[str] = []
    with Lines(written.append, known) as view:
        for event in (RESUMED, StepLost("w/c", 0.0, 1), ok("w/b"), ok("w/c")):
            view.take(turned(event))
    assert written == ["w: taken up again", "w/c: 1 lost", "w/b: 2 done", "w/c: 1 done, 1 lost"]


# --- JSON


def test_json_lines_hold_events_without_values() -> None:
    """S33: each event is a line as a journal keeps it, its value left out, control characters escaped."""
    written: list[str] = []
    secret = Started("w", 0.0, "run-1", [4242])
    with JsonLines(PLAN, written.append) as view:
        for event in (secret, StepSucceeded("w/a", 1.0, 1, 4242), StepFailed("w/a", 2.0, 1, FAILURE)):
            view.take(turned(event))
        view.take(turned(CancelRequested("w", 3.0, "enough\x1b\n")))
    told = [json.loads(line) for line in written]
    assert [one["is"] for one in told] == ["Started", "StepSucceeded", "StepFailed", "CancelRequested"]
    assert (told[0]["value"], told[1]["output"], told[1]["attempt"]) == ("…", "…", 1)
    assert told[2]["failure"]["message"] == "no"
    assert told[3]["reason"] == "enough\x1b\n"
    assert "4242" not in "".join(written)
    assert all(line.isprintable() for line in written)


def test_json_of_an_outcome() -> None:
    """An outcome is an object with its value as the result of a run is written; one without a value has none."""
    succeeded = outcome_data(PLAN, Succeeded({1, 2}, "run-1"), "[1, 2]")
    assert (succeeded["is"], succeeded["run_id"], succeeded["value"]) == ("Succeeded", "run-1", [1, 2])
    failed = outcome_data(PLAN, Failed(FAILURE, "run-1"), None)
    assert (failed["is"], failed["failure"]["kind"], failed["rollback"]["steps"]) == ("Failed", "ValueError", [])


# --- what others wrote


def test_escape() -> None:
    """No control character, line break, mark of direction or lone surrogate gets to the terminal."""
    assert escape("a\x1b[1m\n\x7f\x9b\u2028\u202e\ud800ä→") == r"a\x1b[1m\n\x7f\x9b\u2028\u202e\ud800ä→"


def test_block() -> None:
    """Further lines of a text are indented, so that none can pose as a line of its own."""
    assert block("one\ntwo\r\n\tthree\x07") == "one\n  two\n      three\\x07"
