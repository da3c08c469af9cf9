"""The local activities of one worker that are under way.

Temporal waits for them when a worker is stopped, however long they take. Here they are told to end, and the task of the
workflow comes to nothing: another worker does it again.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from temporalio.exceptions import ApplicationError

from orchestration.engines import temporal_wire as wire

if TYPE_CHECKING:
    from collections.abc import Generator


class WorkerStopped(Exception):
    """A workflow task comes to nothing, because its worker was stopped in the middle of it."""


def stopped(what: str) -> ApplicationError:
    """Return what an activity fails with whose worker was stopped in order."""
    return ApplicationError(f"{what}: the worker was stopped", type=wire.STOPPED, non_retryable=True)


@final
class Local:
    """What is under way."""

    def __init__(self) -> None:
        """Have nothing under way."""
        self.stopped: bool = False
        self._tasks: set[asyncio.Task[object]] = set()

    @contextmanager
    def one(self, what: str) -> Generator[None]:
        """Be one of them.

        Raises:
            ApplicationError: if the worker is stopped already.
        """
        task = asyncio.current_task()
        if self.stopped or task is None:
            raise stopped(what)
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    def stop(self) -> None:
        """Tell all to end."""
        self.stopped = True
        for task in self._tasks:
            task.cancel()
