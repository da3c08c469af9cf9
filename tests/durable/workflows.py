"""Workflows for tests of durable runs, one for each thing that a run may be doing when something goes wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from orchestration import Retry, Signal, Workflow, step
from orchestration.errors import DeadlineExceeded

if TYPE_CHECKING:
    from orchestration import Failure

WORD = Signal("word", int)
SECOND = Retry(max_attempts=2, initial_delay=1.0, jitter="none")


class Refused(Exception):
    """No."""


async def inc(n: int) -> int:
    """Add one, which takes no time."""
    return n + 1


async def slowly(n: int) -> int:
    """Add one, which takes a while."""
    await asyncio.sleep(0.5)
    return n + 1


async def never(n: int) -> int:
    """Wait for ever."""
    await asyncio.Event().wait()
    return n


async def refuse(n: int) -> int:
    """Fail."""
    raise Refused(n)


async def unmake(n: int) -> None:
    """Undo."""
    await asyncio.sleep(0.25)


async def tidy(n: int) -> None:
    """Clean up."""


async def instead(failure: Failure) -> int:
    """Take the place of what failed."""
    return -1


def span(n: int) -> list[int]:
    """Return some numbers."""
    return [n, n + 1, n + 2]


def is_ten(n: int, _: int) -> bool:
    """Tell when a loop is done."""
    return n >= 10


undoable = step(slowly).compensate(unmake, in_doubt=unmake)

chain = Workflow[int]("chain").step(inc).step(slowly).step(inc)
undone = Workflow[int]("undone").step(inc).compensate(unmake).cleanup(tidy).step(slowly).compensate(unmake).step(refuse)
mapped = Workflow[int]("mapped").pure(span).map(undoable, concurrency=2)
broken = Workflow[int]("broken").pure(span).map(Workflow[int]("one").step(undoable).step(refuse), concurrency=2)
raced = Workflow[int]("raced").pure(span).map(undoable).race()
waiting = Workflow[int]("waiting").step(inc).compensate(unmake).wait_for(WORD).step(slowly)
asking = Workflow[int]("asking").step(inc).wait_for(WORD, timeout=1.0).recover(instead, on=DeadlineExceeded)
sleeping = Workflow[int]("sleeping").step(inc).sleep(2.0).step(inc)
retrying = Workflow[int]("retrying").step(inc).compensate(unmake).step(refuse, retry=SECOND)
late = Workflow[int]("late").step(inc).compensate(unmake).step(never, timeout=1.0)
looping = Workflow[int]("looping").loop(step(slowly), until=is_ten, max_iterations=20)

ALL: dict[str, Any] = {
    workflow.compile().name: workflow
    for workflow in (chain, undone, mapped, broken, raced, waiting, asking, sleeping, retrying, late, looping)
}
