"""What a glance at a log says is pending, held against the interpreter."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration import LocalEngine, Workflow, gate
from orchestration.cli.glance import glance
from orchestration.frozen import evolve
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.opening import Owner, take_over
from orchestration.journal.protocol import Lease, Snapshot
from orchestration.journal.replay import folded, snapshot_of
from orchestration.testing.loop import VirtualLoop
from tests.durable.workflows import ALL, SECOND, inc, slowly, unmake

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@dataclass(frozen=True)
class Numbers:
    """A source that can begin anew."""

    count: int

    async def __aiter__(self) -> AsyncIterator[int]:
        """Begin."""
        for number in range(self.count):
            await asyncio.sleep(0.5)
            yield number


def numbers(n: int) -> Numbers:
    """Return a source."""
    return Numbers(4 * n)


async def stubborn(n: int) -> int:
    """Take long, and no notice of being told to end."""
    for _ in range(3):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.5)
    return n


async def look(_: object) -> None:
    """Have no objection, after a while."""
    await asyncio.sleep(0.25)


MORE = (
    Workflow[int]("streamed").pure(numbers).map(inc, concurrency=2),
    Workflow[int]("racing").pure(numbers).map(slowly).race(),
    Workflow[int]("leaking").step(inc).compensate(unmake).step(stubborn, attempt_timeout=0.25, retry=SECOND),
    Workflow[int]("asked", hooks=[gate(look)]).step(inc).step(slowly, timeout=3.0),
    Workflow[int]("long")
    .pure(lambda n: 1_500)
    .loop(Workflow[int]("down").pure(lambda n: n - 1), until=lambda n, _: n == 0, max_iterations=2_000),
)


def logs() -> Iterator[tuple[str, Any, MemoryJournal]]:
    """Yield runs of all kinds, each with its plan and a journal that holds it."""
    for workflow in (*ALL.values(), *MORE):
        journal = MemoryJournal()
        loop = VirtualLoop(0.0)
        engine: LocalEngine[Any] = LocalEngine(journal=journal, clock=loop.time, grace=0.05)
        loop.run_until_complete(engine.execute(workflow, 1, run_id="r", deadline=9.0))
        loop.close()
        plan = workflow.compile()
        yield plan.name, plan, journal


def cut(journal: MemoryJournal, plan: Any, count: int) -> MemoryJournal:
    """Return a journal that holds the first records of a run, as if its process had ended there."""
    whole, records = journal.head("r"), journal.read("r")[:count]
    short = MemoryJournal()
    head = evolve(whole, status="unfinished", position=1, checksum=records[0].checksum, epoch=1, owner=None)
    short.create(head, plan.to_json(), records[0])
    if count > 1:
        short.append(Lease("r", "", 1, 0.0), records[1:], at=whole.updated)
    return short


def pending_of(journal: MemoryJournal, plan: Any) -> list[tuple[str, int, bool]]:
    """Return what the interpreter says is pending."""
    return sorted(
        (waiting.effect.path, getattr(waiting.effect, "attempt", 0), waiting.told and not slot.startswith("leaked"))
        for (_, slot), waiting in folded(plan, journal, "r", whole=True).pending.items()
    )


def seen(journal: MemoryJournal) -> list[tuple[str, int, bool]]:
    """Return what a glance says is pending."""
    found, longer = (glance(journal, journal.head("r"), last) for last in (0, journal.head("r").position))
    assert found.sound
    assert found.waits == longer.waits
    return sorted((wait.path, wait.attempt, wait.what.endswith("told to end")) for wait in found.waits)


def test_a_glance_tells_what_the_interpreter_would() -> None:
    """S34: after every record of every kind of run, and after another process has taken it up there (S35)."""
    compared = 0
    for name, plan, journal in logs():
        for count in range(1, journal.head("r").position):
            short = cut(journal, plan, count)
            assert seen(short) == pending_of(short, plan), (name, count)
            replay = folded(plan, short, "r")
            lease = Lease("r", "", 1, 0.0)
            short.save(lease, snapshot_of(replay.state, replay.pending, plan, count, replay.checksum))
            assert seen(short) == pending_of(short, plan), (name, count)
            take_over(short, plan, "r", Owner("next", 100.0, 200.0))
            if short.head("r").status == "unfinished":
                assert seen(short) == pending_of(short, plan), (name, count)
                compared += 1
    assert compared > 20


def test_a_snapshot_that_is_not_whole_is_passed_over() -> None:
    """S36: it is a shortcut, never the truth."""
    _, plan, journal = next(logs())
    short = cut(journal, plan, 2)
    for text in ("no JSON", "{}", '{"last": "0", "pending": []}'):
        short.save(Lease("r", "", 1, 0.0), Snapshot(1, text, "0"))
        assert seen(short) == pending_of(short, plan)
