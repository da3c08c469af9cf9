"""Histories of Temporal's, run through the interpreter again: what happened, and that it would again (S36, S39)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from temporalio.converter import DataConverter
from temporalio.worker import Replayer

from orchestration.engines.temporal_plans import ANY, Plans, serving
from orchestration.engines.temporal_workflow import RunWorkflow
from orchestration.errors import ReplayMismatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client, WorkflowHandle, WorkflowHistory

    from orchestration.interpreter.events import AnyEvent
    from orchestration.plan.compile import Plan

PLAIN: Final = DataConverter.default


async def replayed(history: WorkflowHistory, plan: Plan, converter: DataConverter = PLAIN) -> list[AnyEvent]:
    """Run a history through the interpreter again; return the events of the run.

    That of a run that went on in a new history holds its part. `plan` is that of the history's run, with the cipher of
    its engine if it holds secrets; `converter` is that of the client.

    Raises:
        ReplayMismatch: if the plan does something else now.
    """
    events: list[AnyEvent] = []
    plans = Plans(listen=events.append, hooks=None)
    plans.keep(plan)
    namespace = f"replay-{uuid.uuid4().hex}"
    with ThreadPoolExecutor(1) as executor, serving(namespace, ANY, plans):
        replayer = Replayer(
            workflows=[RunWorkflow], namespace=namespace, data_converter=converter, workflow_task_executor=executor
        )
        found = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if found.replay_failure is not None:
        raise ReplayMismatch(
            f"{history.workflow_id}: {plan.name}",
            found=f"{found.replay_failure}, by the plan as it is now",
            expected="what the history says",
            mend="Go on with the code that the run was begun with.",
        ) from found.replay_failure
    return events


async def histories(client: Client, workflow: WorkflowHandle[Any, Any]) -> AsyncIterator[WorkflowHistory]:
    """Yield the histories of a run, from its first on."""
    history = await workflow.fetch_history()
    run = history.events[0].workflow_execution_started_event_attributes.first_execution_run_id
    while run:
        history = await client.get_workflow_handle(workflow.id, run_id=run).fetch_history()
        yield history
        run = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
