"""What the tasks of a run have in common: how they wait, and what becomes of one that does not end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable

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
