"""What reaches a durable run from others, and how its owner keeps it meanwhile (S5, S21, S37, S38)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestration import Cancelled, LocalEngine, Succeeded
from orchestration.errors import (
    JournalFailed,
    LeaseLost,
    RunExists,
    RunNotFound,
    SignalRefused,
)
from tests.durable.virtual import LEASE, RUN, Faulty, Stage
from tests.durable.workflows import ALL, WORD
from tests.runtime.support import no_new_threads

nothing_lives_on = pytest.fixture(autouse=True)(no_new_threads)
CHAIN = ALL["chain"]


def executing(stage: Stage, workflow: Any, **options: Any) -> Any:
    """Return what executes a workflow on a stage."""
    return lambda: stage.engine(**options).execute(workflow, 1, run_id=RUN)


async def stop(task: asyncio.Task[Any]) -> None:
    """Stop the process of a run, in order."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_run_is_submitted_once() -> None:
    """S5: again with the same input it is left as it is; with another the id is taken."""
    stage = Stage(CHAIN)

    async def main() -> None:
        engine = stage.engine()
        assert await engine.submit(CHAIN, 1, run_id=RUN) == await engine.submit(CHAIN, 1, run_id=RUN) == RUN
        with pytest.raises(RunExists):
            await engine.submit(CHAIN, 2, run_id=RUN)
        first = await engine.resume(RUN)
        assert await engine.resume(RUN) is first
        assert await first.result() == Succeeded(4, RUN)
        with pytest.raises(RunNotFound):
            await engine.resume("another")

    stage.play(main)


def test_a_run_of_this_engine_is_signalled_and_cancelled_by_its_id() -> None:
    """S21, S38: through its inbox as well."""
    waiting = ALL["waiting"]
    stage = Stage(waiting)

    async def main() -> None:
        engine = stage.engine()
        one = await engine.start(waiting, 1, run_id="one")
        two = await engine.start(waiting, 1, run_id="two")
        engine.signal("one", WORD, 5)
        await engine.cancel("two", "enough")
        assert await one.result() == Succeeded(6, "one")
        ended = await two.result()
        assert isinstance(ended, Cancelled)
        assert ended.reason == "enough"

    stage.play(main)
    assert stage.journal.letters("one") == stage.journal.letters("two") == []


def test_a_cancel_of_a_run_that_has_ended_changes_nothing() -> None:
    """S28: neither what is recorded, nor what its handle gives."""
    stage = Stage(CHAIN)

    async def main() -> None:
        engine = stage.engine()
        assert await engine.execute(CHAIN, 1, run_id=RUN) == Succeeded(4, RUN)
        handle = await engine.resume(RUN)
        await engine.cancel(RUN)
        assert await handle.result() == Succeeded(4, RUN)

    stage.play(main)


def test_an_engine_without_a_journal_knows_only_its_own_runs() -> None:
    """S21, S38: and says what it would take."""

    async def main() -> None:
        engine: LocalEngine[Any] = LocalEngine()
        with pytest.raises(SignalRefused):
            engine.signal("another", WORD, 1)
        with pytest.raises(JournalFailed, match="SqliteJournal"):
            await engine.cancel("another")

    asyncio.run(main())


LETTERS = {
    "no JSON": "{",
    "too deep": "[" * 100_000,
    "list": "[]",
    "later version": '{"v": 2, "cancel": "x"}',
    "unknown signal": '{"v": 1, "signal": "other", "id": "1", "payload": 1}',
    "wrong type": '{"v": 1, "signal": "word", "id": "1", "payload": "x"}',
    "unknown type": '{"v": 1, "signal": "word", "id": "1", "payload": {"$type": "os:PathLike"}}',
}
NOT_UNDERSTOOD = {"no JSON", "too deep", "list", "later version"}


@pytest.mark.parametrize("what", LETTERS)
def test_a_letter_that_says_nothing_does_nothing(what: str) -> None:
    """S21, S37, S38: one that is not understood stays for a later version, one that cannot be taken is dropped."""
    waiting = ALL["waiting"]
    stage = Stage(waiting)

    async def main() -> Any:
        handle = await stage.engine().start(waiting, 1, run_id=RUN)
        await asyncio.sleep(1.0)
        stage.journal.post(RUN, LETTERS[what])
        await asyncio.sleep(2.0)
        left = [letter.text for letter in stage.journal.letters(RUN)]
        assert left == ([LETTERS[what]] if what in NOT_UNDERSTOOD else [])
        handle.signal(WORD, 5)
        return await handle.result()

    assert stage.play(main) == Succeeded(6, RUN)


def test_an_owner_that_does_nothing_but_wait_finds_out_that_it_was_replaced() -> None:
    """S38: when it renews its lease."""
    stage = Stage()

    async def main() -> None:
        handle = await stage.engine().start(ALL["waiting"], 1, run_id=RUN)
        await asyncio.sleep(1.0)
        stage.journal.acquire(RUN, "another", now=2 * LEASE, until=3 * LEASE)
        with pytest.raises(LeaseLost):
            await handle.result()
        assert asyncio.get_running_loop().time() < LEASE

    stage.play(main)


def test_an_owner_whose_journal_is_away_for_its_lease_gives_up() -> None:
    """S38: a short time it bears."""
    stage = Stage()
    away = Faulty(stage.journal, 0, bool)

    def fail(*_: Any, **__: Any) -> Any:
        raise JournalFailed("journal", found="nobody", expected="a journal", mend="Mend the line.")

    async def main(until: float) -> Any:
        loop = asyncio.get_running_loop()
        handle = await stage.engine(away).start(ALL["waiting"], 1, run_id=RUN)
        await asyncio.sleep(1.0)
        away.letters = away.renew = fail  # type: ignore[attr-defined]
        await asyncio.sleep(until)
        if until > LEASE:
            assert loop.time() > LEASE
            with pytest.raises(JournalFailed):
                await handle.result()
            return None
        del away.letters, away.renew  # type: ignore[attr-defined]
        handle.signal(WORD, 5)
        return await handle.result()

    assert stage.play(lambda: main(LEASE / 2)) == Succeeded(6, RUN)
    stage.journal.delete(RUN)
    stage.time = 0.0
    stage.play(lambda: main(LEASE * 2))
    assert stage.journal.head(RUN).status == "unfinished"


def test_a_worker_may_be_slower_than_another() -> None:
    """S38: a run that was taken between the look and the grasp is not this one's."""
    stage = Stage(CHAIN)

    async def main() -> None:
        await stage.engine().submit(CHAIN, 1, run_id=RUN)
        heads = stage.journal.heads
        due = heads("unfinished")
        stage.journal.acquire(RUN, "faster", now=0.0, until=LEASE)
        stage.journal.heads = lambda status=None: due  # type: ignore[method-assign]
        recovery = await stage.engine().recover()
        assert recovery.handles == recovery.refused == []
        stage.journal.heads = heads  # type: ignore[method-assign]

    stage.play(main)
