"""`orchestration graph`: a picture of a plan, or its JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.exits import Exit
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.telling import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from orchestration.plan.compile import Plan

FORMATS: dict[str, Callable[[Plan], str]] = {
    "mermaid": lambda plan: plan.to_mermaid(),
    "json": lambda plan: plan.to_json(),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("reference", metavar="WORKFLOW", help=FORM)
    parser.add_argument("--format", choices=tuple(FORMATS), default="mermaid", help="what to print (default: mermaid)")


def graph(options: argparse.Namespace) -> Exit:
    """Print the plan of a workflow."""
    workflow, _ = load_workflow(options.reference)
    text = FORMATS[options.format](workflow.compile())
    show(text.rstrip("\n"))
    return Exit.SUCCESS
