"""Worker threads for plain functions: daemonic, so that a stuck one cannot keep the process alive (S11)."""

from __future__ import annotations

import asyncio
import contextvars
import os
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Protocol, Self, final

from orchestration.runtime.context import current
from orchestration.runtime.tasks import called, hand_over

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_THREADS = min(32, (os.cpu_count() or 1) + 4)


class Caller(Protocol):
    """Who has something called in a thread: an attempt, or a stream that is pulled."""

    def note_queued(self, when_leaked: Callable[[], None]) -> None:
        """Take note that the call waits for a thread; `when_leaked` is to be called if it is given up (S24)."""
        ...

    def note_started(self) -> None:
        """Take note, in the thread, that the call begins."""
        ...


class _Job:
    """One call, on its way through a thread."""

    def __init__(self, caller: Caller, function: Callable[..., Any], arguments: tuple[object, ...]) -> None:
        self.caller = caller
        self.function = function
        self.arguments = arguments
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.variables = contextvars.copy_context()
        self._lock = Lock()
        self._taken = False

    def withdraw(self) -> bool:
        """Take the job back; false if a thread has begun with it."""
        return self._take()

    def run(self, free: Callable[[], None]) -> None:
        """Call the function, unless the job was withdrawn; say that the thread is free, and hand over the end."""
        if not self._take():
            return
        self.caller.note_started()
        output, failed = called(self.variables.run, self.function, *self.arguments)
        free()
        hand_over(self.future, output, failed)

    def _take(self) -> bool:
        with self._lock:
            first, self._taken = not self._taken, True
            return first


@final
class Threads:
    """At most `limit` threads, started when they are needed and kept while any run uses them: `with threads: ...`."""

    def __init__(self, limit: int = DEFAULT_THREADS, *, at_end: Callable[[], object] = int) -> None:
        """Start no thread yet; each calls `at_end` when it ends."""
        self._limit = limit
        self._at_end = at_end
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._open = 0  # jobs that are queued or run
        self._users = 0  # runs under way
        self._lock = Lock()

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - of any function
        """Call a function for the attempt that runs here: `call_for` it."""
        return await self.call_for(current.get(), function, *arguments)

    async def call_for(self, caller: Caller, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - as above
        """Call a function in a thread, in a copy of the present context.

        A cancel withdraws a call that has not begun. One that has cannot be interrupted: the first cancel waits for
        its end, which says what became of it, and the second gives it up.
        """
        job = _Job(caller, function, arguments)
        caller.note_queued(self._release)
        self._submit(job)
        try:
            return await asyncio.shield(job.future)
        except asyncio.CancelledError:
            if job.withdraw():
                self._one_less()
                raise
        return await job.future

    def _submit(self, job: _Job) -> None:
        with self._lock:
            self._open += 1
            if len(self._threads) < min(self._open, self._limit):
                thread = Thread(target=self._work, args=(self._jobs,), name="orchestration-step", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._jobs.put(job)

    def _release(self) -> None:
        """Allow one more thread: an attempt has leaked, and its thread may never come back (S24)."""
        with self._lock:
            self._limit += 1

    def __enter__(self) -> Self:
        """Keep the threads for a run."""
        with self._lock:
            self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads with the last run, and wait for them; one that still works ends when its work does (S29)."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            ending, self._threads, idle = self._threads, [], self._open == 0
            jobs, self._jobs = self._jobs, SimpleQueue()  # a thread that has leaked takes nothing of the next run
        for _thread in ending:
            jobs.put(None)
        for thread in ending if idle else ():
            thread.join()

    def _work(self, jobs: SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            job.run(self._one_less)
        self._at_end()

    def _one_less(self) -> None:
        with self._lock:
            self._open -= 1
