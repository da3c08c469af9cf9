"""DBOS with SQLite, on a file: a workflow and its steps by decorators."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dbos import DBOS

from benchmarks.workloads import FAILURES, FAN_CAP, Flaky, noop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Work = Callable[[], Awaitable[object]]

FLAKY = Flaky()


@DBOS.step()
async def call(value: int) -> int:
    """Do a step."""
    return await noop(value)


@DBOS.step(retries_allowed=True, max_attempts=FAILURES + 1, interval_seconds=0)
async def call_flaky(value: int) -> int:
    """Do a step that fails at first."""
    return await FLAKY(value)


@DBOS.workflow()
async def chain(size: int) -> int:
    """Do one after the other."""
    value = 1
    for _ in range(size):
        value = await call(value)
    return value


@DBOS.workflow()
async def fan_out(size: int) -> list[int]:
    """Do many side by side."""
    held = asyncio.Semaphore(FAN_CAP)

    async def one(item: int) -> int:
        async with held:
            return await call(item)

    return await asyncio.gather(*(one(item) for item in range(size)))


@DBOS.workflow()
async def retry(_size: int) -> int:
    """Do what fails at first."""
    return await call_flaky(1)


@asynccontextmanager
async def set_up() -> AsyncIterator[None]:
    """Launch DBOS on a file."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        url = f"sqlite:///{folder}/runs.db"
        DBOS(
            config={"name": "benchmark", "system_database_url": url, "log_level": "CRITICAL", "run_admin_server": False}
        )
        DBOS.launch()
        yield
        DBOS.destroy()


def running(workflow: Callable[[int], Awaitable[object]]) -> Callable[[int], Work]:
    """Return what runs a workflow."""
    return lambda size: lambda: workflow(size)


PREPARE = {"chain": running(chain), "fan_out": running(fan_out), "retry": running(retry), "run": running(chain)}
