"""Saved histories: each release of the library has written some, and every later one has to replay them.

`python -m tests.temporal.golden` adds those of this release that are not there yet. A history that is there is never
written anew: that it does not replay any more is the defect which it is there to find.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

import orchestration
from orchestration import Retry, Workflow, gate, observer, step
from orchestration.engines.temporal import TemporalEngine, TemporalWorker
from orchestration.testing.strategies_bodies import allow, watch
from tests.temporal.bodies import HANGING, NOTES, SAGA, SURE, WAITING, WORD, add, busy, decrease, increase, spread
from tests.temporal.servers import binary

HISTORIES = Path(__file__).parent / "histories"
BRIEF = 0.2  # seconds


class Declined(Exception):
    """What `decline` fails with."""


async def decline(number: int) -> int:
    """Fail."""
    raise Declined(f"not {number}")


async def excuse(failure: Any) -> int:
    """Make a number of a failure."""
    return len(failure.message)


FLOWS: dict[str, Workflow[int, Any, Any]] = {
    "saga": SAGA.step(decline, retry=SURE),
    "recovered": SAGA.step(decline).recover(excuse, on=Declined).step(increase),
    "groups": Workflow[int]("groups")
    .pure(spread)
    .map(busy, concurrency=2)
    .pure(sum)
    .fork(SAGA)
    .fork(increase)
    .join(add),
    "waiting": WAITING.sleep(BRIEF),
    "cancelled": HANGING,
    "timed_out": Workflow[int]("timed").step(increase).compensate(decrease).step(HANGING, timeout=BRIEF),
    "continued": Workflow[int]("continued").pure(spread).map(busy, concurrency=3),
    "hooked": Workflow[int]("hooked", hooks=[gate(allow), observer(watch, at=("workflow", "step"))])
    .step(increase, hooks=[observer(watch, at="step", strict=True)])
    .step(decline)
    .recover(excuse, on=Declined),
    "cheap": Workflow[int]("cheap")
    .pure(spread)
    .map(step(increase, cheap=True))
    .pure(sum)
    .step(decline, cheap=True, retry=SURE),
    "retried": Workflow[int]("retried").step(SAGA.step(decline), retry=Retry(2, 0.1, jitter="none")),
}


TRACE = re.compile(r'"stackTrace": "(?:[^"\\]|\\.)*"')  # of no use to a replay, and full of the paths of a machine


async def write() -> None:
    """Run each workflow on a server of its own, and save the histories."""
    HISTORIES.mkdir(exist_ok=True)
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=binary("temporal")) as env:
        client = await Client.connect(env.client.service_client.config.target_host, identity="golden")
        engine = TemporalEngine(client, task_queue="golden", longest=40)
        async with TemporalWorker(client, task_queue="golden", workflows=FLOWS.values(), pulse=0.1):
            for name, flow in FLOWS.items():
                path = HISTORIES / f"{orchestration.__version__}-{name}.json"
                if path.exists():
                    continue
                NOTES.clear()
                handle = await engine.start(flow, 12 if name == "continued" else 3, run_id=name)
                if flow is HANGING:
                    while "hang" not in NOTES:
                        await asyncio.sleep(BRIEF)
                    await handle.cancel("enough")
                if name == "waiting":
                    await handle.signal(WORD, 10, signal_id="a")
                await handle.result()
                history = (await handle.workflow.fetch_history()).to_json()
                path.write_text(TRACE.sub('"stackTrace": ""', history), encoding="utf-8")


if __name__ == "__main__":
    from tests.temporal import golden  # the functions of a plan are those of the module, not of `__main__`

    asyncio.run(golden.write())
