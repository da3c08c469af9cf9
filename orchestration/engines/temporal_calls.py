"""How a workflow of Temporal's has something done: by an activity of any worker, or by a local one of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from orchestration.engines.temporal_wire import Data

LONGEST = timedelta(days=365)  # Temporal wants an end for each activity; ours end by their own timeout, or are lost
ONCE = RetryPolicy(maximum_attempts=1)  # retries are the interpreter's
SUMMARY = 200  # letters, which Temporal shows beside an activity
WAITS = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


def anywhere(name: str, order: Data, *, known: str, called: str, heartbeat: float) -> asyncio.Task[Any]:
    """Let any worker do something; it is `known` to Temporal by an id, and `called` so on its pages."""
    return workflow.start_activity(
        name,
        order,
        activity_id=known,
        summary=called[:SUMMARY],
        start_to_close_timeout=LONGEST,
        heartbeat_timeout=timedelta(seconds=heartbeat),
        retry_policy=ONCE,
        cancellation_type=WAITS,
    )


def here(name: str, orders: Sequence[Data] = (), *, called: str | None = None) -> asyncio.Task[Any]:
    """Let the worker that runs this workflow do something, without the server in between."""
    return workflow.start_local_activity(
        name,
        args=orders,
        summary=called if called is None else called[:SUMMARY],
        start_to_close_timeout=LONGEST,
        retry_policy=ONCE,
        cancellation_type=WAITS,
    )
