"""Gates on the engine: what their answers do, and what comes of them if they do not answer (S31)."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Veto, Workflow, gate, step
from orchestration.errors import GateFailed, Vetoed
from orchestration.outcomes import Failed, Succeeded
from tests.bodies import increase
from tests.runtime.diary import NOW, Diary, Mute, Odd, never, refuse
from tests.runtime.support import Gate, go

if TYPE_CHECKING:
    from orchestration.plan.moments import Asked


def test_a_veto_fails_the_step_before_it_begins() -> None:
    """S31: later gates are not asked, the observers see the end of a step that never began."""
    diary = Diary()
    hooks = [gate(refuse), diary.allow("late"), diary.watch(at=("step", "attempt"))]
    flow = Workflow[int]("flow").step(increase, hooks=hooks, retry=NOW)
    outcome = asyncio.run(LocalEngine().execute(flow, 1))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure.exception, Vetoed)
    assert "flow/increase: found a veto of refuse: not increase; expected none." in outcome.failure.message
    assert diary.lines == ["StepEnded increase failed"]
    assert diary.moments[0][1].failure.kind == "orchestration.errors.Vetoed"


def test_a_gate_says_what_is_asked() -> None:
    """S31, S33: the run, the path, the step's name and its key; not the value."""
    seen: list[Asked] = []
    flow = Workflow[int]("flow").step(increase, name="one", hooks=[gate(seen.append)])
    assert asyncio.run(LocalEngine().execute(flow, 1, run_id="r")).ok
    [asked] = seen
    assert (asked.run_id, asked.path, asked.step, asked.key) == ("r", "flow/one", "one", "r:flow/one")
    assert repr(asked.value) == "<redacted>"


def wrong(_: Asked) -> Any:
    """Return what is no answer."""
    return False


def worse(_: Asked) -> Any:
    """Return a veto that is none."""
    return Veto(5)  # type: ignore[arg-type]  # the very case


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ValueError("no"), "ValueError: no"),
        (Mute(), "Mute: <no message"),
        (SystemExit(3), "the hook raised SystemExit"),
        (KeyboardInterrupt(), "the hook raised KeyboardInterrupt"),
        (asyncio.CancelledError(), "raised CancelledError"),
        (GeneratorExit(), "the hook raised GeneratorExit"),
        (Odd(), "the hook raised Odd"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_gate_that_fails_in_any_way_lets_nothing_pass(
    raised: BaseException, told: str, *, asynchronous: bool
) -> None:
    """S31: the step fails with GateFailed; what would end the process or a task ends the hook only."""

    def fail(_: Asked) -> None:
        raise raised

    async def fail_later(_: Asked) -> None:
        await asyncio.sleep(0)
        raise raised

    ran: list[int] = []
    flow = Workflow[int]("flow").step(ran.append, hooks=[gate(fail_later if asynchronous else fail)], retry=NOW)
    outcome = asyncio.run(LocalEngine().execute(flow, 1))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure.exception, GateFailed)
    assert told in outcome.failure.message
    assert ran == []


@pytest.mark.parametrize(("hook", "told"), [(wrong, "found bool"), (worse, "TypeError")])
def test_a_wrong_answer_is_no_permission(hook: Any, told: str) -> None:
    """S31: only None allows a step."""
    outcome = asyncio.run(LocalEngine().execute(Workflow[int]("flow").step(increase, hooks=[gate(hook)]), 1))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure.exception, GateFailed)
    assert told in outcome.failure.message


def test_a_gate_that_hangs_fails_the_step_after_its_timeout() -> None:
    """S31: it is told to end, and nothing of it lives on; the failure can be recovered from."""
    flow = Workflow[int]("flow").step(increase, hooks=[gate(never, timeout=0.01)])

    async def main() -> None:
        outcome = await LocalEngine().execute(flow, 1)
        assert isinstance(outcome, Failed)
        assert "failed with TimeoutError: no answer in 0.01 s" in outcome.failure.message
        assert outcome.leaked == ()
        recovered = flow.recover(lambda _: 7, on=GateFailed)
        assert await LocalEngine().execute(recovered, 1, run_id="r") == Succeeded(7, "r")

    go(main)


def test_a_gate_in_a_thread_has_its_own_threads_and_its_time_counts_from_its_start() -> None:
    """S31, S11: a step that holds the only thread of the engine keeps no hook from being called."""
    go_on = threading.Event()
    names: list[str] = []

    def hold(n: int) -> int:
        assert go_on.wait(20)
        return n

    def let_go(_: Asked) -> None:
        names.append(threading.current_thread().name)
        go_on.set()

    async def quick(n: int) -> int:
        return n

    flow = Workflow[int]("flow").fork(hold).fork(step(quick, hooks=[gate(let_go, timeout=20)])).join()
    outcome = asyncio.run(LocalEngine(max_threads=1).execute(flow, 1))
    assert isinstance(outcome, Succeeded)
    assert names == ["orchestration-step"]


def test_a_gate_that_is_given_up_before_it_began_answers_all_the_same() -> None:
    """S28, S31: a sibling fails in the very turn in which the gate is asked."""

    def explode(n: int) -> int:
        raise ZeroDivisionError(n)

    asked: list[Asked] = []
    pure = Workflow[int]("pure").pure(explode)
    flow = Workflow[int]("flow").fork(step(increase, hooks=[gate(asked.append)])).fork(pure).join()

    async def main() -> None:
        outcome = await LocalEngine().execute(flow, 1)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "ZeroDivisionError"

    go(main)
    assert asked == []


def test_who_cancels_the_task_that_asks_gets_no_permission() -> None:
    """S31: a step whose gate could not be asked does not begin."""
    ran: list[int] = []

    async def main() -> None:
        asked = Gate()

        async def ponder(_: Asked) -> None:
            await asked(0)

        flow = Workflow[int]("flow").step(ran.append, hooks=[gate(ponder)])
        handle = await LocalEngine().start(flow, 1)
        await asked.begun.wait()
        [task] = [task for task in asyncio.all_tasks() if "HookedRun._ask" in repr(task.get_coro())]
        task.cancel()
        outcome = await handle.result()
        assert isinstance(outcome, Failed)
        assert "no answer: the task that asked the hooks was cancelled" in outcome.failure.message

    go(main)
    assert ran == []
