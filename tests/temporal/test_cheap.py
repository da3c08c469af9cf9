"""Steps that are `cheap`: their attempts are local activities, without the server in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Failed, Succeeded, Workflow, step
from orchestration.engines.temporal import TemporalEngine, TemporalWorker
from orchestration.engines.temporal_plans import Plans, serving
from orchestration.runtime.context import step_context
from tests.temporal.bodies import NOTES, SURE, add, decrease, hang, increase
from tests.temporal.golden import Declined, decline

if TYPE_CHECKING:
    from tests.temporal.servers import Server

CHEAP = Workflow[int]("cheap").step(increase, cheap=True).compensate(decrease).step(increase, cheap=True)


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    """Begin with nothing noted."""
    NOTES.clear()


async def done(handle: Any) -> tuple[Any, list[str], int]:
    """Return the outcome, the names of the events, and how many activities the server has seen."""
    outcome = await handle.result()
    history = await handle.workflow.fetch_history()
    events = [type(event).__name__ async for event in handle.events()]
    return outcome, events, sum(event.HasField("activity_task_scheduled_event_attributes") for event in history.events)


async def key(number: int) -> str:
    """Return what the attempt is known by."""
    return step_context().idempotency_key


def test_a_cheap_attempt_does_not_go_through_the_server(real: Server) -> None:
    """S5, S39: its end is an event as any; the same history replays."""

    async def main() -> Any:
        return await done(await real.near().start(CHEAP.step(key, cheap=True), 1, run_id="cheap"))

    assert real.run(main()) == (Succeeded("cheap:cheap/key", "cheap"), ["Started", *["StepSucceeded"] * 3], 0)


def test_a_cheap_step_is_retried_and_undone(real: Server) -> None:
    """S9, S22: all of that is the interpreter's; an undo is an ordinary activity."""

    async def main() -> Any:
        return await done(await real.near().start(CHEAP.step(decline, cheap=True, retry=SURE), 1, run_id="retried"))

    outcome, events, activities = real.run(main())
    assert (outcome.failure.kind, outcome.rollback.verdict) == ("tests.temporal.golden.Declined", "complete")
    assert (events.count("StepFailed"), activities) == (2, 1)
    assert NOTES == ["increase 1", "increase 2", "decrease 2"]


def test_a_cheap_attempt_is_told_to_end(real: Server) -> None:
    """S10, S18: by its timeout, and by the failure of another one."""
    flow = Workflow[int]("pair").fork(step(hang, cheap=True)).fork(step(_fail_then, cheap=True)).join(add)
    timed = Workflow[int]("timed").step(hang, cheap=True, attempt_timeout=0.05)

    async def main() -> Any:
        engine = real.near()
        pair, late = await engine.start(flow, 1, run_id="pair"), await engine.start(timed, 1, run_id="timed")
        return await done(pair), await late.result()

    (outcome, events, _), late = real.run(main())
    assert isinstance(outcome, Failed)
    assert events == ["Started", "StepFailed", "StepCancelled"]
    assert late.failure.kind == "TimeoutError"
    assert NOTES.count("told to end") == 2


async def _fail_then(number: int) -> int:
    while "hang" not in NOTES:
        await asyncio.sleep(0.01)
    raise Declined("now")


async def tarry(number: int) -> int:
    """Come to an end the second time only."""
    NOTES.append("tarry")
    if NOTES.count("tarry") == 1:
        await asyncio.Event().wait()
    return number


TARRY = Workflow[int]("tarry").step(tarry, cheap=True)


def test_a_stopped_worker_leaves_a_cheap_attempt_to_another(real: Server) -> None:
    """S30: the worker does not wait for it, and nothing is lost."""
    queue = {"task_queue": "tarry", "workflows": [TARRY]}

    async def main() -> Any:
        async with TemporalWorker(real.client, **queue, sticky=0.3):
            handle = await TemporalEngine(real.client, task_queue="tarry").start(TARRY, 1, run_id="tarry")
            while not NOTES:
                await asyncio.sleep(0.01)
        async with TemporalWorker(real.client, **queue):
            return await done(handle)

    assert real.run(main()) == (Succeeded(1, "tarry"), ["Started", "StepSucceeded"], 0)


def test_a_worker_that_cannot_lets_others_do_it(real: Server) -> None:
    """S36: one that runs the workflow by what another in its process has is no reason to fail."""

    async def main() -> Any:
        plans = Plans()
        plans.add(CHEAP)
        with serving("default", "cannot", plans):  # as if another worker in this process had it
            async with TemporalWorker(real.client, task_queue="cannot"):
                handle = await TemporalEngine(real.client, task_queue="cannot").start(CHEAP, 1, run_id="cannot")
                while "increase" not in " ".join(await handle.progress()):
                    await asyncio.sleep(0.05)
            async with TemporalWorker(real.client, task_queue="cannot", workflows=[CHEAP]):
                return await done(handle)

    outcome, _, activities = real.run(main())
    assert (outcome, activities) == (Succeeded(3, "cannot"), 1)
