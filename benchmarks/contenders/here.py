"""This library, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.workloads import CAP, FAILURES, FAN_CAP, NAPS_CAP, Flaky, nap, noop, turn
from orchestration import LocalEngine, Retry, Workflow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Body = Callable[[int], Awaitable[int]]
    Work = Callable[[], Awaitable[object]]


async def increase(value: int) -> int:
    """Add one."""
    return value + 1


def running(flow: Workflow[Any, Any], value: object, engine: LocalEngine | None = None) -> Work:
    """Compile, and return what runs it with one engine."""
    flow.compile()
    engine = engine or LocalEngine()

    async def work() -> object:
        outcome = await engine.execute(flow, value)
        return outcome.value  # type: ignore[union-attr]  # a failure has none, and the benchmark ends

    return work


def steps(size: int, body: Body = noop) -> Workflow[int, int]:
    """Return a chain."""
    flow: Workflow[int, int] = Workflow[int]("chain")
    for _ in range(size):
        flow = flow.step(body)
    return flow


def branches(size: int) -> Workflow[int, Any]:
    """Return branches in a row."""
    flow: Workflow[int, Any] = Workflow[int]("branches")
    for _ in range(size):
        flow = flow.branch().when(lambda value: value > 0, noop).otherwise(turn)
    return flow


def mapped_by(body: Body, cap: int) -> Workflow[list[int], list[int]]:
    """Return a map."""
    return Workflow[list[int]]("map").map(body, concurrency=cap)


def mapped(body: Body, cap: int) -> Callable[[int], Work]:
    """Map over as many items."""
    return lambda size: running(mapped_by(body, cap), list(range(size)))


FOLDED = Workflow[range]("folded").map(noop, concurrency=CAP).into(0, lambda total, item: total + item)
AT_ONCE = Retry(max_attempts=FAILURES + 1, initial_delay=0, jitter="none")

PREPARE = {
    "chain": lambda size: running(steps(size), 1),
    "chain_that_waits": lambda size: running(steps(size, turn), 1),
    "fan_out": mapped(noop, FAN_CAP),
    "map": mapped(noop, CAP),
    "map_that_waits": mapped(turn, CAP),
    "folded": lambda size: running(FOLDED, range(size)),
    "loop": lambda size: running(
        Workflow[int]("loop").loop(increase, until=lambda value, _: value >= size, max_iterations=size), 0
    ),
    "branch": lambda size: running(branches(size), 1),
    "retry": lambda _size: running(Workflow[int]("retry").step(Flaky(), retry=AT_ONCE), 1),
    "run": lambda _size: running(steps(1), 1),
    "naps": mapped(nap, NAPS_CAP),
}
