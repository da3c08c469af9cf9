"""How progress is shown: a table on a terminal, lines anywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from orchestration.cli.telling import say
from orchestration.observe.lines import Lines

if TYPE_CHECKING:
    from orchestration.interpreter.events import AnyEvent
    from orchestration.observe.progress import Progress
    from orchestration.plan.compile import Plan


class View(Protocol):
    """Shows a run: a context manager that takes its events."""

    def take(self, event: AnyEvent) -> None:
        """Take the next event of the run."""
        ...

    def __enter__(self) -> object:
        """Begin to show."""
        ...

    def __exit__(self, *_: object) -> None:
        """End."""
        ...


def choose_view(plan: Plan, known: Progress | None = None) -> View:
    """Return a live table if stderr is a terminal that can show one and `rich` is installed, lines otherwise.

    `known` is what a run that is taken up again has done already.
    """
    if not sys.stderr.isatty():
        return Lines(say, known)
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra, and slow to import

        from orchestration.observe.live import LiveTable  # noqa: PLC0415 - as above
    except ImportError:
        return Lines(say, known)
    console = Console(stderr=True)
    return (
        LiveTable(plan, console, known) if console.is_terminal and not console.is_dumb_terminal else Lines(say, known)
    )
