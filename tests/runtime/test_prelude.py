"""A run that nobody can look at begins without a driver, and goes on with one where more than a step happens."""

from __future__ import annotations

import asyncio
import gc
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration import Cancelled, Failed, LocalEngine, Retry, Succeeded, Workflow, step_context
from orchestration.runtime import prelude
from orchestration.runtime.crew import STREAK
from tests.runtime.support import go

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = Retry(max_attempts=2, initial_delay=0, jitter="none")


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note the drivers that preludes are handed over to."""
    made: list[object] = []
    driver = prelude.Driver

    def noting(*arguments: Any) -> Any:
        made.append(driver(*arguments))
        return made[-1]

    monkeypatch.setattr(prelude, "Driver", noting)
    return made


async def increase(n: int) -> int:
    """Add one."""
    return n + 1


async def wait(n: int) -> int:
    """Add one, in another turn."""
    await asyncio.sleep(0)
    return n + 1


async def undo(n: int) -> None:
    """Undo it."""


def row(*bodies: Callable[[int], Any]) -> Workflow[int, int]:
    """Return steps in a row."""
    flow = Workflow[int]("flow")
    for number, body in enumerate(bodies):
        flow = flow.step(body, name=f"s{number}")
    return flow


# --- what it is


def test_steps_that_do_not_wait_need_no_driver(drivers: list[object]) -> None:
    """S2, S29: from the input to the outcome; they are not performed by the task that awaits the run."""
    seen: list[Any] = []

    async def look(n: int) -> int:
        seen.extend([asyncio.current_task(), step_context().run_id, step_context().path, VARIABLE.get()])
        return n + 1

    async def main() -> None:
        VARIABLE.set("from outside")
        outcome = await LocalEngine().execute(row(increase, look), 0)
        assert outcome == Succeeded(2, outcome.run_id)
        assert seen[0] is not asyncio.current_task()
        assert seen[1:] == [outcome.run_id, "flow/s1", "from outside"]
        assert not drivers

    go(main)


VARIABLE: ContextVar[str] = ContextVar("variable")


def test_a_body_that_waits_is_handed_over(drivers: list[object]) -> None:
    """S29: in the task in which it began, so that timeouts and the like around what it awaits hold."""
    tasks: list[object] = []

    async def look(n: int) -> int:
        tasks.append(asyncio.current_task())
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
        tasks.append(asyncio.current_task())
        VARIABLE.set("mine")
        return n + 1

    async def later(n: int) -> int:
        assert VARIABLE.get() == "from outside"
        return n + 1

    async def main() -> None:
        VARIABLE.set("from outside")
        assert (await LocalEngine().execute(row(increase, look, wait, later), 0)).value == 4  # type: ignore[union-attr]  # if it failed, that says so

    go(main)
    assert tasks[0] is tasks[1]
    assert len(drivers) == 1


def test_a_long_row_lets_others_have_their_turn(drivers: list[object]) -> None:
    """S7: after so many steps that did not wait."""
    turns: list[int] = []

    async def main() -> None:
        async def first(n: int) -> int:
            asyncio.get_running_loop().call_soon(lambda: turns.append(len(done)))
            return n + 1

        async def count(n: int) -> int:
            done.append(n)
            return n + 1

        done: list[int] = []
        outcome = await LocalEngine().execute(row(first, *[count] * (STREAK + 5)), 0)
        assert outcome.ok

    go(main)
    assert turns == [STREAK - 1]
    assert len(drivers) == 1


@pytest.mark.parametrize(
    ("flow", "engine"),
    [
        (row(increase).pure(lambda n: n), {}),
        (row(increase).step(lambda n: n + 1, name="threaded"), {}),
        (row(increase), {"max_concurrency": 1}),
    ],
    ids=["not only steps", "threads", "caps"],
)
def test_other_runs_have_no_prelude(flow: Any, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """S11, S14: what needs more than the event loop, or is counted."""
    monkeypatch.delattr(prelude.Prelude, "run")

    async def main() -> None:
        assert (await LocalEngine(**engine).execute(flow, 0)).ok

    go(main)


# --- failures


def test_a_step_that_fails_is_tried_again_and_what_was_before_is_undone(drivers: list[object]) -> None:
    """S9, S22: as if there had been a driver from the beginning."""
    seen: list[object] = []

    async def note(n: int) -> None:
        seen.append(n)

    async def fail(n: int) -> int:
        seen.append(step_context().attempt)
        raise OSError(n)

    async def main() -> None:
        flow = Workflow[int]("flow").step(increase).compensate(note).step(fail, retry=NOW)
        outcome = await LocalEngine().execute(flow, 0)
        assert isinstance(outcome, Failed)
        assert (outcome.failure.path, outcome.failure.cause) == ("flow/fail", None)

    go(main)
    assert seen == [1, 2, 1]
    assert len(drivers) == 1


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_raised_where_the_run_is_awaited(kind: type[BaseException]) -> None:
    """S30: after the run has unwound."""
    seen: list[object] = []

    async def note(n: int) -> None:
        seen.append(n)

    async def interrupt(_: int) -> int:
        raise kind

    async def main() -> None:
        with pytest.raises(kind):
            await LocalEngine().execute(Workflow[int]("flow").step(increase).compensate(note).step(interrupt), 0)

    go(main)
    assert seen == [1]


def test_a_body_that_waits_too_long_is_timed_out() -> None:
    """S10: the clock starts with its first wait."""

    async def main() -> None:
        async def forever(_: int) -> int:
            await asyncio.Event().wait()
            raise AssertionError

        outcome = await LocalEngine().execute(Workflow[int]("flow").step(forever, attempt_timeout=0.01), 0)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "TimeoutError"

    go(main)


def test_a_body_that_does_not_end_leaks() -> None:
    """S24: its worker is not waited for."""
    opened = asyncio.Event()

    async def main() -> None:
        async def stubborn(n: int) -> int:
            while not opened.is_set():
                try:
                    await opened.wait()
                except asyncio.CancelledError:
                    continue
            return n

        flow = Workflow[int]("flow").step(stubborn, attempt_timeout=0.01)
        outcome = await LocalEngine(grace=0.01).execute(flow, 0)
        assert outcome.leaked == ("flow/stubborn#1",)
        opened.set()
        await asyncio.sleep(0.01)

    go(main)


def test_a_defect_is_raised_where_the_run_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """S29: a run that nobody performs any more does not wait for ever."""

    def broken(*_: object) -> None:
        message = "a defect of the library"
        raise LookupError(message)

    async def main() -> None:
        with pytest.raises(LookupError, match="a defect"):
            await LocalEngine().execute(row(increase), 0)

    monkeypatch.setattr("orchestration.interpreter.ahead_chain.ChainAhead.outcome", broken)
    go(main)


# --- branches


def test_what_an_arm_says_is_not_asked_twice(drivers: list[object]) -> None:
    """S7, S13: the arm may be a workflow, which is for the driver."""
    asked: list[int] = []

    def is_odd(n: int) -> bool:
        asked.append(n)
        return n % 2 == 1

    async def main() -> None:
        flow = row(increase).branch().when(is_odd, row(increase, wait)).otherwise(increase)
        assert (await LocalEngine().execute(flow, 0)).value == 3  # type: ignore[union-attr]  # as above
        assert (await LocalEngine().execute(flow, 1)).value == 3  # type: ignore[union-attr]  # as above

    go(main)
    assert asked == [1, 2]
    assert len(drivers) == 1


# --- cancels


def test_a_run_that_is_cancelled_before_it_begins_does_nothing() -> None:
    """S29, S30: the cancel comes before the first step."""
    begun: list[int] = []

    async def note(n: int) -> int:
        begun.append(n)
        return n

    async def main() -> None:
        task = asyncio.create_task(LocalEngine().execute(row(note), 0))
        asyncio.get_running_loop().call_soon(task.cancel)  # behind its first turn, before that of its worker
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    go(main)
    assert not begun


def test_a_worker_that_is_cancelled_before_it_begins_is_replaced() -> None:
    """S29: somebody cancels all tasks but the one that awaits."""

    async def main() -> None:
        task = asyncio.create_task(LocalEngine().execute(row(increase), 0))

        def cancel_others() -> None:
            for other in asyncio.all_tasks() - {task, here}:
                other.cancel()

        here = asyncio.current_task()
        asyncio.get_running_loop().call_soon(cancel_others)
        assert (await task).ok

    go(main)


def test_a_body_that_cancels_who_awaits_its_run() -> None:
    """S30: what does not wait goes on to the end, and the cancel is passed on after it."""
    done: list[int] = []

    async def main() -> None:
        async def cancel(n: int) -> int:
            task.cancel()
            return n

        async def note(n: int) -> int:
            done.append(n)
            return n

        task = asyncio.create_task(LocalEngine().execute(row(cancel, note), 0))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    go(main)
    assert done == [0]


@pytest.mark.parametrize("fails", [False, True])
def test_a_body_that_cancels_who_awaits_its_run_and_waits(fails: bool) -> None:  # noqa: FBT001 - a parameter
    """S28, S30: it is cancelled itself then, unless it fails before."""
    seen: list[object] = []

    async def main() -> None:
        async def cancel(n: int) -> int:
            task.cancel()
            if fails:
                raise OSError
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise
            return n

        async def note(n: int) -> None:
            seen.append(n)

        flow = Workflow[int]("flow").step(increase).compensate(note).step(cancel)
        task = asyncio.create_task(LocalEngine().execute(flow, 0))
        with pytest.raises(asyncio.CancelledError):
            await task

    go(main)
    assert seen == ([1] if fails else ["cancelled", 1])


@pytest.mark.parametrize("run_id", [None, "r"])
def test_a_cancel_does_not_overtake_a_failure(run_id: str | None) -> None:
    """S28: the failure came first, so the run fails, and what only a cancel spares is undone."""
    seen: list[object] = []

    async def main() -> None:
        async def fail(_: int) -> int:
            asyncio.get_running_loop().call_soon(task.cancel)
            raise OSError

        async def note(n: int) -> None:
            seen.append(n)

        flow = Workflow[int]("flow", compensate_on_cancel=False).step(increase).compensate(note).step(fail)
        task = asyncio.create_task(LocalEngine().execute(flow, 0, run_id=run_id))
        with pytest.raises(asyncio.CancelledError):
            await task

    go(main)
    assert seen == [1]


@pytest.mark.parametrize("run_id", [None, "r"])
def test_a_cancel_does_not_overtake_an_interrupt(run_id: str | None) -> None:
    """S30: the first of the two is raised."""

    async def main() -> None:
        async def leave(_: int) -> int:
            asyncio.get_running_loop().call_soon(task.cancel)
            raise SystemExit(3)

        task = asyncio.create_task(LocalEngine().execute(row(increase, leave), 0, run_id=run_id))
        with pytest.raises(SystemExit):
            await task

    with pytest.raises(SystemExit):  # asyncio lets it through the task that raises it, and through the loop
        go(main)


def test_a_run_whose_last_step_waits_leaves_nothing_to_the_garbage_collector() -> None:
    """S29: its worker and its last attempt know one another."""
    flow = row(increase, wait)

    async def main() -> None:
        engine: LocalEngine = LocalEngine()
        await engine.execute(flow, 0)
        await asyncio.sleep(0)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await engine.execute(flow, 0)
            await asyncio.sleep(0)
            assert gc.collect() < 20
        finally:
            gc.enable()

    go(main)


def test_a_run_that_is_cancelled_while_a_body_waits() -> None:
    """S28: it has a driver by then."""
    seen: list[object] = []

    async def main() -> None:
        async def long(_: int) -> int:
            seen.append("begun")
            await asyncio.sleep(60)
            raise AssertionError

        task = asyncio.create_task(LocalEngine().execute(row(increase, long), 0))
        while not seen:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    go(main)


def test_a_body_that_cancels_its_own_task() -> None:
    """S8: it meets the cancel itself at its next wait, and nobody else does."""

    async def main() -> None:
        async def cancel(n: int) -> int:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return n + 1

        async def fail(_: int) -> int:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            raise OSError

        assert (await LocalEngine().execute(row(cancel), 0)).value == 1  # type: ignore[union-attr]  # as above
        outcome = await LocalEngine().execute(row(increase, fail), 0)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "OSError"

    go(main)


# --- all the same

KINDS = ("plain", "plain", "armed", "waits", "fails once", "fails", "odd", "odd")


class Story:
    """What happens in a run: bodies of these kinds, which note that they were called."""

    def __init__(self, kinds: list[str]) -> None:
        """Begin with nothing."""
        self.kinds = kinds
        self.noted: list[object] = []
        self.failed: set[int] = set()

    async def body(self, number: int) -> int:
        """Do what this kind of a step does."""
        kind = self.kinds[number]
        self.noted.append(number)
        if kind == "waits":
            await asyncio.sleep(0)
        if kind == "fails" or (kind == "fails once" and number not in self.failed):
            self.failed.add(number)
            raise OSError(number)
        return number + 1

    async def undo(self, number: int) -> None:
        """Note that it is undone."""
        self.noted.append(-number)

    def is_odd(self, number: int) -> bool:
        """Note that it was asked."""
        self.noted.append(("odd", number))
        return number % 2 == 1

    def flow(self) -> Workflow[int, Any]:
        """Return the steps in a row, each with the number of the one before and one more."""
        flow: Workflow[int, Any] = Workflow[int]("flow")
        for number, kind in enumerate(self.kinds):
            if kind == "odd":
                flow = flow.branch(name=f"b{number}").when(self.is_odd, row(self.body)).otherwise(self.body)
                continue
            step_ = flow.step(self.body, name=f"s{number}", retry=NOW)
            flow = step_.compensate(self.undo) if kind == "armed" else step_
        return flow

    async def run(self, run_id: str | None) -> object:
        """Run, with an id or without; return the outcome without it."""
        outcome = await LocalEngine(clock=lambda: 0.0).execute(self.flow(), 0, run_id=run_id)
        if isinstance(outcome, Failed):
            return outcome.failure, outcome.rollback
        assert not isinstance(outcome, Cancelled)
        return outcome.value, outcome.rollback


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=8))
def test_a_run_with_a_prelude_is_the_same_as_one_without(kinds: list[str]) -> None:
    """S2: a run that has an id can be found, and so has a driver from the beginning."""
    hidden, found = Story(kinds), Story(kinds)

    async def main() -> None:
        assert await hidden.run(None) == await found.run("r")

    go(main)
    assert hidden.noted == found.noted
