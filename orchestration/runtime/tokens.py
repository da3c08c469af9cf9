"""`CancelToken`: one word that ends many things; to be shared, linked, polled and awaited, from any thread (S28)."""

from __future__ import annotations

import asyncio
import weakref
from threading import Lock
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class CancelToken:
    """Says that something should end, once and with a reason.

    One token may be given to any number of runs; `CancelToken(parent, ...)` is cancelled with any of its parents, and
    without them. A parent keeps no child alive. All methods may be called from any thread.
    """

    def __init__(self, *parents: CancelToken) -> None:
        """Be cancelled at once if a parent is."""
        self._lock = Lock()
        self._reason: str | None = None
        self._callbacks: dict[object, Callable[[str], object]] = {}
        self._children: weakref.WeakSet[CancelToken] = weakref.WeakSet()
        for parent in parents:
            parent._adopt(self)  # noqa: SLF001 - of this class

    @property
    def cancelled(self) -> bool:
        """Whether it has been cancelled."""
        return self._reason is not None

    @property
    def reason(self) -> str | None:
        """Why it was cancelled; `None` as long as it is not."""
        return self._reason

    def cancel(self, reason: str = "cancelled by its token") -> bool:
        """Cancel it and all that hangs on it; false if it was before: the first reason stays."""
        with self._lock:
            if self._reason is not None:
                return False
            self._reason = reason
            callbacks, self._callbacks = list(self._callbacks.values()), {}
            children = list(self._children)
        for callback in callbacks:
            callback(reason)
        for child in children:
            child.cancel(reason)
        return True

    def when_cancelled(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call `callback(reason)` once it is cancelled, at once if it is already; return what takes this back.

        The call comes from the thread that cancels.
        """
        place = object()
        with self._lock:
            reason = self._reason
            if reason is None:
                self._callbacks[place] = callback
        if reason is not None:
            callback(reason)
        return lambda: self._forget(place)

    async def wait(self) -> str:
        """Wait until it is cancelled; return the reason."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()

        def tell(reason: str) -> None:
            if not done.done():
                done.set_result(reason)

        forget = self.when_cancelled(lambda reason: loop.call_soon_threadsafe(tell, reason))
        try:
            return await done
        finally:
            forget()

    def _adopt(self, child: CancelToken) -> None:
        with self._lock:
            reason = self._reason
            if reason is None:
                self._children.add(child)
        if reason is not None:
            child.cancel(reason)

    def _forget(self, place: object) -> None:
        with self._lock:
            self._callbacks.pop(place, None)

    def __repr__(self) -> str:
        """Say whether and why it was cancelled."""
        return f"<CancelToken: {'open' if self._reason is None else f'cancelled, {self._reason}'}>"
