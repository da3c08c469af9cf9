"""A journal that ends its process at a write point: before a call that writes, or right after it has returned."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from orchestration.journal.protocol import Journal, Record

WRITES = ("create", "append", "adopt", "acquire", "renew", "release", "post", "save")


def note(file: Path, line: str) -> None:
    """Add a line to a file, in one write: it is there although the process dies."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


class Deadly:
    """A journal that kills its process with SIGKILL at write point number `fatal`, from 1 on, or the first of a name.

    What it has acknowledged, the last record of each write that has returned, it notes in a file.
    """

    def __init__(self, journal: Journal, folder: Path, fatal: int | str | None = None) -> None:
        """Pass all calls on to `journal`."""
        self._journal = journal
        self._folder = folder
        self._fatal = fatal
        self._passed = 0

    def __getattr__(self, name: str) -> Any:
        """Return a method of the journal, between two write points if it writes."""
        method = getattr(self._journal, name)
        return self._between(name, method) if name in WRITES else method

    def _between(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self._pass(f"before {name}")
            answer = method(*arguments, **options)
            if name == "create":
                self._acknowledge(arguments[2:])
            elif name == "append":
                self._acknowledge(arguments[1])
            self._pass(f"after {name}")
            return answer

        return call

    def _acknowledge(self, records: Sequence[Record]) -> None:
        if records:
            note(self._folder / "acknowledged", f"{records[-1].position} {records[-1].checksum}")

    def _pass(self, point: str) -> None:
        self._passed += 1
        if self._fatal in (self._passed, point):
            note(self._folder / "died", point)
            os.kill(os.getpid(), signal.SIGKILL)
