"""LangGraph with its SQLite checkpointer, on a file."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from benchmarks.contenders import langgraph
from benchmarks.workloads import FAN_CAP, noop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Work = Callable[[], Awaitable[object]]

SAVERS: list[AsyncSqliteSaver] = []


@asynccontextmanager
async def set_up() -> AsyncIterator[None]:
    """Open a file for what is kept."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        async with AsyncSqliteSaver.from_conn_string(str(Path(folder, "runs.db"))) as saver:
            SAVERS.append(saver)
            yield


PREPARE = {
    "chain": lambda size: langgraph.chain(size, SAVERS[-1]),
    "fan_out": lambda size: langgraph.mapped(noop, FAN_CAP, SAVERS[-1])(size),  # noqa: PLW0108 - the saver is there only later
    "retry": lambda size: langgraph.retry(size, SAVERS[-1]),
    "run": lambda size: langgraph.chain(size, SAVERS[-1]),
}
