"""Bodies for workflows on Temporal; what they do is noted."""

from __future__ import annotations

import asyncio

from orchestration import Retry, Signal, Workflow
from orchestration.runtime.context import step_context

NOTES: list[str] = []
WORD = Signal("word", int)


async def increase(number: int) -> int:
    """Add one."""
    NOTES.append(f"increase {number}")
    return number + 1


async def decrease(number: int) -> None:
    """Undo `increase`."""
    NOTES.append(f"decrease {number}")


async def hang(number: int) -> int:
    """Never end, unless told to."""
    NOTES.append("hang")
    try:
        await asyncio.Event().wait()
    finally:
        NOTES.append("told to end")
    return number


async def stay(number: int) -> int:
    """Take no notice of being told to end, for a while."""
    NOTES.append("stay")
    for _ in range(4):
        try:
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            NOTES.append("told to end")
    NOTES.append("stayed")
    return number


def in_a_thread(number: int) -> int:
    """Wait in a thread until told to end."""
    NOTES.append("in a thread")
    context = step_context()
    while not context.cancelled:
        step_context()
    return number


async def busy(number: int) -> int:
    """Note how many of these are under way."""
    NOTES.append("+")
    await asyncio.sleep(0.02)
    NOTES.append("-")
    return number


def add(one: int, other: int) -> int:
    """Add."""
    return one + other


def lengthen(number: int) -> int:
    """Add one, evaluated by the interpreter."""
    return number + 1


def is_far(number: int, index: int) -> bool:
    """End a loop, far away."""
    return index > 2_500


def opaque(number: int) -> object:
    """Make something that has no form in JSON."""
    return object()


def spread(number: int) -> list[int]:
    """Return so many numbers."""
    return list(range(number))


HANGING = Workflow[int]("hanging").step(increase).compensate(decrease).step(hang)
SAGA = Workflow[int]("saga").step(increase).compensate(decrease).step(increase).compensate(decrease)
WAITING = Workflow[int]("waiting").wait_for(WORD, add).step(increase)
LONG = Workflow[int]("long").pure(spread).map(busy, concurrency=5).pure(len)
SURE = Retry(max_attempts=2, initial_delay=0.01, jitter="none")
