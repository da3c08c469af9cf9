"""Where calls that block are made: in one thread beside the event loop, or here if that is as good.

A thread of its own: by way of an executor a call costs 40 µs more, where a quick disk takes 300 µs for a commit. To the
thread and back takes 150 µs to 300 µs (measured, Linux on two cores), and this is what a chain of steps waits for at
each step. So a commit is made in the event loop itself if the last one was quick and no other run would wait for it.
"""

from __future__ import annotations

import asyncio
import math
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeAlias, TypeVar

from orchestration.runtime.tasks import called, hand_over

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

    Calls: TypeAlias = "SimpleQueue[tuple[Callable[[], object], Future[Any]] | None]"

P = ParamSpec("P")
T = TypeVar("T")

QUICK = 0.002  # seconds: what took longer is made in the thread the next time


async def finished(call: Future[T]) -> T:
    """Wait until a call is over: half of it is no state to go on from, or to stop in. A cancel comes after it."""
    cancelled = False
    while not call.done():
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - what was cancelled is a task
        task.uncancel()  # it counts once, for the `asyncio.timeout` that it may come from
        task.cancel()
    return call.result()


class Desk:
    """Makes one call of a journal after the other. Its thread lives while a run uses it: `with desk: ...`."""

    def __init__(self, *, blocks: bool) -> None:
        """Start nothing yet. What never `blocks` is called at once."""
        self._blocks = blocks
        self._thread: Thread | None = None
        self._calls: Calls = SimpleQueue()
        self._users = 0
        self.took: float = math.inf  # seconds, the last commit
        self._lock = Lock()  # an engine may have runs in several event loops

    async def call(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Call a function, and return what it returns; a cancel reaches the task that waits when the call is over."""
        if self._thread is None:
            return function(*arguments, **options)
        done: Future[T] = asyncio.get_running_loop().create_future()
        self._calls.put((partial(function, *arguments, **options), done))
        return await finished(done)

    @property
    def is_at_hand(self) -> bool:
        """Whether a commit may be made in the event loop: it would not stand still for long, nor another run wait."""
        return self._thread is None or (self._users == 1 and self.took < QUICK)

    def commit_here(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Make a commit in this thread, and return what it returns."""
        began = perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            self.took = perf_counter() - began

    async def commit(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Make a commit as `call` makes calls, and return what it returns."""
        return await self.call(self.commit_here, partial(function, *arguments, **options))

    def __enter__(self) -> Self:
        """Keep the thread for a run."""
        with self._lock:
            self._users += 1
            if self._blocks and self._thread is None:
                self._calls = SimpleQueue()  # the thread before may not have ended yet
                self._thread = Thread(target=_work, args=(self._calls,), name="orchestration-journal", daemon=True)
                self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread with the last run (S29)."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            thread, self._thread, calls = self._thread, None, self._calls
        if thread is not None:
            calls.put(None)
            thread.join()


def _work(calls: Calls) -> None:
    while (call := calls.get()) is not None:
        function, done = call
        hand_over(done, *called(function))
