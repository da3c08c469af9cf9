"""Streams: the sources that a run pulls items from (S16).

A durable run that is taken up again opens them anew, and passes over what had been pulled before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration.errors import SourceSpent
from orchestration.failures import Failure
from orchestration.interpreter.events import Exhausted, Pulled, PullFailed
from orchestration.runtime.tasks import leak, unless_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.effects import Pull
    from orchestration.interpreter.events import StreamEvent
    from orchestration.runtime.driver import Driver
    from orchestration.runtime.threads import Threads

STREAK = 200  # items in a row before the event loop gets its turn
END: Any = object()  # what stands for no further item


class Streams:
    """The streams of a run. Each has one task, in which its source is opened, pulled and closed."""

    def __init__(self, driver: Driver, threads: Threads) -> None:
        """Open nothing yet. The driver is told what is pulled; sources that may block are pulled in `threads`."""
        self.driver = driver
        self.threads = threads
        self.leaked: list[str] = []  # the names of streams that did not close in time
        self._streams: dict[str, Stream] = {}  # those that may be pulled, by path
        self._tasks: set[asyncio.Task[None]] = set()
        self._spent: list[object] = []  # the sources that were opened and can be read only once

    @property
    def open(self) -> bool:
        """Whether there is one that has not been closed, or that still closes."""
        return bool(self._tasks)

    def pull(self, effect: Pull) -> None:
        """Pull an item, the first time from a source that is opened for it."""
        stream = self._streams.get(effect.path)
        if stream is None:
            stream = self._streams[effect.path] = Stream(effect, self)
            context = self.driver.context.copy()
            stream.task = asyncio.create_task(stream.run(), name=f"stream {effect.path}", context=context)
            stream.task.add_done_callback(self.retire)
            self._tasks.add(stream.task)
        stream.pull(effect.index)

    def take(self, source: object, path: str) -> None:
        """Take note that a source is opened.

        Raises:
            SourceSpent: if it was before in this run, and can be read only once: it would seem to be empty.
        """
        if not isinstance(source, AsyncIterator | Iterator):
            return
        if any(source is spent for spent in self._spent):
            kind = type(source).__name__
            found = f"a {kind} that this run has read before, in an earlier attempt or another map"
            raise _spent(path, found, "a source that has not been read")
        self._spent.append(source)

    def close(self, path: str) -> None:
        """Close a stream; nothing of it is reported any more."""
        stream = self._streams.pop(path, None)
        if stream is not None:  # a run that was resumed may not have pulled yet
            stream.close()

    def close_all(self) -> None:
        """Close what is open: the run is over."""
        for path in list(self._streams):
            self.close(path)

    def forget(self, path: str) -> None:
        """Take note that a stream is at its end: it closes by itself."""
        del self._streams[path]

    def leak(self, path: str, task: asyncio.Task[None]) -> None:
        """Give up waiting for a stream that does not close."""
        self.leaked.append(f"{path}:stream")
        leak(task)
        self.retire(task)

    def retire(self, task: asyncio.Task[None]) -> None:
        """Count a stream out."""
        self._tasks.discard(task)
        self.driver.wake_up()


class Stream:
    """One source, open until it is exhausted, has failed, or is closed. To its thread it is the caller."""

    task: asyncio.Task[None]

    def __init__(self, effect: Pull, streams: Streams) -> None:
        """Wait for the first pull."""
        self._path = effect.path
        self._source = effect.source
        self._streams = streams
        self._driver = streams.driver
        self._wanted: int | None = None  # the index of the item to pull next
        self._taken = 0  # how many items the source has given
        self._asked = asyncio.Event()
        self._pulling = False
        self._closing = False
        self._interrupted = False  # whether its task has been cancelled
        self._leaked = False
        self._when_leaked: Callable[[], None] | None = None

    def pull(self, index: int) -> None:
        """Ask for an item."""
        self._wanted = index
        self._asked.set()

    def close(self) -> None:
        """Ask for the end; a pull under way is interrupted."""
        self._closing = True
        self._asked.set()
        if self._pulling:
            self._interrupted = True
            self.task.cancel()
        self._watch()

    def note_queued(self, when_leaked: Callable[[], None]) -> None:
        """Remember how to fill the place of the thread, should it not come back (S24)."""
        self._when_leaked = when_leaked

    def note_started(self) -> None:
        """Do nothing: a pull has no clock."""

    async def run(self) -> None:
        """Pull what is asked for, then close."""
        source: _Asynchronous | _InThread | None = None
        try:
            while (index := await self._next()) is not None:
                self._pulling = True
                if source is None:
                    source = self._open()
                item = await self._take(source, index)
                self._pulling = False
                if self._closing:
                    break
                if item is END:
                    self._end(Exhausted(self._path, self._driver.now(), index))
                else:
                    self._driver.report(Pulled(self._path, self._driver.now(), index, item))
        except BaseException as error:  # noqa: BLE001 - whatever a source raises is its failure (S8)
            self._pulling = False
            self._fail(error)
            if self._leaked and isinstance(error, asyncio.CancelledError):
                return  # the loop ends, and the thread has the iterator still
        if self._interrupted:
            self.task.uncancel()
        if source is not None:
            await self._close(source)

    async def _next(self) -> int | None:
        """Wait for the next pull; `None` if there is none to come."""
        if self._wanted is not None and self._wanted % STREAK == STREAK - 1:
            await unless_cancelled(asyncio.sleep(0))
        while not self._asked.is_set():
            await unless_cancelled(self._asked.wait())
        self._asked.clear()
        return None if self._closing else self._wanted

    def _open(self) -> _Asynchronous | _InThread:
        source = self._source
        asynchronous = hasattr(source, "__aiter__")
        items = aiter(source) if asynchronous else iter(source)
        if items is source:  # it does not begin anew
            if self._driver.epoch:
                found = f"a {type(source).__name__}, which can be read only once, in a durable run"
                raise _spent(self._path, found, "a source that can be read again when the run is taken up")
            self._streams.take(source, self._path)
        return _Asynchronous(items) if asynchronous else _InThread(items, partial(self._streams.threads.call_for, self))

    async def _take(self, source: _Asynchronous | _InThread, index: int) -> object:
        """Take the item number `index`; those before it were pulled by who had the run before."""
        while self._taken < index and not self._closing:
            if await source.take() is END:
                found = f"a source of {self._taken} items, which has given {index} before"
                raise _spent(self._path, found, "the same items each time that it is read")
            self._taken += 1
            if self._taken % STREAK == 0:
                await unless_cancelled(asyncio.sleep(0))
        self._taken += 1
        return END if self._closing else await source.take()

    def _end(self, event: StreamEvent) -> None:
        """Close, and report why there will be no further item."""
        self._streams.forget(self._path)
        self._closing = True
        self._asked.set()
        self._watch()
        self._driver.report(event)

    def _fail(self, error: BaseException) -> None:
        self._driver.note_raised(error)
        if self.task.cancelling() and not self._closing:
            self._driver.shut_down(error)  # with all of the event loop: a durable run closes its streams (S30)
        if not self._closing:
            index = self._wanted or 0
            self._end(PullFailed(self._path, self._driver.now(), index, Failure.of(error, self._path)))

    async def _close(self, source: _Asynchronous | _InThread) -> None:
        """Close the source; one that raises here has nobody left to tell but the loop."""
        try:
            with self._streams.threads:  # it may have leaked, and the run be over
                await source.close()
        except BaseException as error:  # noqa: BLE001 - the outcome of the run must not be lost
            self._driver.note_raised(error)
            message = f"the source of the stream {self._path} raised when it was closed"
            asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})

    def _watch(self) -> None:
        """Give up waiting for the end of this stream when the grace is over."""
        timer = asyncio.get_running_loop().call_later(self._driver.grace, self._leak)
        self.task.add_done_callback(lambda _: timer.cancel())

    def _leak(self) -> None:
        self._leaked = True
        if self._when_leaked is not None:
            self._when_leaked()
        self._streams.leak(self._path, self.task)


def _spent(path: str, found: str, expected: str) -> SourceSpent:
    mend = "Let the body before the map return an object whose __aiter__ or __iter__ begins anew."
    return SourceSpent(path, found=found, expected=expected, mend=mend)


class _Asynchronous:
    """An asynchronous iterator."""

    def __init__(self, items: AsyncIterator[object]) -> None:
        self._items = items

    async def take(self) -> object:
        return await anext(self._items, END)

    async def close(self) -> None:
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()


class _InThread:
    """An iterator that is advanced in a thread, because it may block."""

    def __init__(self, items: Iterator[object], call: Callable[..., Any]) -> None:
        self._items = items
        self._call = call

    async def take(self) -> object:
        return await self._call(next, self._items, END)

    async def close(self) -> None:
        close = getattr(self._items, "close", None)
        if close is not None:
            await self._call(close)
