"""`CancelToken`: one word that ends many things; to be shared, linked, polled and awaited, from any thread (S28)."""

from __future__ import annotations

import asyncio
import logging
import weakref
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("orchestration")


@final
class CancelToken:
    """Says that something should end, once and with a reason.

    ```python
    closing = CancelToken()
    closing.cancel("the shop closes")
    outcome = await LocalEngine().execute(Workflow[Order]("sale").step(reserve), order, token=closing)
    assert outcome.reason == "the shop closes"
    ```

    One token may be given to any number of runs; `CancelToken(parent, ...)` is cancelled with any of its parents, and
    without them. A parent keeps no child alive. All methods may be called from any thread, and from a signal handler:
    there is no lock in it, each step is one operation on a dict.
    """

    def __init__(self, *parents: CancelToken) -> None:
        """Be cancelled at once if a parent is."""
        self._said: dict[str, tuple[str, object]] = {}  # the reason, once there is one
        self._callbacks: dict[object, Callable[[str], object]] = {}
        self._children: dict[object, weakref.ref[CancelToken]] = {}
        for parent in parents:
            parent._adopt(self)  # noqa: SLF001 - of this class

    @property
    def cancelled(self) -> bool:
        """Whether it has been cancelled."""
        return bool(self._said)

    @property
    def reason(self) -> str | None:
        """Why it was cancelled; `None` as long as it is not."""
        said = self._said.get("")
        return None if said is None else said[0]

    def cancel(self, reason: str = "cancelled by its token") -> bool:
        """Cancel it and all that hangs on it; false if it was before: the first reason stays."""
        first = self._say(reason)
        pending: list[CancelToken] = [self] if first else []
        while pending:  # no recursion: a chain of tokens may be long
            token = pending.pop()
            token._call_back(reason)  # noqa: SLF001 - of this class
            children = [child() for child in list(token._children.values())]  # noqa: SLF001 - as above
            pending.extend(child for child in children if child is not None and child._say(reason))  # noqa: SLF001 - as above
        return first

    def when_cancelled(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Call `callback(reason)` once it is cancelled, at once if it is already; return what takes this back.

        The call comes from the thread that cancels. A callback that raises is logged: it keeps nothing from ending.
        """
        place = object()
        self._callbacks[place] = callback
        if self.reason is not None:
            self._call_back(self.reason)
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

    def _say(self, reason: str) -> bool:
        """Note the reason; tell whether it is the first."""
        said = (reason, object())
        return self._said.setdefault("", said) is said

    def _call_back(self, reason: str) -> None:
        """Call each callback that nobody else has called."""
        for place in list(self._callbacks):
            callback = self._callbacks.pop(place, None)
            if callback is not None:
                try:
                    callback(reason)
                except Exception:  # noqa: BLE001 - a foreign function may raise anything
                    _log.exception("a callback of %r failed", self)

    def _adopt(self, child: CancelToken) -> None:
        place, children = object(), self._children
        children[place] = weakref.ref(child, lambda _: children.pop(place, None))
        if self.reason is not None:
            child.cancel(self.reason)

    def _forget(self, place: object) -> None:
        self._callbacks.pop(place, None)

    def __repr__(self) -> str:
        """Say whether and why it was cancelled."""
        return f"<CancelToken: {'open' if self.reason is None else f'cancelled, {self.reason}'}>"
