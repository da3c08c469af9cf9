"""How many attempts are under way at a time, and whose turn comes next (S14)."""

from __future__ import annotations

import asyncio
import threading

import pytest

from orchestration import Cancelled, Failed, Handle, LocalEngine, Retry, Workflow, step
from orchestration.errors import MissingLimit
from orchestration.runtime import position
from orchestration.runtime.admission import Limits
from tests.runtime.support import GRACE, Crowd, Gate, go, turns


async def increase(n: int) -> int:
    """Return the next number."""
    return n + 1


def wide(body: object, *, limit: str = "stripe", **options: object) -> Workflow[list[int], list[int]]:
    """Return a map over a limited step."""
    return Workflow[list[int]]("flow").map(step(body, limit=limit, **options))  # type: ignore[arg-type,call-overload,no-any-return]  # any body


def test_a_run_has_so_many_attempts_under_way() -> None:
    """S14: `max_concurrency` of the workflow counts the attempts of one run, wherever they are in it."""

    async def main() -> None:
        crowd = Crowd(3)
        flow = Workflow[list[int]]("flow", max_concurrency=3).map(step(crowd))
        assert (await LocalEngine().execute(flow, list(range(9)))).ok
        assert crowd.most == 3
        assert crowd.order == list(range(9))  # first come, first served
        both = Crowd(6)  # each run has a cap of its own
        flow = Workflow[list[int]]("flow", max_concurrency=3).map(step(both))
        engine = LocalEngine()
        outcomes = await asyncio.gather(*(engine.execute(flow, list(range(9))) for _ in range(2)))
        assert all(outcome.ok for outcome in outcomes)
        assert both.most == 6

    go(main)


def test_an_engine_has_so_many_attempts_under_way_over_all_its_runs() -> None:
    """S14: those of other runs count, too."""

    async def main() -> None:
        crowd = Crowd(4)
        engine = LocalEngine(max_concurrency=4)
        flow = Workflow[list[int]]("flow").map(step(crowd))
        outcomes = await asyncio.gather(*(engine.execute(flow, [n, n]) for n in range(5)))
        assert all(outcome.ok for outcome in outcomes)
        assert crowd.most == 4

    go(main)


def test_a_named_limit_is_shared_by_the_runs_of_an_engine_or_of_several() -> None:
    """S14: engines that are given the same `Limits` share them; what names another limit or none is not held up."""

    async def main() -> None:
        for engines in ([LocalEngine(limits={"stripe": 2, "mail-eu": 1})] * 2, _two(Limits({"mail-eu": 1}, stripe=2))):
            crowd, free = Crowd(2), Gate()
            runs = [asyncio.create_task(engine.execute(wide(crowd), [1, 2, 3])) for engine in engines]
            free.opened.set()
            assert (await engines[0].execute(wide(free, limit="mail-eu"), [1])).ok
            assert all([(await run).ok for run in runs])
            assert crowd.most == 2

    go(main)


def _two(limits: Limits) -> list[LocalEngine]:
    return [LocalEngine(limits=limits), LocalEngine(limits=limits)]


def test_an_attempt_that_waits_for_one_gate_holds_no_other() -> None:
    """S14: gates are taken together; two that wait for a limit leave the places of the engine to who needs no more."""

    async def main() -> None:
        holder, crowd = Gate(), Crowd(2)
        engine = LocalEngine(max_concurrency=3, limits={"stripe": 1})
        held = asyncio.create_task(engine.execute(wide(holder), [1]))
        await holder.begun.wait()
        waiting = asyncio.create_task(engine.execute(wide(increase), [1, 2]))
        await turns()
        assert (await engine.execute(Workflow[list[int]]("other").map(step(crowd)), [1, 2, 3])).ok
        assert crowd.most == 2
        assert not waiting.done()
        holder.opened.set()
        assert (await held).ok
        assert (await waiting).value == [2, 3]  # type: ignore[union-attr]  # it succeeds

    go(main)


def test_who_came_first_goes_first_whatever_else_it_needs() -> None:
    """S14: among those that could go, the one that has waited longest, also over the lines of several runs."""
    order: list[str] = []

    async def note(name: str) -> str:
        order.append(name)
        await asyncio.sleep(0)
        return name

    async def main() -> None:
        gate = Gate()
        engine = LocalEngine(limits={"stripe": 1})
        running = [asyncio.create_task(engine.execute(wide(gate), [0]))]
        await gate.begun.wait()
        for index, most in enumerate((None, 5, None, 7, None)):  # a cap of its own gives a run a line of its own
            flow = Workflow[str](f"flow{index}", max_concurrency=most).step(note, limit="stripe")
            running.append(asyncio.create_task(engine.execute(flow, str(index))))
            await turns()
        gate.opened.set()
        await asyncio.gather(*running)

    go(main)
    assert order == ["0", "1", "2", "3", "4"]


def test_a_place_is_not_held_during_a_backoff() -> None:
    """S14: while one step waits to try again, another gets its place."""

    async def main() -> None:
        failed = asyncio.Event()

        async def flaky(n: int) -> int:
            failed.set()
            raise ConnectionError

        engine = LocalEngine(limits={"stripe": 1})
        slow = Retry(initial_delay=60, jitter="none")
        handle = await engine.start(wide(flaky, retry=slow), [1])
        await failed.wait()
        assert (await engine.execute(wide(increase), [1])).ok
        handle.cancel()
        await handle.result()

    go(main)


def test_a_leaked_attempt_gives_up_its_places() -> None:
    """S24: what waits for them goes on, and the late end gives up nothing twice."""

    async def main() -> None:
        free = asyncio.Event()

        async def stubborn(n: int) -> int:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue
            return n

        engine = LocalEngine(limits={"stripe": 1}, grace=GRACE)
        outcome = await engine.execute(wide(stubborn, attempt_timeout=0.01), [1])
        assert isinstance(outcome, Failed)
        assert outcome.leaked == ("flow/stubborn[0]#1",)
        crowd = Crowd(1)
        assert (await engine.execute(wide(crowd), [1, 2])).ok
        free.set()
        await turns()
        assert (await engine.execute(wide(crowd), [1, 2, 3])).ok
        assert crowd.most == 1

    go(main)


def test_a_waiting_attempt_that_is_cancelled_has_not_started() -> None:
    """S22: it leaves no doubt; so with one that has its places and waits for a worker only."""
    undone: list[object] = []

    async def main() -> None:
        gate = Gate()
        engine = LocalEngine(limits={"stripe": 1})
        holding = await engine.start(wide(gate), [1])
        await gate.begun.wait()
        armed = step(increase, limit="stripe").compensate(undone.append)
        waiting = await engine.start(Workflow[list[int]]("flow").map(armed), [1, 2])
        await turns()
        waiting.cancel("stop")
        outcome = await waiting.result()
        assert outcome.rollback.verdict == "not needed"
        gate.opened.set()
        assert (await holding.result()).ok
        assert (await engine.execute(wide(increase), [1])).ok

    go(main)
    assert undone == []


def test_an_admitted_attempt_that_is_withdrawn_gives_up_its_places() -> None:
    """S14, S22: a sibling fails before a worker has come to it."""

    async def fail(n: int) -> int:
        raise ValueError

    async def main() -> None:
        engine = LocalEngine(limits={"stripe": 2}, max_concurrency=9)
        flow = (
            Workflow[int]("flow").fork(fail).fork(step(increase, limit="stripe")).fork(step(increase, limit="stripe"))
        )
        assert isinstance(await engine.execute(flow.join(), 1), Failed)
        crowd = Crowd(2)
        assert (await engine.execute(wide(crowd), [1, 2, 3])).ok

    go(main)


def test_a_timeout_of_an_attempt_does_not_count_the_wait() -> None:
    """S10: it is counted from the start of the body; the timeout of the step counts it."""

    async def main() -> None:
        gate = Gate()
        engine = LocalEngine(limits={"stripe": 1})
        holding = await engine.start(wide(gate), [1])
        await gate.begun.wait()
        patient = await engine.start(wide(increase, attempt_timeout=0.001), [1])
        impatient = await engine.execute(wide(increase, timeout=0.01), [1])
        assert isinstance(impatient, Failed)
        assert impatient.failure.kind == "orchestration.errors.DeadlineExceeded"
        gate.opened.set()
        await holding.result()
        assert (await patient.result()).ok

    go(main)


def test_undos_and_cleanups_take_the_named_limit_only() -> None:
    """S14: an undo that of its step; the caps of run and engine are for steps."""
    seen: list[str] = []

    async def main() -> None:
        gate = Gate()

        async def undo(n: int) -> None:
            seen.append("undo")

        async def clean(n: int) -> None:
            seen.append("clean")

        async def fail(n: int) -> int:
            raise ValueError

        engine = LocalEngine(limits={"stripe": 1, "disk": 1}, max_concurrency=3)
        flow = Workflow[int]("flow", max_concurrency=1).cleanup(clean, limit="disk")
        flow = flow.step(increase, limit="stripe").compensate(undo).step(fail)
        blocker = await engine.start(wide(gate), [1])
        await gate.begun.wait()
        handle = await engine.start(flow.step(increase), 1)
        gate.opened.set()
        await blocker.result()
        assert (await handle.result()).rollback.undone == ("flow/increase",)
        whole = Workflow[int]("flow").step(Workflow[int]("inner").step(increase)).compensate(undo).step(fail)
        assert (await engine.execute(whole, 1)).rollback.undone == ("flow/inner",)

    go(main)
    assert seen == ["undo", "clean", "undo"]


def test_an_undo_waits_for_the_limit_of_its_step() -> None:
    """S14: as any attempt under it."""
    seen: list[str] = []

    async def main() -> None:
        first, other = Gate(), Gate()

        async def undo(n: int) -> None:
            seen.append("undo")

        async def fail(n: int) -> int:
            await other.begun.wait()
            raise ValueError

        engine = LocalEngine(limits={"stripe": 1})
        flow = Workflow[int]("flow").step(increase, limit="stripe").compensate(undo).step(first).step(fail)
        handle = await engine.start(flow, 1)
        await first.begun.wait()
        holding = await engine.start(wide(other), [1])
        first.opened.set()
        await turns(20)
        assert seen == []
        other.opened.set()
        await holding.result()
        assert (await handle.result()).rollback.undone == ("flow/increase",)

    go(main)
    assert seen == ["undo"]


def test_a_limit_without_a_capacity_is_missed_before_anything_runs() -> None:
    """S14: the error names the limit, those that there are, and the mend."""
    with pytest.raises(MissingLimit) as caught:
        asyncio.run(LocalEngine(limits={"mail": 1}).execute(wide(increase), [1]))
    assert str(caught.value) == (
        "flow: found the limit 'stripe' of a step; limits of the engine: mail; expected a capacity for it. "
        "Give the engine one: LocalEngine(limits={'stripe': 4})."
    )
    with pytest.raises(MissingLimit, match="limits of the engine: none"):
        asyncio.run(LocalEngine().execute(wide(increase), [1]))


@pytest.mark.parametrize("capacity", [0, -1, True, 1.5])
def test_a_capacity_is_a_whole_number_of_at_least_one(capacity) -> None:
    """S14: 0 is an error, `None` is no cap."""
    with pytest.raises(ValueError, match="the limit 'stripe' must be an int of at least 1"):
        LocalEngine(limits={"stripe": capacity})
    with pytest.raises(ValueError, match=r"the engine \(max_concurrency\) must be an int of at least 1"):
        LocalEngine(max_concurrency=capacity)


def test_a_limit_is_shared_by_loops_in_threads() -> None:
    """S14: a run in another thread is told when its turn has come, or has given up on its way."""
    limits = Limits(stripe=1)
    begun = threading.Event()
    values: list[object] = []

    async def hold(n: int) -> int:
        begun.set()
        while not waits_elsewhere():
            await asyncio.sleep(0)
        return n

    def waits_elsewhere() -> bool:
        return bool(limits._gates["stripe"].waiting)

    def elsewhere() -> None:
        begun.wait(10)
        values.append(asyncio.run(LocalEngine(limits=limits).execute(wide(increase), [1])).value)  # type: ignore[union-attr]  # it succeeds

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert asyncio.run(LocalEngine(limits=limits).execute(wide(hold), [7])).ok
    thread.join()
    assert values == [[2]]
    assert limits._gates["stripe"].free == 1


def test_a_loop_that_has_closed_loses_its_turn() -> None:
    """S14: a run that was torn down with its loop is passed over, and holds nothing."""
    limits = Limits(stripe=1)
    gate_of_limit = limits._gates["stripe"]

    async def main() -> None:
        gate = Gate()
        handle = await LocalEngine(limits=limits).start(wide(gate), [1])
        await gate.begun.wait()
        torn = asyncio.new_event_loop()

        async def wait() -> None:
            await LocalEngine(limits=limits).start(wide(increase), [1])
            await turns()

        def tear() -> None:
            torn.run_until_complete(wait())
            for task in asyncio.all_tasks(torn):
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # that it is torn is the point
            torn.close()

        await asyncio.to_thread(tear)
        assert gate_of_limit.waiting
        gate.opened.set()
        assert (await handle.result()).ok

    asyncio.run(main())
    assert gate_of_limit.free == 1
    assert not gate_of_limit.waiting


def test_a_turn_that_comes_too_late_is_passed_on() -> None:
    """S14, S22: a run in another loop is cancelled while the word that its turn has come is on its way."""
    limits = Limits(stripe=1)

    async def main() -> None:
        gate = Gate()
        holding = await LocalEngine(limits=limits).start(wide(gate), [1])
        await gate.begun.wait()
        other = asyncio.new_event_loop()

        async def wait() -> Handle[list[int]]:
            handle = await LocalEngine(limits=limits).start(wide(increase), [1])
            await turns()
            return handle

        handle = await asyncio.to_thread(other.run_until_complete, wait())
        other.call_soon(handle.cancel, "too late")
        gate.opened.set()
        assert (await holding.result()).ok
        outcome = await asyncio.to_thread(other.run_until_complete, handle.result())
        assert outcome == Cancelled("too late", handle.run_id)
        other.close()

    asyncio.run(main())
    assert limits._gates["stripe"].free == 1


def test_a_run_that_is_stopped_by_a_defect_leaves_its_gates(monkeypatch) -> None:
    """S14, S29: what waited is forgotten, what ran gives up its place when it has ended."""

    async def main() -> None:
        limits, gate, failing = Limits(stripe=1), Gate(), Gate()
        engine = LocalEngine(limits=limits)
        flow = Workflow[int]("flow").fork(step(gate, limit="stripe")).fork(step(gate, limit="stripe")).fork(failing)
        running = asyncio.create_task(engine.execute(flow.join(), 1))
        await gate.begun.wait()
        await failing.begun.wait()
        with monkeypatch.context() as patch:
            patch.setattr(position, "advance", lambda *_: 1 // 0)
            failing.opened.set()
            with pytest.raises(ZeroDivisionError):
                await running
        assert limits._gates["stripe"].free == 1
        assert not limits._gates["stripe"].waiting

    go(main)
