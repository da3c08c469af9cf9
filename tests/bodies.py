"""Bodies for the plans of tests: importable functions, so that plans have references and JSON forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True)
class Order:
    """What most test workflows take."""

    id: str
    total: int = 0


@dataclass(frozen=True)
class Receipt:
    """What some give."""

    number: int


@dataclass(frozen=True)
class Numbers:
    """A stream of numbers, so many."""

    count: int

    async def __aiter__(self) -> AsyncIterator[int]:
        """Give them from 0."""
        for n in range(self.count):
            yield n


def same(value: Any) -> Any:
    """Return a value of any type."""
    return value


def both(one: Any, other: Any) -> list[Any]:
    """Return two values of any type."""
    return [one, other]


def double(n: int) -> int:
    """Return twice a number."""
    return n * 2


def increase(n: int) -> int:
    """Return the next number."""
    return n + 1


def undo(n: int) -> None:
    """Undo `increase`."""


def settle(n: int) -> None:
    """Settle an `increase` that is in doubt."""


def spread(n: int) -> list[int]:
    """Return some numbers."""
    return [n + i for i in range(abs(n) % 4)]


def total(numbers: list[int]) -> int:
    """Return the sum."""
    return sum(numbers)


def pair_total(one: int, other: int) -> int:
    """Return the sum of two."""
    return one + other


def is_even(n: int) -> bool:
    """Tell even numbers."""
    return n % 2 == 0


def sum_of(numbers: tuple[int, ...]) -> int:
    """Return the sum of a tuple."""
    return sum(numbers)


def void(value: object) -> None:
    """Undo anything."""
