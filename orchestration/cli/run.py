"""`orchestration run`: a workflow in this process, its progress on stderr, its result on stdout."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from orchestration.cli.distant import add_temporal, on_temporal
from orchestration.cli.durably import Durably
from orchestration.cli.ending import end, stopped
from orchestration.cli.files import check_place
from orchestration.cli.input import read_input
from orchestration.cli.journals import add_ownership, opened
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.performing import Performance
from orchestration.cli.providing import find_services, provide
from orchestration.cli.report import Reporter, add_report, report_kept
from orchestration.cli.view import add_view, chooser
from orchestration.runtime.local import LocalEngine

if TYPE_CHECKING:
    import argparse

    from orchestration.cli.exits import Exit
    from orchestration.runtime.handle import Handle


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("reference", metavar="WORKFLOW", help=FORM)
    add_input(parser)
    add_services(parser)
    parser.add_argument("--run-id", metavar="ID", help="the id of the run (default: a new one)")
    add_ownership(parser)
    add_view(parser)
    add_report(parser)
    add_temporal(parser, queue=True)


def add_input(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the input of a run."""
    parser.add_argument(
        "--input",
        metavar="JSON|@FILE|-",
        default="null",
        help="the workflow's input: JSON, a file that holds it, or - for stdin (default: null)",
    )


def add_services(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names services."""
    parser.add_argument(
        "--services",
        metavar="REF",
        help="a Services, or a function that returns one: FILE.py:NAME, MODULE:NAME, or a NAME beside the workflow "
        "(default: what is called `services` there, if the workflow needs services)",
    )


def run(options: argparse.Namespace) -> Exit:
    """Run a workflow and print its result."""
    there = on_temporal(options)
    if there is not None:
        return there(options)
    return _in_memory(options) if options.journal is None else _durably(options)


def _durably(options: argparse.Namespace) -> Exit:
    workflow, module = load_workflow(options.reference)
    check_place("--report", options.report)
    value = read_input(workflow.compile(), options.input)
    run_id: str = uuid.uuid4().hex if options.run_id is None else options.run_id
    with opened(options, new=True) as journal:
        durably = Durably(options, workflow, module, journal)
        code = durably.perform(run_id, lambda engine: engine.start(workflow, value, run_id=run_id))
        return report_kept(options, journal, run_id, code)


def _in_memory(options: argparse.Namespace) -> Exit:
    workflow, module = load_workflow(options.reference)
    plan = workflow.compile()
    value = read_input(plan, options.input)
    services = find_services(options.services, module, plan)

    async def begin() -> Handle[Any]:
        engine: LocalEngine[Any] = LocalEngine(provide(services))
        return await engine.start(workflow, value, run_id=options.run_id)

    performance, choose, reporter = Performance(begin), chooser(options), Reporter(options, plan)
    try:
        outcome = performance.outcome(lambda: reporter.beside(choose(plan, None, ())))
    except (SystemExit, KeyboardInterrupt) as stop:
        outcome = performance.stopped()
        return reporter.write(outcome, stopped(plan, stop, outcome))
    assert outcome is not None  # noqa: S101 - only a durable run is stopped without one
    return reporter.write(outcome, end(plan, outcome, options))
