"""Keys and epochs of durable runs: what a service, or a store, can tell a repetition by (S5, S38)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Succeeded, Workflow, step_context
from orchestration.errors import JournalFailed
from orchestration.journal.memory import MemoryJournal
from orchestration.runtime.idempotency import Idempotent, SqliteStore
from tests.durable.crashing import LATER, Points, Severed, engine, here, went_on

if TYPE_CHECKING:
    from pathlib import Path

DONE: list[tuple[str, int]] = []  # what has landed outside: the keys, and by which owner of the run


async def book(order: str) -> str:
    """Land outside, then lose the journal, if there is one to lose."""
    context = step_context()
    DONE.append((context.idempotency_key, context.epoch))
    line = here.get().line
    if line is not None:
        line.is_cut = True
    return f"{order}, booked"


BOOKING = Workflow[str]("booking").step(book)


def _killed_behind_its_effect(journal: MemoryJournal, **options: Any) -> None:
    DONE.clear()
    line = Points().line = Severed(journal)
    with pytest.raises(JournalFailed):
        asyncio.run(engine(line, **options).execute(BOOKING, "order-1", run_id="r"))
    assert DONE == [("r:booking/book", 1)]
    Points()


def test_a_step_that_is_done_again_has_its_key_and_another_epoch() -> None:
    """S5, S35, S38: the key is that of before, the epoch tells how many have had the run."""
    journal = MemoryJournal()
    _killed_behind_its_effect(journal)
    assert went_on(journal, BOOKING, "order-1", later=LATER) == Succeeded("order-1, booked", "r")
    assert DONE == [("r:booking/book", 1), ("r:booking/book", 2)]


def test_a_store_of_results_outlives_the_process(tmp_path: Path) -> None:
    """S5: what has landed under a key is given again, although the journal does not know of it."""
    journal = MemoryJournal()
    for _ in range(2):  # two processes: each has opened the file for itself
        store = SqliteStore(tmp_path / "keys.db")
        if not DONE or journal.heads() == []:
            _killed_behind_its_effect(journal, middleware=(Idempotent(store),))
        else:
            outcome = went_on(journal, BOOKING, "order-1", later=LATER, middleware=(Idempotent(store),))
            assert outcome == Succeeded("order-1, booked", "r")
        store.close()
    assert DONE == [("r:booking/book", 1)]


def test_a_run_without_a_journal_has_no_epoch() -> None:
    """S38: nobody can take it over."""
    DONE.clear()
    Points()
    assert asyncio.run(BOOKING.run("order-1")) == "order-1, booked"
    assert [epoch for _, epoch in DONE] == [0]
