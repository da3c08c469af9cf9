"""What the patterns are made of: bodies that leave their letter, and steps that tell their own run something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration import Signal, Workflow
from tests.machine import Machine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

DONE = Signal("done", str)


def a(before: str) -> str:
    """Leave an a."""
    return f"{before}a"


def b(before: str) -> str:
    """Leave a b."""
    return f"{before}b"


def c(before: str) -> str:
    """Leave a c."""
    return f"{before}c"


def after(before: str) -> str:
    """Leave the mark of what comes after."""
    return f"{before}!"


def together(*parts: str) -> str:
    """Make one text of several."""
    return "+".join(parts)


def both(one: str, other: str) -> str:
    """Make one text of two."""
    return together(one, other)


def joined(parts: Sequence[str]) -> str:
    """Make one text of a list or tuple."""
    return together(*parts)


def keep(value: Any, _: object) -> Any:
    """Let the value go on, whatever was sent."""
    return value


def append(those: list[str], one: str) -> list[str]:
    """Return a list with one more."""
    return [*those, one]


class Feed:
    """A stream whose items a test gives."""

    def __aiter__(self) -> AsyncIterator[str]:
        """Nobody opens it: the test answers the pulls."""
        raise NotImplementedError


class Post:
    """Lets a step tell its own run something: what a service with the run's handle does in an application."""

    run: Machine

    def start(self, workflow: Workflow[Any, Any, Any], value: object) -> Machine:
        """Begin a run whose steps tell by this post."""
        self.run = Machine(workflow.compile(), value)
        return self.run

    def tell(self, signal: Signal[str] = DONE) -> Callable[[str], str]:
        """Return a step that sends its value as a signal, and passes it on."""

        def tell(value: str) -> str:
            self.run.signal(signal.name, value)
            return value

        return tell


def gather(enough: Callable[[list[str], int], bool], most: int, signal: Signal[str] = DONE) -> Workflow[Any, list[str]]:
    """Wait for signals until there are enough of them, which is decided as each comes."""
    wait = Workflow[list[str]]("wait").wait_for(signal, append)
    return Workflow[Any]("gather").pure(lambda _: list[str]()).loop(wait, until=enough, max_iterations=most)


def first(count: int, signal: Signal[str] = DONE) -> Workflow[Any, list[str]]:
    """Wait for so many signals."""
    return gather(lambda those, _: len(those) == count, count, signal)
