"""`Lines`: the progress of a run as plain lines, few of them however many steps there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.interpreter.events import CancelRequested, Resumed, Started
from orchestration.observe.progress import NOTHING, Counts, Progress
from orchestration.observe.terminal import escape
from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.engine import Turned


class Lines:
    """Writes a line for a static path when one of its counts is new or has doubled since the last one.

    So a map of 100,000 items writes 17 lines for its step and one at the end. As a context manager it writes, at its
    end, the counts that have not been told.
    """

    def __init__(self, write: Callable[[str], object], known: Progress | None = None) -> None:
        """Write with `write`, which gets one line, without its end, at a time.

        `known` is what is known already of a run that is taken up again: counts go on from there.
        """
        self._write = write
        self._progress = Progress() if known is None else known
        self._told: dict[str, Counts] = {path: self._progress.at(path) for path in self._progress.paths}

    def take(self, turned: Turned) -> None:
        """Take the next turn of the run."""
        event = turned.event
        before, self._progress = self._progress, self._progress.fold(event)
        if self._progress is before:
            return
        match event:
            case Started():
                self._write(escape(f"{event.path}: run {event.run_id} started"))
            case Resumed():
                self._write(escape(f"{event.path}: taken up again"))
            case CancelRequested():
                self._write(escape(f"{event.path}: cancelled: {event.reason}"))
            case _:
                self._tell(static_path(event.path))

    def __enter__(self) -> Lines:  # noqa: PYI034 - nobody derives from it
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Tell what is left to tell."""
        for path in self._progress.paths:
            if self._progress.at(path) != self._told.get(path, NOTHING):
                self._write(escape(f"{path}: {self._progress.at(path)}"))

    def _tell(self, path: str) -> None:
        now = self._progress.at(path)
        if _grew(self._told.get(path, NOTHING), now):
            self._told[path] = now
            self._write(escape(f"{path}: {now}"))


def _grew(told: Counts, now: Counts) -> bool:
    pairs = (
        (told.done, now.done),
        (told.failed, now.failed),
        (told.retried, now.retried),
        (told.undone, now.undone),
        (told.lost, now.lost),
    )
    return any(after > before and after >= 2 * before for before, after in pairs)
