"""How times, and where a run stands, are told to a person."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration.observe.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestration.journal.protocol import Head

UNITS = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0))


def clock(at: float) -> str:
    """Return a time as a person reads it, to the second."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # a test's clock, or damage
        return f"{at:g} s"


def span(seconds: float) -> str:
    """Return a stretch of time, in the largest unit that fits: `3 d`, `12 min`."""
    if not math.isfinite(seconds):
        return "ever"
    whole = max(seconds, 0.0)
    unit, size = next(((unit, size) for unit, size in UNITS if whole >= size), UNITS[-1])
    return f"{int(whole // size):,} {unit}"


def standing(head: Head, now: float) -> str:
    """Say where a run stands: how it ended, who has it, or what it waits for."""
    if head.status != "unfinished":
        return head.status
    if not head.is_free(now):
        return f"running by {head.owner}"
    if head.owner is not None:
        return f"left by {head.owner}"
    if head.epoch == 0:
        return "submitted"
    if head.is_due(now):
        return "due"
    if math.isinf(head.wake):
        return "waiting for a signal"
    return f"waiting until {clock(head.wake)}"


def table(rows: Sequence[Sequence[str]], paint: Callable[[int, str], str] | None = None) -> list[str]:
    """Return rows as lines, their columns below each other, escaped; `paint` colours the cell of a column."""
    cells = [[escape(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    colour = paint or (lambda _, cell: cell)
    return [
        "  ".join(colour(number, cell) + " " * (widths[number] - len(cell)) for number, cell in enumerate(row)).rstrip()
        for row in cells
    ]
