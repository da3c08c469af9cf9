"""How progress is shown: a tree on a terminal, lines anywhere else, JSON for programs, or nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, TypeAlias

from orchestration.cli.telling import say, show
from orchestration.observe.json_lines import JsonLines
from orchestration.observe.lines import Lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.engine import Turned
    from orchestration.observe.progress import Progress
    from orchestration.plan.compile import Plan


class View(Protocol):
    """Shows a run: a context manager that takes its turns."""

    def take(self, turned: Turned) -> None:
        """Take the next turn of the run."""
        ...

    def __enter__(self) -> object:
        """Begin to show."""
        ...

    def __exit__(self, *_: object) -> None:
        """End."""
        ...


Chooser: TypeAlias = "Callable[[Plan, Progress | None, Iterable[Effect]], View | None]"


def add_view(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how a run is shown."""
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print a line of JSON for each event and, last, for the outcome; with --quiet for the outcome alone",
    )


def chooser(options: argparse.Namespace) -> Chooser:
    """Return what chooses a view once a run has begun, and what steps print goes elsewhere.

    What it is called with are the plan and, of a run that is taken up again, what it has done and what it waits for.
    """
    stdout = sys.stdout

    def choose(plan: Plan, known: Progress | None = None, effects: Iterable[Effect] = ()) -> View | None:
        if options.quiet:
            return None
        if options.json:
            return JsonLines(plan, lambda line: show(line, stdout))
        return _for_people(plan, known, effects)

    return choose


def _for_people(plan: Plan, known: Progress | None, effects: Iterable[Effect]) -> View:
    """Return a live tree if stderr is a terminal that can show one and `rich` is installed, lines otherwise."""
    if not sys.stderr.isatty():
        return Lines(say, known)
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra, and slow to import

        from orchestration.observe.live import LiveTree  # noqa: PLC0415 - as above
    except ImportError:
        return Lines(say, known)
    console = Console(stderr=True)
    able = console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")
    return LiveTree(plan, console, known, effects) if able else Lines(say, known)
