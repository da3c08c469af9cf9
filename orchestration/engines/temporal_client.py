"""`TemporalEngine`: begins runs on Temporal, and talks to them."""

from __future__ import annotations

import contextlib
import math
import uuid
from typing import TYPE_CHECKING, Any, Generic, cast, final

from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from typing_extensions import TypeVar

from orchestration.engines import temporal_wire as wire
from orchestration.engines.temporal_hooks import described
from orchestration.engines.temporal_listing import Listing, details
from orchestration.engines.temporal_plans import Plans
from orchestration.engines.temporal_replay import histories, replayed
from orchestration.errors import InvalidInput, RunExists, RunNotFound, SignalRefused, UnknownWorkflow, Unserialisable
from orchestration.interpreter.serial import state_from_data
from orchestration.interpreter.state import Ledger, State
from orchestration.outcomes import Cancelled
from orchestration.plan.hooks import hooks_of
from orchestration.runtime.boundary import validate_input, validate_signal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from temporalio.client import Client, WorkflowHandle

    from orchestration.interpreter.events import AnyEvent
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Compilable, Plan
    from orchestration.plan.hooks import Hook
    from orchestration.plan.sealing import Cipher
    from orchestration.signals import Signal

In = TypeVar("In")
Out = TypeVar("Out")
Payload = TypeVar("Payload")
FIRST = wire.Settings()
PATIENCE = 10.0  # seconds
SHORTEST = 20  # events of a history: in a shorter one a run might come to nothing


@final
class TemporalHandle(Generic[Out]):
    """A run on Temporal, as who started it sees it; `workflow` is Temporal's own handle of it."""

    def __init__(self, client: Client, plan: Plan, run_id: str, workflow: WorkflowHandle[Any, Any]) -> None:
        """Belong to the run that a workflow of Temporal's runs."""
        self.client = client
        self.plan = plan
        self.run_id = run_id
        self.workflow = workflow

    async def result(self) -> Outcome[Out]:
        """Wait for the outcome. Cancelling this wait does not cancel the run; `cancel` does.

        Raises:
            Unserialisable: if the run has ended with a value that has no form in JSON.
            temporalio.client.WorkflowFailureError: if somebody has terminated the workflow.
        """
        try:
            return wire.outcome_of(self.plan, await self.workflow.result())
        except WorkflowFailureError as error:
            return wire.outcome_of(self.plan, _outcome_in(error, self.run_id))

    async def cancel(self, reason: str = "cancelled by its handle") -> None:
        """Cancel the run: durable when this returns (S28). One that has ended stays as it is."""
        try:
            await self.workflow.cancel(reason=reason)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def signal(self, signal: Signal[Payload], payload: Payload, /, *, signal_id: str | None = None) -> None:
        """Send a signal to the run, which takes it now or keeps it for the next step that waits for it (S21).

        Signals of the same `signal_id` count once. It is durable when this returns. One that comes after a cancel that
        this process cannot know of yet is dropped by the run.

        Raises:
            SignalRefused: if the run is over or never waits for this signal, or the payload is of another type.
            Unserialisable: if the payload has no form in JSON.
        """
        open_state = State(self.run_id, 0.0, None, Ledger())
        checked = validate_signal(self.plan, open_state, signal, payload)
        letter = wire.letter_of(self.plan, signal.name, signal_id or uuid.uuid4().hex, checked)
        try:
            await self.workflow.signal(wire.SIGNAL, letter)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            ended = State(self.run_id, 0.0, None, Ledger(), Cancelled("", self.run_id))
            validate_signal(self.plan, ended, signal, payload)
            raise SignalRefused(
                self.run_id, found="no such run", expected="a run that goes on", mend="Start it first."
            ) from error

    async def events(self) -> AsyncIterator[AnyEvent]:
        """Wait for the end of the run, then yield all that has happened, by its histories.

        Raises:
            ReplayMismatch: if the plan as it is now does something else than the histories say.
        """
        with contextlib.suppress(WorkflowFailureError):
            await self.workflow.result()
        async for history in histories(self.client, self.workflow):
            for event in await replayed(history, self.plan, self.client.data_converter):
                yield event

    async def state(self) -> State | None:
        """Return where the run is; `None` if it has not begun. A worker that has its workflow has to be up."""
        data = await self.workflow.query(wire.STATE)
        return None if data is None else state_from_data(self.plan, data)

    async def progress(self) -> list[str]:
        """Return what the run waits for: the paths, each with what of it. A worker has to be up."""
        return [str(line) for line in await self.workflow.query(wire.PROGRESS)]


def _outcome_in(error: WorkflowFailureError, run_id: str) -> Any:  # noqa: ANN401 - JSON
    """Return the outcome that a failed workflow carries."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        kind = cause.type or ""
        if kind == wire.LOST_VALUE:
            raise Unserialisable(
                run_id,
                found=cause.message,
                expected="an outcome that has a form in JSON",
                mend="Let the workflow end with plain data, a dataclass, an attrs class or a pydantic model.",
            ) from None
        if kind.startswith(wire.ENDED):
            return cause.details[0]
    raise error


@final
class TemporalEngine:
    """Begins runs of workflows on Temporal; workers (`TemporalWorker`) on the same `task_queue` run them.

    `workflows` are those whose runs can be signalled by their id alone, besides the ones that this engine has started.
    `hooks` are asked and told of each step (S31) by workers that have the same ones.
    `cipher` seals the secrets of the plans (S33): workers need the same one. `prefix` comes before the id of a run to
    make the id of its Temporal workflow. An attempt without a sign of life for `heartbeat` seconds counts as lost
    (S35); a run has up to `window` activities under way at a time, and goes on in a new history when the server
    suggests it, or after `longest` events: nothing new begins before it does, for up to `patience` seconds.
    """

    def __init__(  # noqa: PLR0913 - the settings of an engine, all by name
        self,
        client: Client,
        *,
        task_queue: str,
        workflows: Iterable[Compilable[Any, Any, Any]] = (),
        hooks: Iterable[Hook] = (),
        cipher: Cipher | None = None,
        prefix: str = "",
        heartbeat: float = FIRST.heartbeat,
        window: int = FIRST.window,
        longest: int | None = FIRST.longest,
        patience: float = PATIENCE,
    ) -> None:
        """Keep the settings.

        Raises:
            InvalidInput: if one of the numbers is too small.
            PlanErrors: if one of the workflows does not compile, or cannot run on Temporal.
        """
        if min(heartbeat, patience) <= 0 or window < 1 or (longest is not None and longest < SHORTEST):
            raise InvalidInput(
                "the engine",
                found=f"heartbeat={heartbeat!r}, window={window!r}, longest={longest!r}, patience={patience!r}",
                expected=f"numbers above 0, and a history of {SHORTEST} events at least",
                mend="Leave them out, or give larger ones.",
            )
        self.client = client
        self.task_queue = task_queue
        self._prefix = prefix
        self._hooks = described(hooks_of(hooks))
        self._listing = Listing(client)
        self._plans = Plans(cipher)
        self._settings = wire.Settings(heartbeat, window, longest, patience)
        for workflow in workflows:
            self._plans.add(workflow)

    async def execute(
        self,
        workflow: Compilable[In, Out, Any],
        value: In,
        /,
        *,
        run_id: str | None = None,
        deadline: float | None = None,
    ) -> Outcome[Out]:
        """Run a workflow to its outcome. Cancelling this wait does not cancel the run (S30).

        Takes and raises what `start` does.
        """
        handle = await self.start(workflow, value, run_id=run_id, deadline=deadline)
        return await handle.result()

    async def start(
        self,
        workflow: Compilable[In, Out, Any],
        value: In,
        /,
        *,
        run_id: str | None = None,
        deadline: float | None = None,
    ) -> TemporalHandle[Out]:
        """Begin a run and return its handle; a run that was begun with the same input is attached to (S5).

        `deadline` is in seconds from the start of the run (S10).

        Raises:
            PlanErrors: if the workflow does not compile, or cannot run on Temporal.
            InvalidInput: if the value does not fit the workflow's type, or the deadline is no time.
            Unserialisable: if the value has no form in JSON.
            RunExists: if the run id is that of a run with another workflow or value (S5).
        """
        plan = self._plans.add(workflow)
        checked = validate_input(plan, value)
        if deadline is not None and not 0 < deadline < math.inf:
            raise InvalidInput(
                plan.name,
                found=f"deadline={deadline!r}",
                expected="a finite number of seconds above 0",
                mend="Leave it out for a run without a deadline.",
            )
        known = self._checked(plan, run_id or uuid.uuid4().hex)
        memo = {"plan": plan.name, "fingerprint": plan.fingerprint, "input": wire.digest_of(plan, checked)}
        try:
            begun = await self.client.start_workflow(
                wire.RUN,
                wire.order_of_run(plan, known, checked, deadline, self._settings, self._hooks),
                id=self._prefix + known,
                task_queue=self.task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                memo=memo,
                static_summary=plan.name,
                static_details=details(plan),
                search_attributes=await self._listing.attributes(plan),
            )
        except WorkflowAlreadyStartedError:
            begun = await self._attached(known, memo)
        return TemporalHandle(self.client, plan, known, begun)

    async def signal(
        self, run_id: str, signal: Signal[Payload], payload: Payload, /, *, signal_id: str | None = None
    ) -> None:
        """Send a signal to a run: see `TemporalHandle.signal` (S21).

        Raises:
            RunNotFound: if there is no such run.
            UnknownWorkflow: if its workflow is none of this engine's.
            SignalRefused: where `TemporalHandle.signal` does.
        """
        handle = await self.handle(run_id)
        await handle.signal(signal, payload, signal_id=signal_id)

    async def cancel(self, run_id: str, reason: str = "cancelled by its engine") -> None:
        """Cancel a run: durable when this returns (S28). One that has ended stays as it is.

        Raises:
            RunNotFound: if there is no such run.
            UnknownWorkflow: if its workflow is none of this engine's.
        """
        await (await self.handle(run_id)).cancel(reason)

    async def handle(self, run_id: str) -> TemporalHandle[Any]:
        """Return the handle of a run that was begun before, by this process or another.

        Raises:
            RunNotFound: if there is no such run.
            UnknownWorkflow: if its workflow is none of this engine's.
        """
        known = self.client.get_workflow_handle(self._prefix + run_id)
        memo = await self._memo(known, run_id)
        plan = self._plans.get(str(memo.get("fingerprint")))
        if plan is None:
            raise UnknownWorkflow(
                run_id,
                found=f"a run of {memo.get('plan')!r} with the fingerprint {memo.get('fingerprint')}",
                expected="one of a workflow of this engine",
                mend="Give it to the engine: TemporalEngine(client, workflows=[...], ...).",
            )
        return TemporalHandle(self.client, plan, run_id, known)

    async def _attached(self, run_id: str, memo: dict[str, str]) -> WorkflowHandle[Any, Any]:
        known = self.client.get_workflow_handle(self._prefix + run_id)
        found = await self._memo(known, run_id)
        differing = [name for name in memo if memo[name] != found.get(name)]
        if differing:
            raise RunExists(
                run_id,
                found=f"a run of {found.get('plan')!r} with another {' and '.join(differing)}",
                expected="a new run id, or the same plan and input",
                mend="Choose another run_id.",
            )
        return known

    async def _memo(self, workflow: WorkflowHandle[Any, Any], run_id: str) -> dict[str, Any]:
        try:
            return dict(await (await workflow.describe()).memo())
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise RunNotFound(
                run_id,
                found="no such run on this server",
                expected="one that was begun",
                mend="See whether the namespace and the prefix are right.",
            ) from error

    def _checked(self, plan: Plan, run_id: str) -> str:
        """Return a run id that can be one (S4)."""
        if not isinstance(cast("object", run_id), str) or not run_id or ":" in run_id or not run_id.isprintable():
            raise InvalidInput(
                plan.name,
                found=f"run id {run_id!r}",
                expected="a text of printable characters without a colon",
                mend="Choose another run_id.",
            )
        return run_id
