"""Ctrl-C and SIGTERM cancel or stop a run; they never tear it down."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts(call: Callable[[], object], again: Callable[[], object] | None = None) -> Generator[None]:
    """Call `call` in the running event loop at each signal, instead of what the signal did before.

    With `again` that is called at once, in the signal handler, from the second signal on.

    A signal that is ignored stays so: that is how a shell shields what runs in the background. Outside of the main
    thread, where signals cannot be handled, nothing changes.
    """
    loop = asyncio.get_running_loop()
    seen: list[object] = []

    def on_signal(*_: object) -> None:
        if seen and again is not None:
            again()
        seen.append(on_signal)
        loop.call_soon_threadsafe(call)

    main = threading.current_thread() is threading.main_thread()
    taken = [number for number in SIGNALS if main and signal.getsignal(number) is not signal.SIG_IGN]
    # `signal.signal` rather than the loop's own handler, which Windows lacks and which forgets the one before it
    before = {number: signal.signal(number, on_signal) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
