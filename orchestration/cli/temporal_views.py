"""What can be read of runs on a server of Temporal without the code of their workflows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from orchestration.cli.exits import Exit
from orchestration.cli.paint import by_column, marked, painted, style_of_standing
from orchestration.cli.runs import COLUMNS
from orchestration.cli.show import MANY, SHORT
from orchestration.cli.telling import show, show_json
from orchestration.cli.words import clock, span, table
from orchestration.engines.temporal_wire import ENDED, RUN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription

ENDS = {WorkflowExecutionStatus.COMPLETED: "succeeded"}


async def runs_there(options: argparse.Namespace, client: Client) -> Exit:
    """List the runs on a server, the latest first."""
    found = [await _data_of(each) async for each in client.list_workflows(f'WorkflowType = "{RUN}"')]
    now = time.time()
    if options.json:
        show_json(found)
    elif found:
        rows = [
            (run["run"], run["workflow"], marked(run["status"]), f"{run['events']:,}", span(now - run["created"]))
            for run in found
        ]
        columns = [{"records": "events"}.get(name, name) for name in COLUMNS]
        show("\n".join(table([columns, *rows], by_column("bold", "", style_of_standing, "dim", "dim"))))
    else:
        show("no runs")
    return Exit.SUCCESS


async def show_there(options: argparse.Namespace, client: Client) -> Exit:
    """Print what is known of a run."""
    handle = client.get_workflow_handle(options.run_id)
    described = await handle.describe()
    data = await _data_of(described)
    if data["status"] == "failed":
        try:
            await handle.result()
        except WorkflowFailureError as error:
            data["status"], data["why"] = _why(error)
    data["pending"] = _pending(described)
    if options.json:
        show_json(data)
    else:
        show("\n".join(_lines(data, time.time())))
    return Exit.SUCCESS


async def _data_of(run: WorkflowExecution) -> dict[str, Any]:
    """Return what a server says of a run, as JSON data; times are in seconds since the epoch."""
    memo = await run.memo()
    status = run.status
    return {
        "run": run.id,
        "workflow": str(memo.get("plan", "?")),
        "fingerprint": str(memo.get("fingerprint", "?")),
        "status": "?" if status is None else ENDS.get(status, status.name.lower().replace("_", " ")),
        "task_queue": run.task_queue,
        "events": run.history_length,
        "created": run.start_time.timestamp(),
        "ended": None if run.close_time is None else run.close_time.timestamp(),
    }


def _why(error: WorkflowFailureError) -> tuple[str, str]:
    """Return how a run ended that did not succeed, and why."""
    cause = error.cause
    if not isinstance(cause, ApplicationError):  # somebody has terminated it
        return "failed", str(cause)
    return "cancelled" if cause.type == f"{ENDED}:cancelled" else "failed", cause.message


def _pending(described: WorkflowExecutionDescription) -> list[dict[str, str]]:
    """Return the attempts that the server has in hand."""
    pending = described.raw_description.pending_activities
    return [{"path": each.activity_id, "worker": each.last_worker_identity} for each in pending]


def _lines(data: dict[str, Any], now: float) -> Iterator[str]:
    ended = [] if data["ended"] is None else [("ended", f"{clock(data['ended'])}, {span(now - data['ended'])} ago")]
    why = [("why", data["why"])] if "why" in data else []
    yield from table(
        [
            ("run", data["run"]),
            ("workflow", f"{data['workflow']}, fingerprint {data['fingerprint'][:SHORT]}"),
            ("status", marked(data["status"])),
            *why,
            ("begun", f"{clock(data['created'])}, {span(now - data['created'])} ago"),
            *ended,
            ("task queue", data["task_queue"]),
            ("events", f"{data['events']:,}"),
        ],
        by_column("dim", style_of_standing),
    )
    if data["pending"]:
        yield painted("pending", "bold")
        rows = [
            (f"  {each['path']}", f"by {each['worker']}" if each["worker"] else "waits for a worker")
            for each in data["pending"]
        ]
        yield from table(rows[:MANY], by_column("", "yellow"))
        if len(rows) > MANY:
            yield f"  and {len(rows) - MANY:,} more"
