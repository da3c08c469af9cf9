"""The workflows whose runs are in `runs.db`. What is written here stays as it is: the runs were begun with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from orchestration import Err, Failure, Ok, Retry, Signal, Workflow, step

HOLD = [
    False
]  # whether the steps that are to be in flight when the process ends never end: so it was when this was written


class Colour(Enum):
    """An enum."""

    RED = "red"


class Pair(NamedTuple):
    """A named tuple."""

    left: int
    right: str


@dataclass(frozen=True)
class Everything:
    """A value of each kind that a journal keeps."""

    number: int
    share: float
    far: float
    text: str
    raw: bytes
    money: Decimal
    at: datetime
    key: UUID
    colour: Colour
    pair: Pair
    some: tuple[int, ...]
    many: frozenset[int]
    by_name: dict[str, list[int]]
    nothing: None = None


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


async def hold_odd(n: int) -> int:
    """Hold odd numbers up."""
    return await hold(n) if n % 2 else n + 1


async def hold_nine(n: int) -> int:
    """Hold 9 up."""
    return await hold(n) if n == 9 else n + 1


async def refuse(n: int) -> int:
    """Fail."""
    raise Refused(n)


async def refuse_at_first(n: int) -> int:
    """Fail as long as the process is the first one."""
    if HOLD[0]:
        raise Refused(n)
    return n + 1


async def unmake(n: int) -> None:
    """Undo at once."""


async def hold_undo(n: int) -> None:
    """Undo; be in flight when the process ends."""
    await hold(n)


async def tidy(n: int) -> None:
    """Clean up."""


ALL_OF_IT = Everything(
    number=1,
    share=0.1,
    far=float("inf"),
    text="ä\n\u2028\x00",
    raw=b"\x00\xff",
    money=Decimal("1.10"),
    at=datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
    key=UUID(int=7),
    colour=Colour.RED,
    pair=Pair(1, "one"),
    some=(1, 2),
    many=frozenset({3}),
    by_name={"a": [1]},
)


async def collect(n: int) -> Everything:
    """Return a value of each kind."""
    return ALL_OF_IT


async def hold_everything(value: Everything) -> Everything:
    """Pass it on; be in flight when the process ends."""
    await hold(value.number)
    return value


def span(n: int) -> list[int]:
    """Return some numbers."""
    return [n, n + 1, n + 2, n + 3]


def is_ten(n: int, _: int) -> bool:
    """Tell when a loop is done."""
    return n >= 10


def count(results: list[Ok[int] | Err]) -> str:
    """Tell how many went well."""
    return f"{sum(isinstance(result, Ok) for result in results)} of {len(results)}"


async def instead(failure: Failure) -> int:
    """Take the place of what failed."""
    return -1


WORKFLOWS = {
    "chain": Workflow[int]("chain").step(inc).step(hold).step(inc),
    "values": Workflow[int]("values").step(collect).step(hold_everything),
    "map": Workflow[int]("map").pure(span).map(step(hold_odd).compensate(unmake), concurrency=2),
    "unwinding": (
        Workflow[int]("unwinding")
        .cleanup(tidy)
        .step(inc)
        .compensate(unmake)
        .step(inc)
        .compensate(hold_undo)
        .step(inc)
        .compensate(unmake)
        .step(refuse)
    ),
    "waiting": Workflow[int]("waiting").step(inc).compensate(unmake).wait_for(WORD).step(inc),
    "sleeping": Workflow[int]("sleeping").step(inc).sleep(3600.0).step(inc),
    "retrying": Workflow[int]("retrying").step(refuse_at_first, retry=Retry(initial_delay=3600.0, jitter="none")),
    "counting": Workflow[int]("counting").loop(hold_nine, until=is_ten, max_iterations=20),
    "recovered": Workflow[int]("recovered").step(inc).step(refuse).recover(instead, on=Refused).step(hold),
    "collected": Workflow[int]("collected").pure(span).map(hold_odd, concurrency=2, on_error="collect").pure(count),
    "submitted": Workflow[int]("submitted").step(inc),
    "succeeded": Workflow[int]("succeeded").step(inc).step(inc),
    "failed": Workflow[int]("failed").step(inc).compensate(unmake).step(refuse),
}
LOST = {"chain", "unwinding", "values"}  # whose process died, and did not end in order
EXPECTED: dict[str, object] = {  # the value, or the failure and the end states of what was done
    "chain": 4,
    "values": ALL_OF_IT,
    "map": [2, 3, 4, 5],
    "unwinding": ("Refused", ["Undone unwinding/inc_3", "Undone unwinding/inc_2", "Undone unwinding/inc"]),
    "waiting": 6,
    "sleeping": 3,
    "retrying": 2,
    "counting": 10,
    "recovered": 0,
    "collected": "4 of 4",
    "submitted": 2,
    "succeeded": 3,
    "failed": ("Refused", ["Undone failed/inc"]),
}
