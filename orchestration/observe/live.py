"""`LiveTable`: the progress of a run as a table that stays in place. Needs `rich` (the extra `cli`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestration.observe.progress import Progress
from orchestration.observe.terminal import escape
from orchestration.plan.nodes import Step
from orchestration.plan.tree import child_path, children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from orchestration.interpreter.events import AnyEvent
    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node

INTERVAL = 0.1  # seconds between two pictures, at least
COLUMNS = (("done", "green"), ("failed", "red"), ("retried", "yellow"), ("undone", "magenta"))
LOST = ("lost", "yellow")  # a column that there is only where something was


class LiveTable:
    """Draws one row for each step of the plan, at most ten times a second and never without news.

    A context manager, to be used inside an event loop; at its end the last picture stays.
    """

    def __init__(self, plan: Plan, console: Console, known: Progress | None = None) -> None:
        """Draw the runs of `plan` on `console`.

        `known` is what is known already of a run that is taken up again: counts go on from there.
        """
        self._planned = tuple(dict.fromkeys(steps_of(plan.root, plan.name)))
        self._progress = Progress(name=plan.name) if known is None else known
        self._timer: asyncio.TimerHandle | None = None
        self._live = Live(console=console, auto_refresh=False, get_renderable=self.table)

    def take(self, event: AnyEvent) -> None:
        """Take the next event of the run."""
        before, self._progress = self._progress, self._progress.fold(event)
        if self._progress is not before and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._draw)

    def __enter__(self) -> LiveTable:  # noqa: PYI034 - nobody derives from it
        """Draw the first picture."""
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Draw the last picture, and give the terminal back."""
        if self._timer is not None:
            self._timer.cancel()
        self._live.stop()

    def table(self) -> Table:
        """Return the picture: the plan's steps in its order, and whatever else events have told of."""
        progress = self._progress
        table = Table(box=None, pad_edge=False, title_justify="left", caption_justify="left", title_style="bold")
        table.title = Text(escape(f"{progress.name} {progress.run_id}".rstrip()))
        told = ["taken up again"] if progress.resumed else []
        told += [] if progress.cancelled is None else [f"cancelled: {progress.cancelled}"]
        if told:
            table.caption = Text(escape("; ".join(told)))
        table.add_column("step", overflow="fold")
        columns = (*COLUMNS, LOST) if any(counts.lost for counts in progress.counts.values()) else COLUMNS
        for name, style in columns:
            table.add_column(name, justify="right", style=style)
        for path in dict.fromkeys((*self._planned, *progress.paths)):
            counts = progress.at(path)
            cells = [f"{number:,}" if (number := getattr(counts, name)) else "" for name, _ in columns]
            table.add_row(Text(escape(path)), *cells, style=None if path in progress.counts else "dim")
        return table

    def _draw(self) -> None:
        self._timer = None
        self._live.refresh()


def steps_of(node: Node, path: str) -> Iterator[str]:
    """Yield the static paths of all steps at or below a node, in plan order."""
    if isinstance(node, Step):
        yield path
    for how, child in children_of(node):
        yield from steps_of(child, child_path(path, how, child.name))
