"""`Progress`, and its views: `Lines` and `LiveTable`."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from orchestration import Failure, Workflow, step
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
from orchestration.observe.lines import Lines
from orchestration.observe.live import LiveTable, steps_of
from orchestration.observe.progress import Counts, Progress
from orchestration.observe.terminal import block, escape
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
            view.take(event)
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
            view.take(event)
    assert written == ["w: taken up again", "w/c: 1 lost", "w/b: 2 done", "w/c: 1 done, 1 lost"]


# --- the table


async def both(value: Any) -> Any:
    """Do something."""
    return value


PLAN = Workflow[list[int]]("w").map(step(both, name="item")).tap(both, name="beside").compile()


def picture(*events: AnyEvent) -> str:
    """Return what a live table leaves on the terminal, between two pictures and at its end."""
    screen = io.StringIO()

    async def watch() -> None:
        with LiveTable(PLAN, Console(file=screen, force_terminal=True, width=80, color_system=None)) as view:
            for event in events:
                view.take(event)

    asyncio.run(watch())
    return screen.getvalue()


def test_table_has_the_steps_of_the_plan() -> None:
    """The table lists the steps of the plan in plan order, and what else it hears of."""
    assert list(steps_of(PLAN.root, PLAN.name)) == ["w/item[]", "w/beside"]
    last = picture(STARTED, ok("w/item[0]"), ok("w/item[1]"), ok("w/more")).rpartition("w run-1")[2]
    rows = [row.split() for row in last.splitlines()]
    assert rows[1:5] == [
        ["step", "done", "failed", "retried", "undone"],
        ["w/item[]", "2"],
        ["w/beside"],
        ["w/more", "1"],
    ]


def test_table_of_a_run_that_is_taken_up_again() -> None:
    """S32: counts go on from what is known; what was lost has a column."""
    known = folded(STARTED, ok("w/item[0]"))
    screen = io.StringIO()

    async def watch() -> None:
        console = Console(file=screen, force_terminal=True, width=80, color_system=None)
        with LiveTable(PLAN, console, known) as view:
            for event in (RESUMED, StepLost("w/item[1]", 0.0, 1), ok("w/item[1]"), CancelRequested("w", 0.0, "enough")):
                view.take(event)

    asyncio.run(watch())
    rows = [row.split() for row in screen.getvalue().rpartition("w run-1")[2].splitlines()]
    assert rows[1:3] == [["step", "done", "failed", "retried", "undone", "lost"], ["w/item[]", "2", "1"]]
    assert rows[4] == ["taken", "up", "again;", "cancelled:", "enough"]


def test_table_has_the_steps_of_every_construct() -> None:
    """Iterations count together as items do; what recovers stands at a path of its own."""
    flow: Any = Workflow[int]("w").loop(step(both, timeout=3), until=lambda n, i: True, max_iterations=2)
    flow = flow.pure(lambda n: [n]).fold(0, lambda one, other: one).recover(both, on=ValueError, name="mend")
    assert list(steps_of(flow.compile().root, "w")) == ["w/both[]", "w/fold[]", "w/mend"]
    progress = folded(ok("w/both[0]"), ok("w/both[1]"), ok("w/sub#1/a"), ok("w/sub#2/a"))
    assert progress.at("w/both[]") == Counts(done=2)
    assert progress.at("w/sub/a") == Counts(done=2)


def test_table_is_drawn_seldom() -> None:
    """However many events come at a time, only the first and the last picture are drawn."""
    assert picture(*(ok(f"w/item[{index}]") for index in range(5000))).count("retried") == 2


def test_table_is_drawn_when_there_is_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first and the last picture there is one for news, after the interval, and none without."""
    monkeypatch.setattr("orchestration.observe.live.INTERVAL", 0.0)
    screen = io.StringIO()

    async def watch() -> None:
        with LiveTable(PLAN, Console(file=screen, force_terminal=True, width=80, color_system=None)) as view:
            view.take(ok("w/beside"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            view.take(Continued("w", 0.0))
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    asyncio.run(watch())
    assert screen.getvalue().count("retried") == 3


def test_table_tells_of_a_cancel() -> None:
    """The reason of a cancel stands below the table, escaped."""
    assert r"cancelled: enough\x1b" in picture(CancelRequested("w", 0.0, "enough\x1b"))


# --- what others wrote


def test_escape() -> None:
    """No control character, line break, mark of direction or lone surrogate gets to the terminal."""
    assert escape("a\x1b[1m\n\x7f\x9b\u2028\u202e\ud800ä→") == r"a\x1b[1m\n\x7f\x9b\u2028\u202e\ud800ä→"


def test_block() -> None:
    """Further lines of a text are indented, so that none can pose as a line of its own."""
    assert block("one\ntwo\r\n\tthree\x07") == "one\n  two\n      three\\x07"
