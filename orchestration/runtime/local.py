"""`LocalEngine`: runs workflows in this process, on asyncio."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from typing import TYPE_CHECKING, Any, Generic, Never, cast, final

from typing_extensions import TypeVar

from orchestration.errors import InvalidInput, RunExists, SignalRefused, WorkflowCancelled, WorkflowFailed
from orchestration.outcomes import Failed, Outcome, Succeeded
from orchestration.plan.hooks import hooks_of
from orchestration.runtime.admission import Limits, gate_of, lines_of
from orchestration.runtime.boundary import Validation, check_outputs, validate_input, validate_signal
from orchestration.runtime.driver import Driver, Home
from orchestration.runtime.executors import Executors
from orchestration.runtime.handler import BodyHandler, Middleware, wrap
from orchestration.runtime.hooks import Hooks
from orchestration.runtime.services import Services
from orchestration.runtime.threads import DEFAULT_THREADS, Threads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from concurrent.futures import Executor

    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Compilable, Plan
    from orchestration.plan.hooks import Hook
    from orchestration.runtime.context import Clock
    from orchestration.runtime.tokens import CancelToken
    from orchestration.signals import Signal

In = TypeVar("In")
Out = TypeVar("Out")
R = TypeVar("R", default=Never)
T = TypeVar("T")
Payload = TypeVar("Payload")

GRACE = 5.0
KEPT = 64  # plans whose home an engine keeps ready


@final
class Handle(Generic[T]):
    """A run under way."""

    def __init__(self, driver: Driver, value: object) -> None:
        """Belong to the run that `driver` drives with `value`."""
        self.value = value
        self.task: asyncio.Task[Outcome[T]] | None = None  # keeps the supervisor alive where it has a task of its own
        self._driver = driver
        self._ends: list[Callable[[], object]] = []
        self._done: asyncio.Future[Outcome[T]] = asyncio.get_running_loop().create_future()

    def when_done(self, callback: Callable[[], object]) -> None:
        """Call `callback` as soon as the run is over. For engines."""
        self._ends.append(callback)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._driver.run_id

    @property
    def plan(self) -> Plan:
        """The plan that is run."""
        return self._driver.plan

    @property
    def state(self) -> State:
        """Where the run is."""
        return self._driver.state

    async def result(self) -> Outcome[T]:
        """Wait for the outcome. Cancelling this wait does not cancel the run; `cancel` does."""
        return await asyncio.shield(self._done)

    def cancel(self, reason: str = "cancelled by its handle") -> bool:
        """Cancel the run; tell whether this decided its outcome (S28)."""
        return self._driver.cancel(reason)

    def obey(self, token: CancelToken) -> None:
        """Cancel the run when a token is cancelled, from any thread (S28). For engines."""
        loop = asyncio.get_running_loop()
        forget = token.when_cancelled(lambda reason: loop.call_soon_threadsafe(self.cancel, reason))
        self.when_done(forget)

    def signal(self, signal: Signal[Payload], payload: Payload, /, *, signal_id: str | None = None) -> None:
        """Send a signal to the run, which takes it now or keeps it for the next step that waits for it (S21).

        Signals of the same `signal_id` count once, so a sender who is not sure may send again.

        Raises:
            SignalRefused: if the run is over or cancelled or never waits for this signal, or the payload is of another
                type.
        """
        checked = validate_signal(self._driver.plan, self._driver.state, signal, payload)
        self._driver.signal(signal.name, signal_id or uuid.uuid4().hex, checked)

    async def supervise(self, executors: Executors) -> Outcome[T]:
        """Drive the run to its outcome, in the task that calls this. For engines."""
        try:
            with executors:
                outcome = await self._driver.run()
        except BaseException as error:
            self._done.set_exception(error)
            self._done.exception()  # seen: who awaits the run gets it from here, and maybe nobody else does
            raise
        finally:
            for end in self._ends:
                end()
        checked = cast("Outcome[T]", outcome)  # what the plan gives is what the workflow's type says
        self._done.set_result(checked)
        return checked

    def events(self) -> AsyncIterator[AnyEvent]:
        """Iterate over the events of the run, from this call on and up to its outcome."""
        queue: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        self._driver.listeners.append(queue.put_nowait)
        self._done.add_done_callback(lambda _: queue.put_nowait(None))
        return _until_none(queue)


async def _until_none(queue: asyncio.Queue[AnyEvent | None]) -> AsyncIterator[AnyEvent]:
    while (event := await queue.get()) is not None:
        yield event


@final
class LocalEngine(Generic[R]):
    """Runs workflows in this process.

    `services` does the work of the service classes that workflows need. `middleware` wraps every attempt, the first
    outermost. `grace` is how many seconds a cancelled or timed-out attempt has to end before it counts as leaked
    (S24). `max_threads` bounds its worker threads. `validate="all"` checks every output against its
    declared type, not only the input (S12).

    `max_concurrency` bounds the attempts of all its runs that are under way at a time, `limits` those of the steps that
    name a limit; engines that are given the same `Limits` share them (S14). `executors` are what steps name by `run_in`
    besides `"loop"`, `"thread"` and `"process"` (S11); they stay their giver's to shut down. `hooks` are asked before
    every step of its runs, and told of them (S31). `clock` tells the time of events, in seconds: tests give their own.
    """

    def __init__(  # noqa: PLR0913 - the settings of an engine, all by name
        self,
        services: Services[R] | None = None,
        *,
        middleware: tuple[Middleware, ...] = (),
        grace: float = GRACE,
        max_threads: int = DEFAULT_THREADS,
        max_concurrency: int | None = None,
        limits: Limits | Mapping[str, int] | None = None,
        executors: Mapping[str, Executor] | None = None,
        hooks: Iterable[Hook] = (),
        validate: Validation = "boundary",
        clock: Clock = time.time,
    ) -> None:
        """Keep the settings; nothing is started.

        Raises:
            ValueError: if a capacity is no int of at least 1, or an executor has the name of a place of ours.
            TypeError: if something else than hooks is among the hooks.
        """
        self._services: Services[Any] = services if services is not None else Services()
        self._hooks = hooks_of(hooks)
        self._middleware = (check_outputs, *middleware) if validate == "all" else middleware
        self._grace = grace
        self._clock = clock
        self._gate = None if max_concurrency is None else gate_of(max_concurrency, "the engine (max_concurrency)")
        self._limits = limits if isinstance(limits, Limits) else Limits(limits)
        self._executors = Executors(Threads(max_threads), executors or {})
        self._homes: dict[int, tuple[Plan, Home]] = {}  # by identity: equal plans may hold other lambdas
        self._runs: dict[str, Handle[Any]] = {}

    async def execute(
        self,
        workflow: Compilable[In, Out, R],
        value: In,
        /,
        *,
        run_id: str | None = None,
        deadline: float | None = None,
        token: CancelToken | None = None,
    ) -> Outcome[Out]:
        """Run a workflow to its outcome. The caller's task supervises the run: cancelling it cancels the run (S30).

        `deadline` is in seconds from the start of the run (S10). Cancelling `token` cancels the run, with its reason;
        one that is cancelled already lets no step begin (S28).

        Raises:
            PlanErrors: if the workflow does not compile.
            InvalidInput: if the value does not fit the workflow's type, or the deadline is no time, before anything
                runs; so for what follows.
            MissingService: if the engine's services lack one.
            MissingLimit: if the engine has no capacity for a limit of the plan.
            MissingExecutor: if the engine lacks an executor that a step names.
            RunExists: if `run_id` is that of a run under way with another plan or value (S5).
        """
        plan = workflow.compile()
        checked = validate_input(plan, value)
        known = self._attach(plan, checked, run_id, token)
        if known is not None:
            return await known.result()
        return await self._prepare(plan, checked, run_id, deadline, token).supervise(self._executors)

    async def start(
        self,
        workflow: Compilable[In, Out, R],
        value: In,
        /,
        *,
        run_id: str | None = None,
        deadline: float | None = None,
        token: CancelToken | None = None,
    ) -> Handle[Out]:
        """Begin a run in a task of its own and return its handle. Takes and raises what `execute` does."""
        plan = workflow.compile()
        checked = validate_input(plan, value)
        known = self._attach(plan, checked, run_id, token)
        if known is not None:
            return known
        handle = self._prepare(plan, checked, run_id, deadline, token)
        handle.task = asyncio.create_task(handle.supervise(self._executors))
        return handle

    def _attach(self, plan: Plan, value: object, run_id: str | None, token: CancelToken | None) -> Handle[Any] | None:
        if run_id is None:
            return None
        if not isinstance(cast("object", run_id), str) or not run_id or ":" in run_id or not run_id.isprintable():
            raise InvalidInput(
                plan.name,
                found=f"run id {run_id!r}",
                expected="a text of printable characters without a colon",
                mend="Choose another run_id.",
            )
        known = self._runs.get(run_id)
        if known is not None and (known.plan != plan or known.value != value):
            raise RunExists(
                plan.name,
                found=f"run {run_id!r} under way with another plan or input",
                expected="a new run id, or the same plan and input",
                mend="Choose another run_id, or wait for the outcome of that run.",
            )
        if known is not None and token is not None:
            known.obey(token)
        return known

    def signal(
        self, run_id: str, signal: Signal[Payload], payload: Payload, /, *, signal_id: str | None = None
    ) -> None:
        """Send a signal to a run of this engine that has a run id: see `Handle.signal` (S21).

        Raises:
            SignalRefused: if no such run is under way, and where `Handle.signal` does.
        """
        handle = self._runs.get(run_id)
        if handle is None:
            raise SignalRefused(
                run_id,
                found="no run under way with this id",
                expected="a run of this engine that was started with run_id=",
                mend="Start the run first, or see whether it has ended.",
            )
        handle.signal(signal, payload, signal_id=signal_id)

    def _prepare(
        self, plan: Plan, value: object, run_id: str | None, deadline: float | None, token: CancelToken | None
    ) -> Handle[Any]:
        if deadline is not None and not 0 < deadline < math.inf:
            raise InvalidInput(
                plan.name,
                found=f"deadline={deadline!r}",
                expected="a finite number of seconds above 0",
                mend="Leave it out for a run without a deadline.",
            )
        driver = Driver(plan, value, self._home_of(plan), run_id=run_id or uuid.uuid4().hex, deadline=deadline)
        handle: Handle[Any] = Handle(driver, value)
        if token is not None:
            handle.obey(token)
        if run_id is not None:
            self._runs[run_id] = handle
            handle.when_done(lambda: self._runs.pop(run_id))
        return handle

    def _home_of(self, plan: Plan) -> Home:
        """Return what a run of a plan needs: what there is to call and to pass is found out once, for all its runs."""
        known = self._homes.get(id(plan))
        if known is None:
            handler = wrap(BodyHandler(plan, self._services, self._executors), self._middleware)
            lines, hooks = lines_of(plan, self._gate, self._limits), Hooks(plan, self._hooks)
            home = Home(handler, self._executors.threads, self._grace, lines, hooks, self._clock)
            if len(self._homes) >= KEPT:
                self._homes.clear()
            self._homes[id(plan)] = (plan, home)
            return home
        home = known[1]
        if plan.root.max_concurrency is None:
            return home
        return home._replace(lines=lines_of(plan, self._gate, self._limits))  # each run has a gate of its own


def value_of(outcome: Outcome[T]) -> T:
    """Return the value of an outcome.

    Raises:
        WorkflowFailed: if the run failed; the cause is the exception of its first failure, where there is one.
        WorkflowCancelled: if the run was cancelled.
    """
    if isinstance(outcome, Succeeded):
        return outcome.value
    if isinstance(outcome, Failed):
        raise WorkflowFailed(outcome) from outcome.failure.exception
    raise WorkflowCancelled(outcome)
