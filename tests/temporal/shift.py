"""A worker in a process of its own, to be killed: `python -m tests.temporal.shift HOST:PORT QUEUE`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from temporalio.client import Client

from orchestration import Retry, Signal, Workflow
from orchestration.engines.temporal import TemporalWorker
from orchestration.runtime.context import step_context


def note(what: str) -> None:
    """Write a line that outlives this process."""
    with Path(os.environ["SHIFT_NOTES"]).open("a") as notes:
        notes.write(f"{what}\n")


async def begin(number: int) -> int:
    """Have an effect."""
    note(f"begin {number}")
    return number + 1


async def give_back(number: int) -> None:
    """Undo `begin`."""
    note(f"give back {number}")


async def linger(number: int) -> int:
    """Take for ever, until somebody allows it to end."""
    note(f"linger {number} {step_context().idempotency_key}")
    while not Path(os.environ["SHIFT_NOTES"]).with_name("allowed").exists():
        await asyncio.sleep(0.05)
    note(f"lingered {number}")
    return number + 1


async def carry(number: int) -> int:
    """Take a moment."""
    await asyncio.sleep(0.1)
    note(f"carried {number} by {os.environ['SHIFT_NAME']}")
    return number


def numbers(number: int) -> list[int]:
    """Return so many numbers."""
    return list(range(number))


async def fail(number: int) -> int:
    """Fail each time."""
    note("fail")
    raise ConnectionError("nobody there")


def linger_in_a_thread(number: int) -> int:
    """Take for ever in a thread, until told to end."""
    note("in a thread")
    context = step_context()
    while not context.cancelled:
        time.sleep(0.01)
    note("told to end in a thread")
    return number


async def tidy(number: int) -> None:
    """Clean up."""
    note(f"tidy {number}")


def total(*numbers: int) -> int:
    """Add up."""
    return sum(numbers)


LINGERING = Workflow[int]("lingering").step(begin).compensate(give_back).step(linger).compensate(give_back)
CARRYING = Workflow[int]("carrying").pure(numbers).map(carry, concurrency=6)
GO = Signal("go", int)


def begun(name: str) -> Workflow[int, int]:
    """Return the beginning of a workflow that leaves something to undo, and something to clean up."""
    return Workflow[int](name).step(begin).compensate(give_back).cleanup(tidy)


EVERYTHING = (
    begun("everything")
    .fork(begun("attempt").step(linger))
    .fork(begun("thread").step(linger_in_a_thread))
    .fork(begun("asleep").sleep(3_600))
    .fork(begun("signal").wait_for(GO, total))
    .fork(begun("backoff").step(fail, retry=Retry(5, 3_600, jitter="none")))
    .fork(begun("items").pure(numbers).map(begun("item").step(linger)).pure(len))
    .join(total)
)
FLOWS = (LINGERING, CARRYING, EVERYTHING)


async def main(target: str, queue: str) -> None:
    """Work until killed."""
    client = await Client.connect(target)
    async with TemporalWorker(client, task_queue=queue, workflows=FLOWS, pulse=0.1, sticky=0.3, max_concurrency=3):
        note(f"up {os.environ['SHIFT_NAME']}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    from tests.temporal import shift  # the functions of a plan are those of the module, not of `__main__`

    asyncio.run(shift.main(*sys.argv[1:]))
