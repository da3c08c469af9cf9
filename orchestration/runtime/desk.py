"""Where calls that block are made: in one thread beside the event loop, or here if they cannot block."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


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
        self._thread: ThreadPoolExecutor | None = None
        self._users = 0
        self._lock = Lock()  # an engine may have runs in several event loops

    async def call(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Call a function, and return what it returns; a cancel reaches the task that waits when the call is over."""
        if self._thread is None:
            return function(*arguments, **options)
        call = partial(function, *arguments, **options)
        return await finished(asyncio.wrap_future(self._thread.submit(call)))

    def __enter__(self) -> Self:
        """Keep the thread for a run."""
        with self._lock:
            self._users += 1
            if self._blocks and self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="orchestration-journal")
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread with the last run (S29)."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()
