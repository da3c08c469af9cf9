"""`LiveTree`: a run over its plan as a tree that stays in place. Needs `rich` (the extra `cli`)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestration.observe.terminal import escape
from orchestration.observe.tree import Row, Tree, fitting, span
from orchestration.outcomes import Cancelled, Failed, Outcome, Succeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import Console, RenderableType

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.engine import Turned
    from orchestration.observe.marks import Mark
    from orchestration.observe.progress import Progress
    from orchestration.plan.compile import Plan

INTERVAL = 0.1  # seconds between two pictures, at least
TICK = 1.0  # seconds between two pictures without news, while something is under way
SHARE = 10  # drawing takes a tenth of the time at most
MARGIN = 3  # lines for the title, what is told below, and the cursor
BAR = 16  # characters
GAPS = 6  # characters between the columns
MARKS: dict[Mark, tuple[str, str]] = {
    "to come": ("·", "dim"),
    "running": ("▸", "cyan"),
    "waiting": ("↻", "yellow"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "stopped": ("■", "yellow"),
    "undoing": ("↶", "bold magenta"),
    "undone": ("↶", "magenta"),
    "not undone": ("!", "bold red"),
    "not taken": ("-", "dim"),
}
ENDS: dict[type, tuple[str, str]] = {
    Succeeded: ("succeeded in", "green"),
    Failed: ("failed after", "red"),
    Cancelled: ("cancelled after", "yellow"),
}


class LiveTree:
    """Draws the places of the plan, at most ten times a second; without news once a second, if something is under way.

    A context manager, to be used inside an event loop; at its end the last picture stays.
    """

    def __init__(
        self,
        plan: Plan,
        console: Console,
        known: Progress | None = None,
        effects: Iterable[Effect] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Draw a run of `plan` on `console`; `clock` is that of the run's events.

        Of a run that is taken up again, `known` is what it has done already, and `effects` what it waits for.
        """
        self.tree: Tree = Tree(plan, known, effects)
        self._console = console
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = False  # whether the timer is for a picture without news
        self._cost = 0.0  # seconds that the last picture took
        self._live = Live(console=console, auto_refresh=False, get_renderable=self.picture)

    def take(self, turned: Turned) -> None:
        """Take the next turn of the run."""
        self.tree.take(turned)
        if self._timer is None or self._ticks:
            self._draw_in(max(INTERVAL, SHARE * self._cost), ticks=False)

    def __enter__(self) -> LiveTree:  # noqa: PYI034 - nobody derives from it
        """Draw the first picture."""
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Draw the last picture, and give the terminal back."""
        if self._timer is not None:
            self._timer.cancel()
        self._live.stop()

    def picture(self) -> RenderableType:
        """Return the picture: a title, as many rows as the terminal has lines for, and what is to be told below."""
        tree, now, size = self.tree, self._clock(), self._console.size
        rows = fitting(tree.rows(now), max(1, size.height - MARGIN))
        told = ["taken up again"] if tree.progress.resumed else []
        told += [] if tree.progress.cancelled is None else [f"cancelled: {tree.progress.cancelled}"]
        below = [Text(escape("; ".join(told)), style="yellow")] if told else []
        return Group(self._title(now), _table(rows, size.width), *below)

    def _title(self, now: float) -> Text:
        tree = self.tree
        title = Text(escape(tree.progress.name), style="bold", no_wrap=True, overflow="ellipsis", end="")
        if tree.state is not None and tree.began is not None:
            title.append(f"  {escape(tree.state.run_id)}  ", style="not bold dim")
            title.append_text(_time(tree.outcome, (now if tree.outcome is None else tree.state.at) - tree.began))
        title.append("\n")
        return title

    def _draw_in(self, seconds: float, *, ticks: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._ticks = ticks
        self._timer = asyncio.get_running_loop().call_later(seconds, self._draw)

    def _draw(self) -> None:
        self._timer = None
        began = time.perf_counter()
        self._live.refresh()
        self._cost = time.perf_counter() - began
        if self.tree.busy:
            self._draw_in(max(TICK, SHARE * self._cost), ticks=True)


def _table(rows: list[Row | int], width: int) -> Table:
    """Return the rows in columns; where the terminal is narrow the notes give way, not the names."""
    names = [_name(row) if isinstance(row, Row) else Text(f"   … {row:,} more", "dim") for row in rows]
    counts = [_count(row) if isinstance(row, Row) else Text() for row in rows]
    bars = [_bar(row) if isinstance(row, Row) else "" for row in rows]
    widest = min(width // 2, max((name.cell_len for name in names), default=0))
    taken = widest + (BAR if any(bars) else 0) + max((count.cell_len for count in counts), default=0)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, overflow="ellipsis", min_width=widest)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    for row, *cells in zip(rows, names, bars, counts, strict=True):
        notes = Text(escape(" · ".join(row.notes)) if isinstance(row, Row) else "", "dim")
        notes.truncate(max(1, width - taken - GAPS), overflow="ellipsis")
        table.add_row(*cells, notes)
    return table


def _name(row: Row) -> Text:
    glyph, style = MARKS[row.mark]
    text = Text(row.guide, style="dim")
    text.append(f"{glyph} ", style=f"not dim {style}" if style != "dim" else style)
    return text.append(escape(row.name), style="dim" if style == "dim" else "not dim")


def _bar(row: Row) -> ProgressBar | str:
    if not row.total:
        return ""
    return ProgressBar(
        total=row.total, completed=row.done or 0, width=BAR, complete_style="cyan", finished_style="green"
    )


def _count(row: Row) -> Text:
    if row.done is None:
        return Text("")
    return Text(f"{row.done:,}" if row.total is None else f"{row.done:,}/{row.total:,}")


def _time(outcome: Outcome | None, seconds: float) -> Text:
    if outcome is None:
        return Text(span(seconds), style="not bold")
    how, style = ENDS[type(outcome)]
    exact = f"{seconds:.1f} s" if seconds < 10 else span(seconds)  # noqa: PLR2004 - as a person would tell it
    return Text(f"{how} {exact}", style=f"not bold {style}")
