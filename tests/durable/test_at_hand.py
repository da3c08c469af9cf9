"""Where a batch is written: in the event loop if that is quick and no other run waits for it, or a thread (S34)."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Succeeded, Workflow
from orchestration.errors import JournalFailed
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.refused import busy
from orchestration.runtime import desk, log
from tests.runtime.support import Gate, no_new_threads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from orchestration.interpreter.events import AnyEvent
    from orchestration.journal.protocol import Lease, Record

nothing_lives_on = pytest.fixture(autouse=True)(no_new_threads)

LENGTH = 20
place: ContextVar[Any] = ContextVar("place")  # of the test: steps of a durable run capture nothing
THREAD = "orchestration-journal"


class Watched(MemoryJournal):
    """A journal like that of a file, which notes of each append in which thread it is made, and of how many records."""

    blocks = True

    def __init__(self, fault: Callable[[], None] = lambda: None) -> None:
        """Have a `fault` before each append in the event loop."""
        super().__init__()
        self.appends: list[tuple[str, int]] = []
        self._fault = fault

    def append(self, lease: Lease, records: Sequence[Record], **options: Any) -> None:
        """Add records."""
        thread = threading.current_thread()
        if thread is threading.main_thread():
            assert options["wait"] is False
            self._fault()
        super().append(lease, records, **options)
        self.appends.append((thread.name, len(records)))

    @property
    def threads(self) -> list[str]:
        """Where the appends were made."""
        return [name for name, _ in self.appends]


async def increase(n: int) -> int:
    """Add one, and wait for nothing."""
    return n + 1


def chain(length: int) -> Workflow[int, int]:
    """Return a chain of steps that do not wait."""
    flow = Workflow[int]("chain").step(increase)
    for _ in range(length - 1):
        flow = flow.step(increase)
    return flow


def engine(journal: Watched, **options: Any) -> LocalEngine[Any]:
    """Return an engine that looks into its inbox so seldom that nothing comes from there."""
    return LocalEngine(journal=journal, poll=1000.0, lease=10_000.0, **options)


async def meet(n: int) -> Any:
    """Wait for others, or to be let through."""
    return await place.get()(n)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each commit count as quick."""
    monkeypatch.setattr(desk, "QUICK", float("inf"))


@pytest.mark.usefixtures("quick")
def test_a_chain_commits_in_the_event_loop() -> None:
    """S34: to a thread and back takes as long as the commit; the first tells how long that is."""
    journal = Watched()
    assert asyncio.run(engine(journal).execute(chain(LENGTH), 0, run_id="r")) == Succeeded(LENGTH, "r")
    assert journal.appends == [(THREAD, 1), *[(threading.main_thread().name, 1)] * (LENGTH - 1)]


def test_what_takes_long_is_done_in_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """S34: the loop of whoever embeds the engine does not stand still."""
    monkeypatch.setattr(desk, "QUICK", 0.0)
    journal = Watched()
    assert asyncio.run(engine(journal).execute(chain(LENGTH), 0, run_id="r")) == Succeeded(LENGTH, "r")
    assert journal.appends == [(THREAD, 1)] * LENGTH


def test_one_commit_that_takes_long_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """S34: the next is made in the thread, and if that was quick again, those after it are not."""
    readings = count()
    monkeypatch.setattr(desk, "perf_counter", lambda: next(slow) if next(readings) in (6, 7) else 0.0)
    slow = count(1.0)
    journal = Watched()
    assert asyncio.run(engine(journal).execute(chain(6), 0, run_id="r")) == Succeeded(6, "r")
    here = threading.main_thread().name
    assert journal.threads == [THREAD, here, here, here, THREAD, here]


@pytest.mark.usefixtures("quick")
def test_what_ends_together_is_written_together() -> None:
    """S34: while others are under way, one commit is as good for all of them."""
    journal = Watched()
    flow = Workflow[list[int]]("flow").map(meet, concurrency=5)

    async def main() -> Any:
        gate = Gate()
        place.set(gate)
        one = engine(journal)
        assert (await one.execute(chain(2), 0, run_id="before")).ok  # by now it is known that commits are quick
        task = asyncio.ensure_future(one.execute(flow, [1, 2, 3, 4, 5], run_id="r"))
        await gate.begun.wait()
        for _ in range(5):  # turns of the loop, in which all five begin
            await asyncio.sleep(0)
        gate.opened.set()
        return await task

    outcome = asyncio.run(main())
    assert outcome == Succeeded([2, 3, 4, 5, 6], "r")
    assert [records for _, records in journal.appends[2:]] == [5]


@pytest.mark.usefixtures("quick")
def test_no_run_stands_still_for_the_commits_of_another() -> None:
    """S34: with several in one engine they are made in its thread."""
    journal = Watched()

    async def main() -> None:
        both, gate = engine(journal), Gate()
        place.set(gate)
        other = await both.start(Workflow[int]("other").step(meet), 0, run_id="other")
        assert await both.execute(chain(LENGTH), 0, run_id="r") == Succeeded(LENGTH, "r")
        assert journal.threads == [THREAD] * LENGTH
        gate.opened.set()
        assert (await other.result()).ok

    asyncio.run(main())


@pytest.mark.usefixtures("quick")
def test_who_finds_others_writing_leaves_it_to_the_thread() -> None:
    """S34: which waits for them; nothing is lost or written twice."""

    def held() -> None:
        raise busy("the journal")

    journal = Watched(held)
    assert asyncio.run(engine(journal).execute(chain(LENGTH), 0, run_id="r")) == Succeeded(LENGTH, "r")
    assert journal.appends == [(THREAD, 1)] * LENGTH
    assert [record.position for record in journal.read("r")] == [*range(LENGTH + 1)]


async def meet_at(n: int) -> Any:
    """Wait to be let through, each in a place of its own."""
    return await place.get()[n](n)


@pytest.mark.usefixtures("quick")
def test_nothing_overtakes_what_is_durable_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """S34: what ends while a snapshot is being kept follows after what that was of."""
    monkeypatch.setattr(log, "SNAPSHOT", 1)
    journal, saving, go_on = Watched(), threading.Event(), threading.Event()

    def save(*arguments: Any) -> None:
        saving.set()
        go_on.wait(10)
        MemoryJournal.save(journal, *arguments)

    journal.save = save  # type: ignore[method-assign]

    async def main() -> list[str]:
        gates = Gate(), Gate()
        place.set(gates)
        handle = await engine(journal).start(Workflow[list[int]]("flow").map(meet_at), [0, 1], run_id="r")
        paths = asyncio.ensure_future(told(handle.events()))
        gates[0].opened.set()
        await asyncio.to_thread(saving.wait, 10)
        gates[1].opened.set()
        for _ in range(5):
            await asyncio.sleep(0)
        go_on.set()
        return await paths

    assert asyncio.run(main()) == ["flow", "flow/meet_at[0]", "flow/meet_at[1]"]


async def told(events: AsyncIterator[AnyEvent]) -> list[str]:
    """Return the paths of events, in the order in which they are told of."""
    return [event.path async for event in events]


def fail() -> None:
    """Be a full disk."""
    raise JournalFailed("the journal", found="a full disk", expected="room", mend="Make room.")


@pytest.mark.usefixtures("quick")
def test_a_journal_that_fails_in_the_event_loop_stops_the_run() -> None:
    """S34, S35: by its error, and before anything that follows from what was not written."""
    journal = Watched(fail)
    with pytest.raises(JournalFailed, match="a full disk"):
        asyncio.run(engine(journal).execute(chain(LENGTH), 0, run_id="r"))
    assert journal.head("r").position == 2


def stop_while_a_step_ends(journal: Watched, flow: Workflow[int, Any]) -> None:
    """Cancel the task of a run that meets somebody at its step; the step ends in time for the log."""

    async def main() -> None:
        gate = Gate()
        place.set(gate)
        task = asyncio.ensure_future(engine(journal, grace=3_600.0).execute(flow, 0, run_id="r"))
        await gate.begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        gate.opened.set()
        await asyncio.wait([task], timeout=60.0)
        assert task.cancelled()

    asyncio.run(main())


@pytest.mark.usefixtures("quick")
def test_a_journal_that_fails_does_not_hide_a_cancel() -> None:
    """S30: who was cancelled hears of that, also if what ended meanwhile could not be kept."""
    journal = Watched(fail)
    stop_while_a_step_ends(journal, Workflow[int]("flow").step(increase).step(meet))
    assert journal.head("r").position == 2


@pytest.mark.usefixtures("quick")
def test_a_run_that_is_stopped_ends_with_what_was_under_way() -> None:
    """S30: when that is written, here or elsewhere, there is nothing more to wait for, however long the grace."""
    journal = Watched()
    stop_while_a_step_ends(journal, Workflow[int]("flow").step(increase).step(increase).step(meet).step(increase))
    assert journal.threads == [THREAD, *[threading.main_thread().name] * 2]


def test_commits_leave_the_event_loop_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """S7: one that takes a millisecond counts as many attempts that do not wait."""
    clock, turn, turns = count(), 0, list[int]()
    monkeypatch.setattr(desk, "perf_counter", lambda: next(clock) / 1000)
    journal = Watched(lambda: turns.append(turn))

    async def main() -> None:
        nonlocal turn
        task = asyncio.ensure_future(engine(journal).execute(chain(LENGTH), 0, run_id="r"))
        while not task.done():
            turn += 1
            await asyncio.sleep(0)

    asyncio.run(main())
    assert len(turns) == LENGTH - 1
    assert len({*turns}) == len(turns), "two commits in one turn"
