"""Cancelling a run of the engine at every moment: what decides, what is undone, what is left (S22-S30)."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import (
    Cancelled,
    Failed,
    LocalEngine,
    Outcome,
    Retry,
    Signal,
    Succeeded,
    Workflow,
    gate,
    step,
    step_context,
)
from orchestration.interpreter.events import CancelRequested, StepFailed, StepSucceeded
from orchestration.outcomes import InDoubt, Undone
from orchestration.plan.nodes import Sleep, WaitFor
from tests.bodies import same, void
from tests.nesting.constructs import GO, OUTER, nested
from tests.runtime.support import GRACE, Gate, go, others, turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from orchestration import Handle

LONG = 3_600.0  # seconds: what waits so long is not waited for
ONCE = Retry(max_attempts=1)


async def fail(value: object) -> Any:
    """Fail."""
    raise ValueError("no")


async def fine(value: Any) -> Any:
    """Return the value."""
    return value


class Undos(list[object]):
    """An undo that notes what it undoes."""

    def __call__(self, value: object) -> None:
        """Note it."""
        self.append(value)


def begun(undo: Callable[[Any], object] = void) -> Any:
    """Return a workflow whose first step can be undone."""
    return Workflow[Any]("flow").step(fine, name="first").compensate(undo, retry=ONCE)


async def started(flow: Any, value: object = 1, engine: LocalEngine[Any] | None = None) -> Handle[Any]:
    """Start a run that is given up soon after a cancel."""
    return await (engine or LocalEngine(grace=GRACE)).start(flow, value)


async def after(handle: Handle[Any], kind: type) -> None:
    """Wait for the first event of a kind, and some turns for what follows from it."""
    async for event in handle.events():
        if isinstance(event, kind):
            break
    await turns()


async def cancelled(handle: Handle[Any], reason: str = "stop") -> Cancelled:
    """Cancel a run, and return its outcome, which this has decided."""
    assert handle.cancel(reason), "S28: nothing has decided the run yet"
    outcome = await handle.result()
    assert isinstance(outcome, Cancelled)
    assert outcome.reason == reason
    assert outcome.leaked == ()
    return outcome


def kinds_attached(outcome: Cancelled) -> list[str]:
    """Return the kinds of the failures that came along."""
    return [failure.kind for failure in outcome.attached]


# --- waits end at once


def test_a_cancel_ends_a_backoff() -> None:
    """S28: the failure that it waited after is attached; what was done before is undone."""

    async def main() -> None:
        flow = begun().step(fail, retry=Retry(initial_delay=LONG, jitter="none"), name="second")
        handle = await started(flow)
        await after(handle, StepFailed)
        outcome = await cancelled(handle)
        assert kinds_attached(outcome) == ["ValueError"]
        assert outcome.rollback.steps == (Undone("flow/first"),)

    go(main)


def test_a_cancel_ends_the_backoff_of_a_composite() -> None:
    """S20, S28: what failed is unwound already, and does not begin again."""

    async def main() -> None:
        again = Workflow[Any]("again").step(fine).compensate(void, retry=ONCE).step(fail)
        flow = begun().step(again, retry=Retry(initial_delay=LONG, max_delay=LONG, jitter="none"))
        handle = await started(flow)
        await after(handle, StepFailed)
        while not len(handle.state.ledger.rollback):  # until it is unwound
            await asyncio.sleep(0)
        outcome = await cancelled(handle)
        assert outcome.rollback.undone == ("flow/again/fine", "flow/first")

    go(main)


@pytest.mark.parametrize("wait", ["sleep", "signal"])
def test_a_cancel_ends_a_wait(wait) -> None:
    """S21, S28: of a time or for a signal; no step begins behind it."""
    behind = Undos()

    async def main() -> None:
        flow = begun().sleep(LONG) if wait == "sleep" else begun().wait_for(Signal("go", int))
        handle = await started(flow.step(behind.__call__, name="behind"))
        await after(handle, StepSucceeded)
        assert (await cancelled(handle)).rollback.undone == ("flow/first",)

    go(main)
    assert behind == []


def test_a_cancel_ends_a_pull() -> None:
    """S16, S28: the source has ended before the outcome is there; items that were done are undone."""
    seen: list[object] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            seen.append("closed")

    async def main() -> None:
        flow = Workflow[Any]("flow").map(step(fine).compensate(void, retry=ONCE))
        handle = await started(flow, source())
        await after(handle, StepSucceeded)
        outcome = await cancelled(handle)
        assert seen == ["closed"]
        assert outcome.rollback.undone == ("flow/fine[0]",)

    go(main)


# --- bodies


@pytest.mark.parametrize("how", ["flag", "token"])
def test_a_cancel_reaches_a_thread_that_looks_for_it(how) -> None:
    """S11, S28: a thread cannot be interrupted; one that looks ends in the grace, and keeps its outcome."""
    inside = threading.Event()

    def work(value: Any) -> str:
        context = step_context()
        token = context.token
        told = threading.Event()
        token.when_cancelled(lambda _: told.set())
        inside.set()
        while not (context.cancelled if how == "flag" else told.wait(0.001)):
            pass
        return "ended"

    undone = Undos()

    async def main() -> None:
        flow = Workflow[Any]("flow").step(work).compensate(undone, retry=ONCE).step(fine)
        handle = await started(flow, engine=LocalEngine(grace=60))
        while not inside.is_set():
            await asyncio.sleep(0)
        assert (await cancelled(handle)).rollback.steps == (Undone("flow/work"),)

    go(main)
    assert undone == ["ended"], "S22, S28: it was armed, with what it returned"


def test_a_cancelled_step_is_in_doubt_and_its_handler_settles_it() -> None:
    """S22, S28: nobody knows whether its effect landed; without a handler it is listed."""

    async def main() -> None:
        for options, state in (({"in_doubt": void}, Undone("flow/gate", "in_doubt")), ({}, InDoubt("flow/gate"))):
            door = Gate()
            flow = begun().step(door, name="gate").compensate(void, retry=ONCE, **options)
            handle = await started(flow)
            await door.begun.wait()
            assert (await cancelled(handle)).rollback.steps == (state, Undone("flow/first"))

    go(main)


def test_a_step_that_refuses_is_leaked_by_name() -> None:
    """S24, S29: the outcome does not wait beyond the grace, and says that its effect may still land."""
    release = asyncio.Event()
    inside = asyncio.Event()

    async def refuse(value: Any) -> None:
        inside.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        flow = begun().step(refuse).compensate(void, retry=ONCE)
        handle = await started(flow, engine=LocalEngine(grace=0.01))
        await inside.wait()
        assert handle.cancel("stop")
        outcome = await handle.result()
        assert outcome.leaked == ("flow/refuse#1",)
        assert outcome.rollback.steps == (InDoubt("flow/refuse"), Undone("flow/first"))
        assert len(others()) == 1, "only what was named lives on"
        release.set()
        await turns()

    go(main)


def test_a_cancel_reaches_every_nested_attempt() -> None:
    """S28: in a map in a fork in a workflow; each is told, and none begins any more."""
    inside: list[object] = []
    ended: list[object] = []

    async def hang(value: Any) -> None:
        inside.append(value)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(value)

    async def main() -> None:
        items = Workflow[Any]("items").map(step(hang), concurrency=2)
        flow = Workflow[Any]("flow").fork(Workflow[Any]("sub").step(items)).fork(items).join().step(fine)
        handle = await started(flow, [1, 2, 3])
        while len(inside) < 4:
            await asyncio.sleep(0)
        await cancelled(handle)

    go(main)
    assert sorted(ended) == sorted(inside) == [1, 1, 2, 2]  # type: ignore[type-var]  # numbers


# --- unwinding, cleanups and recovery


def test_an_undo_under_way_is_not_disturbed() -> None:
    """S24, S28: a failure has decided, so the cancel does not; nor does it when the run was cancelled before."""

    async def main() -> None:
        for ending in (fail, Gate()):
            door = Gate()
            handle = await started(begun(door).step(ending, name="ending"))
            if isinstance(ending, Gate):
                await ending.begun.wait()
                assert handle.cancel("first")
            await door.begun.wait()
            assert not handle.cancel("later")
            await turns()
            door.opened.set()
            outcome = await handle.result()
            assert isinstance(outcome, Cancelled if isinstance(ending, Gate) else Failed)
            assert outcome.rollback.steps == (Undone("flow/first"),)

    go(main)


def test_a_cancel_during_the_last_cleanup_comes_too_late() -> None:
    """S28: all nodes of the run are settled; the cleanup ends undisturbed."""

    async def main() -> None:
        door = Gate()
        handle = await started(begun().cleanup(door, name="close").step(fine))
        await door.begun.wait()
        assert not handle.cancel("later")
        await turns()
        door.opened.set()
        outcome = await handle.result()
        assert isinstance(outcome, Succeeded)
        assert outcome.cleanup_failures == ()

    go(main)


def test_a_cancel_during_an_inner_cleanup_lets_it_end_and_admits_nothing_after_it() -> None:
    """S21, S28: the inner workflow had succeeded; it is undone when its cleanup has ended, before the outer cleanup."""
    order: list[object] = []
    door = Gate()

    async def close(value: Any) -> None:
        await door(1)
        order.append("inner cleanup")

    async def main() -> None:
        inner = Workflow[Any]("inner").step(fine).compensate(lambda _: order.append("undo"), retry=ONCE).cleanup(close)
        flow = Workflow[Any]("flow").step(fine).cleanup(lambda _: order.append("outer cleanup"))
        handle = await started(flow.step(inner).step(lambda _: order.append("behind"), name="behind"))
        await door.begun.wait()
        assert handle.cancel("stop")
        await turns()
        door.opened.set()
        assert isinstance(await handle.result(), Cancelled)

    go(main)
    assert order == ["inner cleanup", "undo", "outer cleanup"]


def test_a_cancel_ends_a_recovering_body() -> None:
    """S20, S28: a cancel is never recovered; what was to be recovered from is attached."""
    door = Gate()

    async def mend(failure: object) -> int:
        return await door(1)

    async def main() -> None:
        handle = await started(begun().step(fail).recover(mend, on=ValueError).step(fine))
        await door.begun.wait()
        outcome = await cancelled(handle)
        assert kinds_attached(outcome) == ["ValueError"]
        assert outcome.rollback.steps == (Undone("flow/first"),)

    go(main)


def test_a_cancel_during_an_unwinding_that_recovers_lets_it_end() -> None:
    """S20, S28: the undo ends, then the recovering body does not begin."""
    mended: list[object] = []

    async def main() -> None:
        door = Gate()
        handle = await started(begun(door).step(fail).recover(mended.append, on=ValueError, name="mend"))
        await door.begun.wait()
        assert handle.cancel("stop")
        await turns()
        door.opened.set()
        outcome = await handle.result()
        assert isinstance(outcome, Cancelled)
        assert outcome.rollback.steps == (Undone("flow/first"),)

    go(main)
    assert mended == []


def test_a_cancel_gives_a_gate_up() -> None:
    """S28, S31: its step has not begun, so it leaves no doubt."""
    inside, ran = asyncio.Event(), Undos()

    async def ask(asked: object) -> None:
        inside.set()
        await asyncio.Event().wait()

    async def main() -> None:
        flow = begun().step(ran.__call__, name="asked", hooks=(gate(ask, timeout=LONG),)).compensate(void, retry=ONCE)
        handle = await started(flow)
        await inside.wait()
        assert (await cancelled(handle)).rollback.steps == (Undone("flow/first"),)

    go(main)
    assert ran == []


# --- at the end of a run


def test_a_cancel_from_inside_the_last_step_decides_and_its_success_is_undone() -> None:
    """S28: a step that finishes in the grace keeps its outcome and is armed; the run is cancelled all the same."""
    undone = Undos()
    handles: list[Handle[Any]] = []

    async def last(value: Any) -> str:
        assert handles[0].cancel("from inside")
        return "done"

    async def main() -> None:
        handles.append(await started(Workflow[Any]("flow").step(last).compensate(undone, retry=ONCE)))
        outcome = await handles[0].result()
        assert isinstance(outcome, Cancelled)
        assert outcome.rollback.steps == (Undone("flow/last"),)

    go(main)
    assert undone == ["done"]


def test_a_cancel_between_the_last_step_and_its_reader_comes_too_late() -> None:
    """S28: the outcome is there before who waits for it has read it."""

    async def main() -> None:
        handle = await started(begun())
        while handle.state.outcome is None:
            await asyncio.sleep(0)
        assert not handle.cancel("later")
        assert isinstance(await handle.result(), Succeeded)
        assert not handle.cancel("much later")

    go(main)


def test_a_second_cancel_is_recorded_and_does_nothing() -> None:
    """S28: the first reason wins."""
    events: list[object] = []

    async def watch(handle: Handle[Any]) -> None:
        events.extend([event async for event in handle.events()])

    async def main() -> None:
        door, undo = Gate(), Gate()
        handle = await started(begun(undo).step(door, name="gate"))
        watcher = asyncio.create_task(watch(handle))
        await door.begun.wait()
        assert handle.cancel("first")
        await undo.begun.wait()
        assert not handle.cancel("second")
        undo.opened.set()
        outcome = await handle.result()
        await watcher
        assert isinstance(outcome, Cancelled)
        assert outcome.reason == "first"

    go(main)
    assert [event.reason for event in events if isinstance(event, CancelRequested)] == ["first", "second"]


# --- the task that waits


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_who_stops_waiting_cancels_the_run_and_hears_of_it_when_it_has_unwound(how) -> None:
    """S30: a cancel of the awaiting task, or `asyncio.timeout` around it; more cancels change nothing."""
    undone = Undos()

    async def main() -> None:
        door, undo = Gate(), Gate()

        async def slowly(value: object) -> None:
            await undo(1)
            undone.append(value)

        flow = begun(slowly).step(door, name="gate")
        engine = LocalEngine(grace=GRACE)
        if how == "cancel":
            task = asyncio.create_task(engine.execute(flow, 1))
            await door.begun.wait()
            task.cancel()
            await undo.begun.wait()
            task.cancel()
            await turns()
            assert not task.done(), "the unwinding is waited for"
            undo.opened.set()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            undo.opened.set()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await engine.execute(flow, 1)

    go(main)
    assert undone == [1]


# --- what lives on


def alive(loop: asyncio.AbstractEventLoop) -> dict[str, object]:
    """Count what a run could leave behind: tasks, threads, timers, open files."""
    timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]  # of asyncio
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "timers": len(timers),
        "files": len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0,  # noqa: PTH112, PTH208 - plain counting
    }


async def all_of(flow: Any, cancel_after: int | None) -> Outcome[Any]:
    """Run a workflow with the signals that it waits for; cancel it after so many events."""
    handle = await LocalEngine(grace=GRACE, max_threads=2).start(flow, "ab")
    for node in handle.plan.nodes:
        if isinstance(node, WaitFor):
            handle.signal(GO, "cd")
    seen = 0
    async for _ in handle.events():
        seen += 1
        if seen == cancel_after:
            handle.cancel("stop")
    return await handle.result()


@pytest.mark.parametrize("outer", OUTER, ids=lambda name: name.replace(" ", "_"))
def test_nothing_lives_on_after_the_outcome(outer) -> None:
    """S29: of no construct, whether the run succeeds or is cancelled at one of its events."""
    flow = nested(outer, "fork", 1)
    sleeps = any(isinstance(node, Sleep) for node in flow.compile().nodes)

    async def main() -> None:
        gc.collect()  # what other tests have left open is closed in whichever of them it happens
        before = alive(asyncio.get_running_loop())
        if not sleeps:
            assert isinstance(await all_of(flow, None), Succeeded)
            await turns()
            assert alive(asyncio.get_running_loop()) == before
        for count in (1, 3) if sleeps else (1, 4, 7, 10):
            await all_of(flow, count)
            await turns()
            assert alive(asyncio.get_running_loop()) == before, f"cancelled after {count} events"

    asyncio.run(main())


def test_nothing_lives_on_when_a_run_fails() -> None:
    """S29: nor of a stream, a sleep, an undo's backoff, a thread, a timeout."""

    async def source() -> AsyncIterator[int]:
        while True:
            yield 1
            await asyncio.sleep(0)

    async def stumble(value: object) -> None:
        if undone:
            return
        undone.append(value)
        raise ValueError

    undone: list[object] = []

    async def main() -> None:
        gc.collect()  # as above
        before = alive(asyncio.get_running_loop())
        slow = Workflow[Any]("slow").step(same).sleep(LONG)
        items = Workflow[Any]("items").pure(lambda _: source()).map(step(same), concurrency=2)
        flow = (
            Workflow[Any]("flow")
            .step(same, name="first")
            .compensate(stumble, retry=Retry(initial_delay=0.001, jitter="none"))
            .fork(slow)
            .fork(items)
            .fork(Workflow[Any]("failing").step(same).step(fail))
            .join(timeout=LONG)
        )
        outcome = await LocalEngine(grace=GRACE).execute(flow, 1)
        assert isinstance(outcome, Failed)
        assert outcome.rollback.undone == ("flow/first",)
        await turns()
        assert alive(asyncio.get_running_loop()) == before

    asyncio.run(main())
