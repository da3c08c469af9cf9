"""`Worker`: drives the durable runs of a journal that are due and that no process has (S38)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, final

from orchestration.errors import InvalidInput, JournalFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.errors import JournalError
    from orchestration.journal.protocol import Head
    from orchestration.runtime.handle import Handle
    from orchestration.runtime.local import LocalEngine

_log = logging.getLogger("orchestration")

MOST_RUNS = 100
POLL = 1.0
PARK = 5.0


@final
class Worker:
    """Takes up what was submitted, what is due after a sleep, and what another process has left.

    ```python
    engine = LocalEngine(journal=SqliteJournal("runs.db"), workflows=[Workflow[Order]("sale").step(reserve)])
    await Worker(engine).drain()  # `work()` goes on for ever
    ```

    At most `max_runs` are under way in it; every `poll` seconds it looks for more. A run that does nothing but wait,
    for a signal or for `park` seconds at least, is put down unless somebody in this process waits for its outcome: it
    costs nothing until it is due. `begun` is told of each
    run that is taken up, `refused` once of each that cannot go on: its plan has changed, or its log is damaged.

    A journal that fails, such as a full disk, is logged as a warning of the logger `orchestration`, and tried again.
    """

    def __init__(
        self,
        engine: LocalEngine[Any],
        *,
        max_runs: int = MOST_RUNS,
        poll: float = POLL,
        park: float = PARK,
        begun: Callable[[Handle[Any]], object] | None = None,
        refused: Callable[[JournalError], object] | None = None,
    ) -> None:
        """Work for an engine that has a journal; nothing is started.

        Raises:
            JournalFailed: if the engine has no journal.
            InvalidInput: if a number is not above 0.
        """
        if max_runs < 1 or poll <= 0 or park <= 0:
            raise InvalidInput(
                "the worker",
                found=f"max_runs={max_runs!r}, poll={poll!r}, park={park!r}",
                expected="numbers above 0",
                mend="Leave them out for the defaults.",
            )
        self._engine = engine
        self._journal = engine.journal
        self._max_runs = max_runs
        self._poll = poll
        self._park = park
        self._begun = begun
        self._refused = refused
        self._hopeless: set[Head] = set()  # as they were when they were refused
        self._handles: dict[str, Handle[Any]] = {}

    async def work(self) -> None:
        """Work until the task that calls this is cancelled; then stop the runs, which others may go on with (S30)."""
        try:
            while True:
                try:
                    await self.look()
                except JournalFailed as error:
                    _warn(error)
                await asyncio.sleep(self._poll)
        finally:
            await self._stop()

    async def drain(self, *, once: bool = False) -> None:
        """Work until nothing is due any more and nothing is under way but what waits; `once`: only on what is due now.

        Cancelling the task that calls this stops the runs, as with `work`.
        """
        try:
            await self.look()
            while self._handles:
                await self._wait()
                if once:
                    self._put_down()
                else:
                    await self.look()
        finally:
            await self._stop()

    async def _wait(self) -> None:
        await asyncio.wait([handle.task for handle in self._handles.values() if handle.task], timeout=self._poll)

    async def look(self) -> int:
        """Put down what only waits, and take up what is due; return how many runs were taken up."""
        self._put_down()
        recovery = await self._engine.recover(self._max_runs - len(self._handles), but=self._hopeless)
        self._handles |= {handle.run_id: handle for handle in recovery.handles}  # all, before one is told of
        if self._begun is not None:
            for handle in recovery.handles:
                self._begun(handle)
        for head, error in recovery.refused:
            if isinstance(error, JournalFailed):
                _warn(error)
                continue
            if self._refused is not None and not any(head.run_id == other.run_id for other in self._hopeless):
                self._refused(error)
            self._hopeless.add(head)
        return len(recovery.handles)

    def _put_down(self) -> None:
        now = self._engine.now()
        for run_id, handle in [*self._handles.items()]:
            if handle.task is None or handle.task.done():
                del self._handles[run_id]
                stopped = None if handle.task is None or handle.task.cancelled() else handle.task.exception()
                if isinstance(stopped, JournalFailed):
                    _warn(stopped)
            else:
                handle.park(now + self._park)

    async def _stop(self) -> None:
        tasks = [handle.task for handle in self._handles.values() if handle.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _warn(error: JournalFailed) -> None:
    """Tell of what is tried again after the next `poll`."""
    _log.warning("%s The worker tries again.", error)
