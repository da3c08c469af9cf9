"""Observers on the engine that fail: strict ones, and all others (S32)."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Workflow, observer
from orchestration.interpreter.serial import state_from_data, state_to_data
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.plan.moments import StepBegan, StepEnded, WorkflowEnded
from tests.bodies import increase, undo
from tests.runtime.diary import ONCE, Diary, Mute, Odd, never
from tests.runtime.support import GRACE, Gate, go, turns

if TYPE_CHECKING:
    from orchestration.plan.hooks import Hook
    from orchestration.plan.moments import Moment


def test_a_strict_observer_fails_the_step_before_and_after() -> None:
    """S32: before, nothing has begun; after, all strict ones are told, and the step is undone."""
    undone: list[int] = []
    diary = Diary()

    def object_to(kind: type) -> Any:
        def check(moment: Moment) -> None:
            if isinstance(moment, kind):
                raise PermissionError(kind.__name__)

        return observer(check, at="step", strict=True)

    def flow(kind: type) -> Any:
        hooks = [
            diary.watch("s", at="step", strict=True),
            object_to(kind),
            object_to(kind),
            diary.watch("o", at="step"),
        ]
        return Workflow[int]("flow").step(increase, hooks=hooks).compensate(undone.append, retry=ONCE)

    before = asyncio.run(LocalEngine().execute(flow(StepBegan), 1))
    assert isinstance(before, Failed)
    assert "PermissionError: StepBegan" in before.failure.message
    assert undone == []
    assert diary.lines == ["s StepBegan increase", "o StepEnded increase failed", "s StepEnded increase failed"]
    diary.moments.clear()
    after = asyncio.run(LocalEngine().execute(flow(StepEnded), 1))
    assert isinstance(after, Failed)
    assert "PermissionError: StepEnded" in after.failure.message
    assert len(after.failure.attached) == 1
    assert undone == [2]
    assert diary.lines[-2:] == ["s StepEnded increase succeeded", "o StepEnded increase failed"]


def test_a_strict_observer_that_fails_while_the_step_is_cancelled_is_only_listed() -> None:
    """S32: one had failed and the next was under way when the cancel came; what has succeeded is undone."""

    async def main() -> None:
        asked = Gate()

        async def ponder(moment: Moment) -> None:
            if isinstance(moment, StepEnded):
                await asked(0)

        async def fail(moment: Moment) -> None:
            if isinstance(moment, StepEnded):
                raise PermissionError

        hooks = [observer(ponder, at="step", strict=True), observer(fail, at="step", strict=True)]
        flow = Workflow[int]("flow").step(increase, hooks=hooks).compensate(undo, retry=ONCE)
        handle = await LocalEngine().start(flow, 1)
        await asked.begun.wait()
        handle.cancel("enough")
        outcome = await handle.result()
        assert isinstance(outcome, Cancelled)
        assert outcome.rollback.undone == ("flow/increase",)
        assert [str(failure) for failure in outcome.hook_failures] == [
            (
                "fail at StepEnded of flow/increase: orchestration.errors.GateFailed: flow/increase: "
                "found fail, which failed with PermissionError; expected an answer. Mend the hook, or recover from "
                "orchestration.errors.GateFailed."
            )
        ]

    go(main)


# --- observers that fail


def test_observers_that_fail_change_nothing_and_are_listed_with_the_last_moment_of_all() -> None:
    """S32: whatever they raise; all of it is in the outcome, and the state with it can be stored."""
    kinds: list[type[BaseException]] = [ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError, Odd, Mute]

    def failing(kind: type[BaseException], *, asynchronous: bool) -> Hook:
        async def later(_: Moment) -> None:
            raise kind

        def now(_: Moment) -> None:
            raise kind

        return observer(later if asynchronous else now, at="workflow")

    hooks = [failing(kind, asynchronous=flag) for kind in kinds for flag in (True, False)]
    flow = Workflow[int]("flow").step(increase)

    async def main() -> None:
        handle = await LocalEngine(hooks=hooks).start(flow, 1)
        outcome = await handle.result()
        assert isinstance(outcome, Succeeded)
        assert outcome.value == 2
        assert [failure.moment for failure in outcome.hook_failures] == [
            *["WorkflowBegan"] * len(hooks),
            *["WorkflowEnded"] * len(hooks),
        ]
        assert [failure.hook for failure in outcome.hook_failures[:2]] == ["later", "now"]
        assert all(failure.failure.exception is None for failure in outcome.hook_failures)
        data = state_to_data(handle.plan, handle.state)
        assert state_from_data(handle.plan, data) == handle.state

    go(main)


def test_an_observer_that_hangs_is_told_to_end_and_listed() -> None:
    """S32: at every moment anew; the step begins after its timeout."""
    flow = Workflow[int]("flow").step(increase, hooks=[observer(never, at="step", timeout=0.01)])

    async def main() -> None:
        outcome = await LocalEngine().execute(flow, 1)
        assert isinstance(outcome, Succeeded)
        assert [(failure.moment, failure.failure.message) for failure in outcome.hook_failures] == [
            ("StepBegan", "no answer in 0.01 s"),
            ("StepEnded", "no answer in 0.01 s"),
        ]
        assert outcome.leaked == ()

    go(main)


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_hook_that_refuses_to_end_is_named_as_leaked(*, asynchronous: bool) -> None:
    """S24, S29: it gets the grace, and then nobody waits for it any more."""

    async def main() -> None:
        free, free_thread = asyncio.Event(), threading.Event()

        async def refuse_to_end(moment: Moment) -> None:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue
            raise ValueError(moment)

        def block(moment: Moment) -> None:
            assert free_thread.wait(20)

        hook = observer(refuse_to_end if asynchronous else block, at="workflow", timeout=0.01)
        outcome = await LocalEngine(grace=GRACE, hooks=[hook]).execute(Workflow[int]("flow").step(increase), 1)
        assert isinstance(outcome, Succeeded)
        name = "flow:refuse_to_end" if asynchronous else "flow:block"
        assert outcome.leaked == (name, name)
        assert len(outcome.hook_failures) == 2
        free.set()
        free_thread.set()
        while len(asyncio.all_tasks()) > 1:
            await turns(1)

    asyncio.run(main())


def test_who_cancels_the_task_that_tells_loses_one_moment_and_no_more() -> None:
    """S32: the moment is listed, those after it are told."""
    diary = Diary()

    async def main() -> None:
        slow = Gate()

        async def ponder(moment: Moment) -> None:
            if not isinstance(moment, WorkflowEnded):
                await slow(0)

        hooks = [observer(ponder, at="workflow"), diary.watch(at="workflow")]
        handle = await LocalEngine(hooks=hooks).start(Workflow[int]("flow").step(increase), 1)
        await slow.begun.wait()
        [task] = [task for task in asyncio.all_tasks() if "Watch._tell_all" in repr(task.get_coro())]
        task.cancel()
        outcome = await handle.result()
        assert outcome.ok
        assert [(failure.hook, failure.moment) for failure in outcome.hook_failures] == [("ponder", "WorkflowBegan")]

    go(main)
    assert diary.lines == ["WorkflowBegan", "WorkflowEnded succeeded"]


def test_a_teller_that_is_cancelled_before_it_begins_is_replaced() -> None:
    """S32: all that it was to tell is told."""
    diary = Diary()

    async def main() -> None:
        flow = Workflow[int]("flow").pure(increase)
        engine = LocalEngine(hooks=[diary.watch()])
        handle = await engine.start(flow, 1)
        await turns(1)
        for task in asyncio.all_tasks():
            if "Watch._tell_all" in repr(task.get_coro()):
                task.cancel()
        assert (await handle.result()).ok

    go(main)
    assert diary.lines == ["WorkflowBegan", "WorkflowEnded succeeded"]
