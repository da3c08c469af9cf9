"""Colours and marks for results on a terminal, those of the live tree; elsewhere text stays as it is."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CODES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}
STANDINGS = {  # by its first word, where a run stands
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("■", "yellow"),
    "running": ("▸", "cyan"),
    "left": ("■", "yellow"),
    "waiting": ("↻", "yellow"),
    "due": ("·", "bold"),
    "submitted": ("·", "dim"),
}
KINDS = (  # of events, the first that is in the name
    ("Undo", "magenta"),
    ("Failed", "red"),
    ("TimedOut", "red"),
    ("damaged", "red"),
    ("Succeeded", "green"),
    ("Cancel", "yellow"),
    ("Lost", "yellow"),
    ("Leaked", "yellow"),
    ("Resumed", "yellow"),
)


def colourful() -> bool:
    """Tell whether results go to a terminal that shows colours, and is to."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def painted(text: str, style: str) -> str:
    """Return a text in a colour, if results are shown in colours."""
    return f"\x1b[{CODES[style]}m{text}\x1b[0m" if style and colourful() else text


def marked(standing: str) -> str:
    """Return where a run stands with its mark, if results are shown in colours."""
    glyph, _ = STANDINGS.get(standing.partition(" ")[0], ("·", ""))
    encoding = (sys.stdout.encoding or "").lower()
    return f"{glyph} {standing}" if colourful() and encoding.startswith("utf") else standing


def style_of_standing(text: str) -> str:
    """Return the colour of where a run stands, marked or not."""
    return next((STANDINGS[word][1] for word in text.split() if word in STANDINGS), "")


def style_of_event(text: str) -> str:
    """Return the colour of an event that is told in a line that begins with its kind."""
    kind = text.partition(" ")[0]
    return next((style for part, style in KINDS if part in kind), "")


def by_column(*styles: str | Callable[[str], str]) -> Callable[[int, str], str]:
    """Return what paints the cells of a table: each column in a style, or in one that its text tells."""

    def paint(column: int, cell: str) -> str:
        style = styles[column] if column < len(styles) else ""
        return painted(cell, style if isinstance(style, str) else style(cell))

    return paint
