"""`TemporalWorker`: runs workflows for a task queue of Temporal."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Never, Self, final

from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig
from typing_extensions import TypeVar

from orchestration.engines.temporal_attempts import Attempts, pause
from orchestration.engines.temporal_hook_calls import HookCalls
from orchestration.engines.temporal_local import Local
from orchestration.engines.temporal_plans import Plans, serving
from orchestration.engines.temporal_workflow import RunWorkflow
from orchestration.plan.hooks import hooks_of
from orchestration.runtime.boundary import Validation, output_checks
from orchestration.runtime.executors import Executors
from orchestration.runtime.handler import BodyHandler, Middleware, wrap
from orchestration.runtime.local import GRACE
from orchestration.runtime.services import Services
from orchestration.runtime.threads import DEFAULT_THREADS, Threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from concurrent.futures import Executor
    from types import TracebackType

    from temporalio.client import Client

    from orchestration.plan.compile import Compilable, Plan
    from orchestration.plan.hooks import Hook
    from orchestration.plan.sealing import Cipher
    from orchestration.runtime.handler import Handler

R = TypeVar("R", default=Never)
PULSE = 1.0  # seconds
STICKY = 10.0  # seconds
BUILD_BYTES = 8


@final
class TemporalWorker(Generic[R]):
    """Runs the workflows that it has, for a task queue; to be opened with `async with`, or `run`.

    `services`, `middleware`, `executors`, `max_threads`, `grace` and `validate` are as for `LocalEngine`;
    `hooks` are those of the engine, too (S31): runs of one that has others wait for another worker.
    `max_concurrency` bounds the attempts of this worker, of which 100 are under way at a time without it. `cipher` is
    that of the engine (S33). Every `pulse` seconds an attempt gives a sign of life, and hears then that it is to end.
    A workflow whose worker gave none for `sticky` seconds goes to another. `deployment` names what the worker is part
    of on Temporal's pages; its build is known there by the fingerprints of the workflows.
    """

    def __init__(  # noqa: PLR0913 - the settings of a worker, all by name
        self,
        client: Client,
        *,
        task_queue: str,
        workflows: Iterable[Compilable[Any, Any, R]] = (),
        services: Services[R] | None = None,
        hooks: Iterable[Hook] = (),
        middleware: tuple[Middleware, ...] = (),
        grace: float = GRACE,
        max_threads: int = DEFAULT_THREADS,
        max_concurrency: int | None = None,
        executors: Mapping[str, Executor] | None = None,
        validate: Validation = "boundary",
        cipher: Cipher | None = None,
        deployment: str | None = None,
        pulse: float = PULSE,
        sticky: float = STICKY,
    ) -> None:
        """Keep the settings; nothing is started.

        Raises:
            PlanErrors: if one of the workflows does not compile, or cannot run on Temporal.
            MissingService: if a service that it needs is not bound.
            MissingExecutor: if a step names an executor that there is not.
            InvalidInput: if `validate` is none of its words.
        """
        self._client = client
        self._task_queue = task_queue
        self._services: Services[Any] = services if services is not None else Services()
        self._middleware = (*output_checks(validate, "the worker"), *middleware)
        self._executors = Executors(Threads(max_threads), executors or {})
        self._plans = Plans(cipher, hooks=hooks_of(hooks))
        self._local = Local()
        self._hooks = HookCalls(self._local, grace=grace)
        self._attempts = Attempts(self._plans, self._handler, self._local, grace=grace, pulse=pulse)
        self._max_concurrency = max_concurrency
        self._pulse = timedelta(seconds=pulse)
        self._sticky = timedelta(seconds=sticky)
        self._deployment = deployment
        self._open = AsyncExitStack()
        for workflow in workflows:
            self.add(workflow)

    def add(self, workflow: Compilable[Any, Any, R]) -> None:
        """Have a further workflow. Raises what the constructor does."""
        self._attempts.prepare(self._plans.add(workflow))

    def _handler(self, plan: Plan) -> Handler:
        return wrap(BodyHandler(plan, self._services, self._executors), self._middleware)

    async def run(self) -> None:
        """Run workflows until this is cancelled: then what is under way is lost in order, for other workers (S30)."""
        async with self:
            await asyncio.Event().wait()

    async def __aenter__(self) -> Self:
        """Begin to take work."""
        async with AsyncExitStack() as opening:
            opening.enter_context(self._executors)
            opening.enter_context(self._hooks.threads)
            opening.enter_context(serving(self._client.namespace, self._task_queue, self._plans))
            await opening.enter_async_context(self._worker())
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take no more work, and end what is under way within the grace."""
        self._local.stop()
        await self._open.aclose()

    def _worker(self) -> Worker:
        return Worker(
            self._client,
            task_queue=self._task_queue,
            workflows=[RunWorkflow],
            activities=[self._attempts.perform, self._hooks.ask, self._hooks.tell, pause],
            max_concurrent_activities=self._max_concurrency,
            max_heartbeat_throttle_interval=self._pulse,
            default_heartbeat_throttle_interval=self._pulse,
            sticky_queue_schedule_to_start_timeout=self._sticky,
            deployment_config=None if self._deployment is None else self._deployed(self._deployment),
        )

    def _deployed(self, name: str) -> WorkerDeploymentConfig:
        """Return what this worker is part of. Which runs are for it the fingerprints of their plans say already."""
        build = hashlib.blake2b(" ".join(self._plans.fingerprints).encode(), digest_size=BUILD_BYTES).hexdigest()
        return WorkerDeploymentConfig(version=WorkerDeploymentVersion(name, build), use_worker_versioning=False)
