"""`VirtualLoop`: an asyncio event loop whose time jumps to the next thing that is to happen."""

from __future__ import annotations

import asyncio
import heapq
import math
import threading
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn, final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context

TURNS = 1_000_000  # turns of the loop while time stands still, before it is taken for a loop without end


class NothingToCome(AssertionError):
    """Something is waited for that will never come: no callback is ready and no timer runs, or time stands still.

    ```python
    loop = VirtualLoop()
    try:
        loop.run_until_complete(asyncio.Event().wait())
    except NothingToCome as error:
        print(error)  # on a real loop this would wait for ever
    loop.close()
    ```
    """


class NotVirtual(RuntimeError):
    """Something real was wanted of a virtual loop: a thread, a socket, a process, a signal of the system.

    ```python
    loop = VirtualLoop()
    waits = asyncio.to_thread(print)
    try:
        loop.run_until_complete(waits)
    except NotVirtual as error:
        print(error)
    loop.close()
    ```
    """


@final
class VirtualLoop(asyncio.BaseEventLoop):
    """A deterministic event loop: no real time, no threads, no network.

    ```python
    loop = VirtualLoop()
    loop.run_until_complete(asyncio.sleep(86_400))  # takes no time
    assert loop.time() == 86_400
    loop.close()
    ```

    Its time stands still while anything is ready; then it jumps to the next timer. Callbacks are called
    in the order in which they were scheduled, and so are those of timers that are due at the same time: asyncio leaves
    open in which. A timer that is due after infinite seconds never is. Nothing may be scheduled from other threads.

    Raises (from `run_until_complete`, `run_forever`): `NothingToCome` when nothing will ever happen.
    """

    def __init__(self, at: float = 0.0) -> None:
        """Stand at a time, in seconds, with nothing to do."""
        super().__init__()
        self._ready: Any  # asyncio's own: handles in the order in which they are called
        self._stopping: bool
        self._time = at
        self._turns = 0  # since time has passed
        self._order = count()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self.tasks: list[asyncio.Task[Any]] = []  # all that were created, in their order
        self._thread = threading.get_ident()

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        return self._time

    def run_dry(self) -> None:
        """Let everything happen that is to come, for instance what was left when a run was over."""
        try:
            self.run_forever()
        except NothingToCome:
            return

    @property
    def waiting(self) -> list[asyncio.Task[Any]]:
        """The tasks that have not ended, in the order in which they were created."""
        return [task for task in self.tasks if not task.done()]

    @property
    def timers(self) -> list[asyncio.TimerHandle]:
        """The timers that run, the earliest first."""
        return [timer for _, _, timer in sorted(self._timers) if not timer.cancelled()]

    # --- what asyncio asks for

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back when the time has come; those for the same time in the order of these calls."""
        self._look_open()
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        if when < math.inf:
            heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """Call back soon.

        Raises:
            NotVirtual: if this is another thread: when it comes is not for the loop to say.
        """
        if threading.get_ident() != self._thread:
            _refuse("a callback from another thread")
        return self.call_soon(callback, *args, context=context)

    def create_task(  # type: ignore[override]  # typeshed names the options
        self,
        coro: Coroutine[Any, Any, Any],
        **options: Any,  # noqa: ANN401 - a name, a context, and what a later Python adds
    ) -> asyncio.Task[Any]:
        """Create a task, and know it."""
        task = super().create_task(coro, **options)
        self.tasks.append(task)
        return task

    def run_in_executor(
        self,
        executor: object,  # noqa: ARG002 - as asyncio calls it
        func: Callable[..., Any],
        *args: object,  # noqa: ARG002 - as above
    ) -> NoReturn:
        """Refuse: there are no threads.

        Raises:
            NotVirtual: always.
        """
        _refuse(f"{getattr(func, '__qualname__', func)} in an executor")

    def close(self) -> None:
        """Forget what is left to do."""
        super().close()
        self._timers.clear()
        self.tasks.clear()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: a timer that was cancelled is dropped when its time comes."""

    def _look_open(self) -> None:
        if self.is_closed():
            raise RuntimeError("Event loop is closed")

    def _run_once(self) -> None:
        """Call all that is ready; if nothing is, first let time pass until something is due."""
        ready, timers = self._ready, self._timers
        if not ready and not self._stopping:
            self._pass_time()
        while timers and timers[0][0] <= self._time:
            ready.append(heapq.heappop(timers)[2])
        self._turns += 1
        if self._turns > TURNS:
            self._turns = 0
            raise NothingToCome(f"time stands still: at {self._time:g} s there is no end to {self._awaited()}")
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - that is how a loop calls back

    def _pass_time(self) -> None:
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not timers:
            raise NothingToCome(f"nothing will ever happen, and these wait: {self._awaited()}")
        if timers[0][0] > self._time:
            self._time, self._turns = timers[0][0], 0

    def _awaited(self) -> str:
        names = [getattr(task.get_coro(), "__qualname__", "a task") for task in self.waiting]
        return ", ".join(names) or "no task"


def _refuse(what: str) -> NoReturn:
    raise NotVirtual(
        f"a virtual loop was asked for {what}: there are no threads and no network in virtual time; "
        "let a fake answer instead"
    )
