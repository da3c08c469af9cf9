"""What Temporal's own pages and lists say of runs and workers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from orchestration import Succeeded
from orchestration.engines.temporal import TemporalEngine, TemporalWorker
from orchestration.engines.temporal_listing import FINGERPRINT, WORKFLOW
from tests.temporal.bodies import NOTES, SAGA, WAITING, WORD

if TYPE_CHECKING:
    from tests.temporal.servers import Server


def test_a_page_says_what_a_run_is_and_where(real: Server) -> None:
    """The summary is its name, the details its plan; while it goes on, what it waits for."""
    NOTES.clear()

    async def main() -> Any:
        handle = await real.near().start(WAITING.sleep(0.5), 1, run_id="page")
        said = [await _current(handle)]
        await handle.signal(WORD, 1)
        while "sleep" not in said[-1]:
            said.append(await _current(handle))
        await handle.result()
        described = await handle.workflow.describe()
        return said, await described.static_summary(), await described.static_details(), await _current(handle)

    said, summary, details, ended = real.run(main())
    assert (said[0], said[-1]) == ("waits for a signal", "waits for\n- `waiting/sleep` (sleep)")
    assert (summary, ended) == ("waiting", "has ended")
    assert WAITING.sleep(0.5).compile().fingerprint in details


async def _current(handle: Any) -> str:
    metadata = await handle.workflow.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


def test_a_run_is_found_by_its_workflow(real: Server) -> None:
    """Where the search attributes are registered they are set, and where they are not nothing fails."""

    async def main() -> None:
        before = await real.near().start(SAGA, 1, run_id="before")
        assert await before.result() == Succeeded(3, "before")
        assert (await before.workflow.describe()).typed_search_attributes.get(WORKFLOW) is None
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        kinds = {WORKFLOW.name: keyword, FINGERPRINT.name: keyword}
        request = AddSearchAttributesRequest(namespace=real.client.namespace, search_attributes=kinds)
        await real.client.operator_service.add_search_attributes(request)
        while True:  # a server takes a moment to know them
            handle = await real.near().start(SAGA, 1, run_id="found")
            found = (await handle.workflow.describe()).typed_search_attributes
            if found.get(WORKFLOW) is not None:
                break
            await asyncio.sleep(0.2)
        assert (found[WORKFLOW], found[FINGERPRINT]) == ("saga", SAGA.compile().fingerprint)
        assert await handle.result() == Succeeded(3, "found")

    real.run(main())


def test_a_worker_says_what_it_is_part_of(real: Server) -> None:
    """Its build is that of its workflows, and it takes runs as without."""

    async def main() -> Any:
        named = {"task_queue": "deployed", "workflows": [SAGA], "deployment": "shop"}
        async with TemporalWorker(real.client, **named):
            assert await TemporalEngine(real.client, task_queue="deployed").execute(SAGA, 1, run_id="deployed")
            request = DescribeTaskQueueRequest(
                namespace=real.client.namespace,
                task_queue=TaskQueue(name="deployed"),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
            return await real.client.workflow_service.describe_task_queue(request)

    options = [poller.deployment_options for poller in real.run(main()).pollers]
    assert {option.deployment_name for option in options} == {"shop"}
    assert {len(option.build_id) for option in options} == {16}
