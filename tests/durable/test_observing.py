"""What is seen of a run that was taken up again: its events, and its progress from before and after (S32, S35)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Failed, Workflow
from orchestration.frozen import evolve
from orchestration.interpreter.events import Resumed, StepLost, StepSucceeded
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.records import read
from orchestration.observe.lines import Lines
from orchestration.observe.progress import Counts, Progress
from tests.bodies import increase
from tests.durable.crashing import LATER, LONG, Points, add, crashed, double, engine, fail, stopped, subtract, went_on
from tests.runtime.diary import NOW

if TYPE_CHECKING:
    from orchestration.interpreter.events import AnyEvent

FLOW: Any = Workflow[int]("flow").step(add, retry=NOW).compensate(subtract, retry=NOW).step(double).step(fail)
PLAN = FLOW.compile()
RECORDS = 9


def log(journal: MemoryJournal) -> list[AnyEvent]:
    """Return the events of the run."""
    return [read(PLAN, record).event for record in journal.read("r")]


def events_of_the_rest(journal: MemoryJournal, **options: Any) -> list[AnyEvent]:
    """Go on with the run, and return what is seen of that."""

    async def watch() -> list[AnyEvent]:
        handle = await engine(journal, **options).start(FLOW, 1, run_id="r")
        seen = [event async for event in handle.events()]
        assert isinstance(await handle.result(), Failed)
        return seen

    return asyncio.run(watch())


def test_the_events_of_a_run_that_goes_on_begin_with_the_resumption() -> None:
    """S32, S35: nothing of before is repeated; what was under way is lost."""
    journal, points = MemoryJournal(), Points(3, hangs=True)
    asyncio.run(stopped(engine(journal).execute(FLOW, 1, run_id="r"), points.reached))
    before = log(journal)
    Points()
    seen = events_of_the_rest(journal)
    assert before + seen == log(journal)
    assert [type(event) for event in seen[:3]] == [Resumed, StepLost, StepSucceeded]
    assert [event.path for event in seen[:3]] == ["flow", "flow/double", "flow/double"]


def test_progress_goes_on_from_that_of_the_log() -> None:
    """S32, S35: killed at any record, the counts at the end are those of an undisturbed run, and what was lost."""
    undisturbed = MemoryJournal()
    Points()
    assert not crashed(undisturbed, FLOW, 1, RECORDS)
    expected = Progress.of(PLAN, log(undisturbed))
    assert expected.at("flow/add") == Counts(done=1, retried=1, undone=1)
    assert (len(log(undisturbed)), expected.resumed) == (RECORDS, 0)
    for after in range(1, RECORDS):
        journal = MemoryJournal()
        assert crashed(journal, FLOW, 1, after)
        progress = Progress.of(PLAN, log(journal))
        for event in events_of_the_rest(journal, later=LATER):
            progress = progress.fold(event)
        assert progress == Progress.of(PLAN, log(journal))
        assert {path: evolve(progress.at(path), lost=0) for path in progress.paths} == dict(expected.counts.items())
        lost = sum(isinstance(event, StepLost) for event in log(journal))
        assert sum(progress.at(path).lost for path in progress.paths) == lost
        assert (progress.name, progress.run_id, progress.resumed) == ("flow", "r", 1)


@pytest.mark.parametrize("is_known", [False, True], ids=["unknown", "known"])
def test_lines_of_a_run_that_goes_on(*, is_known: bool) -> None:
    """S32: with what the log tells of before, counts go on from there; without it, they begin anew."""
    journal, points = MemoryJournal(), Points(2)
    flow: Any = Workflow[list[int]]("flow").map(double, concurrency=1)
    asyncio.run(stopped(engine(journal, grace=LONG).execute(flow, [1, 2, 3, 4], run_id="r"), points.reached))
    plan = flow.compile()
    known = Progress.of(plan, [read(plan, record).event for record in journal.read("r")])
    assert known.at("flow/double[]").done == 2
    Points()
    told: list[str] = []

    async def watch() -> None:
        handle = await engine(journal).start(flow, [1, 2, 3, 4], run_id="r")
        with Lines(told.append, known if is_known else None) as lines:
            async for turned in handle.turns():
                lines.take(turned)

    asyncio.run(watch())
    if is_known:
        assert told == ["flow: taken up again", "flow/double[]: 2 done, 1 lost", "flow/double[]: 4 done, 1 lost"]
    else:
        assert (told[0], told[-1]) == ("flow: taken up again", "flow/double[]: 2 done, 1 lost")


def test_a_run_that_has_ended_shows_nothing() -> None:
    """S32: whoever asks for its outcome again sees no events."""
    journal = MemoryJournal()
    flow: Any = Workflow[int]("flow").step(increase)
    assert went_on(journal, flow).ok

    async def watch() -> list[AnyEvent]:
        handle = await engine(journal).start(flow, 1, run_id="r")
        return [event async for event in handle.events()]

    assert asyncio.run(watch()) == []
