"""`orchestration run`: a workflow in this process, its progress on stderr, its result on stdout."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from pydantic_core import PydanticSerializationError

from orchestration.cli.exits import Exit
from orchestration.cli.input import read_input
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.performing import Performance
from orchestration.cli.providing import find_services
from orchestration.cli.telling import say, say_failure_traceback, show, tell
from orchestration.cli.view import choose_view
from orchestration.observe.terminal import block, escape, escape_json
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.runtime.boundary import dump_output

if TYPE_CHECKING:
    import argparse

    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("reference", metavar="WORKFLOW", help=FORM)
    parser.add_argument(
        "--input",
        metavar="JSON|@FILE|-",
        default="null",
        help="the workflow's input: JSON, a file that holds it, or - for stdin (default: null)",
    )
    parser.add_argument(
        "--services",
        metavar="REF",
        help="a Services, or a function that returns one: FILE.py:NAME, MODULE:NAME, or a NAME beside the workflow "
        "(default: what is called `services` there, if the workflow needs services)",
    )
    parser.add_argument("--run-id", metavar="ID", help="the id of the run (default: a new one)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(options: argparse.Namespace) -> Exit:
    """Run a workflow and print its result."""
    workflow, module = load_workflow(options.reference)
    plan = workflow.compile()
    value = read_input(plan, options.input)
    services = find_services(options.services, module, plan)
    view = None if options.quiet else choose_view(plan)
    performance = Performance(workflow, services=services, run_id=options.run_id)
    try:
        outcome = performance.outcome(value, view)
    except (SystemExit, KeyboardInterrupt) as stop:
        return _stopped(plan, stop, performance.stopped())
    return _end(plan, outcome, debug=options.debug)


def _stopped(plan: Plan, stop: BaseException, outcome: Outcome[object] | None) -> Exit:
    say(f"{escape(plan.name)} was stopped by {escape(repr(stop))}")
    if outcome is not None:
        tell(outcome, plan.name)
    return Exit.CANCELLED if isinstance(stop, KeyboardInterrupt) else Exit.FAILED


def _end(plan: Plan, outcome: Outcome[object], *, debug: bool) -> Exit:
    if debug and isinstance(outcome, Failed):
        say_failure_traceback(outcome.failure)
    tell(outcome, plan.name)
    match outcome:
        case Succeeded():
            return _print(plan, outcome.value)
        case Failed():
            return Exit.FAILED
        case Cancelled():
            return Exit.CANCELLED


def _print(plan: Plan, value: object) -> Exit:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydantic's, of a value that is not of the declared type
            text = dump_output(plan, value)
    except (PydanticSerializationError, ValueError, TypeError) as error:
        say(f"error: {escape(plan.name)}: the run succeeded, but its value has no form in JSON: {block(str(error))}")
        return Exit.FAILED
    show(escape_json(text))
    return Exit.SUCCESS
