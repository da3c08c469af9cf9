"""What a step and an item cost beside asyncio by hand, in the same process and interleaved.

    python benchmarks/overhead.py            all figures, about half a minute
    python benchmarks/overhead.py --quick    fewer repetitions

Times are the processor's, the least of several runs in microseconds; memory is the peak of what Python allocates
during one run. Compare the two columns of a row, not rows of two machines.
"""

from __future__ import annotations

import asyncio
import platform
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

from orchestration import LocalEngine, Workflow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

STEPS, ITEMS, CAP = 1_000, 100_000, 64
QUICK = "--quick" in sys.argv
REPEAT = 5 if QUICK else 25


async def noop(value: int) -> int:
    """Do nothing."""
    return value


async def turn(value: int) -> int:
    """Wait for one turn of the event loop."""
    await asyncio.sleep(0)
    return value


def chain(length: int) -> Workflow[int, int]:
    """Return a chain of steps that do nothing."""
    flow: Workflow[int, int] = Workflow[int]("chain")
    for _ in range(length):
        flow = flow.step(noop)
    flow.compile()
    return flow


async def task_per_step() -> None:
    """Run the chain by hand: a task for each step."""
    value = 1
    for _ in range(STEPS):
        value = await asyncio.create_task(noop(value))


async def task_group(body: Callable[[int], Awaitable[int]], items: list[int]) -> list[int]:
    """Run a capped map by hand: a task for each item, and a semaphore."""
    semaphore = asyncio.Semaphore(CAP)
    outputs = [0] * len(items)

    async def one(index: int, item: int) -> None:
        async with semaphore:
            outputs[index] = await body(item)

    async with asyncio.TaskGroup() as group:
        for index, item in enumerate(items):
            group.create_task(one(index, item))
    return outputs


async def least(*works: Callable[[], Awaitable[object]], repeat: int = REPEAT) -> list[float]:
    """Return the least processor time of each piece of work, in seconds; they take turns."""
    best = [float("inf")] * len(works)
    for _ in range(repeat):
        for index, work in enumerate(works):
            begun = time.process_time()
            await work()
            best[index] = min(best[index], time.process_time() - begun)
    return best


async def peak(work: Callable[[], Awaitable[object]]) -> float:
    """Return the peak of allocated memory during a piece of work, in MB."""
    tracemalloc.start()
    await work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6


def row(name: str, ours: float, by_hand: float, unit: str) -> None:
    """Print one row."""
    print(f"{name:<44}{ours:>10.2f}{by_hand:>10.2f} {unit:<4}{ours / by_hand:>8.2f}")


async def main() -> None:
    """Measure and print."""
    engine, steps, single, items = LocalEngine(), chain(STEPS), chain(1), list(range(ITEMS))
    print(f"Python {platform.python_version()}, {platform.machine()}")
    print(f"{'':<44}{'here':>10}{'by hand':>10}{'':5}{'ratio':>8}")

    ours, by_hand = await least(lambda: engine.execute(steps, 1), task_per_step)
    row(f"chain of {STEPS:,} steps | a task a step", ours / STEPS * 1e6, by_hand / STEPS * 1e6, "µs")

    async def runs() -> None:
        for _ in range(STEPS):
            await engine.execute(single, 1)

    ours, by_hand = await least(runs, task_per_step)
    row("a run of one step | a task", ours / STEPS * 1e6, by_hand / STEPS * 1e6, "µs")

    for body in (noop, turn):
        flow: Any = Workflow[list[int]]("map").map(body, concurrency=CAP)
        name = f"map of {ITEMS:,} ({body.__name__}), cap {CAP} | TaskGroup"
        works = (lambda flow=flow: engine.execute(flow, items), lambda body=body: task_group(body, items))
        ours, by_hand = await least(*works, repeat=2 if QUICK else 5)
        row(name, ours / ITEMS * 1e6, by_hand / ITEMS * 1e6, "µs")
        row("  its peak memory", await peak(works[0]), await peak(works[1]), "MB")


if __name__ == "__main__":
    asyncio.run(main())
