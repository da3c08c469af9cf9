"""The pipeline example: what is loaded, what is told of the rest, and that it goes on where it was."""

from __future__ import annotations

import asyncio
import json
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from examples.pipeline import (
    Converted,
    FixedRates,
    Import,
    Rates,
    Report,
    Sale,
    SqliteWarehouse,
    Warehouse,
    pipeline,
    services,
)
from orchestration import Cancelled, Failed, LocalEngine, Outcome, Services, SqliteJournal, Succeeded
from orchestration.errors import InvalidInput
from orchestration.testing import FakeHandler

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {"id": "s1", "item": "tea", "amount": "10", "currency": "USD"}
BROKEN = [
    '{"id": "s2", "item": "tea", "amount": -1, "currency": "EUR"}',
    '{"id": "s3", "item": "tea", "amount": 1, "currency": "GBP"}',
    "no JSON",
    "",
]


def written(folder: Path, good: int, *broken: str) -> Path:
    """Write a file of so many good lines, and these broken ones behind them."""
    file = folder / "sales.jsonl"
    lines = [json.dumps(GOOD | {"id": f"s{number}"}) for number in range(good)]
    file.write_text("".join(f"{line}\n" for line in (*lines, *broken)), encoding="utf-8")
    return file


def rows(folder: Path) -> list[tuple[str, ...]]:
    """Return what is in the warehouse."""
    return SqliteWarehouse(folder / "warehouse.db").execute("select id, item, euros from sales order by id")


def loaded(folder: Path, given: Import) -> Outcome[Report]:
    """Run the pipeline, with every output checked against its declared type."""
    engine = LocalEngine(services(folder / "warehouse.db"), validate="all")
    return asyncio.run(engine.execute(pipeline, given))


def test_each_line_is_validated_converted_and_stored(tmp_path: Path) -> None:
    """S16: the report is folded from what the lines gave."""
    outcome = loaded(tmp_path, Import(file=written(tmp_path, 3)))
    assert isinstance(outcome, Succeeded), outcome
    assert (outcome.value.loaded, outcome.value.euros, outcome.value.broken) == (3, Decimal(27), 0)
    assert rows(tmp_path) == [(f"s{number}", "tea", "9.00") for number in range(3)]


def test_a_broken_line_fails_by_itself_and_is_told_by_its_number(tmp_path: Path) -> None:
    """S18: with "collect" the others go on; the report says what is wrong with each."""
    outcome = loaded(tmp_path, Import(file=written(tmp_path, 2, *BROKEN), tolerated=1))
    assert isinstance(outcome, Succeeded), outcome
    assert (outcome.value.loaded, outcome.value.broken) == (2, 4)
    assert outcome.value.examples[0] == "line 3: amount: Input should be greater than 0"
    assert outcome.value.examples[1] == "line 4: currency: Input should be 'EUR', 'USD' or 'CHF'"
    assert outcome.value.examples[2].startswith("line 5: JSON: Invalid JSON")
    assert len(rows(tmp_path)) == 2


def test_too_many_broken_lines_take_out_what_was_stored(tmp_path: Path) -> None:
    """S27: the items of the map that had succeeded are undone, the last first."""
    outcome = loaded(tmp_path, Import(file=written(tmp_path, 3, *BROKEN)))
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "examples.pipeline.TooManyBroken"
    assert outcome.failure.message.startswith("4 of 7 lines are broken: line 4: ")
    assert outcome.rollback.undone == tuple(f"pipeline/lines/line[{number}]/store" for number in (2, 1, 0))
    assert rows(tmp_path) == []


def test_a_line_that_comes_twice_is_there_once(tmp_path: Path) -> None:
    """A row is known by the id of its sale."""
    again = json.dumps(GOOD | {"id": "s0", "item": "mug"})
    outcome = loaded(tmp_path, Import(file=written(tmp_path, 1, again)))
    assert isinstance(outcome, Succeeded), outcome
    assert [row[:1] for row in rows(tmp_path)] == [("s0",)]


def test_a_file_that_is_missing_fails_the_import(tmp_path: Path) -> None:
    """S16: a source that raises fails the map."""
    outcome = loaded(tmp_path, Import(file=tmp_path / "typo"))
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "FileNotFoundError"


def test_a_tolerance_that_is_no_share_is_refused(tmp_path: Path) -> None:
    """S12: the input is validated before anything runs."""
    wrong: Any = {"file": str(tmp_path), "tolerated": 2}
    with pytest.raises(InvalidInput, match="tolerated"):
        loaded(tmp_path, wrong)


class Stopping(SqliteWarehouse):
    """A warehouse at which the process comes to a halt after so many rows; it notes what it is asked to store."""

    def __init__(self, path: Path, rows_before: int) -> None:
        """Let so many rows in."""
        super().__init__(path)
        self.asked: list[str] = []
        self.left, self.halted, self.goes_on = rows_before, threading.Event(), threading.Event()

    __setattr__ = object.__setattr__  # the class it extends is frozen, this one notes things

    def store(self, converted: Converted) -> Converted:
        """Store, or hang."""
        self.asked.append(converted.sale.id)
        if len(self.asked) > self.left:
            self.halted.set()
            self.goes_on.wait(60)
        return super().store(converted)


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """S30, S35: a stopped run is taken up by another engine; what was stored and recorded is not stored again."""
    given = Import(file=written(tmp_path, 20))
    journal, halting = tmp_path / "runs.db", Stopping(tmp_path / "warehouse.db", 5)

    def bound(warehouse: Warehouse) -> Services[Rates | Warehouse]:
        return Services().bind(Rates).to(FixedRates()).bind(Warehouse).to(warehouse)

    async def first() -> None:
        engine = LocalEngine(bound(halting), journal=SqliteJournal(journal), grace=0.05)
        task = asyncio.create_task(engine.execute(pipeline, given, run_id="may"))
        await asyncio.to_thread(halting.halted.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(first())
    halting.goes_on.set()
    again = Stopping(tmp_path / "warehouse.db", 1000)
    outcome = asyncio.run(
        LocalEngine(bound(again), journal=SqliteJournal(journal)).execute(pipeline, given, run_id="may")
    )
    assert isinstance(outcome, Succeeded), outcome
    assert (outcome.value.loaded, len(rows(tmp_path))) == (20, 20)
    assert 20 - len(halting.asked) <= len(again.asked) < 20


def test_whoever_changes_their_mind_has_nothing_stored(tmp_path: Path) -> None:
    """S28: a cancel in the second round of conversions takes out the eight sales of the first."""
    sale = Converted(sale=Sale.model_validate(GOOD), euros=Decimal(9))
    fake = FakeHandler(real=True).on(Rates.convert, sale, takes=8).on(Warehouse.store, sale)
    trace = fake.run(pipeline, Import(file=written(tmp_path, 10)), cancel_at=12)
    assert isinstance(trace.outcome, Cancelled)
    assert trace.undone == [f"pipeline/lines/line[{number}]/store" for number in reversed(range(8))]
