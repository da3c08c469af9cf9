"""Timers, timeouts and deadlines in a real loop (S10, S21)."""

from __future__ import annotations

import asyncio
import time

import pytest

from orchestration import Cancelled, Failed, LocalEngine, Retry, Workflow, step, step_context
from orchestration.errors import InvalidInput
from orchestration.interpreter.effects import CancelTimer, StartTimer
from orchestration.interpreter.events import Started
from orchestration.runtime.timers import Timers
from tests.runtime.support import Gate, go

SLOW = Retry(initial_delay=60, jitter="none")


async def increase(n: int) -> int:
    """Return the next number."""
    return n + 1


async def hang(n: int) -> int:
    """Never return."""
    await asyncio.Event().wait()
    return n


async def fail(n: int) -> int:
    """Fail."""
    raise ConnectionError


def test_a_timeout_gives_a_result_of_the_same_instant_one_more_turn() -> None:
    """S10: what arrives in the turn in which the timer is due may still cancel it; without that it fires."""

    async def main() -> None:
        fired: list[StartTimer] = []
        timers = Timers(asyncio.get_running_loop(), fired.append)
        both = [StartTimer("a", 0.0, purpose) for purpose in ("timeout", "backoff")]
        for effect in both:
            timers.start(effect, now=1.0)
        await asyncio.sleep(0)
        assert fired == []
        await asyncio.sleep(0)
        assert fired == [both[1]]  # the timeout has become due as well, and waits for its turn
        timers.cancel(CancelTimer("a", "timeout"))
        await asyncio.sleep(0)
        assert fired == [both[1]]
        timers.start(both[0], now=1.0)
        while both[0] not in fired:
            await asyncio.sleep(0)

    go(main)


def test_the_timers_of_a_path_are_apart_and_end_together() -> None:
    """S10, S29: one a purpose; when the run is over none is left."""

    async def main() -> None:
        fired: list[StartTimer] = []
        timers = Timers(asyncio.get_running_loop(), fired.append)
        for purpose in ("backoff", "timeout", "sleep"):
            timers.start(StartTimer("a", 0.0, purpose), now=0.0)  # type: ignore[arg-type]  # all of them are purposes
        timers.cancel(CancelTimer("a", "backoff"))
        timers.clear()
        for _ in range(5):
            await asyncio.sleep(0)
        assert fired == []

    go(main)


def test_an_attempt_that_ends_in_the_instant_of_its_timeout_succeeds() -> None:
    """S10: the result that arrives with the timeout wins, for the timeout of an attempt as well."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        arrived = loop.create_future()

        async def late(n: int) -> int:
            loop.call_at(loop.time() + 0.01, arrived.set_result, n + 1)
            await asyncio.sleep(0)
            time.sleep(0.03)  # noqa: ASYNC251 - both are due when the loop gets its next turn
            return await arrived  # type: ignore[no-any-return]  # a future of a number

        assert await Workflow[int]("flow").step(late, attempt_timeout=0.02).run(1) == 2

    go(main)


def test_a_timeout_bounds_a_step_with_its_retries() -> None:
    """S10: also while it waits for the next attempt, or hangs in one."""

    async def main() -> None:
        for body in (fail, hang):
            outcome = await LocalEngine().execute(Workflow[int]("flow").step(body, retry=SLOW, timeout=0.02), 1)
            assert isinstance(outcome, Failed)
            kinds = {outcome.failure.kind, *(failure.kind for failure in outcome.failure.attached)}
            assert "orchestration.errors.DeadlineExceeded" in kinds

    go(main)


def test_a_deadline_ends_a_run_in_time() -> None:
    """S10: what is in flight is cancelled, what is done is undone; a run that ends in time does not notice."""
    seen: list[object] = []

    async def main() -> None:
        flow = Workflow[int]("flow").step(increase).compensate(seen.append)
        outcome = await LocalEngine().execute(flow.step(hang), 1, deadline=0.02)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "orchestration.errors.DeadlineExceeded"
        assert outcome.rollback.undone == ("flow/increase",)
        handle = await LocalEngine().start(flow, 1, deadline=60)
        deadlines = [event.deadline async for event in handle.events() if isinstance(event, Started)]
        assert deadlines == [60]
        assert (await handle.result()).ok

    go(main)
    assert seen == [2]


@pytest.mark.parametrize("deadline", [0, -1.0, float("inf"), float("nan")])
def test_a_deadline_is_a_time(deadline) -> None:
    """S10: the error says what it must be, before anything runs."""
    with pytest.raises(InvalidInput, match="expected a finite number of seconds above 0"):
        asyncio.run(LocalEngine().execute(Workflow[int]("flow").step(increase), 1, deadline=deadline))


def test_a_step_sees_the_earliest_of_the_times_around_it() -> None:
    """S10: its attempt's timeout, its own, or the run's deadline, from its first line on."""
    seen: list[float | None] = []

    async def look(n: int) -> int:
        seen.append(step_context().deadline)
        return n

    async def undo(n: int) -> None:
        seen.append(step_context().deadline)

    async def main() -> None:
        begun = time.time()
        flow = Workflow[int]("flow").step(look)
        flow = flow.step(step(look, name="short", attempt_timeout=10)).step(look, timeout=20)
        flow = flow.step(look, name="long", attempt_timeout=1_000)
        armed = flow.step(look, name="armed").compensate(undo, timeout=2_000)
        outcome = await LocalEngine().execute(armed.step(fail), 1, deadline=100)
        assert outcome.rollback.verdict == "complete"
        now = time.time()
        for at, seconds in zip(seen, [100, 10, 20, 100, 100, 2_000], strict=True):
            assert at is not None
            assert begun + seconds <= at <= now + seconds
        seen.clear()
        await flow.run(1)
        assert seen[0] is None

    go(main)


def test_a_sleep_is_waited_for_and_ends_with_a_cancel() -> None:
    """S21, S28: the value passes on when it is over."""

    async def main() -> None:
        assert await Workflow[int]("flow").sleep(0.001).step(increase).run(1) == 2
        gate = Gate()
        handle = await LocalEngine().start(Workflow[int]("flow").fork(gate).fork(step(increase)).join().sleep(60), 1)
        await gate.begun.wait()
        gate.opened.set()
        for _ in range(5):
            await asyncio.sleep(0)
        handle.cancel("enough")
        assert await handle.result() == Cancelled("enough", handle.run_id)

    go(main)
