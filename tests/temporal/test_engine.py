"""What the Temporal engine does besides the laws."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Cancelled, Failed, Signal, Succeeded, Workflow, step
from orchestration.engines.temporal import TemporalEngine, TemporalWorker, replayed
from orchestration.engines.temporal_plans import Plans, serving
from orchestration.errors import (
    InvalidInput,
    PlanErrors,
    ReplayMismatch,
    RunExists,
    RunNotFound,
    SignalRefused,
    UnknownWorkflow,
    Unserialisable,
)
from orchestration.outcomes import InDoubt
from orchestration.testing.strategies_bodies import Numbers, stream
from tests.temporal.bodies import (
    HANGING,
    LONG,
    NOTES,
    SAGA,
    WAITING,
    WORD,
    add,
    decrease,
    hang,
    in_a_thread,
    increase,
    is_far,
    lengthen,
    opaque,
    stay,
)
from tests.temporal.servers import QUEUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.temporal.servers import Server


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    """Begin with nothing noted."""
    NOTES.clear()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; a run that never comes there is stopped by pytest."""
    while not holds():
        await asyncio.sleep(0.01)


def test_who_begins_again_attaches(real: Server) -> None:
    """S5: with the same input, also when the run has ended; with another one it is refused."""

    async def main() -> None:
        engine = real.near()
        first = await engine.start(SAGA, 1, run_id="one")
        assert await first.result() == Succeeded(3, "one")
        again = await engine.start(SAGA, 1, run_id="one")
        assert await again.result() == Succeeded(3, "one")
        for workflow, value in ((SAGA, 2), (HANGING, 1)):
            with pytest.raises(RunExists, match="another"):
                await engine.start(workflow, value, run_id="one")

    real.run(main())
    assert NOTES == ["increase 1", "increase 2"]


def test_a_run_is_found_by_its_id(real: Server) -> None:
    """S21, S28: an engine that knows the workflow signals and cancels it; one that does not says so."""

    async def main() -> None:
        mine = real.near()
        handle = await mine.start(WAITING, 1, run_id="one")
        engine = mine.engine
        await engine.signal("one", WORD, 10, signal_id="a")
        assert await handle.result() == Succeeded(12, "one")
        with pytest.raises(RunNotFound):
            await engine.cancel("another")
        knows_nothing = TemporalEngine(real.client, task_queue=QUEUE, prefix=handle.workflow.id.removesuffix("one"))
        with pytest.raises(UnknownWorkflow, match="waiting"):
            await knows_nothing.cancel("one")

    real.run(main())


def test_a_signal_that_cannot_be_taken_is_refused(real: Server) -> None:
    """S21: of another name or type, and after the outcome."""

    async def main() -> None:
        handle = await real.near().start(WAITING, 1, run_id="one")
        for signal, payload in ((Signal("another", int), 1), (Signal("word", str), "one"), (WORD, "one")):
            with pytest.raises(SignalRefused):
                await handle.signal(signal, payload)
        await handle.signal(WORD, 1)
        await handle.result()
        with pytest.raises(SignalRefused, match="is over"):
            await handle.signal(WORD, 1)
        await handle.cancel("too late")
        assert isinstance(await handle.result(), Succeeded)

    real.run(main())


def test_a_signal_comes_before_the_run_has_begun(real: Server) -> None:
    """S21: it queues for the first that waits for it; one that does not fit the plan asks for nothing."""

    async def main() -> None:
        engine = TemporalEngine(real.client, task_queue="early")
        handle = await engine.start(WAITING, 1, run_id="early")
        await handle.workflow.signal("orchestration.signal", {"signal": "word", "id": "x", "payload": "no number"})
        await handle.signal(WORD, 10)
        await handle.signal(WORD, 20, signal_id="later")
        async with TemporalWorker(real.client, task_queue="early", workflows=[WAITING]):
            assert await handle.result() == Succeeded(12, "early", unused_signals=("word:later",))

    real.run(main())


def test_a_cancel_may_come_from_temporal(real: Server) -> None:
    """S28: what has no reason gets one; a second cancel changes nothing."""

    async def main() -> None:
        handle = await real.near().start(HANGING, 1, run_id="one")
        await until(lambda: "hang" in NOTES)
        await handle.workflow.cancel()
        await handle.cancel("the second")
        outcome = await handle.result()
        assert isinstance(outcome, Cancelled)
        assert (outcome.reason, outcome.rollback.verdict) == ("cancelled on Temporal", "complete")

    real.run(main())
    assert NOTES == ["increase 1", "hang", "told to end", "decrease 2"]


def test_a_thread_hears_of_a_cancel(real: Server) -> None:
    """S28: it polls its context; a step that finishes then keeps its outcome."""

    async def main() -> None:
        handle = await real.near().start(Workflow[int]("law").step(in_a_thread).compensate(decrease), 1)
        await until(lambda: NOTES == ["in a thread"])
        await handle.cancel("enough")
        assert isinstance(await handle.result(), Cancelled)

    real.run(main())
    assert NOTES == ["in a thread", "decrease 1"]


def test_an_attempt_that_no_worker_has_begun_leaves_no_doubt(real: Server) -> None:
    """S22: a cancel takes it back; the one that a worker had begun with is in doubt."""
    one, other = (step(hang, name=name).compensate(decrease) for name in ("one", "other"))
    pair = Workflow[int]("pair").fork(one).fork(other).join(add)

    async def main() -> Any:
        async with TemporalWorker(real.client, task_queue="few", workflows=[pair], max_concurrency=1, pulse=0.05):
            handle = await TemporalEngine(real.client, task_queue="few").start(pair, 1, run_id="few")
            await until(lambda: "hang" in NOTES)
            await handle.cancel("enough")
            return await handle.result()

    outcome = real.run(main())
    assert [type(state) for state in outcome.rollback.steps] == [InDoubt]
    assert NOTES == ["hang", "told to end"]


def test_an_attempt_that_does_not_end_leaks(real: Server) -> None:
    """S24: when the grace is over the run goes on, and names it."""

    async def main() -> None:
        slow = Workflow[int]("stays").step(stay, attempt_timeout=0.05).compensate(decrease, in_doubt=decrease)
        async with TemporalWorker(real.client, task_queue="leaks", workflows=[slow], grace=0.05):
            outcome = await TemporalEngine(real.client, task_queue="leaks").execute(slow, 1, run_id="leaks")
        assert isinstance(outcome, Failed)
        assert (outcome.failure.kind, outcome.leaked) == ("TimeoutError", ("stays/stay#1",))
        await until(lambda: "stayed" in NOTES)

    real.run(main())


def test_a_worker_without_the_plan_lets_the_run_wait(real: Server, caplog: pytest.LogCaptureFixture) -> None:
    """S36: for one that has it; the error names both fingerprints."""
    other = Workflow[int]("hanging").step(increase)

    async def main() -> None:
        engine = TemporalEngine(real.client, task_queue="versions")
        handle = await engine.start(HANGING.step(increase), 1, run_id="versions")
        async with TemporalWorker(real.client, task_queue="versions", workflows=[other]) as worker:
            await until(lambda: "fingerprint" in caplog.text)
            assert NOTES == []
            worker.add(HANGING.step(increase))
            await until(lambda: "hang" in NOTES)
            await handle.cancel("enough")
            await handle.result()

    with caplog.at_level(logging.WARNING):
        real.run(main())
    assert other.compile().fingerprint in caplog.text
    assert HANGING.step(increase).compile().fingerprint in caplog.text


def test_what_temporal_cannot_do_is_refused(real: Server) -> None:
    """S6: limits and streams, all at once; lambdas and ids with a colon as in a journal."""
    refused = Workflow[int]("law").step(increase, limit="few").cleanup(decrease, limit="few")

    async def main() -> None:
        engine = real.near().engine
        with pytest.raises(PlanErrors) as raised:
            await engine.start(refused, 1)
        assert [problem.path for problem in raised.value.exceptions] == ["law/increase", "law/decrease"]
        with pytest.raises(PlanErrors) as raised:
            await engine.start(Workflow[int]("law").step(lambda n: n), 1)
        assert "lambda" in str(raised.value)
        with pytest.raises(InvalidInput, match="colon"):
            await engine.start(SAGA, 1, run_id="a:b")
        with pytest.raises(InvalidInput, match="deadline"):
            await engine.start(SAGA, 1, deadline=0)
        with pytest.raises(InvalidInput, match="window=0"):
            TemporalEngine(real.client, task_queue=QUEUE, window=0)

    real.run(main())


def test_a_stream_is_refused(real: Server) -> None:
    """S16: where it is known from the types, the plan; where it turns up in a run, the map over it fails."""

    async def main() -> None:
        with pytest.raises(PlanErrors) as raised:
            await real.near().start(Workflow[int]("law").pure(stream).map(increase), 2)
        assert "a map over a stream" in str(raised.value)
        outcome = await (await real.near().start(Workflow[int]("law").pure(_hidden).map(increase), 2)).result()
        assert (outcome.failure.kind, outcome.failure.path) == ("orchestration.errors.PlanError", "law/increase")

    real.run(main())


def _hidden(number: int) -> Any:
    return Numbers((number,))


def test_a_value_without_a_form_is_told(real: Server) -> None:
    """S12: a step that gets or gives one fails; as the value of the run, nobody can get it."""

    async def main() -> None:
        opaque_step = Workflow[int]("law").pure(opaque).step(_take)
        opaque_steps = Workflow[int]("law").pure(opaque).fork(_take).fork(_take).join(add)
        for flow in (opaque_step, opaque_steps):
            outcome = await (await real.near().start(flow, 1)).result()
            assert outcome.failure.kind == "orchestration.errors.Unserialisable"
        outcome = await (await real.near().start(Workflow[int]("law").step(_give).compensate(decrease), 1)).result()
        assert (outcome.failure.kind, outcome.failure.path) == ("orchestration.errors.Unserialisable", "law/_give")
        with pytest.raises(Unserialisable, match="object"):
            await (await real.near().start(Workflow[int]("law").pure(opaque), 1)).result()

    real.run(main())


async def _give(number: int) -> Any:
    return object()


async def _take(value: object) -> int:
    return 1


def test_a_long_run_goes_on_in_a_new_history(real: Server) -> None:
    """A run drains and goes on with its state: values, timers by their due time, signals that came early."""
    asleep = Workflow[int]("asleep").sleep(0.3)
    flow = Workflow[int]("flow").fork(LONG).fork(WAITING).fork(asleep).join(_of_three).wait_for(WORD, add)

    async def main() -> None:
        handle = await real.near(longest=30).start(flow, 40, run_id="long")
        await handle.signal(WORD, 1_000, signal_id="a")
        await handle.signal(WORD, 5_000, signal_id="b")
        outcome = await handle.result()
        assert outcome == Succeeded(40 + (40 + 1_000 + 1) + 40 + 5_000, "long")
        ends = [type(event).__name__ async for event in handle.events()]
        assert (ends.count("StepSucceeded"), ends.count("TimerFired")) == (40 + 2, 1)
        latest = await handle.workflow.fetch_history()
        assert latest.events[0].workflow_execution_started_event_attributes.continued_execution_run_id

    real.run(main())
    assert NOTES.count("+") == NOTES.count("-") == 40


async def _of_three(one: int, two: int, three: int) -> int:
    return one + two + three


def test_a_window_is_held(real: Server) -> None:
    """So many activities are under way at a time, though the plan would let more begin."""
    wide = Workflow[int]("wide").pure(_many).map(_busy).pure(len)

    async def main() -> None:
        assert await (await real.near(window=3).start(wide, 12, run_id="wide")).result() == Succeeded(12, "wide")

    real.run(main())
    depths = [NOTES[: at + 1].count("+") - NOTES[: at + 1].count("-") for at in range(len(NOTES))]
    assert max(depths) == 3


def test_the_cap_of_a_run_is_held(real: Server) -> None:
    """S14: `max_concurrency` counts attempts of steps."""
    wide = Workflow[int]("wide", max_concurrency=2).pure(_many).map(_busy).pure(len)

    async def main() -> None:
        assert await (await real.near().start(wide, 8, run_id="wide")).result() == Succeeded(8, "wide")

    real.run(main())
    depths = [NOTES[: at + 1].count("+") - NOTES[: at + 1].count("-") for at in range(len(NOTES))]
    assert max(depths) == 2


def test_a_run_that_waits_for_a_worker_has_begun(real: Server) -> None:
    """S10: its deadline counts from when it was started."""

    async def main() -> None:
        handle = await TemporalEngine(real.client, task_queue="late").start(HANGING, 1, run_id="late", deadline=0.3)
        await asyncio.sleep(0.5)
        async with TemporalWorker(real.client, task_queue="late", workflows=[HANGING], pulse=0.05):
            outcome = await handle.result()
        assert outcome.failure.kind == "orchestration.errors.DeadlineExceeded"
        history = await handle.workflow.fetch_history()
        events = [event async for event in handle.events()]
        assert events[0].at < history.events[0].event_time.ToDatetime(UTC).timestamp() + 0.3

    real.run(main())


def test_an_attempt_goes_to_a_worker_that_has_its_plan(real: Server) -> None:
    """S36: one that comes to another worker is offered again, and can be cancelled meanwhile."""
    engine = TemporalEngine(real.client, task_queue="offers")
    knows, knows_not = ({"task_queue": "offers", "workflows": [flow]} for flow in (HANGING, WAITING))

    async def main() -> None:
        plans = Plans()
        plans.add(HANGING)
        with serving("default", "offers", plans):  # as if another process had it, that runs no attempts
            async with TemporalWorker(real.client, **knows_not):
                handle = await engine.start(HANGING, 1, run_id="offers")
                refused = await engine.start(HANGING, 1, run_id="refused")
                for each in (handle, refused):
                    await _refused(each)
                await refused.cancel("enough")
                assert isinstance(await refused.result(), Cancelled)
            async with TemporalWorker(real.client, **knows, pulse=0.05):
                await until(lambda: "hang" in NOTES)
                await handle.cancel("enough")
                assert isinstance(await handle.result(), Cancelled)

    real.run(main())
    assert NOTES == ["increase 1", "hang", "told to end", "decrease 2"]


async def _refused(handle: Any) -> None:
    """Wait until a worker has sent an attempt of a run back."""
    while True:
        history = await handle.workflow.fetch_history()
        if any(event.HasField("activity_task_failed_event_attributes") for event in history.events):
            return
        await asyncio.sleep(0.05)


def _many(number: int) -> list[int]:
    return list(range(number))


async def _busy(number: int) -> int:
    NOTES.append("+")
    await asyncio.sleep(0.02)
    NOTES.append("-")
    return number


def test_much_that_is_pure_lets_others_have_a_turn(real: Server) -> None:
    """S7: a stretch of evaluations ends a workflow task of Temporal's, which may not take long."""

    async def main() -> None:
        flow = Workflow[int]("law").loop(lengthen_in_a_workflow(), until=is_far, max_iterations=3_000)
        handle = await real.near().start(flow, 0, run_id="pure")
        assert await handle.result() == Succeeded(2_502, "pure")
        history = await handle.workflow.fetch_history()
        assert any(event.HasField("marker_recorded_event_attributes") for event in history.events)

    real.run(main())


def lengthen_in_a_workflow() -> Any:
    """Return a workflow without a step."""
    return Workflow[int]("one").pure(lengthen)


def test_a_run_tells_where_it_is(real: Server) -> None:
    """Queries answer with the state and what is waited for; so do they at the end."""

    async def main() -> None:
        handle = await real.near().start(HANGING, 1, run_id="where")
        await until(lambda: "hang" in NOTES)
        assert await handle.progress() == ["hanging/hang (attempt)"]
        state = await handle.state()
        assert (state.run_id, state.outcome) == ("where", None)
        await handle.cancel("enough")
        outcome = await handle.result()
        assert (await handle.state()).outcome == outcome
        assert await handle.progress() == []

    real.run(main())


def test_a_run_under_way_replays_up_to_there(real: Server) -> None:
    """S36: what has not happened yet is no event, and the end of the replay no cancel."""

    async def main() -> None:
        handle = await real.near().start(HANGING, 1, run_id="way")
        await until(lambda: "hang" in NOTES)
        events = await replayed(await handle.workflow.fetch_history(), handle.plan)
        assert [type(event).__name__ for event in events] == ["Started", "StepSucceeded"]
        await handle.cancel("enough")
        await handle.result()

    real.run(main())


def test_another_plan_does_not_replay(real: Server) -> None:
    """S36: a history tells the plan of its run from another one, with the events up to there."""

    async def main() -> None:
        handle = await real.near().start(SAGA, 1, run_id="one")
        await handle.result()
        history = await handle.workflow.fetch_history()
        assert len(await replayed(history, handle.plan)) == 3
        with pytest.raises(ReplayMismatch, match="fingerprint"):
            await replayed(history, HANGING.compile())

    real.run(main())
