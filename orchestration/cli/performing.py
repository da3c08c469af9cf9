"""One run, from its start to its outcome, whatever happens on the way."""

from __future__ import annotations

import asyncio
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from orchestration.cli.interrupts import interrupts
from orchestration.cli.providing import provide
from orchestration.runtime.local import LocalEngine

if TYPE_CHECKING:
    from orchestration.cli.view import View
    from orchestration.dsl.workflow import Workflow
    from orchestration.outcomes import Outcome
    from orchestration.runtime.handle import Handle


class Performance:
    """A run in an event loop of its own. What its steps print goes to stderr: stdout is for the result."""

    def __init__(self, workflow: Workflow[Any, Any, Any], *, services: object, run_id: str | None) -> None:
        """Prepare to run `workflow`; `services` is what `find_services` found."""
        self._workflow = workflow
        self._services = services
        self._run_id = run_id
        self._handle: Handle[Any] | None = None

    def outcome(self, value: object, view: View | None) -> Outcome[object]:
        """Run to the outcome, shown by `view`.

        Raises:
            OrchestrationError: before anything runs, if it cannot.
            SystemExit, KeyboardInterrupt: if a step raised it; `stopped` tells what became of the run.
        """
        runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        outcome: Outcome[object] | None = None
        try:
            with redirect_stdout(sys.stderr):
                outcome = runner.run(self._execute(value, view))
            return outcome
        finally:
            if outcome is not None and outcome.leaked:
                _abandon(runner.get_loop())
            else:
                runner.close()

    def stopped(self) -> Outcome[object] | None:
        """Return how the run ended that a step stopped: it was unwound all the same, if it got so far."""
        if self._handle is None:
            return None
        if self._handle.task is not None and self._handle.task.done():
            self._handle.task.exception()  # seen: it has come out of the event loop already
        return self._handle.state.outcome

    async def _execute(self, value: object, view: View | None) -> Outcome[object]:
        engine: LocalEngine[Any] = LocalEngine(provide(self._services))
        handle: Handle[Any] = await engine.start(self._workflow, value, run_id=self._run_id)
        self._handle = handle
        with interrupts(lambda: handle.cancel("interrupted")):
            if view is not None:
                with view:
                    async for event in handle.events():  # in this very task: so the first event is not missed
                        view.take(event)
            return await handle.result()


def _abandon(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop in which something has leaked: to wait for that might be to wait for ever."""
    loop.set_exception_handler(_ignore)  # it would report the tasks that are left; the outcome has named them
    loop.close()


def _ignore(*_: object) -> None:
    pass
