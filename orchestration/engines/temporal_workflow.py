"""The one Temporal workflow: it runs the interpreter over whatever plan it is told of.

It runs outside of Temporal's sandbox. What that guards against (clocks, chance, I/O in a workflow) the interpreter has
none of (S2), and the functions of a plan that it evaluates itself are to be pure anyway (S7).
"""

from __future__ import annotations

import asyncio
from typing import Any, assert_never, final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from orchestration.engines import temporal_wire as wire
from orchestration.engines.temporal_listing import current_details
from orchestration.engines.temporal_plans import found
from orchestration.engines.temporal_run import Run
from orchestration.errors import Unserialisable
from orchestration.interpreter.serial import state_to_data, to_data
from orchestration.outcomes import Cancelled, Failed, Outcome, Succeeded

NO_REASON = "cancelled on Temporal"


@final
@workflow.defn(name=wire.RUN, sandboxed=False)
class RunWorkflow:
    """A run."""

    def __init__(self) -> None:
        """Be nothing yet: signals may come before the run begins."""
        self._run: Run | None = None
        self._early: list[dict[str, Any]] = []

    @workflow.run
    async def run(self, order: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Run to the outcome. One that is no success is the failure of the workflow, which carries it.

        Raises:
            UnknownWorkflow: if this worker does not have the plan; then Temporal tries again, until one has it.
        """
        info = workflow.info()
        run = self._run = Run(found(info.namespace, info.task_queue, order), order)
        for letter in self._early:
            run.signal(letter)
        while True:
            outcome = run.fold()
            workflow.set_current_details(current_details(run))
            if outcome is not None:
                return _ended(run, outcome)
            rest = run.rest()
            if rest is not None:
                workflow.continue_as_new(rest)
            await _news(run)

    @workflow.signal(name=wire.SIGNAL)
    def signal(self, letter: dict[str, Any]) -> None:
        """Take a signal, as `letter_of` wrote it."""
        if self._run is None:
            self._early.append(letter)
        else:
            self._run.signal(letter)

    @workflow.query(name=wire.STATE)
    def state(self) -> Any:  # noqa: ANN401 - JSON
        """Return the state of the run as data, or nothing before it has begun."""
        return None if self._run is None else state_to_data(self._run.plan, self._run.state)

    @workflow.query(name=wire.PROGRESS)
    def progress(self) -> list[str]:
        """Return what the run waits for."""
        return [] if self._run is None else self._run.waits


async def _news(run: Run) -> None:
    """Wait until something has happened, and all that has happened at this instant is here.

    A condition is looked at when nothing else is left to do, so no cancel overtakes the result of an activity.
    """
    while True:
        try:
            await workflow.wait_condition(lambda: run.moved)
        except asyncio.CancelledError:
            reason = workflow.cancellation_reason()
            if reason is None:  # it is not the run that ends, but its place in this worker's memory
                raise
            run.cancel(reason or NO_REASON)
        else:
            return


def _ended(run: Run, outcome: Outcome[Any]) -> Any:  # noqa: ANN401 - JSON
    try:
        data = to_data(run.plan, outcome, "outcome")
    except Unserialisable as error:  # a pure function made it
        raise ApplicationError(str(error), type=wire.LOST_VALUE, non_retryable=True) from error
    match outcome:
        case Succeeded():
            return data
        case Failed():
            said, kind = str(outcome.failure), outcome.failure.kind
        case Cancelled():
            said, kind = outcome.reason, "cancelled"
        case _:
            assert_never(outcome)
    raise ApplicationError(said, data, type=f"{wire.ENDED}:{kind}", non_retryable=True)
