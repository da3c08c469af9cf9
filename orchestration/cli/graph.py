"""`orchestration graph`: a picture of a plan, or its JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.files import add_output, write
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.misuse import Misuse

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from orchestration.cli.exits import Exit
    from orchestration.plan.compile import Plan
    from orchestration.render.theme import Theme

THEMES: tuple[Theme, ...] = ("auto", "light", "dark")


def _svg(plan: Plan, theme: Theme) -> str:
    from orchestration.render.picture import svg  # noqa: PLC0415 - other commands do without

    return svg(plan, theme=theme)


def _html(plan: Plan, _: Theme) -> str:
    from orchestration.render.plan_page import plan_html  # noqa: PLC0415 - as above

    return plan_html(plan)


def _png(plan: Plan, theme: Theme) -> bytes:
    from orchestration.render.raster import MissingResvg, png  # noqa: PLC0415 - as above

    try:
        return png(_svg(plan, "light" if theme == "auto" else theme))
    except MissingResvg as error:
        mend = "pip install 'orchestration[png]', or take --format svg."
        raise Misuse("--format png", found="no resvg-py", expected="it to be installed", mend=mend) from error


FORMATS: dict[str, Callable[[Plan, Theme], str | bytes]] = {
    "mermaid": lambda plan, _: plan.to_mermaid(),
    "svg": _svg,
    "png": _png,
    "html": _html,
    "json": lambda plan, _: plan.to_json(),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("reference", metavar="WORKFLOW", help=FORM)
    parser.add_argument("--format", choices=tuple(FORMATS), default="mermaid", help="what to print (default: mermaid)")
    parser.add_argument(
        "--theme", choices=THEMES, default="auto", help="the colours of svg and png (default: as who looks has set)"
    )
    add_output(parser)


def graph(options: argparse.Namespace) -> Exit:
    """Print the plan of a workflow."""
    workflow, _ = load_workflow(options.reference)
    return write(FORMATS[options.format](workflow.compile(), options.theme), options.output)
