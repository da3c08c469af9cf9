"""What the tests of the runtime share: bodies that wait to be let through, and runs that leave nothing behind."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE = 0.05


class Gate:
    """A step that waits until it is let through, and says when it has begun."""

    def __init__(self) -> None:
        """Be closed."""
        self.begun = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, n: int) -> int:
        """Wait."""
        self.begun.set()
        await self.opened.wait()
        return n + 1


class Crowd:
    """A step that waits until as many attempts are under way as are expected, and counts how many ever were."""

    def __init__(self, expected: int) -> None:
        """Have nobody in it."""
        self.expected = expected
        self.inside = 0
        self.most = 0
        self.order: list[object] = []

    async def __call__(self, n: object) -> object:
        """Wait until the crowd is complete, then leave some turns for more to come in."""
        self.order.append(n)
        self.inside += 1
        self.most = max(self.most, self.inside)
        while self.most < self.expected:
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        self.inside -= 1
        return n


def others() -> set[asyncio.Task[object]]:
    """Return the tasks that live besides this one."""
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]  # a test runs in a task


def go(main: Callable[[], object]) -> None:
    """Run a test's coroutine and see to it that no task outlives it."""

    async def checked() -> None:
        await main()  # type: ignore[misc]  # a coroutine function
        assert others() == set()

    asyncio.run(checked())


def no_new_threads() -> Iterator[None]:
    """S29: fail if what happens meanwhile leaves a thread behind."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


async def turns(count: int = 5) -> None:
    """Let the loop go round a few times."""
    for _ in range(count):
        await asyncio.sleep(0)
