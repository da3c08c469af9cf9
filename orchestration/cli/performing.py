"""One run, from its start to its outcome, whatever happens on the way."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from orchestration.cli.exits import Exit
from orchestration.cli.interrupts import interrupts
from orchestration.cli.telling import say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestration.cli.view import View
    from orchestration.outcomes import Outcome
    from orchestration.runtime.handle import Handle


STOPPING = "stopping: what is under way has a moment to end; once more ends it at once"


class Performance:
    """A run in an event loop of its own. What its steps print goes to stderr: stdout is for the result."""

    def __init__(self, begin: Callable[[], Awaitable[Handle[Any]]], *, durable: bool = False) -> None:
        """Prepare to run what `begin` begins, or takes up again; a durable run is stopped by what cancels others."""
        self._begin = begin
        self._durable = durable
        self._stopping = False
        self.handle: Handle[Any] | None = None

    def outcome(self, choose: Callable[[], View | None]) -> Outcome[object] | None:
        """Run to the outcome, shown by what `choose` chooses once the run has begun.

        Return `None` if a signal has stopped the durable run (S30).

        Raises:
            OrchestrationError: before anything runs, if it cannot; `handle` is `None` then.
            SystemExit, KeyboardInterrupt: if a step raised it; `stopped` tells what became of the run.
            JournalError: if the journal of a durable run fails, or another process has taken the run over.
        """
        runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        outcome: Outcome[object] | None = None
        try:
            with redirect_stdout(sys.stderr):
                outcome = runner.run(self._execute(choose))
            return outcome
        finally:
            if self._stopping or (outcome is not None and outcome.leaked):
                abandon(runner.get_loop())
            else:
                runner.close()

    def stopped(self) -> Outcome[object] | None:
        """Return how the run ended that a step stopped: it was unwound all the same, if it got so far."""
        if self.handle is None:
            return None
        if self.handle.task is not None and self.handle.task.done() and not self.handle.task.cancelled():
            self.handle.task.exception()  # seen: it has come out of the event loop already
        return self.handle.state.outcome

    async def _execute(self, choose: Callable[[], View | None]) -> Outcome[object] | None:
        handle = self.handle = await self._begin()
        view = choose()
        call, again = (self._stop, leave) if self._durable else (self._cancel, None)
        with interrupts(call, again):
            if view is not None:
                with view:
                    async for turned in handle.turns():  # in this very task: so the first is not missed
                        view.take(turned)
            try:
                return await handle.result()
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
                return handle.state.outcome

    def _cancel(self) -> None:
        assert self.handle is not None  # noqa: S101 - signals are handled once it is there
        self.handle.cancel("interrupted")

    def _stop(self) -> None:
        assert self.handle is not None  # noqa: S101 - as above
        assert self.handle.task is not None  # noqa: S101 - engines give the runs that they start one
        self._stopping = True
        say(STOPPING)
        self.handle.task.cancel()


def leave() -> None:
    """End the process at once: its durable runs are in the journal as far as they got (S34)."""
    say("ended at once: what was under way counts as lost")
    os._exit(Exit.CANCELLED)


def abandon(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop in which something has leaked: to wait for that might be to wait for ever."""
    loop.set_exception_handler(_ignore)  # it would report the tasks that are left; the outcome has named them
    loop.close()


def _ignore(*_: object) -> None:
    pass
