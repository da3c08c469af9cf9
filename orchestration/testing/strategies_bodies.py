"""The bodies of drawn workflows: each takes a number and gives one, so that any may follow any.

They do what they say, so a drawn workflow also runs on an engine, where some of its steps fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable  # noqa: TC003 - annotations of bodies are read at run time
from dataclasses import dataclass

from orchestration.failures import Failure  # noqa: TC001 - as above
from orchestration.plan.moments import Asked, Moment  # noqa: TC001 - as above
from orchestration.results import Err, NotStarted, Ok

MOST = 1_000  # numbers stay below this


class Faltered(Exception):
    """What `falter` fails with."""


@dataclass(frozen=True)
class Even:
    """An even number."""

    number: int


@dataclass(frozen=True)
class Odd:
    """An odd number."""

    number: int


async def work(number: int) -> int:
    """Have an effect that succeeds."""
    return (number + 1) % MOST


def labour(number: int) -> int:
    """Have an effect that succeeds, in a thread."""
    return (number + 2) % MOST


async def falter(number: int) -> int:
    """Have an effect that fails on every third number."""
    if number % 3 == 0:
        raise Faltered(number)
    return number


async def unwork(number: int) -> None:
    """Undo an effect."""


async def clarify(number: int) -> None:
    """Settle an effect of which nobody knows whether it landed."""


async def tidy(number: int) -> None:
    """Clean up."""


async def work_on_two(one: int, other: int) -> int:
    """Have an effect that takes two numbers."""
    return add(one, other)


async def excuse(failure: Failure) -> int:
    """Make a number of a failure."""
    return len(failure.path)


def double(number: int) -> int:
    """Double a number."""
    return number * 2 % MOST


def explode(number: int) -> int:
    """Fail on every fifth number, but not on the first."""
    if number and number % 5 == 0:
        raise ValueError(number)
    return number


def add(one: int, other: int) -> int:
    """Add two numbers."""
    return (one + other) % MOST


def add_result(total: int, result: Ok[int] | Err | NotStarted) -> int:
    """Add what has succeeded."""
    return add(total, result.value) if isinstance(result, Ok) else total


def add_all(numbers: Iterable[int]) -> int:
    """Add numbers."""
    return sum(numbers) % MOST


def add_results(results: Iterable[Ok[int] | Err | NotStarted]) -> int:
    """Add those that have succeeded."""
    return add_all(result.value for result in results if isinstance(result, Ok))


def spread(number: int) -> list[int]:
    """Return up to three numbers."""
    return [number + place for place in range(number % 4)]


def is_even(number: int) -> bool:
    """Tell even numbers."""
    return number % 2 == 0


def is_far(number: int, index: int) -> bool:
    """End a loop on even numbers, at the latest after its second iteration."""
    return number % 2 == 0 or index > 0


def sort(number: int) -> Even | Odd:
    """Tell even from odd by type."""
    return Even(number) if number % 2 == 0 else Odd(number)


async def work_on_even(even: Even) -> int:
    """Have an effect for an even number."""
    return even.number


async def work_on_odd(odd: Odd) -> int:
    """Have an effect for an odd number."""
    return odd.number


@dataclass(frozen=True)
class Numbers:
    """A stream of numbers, which can be read again."""

    numbers: tuple[int, ...]

    async def __aiter__(self) -> AsyncIterator[int]:
        """Give one after the other."""
        for number in self.numbers:
            yield number


def stream(number: int) -> AsyncIterable[int]:
    """Return a stream of up to three numbers."""
    return Numbers(tuple(spread(number)))


async def allow(asked: Asked) -> None:
    """Let a step begin."""


async def watch(moment: Moment) -> None:
    """Look on."""
