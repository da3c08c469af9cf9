"""asyncio by hand, the least that can be written: a bare `await`, and a pool of workers that share an iterator."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.workloads import CAP, FAILURES, FAN_CAP, NAPS_CAP, Flaky, nap, noop, turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Body = Callable[[int], Awaitable[int]]
    Work = Callable[[], Awaitable[object]]


def chain(body: Body) -> Callable[[int], Work]:
    """Await one after the other."""

    def prepare(size: int) -> Work:
        async def work() -> int:
            value = 1
            for _ in range(size):
                value = await body(value)
            return value

        return work

    return prepare


def pool(body: Body, cap: int) -> Callable[[int], Work]:
    """Let `cap` workers take the items."""

    def prepare(size: int) -> Work:
        items = list(range(size))

        async def work() -> list[int]:
            outputs, source = [0] * size, iter(enumerate(items))

            async def worker() -> None:
                for index, item in source:
                    outputs[index] = await body(item)

            async with asyncio.TaskGroup() as group:
                for _ in range(cap):
                    group.create_task(worker())
            return outputs

        return work

    return prepare


def folded(size: int) -> Work:
    """Add the results up as they come."""

    async def work() -> int:
        total, source = 0, iter(range(size))

        async def worker() -> None:
            nonlocal total
            for item in source:
                total += await noop(item)

        async with asyncio.TaskGroup() as group:
            for _ in range(CAP):
                group.create_task(worker())
        return total

    return work


def loop(size: int) -> Work:
    """Go on until it is enough."""

    async def work() -> int:
        value = 0
        while value < size:
            value = await noop(value + 1)
        return value

    return work


def branch(size: int) -> Work:
    """Choose between two."""

    async def work() -> int:
        value = 1
        for _ in range(size):
            value = await noop(value) if value > 0 else await turn(value)
        return value

    return work


def retry(_size: int) -> Work:
    """Try again at once."""
    flaky = Flaky()

    async def work() -> int:
        for _ in range(FAILURES):
            try:
                return await flaky(1)
            except ConnectionError:
                pass
        return await flaky(1)

    return work


PREPARE = {
    "chain": chain(noop),
    "chain_that_waits": chain(turn),
    "fan_out": pool(noop, FAN_CAP),
    "map": pool(noop, CAP),
    "map_that_waits": pool(turn, CAP),
    "folded": folded,
    "loop": loop,
    "branch": branch,
    "retry": retry,
    "run": chain(noop),
    "naps": pool(nap, NAPS_CAP),
}
