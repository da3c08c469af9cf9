"""`LocalEngine`: runs workflows in this process, on asyncio."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any, Generic, Never, final

from typing_extensions import TypeVar

from orchestration.errors import (
    JournalError,
    RunExists,
    RunHeld,
    SignalRefused,
    WorkflowCancelled,
    WorkflowFailed,
)
from orchestration.journal.opening import look_equal
from orchestration.outcomes import Failed, Outcome, Succeeded
from orchestration.plan.hooks import hooks_of
from orchestration.runtime.admission import Limits, gate_of
from orchestration.runtime.boundary import Validation, output_checks, validate_input, validate_signal
from orchestration.runtime.durable import Durable, Recovery, state_of
from orchestration.runtime.executors import Executors
from orchestration.runtime.host import Host
from orchestration.runtime.inbox import cancel_text, signal_text
from orchestration.runtime.prelude import Prelude
from orchestration.runtime.services import Services
from orchestration.runtime.threads import DEFAULT_THREADS, Threads

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from concurrent.futures import Executor

    from orchestration.journal.protocol import Head, Journal
    from orchestration.plan.compile import Compilable
    from orchestration.plan.hooks import Hook
    from orchestration.plan.sealing import Cipher
    from orchestration.runtime.context import Clock
    from orchestration.runtime.handle import Handle
    from orchestration.runtime.handler import Middleware
    from orchestration.runtime.tokens import CancelToken
    from orchestration.signals import Signal

In = TypeVar("In")
Out = TypeVar("Out")
R = TypeVar("R", default=Never)
T = TypeVar("T")
Payload = TypeVar("Payload")

GRACE = 5.0
LEASE = 30.0
POLL = 0.5


@final
class LocalEngine(Host, Generic[R]):
    """Runs workflows in this process.

    ```python
    sale = Workflow[Order]("sale").step(reserve).compensate(release).step(Payments.charge)
    outcome = await LocalEngine(services, max_concurrency=8).execute(sale, order, run_id="order-17")
    assert outcome.value.cents == 500
    ```

    `services` does the work of the service classes that workflows need. `middleware` wraps every attempt, the first
    outermost. `grace` is how many seconds a cancelled or timed-out attempt has to end before it counts as leaked
    (S24). `max_threads` bounds its worker threads. `validate="all"` checks every output against its
    declared type, not only the input (S12).

    `max_concurrency` bounds the attempts of all its runs that are under way at a time, `limits` those of the steps that
    name a limit; engines that are given the same `Limits` share them (S14). `executors` are what steps name by `run_in`
    besides `"loop"`, `"thread"` and `"process"` (S11); they stay their giver's to shut down. `hooks` are asked before
    every step of its runs, and told of them (S31). `clock` tells the time of events, in seconds: tests give their own.

    With a `journal` its runs are durable (S34): they go on after the end of their process, by `execute` or `start` with
    the same run id, `resume`, `recover` or a `Worker`. `workflows` are those that it can go on with besides the ones it
    has started, by name; `cipher` seals the secrets in the journal (S33). A process that has a run for `lease` seconds
    without a sign of life may be replaced by another (S38); every `poll` seconds a run's inbox is read.
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
        journal: Journal | None = None,
        workflows: Iterable[Compilable[Any, Any, R]] | None = None,
        cipher: Cipher | None = None,
        lease: float = LEASE,
        poll: float = POLL,
    ) -> None:
        """Keep the settings; nothing is started.

        Raises:
            ValueError: if a capacity is no int of at least 1, or an executor has the name of a place of ours.
            TypeError: if something else than hooks is among the hooks.
            InvalidInput: if `poll` and `lease` do not fit, or `validate` is none of its words.
            PlanErrors: if one of the workflows does not compile, or cannot be durable (S37).
        """
        super().__init__()
        self._services = services if services is not None else Services()
        self._hooks = hooks_of(hooks)
        self._middleware = (*output_checks(validate), *middleware)
        self._grace = grace
        self._clock = clock
        self._gate = None if max_concurrency is None else gate_of(max_concurrency, "the engine (max_concurrency)")
        self._limits = limits if isinstance(limits, Limits) else Limits(limits)
        self._executors = Executors(Threads(max_threads), executors or {})
        self._durable = None if journal is None else Durable(journal, clock, lease=lease, poll=poll)
        self._cipher = cipher
        for workflow in workflows or ():
            self._known(workflow.compile())

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

        `deadline` is in seconds from the start of the run (S10); a run that was begun before keeps its own. Cancelling
        `token` cancels the run, with its reason; one that is cancelled already lets no step begin (S28).

        Raises:
            PlanErrors: if the workflow does not compile.
            InvalidInput: if the value does not fit the workflow's type, or the deadline is no time, before anything
                runs; so for what follows.
            MissingService: if the engine's services lack one.
            MissingLimit: if the engine has no capacity for a limit of the plan.
            MissingExecutor: if the engine lacks an executor that a step names.
            RunExists: if `run_id` is that of a run under way with another plan or value (S5).
        """
        plan = self._known(workflow.compile())
        checked = validate_input(plan, value)
        if run_id is None and deadline is None and token is None and (home := self._home_of(plan)).is_quiet:
            return await Prelude(plan, home, self._executors, checked).run()
        async with self._alone(run_id):
            known = self._attach(plan, checked, run_id, token)
            handle = known or await self._open(plan, checked, run_id, deadline, token, wait=True)
        return await (handle.result() if known is handle else handle.supervise(self._executors))

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
        plan = self._known(workflow.compile())
        checked = validate_input(plan, value)
        async with self._alone(run_id):
            known = self._attach(plan, checked, run_id, token)
            return known or self._launch(await self._open(plan, checked, run_id, deadline, token))

    def _launch(self, handle: Handle[Out]) -> Handle[Out]:
        handle.task = asyncio.create_task(handle.supervise(self._executors))
        handle.task.add_done_callback(handle.close)
        return handle

    def signal(
        self, run_id: str, signal: Signal[Payload], payload: Payload, /, *, signal_id: str | None = None
    ) -> None:
        """Send a signal to a run of this engine that has a run id: see `Handle.signal` (S21).

        A durable run may be another process's, or nobody's for the time being.

        Raises:
            SignalRefused: if no such run is under way, and where `Handle.signal` does.
            RunNotFound: if the journal has no such run, nor this process.
            UnknownWorkflow: if its workflow is none of this engine's.
        """
        handle = self._runs.get(run_id)
        if handle is not None:
            handle.signal(signal, payload, signal_id=signal_id)
        elif self._durable is not None:
            head = self.journal.head(run_id)
            plan = self._plan_of(head)
            checked = validate_signal(plan, state_of(head), signal, payload)
            self.journal.post(run_id, signal_text(plan, signal.name, signal_id or uuid.uuid4().hex, checked))
        else:
            raise SignalRefused(
                run_id,
                found="no run under way with this id",
                expected="a run of this engine that was started with run_id=",
                mend="Start the run first, or see whether it has ended.",
            )

    # --- durable runs

    @property
    def journal(self) -> Journal:
        """The journal of this engine.

        Raises:
            JournalFailed: if it has none.
        """
        return self._durably.journal

    def now(self) -> float:
        """Return the time on this engine's clock, in seconds."""
        return self._clock()

    async def submit(
        self,
        workflow: Compilable[In, Out, R],
        value: In,
        /,
        *,
        run_id: str | None = None,
        deadline: float | None = None,
    ) -> str:
        """Begin a durable run that a worker is to drive, this process or another; return its id.

        Raises what `execute` does before anything runs; a run that was begun with the same input is left as it is.
        """
        plan = self._known(workflow.compile())
        event = self._first(plan, validate_input(plan, value), run_id, deadline)
        try:
            await self._durably.submit(plan, event)
        except RunExists:
            await self._durably.call(look_equal, self.journal, plan, event)
        return event.run_id

    async def resume(self, run_id: str) -> Handle[Any]:
        """Go on with a durable run that no other process has; one that has ended has its outcome at once.

        Raises:
            RunNotFound: if the journal has no such run.
            UnknownWorkflow: if its workflow is none of this engine's.
            RunHeld: if another process has it (S38).
            JournalCorrupt: if its log is damaged (S37).
            ReplayMismatch: if the plan as it is now does something else than the log says (S36).
        """
        async with self._alone(run_id):
            if run_id in self._runs:
                return self._runs[run_id]
            head = await self._durably.call(self.journal.head, run_id)
            plan = self._plan_of(head)
            driver, kept = await self._durably.take_over(plan, run_id, self._home_of(plan))
            if kept is None:
                return self._launch(self._handle(driver, None, None, None, listed=False))
            return self._launch(self._handle(driver, kept.value, kept, None, listed=True))

    async def recover(self, most: int | None = None, *, but: Container[Head] = ()) -> Recovery:
        """Go on with the durable runs (`most` of them) that are due, that nobody has, and whose workflow is known.

        Runs that are as they were when their heads came into `but` are left alone.
        """
        recovery = Recovery([], [])
        for head in await self._durably.heads():
            if len(recovery.handles) == most:
                break
            taken = head.run_id in self._runs or head.run_id in self._opening or head in but
            if not taken and head.plan in self._plans and head.is_due(self._clock()):
                try:
                    recovery.handles.append(await self.resume(head.run_id))
                except RunHeld:  # another process was faster
                    continue
                except JournalError as error:
                    recovery.refused.append((head, error))
        return recovery

    async def cancel(self, run_id: str, reason: str = "cancelled by its engine") -> None:
        """Cancel a durable run, whoever has it: durable when this returns (S28, S38).

        Raises:
            RunNotFound: if the journal has no such run.
        """
        await self._durably.call(self.journal.post, run_id, cancel_text(reason))
        if run_id in self._runs:
            self._runs[run_id].look()


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
