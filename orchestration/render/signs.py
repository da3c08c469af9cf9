"""The signs of pictures, ten pixels wide and high: what something is, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Container

Status = Literal[
    "done",
    "running",
    "waiting",
    "failed",
    "cancelled",
    "undone",
    "undo-failed",
    "held",
    "in-doubt",
    "kept",
    "leaked",
    "lost",
    "skipped",
    "unreached",
]
WORDS: dict[Status, str] = {
    "done": "done",
    "running": "running",
    "waiting": "waiting",
    "failed": "failed",
    "cancelled": "cancelled",
    "undone": "undone",
    "undo-failed": "undo failed",
    "held": "held: not undone",
    "in-doubt": "in doubt",
    "kept": "kept",
    "leaked": "leaked: may yet land",
    "lost": "lost",
    "skipped": "skipped",
    "unreached": "not reached",
}
CHECK = "M1.5 5.5L4 8L8.5 2.5"
CROSS = "M2 2L8 8M8 2L2 8"
BACK = "M3.5 1L1 3.5L3.5 6M1 3.5H6.2A2.4 2.4 0 0 1 6.2 8.6H3.5"
CLOCK = "M5 .8A4.2 4.2 0 1 1 4.99 .8M5 2.8V5.2L6.8 6.4"
STOP = "M2 2H8V8H2Z"
PLAY = "M2.5 1.5L8.5 5L2.5 8.5Z"
PAUSE = "M3 1.5V8.5M7 1.5V8.5"
QUESTION = "M2.6 3.2A2.4 2.4 0 1 1 5 5.7V6.4M5 8.6V8.8"
LOCK = "M2 4.6H8V9H2ZM3.2 4.6V3A1.8 1.8 0 0 1 6.8 3V4.6"
DASH = "M2 5H8"
DROP = "M5 1C7.4 4 8 5 8 6.2A3 3 0 0 1 2 6.2C2 5 2.6 4 5 1Z"
BOLT = "M5.8 .8L2.4 5.4H5L4.2 9.2L7.6 4.4H5Z"
LETTER = "M1 2.2H9V7.8H1ZM1 2.6L5 5.6L9 2.6"
BROOM = "M8.6 1L5.4 4.6M2 9C2.2 6.6 3.4 4.8 5 4.2L6.2 5.4C5.6 7.4 4.2 8.8 2 9Z"
FORK = "M5 1V4M5 4L1.8 6.6V9M5 4L8.2 6.6V9"
AGAIN = "M8.4 5A3.4 3.4 0 1 1 7.2 2.4M7.4 .6V2.6H5.4"
SIGNS: dict[Status, str] = {
    "done": CHECK,
    "running": PLAY,
    "waiting": CLOCK,
    "failed": CROSS,
    "cancelled": STOP,
    "undone": BACK,
    "undo-failed": CROSS,
    "held": PAUSE,
    "in-doubt": QUESTION,
    "kept": LOCK,
    "leaked": DROP,
    "lost": BOLT,
    "skipped": DASH,
    "unreached": DASH,
}
# Of several things at one place, the first of these that is among them is what the place is coloured by.
GRAVEST: tuple[Status, ...] = (
    "leaked",
    "in-doubt",
    "undo-failed",
    "held",
    "failed",
    "running",
    "waiting",
    "lost",
    "undone",
    "cancelled",
    "kept",
    "done",
    "skipped",
    "unreached",
)


def gravest(statuses: Container[Status]) -> Status:
    """Return the status that several things are coloured by."""
    found: Status
    for found in GRAVEST:
        if found in statuses:
            return found
    raise AssertionError
