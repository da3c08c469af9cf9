"""What the tests of hooks share: hooks that note what they are called with, and steps that fail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from orchestration import Retry, Veto, gate, observer

if TYPE_CHECKING:
    from orchestration.plan.hooks import Hook
    from orchestration.plan.moments import Asked, Moment

NOW = Retry(max_attempts=2, initial_delay=0.0, jitter="none")
ONCE = Retry(max_attempts=1)


class Diary:
    """Makes hooks that note what they are called with."""

    def __init__(self) -> None:
        """Have nothing noted."""
        self.moments: list[tuple[str, Any]] = []

    def watch(self, name: str = "", **options: Any) -> Hook:
        """Return an observer."""

        async def note(moment: Moment) -> None:
            self.moments.append((name, moment))

        return observer(note, **options)

    def allow(self, name: str = "", **options: Any) -> Hook:
        """Return a gate that allows everything."""

        async def let_pass(asked: Asked) -> None:
            self.moments.append((name, asked))

        return gate(let_pass, **options)

    @property
    def lines(self) -> list[str]:
        """What was noted, a line each: who, what, where, how."""
        lines = []
        for name, moment in self.moments:
            how = getattr(moment, "how", getattr(moment, "by", ""))
            words = (name, type(moment).__name__, moment.path.partition("/")[2], how, getattr(moment, "attempt", ""))
            lines.append(" ".join(str(word) for word in words if word != ""))
        return lines


async def lose(n: int) -> int:
    """Fail."""
    raise ConnectionError(n)


class Flaky:
    """A step that fails the first time."""

    def __init__(self) -> None:
        """Not have been called."""
        self.calls = 0

    async def __call__(self, n: int) -> int:
        """Fail, or return the number."""
        self.calls += 1
        if self.calls == 1:
            raise ConnectionError
        return n


def refuse(asked: Asked) -> Veto:
    """Forbid everything."""
    return Veto(f"not {asked.step}")


class Odd(BaseException):
    """What is neither an Exception nor an interrupt."""


class Mute(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        """Fail."""
        raise ValueError


async def never(_: object) -> None:
    """Wait for ever."""
    await asyncio.get_running_loop().create_future()
