"""Bodies for the plans of the model: all take whatever comes, so that any node may stand anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.failures import Failure
from orchestration.results import Err, NotStarted, Ok

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator


class Declined(Exception):
    """What the steps of a script fail with."""


def act(value: object) -> int:
    """Stand for an effect: the script says what comes out."""
    raise NotImplementedError


def act_on_two(one: object, other: object) -> int:
    """Stand for an effect that takes two values."""
    raise NotImplementedError


def undo(value: object) -> None:
    """Stand for an undo."""


def settle(value: object) -> None:
    """Stand for an in-doubt handler."""


def tidy(value: object) -> None:
    """Stand for a cleanup."""


def squash(value: object) -> int:
    """Return a number that tells most values apart."""
    match value:
        case int():
            return value
        case Ok():
            return 3 * squash(value.value) + 1
        case Err():
            return len(value.failure.path) + len(value.failure.kind)
        case NotStarted():
            return -len(value.because_of)
        case Failure():
            return len(value.path)
        case list() | tuple():
            return sum((place + 1) * squash(item) for place, item in enumerate(value)) % 1000
        case _:
            return 7


def explode(value: object) -> int:
    """Raise on every fourth number."""
    number = squash(value)
    if number % 4 == 3:
        raise ValueError(number)
    return number


def add(one: object, other: object) -> int:
    """Combine two values."""
    return (squash(one) * 2 + squash(other)) % 1000


def is_even(value: object) -> bool:
    """Tell even numbers."""
    return squash(value) % 2 == 0


def is_far(value: object, index: int) -> bool:
    """Stop a loop on even numbers, and after the second iteration on most others."""
    return squash(value) % 2 == 0 or (index > 0 and squash(value) % 5 > 0)


def spread(value: object) -> list[int]:
    """Return up to three numbers."""
    number = squash(value)
    return [number + place for place in range(abs(number) % 4)]


class Source:
    """A stream: the script says what comes out."""

    def __aiter__(self) -> AsyncIterator[int]:
        """Nobody reads it."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """All are the same."""
        return isinstance(other, Source)

    __hash__ = None  # type: ignore[assignment]  # never a key


def stream(value: object) -> AsyncIterable[int]:
    """Return a stream."""
    return Source()
