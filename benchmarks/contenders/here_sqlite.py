"""This library with `SqliteJournal`, on a file: each event is on the disk before anything that follows from it."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contenders.here import AT_ONCE, mapped_by, running, steps
from benchmarks.workloads import CAP, FAN_CAP, Flaky, noop
from orchestration import LocalEngine, SqliteJournal, Workflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ENGINES: list[LocalEngine] = []
FLAKY = Flaky()


async def flaky(value: int) -> int:
    """Fail three times: a journal asks for a body that it can name."""
    return await FLAKY(value)


@asynccontextmanager
async def set_up() -> AsyncIterator[None]:
    """Open a journal."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        ENGINES.append(LocalEngine(journal=SqliteJournal(Path(folder, "runs.db"))))
        yield


PREPARE = {
    "chain": lambda size: running(steps(size), 1, ENGINES[-1]),
    "fan_out": lambda size: running(mapped_by(noop, FAN_CAP), list(range(size)), ENGINES[-1]),
    "map": lambda size: running(mapped_by(noop, CAP), list(range(size)), ENGINES[-1]),
    "retry": lambda _size: running(Workflow[int]("retry").step(flaky, retry=AT_ONCE), 1, ENGINES[-1]),
    "run": lambda _size: running(steps(1), 1, ENGINES[-1]),
}
