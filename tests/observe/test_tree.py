"""`Tree` and `LiveTree`: a run over its plan, as a terminal shows it."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from orchestration import Failure, LocalEngine, Retry, Signal, Workflow, step
from orchestration.frozen import evolve
from orchestration.interpreter.engine import Turned, advance, begin
from orchestration.interpreter.events import (
    CancelRequested,
    Continued,
    Event,
    HooksAnswered,
    Resumed,
    SignalReceived,
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
from orchestration.interpreter.pending import emit, note
from orchestration.observe.live import LiveTree
from orchestration.observe.progress import Progress
from orchestration.observe.tree import Row, Tree, fitting, span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestration.interpreter.pending import Pending

GLYPHS = {
    "to come": "·",
    "running": ">",
    "waiting": "~",
    "done": "+",
    "failed": "x",
    "stopped": "#",
    "undoing": "<",
    "undone": "u",
    "not undone": "!",
    "not taken": "-",
}
FAILURE = Failure("shop.Declined", "no", "w/a", ("Exception", "BaseException"))
STEADY = Retry(max_attempts=3, initial_delay=4, jitter="none")
GO = Signal("go", int)


async def both(value: Any) -> Any:
    """Do something."""
    return value


async def undo(value: Any) -> None:
    """Undo it."""


class Told:
    """A run that goes as its test says, and its tree."""

    def __init__(self, flow: Any, value: object = 1) -> None:
        """Begin the run, at the time 0."""
        self.plan = flow.compile()
        turned = begin(self.plan, Started(self.plan.name, 0.0, "run-1", value))
        self.turns = [turned]
        self.tree = Tree(self.plan)
        self.tree.take(turned)

    def then(self, *events: Event) -> Told:
        """Let things happen."""
        for event in events:
            state, effects = advance(self.plan, self.turns[-1].state, event)
            self.turns.append(Turned(event, effects, state))
            self.tree.take(self.turns[-1])
        return self

    def rows(self, now: float = 0.0) -> list[str]:
        """Return the rows as text: the mark, the name, how many of how many, the notes."""
        return texts(self.tree.rows(now))


def texts(rows: Iterable[Row]) -> list[str]:
    """Return rows as text, indented by their depth."""
    found = []
    for row in rows:
        many = "" if row.done is None else f" {row.done}" + ("" if row.total is None else f"/{row.total}")
        notes = "".join(f"; {note}" for note in row.notes)
        found.append(f"{'  ' * len(row.ancestors)}{GLYPHS[row.mark]} {row.name}{many}{notes}")
    return found


def ok(path: str, attempt: int = 1, at: float = 0.0) -> StepSucceeded:
    """Return the event of an attempt that returned a value."""
    return StepSucceeded(path, at, attempt, 1)


def failed(path: str, attempt: int = 1, at: float = 0.0) -> StepFailed:
    """Return the event of an attempt that raised."""
    return StepFailed(path, at, attempt, FAILURE)


# --- one step after the other


def test_a_retry_is_counted_down() -> None:
    """S9: a step that waits for its next attempt says which one has failed, why, and how long it waits."""
    told = Told(Workflow[int]("w").step(both, name="a", retry=STEADY).step(both, name="b"))
    assert told.rows(0.5) == ["> a", "· b"]
    assert told.rows(2.5) == ["> a; 2 s", "· b"]
    told.then(failed("w/a", at=3.0))
    assert told.rows(3.0) == ["~ a; next in 4 s; Declined: no", "· b"]
    assert told.rows(6.0) == ["~ a; next in 1 s; Declined: no", "· b"]
    told.then(TimerFired("w/a", 7.0))
    assert told.rows(7.0) == ["> a; attempt 2 of 3; Declined: no", "· b"]
    told.then(StepSucceeded("w/a", 8.0, 2, 1))
    assert told.rows(8.0) == ["+ a; attempt 2 of 3", "> b"]


def test_an_undo_is_shown() -> None:
    """S23, S25: what is being undone, what was, and what was left standing are told apart."""
    flow = Workflow[int]("w").step(both, name="a").compensate(undo).step(both, name="b")
    flow = flow.compensate(undo, retry=Retry(max_attempts=1)).step(both, name="c")
    told = Told(flow).then(ok("w/a"), ok("w/b"), failed("w/c"))
    assert told.rows() == ["+ a", "< b", "x c; Declined: no"]
    told.then(UndoFailed("w/b", 0.0, 1, FAILURE))
    assert told.rows() == ["! a; held", "! b; NOT undone", "x c; Declined: no"]
    whole = Told(flow).then(ok("w/a"), ok("w/b"), failed("w/c"), UndoSucceeded("w/b", 0.0, 1))
    assert whole.rows() == ["< a", "u b", "x c; Declined: no"]


def test_what_a_pivot_keeps_is_done() -> None:
    """S27: a step behind a pivot says that it was kept, and is no trouble."""
    flow = Workflow[int]("w").step(both, name="a").compensate(undo).pivot().step(both, name="b")
    assert Told(flow).then(ok("w/a"), failed("w/b")).rows() == ["+ a; kept", "x b; Declined: no"]


def test_a_cancelled_step_has_stopped() -> None:
    """S28: a step that was told to end is neither done nor failed."""
    told = Told(Workflow[int]("w").step(both, name="a").step(both, name="b"))
    told.then(CancelRequested("w", 0.0, "enough"), StepCancelled("w/a", 0.0, 1))
    assert told.rows() == ["# a", "· b"]


def test_a_timeout_is_told_as_the_failure_that_it_is() -> None:
    """S10: how long it took is said."""
    told = Told(Workflow[int]("w").step(both, name="a", attempt_timeout=5)).then(StepTimedOut("w/a", 5.0, 1, 5.0))
    assert told.rows() == ["x a; TimeoutError: took longer than 5 s"]


def test_the_late_end_of_a_leaked_attempt_does_not_end_the_next() -> None:
    """S24: an attempt that was given up may end while the next is under way, which goes on."""
    told = Told(Workflow[int]("w").step(both, name="a", retry=STEADY, attempt_timeout=5))
    told.then(StepLeaked("w/a", 6.0, 1, 5.0), TimerFired("w/a", 10.0))
    assert told.rows(10.0) == ["> a; attempt 2 of 3"]
    assert told.then(failed("w/a", 1, 11.0)).rows(11.0)[0].startswith("> a; attempt 2 of 3; 1 s")


def test_a_timeout_is_nothing_that_is_waited_for() -> None:
    """S10: the timer of a timeout is no wait, neither of a step nor of what is around it."""
    assert Told(Workflow[int]("w").step(both, name="a", timeout=60)).rows() == ["> a"]


def test_a_cleanup_is_seen_at_work() -> None:
    """S21: a cleanup runs at the end of its scope; it does not tell that what stands before it has begun."""
    told = Told(Workflow[int]("w").step(both, name="a").cleanup(undo, name="tidy").sleep(5))
    assert told.rows() == ["> a", "· tidy", "· sleep"]
    told.then(ok("w/a"))
    assert told.rows(1.0) == ["+ a", "· tidy", "~ sleep; ends in 4 s"]
    told.then(TimerFired("w/sleep", 5.0, "sleep"))
    assert told.rows(5.0) == ["+ a", "> tidy", "· sleep"]


# --- what has no events of its own


def test_a_branch_shows_the_arm_that_is_taken() -> None:
    """S13: as soon as an arm begins, the others are not taken, with all that is in them."""
    other = Workflow[int]("other").step(both, name="one").step(both, name="two")
    flow = Workflow[int]("w").branch(name="how").when(lambda n: n > 5, other).otherwise(both, name="rest")
    told = Told(flow.step(both, name="b"))
    assert told.rows() == ["> how", "  - other", "    - one", "    - two", "  > rest", "· b"]
    assert told.then(ok("w/how/rest")).rows()[-2:] == ["  + rest", "> b"]


def test_what_waits_for_a_signal_says_for_which() -> None:
    """S21: a wait that is over is done, also when the signal was there before."""
    told = Told(Workflow[int]("w").wait_for(GO).step(both, name="a"))
    assert told.rows() == ["~ go; waits for go", "· a"]
    assert told.then(SignalReceived("w", 0.0, "go", "1", 1)).rows() == ["+ go", "> a"]


def test_a_recovery_that_was_not_needed_is_not_taken() -> None:
    """S20: where the chain goes on without a failure, what would have recovered it is not taken."""
    flow = Workflow[int]("w").step(both, name="a").recover(both, on=ValueError, name="mend").step(both, name="b")
    assert Told(flow).then(ok("w/a")).rows() == ["+ a", "- mend", "> b"]


def test_a_run_that_has_succeeded_leaves_nothing_open() -> None:
    """At the end of a run that has succeeded, what has no events was passed."""
    flow = Workflow[int]("w").step(both, name="a").recover(both, on=ValueError, name="mend").sleep(1)
    told = Told(flow).then(ok("w/a"), TimerFired("w/sleep", 1.0, "sleep"))
    assert told.rows() == ["+ a", "- mend", "+ sleep"]
    assert not told.tree.busy


def test_what_asks_hooks_is_under_way() -> None:
    """S31: a step whose gate is asked has begun, to one who looks."""
    plan = Workflow[int]("w").step(both, name="a").compile()
    turned = begin(plan, Started("w", 0.0, "run-1", 1, asks=("before",)))
    tree = Tree(plan)
    tree.take(turned)
    assert texts(tree.rows(0.0)) == ["> a"]
    state, effects = advance(plan, turned.state, HooksAnswered("w/a", 0.0))
    tree.take(Turned(HooksAnswered("w/a", 0.0), effects, state))
    assert texts(tree.rows(0.0)) == ["> a"]
    state, effects = advance(plan, state, ok("w/a"))
    tree.take(Turned(ok("w/a"), effects, state))
    assert texts(tree.rows(0.0)) == ["+ a"]


# --- many


def test_a_map_tells_how_far_it_is() -> None:
    """S16: how many items have ended of how many, and what goes on in them, in one row."""
    told = Told(Workflow[list[int]]("w").map(step(both, name="a", retry=STEADY), concurrency=2), [1] * 5)
    assert told.rows() == ["> a 0/5; 2 under way"]
    told.then(ok("w/a[0]"), failed("w/a[1]"))
    assert told.rows(1.0) == ["> a 1/5; 1 under way; 1 waiting; 1 failed; next in 3 s; Declined: no"]
    told.then(failed("w/a[2]", at=2.0))
    assert "next in 2 s" in told.rows(2.0)[0]  # the first of the two that wait
    told.then(
        TimerFired("w/a[1]", 4.0),
        TimerFired("w/a[2]", 6.0),
        ok("w/a[2]", 2, 6.0),
        ok("w/a[3]"),
        ok("w/a[4]"),
        ok("w/a[1]", 2, 6.0),
    )
    assert told.rows() == ["+ a 5/5; 2 retried"]


def test_what_is_in_a_map_is_not_done_before_the_map_is() -> None:
    """A step of an item is done where it is for all items, and goes on as long as there are more to come."""
    item = Workflow[int]("item").step(both, name="a").step(both, name="b")
    told = Told(Workflow[list[int]]("w").map(item, concurrency=1).step(both, name="c"), [1, 2])
    told.then(ok("w/item[0]/a"))
    assert told.rows() == ["> item 0/2", "  > a 1", "  > b; 1 under way", "· c"]
    told.then(ok("w/item[0]/b"), ok("w/item[1]/a"))
    assert told.rows() == ["> item 1/2", "  + a 2", "  > b 1; 1 under way", "· c"]
    assert told.then(ok("w/item[1]/b")).rows() == ["+ item 2/2", "  + a 2", "  + b 2", "> c"]


def test_a_map_that_fails_tells_how_far_it_was() -> None:
    """S18: after a failure not all items have ended: what was known last stays."""
    told = Told(Workflow[list[int]]("w").map(step(both, name="a"), concurrency=1), [1] * 5)
    told.then(ok("w/a[0]")).rows()
    assert told.then(failed("w/a[1]")).rows() == ["x a 1/5; 1 failed; Declined: no"]


def test_maps_in_maps_and_loops_count_what_was_done() -> None:
    """Of what is inside of many the number is told; how many there will be, nobody knows."""
    inner = Workflow[int]("inner").pure(lambda n: [n, n]).map(both, name="a").pure(len)
    flow = Workflow[list[int]]("w").map(inner).pure(len).loop(both, until=lambda n, i: i == 1, max_iterations=3)
    told = Told(flow, [1, 2])
    told.then(ok("w/inner[0]/a[0]"), ok("w/inner[0]/a[1]"), ok("w/inner[1]/a[1]"))
    assert told.rows() == ["> inner 1/2", "  > a 3; 1 under way", "· both"]
    assert told.then(ok("w/inner[1]/a[0]"), ok("w/both[0]")).rows()[-1] == "> both 1; 1 under way"


def test_maps_side_by_side_each_have_their_extent() -> None:
    """S14: maps in a graph are found wherever they are in it."""
    items = Workflow[list[int]]("w")
    flow = items.fork(Workflow[list[int]]("x").map(both, name="a")).fork(Workflow[list[int]]("y").map(both, name="b"))
    told = Told(flow.join(lambda one, other: 1), [1, 2, 3])
    assert told.then(ok("w/fork/x/a[0]"), ok("w/fork/y/b[2]"), ok("w/fork/y/b[1]")).rows() == [
        "> fork",
        "  > x",
        "    > a 1/3; 2 under way",
        "  > y",
        "    > b 2/3; 1 under way",
        "· join",
    ]


# --- a run that is taken up again


def test_a_run_that_is_taken_up_again_goes_on_from_what_is_known() -> None:
    """S32: counts go on, what it waits for is counted down, what was lost is told."""
    flow = Workflow[int]("w").step(both, name="a").fork(step(both, name="b", retry=STEADY)).fork(both, name="c")
    before = Told(flow.join(lambda one, other: 1)).then(ok("w/a"), failed("w/fork/b", at=2.0))
    pending: Pending = {}
    emit(pending, before.turns[0].effects)
    for turned in before.turns[1:]:
        note(pending, turned.event, turned.effects)  # type: ignore[arg-type]  # only the first is a start
    plan = before.plan
    known = Progress.of(plan, [turned.event for turned in before.turns])
    tree = Tree(plan, known, [waiting.effect for waiting in pending.values()])
    state = before.turns[-1].state
    for event in (Resumed("w", 3.0, 2), StepLost("w/fork/c", 3.0, 1)):
        state, effects = advance(plan, state, event)
        tree.take(Turned(event, effects, state))
    assert texts(tree.rows(4.0)) == ["+ a", "> fork", "  ~ b; next in 2 s", "  > c; 1 s", "· join"]


# --- fewer lines than rows


def row(name: str, mark: Any = "to come", *ancestors: int) -> Row:
    """Return a row."""
    return Row("", name, mark, ancestors=ancestors)


def names(picture: list[Row | int]) -> list[str | int]:
    """Return the names of rows, and how many are left out between them."""
    return [one if isinstance(one, int) else one.name for one in picture]


def test_what_goes_on_is_shown_first() -> None:
    """Of too many rows there are those of what goes on or went wrong, of what they are in, and of what is near."""
    rows = [row("first"), *(row(f"done {n}", "done") for n in range(50)), row("part"), row("hot", "running", 51)]
    rows += [row(f"later {n}") for n in range(50)]
    picture = fitting(rows, 8)
    assert names(picture) == [49, "done 48", "done 49", "part", "hot", "later 0", "later 1", 48]
    assert fitting(rows, len(rows)) == rows
    rows[1] = evolve(rows[1], mark="failed")
    assert {"done 0", "part", "hot"} <= set(names(fitting(rows, 8)))


@pytest.mark.parametrize("lines", range(1, 12))
def test_no_picture_has_more_lines_than_there_are(lines: int) -> None:
    """However many rows go on, the picture fits, and every row is in it or counted."""
    rows = [row(str(n), "running" if n % 3 else "to come") for n in range(40)]
    picture = fitting(rows, lines)
    assert len(picture) <= lines
    assert sum(one if isinstance(one, int) else 1 for one in picture) == 40


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (1e6, "11 d 13 h"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    """A stretch of time is told in the two largest units that it has."""
    assert span(seconds) == text


# --- on a terminal


def screen_of(turns: list[Turned], plan: Any, *, lines: int = 24, width: int = 80, now: float = 9.0) -> str:
    """Return what a live tree leaves on the terminal."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, height=lines, color_system=None)

    async def watch() -> None:
        with LiveTree(plan, console, clock=lambda: now) as view:
            for turned in turns:
                view.take(turned)

    asyncio.run(watch())
    return screen.getvalue()


def last(screen: str) -> list[str]:
    """Return the lines of the last picture."""
    picture = screen.rpartition("w  run-1")[2].replace("\x1b[?25h", "")  # which shows the cursor again
    return [line.rstrip() for line in picture.splitlines() if line.strip()]


def test_the_picture_of_a_run() -> None:
    """A title with the time, a tree with a mark for each place, bars for maps; what was cancelled is told below."""
    flow = Workflow[int]("w").step(both, name="a").pure(lambda n: [n] * 4).map(both, name="b").step(both, name="c")
    told = Told(flow).then(ok("w/a"), ok("w/b[1]"), CancelRequested("w", 0.0, "enough\x1b"))
    assert last(screen_of(told.turns, told.plan)) == [
        "  9 s",
        "├─ ✓ a",
        "├─ ▸ b  ━━━━              1/4  3 under way",
        "└─ · c",
        r"cancelled: enough\x1b",
    ]
    ends = [StepCancelled(f"w/b[{n}]", 3.0, 1) for n in (0, 2, 3)]
    assert last(screen_of(told.then(*ends).turns, told.plan))[0] == "  cancelled after 3.0 s"


def test_a_hostile_message_cannot_reach_the_terminal() -> None:
    """S33 and more: control characters, line breaks and marks of direction of others are shown escaped."""
    failure = Failure("bad\x1b[31m", "one\ntwo\u202e", "w/a")
    told = Told(Workflow[int]("w").step(both, name="a")).then(StepFailed("w/a", 0.0, 1, failure))
    assert r"✗ a bad\x1b[31m: one\ntwo\u202e" in " ".join(last(screen_of(told.turns, told.plan))[1].split())


def test_the_picture_fits_the_terminal() -> None:
    """A plan of 60 steps on 10 lines: no more lines than those, and how many are left out is told."""
    flow: Any = Workflow[int]("w")
    for number in range(60):
        flow = flow.step(both, name=f"step_{number}")
    told = Told(flow).then(*(ok(f"w/step_{number}") for number in range(30)))
    lines = last(screen_of(told.turns, told.plan, lines=10))
    assert len(lines) <= 10
    assert any("▸ step_30" in line for line in lines)
    assert any("… 2" in line and "more" in line for line in lines)


def test_names_stay_readable_beside_long_notes() -> None:
    """On a narrow terminal the notes give way, not the names."""
    failure = Failure("ValueError", "long " * 40, "w/a")
    flow = Workflow[int]("w").step(both, name="a_long_name_of_a_step")
    told = Told(flow).then(StepFailed("w/a_long_name_of_a_step", 0.0, 1, failure))
    (line,) = last(screen_of(told.turns, told.plan, width=60))[1:]
    assert "a_long_name_of_a_step" in line
    assert line.endswith("…")
    assert len(line) <= 60


def test_it_is_drawn_seldom() -> None:
    """However many events come at a time, only the first and the last picture are drawn."""
    told = Told(Workflow[list[int]]("w").map(both, name="b"), [1] * 900)
    told.then(*(ok(f"w/b[{n}]") for n in range(900)))
    assert screen_of(told.turns, told.plan).count("└─") == 2


async def passes(turns: list[Turned], plan: Any, screen: io.StringIO) -> None:
    """Let a tree take turns, with time for a picture after each."""
    with LiveTree(plan, Console(file=screen, force_terminal=True, width=80, color_system=None)) as view:
        for turned in turns:
            view.take(turned)
            for _ in range(3):
                await asyncio.sleep(0)


def test_it_is_drawn_when_there_is_news_and_while_something_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first and the last picture there is one for news, and one a tick as long as time is counted."""
    monkeypatch.setattr("orchestration.observe.live.INTERVAL", 0.0)
    monkeypatch.setattr("orchestration.observe.live.SHARE", 0.0)
    told = Told(Workflow[int]("w").step(both, name="a").step(both, name="b"))
    screen = io.StringIO()
    asyncio.run(passes(told.turns, told.plan, screen))
    assert screen.getvalue().count("└─") == 3
    monkeypatch.setattr("orchestration.observe.live.TICK", 0.0)
    asyncio.run(passes(told.turns, told.plan, screen := io.StringIO()))
    assert screen.getvalue().count("└─") > 3
    done = Told(Workflow[int]("w").step(both, name="a")).then(ok("w/a"))
    asyncio.run(passes(done.turns[-1:], done.plan, screen := io.StringIO()))
    assert screen.getvalue().count("└─") == 3


def test_turns_of_a_real_run_give_its_picture() -> None:
    """`Handle.turns` gives each event with its effects and the state: the tree follows them to the outcome."""

    async def watch() -> list[str]:
        flow = Workflow[list[int]]("w").map(both, name="b", concurrency=2).pure(len).step(both, name="c")
        handle = await LocalEngine().start(flow, [1, 2, 3])
        tree = Tree(flow.compile())
        async for turned in handle.turns():
            tree.take(turned)
        assert (await handle.result()).ok
        return texts(tree.rows(0.0))

    assert asyncio.run(watch()) == ["+ b 3/3", "+ c"]


def test_events_that_tell_nothing_leave_the_picture_as_it_is() -> None:
    """A `Continued` is no news."""
    told = Told(Workflow[int]("w").step(both, name="a"))
    before = told.rows()
    told.tree.take(told.turns[-1]._replace(event=Continued("w", 0.0), effects=[]))
    assert told.rows() == before
