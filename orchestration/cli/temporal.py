"""What the commands do on a server of Temporal: `run`, `submit`, `worker`, `signal`, `cancel`, `runs` and `show`."""

from __future__ import annotations

import asyncio
import sys
import uuid
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from orchestration.cli.distant import QUEUE
from orchestration.cli.ending import end
from orchestration.cli.exits import Exit
from orchestration.cli.input import read_input
from orchestration.cli.interrupts import interrupts
from orchestration.cli.journals import find_cipher
from orchestration.cli.loading import load_workflow
from orchestration.cli.misuse import Misuse
from orchestration.cli.performing import STOPPING, leave
from orchestration.cli.providing import provide
from orchestration.cli.send import payload_of
from orchestration.cli.telling import say, show
from orchestration.cli.temporal_views import runs_there, show_there
from orchestration.cli.worker import services_of
from orchestration.engines.temporal import TemporalEngine, TemporalWorker, connected
from orchestration.observe.terminal import escape
from orchestration.runtime.inbox import kind_of
from orchestration.signals import Signal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine
    from types import ModuleType

    from orchestration.dsl.workflow import Workflow

    Command = Callable[[argparse.Namespace, Client], Coroutine[Any, Any, Exit]]


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return what a client is told: Temporal's own variables and profile say how to get in."""
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    config.pop("target_host", None)
    return config if options.namespace is None else {**config, "namespace": options.namespace}


def _briefly(work: Command) -> Callable[[argparse.Namespace], Exit]:
    """Return a command that asks a server; one that is not there is no reason to wait."""

    async def asked(options: argparse.Namespace) -> Exit:
        try:
            client = await Client.connect(options.temporal, **_settings(options))
        except RuntimeError as error:  # what temporalio raises where nobody answers
            mend = "Look at the address, or start a server: temporal server start-dev."
            raise Misuse("--temporal", found=str(error), expected="a Temporal server", mend=mend) from error
        try:
            return await work(options, client)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                say(f"error: {escape(options.temporal)}: {escape(str(error))}")
                return Exit.FAILED
            mend = "Look at the id and the --namespace."
            raise Misuse(options.run_id, found="no such run on this server", expected="a run", mend=mend) from error

    def command(options: argparse.Namespace) -> Exit:
        return asyncio.run(asked(options))

    return command


def _engine(
    client: Client, options: argparse.Namespace, workflow: Workflow[Any, Any, Any], beside: ModuleType
) -> TemporalEngine:
    cipher = find_cipher(options.cipher, beside)
    return TemporalEngine(client, task_queue=options.task_queue or QUEUE, workflows=[workflow], cipher=cipher)


async def submit(options: argparse.Namespace, client: Client) -> Exit:
    """Begin a run and print its id."""
    workflow, module = load_workflow(options.reference)
    value = read_input(workflow.compile(), options.input)
    engine = _engine(client, options, workflow, module)
    handle = await engine.start(workflow, value, run_id=options.run_id)
    show(escape(handle.run_id))
    return Exit.SUCCESS


async def run(options: argparse.Namespace, client: Client) -> Exit:
    """Begin a run, wait for its end and print its result. What waits may be stopped; the run goes on (S30)."""
    workflow, module = load_workflow(options.reference)
    plan = workflow.compile()
    value = read_input(plan, options.input)
    engine = _engine(client, options, workflow, module)
    handle = await engine.start(workflow, value, run_id=options.run_id)
    if not options.quiet:
        say(f"{escape(plan.name)}: run {escape(handle.run_id)} started, for workers on {escape(engine.task_queue)}")
    waiting = asyncio.create_task(handle.result())
    with interrupts(waiting.cancel, leave):
        try:
            outcome = await waiting
        except asyncio.CancelledError:
            say(f"no longer waiting: {escape(handle.run_id)} goes on; `orchestration cancel` ends it")
            return Exit.CANCELLED
    return end(plan, outcome, options)


async def signal(options: argparse.Namespace, client: Client) -> Exit:
    """Send a signal to a run."""
    if options.workflow is None:
        mend = "Name the workflow of the run: it says what its signals are."
        raise Misuse("--workflow", found="none", expected="what the payload is checked against", mend=mend)
    workflow, module = load_workflow(options.workflow)
    engine = _engine(client, options, workflow, module)
    plan = workflow.compile()
    known: Signal[Any] = Signal(options.name, kind_of(plan, options.name))
    payload = payload_of(options, known.kind)
    await engine.signal(options.run_id, known, payload, signal_id=options.id or uuid.uuid4().hex)
    show(escape(f"{options.run_id}: the signal {options.name!r} is on its way"))
    return Exit.SUCCESS


async def cancel(options: argparse.Namespace, client: Client) -> Exit:
    """Cancel a run."""
    known = client.get_workflow_handle(options.run_id)
    await known.cancel(reason=options.reason)
    show(escape(f"{options.run_id}: the cancel is on its way"))
    return Exit.SUCCESS


def worker(options: argparse.Namespace) -> Exit:
    """Run workflows until a signal; a server that is not up yet is waited for."""
    loaded = [load_workflow(reference) for reference in options.references]
    services = services_of(loaded, options.services)
    cipher = find_cipher(options.cipher, loaded[0][1])
    workflows = [workflow for workflow, _ in loaded]
    queue = options.task_queue or QUEUE

    async def work() -> None:
        client = await connected(options.temporal, waits=lambda why: say(escape(why)), **_settings(options))
        hand = TemporalWorker(client, task_queue=queue, workflows=workflows, services=provide(services), cipher=cipher)
        async with hand:
            names = ", ".join(workflow.compile().name for workflow in workflows)
            say(escape(f"at work for {names}, on the task queue {queue} of {options.temporal}"))
            await asyncio.Event().wait()

    async def until_stopped() -> Exit:
        task = asyncio.create_task(work())

        def stop() -> None:
            say(STOPPING)
            task.cancel()

        with interrupts(stop, leave):
            try:
                await task
            except asyncio.CancelledError:
                say("stopped: what was under way is left to other workers")
        return Exit.SUCCESS

    with redirect_stdout(sys.stderr):
        return asyncio.run(until_stopped())


COMMANDS: dict[str, Callable[[argparse.Namespace], Exit]] = {
    "run": _briefly(run),
    "submit": _briefly(submit),
    "signal": _briefly(signal),
    "cancel": _briefly(cancel),
    "runs": _briefly(runs_there),
    "show": _briefly(show_there),
    "worker": worker,
}
