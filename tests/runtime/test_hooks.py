"""Hooks on the engine: when they are called, and in which order (S31)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from orchestration import CancelToken, LocalEngine, Retry, Workflow, gate, observer, step
from orchestration.outcomes import Cancelled, Failed
from orchestration.runtime.hooks import HookCaller, _Call
from tests.bodies import double, increase, undo
from tests.runtime.diary import NOW, ONCE, Diary, Flaky, lose, refuse
from tests.runtime.support import Gate, go, turns

if TYPE_CHECKING:
    from orchestration.plan.moments import Asked, Moment


def test_before_hooks_in_order_and_after_hooks_reversed_from_the_engine_to_the_step() -> None:
    """S31: engine, outer workflow, inner workflow, step; ends the other way round; gates before observers."""
    diary = Diary()
    hooks = [diary.watch("s1", at="step"), diary.allow("gate s"), diary.watch("s2", at="step")]
    inner = Workflow[int]("inner", hooks=[diary.watch("i", at="step"), diary.allow("gate i")]).step(double, hooks=hooks)
    flow = Workflow[int]("flow", hooks=[diary.watch("w", at="step")]).step(inner)
    engine = LocalEngine(hooks=[diary.watch("e", at="step"), diary.allow("gate e")])
    assert asyncio.run(engine.execute(flow, 1)).ok
    assert diary.lines == [
        *(f"gate {name} Asked inner/double" for name in "eis"),
        *(f"{name} StepBegan inner/double" for name in ("e", "w", "i", "s1", "s2")),
        *(f"{name} StepEnded inner/double succeeded" for name in ("s2", "s1", "i", "w", "e")),
    ]


def test_an_observer_is_told_of_every_point_in_its_order() -> None:
    """S31: workflow, step, attempt, retry, undo; each begin before what it is of, and each end behind it."""
    diary = Diary()
    flaky = Flaky()
    inner = Workflow[int]("inner", hooks=[diary.watch()])
    inner = inner.step(flaky, name="one", retry=NOW).compensate(undo, retry=ONCE).step(lose)
    outcome = asyncio.run(LocalEngine().execute(Workflow[int]("flow").step(inner), 1))
    assert not outcome.ok
    assert diary.lines == [
        "WorkflowBegan inner",
        "StepBegan inner/one",
        "AttemptBegan inner/one 1",
        "AttemptEnded inner/one failed 1",
        "RetryPlanned inner/one",
        "AttemptBegan inner/one 2",
        "AttemptEnded inner/one succeeded 2",
        "StepEnded inner/one succeeded",
        "StepBegan inner/lose",
        "AttemptBegan inner/lose 1",
        "AttemptEnded inner/lose failed 1",
        "StepEnded inner/lose failed",
        "UndoBegan inner/one undo 1",
        "UndoEnded inner/one succeeded 1",
        "WorkflowEnded inner failed",
    ]


def test_the_run_is_told_of_first_and_last() -> None:
    """S31: the end of the run comes with its rollback; a cancel says whether it decided."""
    diary = Diary()

    async def main() -> None:
        gate_ = Gate()
        flow = Workflow[int]("flow", hooks=[diary.watch(at=("workflow", "cancel"))]).step(increase).compensate(undo)
        handle = await LocalEngine().start(flow.step(gate_), 1)
        await gate_.begun.wait()
        handle.cancel("enough")
        handle.cancel("enough")
        assert (await handle.result()).rollback.verdict == "complete"

    go(main)
    assert diary.lines == ["WorkflowBegan", "RunCancelled", "RunCancelled", "WorkflowEnded cancelled"]
    moments = [moment for _, moment in diary.moments]
    assert [moment.decided for moment in moments[1:3]] == [True, False]
    assert (moments[-1].rollback, moments[-1].failure) == ("complete", None)


def test_retries_of_composites_and_undos_are_told_of() -> None:
    """S31, S9: a composite's by its own path, to the hooks around it; a cleanup's to nobody."""
    diary, flaky, undone = Diary(), Flaky(), Flaky()
    inner = Workflow[int]("inner").step(double).compensate(undone, retry=NOW).step(flaky, name="flaky")
    clean = Flaky()
    flow = Workflow[int]("flow", hooks=[diary.watch(at=("retry", "undo"))]).cleanup(clean, retry=NOW, name="tidy")
    assert asyncio.run(LocalEngine().execute(flow.step(inner, retry=NOW), 1)).ok
    assert clean.calls == 2
    assert diary.lines == [
        "UndoBegan inner/double undo 1",
        "UndoEnded inner/double failed 1",
        "RetryPlanned inner/double",
        "UndoBegan inner/double undo 2",
        "UndoEnded inner/double succeeded 2",
        "RetryPlanned inner",
    ]


def test_a_step_that_is_cancelled_ends_once_wherever_it_stands() -> None:
    """S31, S28: in an attempt, in a backoff, before its gate has answered."""
    diary = Diary()

    async def main() -> None:
        busy, asked = Gate(), Gate()

        async def ponder(_: Asked) -> None:
            await asked(0)

        patient = Retry(max_attempts=2, initial_delay=60, jitter="none", max_delay=60)
        flow = (
            Workflow[int]("flow", hooks=[diary.watch(at="step")])
            .fork(step(busy, name="busy"))
            .fork(step(lose, name="lost", retry=patient))
            .fork(step(increase, name="gated", hooks=[gate(ponder, timeout=60)]))
            .join()
        )
        handle = await LocalEngine().start(flow, 1)
        await asyncio.gather(busy.begun.wait(), asked.begun.wait())
        while ("", "lost") not in [(name, moment.path[-4:]) for name, moment in diary.moments]:
            await turns(1)
        await turns(20)
        handle.cancel()
        assert isinstance(await handle.result(), Cancelled)

    go(main)
    ends = sorted(line for line in diary.lines if "Ended" in line)
    assert [line.split()[-1] for line in ends] == ["cancelled"] * 3
    assert not any("StepBegan" in line and "gated" in line for line in diary.lines)


def test_a_leaked_attempt_is_told_of_once() -> None:
    """S32, S24: its late end is no second one, neither of the attempt nor of the step."""
    diary = Diary()

    async def main() -> None:
        free, last = asyncio.Event(), Gate()

        async def stubborn(n: int) -> int:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue
            return n

        flow = Workflow[int]("flow", hooks=[diary.watch(at=("attempt", "step"))])
        flow = flow.step(stubborn, attempt_timeout=0.01).recover(lambda _: 0, on=TimeoutError).step(last)
        handle = await LocalEngine(grace=0.01).start(flow, 1)
        await last.begun.wait()
        free.set()
        await turns(20)
        last.opened.set()
        assert (await handle.result()).leaked == ("flow/stubborn#1",)

    go(main)
    assert [line for line in diary.lines if "stubborn" in line and "Ended" in line] == [
        "AttemptEnded stubborn leaked 1",
        "StepEnded stubborn leaked",
    ]
    assert [moment.failure.kind for _, moment in diary.moments if getattr(moment, "how", "") == "leaked"] == [
        "TimeoutError",
        "TimeoutError",
    ]


def test_an_undo_that_has_leaked_is_told_of_once() -> None:
    """S32, S24: its late end is no second one."""
    diary = Diary()

    async def main() -> None:
        free, last = asyncio.Event(), Gate()

        async def stubborn(n: int) -> None:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue

        flow = Workflow[int]("flow", hooks=[diary.watch(at="undo")]).cleanup(last)
        flow = flow.step(increase).compensate(stubborn, retry=ONCE, timeout=0.01).step(lose)
        handle = await LocalEngine(grace=0.01).start(flow, 1)
        await last.begun.wait()
        free.set()
        await turns(20)
        last.opened.set()
        assert (await handle.result()).leaked == ("flow/increase:undo#1",)

    go(main)
    assert diary.lines == ["UndoBegan increase undo 1", "UndoEnded increase timed out 1"]


# --- the engine


def test_only_hooks_are_hooks() -> None:
    """S6: what is given to an engine is looked at when it is given."""
    with pytest.raises(TypeError, match=r"hooks are made by gate\(\.\.\.\) and observer\(\.\.\.\), found <function"):
        LocalEngine(hooks=[refuse])  # type: ignore[list-item]  # the very case


def test_a_run_that_is_stopped_begins_nothing_after_its_observers() -> None:
    """S30: the effect that waited for them is not performed any more."""
    ran: list[int] = []

    async def main() -> None:
        slow = Gate()

        async def ponder(_: Moment) -> None:
            await slow(0)

        def stop(_: int) -> int:
            slow.opened.set()
            raise KeyboardInterrupt

        late = Workflow[int]("late").sleep(0.01).pure(stop)
        flow = Workflow[int]("flow").fork(step(ran.append, name="one", hooks=[observer(ponder, at="step")])).fork(late)
        with pytest.raises(KeyboardInterrupt):
            await LocalEngine().execute(flow.join(), 1)

    go(main)
    assert ran == []


def test_a_run_that_is_stopped_gives_up_all_asking() -> None:
    """S29, S30: nothing of a gate lives on; the gate of a sibling that is cancelled alone is given up alone."""

    async def main() -> None:
        asked = Gate()

        async def ponder(_: Asked) -> None:
            await asked(0)

        def stop(_: int) -> int:
            raise KeyboardInterrupt

        hooks = [gate(ponder, timeout=60)]
        short = Workflow[int]("short").step(increase, hooks=hooks, timeout=0.01)
        late = short.recover(lambda _: 0, on=TimeoutError).pure(stop)
        flow = Workflow[int]("flow").fork(step(increase, name="one", hooks=hooks)).fork(late).join()
        with pytest.raises(KeyboardInterrupt):
            await LocalEngine().execute(flow, 1)
        assert asked.begun.is_set()

    go(main)


def test_a_call_that_begins_as_it_is_given_up_begins_once() -> None:
    """S32: a thread may have taken it in the same instant."""

    async def main() -> None:
        call = _Call()
        call.begun.cancel()
        call.begin()
        assert call.begun.cancelled()

    go(main)


def test_what_goes_wrong_with_the_asking_itself_is_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    """S31: a defect of ours fails the step as well."""

    async def break_down(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(HookCaller, "ask", break_down)
    ran: list[int] = []
    outcome = asyncio.run(LocalEngine(hooks=[gate(refuse)]).execute(Workflow[int]("flow").step(ran.append), 1))
    assert isinstance(outcome, Failed)
    assert (outcome.failure.kind, ran) == ("LookupError", [])


def test_a_token_that_is_cancelled_from_a_hook_in_a_thread_ends_the_run() -> None:
    """S28: a hook in a thread has no handle; a token is for any thread."""
    token = CancelToken()
    flow = Workflow[int]("flow", hooks=[gate(lambda asked: token.cancel(f"not {asked.step}") and None)]).step(increase)
    outcome = asyncio.run(LocalEngine().execute(flow, 1, token=token))
    assert isinstance(outcome, Cancelled)
    assert outcome.reason == "not increase"
