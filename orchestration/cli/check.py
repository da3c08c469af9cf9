"""`orchestration check`: whether workflows compile, what they consist of, and whether runs can go on with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.against import check_runs
from orchestration.cli.exits import Exit
from orchestration.cli.journals import add_cipher, find_cipher, opened
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.telling import complain, say, show
from orchestration.errors import OrchestrationError
from orchestration.observe.terminal import escape
from orchestration.runtime.durable import durable_plan

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from orchestration.plan.compile import Plan

SHORT = 12  # characters of a fingerprint


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("references", metavar="WORKFLOW", nargs="+", help=FORM)
    parser.add_argument(
        "--against",
        dest="journal",
        metavar="FILE",
        help="a journal: tell for each of its unfinished runs whether the workflow as it is now can take it on",
    )
    add_cipher(parser)


def check(options: argparse.Namespace) -> Exit:
    """Compile workflows, and report on each: a line, or all that is wrong with it."""
    codes = [Exit.SUCCESS]
    plans = list(_sound(options, codes))
    if options.journal is not None:
        with opened(options) as journal:
            heads = journal.heads("unfinished")
            codes += [check_runs(journal, heads, plan, debug=options.debug) for plan in plans]
        others = sorted({head.plan for head in heads} - {plan.name for plan in plans})
        if others:
            say(f"not looked at: unfinished runs of {escape(', '.join(others))}")
    return max(codes)


def _sound(options: argparse.Namespace, codes: list[Exit]) -> Iterator[Plan]:
    """Yield the plans that compile, each with its line."""
    for reference in options.references:
        try:
            workflow, module = load_workflow(reference)
            plan = workflow.compile()
            if options.journal is not None:
                plan = durable_plan(plan, find_cipher(options.cipher, module))
        except OrchestrationError as error:
            complain(error, debug=options.debug)
            codes.append(Exit.USAGE)
        else:
            show(escape(summary(plan)))
            yield plan


def summary(plan: Plan) -> str:
    """Say in one line what a plan consists of."""
    nodes = f"{len(plan.nodes):,} node{'' if len(plan.nodes) == 1 else 's'}"
    services = f"needs {', '.join(plan.services)}" if plan.services else "needs no services"
    return f"OK {plan.name}: {nodes}, {services}, fingerprint {plan.fingerprint[:SHORT]}"
