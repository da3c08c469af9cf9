"""Durable runs on one machine: they go on after their process (S34, S35, S38)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestration import LocalEngine, Signal, Workflow
from orchestration.errors import RunExists, RunHeld, SignalRefused, UnknownWorkflow
from orchestration.journal.memory import MemoryJournal
from orchestration.outcomes import Cancelled, Failed, Succeeded

CALLS: list[str] = []


async def one(n: int) -> int:
    """Add one."""
    CALLS.append(f"one {n}")
    return n + 1


async def two(n: int) -> int:
    """Add two."""
    CALLS.append(f"two {n}")
    return n + 2


async def hang(n: int) -> int:
    """Never end."""
    CALLS.append("hang")
    await asyncio.Event().wait()
    return n


async def lock(n: int) -> object:
    """Give what no journal can keep."""
    return asyncio.Lock()


async def unmake(n: int) -> None:
    """Undo."""
    CALLS.append(f"unmake {n}")


GATE = asyncio.Event()


async def through_the_gate(n: int) -> int:
    """End when the gate is open."""
    CALLS.append("gate")
    await GATE.wait()
    return n


@pytest.fixture(autouse=True)
def _fresh() -> None:
    global GATE  # noqa: PLW0603 - an event belongs to one loop
    CALLS.clear()
    GATE = asyncio.Event()


def engine(journal: MemoryJournal, *workflows: Any, **options: Any) -> LocalEngine:
    """Return an engine with a journal."""
    return LocalEngine(journal=journal, workflows=workflows, grace=0.05, poll=0.01, **options)


SUM = Workflow[int]("sum").step(one).step(two)
GATED = Workflow[int]("gated").step(one).compensate(unmake).step(through_the_gate).step(two)


def test_a_durable_run_gives_what_any_run_gives() -> None:
    """S34: and its log tells every event."""
    journal = MemoryJournal()
    outcome = asyncio.run(engine(journal).execute(SUM, 1, run_id="r"))
    assert outcome == Succeeded(4, "r")
    head = journal.head("r")
    assert (head.status, head.position, head.owner, head.plan) == ("succeeded", 3, None, "sum")


def test_a_run_that_has_ended_is_not_run_again() -> None:
    """S5: the same id with the same input gives the outcome."""
    journal = MemoryJournal()
    asyncio.run(engine(journal).execute(SUM, 1, run_id="r"))
    assert asyncio.run(engine(journal).execute(SUM, 1, run_id="r")) == Succeeded(4, "r")
    assert CALLS == ["one 1", "two 2"]


@pytest.mark.parametrize(("workflow", "value"), [(SUM, 2), (GATED, 1)], ids=["input", "workflow"])
def test_an_id_is_for_one_workflow_and_input(workflow: Any, value: int) -> None:
    """S5: otherwise it is taken."""
    journal = MemoryJournal()
    asyncio.run(engine(journal).execute(SUM, 1, run_id="r"))
    with pytest.raises(RunExists):
        asyncio.run(engine(journal).execute(workflow, value, run_id="r"))


async def _stopped(journal: MemoryJournal) -> None:
    task = asyncio.create_task(engine(journal).execute(GATED, 1, run_id="r"))
    while "gate" not in CALLS:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_to_cancel_the_task_stops_a_durable_run_and_does_not_cancel_it() -> None:
    """S30: nothing is undone; another process goes on, and what was done is not done again (S35)."""
    journal = MemoryJournal()
    asyncio.run(_stopped(journal))
    head = journal.head("r")
    assert (head.status, head.owner, head.orderly) == ("unfinished", None, True)
    assert CALLS == ["one 1", "gate"]

    async def go_on() -> Any:
        GATE.set()
        handle = await engine(journal, GATED).resume("r")
        return await handle.result()

    assert asyncio.run(go_on()) == Succeeded(4, "r")
    assert CALLS == ["one 1", "gate", "gate", "two 2"]


def test_what_ends_within_the_grace_is_recorded() -> None:
    """S30: a stopped run waits for what is in flight, and it is not lost."""
    journal = MemoryJournal()

    async def stop() -> None:
        task = asyncio.create_task(engine(journal).execute(GATED, 1, run_id="r"))
        while "gate" not in CALLS:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        GATE.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stop())
    assert asyncio.run(engine(journal).execute(GATED, 1, run_id="r")) == Succeeded(4, "r")
    assert CALLS == ["one 1", "gate", "two 2"]


def test_the_end_of_the_event_loop_stops_a_durable_run() -> None:
    """S30: asyncio cancels the workers as well, which is no failure of their steps."""
    journal = MemoryJournal()

    async def leave() -> None:
        await engine(journal).start(GATED, 1, run_id="r")
        while "gate" not in CALLS:
            await asyncio.sleep(0)

    asyncio.run(leave())
    assert journal.head("r").status == "unfinished"

    async def go_on() -> Any:
        GATE.set()
        return await engine(journal).execute(GATED, 1, run_id="r")

    assert asyncio.run(go_on()) == Succeeded(4, "r")


def test_a_run_is_one_process_s() -> None:
    """S38: another cannot take it over while the lease lasts."""
    journal = MemoryJournal()

    async def both() -> None:
        handle = await engine(journal).start(GATED, 1, run_id="r")
        other = engine(journal, GATED)
        with pytest.raises(RunHeld):
            await other.resume("r")
        with pytest.raises(RunHeld):
            await other.start(GATED, 1, run_id="r")
        waiting = asyncio.create_task(other.execute(GATED, 1, run_id="r"))
        await asyncio.sleep(0.02)
        GATE.set()
        assert await waiting == await handle.result() == Succeeded(4, "r")

    asyncio.run(both())


def test_a_submitted_run_waits_for_an_owner() -> None:
    """S34: it begins when somebody recovers it, and its first attempt is not a second one."""
    journal = MemoryJournal()

    async def submit() -> str:
        return await engine(journal).submit(SUM, 1)

    run_id = asyncio.run(submit())
    assert CALLS == []

    async def recover() -> Any:
        recovery = await engine(journal, SUM).recover()
        assert recovery.refused == []
        (handle,) = recovery.handles
        return await handle.result()

    assert asyncio.run(recover()) == Succeeded(4, run_id)
    assert journal.head(run_id).position == 3


def test_signals_and_cancels_reach_a_run_through_its_inbox() -> None:
    """S38: whoever has it takes them; who has not only puts them there."""
    journal = MemoryJournal()
    word = Signal("word", int)
    waiting = Workflow[int]("waiting").step(one).compensate(unmake).wait_for(word).step(two)
    before = len(CALLS)

    async def both() -> None:
        one_, other = engine(journal), engine(journal, waiting)
        first = await one_.start(waiting, 1, run_id="a")
        second = await one_.start(waiting, 1, run_id="b")
        while CALLS[before:] != ["one 1", "one 1"]:
            await asyncio.sleep(0)
        other.signal("a", word, 5)
        await other.cancel("b", "enough")
        assert await first.result() == Succeeded(7, "a")
        outcome = await second.result()
        assert isinstance(outcome, Cancelled)
        assert outcome.reason == "enough"
        with pytest.raises(SignalRefused):
            other.signal("a", word, 5)

    asyncio.run(both())
    assert CALLS[-1] == "unmake 2"
    assert journal.letters("a") == journal.letters("b") == []


def test_a_workflow_that_the_engine_does_not_have_is_named() -> None:
    """S36: a journal holds no code."""
    journal = MemoryJournal()

    async def resume() -> None:
        run_id = await engine(journal).submit(SUM, 1)
        with pytest.raises(UnknownWorkflow, match="gated"):
            await engine(journal, GATED).resume(run_id)

    asyncio.run(resume())


def test_an_output_that_cannot_be_kept_fails_its_step() -> None:
    """S12: by its path; what was done before is undone."""
    plan = Workflow[int]("locks").step(one).compensate(unmake).step(lock)
    outcome: Any = asyncio.run(engine(MemoryJournal()).execute(plan, 1, run_id="r"))
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "orchestration.errors.Unserialisable"
    assert CALLS == ["one 1", "unmake 2"]


def test_a_run_that_was_resumed_can_be_attached_to() -> None:
    """S5: by the input that it was begun with, which this process has never been given."""
    journal = MemoryJournal()
    asyncio.run(_stopped(journal))

    async def both() -> None:
        one_ = engine(journal, GATED)
        handle = await one_.resume("r")
        again = await one_.start(GATED, 1, run_id="r")
        assert again is handle
        with pytest.raises(RunExists):
            await one_.start(GATED, 2, run_id="r")
        GATE.set()
        assert await again.result() == Succeeded(4, "r")

    asyncio.run(both())


def test_a_cancel_of_a_run_that_has_ended_changes_nothing() -> None:
    """S28: it comes too late, also while somebody asks for the outcome."""
    journal = MemoryJournal()
    asyncio.run(engine(journal).execute(SUM, 1, run_id="r"))

    async def late() -> Any:
        again = engine(journal)
        handle = await again.start(SUM, 1, run_id="r")
        await again.cancel("r")
        return await handle.result()

    assert asyncio.run(late()) == Succeeded(4, "r")
