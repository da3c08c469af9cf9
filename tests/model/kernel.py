"""A tiny scheduler of coroutines in virtual time: what the model runs on."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator


class Promise:
    """Something that will have a value; the first value stays."""

    def __init__(self, kernel: Kernel) -> None:
        """Begin without a value."""
        self._kernel = kernel
        self._value: list[Any] = []
        self._waiting: list[Coroutine[Any, Any, Any]] = []

    def keep(self, value: Any = None) -> None:
        """Give it its value, unless it has one."""
        if not self._value:
            self._value.append(value)
            self._kernel.ready.extend((waiting, value) for waiting in self._waiting)

    def __await__(self) -> Generator[Promise, Any, Any]:
        """Wait for the value."""
        return self._value[0] if self._value else (yield self)

    def awaited_by(self, waiting: Coroutine[Any, Any, Any]) -> None:
        """Let a coroutine go on once there is a value."""
        self._waiting.append(waiting)


class Kernel:
    """Virtual time: everything that can happen now does, then time goes to the next alarm."""

    def __init__(self) -> None:
        """Begin at time 0."""
        self.now = 0.0
        self.ready: deque[tuple[Coroutine[Any, Any, Any], Any]] = deque()
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def promise(self) -> Promise:
        """Return a promise."""
        return Promise(self)

    def alarm(self, after: float, call: Callable[[], None]) -> None:
        """Call something after so many seconds; nobody takes it back, so it has to look whether it still matters."""
        self._count += 1
        heapq.heappush(self._alarms, (self.now + after, self._count, call))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let something run beside the rest, from now on until it has to wait."""
        self._go_on(work, None)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something to its end and return its value; what is left then never happens."""
        ended: list[Any] = []
        self.spawn(_noting(work, ended))
        while not ended:
            if self.ready:
                self._go_on(*self.ready.popleft())
            else:
                self.now, _, call = heapq.heappop(self._alarms)
                call()
        return ended[0]

    @staticmethod
    def _go_on(work: Coroutine[Any, Any, Any], value: Any) -> None:
        try:
            promise: Promise = work.send(value)
        except StopIteration:
            return
        promise.awaited_by(work)


async def _noting(work: Coroutine[Any, Any, Any], ended: list[Any]) -> None:
    ended.append(await work)


class Token:
    """What one part of a run is cancelled by; a part of the part has a token of its own, cancelled with it."""

    def __init__(self) -> None:
        """Begin uncancelled."""
        self.cancelled = False
        self._calls: list[tuple[int, Callable[[], None]]] = []

    def child(self, at: int = 0) -> Token:
        """Return the token of a part of this part; parts are cancelled by where they stand `at`."""
        token = Token()
        self.on_cancel(token.cancel, at)
        return token

    def on_cancel(self, call: Callable[[], None], at: int = 0) -> None:
        """Call something when this is cancelled, at once if it is."""
        if self.cancelled:
            call()
        else:
            self._calls.append((at, call))

    def cancel(self) -> None:
        """Cancel this part, once."""
        if not self.cancelled:
            self.cancelled = True
            for _, call in sorted(self._calls, key=lambda pair: pair[0]):
                call()
