"""A cancel that came before a durable run was taken up, or begun: no step begins any more (S28, S38)."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Cancelled, CancelToken, LocalEngine, Workflow
from orchestration.journal.memory import MemoryJournal
from orchestration.outcomes import InDoubt
from tests.runtime.diary import NOW
from tests.runtime.support import no_new_threads

if TYPE_CHECKING:
    from orchestration import Outcome

nothing_lives_on = pytest.fixture(autouse=True)(no_new_threads)

begun: ContextVar[list[int]] = ContextVar("begun")  # of the test: steps of a durable run capture nothing


async def note(n: int) -> int:
    """Say that the step has begun."""
    begun.get().append(n)
    return n + 1


async def linger(n: int) -> int:
    """Begin, and do not end."""
    begun.get().append(n)
    return await asyncio.Event().wait() and n


async def take_back(n: int) -> None:
    """Undo nothing."""


@pytest.fixture(params=[False, True], ids=["at once", "in its thread"])
def journal(request: pytest.FixtureRequest) -> MemoryJournal:
    """Return a journal whose calls are made here, or in a thread as those of a file are."""
    journal = MemoryJournal()
    journal.blocks = request.param  # type: ignore[misc]
    return journal


def engine(journal: MemoryJournal, *flows: Any) -> LocalEngine[Any]:
    """Return an engine that knows some workflows."""
    return LocalEngine(journal=journal, workflows=flows, poll=0.01, grace=0.01)


def check(outcome: Outcome[Any]) -> None:
    """See that a run was cancelled, and nothing of it is in doubt."""
    assert isinstance(outcome, Cancelled)
    assert (outcome.reason, outcome.rollback.steps) == ("enough", ())


def test_a_run_that_was_cancelled_before_it_was_taken_up_does_nothing(journal: MemoryJournal) -> None:
    """S28: the cancel lies in its inbox, and is read before anything is performed."""
    flow = Workflow[int]("flow").step(note).compensate(take_back).step(note)

    async def main() -> list[int]:
        begun.set([])
        one = engine(journal, flow)
        await one.submit(flow, 1, run_id="r")
        await one.cancel("r", "enough")
        check(await (await one.resume("r")).result())
        return begun.get()

    assert asyncio.run(main()) == []
    assert journal.letters("r") == []


def test_what_was_under_way_when_its_process_ended_does_not_begin_again(journal: MemoryJournal) -> None:
    """S28, S35: it may have landed once; the run that was cancelled meanwhile does not try again."""
    flow = Workflow[int]("flow").step(linger).compensate(take_back)

    async def main() -> tuple[list[int], Outcome[Any]]:
        begun.set([])
        task = asyncio.ensure_future(engine(journal).execute(flow, 1, run_id="r"))
        while not begun.get():
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        other = engine(journal, flow)
        await other.cancel("r", "enough")
        return begun.get(), await other.execute(flow, 1, run_id="r")

    steps, outcome = asyncio.run(main())
    assert steps == [1]
    assert isinstance(outcome, Cancelled)
    assert outcome.rollback.steps == (InDoubt("flow/linger"),)


async def fail_once(n: int) -> int:
    """Fail the first time, without waiting for anything."""
    begun.get().append(n)
    if begun.get() == [0]:
        raise ConnectionError
    return n


def test_what_was_not_begun_begins_when_its_group_is_tried_again(journal: MemoryJournal) -> None:
    """S18, S34: it is taken back before it began, and asked for once more at the same path."""
    part = Workflow[list[int]]("part").map(fail_once)
    flow = Workflow[list[int]]("flow").step(part, retry=NOW)

    async def main() -> list[int]:
        begun.set([])
        assert (await engine(journal).execute(flow, [0, 1, 2], run_id="r")).ok
        return begun.get()

    assert asyncio.run(main()) == [0, 0, 1, 2]


def test_a_token_that_is_cancelled_already_lets_no_step_begin(journal: MemoryJournal) -> None:
    """S28: of a durable run neither, though the cancel has to be written first."""
    token = CancelToken()
    token.cancel("enough")
    one, many = Workflow[int]("one").step(note), Workflow[list[int]]("many").map(note)

    async def main() -> list[int]:
        begun.set([])
        limited: LocalEngine[Any] = LocalEngine(journal=journal, poll=0.01, max_concurrency=1)
        for number, each in enumerate((engine(journal), limited)):
            check(await each.execute(one, 1, run_id=f"one-{number}", token=token))
            check(await each.execute(many, [1, 2, 3], run_id=f"many-{number}", token=token))
        return begun.get()

    assert asyncio.run(main()) == []
