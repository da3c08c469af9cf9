"""The driver: who runs what, what a cancel does, what is left when a run has ended (S10, S11, S24, S28-S30)."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import TYPE_CHECKING

import pytest

from orchestration import (
    Cancelled,
    Failed,
    LocalEngine,
    Retry,
    Succeeded,
    Workflow,
    WorkflowCancelled,
    WorkflowFailed,
    step,
    step_context,
)
from orchestration.runtime import crew, position, tasks, threads
from orchestration.runtime.context import NotInAStep
from tests.runtime.support import GRACE, Gate, go, others

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration import Handle


async def stubborn(n: int, *, tries: int = 3) -> int:
    """Refuse to be cancelled so many times."""
    for _ in range(tries):
        try:
            await asyncio.sleep(GRACE * 3)
        except asyncio.CancelledError:
            continue
        break
    return n


async def increase(n: int) -> int:
    """Return the next number."""
    return n + 1


async def rest(n: int) -> int:
    """Wait for one turn of the loop."""
    await asyncio.sleep(0)
    return n + 1


def undone(seen: list[object]) -> Callable[[object], None]:
    """Return an undo that notes its value."""
    return seen.append


def chain(length: int, body: object = increase) -> Workflow[int, int]:
    """Return a chain of so many steps."""
    flow: Workflow[int, int] = Workflow[int]("chain")
    for _ in range(length):
        flow = flow.step(body)  # type: ignore[assignment,arg-type]  # any body of these tests
    return flow


def test_a_run_returns_its_value() -> None:
    """S8: `run` gives the value, `execute` the outcome."""

    async def main() -> None:
        assert await chain(3).run(1) == 4
        assert await LocalEngine().execute(chain(3), 1, run_id="r") == Succeeded(4, "r")

    go(main)
    assert chain(2, rest).run_sync(1) == 3


def test_a_chain_runs_in_one_worker_and_a_map_in_no_more_than_its_cap() -> None:
    """S14: steps that wait are spread over as many tasks as the cap allows, not one an item."""
    most = 0

    async def count(n: int) -> int:
        nonlocal most
        await asyncio.sleep(0)
        most = max(most, len(others()))
        return n

    async def main() -> None:
        await chain(50, count).run(1)
        assert most == 1
        flow = Workflow[list[int]]("flow").map(count, concurrency=7)
        assert await flow.run(list(range(500))) == list(range(500))

    go(main)
    assert most <= 8


def test_steps_that_never_wait_leave_the_loop_its_turns() -> None:
    """S7: a long run of ready steps does not starve what else the loop has to do."""
    ticks = 0

    async def main() -> None:
        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticker = asyncio.create_task(tick())
        await Workflow[list[int]]("flow").map(increase, concurrency=4).run(list(range(5_000)))
        ticker.cancel()
        await asyncio.wait([ticker])

    go(main)
    assert ticks >= 5_000 // crew.STREAK


def test_each_attempt_has_a_context_of_its_own() -> None:
    """S11: a variable that a step sets is not seen in another; what `execute` was called with is."""
    color = contextvars.ContextVar("color", default="none")
    seen = []

    async def paint(n: int) -> int:
        seen.append(color.get())
        color.set("step")
        await asyncio.sleep(0)
        assert color.get() == "step"
        return n

    def paint_in_thread(n: int) -> int:
        seen.append(color.get())
        color.set("thread")
        return n

    async def main() -> None:
        color.set("caller")
        await Workflow[int]("flow").step(paint).step(paint_in_thread).step(paint).run(1)
        assert color.get() == "caller"

    go(main)
    assert seen == ["caller"] * 3


def test_a_step_can_ask_where_it_is() -> None:
    """S5: path, attempt, run id, key, deadline; in a thread as well, and nowhere else."""
    seen = []

    def look(n: int) -> int:
        here = step_context()
        assert here.step_key == here.idempotency_key
        seen.append((here.path, here.attempt, here.run_id, here.idempotency_key, here.cancelled))
        assert here.started
        if here.attempt == 1:
            raise ValueError
        return n

    async def timed(n: int) -> int:
        await asyncio.sleep(0)
        deadline = step_context().deadline
        assert deadline is not None
        assert deadline > time.time()
        return n

    async def main() -> None:
        retried = step(look, retry=Retry(initial_delay=0))
        flow = Workflow[int]("flow").step(retried).step(timed, attempt_timeout=60)
        await LocalEngine().execute(flow, 1, run_id="r")

    go(main)
    assert seen == [("flow/look", n, "r", "r:flow/look", False) for n in (1, 2)]
    with pytest.raises(NotInAStep, match="outside of a step"):
        step_context()


def test_plain_functions_run_in_threads_or_where_they_are_told() -> None:
    """S11: a plain `def` runs in a worker thread, with `run_in="loop"` in the loop; an awaitable is awaited."""
    here = threading.current_thread()

    def where(_: object) -> bool:
        return threading.current_thread() is here

    def wait(n: object) -> object:
        return rest(1)

    async def main() -> None:
        assert await Workflow[int]("flow").step(where).run(1) is False
        assert await Workflow[int]("flow").step(where, run_in="loop").run(1) is True
        assert await Workflow[int]("flow").step(wait).run(1) == 2
        assert await Workflow[int]("flow").step(wait, run_in="loop").run(1) == 2

    go(main)


def test_threads_are_bounded_and_shared_by_the_steps_of_a_run() -> None:
    """S11: no more threads than `max_threads`, and they end with the run (S29)."""
    names = set()
    barrier = threading.Barrier(3)

    def work(n: int) -> int:
        names.add(threading.current_thread().name + str(threading.get_ident()))
        barrier.wait(10)
        return n

    async def main() -> None:
        flow = Workflow[list[int]]("flow").map(work)
        outcome = await LocalEngine(max_threads=3).execute(flow, list(range(9)))
        assert outcome.ok
        assert not [thread for thread in threading.enumerate() if thread.name == "orchestration-step"]

    go(main)
    assert len(names) <= 3


def test_a_step_that_raises_fails_the_run_with_its_exception_as_cause() -> None:
    """S8: `run` raises `WorkflowFailed`, which carries the outcome and the original exception."""

    async def fail(n: int) -> int:
        raise KeyError(n)

    def fail_in_thread(n: int) -> int:
        raise StopIteration(n)

    async def main() -> None:
        with pytest.raises(WorkflowFailed, match="flow/fail: KeyError: 1") as caught:
            await Workflow[int]("flow").step(fail).run(1)
        assert isinstance(caught.value.__cause__, KeyError)
        assert isinstance(caught.value.outcome, Failed)
        assert caught.value.outcome.failure.cause is None
        with pytest.raises(WorkflowFailed, match="StopIteration"):
            await Workflow[int]("flow").step(fail_in_thread).run(1)

    go(main)


def test_a_failure_in_a_pure_function_has_no_foreign_cause() -> None:
    """S8: what the driver was doing at the time is not part of the failure."""

    async def main() -> None:
        outcome = await LocalEngine().execute(Workflow[int]("flow").step(increase).pure(lambda n: n // 0), 1)
        assert isinstance(outcome, Failed)
        assert outcome.failure.cause is None

    go(main)


def test_backoffs_are_waited_for_and_end_with_a_cancel() -> None:
    """S9, S28: the next attempt comes after the backoff; a cancel ends the wait."""
    calls = 0

    async def flaky(n: int) -> int:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise ConnectionError
        return n

    async def main() -> None:
        quick = Retry(initial_delay=0.001, jitter="none")
        assert await Workflow[int]("flow").step(flaky, retry=quick).run(1) == 1
        nonlocal calls
        calls = 0
        slow = Retry(initial_delay=60, jitter="none")
        handle = await LocalEngine().start(Workflow[int]("flow").step(flaky, retry=slow), 1)
        async for event in handle.events():
            if type(event).__name__ == "StepFailed":
                assert handle.cancel("enough")
        outcome = await handle.result()
        assert isinstance(outcome, Cancelled)
        assert outcome.reason == "enough"
        assert [failure.kind for failure in outcome.attached] == ["ConnectionError"]

    go(main)


def test_a_timeout_ends_an_attempt() -> None:
    """S10: the body is cancelled, and the failure is a timeout; its own `asyncio.timeout` is its own."""

    async def slow(n: int) -> int:
        await asyncio.sleep(60)
        return n

    async def inner(n: int) -> int:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(60)
        except TimeoutError:
            return n + 1
        return n

    async def main() -> None:
        outcome = await LocalEngine().execute(Workflow[int]("flow").step(slow, attempt_timeout=0.01), 1)
        assert isinstance(outcome, Failed)
        assert str(outcome.failure) == "flow/slow: TimeoutError: took longer than 0.01 s"
        assert await Workflow[int]("flow").step(inner, attempt_timeout=60).run(1) == 2

    go(main)


def test_a_timeout_of_a_thread_counts_from_the_start_of_the_body() -> None:
    """S10: waiting for a thread is not in it; the body can see that it should end."""
    order = []

    def work(n: int) -> int:
        here = step_context()
        while not here.cancelled and n:
            pass
        order.append(n)
        return n

    async def main() -> None:
        flow = Workflow[list[int]]("flow").map(step(work, attempt_timeout=0.02))
        outcome = await LocalEngine(max_threads=1).execute(flow, [1, 0])
        assert outcome == Succeeded([1, 0], outcome.run_id)

    go(main)
    assert order == [1, 0]


def test_a_cancel_undoes_what_was_done() -> None:
    """S28: the step in flight is told, what is done is undone, the reason is kept."""
    seen: list[object] = []

    async def main() -> None:
        gate = Gate()
        flow = Workflow[int]("flow").step(increase).compensate(undone(seen)).step(gate).step(increase)
        handle = await LocalEngine().start(flow, 1)
        await gate.begun.wait()
        assert handle.cancel("no more") is True
        assert handle.cancel("twice") is False
        outcome = await handle.result()
        assert isinstance(outcome, Cancelled)
        assert outcome.reason == "no more"
        assert outcome.rollback.undone == ("flow/increase",)
        assert handle.cancel("late") is False

    go(main)
    assert seen == [2]


def test_cancelling_the_awaiting_task_cancels_the_run_and_is_passed_on() -> None:
    """S30: an in-memory run unwinds first; then the caller gets its `CancelledError`."""
    seen: list[object] = []

    async def slow_undo(n: int) -> None:
        await asyncio.sleep(0.01)
        seen.append(n)

    async def main() -> None:
        gate = Gate()
        flow = Workflow[int]("flow").step(increase).compensate(slow_undo).step(gate)
        task = asyncio.create_task(LocalEngine().execute(flow, 1))
        await gate.begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # a second one does not cut the undo short
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen == [2]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await flow.run(1)

    go(main)
    assert seen == [2, 2]


def test_a_step_that_refuses_to_end_does_not_hold_the_caller() -> None:
    """S24, S29: after the grace it counts as leaked, is named, and the outcome is there."""

    async def main() -> None:
        flow = Workflow[int]("flow").step(stubborn)
        handle = await LocalEngine(grace=GRACE).start(flow, 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        handle.cancel("stop")
        outcome = await handle.result()
        assert outcome == Cancelled("stop", handle.run_id, leaked=("flow/stubborn#1",))
        [left] = others()
        assert left in tasks.LEAKED
        await asyncio.wait([left])

    go(main)
    assert set() == tasks.LEAKED


def test_a_leaked_attempt_that_lands_in_time_is_undone() -> None:
    """S24: its late success arms the step if unwinding has not reached it."""
    seen: list[object] = []

    async def slow_undo(n: object) -> None:
        await asyncio.sleep(GRACE * 8)
        seen.append(n)

    async def main() -> None:
        late = step(stubborn).compensate(undone(seen))
        first = step(increase).compensate(slow_undo)
        flow = Workflow[int]("flow").fork(late).fork(first).fork(Gate()).join()
        handle = await LocalEngine(grace=GRACE).start(flow, 1)
        await asyncio.sleep(0.01)
        handle.cancel("stop")
        outcome = await handle.result()
        assert outcome.rollback.undone == ("flow/fork/increase", "flow/fork/stubborn")
        assert outcome.leaked == ("flow/fork/stubborn#1",)

    go(main)
    assert seen == [2, 1]


def test_a_thread_that_refuses_to_end_leaks_and_its_place_is_filled() -> None:
    """S24: a leaked attempt gives up its slot, so the undo gets a thread although there is only one."""
    seen: list[object] = []
    free = threading.Event()

    def hang(n: int) -> int:
        free.wait(10)
        return n

    def first(n: int) -> int:
        return n

    async def main() -> None:
        flow = Workflow[int]("flow").step(first).compensate(undone(seen)).step(hang, attempt_timeout=0.01)
        outcome = await LocalEngine(grace=GRACE, max_threads=1).execute(flow, 1)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "TimeoutError"
        assert outcome.leaked == ("flow/hang#1",)
        assert outcome.rollback.undone == ("flow/first",)
        [left] = others()
        left.cancel()  # given up by the loop as well: what the thread brings later has nowhere to go
        await asyncio.wait([left])
        free.set()
        while [thread for thread in threading.enumerate() if thread.name == "orchestration-step"]:
            await asyncio.sleep(0)
        await asyncio.sleep(0)

    go(main)
    assert seen == [1]


def test_a_leaked_thread_does_not_keep_the_loop_open() -> None:
    """S11, S29: `asyncio.run` returns although the thread still hangs; its late end finds no loop."""
    free = threading.Event()

    def hang(n: int) -> int:
        free.wait(10)
        return n

    flow = Workflow[int]("flow").step(hang, attempt_timeout=0.01)
    outcome = asyncio.run(LocalEngine(grace=GRACE).execute(flow, 1))
    assert outcome.leaked == ("flow/hang#1",)
    free.set()


def test_an_attempt_that_waits_for_a_thread_is_withdrawn() -> None:
    """S22: it never started, so it leaves no doubt."""
    begun = threading.Event()
    free = threading.Event()

    def work(n: int) -> int:
        begun.set()
        free.wait(10)
        return n

    async def main() -> None:
        flow = Workflow[list[int]]("flow").map(step(work).compensate(undone([])))
        handle = await LocalEngine(max_threads=1).start(flow, [1, 2, 3])
        while not begun.is_set():
            await asyncio.sleep(0)
        handle.cancel("stop")
        for _ in range(3):
            await asyncio.sleep(0)  # the cancels arrive
        free.set()
        outcome = await handle.result()
        assert outcome.rollback.undone == ("flow/work[0]",)
        assert len(outcome.rollback.steps) == 1

    go(main)


def test_a_thread_that_comes_too_late_for_its_call_ends_with_the_run(monkeypatch) -> None:
    """S29: a call that was withdrawn keeps no thread; the run waits for the one that was started for it."""
    late = threading.Event()

    class Late(threading.Thread):
        def run(self) -> None:
            late.wait(10)
            super().run()

    monkeypatch.setattr(threads, "Thread", Late)

    async def main() -> None:
        handle = await LocalEngine().start(Workflow[int]("flow").step(lambda n: n), 1)
        while not [thread for thread in threading.enumerate() if isinstance(thread, Late)]:
            await asyncio.sleep(0)
        handle.cancel("stop")
        threading.Timer(0.05, late.set).start()
        assert isinstance(await handle.result(), Cancelled)
        assert not [thread for thread in threading.enumerate() if isinstance(thread, Late)]

    asyncio.run(main())


def test_what_waits_for_a_worker_is_withdrawn_by_a_failure() -> None:
    """S18, S22: an item whose turn had not come when a sibling failed never starts."""
    begun = []

    async def work(n: int) -> int:
        begun.append(n)
        if n == 0:
            raise ValueError
        return n

    seen: list[object] = []

    async def main() -> None:
        listed = step(lambda n: list(range(n)), run_in="loop").compensate(undone(seen))
        outcome = await LocalEngine().execute(Workflow[int]("flow").step(listed).map(work), 100)
        assert isinstance(outcome, Failed)

    go(main)
    assert begun == [0]
    assert seen == [list(range(100))]


@pytest.mark.parametrize("closable", [True, False])
def test_an_awaitable_from_a_thread_is_not_begun_after_a_cancel(closable) -> None:
    """S28: a plain function that returns something to await was cancelled while its thread worked."""
    begun, free = threading.Event(), threading.Event()

    class Forever:
        def __await__(self):
            yield from asyncio.Event().wait().__await__()

    def work(n: int) -> object:
        begun.set()
        free.wait(10)
        return asyncio.sleep(60) if closable else Forever()

    async def main() -> None:
        handle = await LocalEngine().start(Workflow[int]("flow").step(work), 1)
        while not begun.is_set():
            await asyncio.sleep(0)
        handle.cancel("stop")
        free.set()
        assert await handle.result() == Cancelled("stop", handle.run_id)

    go(main)


def test_an_object_whose_call_is_async_runs_in_the_loop() -> None:
    """S11: no thread is taken for it, also where its arguments are spread."""
    here = threading.current_thread()

    class Where:
        async def __call__(self, *values: int) -> bool:
            return threading.current_thread() is here

    async def main() -> None:
        assert await Workflow[int]("flow").step(Where()).run(1)
        assert await Workflow[int]("flow").fork(increase).fork(rest).join(Where()).run(1)

    go(main)


def test_an_unrequested_cancelled_error_is_a_failure() -> None:
    """S8: a body that raises `CancelledError` by itself fails; nobody cancelled the run."""

    async def odd(n: int) -> int:
        raise asyncio.CancelledError

    async def odd_later(n: int) -> int:
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    async def main() -> None:
        for body in (odd, odd_later):
            outcome = await LocalEngine().execute(Workflow[int]("flow").step(body), 1)
            assert isinstance(outcome, Failed)
            assert outcome.failure.kind == "asyncio.exceptions.CancelledError"

    go(main)


def test_a_cancel_from_inside_a_step_does_not_stray_into_the_next_body() -> None:
    """S24, S28: the step ends before it meets its cancel; the undo that the same worker runs next does not get it."""
    handles, seen = [], []

    async def give_up(n: int) -> int:
        await asyncio.sleep(0)
        handles[0].cancel("from inside")
        return n

    async def slow_undo(n: int) -> None:
        await asyncio.sleep(0.001)
        seen.append((n, step_context().attempt))

    async def main() -> None:
        flow = Workflow[int]("flow").step(give_up).compensate(slow_undo).step(increase)
        handles.append(await LocalEngine().start(flow, 1))
        outcome = await handles[0].result()
        assert outcome.rollback.undone == ("flow/give_up",)

    go(main)
    assert seen == [(1, 1)]


@pytest.mark.parametrize("noticed", [True, False])
def test_cancelling_every_task_of_the_loop_still_unwinds(noticed) -> None:
    """S24, S30: as `asyncio.run` does when it is interrupted; idle workers stay, because the unwinding needs them."""
    seen: list[object] = []

    async def slow_undo(n: int) -> None:
        await asyncio.sleep(0.001)
        seen.append(n)

    async def main() -> None:
        gate = Gate()
        armed = step(rest).compensate(slow_undo)
        flow = Workflow[int]("flow").fork(gate).fork(armed).fork(armed).fork(armed).join()
        handle = await LocalEngine().start(flow, 1)
        for _ in range(9):
            await asyncio.sleep(0)
        workers = others() - {handle.task}
        assert len(workers) == 4
        for worker in workers:
            worker.cancel()
        if noticed:
            await asyncio.sleep(0)
        handle.cancel("stop")
        outcome = await handle.result()
        assert len(outcome.rollback.undone) == 3

    go(main)
    assert seen == [2, 2, 2]


def test_a_worker_that_was_cancelled_while_idle_is_not_counted_on() -> None:
    """S24: it has not noticed yet when there is something to undo; another one comes."""
    seen: list[object] = []

    async def fail(n: int) -> int:
        raise OSError

    async def main() -> None:
        slow = step(fail, retry=Retry(initial_delay=60, jitter="none"))
        flow = Workflow[int]("flow").step(increase).compensate(undone(seen)).step(slow)
        handle = await LocalEngine().start(flow, 1)
        async for event in handle.events():
            if type(event).__name__ == "StepFailed":
                break
        await asyncio.sleep(0)
        for worker in others() - {handle.task}:
            worker.cancel()
        handle.cancel("stop")
        assert (await handle.result()).rollback.undone == ("flow/increase",)

    go(main)
    assert seen == [2]


def test_a_pure_function_that_cancels_its_run_is_heard_in_turn() -> None:
    """S28: a cancel that comes while an event is being taken is taken next."""
    handles = []

    def give_up(n: int) -> int:
        handles[0].cancel("from a pure function")
        return n

    async def main() -> None:
        handles.append(await LocalEngine().start(Workflow[int]("flow").step(rest).pure(give_up).step(rest), 1))
        outcome = await handles[0].result()
        assert isinstance(outcome, Cancelled)

    go(main)


def test_an_undo_that_fails_takes_too_long_or_never_ends_is_told() -> None:
    """S24, S26: each way to fail ends an undo as not undone; one that never ends is named as leaked."""

    async def fail(n: int) -> None:
        raise OSError

    async def slow(n: int) -> None:
        await asyncio.sleep(60)

    once = Retry(max_attempts=1)

    async def main() -> None:
        for undo, leaked in ((fail, ()), (slow, ()), (stubborn, ("flow/increase:undo#1",))):
            armed = step(increase).compensate(undo, retry=once, timeout=0.01)
            flow = Workflow[int]("flow").step(armed).pure(lambda n: n // 0)
            outcome = await LocalEngine(grace=GRACE).execute(flow, 1)
            assert outcome.rollback.verdict == "partial"
            assert outcome.leaked == leaked
        await asyncio.wait(others())

    go(main)


def test_a_run_that_is_stopped_during_a_backoff_forgets_its_timer(monkeypatch) -> None:
    """S29: nothing of a run that was stopped by a defect is scheduled any more."""

    async def fail(n: int) -> int:
        raise OSError

    async def main() -> None:
        slow = step(fail, retry=Retry(initial_delay=60, jitter="none"))
        later = asyncio.Event()

        async def wait(n: int) -> int:
            await later.wait()
            return n

        engine = LocalEngine(grace=GRACE)
        handle = await engine.start(Workflow[int]("flow").fork(slow).fork(wait).join(), 1)
        async for event in handle.events():
            if type(event).__name__ == "StepFailed":
                break
        monkeypatch.setattr(position, "advance", lambda *_: 1 // 0)
        later.set()
        with pytest.raises(ZeroDivisionError):
            await handle.result()
        loop = asyncio.get_running_loop()
        assert not [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]  # asyncio's own

    go(main)


def test_a_body_that_cancels_its_own_run_ends_it() -> None:
    """S28: a cancel that comes from inside a step is recorded like any other, and strays nowhere."""
    handles = []

    async def give_up(n: int) -> int:
        handles[0].cancel("from inside")
        return n

    async def main() -> None:
        flow = Workflow[int]("flow").step(rest).step(give_up).step(increase)
        handles.append(await LocalEngine().start(flow, 1))
        assert await handles[0].result() == Cancelled("from inside", handles[0].run_id)

    go(main)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("where", ["step", "thread", "later", "pure"])
def test_an_interrupt_from_a_body_stops_the_run_and_is_raised(kind, where) -> None:
    """S8, S30: it cancels an in-memory run, which unwinds, and is then raised where the run was awaited."""
    seen: list[object] = []

    async def now(n: int) -> int:
        raise kind

    def thread(n: int) -> int:
        raise kind

    async def later(n: int) -> int:
        await asyncio.sleep(0)
        raise kind

    async def main() -> None:
        flow = Workflow[int]("flow").step(increase).compensate(undone(seen))
        if where == "pure":
            flow = flow.fork(Gate()).fork(Workflow[int]("inner").step(rest).pure(thread)).join()
        else:
            flow = flow.step({"step": now, "thread": thread, "later": later}[where])
        with pytest.raises(kind):
            await LocalEngine(grace=GRACE).execute(flow, 1)

    go(main)
    assert seen == ([] if where == "pure" else [2])


def test_a_defect_of_the_interpreter_ends_the_run_loudly(monkeypatch) -> None:
    """S29: if `advance` itself fails, the run does not hang: what is in flight is ended, the error raised."""

    def broken(*_: object) -> object:
        message = "a defect"
        raise RuntimeError(message)

    async def main() -> None:
        monkeypatch.setattr(position, "advance", broken)
        flow = Workflow[int]("flow").fork(rest).fork(Gate()).fork(stubborn).join()
        with pytest.raises(RuntimeError, match="a defect"):
            await LocalEngine(grace=GRACE).execute(flow, 1)
        if others():
            await asyncio.wait(others())

    go(main)


def test_events_tell_what_happened() -> None:
    """S32: the stream begins with `Started` and ends with the outcome; a late subscriber gets the rest."""

    async def main() -> None:
        handle = await LocalEngine().start(chain(2, rest), 1, run_id="r")
        kinds = [type(event).__name__ async for event in handle.events()]
        assert kinds == ["Started", "StepSucceeded", "StepSucceeded"]
        assert [event async for event in handle.events()] == []
        assert handle.state.outcome == Succeeded(3, "r")
        assert handle.plan.name == "chain"

    go(main)


def test_waiting_for_a_result_and_giving_up_does_not_cancel_the_run() -> None:
    """S30: only the handle's own `cancel` does."""

    async def main() -> None:
        gate = Gate()
        handle = await LocalEngine().start(Workflow[int]("flow").step(gate), 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await handle.result()
        gate.opened.set()
        assert (await handle.result()).ok

    go(main)


def test_a_cancelled_run_is_told_by_run() -> None:
    """S28: `run` raises `WorkflowCancelled`, which carries the outcome."""
    from orchestration.runtime.local import value_of

    with pytest.raises(WorkflowCancelled, match="enough") as caught:
        value_of(Cancelled("enough", "r"))
    assert caught.value.outcome.run_id == "r"


def test_a_run_of_pure_functions_needs_no_worker() -> None:
    """S7: a run may end in its first turn, and long evaluations give the loop its turns."""

    async def main() -> None:
        assert await Workflow[int]("flow").pure(lambda n: n + 1).run(1) == 2
        flow: Workflow[int, int] = Workflow[int]("flow")
        for _ in range(2_500):
            flow = flow.pure(lambda n: n + 1)
        assert await flow.run(0) == 2_500

    go(main)


def test_more_workers_than_needed_go_home() -> None:
    """S29: of many workers that a wide map needed, only some are kept for later."""
    left = 0

    async def look(n: object) -> int:
        nonlocal left
        await asyncio.sleep(0.01)
        left = len(others())
        return 0

    async def main() -> None:
        flow = Workflow[list[int]]("flow").map(rest).step(look)
        await flow.run(list(range(500)))

    go(main)
    assert left <= crew.IDLE + 2


def test_a_defect_of_what_performs_attempts_is_raised_where_the_run_is_awaited(monkeypatch) -> None:
    """S29: a run that nobody performs any more does not wait for ever."""

    def broken(*_: object) -> None:
        message = "a defect of the library"
        raise LookupError(message)

    async def increase(n: int) -> int:
        return n + 1

    monkeypatch.setattr("orchestration.runtime.attempt.Attempt.succeeded", broken)
    with pytest.raises(LookupError, match="a defect of the library"):
        asyncio.run(LocalEngine().execute(Workflow[int]("flow").step(increase), 1, run_id="r"))


def test_a_worker_that_is_cancelled_while_it_waits_for_work_goes_on_waiting() -> None:
    """S29: somebody cancels tasks that are not theirs."""

    async def short(n: int) -> int:
        await asyncio.sleep(0)
        return n

    async def main() -> None:
        gate, busy = Gate(), set[object]()

        async def long(n: int) -> int:
            busy.add(asyncio.current_task())
            return await gate(n)

        handle = await LocalEngine().start(Workflow[int]("flow").fork(short).fork(long).join(), 1)
        for _ in range(9):
            await asyncio.sleep(0)
        (idle,) = others() - busy - {handle.task}
        idle.cancel()
        await asyncio.sleep(0)
        gate.opened.set()
        assert (await handle.result()).ok

    go(main)


@pytest.mark.parametrize("cleans", [True, False], ids=["with a cleanup", "with nothing left to do"])
def test_a_run_ends_with_its_loop_although_its_worker_never_began(cleans) -> None:
    """S29, S30: who cancels all tasks of a loop may cancel a worker before its first step; another cleans up."""
    begun, tidied = [], []

    async def long(n: int) -> int:
        begun.append(n)
        await asyncio.sleep(3600)
        return n

    async def tidy(n: int) -> None:
        tidied.append(n)

    async def main() -> Handle[int]:
        flow = Workflow[int]("flow")
        return await LocalEngine().start((flow.cleanup(tidy) if cleans else flow).step(long), 1)

    handle = asyncio.run(main())
    assert isinstance(handle.state.outcome, Cancelled)
    assert (begun, tidied) == ([], [1] if cleans else [])
