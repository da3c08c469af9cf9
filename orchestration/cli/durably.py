"""A durable run in this process: begun, taken up again, or only looked up."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING, Any

from orchestration.cli.ending import end, stopped
from orchestration.cli.exits import Exit
from orchestration.cli.journals import find_cipher, head_of
from orchestration.cli.performing import Performance
from orchestration.cli.providing import find_services, provide
from orchestration.cli.telling import complain, say
from orchestration.cli.view import chooser
from orchestration.errors import JournalError, RunHeld
from orchestration.journal.records import read
from orchestration.observe.progress import Progress
from orchestration.observe.terminal import escape
from orchestration.runtime.local import LocalEngine

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from orchestration.cli.view import View
    from orchestration.dsl.workflow import Workflow
    from orchestration.journal.protocol import Head, Journal
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.runtime.handle import Handle

POLL = 0.5  # seconds between two looks at a run that another process has


class Durably:
    """Takes a durable run to its end, and tells of it."""

    def __init__(
        self, options: argparse.Namespace, workflow: Workflow[Any, Any, Any], module: ModuleType, journal: Journal
    ) -> None:
        """Take the runs of a workflow."""
        self._options = options
        self._workflow = workflow
        self._plan: Plan = workflow.compile()
        self._services = find_services(options.services, module, self._plan)
        self._cipher = find_cipher(options.cipher, module)
        self._journal = journal
        self._choose = chooser(options)
        self._before: Head | None = None  # what was known of the run before this process had it
        self._handle: Handle[Any] | None = None

    def engine(self) -> LocalEngine[Any]:
        """Return the engine of this process. Called where an event loop runs."""
        return LocalEngine(
            provide(self._services),
            journal=self._journal,
            workflows=[self._workflow],
            cipher=self._cipher,
            lease=self._options.lease,
        )

    def perform(self, run_id: str, begin: Callable[[LocalEngine[Any]], Awaitable[Handle[Any]]]) -> Exit:
        """Begin a run, or go on with it, and tell how it ended or how it may be gone on with."""
        performance = Performance(lambda: self._begun(run_id, begin), durable=True)
        try:
            performance.outcome(self._view)
        except (SystemExit, KeyboardInterrupt) as stop:
            code = stopped(self._plan, stop, performance.stopped())
            if performance.handle is not None:
                self._tell_how_to_go_on(run_id)
            return code
        except JournalError as error:
            if performance.handle is None:
                raise
            complain(error, debug=self._options.debug)
            self._tell_how_to_go_on(run_id)
            return Exit.FAILED
        assert performance.handle is not None  # noqa: S101 - it has begun
        outcome = durable_outcome(self._journal, performance.handle)
        if outcome is not None:
            return end(self._plan, outcome, self._options)
        say(f"{escape(self._plan.name)} was stopped (run {escape(run_id)}): nothing is undone")
        self._tell_how_to_go_on(run_id)
        return Exit.CANCELLED

    async def _begun(self, run_id: str, begin: Callable[[LocalEngine[Any]], Awaitable[Handle[Any]]]) -> Handle[Any]:
        """Begin, and wait as long as another process has the run."""
        engine = self.engine()
        waited = False
        while True:
            self._before = head_of(self._journal, run_id)
            try:
                handle = self._handle = await begin(engine)
            except RunHeld as error:
                if not (waited or self._options.quiet):
                    say(f"{escape(run_id)}: waiting for {escape(error.found)}; Ctrl-C leaves it alone")
                waited = True
                await asyncio.sleep(POLL)
            else:
                if self._before is not None and not self._options.quiet:
                    say(f"{escape(run_id)}: {_found(self._before)}")
                return handle

    def _view(self) -> View | None:
        """Choose how the run is shown; of one that was begun before, what it has done already counts."""
        before, handle = self._before, self._handle
        if before is None or handle is None:
            return self._choose(self._plan, None, ())
        if before.status != "unfinished" or self._options.quiet:
            return None
        log = self._journal.read(before.run_id)[: before.position]
        known = Progress.of(self._plan, (read(handle.plan, record).event for record in log))
        return self._choose(handle.plan, known, handle.waits_for)

    def _tell_how_to_go_on(self, run_id: str) -> None:
        given = self._options
        words = ["orchestration", "resume", given.reference, run_id, "--journal", given.journal]
        for name in ("services", "cipher"):
            value = getattr(given, name)
            words += [] if value is None else [f"--{name}", value]
        say(f"go on with it: {escape(shlex.join(words))}")


def durable_outcome(journal: Journal, handle: Handle[Any]) -> Outcome[Any] | None:
    """Return the outcome of a run whose task has ended, `None` if it was stopped before its end was durable."""
    outcome = handle.state.outcome
    return None if outcome is None or journal.head(handle.run_id).status == "unfinished" else outcome


def _found(head: Head) -> str:
    """Say what was known of a run before."""
    if head.status != "unfinished":
        return "ended before, this is what was recorded"
    return "submitted before, begins now" if head.epoch == 0 else f"taken up again at record {head.position}"
