"""Measure one contender, in the interpreter that runs this, and print what was found as JSON.

    python -m benchmarks.measure here                 all its workloads
    python -m benchmarks.measure here chain run       some

Each figure is the least of several repetitions, in seconds for one unit. What would take too long is left out.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
import tracemalloc
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from benchmarks.workloads import WORKLOADS, Workload, expected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Work = Callable[[], Awaitable[object]]

ENOUGH = 0.03  # seconds: what is shorter is done several times, so that the clock's grain does not show
BUDGET = 0.8  # seconds for the repetitions of one workload in one size
LONGEST = 12.0  # seconds that one repetition may take
TRACED = 30.0  # seconds that one may take while its memory is traced, which makes it four times slower
REPEAT = 25


async def seconds(work: Work, times: int) -> tuple[float, float]:
    """Return the processor's seconds and those on the wall that the work takes, done so many times in a row."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(times):
        await work()
    return time.process_time() - processor, time.perf_counter() - wall


def checked(work: Work, key: str, size: int) -> Work:
    """Return the work with a look at what it gives."""

    async def look() -> None:
        found = await work()
        if found is not None and found != expected(key, size):
            message = f"{key} of {size} gives {found!r:.80}"
            raise ValueError(message)

    return look


async def least(work: Work, first: tuple[float, float]) -> tuple[float, float]:
    """Return the least of both for one time; `first` is what it took the first time."""
    if first[1] > BUDGET:
        return first
    times, once = 1, first[1]
    while once < ENOUGH:
        times *= 2
        _, once = await seconds(work, times)
    processor, wall, begun = [], [], time.perf_counter()
    for repetition in range(REPEAT):
        one, other = await seconds(work, times)
        processor.append(one / times)
        wall.append(other / times)
        if time.perf_counter() - begun > BUDGET and repetition:
            break
    return min(processor), min(wall)


async def peak(work: Work) -> int:
    """Return how many bytes are allocated at most while the work is done."""
    tracemalloc.start()
    await work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


async def figures(contender: str, workloads: dict[str, Workload]) -> list[dict[str, Any]]:
    """Return one row for each workload and size that the contender can do."""
    module = importlib.import_module(f"benchmarks.contenders.{contender}")
    rows: list[dict[str, Any]] = []
    async with getattr(module, "set_up", nullcontext)():
        for key, workload in workloads.items():
            prepare = module.PREPARE.get(key)
            unit = 0.0  # seconds on the wall, as far as they are known
            for size in workload.sizes if prepare else ():
                if unit * size > LONGEST:
                    break
                work = prepare(size)
                try:
                    async with asyncio.timeout(LONGEST):
                        first = await seconds(checked(work, key, size), 1)
                except TimeoutError:
                    break
                processor, wall = await least(work, first)
                row = {"workload": key, "size": size, "processor": processor / size, "wall": wall / size}
                if workload.memory and wall * 4 < TRACED:
                    row["peak"] = await peak(work)
                rows.append(row)
                unit = wall / size
    return rows


if __name__ == "__main__":
    chosen = {key: row for key, row in WORKLOADS.items() if key in (sys.argv[2:] or WORKLOADS)}
    json.dump(asyncio.run(figures(sys.argv[1], chosen)), sys.stdout)
