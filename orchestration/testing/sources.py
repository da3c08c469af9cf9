"""Sources of streams, pulled without an event loop (S16)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.testing.answers import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

END: Any = object()  # what stands for no further item


def items_of(source: Any, take: Callable[[], None]) -> Generator[object, None, None]:  # noqa: ANN401 - any source
    """Yield the items of a source, and close it at the end; `take` is called first, and may object.

    Raises:
        RealWait: if an asynchronous source waits for something real.
    """
    take()
    asynchronous = hasattr(source, "__aiter__")
    items: Any = aiter(source) if asynchronous else iter(source)
    try:
        while (item := settled(anext(items, END)) if asynchronous else next(items, END)) is not END:
            yield item
    finally:
        close = getattr(items, "aclose" if asynchronous else "close", None)
        if close is not None:
            settled(close())
