"""asyncio by hand, as it is mostly written: a task a step, and a `TaskGroup` with a semaphore."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.workloads import CAP, FAILURES, FAN_CAP, NAPS_CAP, Flaky, nap, noop, turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    Body = Callable[[int], Coroutine[Any, Any, int]]
    Work = Callable[[], Awaitable[object]]


def chain(body: Body) -> Callable[[int], Work]:
    """Await a task for each step."""

    def prepare(size: int) -> Work:
        async def work() -> int:
            value = 1
            for _ in range(size):
                value = await asyncio.create_task(body(value))
            return value

        return work

    return prepare


def group(body: Body, cap: int) -> Callable[[int], Work]:
    """Give each item a task, and let a semaphore hold them back."""

    def prepare(size: int) -> Work:
        items = list(range(size))

        async def work() -> list[int]:
            semaphore, outputs = asyncio.Semaphore(cap), [0] * size

            async def one(index: int, item: int) -> None:
                async with semaphore:
                    outputs[index] = await body(item)

            async with asyncio.TaskGroup() as tasks:
                for index, item in enumerate(items):
                    tasks.create_task(one(index, item))
            return outputs

        return work

    return prepare


def folded(size: int) -> Work:
    """Add up what a task for each item gives."""
    prepared = group(noop, CAP)(size)

    async def work() -> int:
        return sum(await prepared())  # type: ignore[arg-type]  # a list of numbers

    return work


def loop(size: int) -> Work:
    """Go on until it is enough, a task a time."""

    async def work() -> int:
        value = 0
        while value < size:
            value = await asyncio.create_task(noop(value + 1))
        return value

    return work


def branch(size: int) -> Work:
    """Choose between two tasks."""

    async def work() -> int:
        value = 1
        for _ in range(size):
            value = await asyncio.create_task(noop(value) if value > 0 else turn(value))
        return value

    return work


def retry(_size: int) -> Work:
    """Try again at once, a task an attempt."""
    flaky = Flaky()

    async def work() -> int:
        for _ in range(FAILURES):
            try:
                return await asyncio.create_task(flaky(1))
            except ConnectionError:
                pass
        return await asyncio.create_task(flaky(1))

    return work


PREPARE = {
    "chain": chain(noop),
    "chain_that_waits": chain(turn),
    "fan_out": group(noop, FAN_CAP),
    "map": group(noop, CAP),
    "map_that_waits": group(turn, CAP),
    "folded": folded,
    "loop": loop,
    "branch": branch,
    "retry": retry,
    "run": chain(noop),
    "naps": group(nap, NAPS_CAP),
}
