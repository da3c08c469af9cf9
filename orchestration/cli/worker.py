"""`orchestration worker`: drive the durable runs that are submitted, due or left by others."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from orchestration.cli.distant import add_temporal, on_temporal
from orchestration.cli.durably import durable_outcome
from orchestration.cli.exits import Exit
from orchestration.cli.interrupts import interrupts
from orchestration.cli.journals import add_ownership, find_cipher, opened
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.misuse import Misuse
from orchestration.cli.performing import STOPPING, abandon, leave
from orchestration.cli.providing import find_services, provide
from orchestration.cli.run import add_services
from orchestration.cli.telling import complain, say
from orchestration.cli.words import standing
from orchestration.errors import JournalError, OrchestrationError
from orchestration.observe.terminal import escape
from orchestration.outcomes import Cancelled, Failed, Outcome, Succeeded
from orchestration.runtime.driver import Parked
from orchestration.runtime.local import LocalEngine
from orchestration.runtime.worker import MOST_RUNS, Worker

if TYPE_CHECKING:
    import argparse
    from types import ModuleType

    from orchestration.dsl.workflow import Workflow
    from orchestration.journal.protocol import Journal
    from orchestration.runtime.handle import Handle

    Loaded = list[tuple[Workflow[Any, Any, Any], ModuleType]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("references", metavar="WORKFLOW", nargs="+", help=FORM)
    until = parser.add_mutually_exclusive_group()
    until.add_argument("--once", action="store_true", help="drive what is due now, then end")
    until.add_argument("--drain", action="store_true", help="end as soon as nothing is due any more")
    parser.add_argument(
        "--max-runs",
        metavar="N",
        type=int,
        default=MOST_RUNS,
        help="how many runs are under way at a time, at most (default: %(default)d)",
    )
    add_services(parser)
    add_ownership(parser)
    add_temporal(parser, queue=True)


def worker(options: argparse.Namespace) -> Exit:
    """Work until a signal, or until there is nothing left to do."""
    there = on_temporal(options)
    if there is not None:
        return there(options)
    loaded = [load_workflow(reference) for reference in options.references]
    services = services_of(loaded, options.services)
    cipher = find_cipher(options.cipher, loaded[0][1])
    with opened(options, new=True) as journal:

        def engine() -> LocalEngine[Any]:
            workflows = [workflow for workflow, _ in loaded]
            return LocalEngine(
                provide(services), journal=journal, workflows=workflows, cipher=cipher, lease=options.lease
            )

        shift = Shift(options, journal)
        runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        try:
            with redirect_stdout(sys.stderr):
                return runner.run(shift.work(engine()))
        except JournalError as error:
            complain(error, debug=options.debug)
            return Exit.FAILED
        except SystemExit as stop:
            say(f"a step ended the worker by {escape(repr(stop))}")
            return Exit.FAILED
        finally:
            if shift.stopping:
                abandon(runner.get_loop())
            else:
                runner.close()


class Shift:
    """What a worker does between its start and its end, and what it says on the way."""

    def __init__(self, options: argparse.Namespace, journal: Journal) -> None:
        """Be ready."""
        self._options = options
        self._journal = journal
        self.stopping = False
        self._left = False  # whether there is a run that could not go on

    async def work(self, engine: LocalEngine[Any]) -> Exit:
        """Work; fail if it ends of itself and leaves a run that could not go on."""
        given = self._options
        hand = Worker(engine, max_runs=given.max_runs, begun=self._begun, refused=self._refused)
        to_an_end = given.once or given.drain
        task = asyncio.create_task(hand.drain(once=given.once) if to_an_end else hand.work())

        def stop() -> None:
            self.stopping = True
            say(STOPPING)
            task.cancel()

        with interrupts(stop, leave):
            try:
                await task
            except asyncio.CancelledError:
                if not self.stopping:
                    raise
                say("stopped: what was under way is left to whoever takes it up")
                return Exit.SUCCESS
        return Exit.FAILED if self._left else Exit.SUCCESS

    def _begun(self, handle: Handle[Any]) -> None:
        assert handle.task is not None  # noqa: S101 - engines give the runs that they start one
        again = self._journal.head(handle.run_id).epoch > 1
        self._tell(handle, "taken up again" if again else "begun")
        handle.task.add_done_callback(lambda task: self._ended(handle, task))

    def _ended(self, handle: Handle[Any], task: asyncio.Task[Outcome[Any]]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Parked):
            self._tell(handle, standing(self._journal.head(handle.run_id), time.time()))
        elif error is not None:
            self._tell(handle, f"broken off: {error}")
        else:  # a run may have ended although its task was cancelled
            self._tell(handle, _how(durable_outcome(self._journal, handle)))

    def _tell(self, handle: Handle[Any], what: str) -> None:
        say(escape(f"{handle.plan.name} {handle.run_id}: {what}"))

    def _refused(self, error: OrchestrationError) -> None:
        self._left = True
        complain(error, debug=self._options.debug)


def services_of(loaded: Loaded, reference: str | None) -> object:
    """Return the services of all workflows; names have to be told apart, since a journal knows workflows by them.

    Raises:
        Misuse: if two workflows have one name, or need services that are found in two places.
    """
    names: dict[str, int] = {}
    found: list[object] = []
    for workflow, module in loaded:
        plan = workflow.compile()
        names[plan.name] = names.get(plan.name, 0) + 1
        services = find_services(reference, module, plan)
        if services is not None and services not in found:
            found.append(services)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        mend = "Give one a name of its own, or a worker of its own with another journal."
        raise Misuse("WORKFLOW", found=f"two workflows called {twice[0]!r}", expected="one", mend=mend)
    if len(found) > 1:
        mend = "Bind all in one Services, and name it by --services."
        raise Misuse("--services", found="services in several files", expected="one for all workflows", mend=mend)
    return found[0] if found else None


def _how(outcome: Outcome[Any] | None) -> str:
    match outcome:
        case Succeeded():
            return "succeeded"
        case Failed():
            return f"failed: {outcome.failure}; {str(outcome.rollback).partition(chr(10))[0]}"
        case Cancelled():
            return f"cancelled: {outcome.reason}; {str(outcome.rollback).partition(chr(10))[0]}"
        case None:
            return "stopped"
