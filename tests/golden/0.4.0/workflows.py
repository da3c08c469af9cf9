"""The workflows whose runs are in `runs.db`. What is written here stays as it is: the runs were begun with it."""

from __future__ import annotations

import asyncio

from orchestration import Graph, Node, Retry, Signal, Workflow, graph, step

HOLD = [False]  # whether the steps that are to be in flight when the process ends never end, as when it was written
WORD = Signal("word", int)


class Refused(Exception):
    """No."""


async def inc(n: int) -> int:
    """Add one."""
    return n + 1


async def hold(n: int) -> int:
    """Add one; be in flight when the process ends."""
    while HOLD[0]:
        await asyncio.sleep(60.0)
    return n + 1


async def hold_odd(numbered: tuple[int, int]) -> int:
    """Add up; hold up what has an odd number."""
    number, n = numbered
    return await hold(n) + number - 1 if number % 2 else n + number


async def hold_nine(n: int) -> int:
    """Hold 9 up."""
    return await hold(n) if n == 9 else n + 1


async def add(total: int, n: int) -> int:
    """Add; hold 3 up."""
    return total + (await hold(n) - 1 if n == 3 else n)


async def refuse(n: int) -> int:
    """Fail."""
    raise Refused(n)


async def refuse_at_first(n: int) -> int:
    """Fail as long as the process is the first one."""
    if HOLD[0]:
        raise Refused(n)
    return n + 1


async def unmake(n: int) -> None:
    """Undo."""


def span(n: int) -> list[int]:
    """Return some numbers."""
    return [n, n + 1, n + 2, n + 3]


def is_ten(n: int, _: int) -> bool:
    """Tell when a loop is done."""
    return n >= 10


def is_even(n: int) -> bool:
    """Tell which arm is taken."""
    return n % 2 == 0


def both(left: int, right: int) -> int:
    """Add what two nodes gave."""
    return left * 100 + right


def diamond(g: Graph[int]) -> Node[int]:
    """Two sides, of which the second is in flight when the process ends."""
    first = g.node(inc, g.input)
    return g.node(both, g.node(inc, first), g.node(hold, first))


WORKFLOWS = {
    "numbered": Workflow[int]("numbered").pure(span).enumerate().map(hold_odd, concurrency=2),
    "folded": Workflow[int]("folded").pure(span).fold(0, add),
    "summed": Workflow[int]("summed").pure(span).map(step(inc), concurrency=2).into(0, both).step(hold),
    "diamond": Workflow[int]("outer").step(graph(diamond)),
    "raced": Workflow[int]("raced").fork(hold).fork(refuse_at_first).race(),
    "arm": Workflow[int]("arm").branch().when(is_even, inc).otherwise(hold).step(inc),
    "inner": Workflow[int]("inner").step(Workflow[int]("part").step(inc).compensate(unmake).step(hold)).step(refuse),
    "pivoted": Workflow[int]("pivoted").step(inc).compensate(unmake).pivot().step(inc).compensate(unmake).step(hold),
    "timed": Workflow[int]("timed").step(hold, timeout=3 * 86_400.0),
    "tried": Workflow[int]("tried").step(
        Workflow[int]("whole").step(inc).step(refuse_at_first), retry=Retry(initial_delay=3600.0, jitter="none")
    ),
    "waiting": Workflow[int]("waiting").wait_for(WORD, timeout=3 * 86_400.0).step(inc),
    "counting": Workflow[int]("counting").loop(hold_nine, until=is_ten, max_iterations=20),
    "succeeded": Workflow[int]("succeeded").step(inc).step(inc),
    "failed": Workflow[int]("failed").step(inc).compensate(unmake).step(refuse),
}
LOST = {"numbered", "diamond", "inner"}  # whose process died, and did not end in order
EXPECTED: dict[str, object] = {  # the value, or the failure and the end states of what was done
    "numbered": [1, 3, 5, 7],
    "folded": 10,
    "summed": 2030406,
    "diamond": 303,
    "raced": 2,
    "arm": 3,
    "inner": ("Refused", ["Undone inner/part/inc"]),
    "pivoted": 4,
    "timed": 2,
    "tried": 3,
    "waiting": 6,
    "counting": 10,
    "succeeded": 3,
    "failed": ("Refused", ["Undone failed/inc"]),
}
