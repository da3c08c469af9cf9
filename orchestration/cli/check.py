"""`orchestration check`: whether workflows compile, and what they consist of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.exits import Exit
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.telling import complain, show
from orchestration.errors import OrchestrationError
from orchestration.observe.terminal import escape

if TYPE_CHECKING:
    import argparse

    from orchestration.plan.compile import Plan

SHORT = 12  # characters of a fingerprint


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("references", metavar="WORKFLOW", nargs="+", help=FORM)


def check(options: argparse.Namespace) -> Exit:
    """Compile workflows, and report on each: a line, or all that is wrong with it."""
    result = Exit.SUCCESS
    for reference in options.references:
        try:
            workflow, _ = load_workflow(reference)
            plan = workflow.compile()
        except OrchestrationError as error:
            complain(error, debug=options.debug)
            result = Exit.USAGE
        else:
            show(escape(summary(plan)))
    return result


def summary(plan: Plan) -> str:
    """Say in one line what a plan consists of."""
    nodes = f"{len(plan.nodes):,} node{'' if len(plan.nodes) == 1 else 's'}"
    services = f"needs {', '.join(plan.services)}" if plan.services else "needs no services"
    return f"OK {plan.name}: {nodes}, {services}, fingerprint {plan.fingerprint[:SHORT]}"
