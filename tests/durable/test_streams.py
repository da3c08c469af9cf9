"""Streams of durable runs: pulled items are kept, and a source is read anew behind them (S16)."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Failed, Succeeded, Workflow
from orchestration.errors import Unserialisable
from orchestration.journal.memory import MemoryJournal
from orchestration.runtime import streams
from tests.durable.crashing import (
    LATER,
    LONG,
    Points,
    crashed,
    double,
    ended_by_its_loop,
    engine,
    here,
    stopped,
    went_on,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

COUNT = 7
SIZES = {"a.txt": 3}  # of what the sources read: it is outside of the run, and may change
READ: list[str] = []  # what was done with sources


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    SIZES["a.txt"] = COUNT
    READ.clear()
    yield
    SIZES["a.txt"] = COUNT


@dataclass(frozen=True)
class Lines:
    """A source that says what it reads, and can be read again."""

    file: str

    async def __aiter__(self) -> AsyncIterator[int]:
        """Begin anew."""
        READ.append("opened")
        try:
            for number in itertools.count():
                if number == SIZES[self.file]:
                    return
                READ.append(f"read {number}")
                await asyncio.sleep(0)
                yield number
        finally:
            READ.append("closed")


@dataclass(frozen=True)
class Rows:
    """A source that is read in a thread: what has a `__next__` is a stream, and not a collection."""

    file: str

    def __next__(self) -> int:
        """Never called: what is read is what `__iter__` returns."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        """Begin anew."""
        READ.append("opened")
        try:
            for number in itertools.count():
                if number == SIZES[self.file]:
                    return
                READ.append(f"read {number}")
                yield number
        finally:
            READ.append("closed")


@dataclass(frozen=True)
class Slow:
    """A source whose first item can be the last thing that happens in a process."""

    async def __aiter__(self) -> AsyncIterator[int]:
        """Begin anew."""
        await here.get().pass_by(may_hang=True)
        yield 1


@dataclass
class Cursor:
    """A source that notes itself where it is: it has a form in JSON, and can be read only once."""

    at: int = 0

    def __iter__(self) -> Cursor:
        """Return itself."""
        return self

    def __next__(self) -> int:
        """Return the next number."""
        self.at += 1
        return self.at


async def lines(file: str) -> Lines:
    """Return an asynchronous source."""
    return Lines(file)


def rows(file: str) -> Rows:
    """Return a source for threads."""
    return Rows(file)


async def slow(_: str) -> Slow:
    """Return a source that can hang."""
    return Slow()


async def cursor(_: str) -> Cursor:
    """Return a source that cannot begin anew."""
    return Cursor()


async def generated(_: str) -> Any:
    """Return a source that nothing can be written down of."""
    return (number for number in range(3))


def plus(before: int, n: int) -> int:
    """Add."""
    return before + n


def mapped(source: Any, concurrency: int | None) -> Any:
    """Return a workflow that keeps what the items of a source become."""
    return Workflow[str]("flow").step(source, name="source").map(double, concurrency=concurrency)


SOURCES = pytest.mark.parametrize("source", [lines, rows], ids=["loop", "thread"])
RECORDS = 3 + 2 * COUNT  # the start, the source, each item twice, the end of the source
DOUBLED = [2 * number for number in range(COUNT)]


@pytest.mark.parametrize("folds", [False, True], ids=["list", "into"])
@pytest.mark.parametrize("concurrency", [1, 3, None])
@pytest.mark.parametrize("after", [1, 2, 4, COUNT])
@SOURCES
def test_a_stopped_stream_goes_on_behind_what_was_pulled(
    source: Any, after: int, concurrency: int | None, *, folds: bool
) -> None:
    """S16: with the results of an undisturbed run, whatever was pulled, was under way or had ended."""
    journal, points = MemoryJournal(), Points(after, hangs=True)
    flow = mapped(source, concurrency)
    flow = flow.into(0, plus) if folds else flow
    asyncio.run(stopped(engine(journal).execute(flow, "a.txt", run_id="r"), points.reached))
    Points()
    assert went_on(journal, flow, "a.txt") == Succeeded(sum(DOUBLED) if folds else DOUBLED, "r")
    assert READ.count("opened") <= 2
    assert READ[-1] == "closed"


@pytest.mark.parametrize("after", range(1, RECORDS))
@SOURCES
def test_a_stream_of_a_process_that_was_killed_goes_on(source: Any, after: int) -> None:
    """S16, S34: an item whose event is durable is not asked for again, and none is left out."""
    journal, flow = MemoryJournal(), mapped(source, 2)
    Points()
    assert crashed(journal, flow, "a.txt", after)
    ended = sum("StepSucceeded" in record.text and "flow/double[" in record.text for record in journal.read("r"))
    points = Points()
    assert went_on(journal, flow, "a.txt", later=LATER) == Succeeded(DOUBLED, "r")
    assert points.count == COUNT - ended


def test_the_number_of_records_is_known() -> None:
    """So that the process above is killed at each of them."""
    journal = MemoryJournal()
    Points()
    assert not crashed(journal, mapped(lines, 2), "a.txt", RECORDS)
    assert journal.head("r").position == RECORDS


@SOURCES
def test_a_source_that_gives_less_than_before_fails(source: Any) -> None:
    """S16: the items that were pulled are gone from it, so nobody knows which come next."""
    journal, flow, points = MemoryJournal(), mapped(source, 3), Points(3, hangs=True)
    asyncio.run(stopped(engine(journal).execute(flow, "a.txt", run_id="r"), points.reached))
    SIZES["a.txt"] = 1
    outcome = went_on(journal, flow, "a.txt")
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "orchestration.errors.SourceSpent"
    assert "found a source of 1 items, which has given" in outcome.failure.message
    assert READ[-1] == "closed"


@SOURCES
def test_a_source_that_gives_as_much_as_before_is_at_its_end(source: Any) -> None:
    """S16: all that was pulled is there, and no more."""
    journal, flow, points = MemoryJournal(), mapped(source, 1), Points(3, hangs=True)
    asyncio.run(stopped(engine(journal).execute(flow, "a.txt", run_id="r"), points.reached))
    SIZES["a.txt"] = 3
    assert went_on(journal, flow, "a.txt") == Succeeded(DOUBLED[:3], "r")


@SOURCES
def test_what_is_passed_over_leaves_the_loop_its_turns_and_can_be_given_up(
    source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S7, S28: a run that is cancelled meanwhile closes its source where it is."""
    monkeypatch.setattr(streams, "STREAK", 2)
    journal, flow, points = MemoryJournal(), mapped(source, 1), Points(COUNT, hangs=True)
    asyncio.run(stopped(engine(journal).execute(flow, "a.txt", run_id="r"), points.reached))
    READ.clear()

    async def cancel() -> Any:
        handle = await engine(journal, grace=LONG).start(flow, "a.txt", run_id="r")
        while "read 2" not in READ:
            await asyncio.sleep(0)
        handle.cancel("enough")
        return await handle.result()

    SIZES["a.txt"] = 1_000_000_000
    assert asyncio.run(cancel()).reason == "enough"
    assert f"read {COUNT - 1}" not in READ
    assert READ[-1] == "closed"


@SOURCES
def test_a_source_that_nothing_more_is_wanted_of_is_not_opened_again(source: Any) -> None:
    """S16, S28: a run that goes on only to be cancelled."""
    journal, flow, points = MemoryJournal(), mapped(source, 1), Points(2, hangs=True)
    asyncio.run(stopped(engine(journal).execute(flow, "a.txt", run_id="r"), points.reached))
    READ.clear()

    async def cancel() -> Any:
        handle = await engine(journal, grace=LONG).start(flow, "a.txt", run_id="r")
        handle.cancel("enough")
        return await handle.result()

    assert asyncio.run(cancel()).reason == "enough"
    assert READ == []


def test_the_end_of_the_event_loop_is_no_failure_of_a_source() -> None:
    """S30: asyncio cancels the stream as well; the run is stopped by that, and the item is pulled again."""
    journal, flow, points = MemoryJournal(), mapped(slow, 1), Points(1, hangs=True)
    run = engine(journal).start(flow, "a.txt", run_id="r")
    asyncio.run(ended_by_its_loop(run, points.reached, "Stream.run"))
    assert journal.head("r").position == 2
    Points()
    assert went_on(journal, flow, "a.txt") == Succeeded([2], "r")


@pytest.mark.parametrize(
    ("source", "kind"),
    [(generated, "Unserialisable"), (cursor, "SourceSpent")],
    ids=["generator", "cursor"],
)
def test_a_source_that_cannot_begin_anew_is_refused(source: Any, kind: str) -> None:
    """S16: as an output that has no form in JSON, or else when it is opened, before anything is read from it."""
    outcome = went_on(MemoryJournal(), mapped(source, 1), "a.txt")
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == f"orchestration.errors.{kind}"
    assert outcome.failure.path == ("flow/source" if source is generated else "flow/double")


def test_an_iterator_is_no_input_of_a_durable_run() -> None:
    """S16, S12: it is refused before the run begins, by its path; nothing is in the journal."""
    journal = MemoryJournal()
    flow = Workflow[Any]("flow").map(double)
    with pytest.raises(Unserialisable, match="flow: found"):
        went_on(journal, flow, iter([1]))
    assert journal.heads() == []
