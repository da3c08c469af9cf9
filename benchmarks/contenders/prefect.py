"""Prefect, with the server that it starts for itself and its database in a folder of its own; logging is off."""

from __future__ import annotations

import os
import tempfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

FOLDER = tempfile.TemporaryDirectory(dir=".")
os.environ |= {
    "PREFECT_HOME": os.path.abspath(FOLDER.name),  # noqa: PTH100 - a string is what the environment takes
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "DO_NOT_TRACK": "1",
}

from prefect import flow, task  # noqa: E402

from benchmarks.workloads import FAILURES, Flaky, noop  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Work = Callable[[], Awaitable[object]]

FLAKY = Flaky()


@task
async def call(value: int) -> int:
    """Do a step."""
    return await noop(value)


@task(retries=FAILURES, retry_delay_seconds=0)
async def call_flaky(value: int) -> int:
    """Do a step that fails at first."""
    return await FLAKY(value)


@flow
async def chain(size: int) -> int:
    """Do one after the other."""
    value = 1
    for _ in range(size):
        value = await call(value)
    return value


@flow
async def retry(size: int) -> int:  # noqa: ARG001 - what a flow takes must have a name without an underscore
    """Do what fails at first."""
    return await call_flaky(1)


@asynccontextmanager
async def set_up() -> AsyncIterator[None]:
    """Let the first run start the server."""
    await chain(1)
    yield


def running(flow: Callable[[int], Awaitable[object]]) -> Callable[[int], Work]:
    """Return what runs a flow."""
    return lambda size: lambda: flow(size)


PREPARE = {"chain": running(chain), "retry": running(retry), "run": running(chain)}
