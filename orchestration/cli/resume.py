"""`orchestration resume`: go on with a durable run in this process, or print what has become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.durably import Durably
from orchestration.cli.files import check_place
from orchestration.cli.journals import add_ownership, opened
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.report import add_report, report_kept
from orchestration.cli.run import add_services
from orchestration.cli.view import add_view

if TYPE_CHECKING:
    import argparse

    from orchestration.cli.exits import Exit


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("reference", metavar="WORKFLOW", help=FORM)
    parser.add_argument("run_id", metavar="RUN", help="the id of the run")
    add_services(parser)
    add_ownership(parser)
    add_view(parser)
    add_report(parser)


def resume(options: argparse.Namespace) -> Exit:
    """Go on with a run and print its result."""
    workflow, module = load_workflow(options.reference)
    check_place("--report", options.report)
    run_id: str = options.run_id
    with opened(options) as journal:
        journal.head(run_id)  # a run that is not there is told of before anything is asked of its services
        durably = Durably(options, workflow, module, journal)
        code = durably.perform(run_id, lambda engine: engine.resume(run_id))
        return report_kept(options, journal, run_id, code)
