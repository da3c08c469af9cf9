"""The worker: it takes up what is due and nobody has, and puts down what only waits (S30, S35, S38)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Succeeded, Worker, Workflow
from orchestration.errors import InvalidInput, JournalCorrupt, JournalFailed
from orchestration.frozen import evolve
from orchestration.journal.repair import repair
from tests.durable.virtual import LEASE, Faulty, Stage
from tests.durable.workflows import WORD, inc, never, slowly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestration import Handle
    from orchestration.errors import JournalError

SHORT = Workflow[int]("short").step(inc).step(slowly)
LONG = Workflow[int]("long").step(inc).sleep(3600.0).step(inc)
NAP = Workflow[int]("nap").step(inc).sleep(3.0).step(inc)
ASKING = Workflow[int]("asking").step(inc).wait_for(WORD).step(inc)
STUCK = Workflow[int]("stuck").step(inc).step(never)


@pytest.fixture
def stage() -> Stage:
    """Return an empty journal, and engines that know all of the workflows."""
    return Stage(SHORT, LONG, NAP, ASKING, STUCK)


async def submitted(engine: LocalEngine[Any], *workflows: Any) -> None:
    """Submit runs that are called by their workflows."""
    for workflow in workflows:
        await engine.submit(workflow, 1, run_id=workflow.compile().name)


def statuses(stage: Stage) -> dict[str, str]:
    """Return the status of each run."""
    return {head.run_id: head.status for head in stage.journal.heads()}


async def working(worker: Worker, meanwhile: Callable[[], Awaitable[object]]) -> None:
    """Let a worker work while something is done, then stop it."""
    task = asyncio.ensure_future(worker.work())
    await meanwhile()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_worker_needs_a_journal_and_numbers_above_0(stage: Stage) -> None:
    """S6: what cannot work is refused before it begins."""
    with pytest.raises(JournalFailed, match="no journal"):
        Worker(LocalEngine())

    async def wrong() -> None:
        for options in ({"max_runs": 0}, {"poll": 0.0}, {"park": -1.0}):
            with pytest.raises(InvalidInput, match="the worker"):
                Worker(stage.engine(), **options)  # type: ignore[arg-type]  # what is wrong with it

    stage.play(wrong)


def test_a_worker_drives_what_was_submitted_and_tells_of_it(stage: Stage) -> None:
    """S38: no more runs at a time than it may have."""
    begun: list[str] = []
    most: list[int] = []

    def note(handle: Handle[Any]) -> None:
        begun.append(handle.run_id)
        most.append(sum(head.owner is not None for head in stage.journal.heads("unfinished")))

    async def main() -> None:
        engine = stage.engine()
        for number in range(5):
            await engine.submit(SHORT, number, run_id=f"run {number}")
        await Worker(engine, max_runs=2, begun=note).drain()

    stage.play(main)
    assert statuses(stage) == {f"run {number}": "succeeded" for number in range(5)}
    assert sorted(begun) == [f"run {number}" for number in range(5)]
    assert max(most) == 2


def test_a_run_that_sleeps_costs_nothing_until_it_is_due(stage: Stage) -> None:
    """S30: it is put down, with the time when it goes on; whoever has a worker then takes it up."""

    async def begin() -> None:
        engine = stage.engine()
        await submitted(engine, LONG, NAP)
        await Worker(engine).drain()

    stage.play(begin)
    assert statuses(stage) == {"long": "unfinished", "nap": "succeeded"}  # a nap is not worth it
    head = stage.journal.head("long")
    assert (head.owner, head.orderly, head.wake) == (None, True, 3600.0)
    assert stage.time < 60

    async def too_early() -> None:
        assert await Worker(stage.engine()).look() == 0

    stage.play(too_early)

    async def later() -> None:
        await Worker(stage.engine()).drain()

    stage.play(later, later=3600.0)
    assert statuses(stage)["long"] == "succeeded"


def test_a_run_that_waits_for_a_signal_is_taken_up_when_it_comes(stage: Stage) -> None:
    """S38: through its inbox, whoever sends it."""

    async def main() -> None:
        engine, worker = stage.engine(), Worker(stage.engine())
        await submitted(engine, ASKING)

        async def meanwhile() -> None:
            await asyncio.sleep(10.0)
            assert stage.journal.head("asking").owner is None
            engine.signal("asking", WORD, 5)
            await asyncio.sleep(10.0)

        await working(worker, meanwhile)

    stage.play(main)
    assert statuses(stage) == {"asking": "succeeded"}


@pytest.mark.parametrize("at", range(1, 20))
def test_a_worker_outlives_a_journal_that_fails_for_a_while(
    stage: Stage, at: int, caplog: pytest.LogCaptureFixture
) -> None:
    """S34: a full disk or a file that another holds too long is told of, and looked at again.

    Not if that happens anyway: an inbox is read again soon once its run is under way, and a lease that is not given up
    runs out.
    """

    def fail() -> None:
        raise JournalFailed("journal", found="a busy file", expected="one to read", mend="Try again.")

    async def main() -> None:
        await submitted(stage.engine(), SHORT)
        await working(Worker(stage.engine(faulty, lease=5.0)), lambda: asyncio.sleep(60.0))

    faulty = Faulty(stage.journal, at, fail)
    stage.play(main)
    assert statuses(stage) == {"short": "succeeded"}
    told = [record.levelname for record in caplog.records if "a busy file" in record.getMessage()]
    anyway = faulty.calls[at - 1] in ("letters", "release") and "letters" in faulty.calls[: at - 1]
    assert told == ([] if anyway else ["WARNING"])


def test_a_worker_that_is_stopped_leaves_its_runs_to_others(stage: Stage) -> None:
    """S30: in order, so that what was under way does not count as lost; they are not cancelled."""

    async def main() -> None:
        engine = stage.engine()
        await submitted(engine, STUCK)
        await working(Worker(engine), lambda: asyncio.sleep(5.0))

    stage.play(main)
    head = stage.journal.head("stuck")
    assert (head.status, head.owner, head.orderly) == ("unfinished", None, True)


def test_a_run_that_another_has_is_taken_over_when_its_lease_is_over(stage: Stage) -> None:
    """S38: not before; the owner that was replaced has lost it."""

    async def main() -> None:
        await submitted(stage.engine(), SHORT)
        stage.journal.acquire("short", "a process that has died", now=0.0, until=LEASE)
        worker = Worker(stage.engine())
        assert await worker.look() == 0
        await asyncio.sleep(LEASE + 1)
        assert await worker.look() == 1
        await worker.drain()

    stage.play(main)
    assert statuses(stage) == {"short": "succeeded"}


def test_a_run_that_cannot_go_on_is_told_of_once(stage: Stage) -> None:
    """S36, S37: and the others go on; it is tried again, should it have been repaired."""
    refused: list[JournalError] = []

    async def main() -> None:
        engine = stage.engine()
        await submitted(engine, LONG, SHORT)
        await Worker(engine).drain()
        records = stage.journal._runs["long"].records
        records[-1] = evolve(records[-1], text="{}")
        await asyncio.sleep(3600.0)
        worker = Worker(engine, refused=refused.append)
        for _ in range(3):
            await worker.look()
        assert [type(error) for error in refused] == [JournalCorrupt]
        repair(stage.journal, "long")
        await worker.drain()
        await asyncio.sleep(3600.0)  # it sleeps anew: that it had begun to is what was lost
        await worker.drain()

    stage.play(main)
    assert len(refused) == 1
    assert statuses(stage) == {"long": "succeeded", "short": "succeeded"}


def test_a_run_that_cannot_go_on_needs_nobody_to_tell(stage: Stage) -> None:
    """S37: a worker without `refused` goes on all the same."""

    async def main() -> None:
        engine = stage.engine()
        await submitted(engine, LONG, SHORT)
        stage.journal._runs["long"].records.clear()
        await Worker(engine).drain()

    stage.play(main)
    assert statuses(stage) == {"long": "unfinished", "short": "succeeded"}


def test_a_worker_may_do_only_what_is_due_now(stage: Stage) -> None:
    """S38: what is submitted meanwhile is left for the next time."""

    async def main() -> Any:
        engine = stage.engine()
        await submitted(engine, SHORT, LONG)
        task = asyncio.ensure_future(Worker(engine, max_runs=5).drain(once=True))
        await asyncio.sleep(0.1)
        await engine.submit(SHORT, 5, run_id="too late")
        await task
        return await (await engine.resume("short")).result()

    assert stage.play(main) == Succeeded(3, "short")
    assert statuses(stage) == {"short": "succeeded", "long": "unfinished", "too late": "unfinished"}
