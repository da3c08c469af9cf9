"""Where two things meet in a durable run: a stop and a cancel, two tasks, a letter of a stranger, a slow observer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import (
    Cancelled,
    CancelToken,
    Failed,
    LocalEngine,
    Signal,
    Succeeded,
    Worker,
    Workflow,
    observer,
)
from orchestration.errors import JournalCorrupt, ReplayMismatch
from orchestration.frozen import evolve
from orchestration.runtime import log as log_module
from tests.durable.virtual import RUN, Faulty, SlowDesk, Stage
from tests.durable.workflows import WORD, inc, slowly

if TYPE_CHECKING:
    from orchestration import Handle
    from orchestration.plan.moments import Moment


async def breathe(n: int) -> int:
    """Add one, and let the loop have a turn."""
    await asyncio.sleep(0)
    return n + 1


@dataclass
class Price:
    """A price, of which a type wants to know more than pydantic can say."""

    cents: int

    def __post_init__(self) -> None:
        """Look it up."""
        if self.cents < 0:
            raise KeyError(self.cents)


@dataclass
class Weight:
    """Something else."""

    grams: int


async def priced(n: int) -> Price:
    """Return a price."""
    return Price(n)


async def weighed(n: int) -> Weight:
    """Return a weight."""
    return Weight(n)


PRICE = Signal("price", Price)

CHAIN = Workflow[int]("chain").step(inc).step(breathe).step(slowly).step(inc)
ASKING = Workflow[int]("asking").step(inc).wait_for(WORD)
BUSY = Workflow[int]("busy").step(slowly).wait_for(WORD)
PRICED = Workflow[int]("priced").step(inc).wait_for(PRICE)
OLD = Workflow[int]("made").step(priced)
NEW = Workflow[int]("made").step(weighed)


async def stop(handle: Handle[Any]) -> None:
    """Stop a run by cancelling its task."""
    assert handle.task is not None
    handle.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handle.task


# --- who has a run


@pytest.mark.parametrize("seed", [None, 3])
def test_tasks_of_one_process_that_open_a_run_at_once_share_it(seed: int | None) -> None:
    """S5: the second attaches to what the first has begun, or taken up."""
    stage = Stage(ASKING)

    async def main() -> None:
        engine = stage.engine()
        assert engine._durable is not None
        if seed is not None:
            engine._durable._desk = SlowDesk(seed, 0.2)
        one, other = await asyncio.gather(*(engine.start(ASKING, 1, run_id=RUN) for _ in range(2)))
        assert one is other
        await stop(one)
        *handles, recovery = await asyncio.gather(engine.resume(RUN), engine.resume(RUN), engine.recover())
        assert handles[0] is handles[1]
        assert recovery == ([], [])
        engine.signal(RUN, WORD, 7)
        outcome = await handles[0].result()
        assert isinstance(outcome, Succeeded)
        assert outcome.value == 7

    stage.play(main)


def test_a_token_cancels_a_run_that_another_process_has() -> None:
    """S28: while its outcome is waited for, its owner is told, once."""
    stage, token = Stage(ASKING), CancelToken()

    async def main() -> Any:
        owner = await stage.engine(poll=5.0).start(ASKING, 1, run_id=RUN)  # it does not read the letter at once
        waiting = asyncio.ensure_future(stage.engine().execute(ASKING, 1, run_id=RUN, token=token))
        await asyncio.sleep(3.0)
        token.cancel("enough")
        outcome = await asyncio.wait_for(waiting, 60.0)
        assert await owner.result() == outcome
        return outcome

    outcome = stage.play(main)
    assert isinstance(outcome, Cancelled)
    assert outcome.reason == "enough"
    assert stage.journal.head(RUN).letters == 0


def test_who_waits_for_a_run_of_another_process_does_not_fold_its_log_each_time() -> None:
    """S38: to see that it is held, its head is enough."""
    stage = Stage(ASKING)
    journal = Faulty(stage.journal, 0, int)

    async def main() -> Any:
        owner = stage.engine()
        await owner.start(ASKING, 1, run_id=RUN)
        waiting = asyncio.ensure_future(stage.engine(journal).execute(ASKING, 1, run_id=RUN))
        await asyncio.sleep(1.0)
        heads, reads = journal.calls.count("head"), journal.calls.count("read")
        await asyncio.sleep(10.0)
        assert journal.calls.count("head") > heads
        assert journal.calls.count("read") == reads
        owner.signal(RUN, WORD, 7)
        return await waiting

    assert stage.play(main).value == 7


def test_the_cancel_of_a_run_that_was_put_down_reaches_who_goes_on_with_it() -> None:
    """S28, S38: it is not lost with the handle; no more is that of one that was lost."""
    stage, begun = Stage(ASKING), list[Any]()

    async def main() -> None:
        engine = stage.engine()
        await engine.submit(ASKING, 1, run_id=RUN)
        await Worker(engine, begun=begun.append).drain()
        assert stage.journal.head(RUN).owner is None
        assert not begun[0].cancel("enough")
        await Worker(engine).drain()

    stage.play(main)
    assert stage.journal.head(RUN).status == "cancelled"


def test_a_cancel_that_comes_when_the_end_is_being_written_does_not_decide() -> None:
    """S28: the last node had settled."""
    stage = Stage(CHAIN)

    async def main() -> Any:
        engine = stage.engine()
        assert engine._durable is not None
        engine._durable._desk = SlowDesk(1, 0.3)
        handle = await engine.start(CHAIN, 1, run_id=RUN)
        while handle.state.outcome is None:
            await asyncio.sleep(0.01)
        assert stage.journal.head(RUN).status == "unfinished"
        assert not handle.cancel()
        return await handle.result()

    assert stage.play(main).value == 5


def test_a_signal_behind_a_cancel_that_came_before_the_run_began_is_too_late() -> None:
    """S21, S28: and only the first of two cancels has decided."""

    async def main() -> Any:
        handle = await LocalEngine().start(ASKING, 1)
        assert handle.cancel("enough")
        assert not handle.cancel("once more")
        handle.signal(WORD, 5)
        return await handle.result()

    outcome = Stage().play(main)
    assert (outcome.reason, outcome.unused_signals) == ("enough", ())


# --- workers


async def dawdle(_: Moment) -> None:
    """Take a while to be told."""
    await asyncio.sleep(4.0)


def test_a_run_that_has_ended_and_tells_its_observers_is_not_put_down() -> None:
    """S32: it has its outcome."""
    stage, begun = Stage(CHAIN), list[Any]()

    async def main() -> Any:
        engine = stage.engine(hooks=[observer(dawdle, at="workflow")])
        await engine.submit(CHAIN, 1, run_id=RUN)
        await Worker(engine, poll=0.25, begun=begun.append).drain()
        return await begun[0].result()

    assert stage.play(main).value == 5


def test_a_journal_that_fails_when_the_end_is_durable_does_not_take_the_outcome() -> None:
    """S34: nothing is left to write while the observers are told."""
    stage = Stage(CHAIN)

    async def main() -> Any:
        handle = await stage.engine(hooks=[observer(dawdle, at="workflow")]).start(CHAIN, 1, run_id=RUN)
        await asyncio.sleep(6.0)
        stage.journal.delete(RUN)
        return await handle.result()

    assert stage.play(main).value == 5


def test_a_run_whose_outcome_somebody_waits_for_is_not_put_down() -> None:
    """S5: who has attached to it gets the outcome, as if it had begun it."""
    stage = Stage(BUSY)

    async def main() -> Any:
        engine = stage.engine()
        await engine.submit(BUSY, 1, run_id=RUN)
        worker = asyncio.ensure_future(Worker(engine).work())
        await asyncio.sleep(0.25)
        waiting = asyncio.ensure_future(engine.execute(BUSY, 1, run_id=RUN))
        await asyncio.sleep(30.0)
        engine.signal(RUN, WORD, 7)
        outcome = await waiting
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        return outcome

    assert stage.play(main).value == 7


def test_a_letter_that_nobody_understands_does_not_wake_a_run_for_ever() -> None:
    """S38: it stays for another version, and the run is not put down only to be due at once."""
    stage = Stage(ASKING)

    async def main() -> None:
        engine = stage.engine()
        await engine.submit(ASKING, 1, run_id=RUN)
        stage.journal.post(RUN, "?")
        worker = asyncio.ensure_future(Worker(engine).work())
        await asyncio.sleep(100.0)
        assert stage.journal.head(RUN).position == 2
        engine.signal(RUN, WORD, 7)
        await asyncio.sleep(5.0)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    stage.play(main)
    assert (stage.journal.head(RUN).status, stage.journal.head(RUN).letters) == ("succeeded", 1)


def test_a_letter_whose_type_raises_does_not_end_the_owner() -> None:
    """S21: it is refused, like any other that does not fit."""
    stage = Stage(PRICED)

    async def main() -> Any:
        handle = await stage.engine().start(PRICED, 1, run_id=RUN)
        stage.journal.post(RUN, json.dumps({"v": 1, "signal": "price", "id": "x", "payload": {"cents": -1}}))
        await asyncio.sleep(1.0)
        handle.signal(PRICE, Price(3))
        return await handle.result()

    assert stage.play(main).value == Price(3)


def test_a_worker_whose_listener_raises_stops_all_its_runs() -> None:
    """S30: also those of which it had not been told."""
    stage = Stage(CHAIN)

    def fail(_: object) -> None:
        raise RuntimeError("no")

    async def main() -> None:
        engine = stage.engine()
        for number in range(3):
            await engine.submit(CHAIN, number, run_id=f"run {number}")
        with pytest.raises(RuntimeError, match="no"):
            await Worker(engine, begun=fail).work()

    stage.play(main)
    assert [head.owner for head in stage.journal.heads()] == [None] * 3


# --- what was there before


def test_a_run_that_is_taken_up_after_its_deadline_begins_no_step() -> None:
    """S10: time passed while it waited for an owner."""
    stage = Stage(CHAIN)

    async def submit() -> None:
        await stage.engine().submit(CHAIN, 1, run_id=RUN, deadline=5.0)

    async def take_up() -> Any:
        return await (await stage.engine().resume(RUN)).result()

    stage.play(submit)
    outcome = stage.play(take_up, later=100.0)
    assert isinstance(outcome, Failed)
    assert outcome.failure.matches(("orchestration.errors.DeadlineExceeded",))
    assert stage.performed == []


def test_damage_in_front_of_a_snapshot_is_seen_before_the_run_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """S37: however one comes to it; and the run is left as it is."""
    monkeypatch.setattr(log_module, "SNAPSHOT", 1)
    stage = Stage(ASKING)

    async def begin() -> None:
        handle = await stage.engine().start(ASKING, 1, run_id=RUN)
        await asyncio.sleep(1.0)
        await stop(handle)

    async def go_on() -> None:
        engine = stage.engine()
        for act in (lambda: engine.resume(RUN), lambda: engine.execute(ASKING, 1, run_id=RUN)):
            with pytest.raises(JournalCorrupt, match="no sound record at its beginning"):
                await act()
        stage.journal.post(RUN, "?")
        ((_, error),) = (await engine.recover()).refused
        assert isinstance(error, JournalCorrupt)

    stage.play(begin)
    assert stage.journal.snapshot(RUN) is not None
    records = stage.journal._runs[RUN].records
    records[0] = evolve(records[0], text="{}")
    stage.play(go_on)
    assert stage.journal.head(RUN).owner is None


def test_an_outcome_of_types_that_the_plan_has_not_is_a_mismatch() -> None:
    """S36: as it is for a run that has not ended."""
    stage = Stage(NEW)

    async def begin() -> Any:
        return await stage.engine().execute(OLD, 1, run_id=RUN)

    async def go_on() -> None:
        with pytest.raises(ReplayMismatch):
            await stage.engine().resume(RUN)

    assert isinstance(stage.play(begin), Succeeded)
    stage.play(go_on)
