"""Hooks on Temporal: asked and told by the worker that runs the workflow (S31-S33)."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Failed, LocalEngine, Succeeded, Veto, Workflow, gate, observer, step
from orchestration.engines.temporal import TemporalEngine, TemporalWorker
from orchestration.errors import Vetoed
from orchestration.plan.moments import REDACTED
from tests.temporal.bodies import NOTES, SAGA, SURE, decrease, increase, opaque
from tests.temporal.golden import Declined, decline, excuse

if TYPE_CHECKING:
    from orchestration.plan.moments import Asked, Moment
    from tests.temporal.servers import Server

SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    """Begin with nothing noted."""
    NOTES.clear()
    SEEN.clear()


async def allow(asked: Asked) -> None:
    """Let a step begin."""
    SEEN.append(asked)


def forbid(asked: Asked) -> Veto:
    """Forbid a step, in a thread."""
    SEEN.append(threading.current_thread() is threading.main_thread())
    return Veto("not today")


async def watch(moment: Moment) -> None:
    """Note what happens."""
    SEEN.append(moment)


async def stumble(moment: Moment) -> None:
    """Fail."""
    raise LookupError("no such metric")


async def ponder(hook: Any) -> None:
    """Never answer."""
    SEEN.append("ponders")
    try:
        await asyncio.Event().wait()
    finally:
        SEEN.append("told to end")


def story() -> list[str]:
    """Return what was seen, as lines."""
    return [
        " ".join([type(moment).__name__, moment.path, *([moment.how] if hasattr(moment, "how") else [])])
        for moment in SEEN
    ]


UNDONE = SAGA.step(decline, retry=SURE).recover(excuse, on=Declined).step(increase)
WATCHED = Workflow[int]("watched", hooks=[observer(watch)]).step(UNDONE).cleanup(decrease)


def test_observers_are_told_what_they_are_told_here(real: Server) -> None:
    """S31, S32: the same moments in the same order as in this process; the outcome comes after the last."""

    async def main() -> Any:
        outcome = await (await real.near().start(WATCHED, 1, run_id="watched")).result()
        return outcome, story()

    outcome, there = real.run(main())
    SEEN.clear()
    assert outcome == asyncio.run(LocalEngine().execute(WATCHED, 1, run_id="watched"))
    assert there == story()
    assert there[-1] == "WorkflowEnded watched succeeded"


def test_a_gate_forbids(real: Server) -> None:
    """S31: a veto fails the step without a retry, and is recovered from; a plain function has a thread of its own."""
    guarded = SAGA.step(increase, hooks=[gate(forbid)], retry=SURE, name="guarded")

    async def main() -> tuple[Any, Any]:
        engine = real.near()
        first = await engine.start(guarded, 1, run_id="vetoed")
        second = await engine.start(guarded.recover(excuse, on=Vetoed), 1, run_id="recovered")
        return await first.result(), await second.result()

    vetoed, recovered = real.run(main())
    assert (vetoed.failure.kind, vetoed.failure.path) == ("orchestration.errors.Vetoed", "saga/guarded")
    assert (vetoed.rollback.verdict, isinstance(recovered, Succeeded)) == ("complete", True)
    assert SEEN == [False, False]


@pytest.mark.parametrize(
    ("hook", "kind"),
    [
        (gate(ponder, timeout=0.05), "orchestration.errors.GateFailed"),
        (observer(stumble, at="step", strict=True), "orchestration.errors.GateFailed"),
    ],
    ids=["a gate without an answer", "a strict observer that fails"],
)
def test_a_hook_fails_its_step(hook: Any, kind: str, real: Server) -> None:
    """S31, S32: what is not allowed does not begin."""
    flow = Workflow[int]("strict").step(increase).compensate(decrease).step(increase, hooks=[hook], name="next")
    outcome = real.run(_result(real, flow))
    assert (outcome.failure.kind, outcome.failure.path) == (kind, "strict/next")
    assert NOTES == ["increase 1", "decrease 2"]


async def _result(server: Server, flow: Any, **options: Any) -> Any:
    return await (await server.near(**options).start(flow, 1, run_id="run")).result()


def test_an_observer_that_fails_is_listed(real: Server) -> None:
    """S32: it changes nothing, and is in the outcome with what it raised; so is one that does not end in time."""
    slow = observer(ponder, at="step", timeout=0.05)
    flow = Workflow[int]("listed").step(increase, hooks=[observer(stumble, at="attempt"), slow])
    outcome = real.run(_result(real, flow))
    assert (outcome.value, [str(failure) for failure in outcome.hook_failures]) == (
        2,
        [
            "ponder at StepBegan of listed/increase: TimeoutError: no answer in 0.05 s",
            "stumble at AttemptBegan of listed/increase: LookupError: no such metric",
            "stumble at AttemptEnded of listed/increase: LookupError: no such metric",
            "ponder at StepEnded of listed/increase: TimeoutError: no answer in 0.05 s",
        ],
    )


def test_the_hooks_of_an_engine_are_those_of_its_worker(real: Server, caplog: pytest.LogCaptureFixture) -> None:
    """S31: a run waits for a worker with the same ones, so that no gate is passed because somebody has forgotten it."""
    hooks = [gate(allow), observer(watch, at="step"), observer(watch, at="step", strict=True)]
    queue = {"task_queue": "hooks", "workflows": [SAGA]}

    async def main() -> Any:
        engine = TemporalEngine(real.client, task_queue="hooks", hooks=hooks)
        async with TemporalWorker(real.client, **queue):
            handle = await engine.start(SAGA, 1, run_id="other-hooks")
            while "same hooks=" not in caplog.text:
                await asyncio.sleep(0.05)
            assert SEEN == []
            await handle.workflow.terminate()
        async with TemporalWorker(real.client, hooks=hooks, **queue):
            handle = await engine.start(SAGA, 1, run_id="hooked")
            outcome = await handle.result()
        return outcome, [type(event).__name__ async for event in handle.events()]

    with caplog.at_level(logging.WARNING):
        outcome, events = real.run(main())
    assert outcome == Succeeded(3, "hooked")
    assert events == ["Started", *["HooksAnswered", "StepSucceeded", "HooksAnswered"] * 2]
    one = [f"{what} saga/increase{{}}" for what in ("Asked", "StepBegan", "StepBegan")]
    ends = ["StepEnded saga/increase{} succeeded"] * 2
    assert story() == [line.format(which) for which in ("", "_2") for line in (*one, *ends)]


def test_what_a_hook_is_shown(real: Server) -> None:
    """S33: nothing, unless it asks; a value without a form is not shown even then, and fails the step that takes it."""
    shown = [observer(watch, at="step", expose=True), observer(watch, at="step")]
    flow = Workflow[int]("shown", hooks=[observer(watch, at="workflow", expose=True)]).step(increase, hooks=shown)
    assert real.run(_result(real, flow)).ok
    assert [moment.value for moment in SEEN] == [1, 1, REDACTED, REDACTED, 2, 2]
    SEEN.clear()
    inner = Workflow[object]("inner", hooks=[observer(watch, expose=True)]).step(increase, hooks=[gate(allow)])
    outcome = real.run(_result(real, Workflow[int]("opaque").pure(opaque).step(inner)))
    assert outcome.failure.kind == "orchestration.errors.Unserialisable"
    assert [moment.value for moment in SEEN if hasattr(moment, "value")] == [REDACTED, None, None]


def test_asking_is_given_up(real: Server) -> None:
    """S18, S31: when another step fails, the gate is told to end; what it would have said does not matter any more."""
    asked = step(increase, hooks=[gate(ponder, timeout=60.0)], name="asked")
    also = step(increase, hooks=[gate(allow)], name="also")
    flow = SAGA.fork(asked).fork(step(_fail_then, cheap=True)).fork(also).join(_of_three, concurrency=2)
    outcome = real.run(_result(real, flow))
    assert isinstance(outcome, Failed)
    assert (outcome.failure.kind, outcome.rollback.verdict) == ("tests.temporal.golden.Declined", "complete")
    assert (SEEN, outcome.leaked) == (["ponders", "told to end"], ())


async def _fail_then(number: int) -> int:
    while not SEEN:
        await asyncio.sleep(0.01)
    raise Declined("now")


async def _of_three(one: int, two: int, three: int) -> int:
    return one + two + three


def test_a_long_run_tells_everything_once(real: Server) -> None:
    """S32: also what goes on in new histories; what has failed in the first is listed at the end."""
    step_hooks = [observer(watch, at=("step", "attempt")), observer(stumble, at="retry"), gate(allow)]
    one = Workflow[int]("one").step(increase, hooks=step_hooks).recover(excuse, on=Declined)
    flaky = Workflow[int]("flaky").step(decline, retry=SURE, hooks=step_hooks).recover(excuse, on=Declined)
    flow = Workflow[int]("long").step(flaky).pure(_many).map(one, concurrency=5).pure(len)

    async def main() -> Any:
        handle = await real.near(longest=30).start(flow, 1, run_id="long")
        outcome = await handle.result()
        history = await handle.workflow.fetch_history()
        return outcome, history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id

    outcome, continued = real.run(main())
    assert continued
    assert (outcome.value, [failure.moment for failure in outcome.hook_failures]) == (12, ["RetryPlanned"])
    lines = story()
    assert len(set(lines)) == len(lines) - 2  # each once, but the two attempts of the one that fails
    assert [lines.count(f"{what} long/one[7]/increase{how}") for what, how in _EACH] == [1] * len(_EACH)


_EACH = [
    ("Asked", ""),
    ("StepBegan", ""),
    ("AttemptBegan", ""),
    ("AttemptEnded", " succeeded"),
    ("StepEnded", " succeeded"),
]


def _many(number: int) -> list[int]:
    return list(range(12))


def test_a_stopped_worker_asks_no_more(real: Server) -> None:
    """S31: a gate whose worker is stopped is asked again by the next, and allows or forbids there."""
    queue = {"task_queue": "asked", "workflows": [GATED]}

    async def main() -> Any:
        async with TemporalWorker(real.client, **queue, sticky=0.3):
            handle = await TemporalEngine(real.client, task_queue="asked").start(GATED, 1, run_id="asked")
            while "first" not in SEEN:
                await asyncio.sleep(0.01)
        async with TemporalWorker(real.client, **queue):
            return await handle.result()

    assert real.run(main()) == Succeeded(2, "asked")
    assert SEEN[-1] == "again"


async def hesitate(asked: Asked) -> None:
    """Answer when asked again."""
    if SEEN:
        SEEN.append("again")
        return
    SEEN.append("first")
    await asyncio.Event().wait()


GATED = Workflow[int]("gated").step(increase, hooks=[gate(hesitate, timeout=60.0)])


async def cling(hook: Any) -> None:
    """Take no notice of being told to end, once."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.sleep(0.3)


def test_a_hook_that_does_not_end_is_named(real: Server) -> None:
    """S24, S32: it is given up after the grace, and the run goes on without it."""
    flow = Workflow[int]("clings").step(increase, hooks=[observer(cling, at="attempt", timeout=0.05)])

    async def main() -> Any:
        async with TemporalWorker(real.client, task_queue="clings", workflows=[flow], grace=0.05):
            return await TemporalEngine(real.client, task_queue="clings").execute(flow, 1, run_id="clings")

    outcome = real.run(main())
    assert (outcome.value, outcome.leaked) == (2, ("clings/increase:cling",) * 2)


async def dawdle(moment: Moment) -> None:
    """Hear the end of it when told again."""
    SEEN.append(type(moment).__name__)
    if len(SEEN) == 1:
        await asyncio.Event().wait()


def test_a_stopped_worker_leaves_the_telling_to_another(real: Server) -> None:
    """S32: what was not told to the end is told by the next, from the beginning of that."""
    flow = Workflow[int]("told", hooks=[observer(dawdle, at="workflow", timeout=60.0)]).step(increase)
    queue = {"task_queue": "told", "workflows": [flow]}

    async def main() -> Any:
        async with TemporalWorker(real.client, **queue, sticky=0.3):
            handle = await TemporalEngine(real.client, task_queue="told").start(flow, 1, run_id="told")
            while not SEEN:
                await asyncio.sleep(0.01)
        async with TemporalWorker(real.client, **queue):
            return await handle.result()

    assert real.run(main()) == Succeeded(2, "told")
    assert SEEN == ["WorkflowBegan", "WorkflowBegan", "WorkflowEnded"]


async def slowly(moment: Moment) -> None:
    """Take a moment to hear of something."""
    await asyncio.sleep(0.05)
    SEEN.append(type(moment).__name__)


async def note(number: int) -> int:
    """Be seen."""
    SEEN.append("note")
    return number


def test_an_attempt_begins_when_observers_know(real: Server) -> None:
    """S32: also a cheap one, which does not wait for the server."""
    flow = Workflow[int]("known").step(note, cheap=True, hooks=[observer(slowly, at=("step", "attempt"))])
    assert real.run(_result(real, flow)).ok
    assert SEEN == ["StepBegan", "AttemptBegan", "note", "AttemptEnded", "StepEnded"]
