"""What a step, an item and a run cost, counted instead of timed: calls of Python functions, and bytes kept.

A count is the same on each run of one Python, on whatever machine, so a change of cost shows here before it can be
measured. Where a change is meant, write down the new figure: the test says it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Retry, Workflow
from orchestration.runtime.crew import STREAK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TOLERANCE = 0.1  # Pythons differ by some calls
SMALL, LARGE = 100, 300
AT_ONCE = Retry(max_attempts=LARGE + 1, initial_delay=0, jitter="none")


async def noop(value: int) -> int:
    """Do nothing."""
    return value


async def increase(value: int) -> int:
    """Add one."""
    return value + 1


def chain(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return steps in a row."""
    flow: Workflow[Any, Any] = Workflow[int]("chain")
    for _ in range(size):
        flow = flow.step(noop)
    return flow, 1


def watched(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return steps in a row of which each end is needed: that of one makes room for the next."""
    flow: Workflow[Any, Any] = Workflow[int]("watched", max_concurrency=1)
    for _ in range(size):
        flow = flow.step(noop)
    return flow, 1


def collected(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return a map that keeps failures as well."""
    return Workflow[list[int]]("collected").map(noop, concurrency=16, on_error="collect"), list(range(size))


def capped(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return a map that is full most of the time."""
    return Workflow[list[int]]("capped").map(noop, concurrency=16), list(range(size))


def uncapped(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return a map that admits all at once."""
    return Workflow[list[int]]("uncapped").map(noop), list(range(size))


def folded(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return a map whose results are folded as they come."""
    flow = Workflow[range]("folded").map(noop, concurrency=16).into(0, lambda total, item: total + item)
    return flow, range(size)


def looped(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return a loop."""
    flow = Workflow[int]("loop").loop(increase, until=lambda value, _: value >= size, max_iterations=size)
    return flow, 0


def branched(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return branches in a row."""
    flow: Workflow[Any, Any] = Workflow[int]("branched")
    for _ in range(size):
        flow = flow.branch().when(lambda value: value > 0, noop).otherwise(increase)
    return flow, 1


def retried(size: int) -> tuple[Workflow[Any, Any], object]:
    """Return a step that fails as often."""
    left = size

    async def flaky(value: int) -> int:
        nonlocal left
        left -= 1
        if left % size:
            raise ConnectionError
        return value

    return Workflow[int]("retried").step(flaky, retry=AT_ONCE), 1


CALLS: dict[Callable[[int], tuple[Workflow[Any, Any], object]], float] = {  # for one step, item, iteration, attempt
    chain: 6,
    watched: 46,
    capped: 7,
    collected: 8,
    uncapped: 51,
    folded: 11,
    looped: 7,
    branched: 8,
    retried: 129,
}
A_RUN = 64  # calls, for all of a run of one step that nobody can see
A_WATCHED_RUN = 212  # the same of one that has a driver


def calls_of(flow: Workflow[Any, Any], value: object) -> int:
    """Return how many Python functions are called while a workflow runs, the second time."""
    flow.compile()

    async def runs() -> int:
        engine: LocalEngine = LocalEngine()
        await engine.execute(flow, value)
        count = 0

        def note(_frame: object, event: str, _argument: object) -> None:
            nonlocal count
            count += event == "call"

        before = sys.getprofile()
        gc.collect()
        gc.disable()  # what others have left to it, and what is told of its work, are calls as well
        sys.setprofile(note)
        try:
            await engine.execute(flow, value)
        finally:
            sys.setprofile(before)
            gc.enable()
        return count

    return asyncio.run(runs())


class Source:
    """Numbers, one by one."""

    def __init__(self, size: int) -> None:
        """Say how many."""
        self.size = size

    async def __aiter__(self) -> AsyncIterator[int]:
        """Begin anew."""
        for number in range(self.size):
            yield number


def peak_of(flow: Workflow[Any, Any], value: object) -> int:
    """Return how many bytes are allocated at most while a workflow runs, the second time."""
    flow.compile()

    async def runs() -> int:
        engine: LocalEngine = LocalEngine()
        await engine.execute(flow, value)
        tracemalloc.start()
        try:
            await engine.execute(flow, value)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return asyncio.run(runs())


@pytest.mark.parametrize("make", CALLS, ids=lambda make: make.__name__)
def test_what_one_costs_stays_as_it_is(make: Callable[[int], tuple[Workflow[Any, Any], object]]) -> None:
    """The calls that one more step, item, iteration or attempt takes are those written down: neither more nor less."""
    more = calls_of(*make(LARGE)) - calls_of(*make(SMALL))
    assert more / (LARGE - SMALL) == pytest.approx(CALLS[make], rel=TOLERANCE)


def test_what_a_run_costs_stays_as_it_is() -> None:
    """The same of a run of one step, from the input to the outcome."""
    assert calls_of(*chain(1)) == pytest.approx(A_RUN, rel=TOLERANCE)
    assert calls_of(*watched(1)) == pytest.approx(A_WATCHED_RUN, rel=TOLERANCE)


@pytest.mark.parametrize("make", [chain, capped, looped], ids=lambda make: make.__name__)
def test_cost_grows_with_the_number_and_not_faster(make: Callable[[int], tuple[Workflow[Any, Any], object]]) -> None:
    """The third streak takes as many calls as the second: an event costs the depth of the plan, not its size."""
    first, second, third = (calls_of(*make(size)) for size in (2 * STREAK, 3 * STREAK, 4 * STREAK))
    assert third - second == pytest.approx(second - first, rel=0.05)


def test_a_stream_that_is_folded_takes_as_much_memory_for_many_items_as_for_few() -> None:
    """S16: memory is bounded by the items in flight, where items are pulled and results folded."""
    flow = Workflow[Any]("folded").map(noop, concurrency=16).into(0, lambda total, item: total + item)
    few, many = peak_of(flow, Source(500)), peak_of(flow, Source(2_000))
    assert many < few * 1.2


def test_a_map_keeps_its_results_and_little_else() -> None:
    """S16: what one more item takes is its place in the input, among the results and in the output."""
    few, many = peak_of(*capped(1_000)), peak_of(*capped(4_000))
    assert (many - few) / 3_000 < 150


def test_a_run_leaves_nothing_to_the_garbage_collector() -> None:
    """What a run is made of goes with its last reference: circles would cost a fifth of a short run."""
    flow, value = chain(3)
    flow.compile()

    async def runs() -> int:
        engine: LocalEngine = LocalEngine()
        await engine.execute(flow, value)
        await asyncio.sleep(0)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await engine.execute(flow, value)
            await asyncio.sleep(0)
            return gc.collect()
        finally:
            gc.enable()

    assert asyncio.run(runs()) < 20
