"""What the tasks of a run have in common: how they wait, and what becomes of one that does not end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LEAKED: set[asyncio.Task[Any]] = set()  # asyncio keeps no strong reference to a task that still runs


def leak(task: asyncio.Task[Any]) -> None:
    """Give up waiting for a task, and let it go on."""
    LEAKED.add(task)
    task.add_done_callback(LEAKED.discard)


async def unless_cancelled(what: Awaitable[object]) -> None:
    """Wait; a cancel that reaches a task of the run here was meant for what it did before, or for all of the loop.

    Such a task ends with its run, never before: the unwinding needs it.
    """
    with contextlib.suppress(asyncio.CancelledError):
        await what


def called(function: Callable[..., object], *arguments: object) -> tuple[object, BaseException | None]:
    """Call a function in a thread; return what it returns and what it raises, for `hand_over`."""
    try:
        return function(*arguments), None
    except StopIteration as error:  # a future refuses it, and a coroutine would turn it into this as well
        return None, RuntimeError(f"the step raised {error!r}")
    except BaseException as error:  # noqa: BLE001 - who awaits the future decides what each means (S8, S30)
        return None, error


def hand_over(future: asyncio.Future[Any], output: object, error: BaseException | None) -> None:
    """Settle a future from a thread; nobody waits any more if its event loop has closed."""
    with contextlib.suppress(RuntimeError):
        future.get_loop().call_soon_threadsafe(_settle, future, output, error)


def _settle(future: asyncio.Future[Any], output: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(output)
    else:
        future.set_exception(error)
