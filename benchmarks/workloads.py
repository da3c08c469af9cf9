"""What is measured: one row a workload, and the bodies that all contenders run.

A contender is a module of `contenders/`. Its table `PREPARE` holds, by the key of a workload, a function of the size
that returns what performs the work once, as an async function. What stands before that is not measured.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

CAP = 64  # of maps
FAN_CAP = 32
NAPS_CAP, NAP = 50, 0.01  # seconds
FAILURES = 3


class Workload(NamedTuple):
    """One row: a thing to do, in several sizes.

    `unit` is what a figure is for: a step, an item, a run. `waits`: the clock on the wall counts, not the processor's.
    `memory`: the peak of allocated memory is measured as well.
    """

    title: str
    sizes: tuple[int, ...]
    unit: str
    waits: bool = False
    memory: bool = False


WORKLOADS = {
    "chain": Workload("W1 chain of steps", (10, 100, 1_000), "step"),
    "chain_that_waits": Workload("W1 chain, each step waits a turn", (1_000,), "step"),
    "fan_out": Workload(f"W2 fan-out, cap {FAN_CAP}", (1_000,), "item"),
    "map": Workload(f"W3 map, cap {CAP}", (10_000, 100_000, 1_000_000), "item", memory=True),
    "map_that_waits": Workload(f"W3 map, each item waits a turn, cap {CAP}", (10_000, 100_000), "item"),
    "folded": Workload(f"W3 map into a sum, cap {CAP}", (10_000, 100_000, 1_000_000), "item", memory=True),
    "loop": Workload("W4 loop", (10_000,), "iteration"),
    "branch": Workload("W5 branches in a row", (100,), "branch"),
    "retry": Workload(f"W6 {FAILURES} failures, then success", (1,), "run"),
    "run": Workload("W7 a run of one step", (1,), "run"),
    "naps": Workload(f"W10 naps of {NAP * 1e3:.0f} ms, cap {NAPS_CAP}", (200,), "nap", waits=True),
}


async def noop(value: int) -> int:
    """Do nothing."""
    return value


async def turn(value: int) -> int:
    """Wait for one turn of the event loop."""
    await asyncio.sleep(0)
    return value


async def nap(value: int) -> int:
    """Wait as if for a network."""
    await asyncio.sleep(NAP)
    return value


class Flaky:
    """A body that fails the first times of each run, by one exception that costs nothing to make."""

    def __init__(self) -> None:
        """Begin with failures."""
        self.called = 0
        self.error = ConnectionError("flaky")

    async def __call__(self, value: int) -> int:
        """Fail, or do nothing."""
        self.called += 1
        if self.called % (FAILURES + 1):
            raise self.error
        return value


def expected(key: str, size: int) -> object:
    """Return what the work has to give, where a contender returns it: a benchmark of wrong results is none."""
    one = dict.fromkeys(("chain", "chain_that_waits", "run", "retry", "branch"), 1)
    return {**one, "loop": size, "folded": sum(range(size))}.get(key, list(range(size)))
