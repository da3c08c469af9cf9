"""Load sales from a file into a database: read, validate, convert, store; go on where it was after a crash.

    python examples/pipeline.py
    orchestration run examples/pipeline.py:pipeline --input '{"file": "sales.jsonl"}' --journal pipeline.db --run-id may

The first one writes a file of its own, of which some lines are broken, and loads it. The second one, given once more
after its process was killed, goes on where it was: lines that are in the database are not looked at again.

What it teaches: pydantic models as the values of a workflow; a file as a *stream*, read only as far as there is room
for its lines; a failure mode that lets bad lines fail by themselves; `into`, which keeps a report instead of all
results; a step that fails the whole import if too much was bad, so that every stored line is taken out again; and rows
that are known by an id, so that storing them is safe to repeat. A source that is a record with `__iter__` can be opened
anew, which a durable run needs.
"""

import asyncio
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from orchestration import Err, LocalEngine, Ok, Retry, Services, Succeeded, Workflow

RATES = {"EUR": Decimal(1), "USD": Decimal("0.9"), "CHF": Decimal("1.05")}
SHOWN = 5  # broken lines that a report spells out


class Record(BaseModel):
    """A value: frozen, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Import(Record):
    """What to load; `tolerated` is the share of lines that may be broken, from 0 to 1."""

    file: Path
    tolerated: Annotated[float, Field(ge=0, le=1)] = 0.2


class Line(Record):
    """A line as it stands in the file; `number` counts from 1."""

    number: PositiveInt
    text: str


class Sale(Record):
    """A line that makes sense."""

    id: str
    item: str
    amount: Annotated[Decimal, Field(gt=0)]
    currency: Literal["EUR", "USD", "CHF"]


class Converted(Record):
    """A sale in euros."""

    sale: Sale
    euros: Decimal


class Report(Record):
    """What has become of the lines so far."""

    tolerated: float = 0.0
    loaded: int = 0
    euros: Decimal = Decimal(0)
    broken: int = 0
    examples: tuple[str, ...] = ()


class Broken(Exception):
    """A line makes no sense."""


class TooManyBroken(Exception):
    """The file is not what it should be."""


@dataclass(frozen=True)
class Lines:
    """The lines of a file, which can be gone through as often as one likes."""

    file: Path

    def __iter__(self) -> Iterator[Line]:
        """Read one line after the other."""
        with self.file.open(encoding="utf-8") as lines:
            for number, text in enumerate(lines, start=1):
                yield Line(number=number, text=text)


class Rates(Protocol):
    """A service: what money is worth."""

    async def convert(self, sale: Sale) -> Converted:
        """Say what a sale is worth in euros."""
        ...


class Warehouse(Protocol):
    """A service: where sales are kept."""

    def store(self, converted: Converted) -> Converted:
        """Keep a sale; kept once more, it is there once."""
        ...

    def remove(self, converted: Converted) -> None:
        """Take it out again."""
        ...


class FixedRates:
    """`Rates` that do not move."""

    async def convert(self, sale: Sale) -> Converted:
        """Multiply."""
        return Converted(sale=sale, euros=(sale.amount * RATES[sale.currency]).quantize(Decimal("0.01")))


@dataclass(frozen=True)
class SqliteWarehouse:
    """A `Warehouse` in a file, opened anew for each transaction, as steps run in threads."""

    path: Path

    def execute(self, command: str, *values: str) -> list[tuple[str, ...]]:
        """Do one thing, wholly or not at all."""
        with closing(sqlite3.connect(self.path, timeout=30)) as database, database:
            database.execute("create table if not exists sales (id text primary key, item text, euros text)")
            return database.execute(command, values).fetchall()

    def store(self, converted: Converted) -> Converted:
        """Write a row under the id of the sale."""
        sale = converted.sale
        self.execute("insert or replace into sales values (?, ?, ?)", sale.id, sale.item, str(converted.euros))
        return converted

    def remove(self, converted: Converted) -> None:
        """Delete the row, if there is one."""
        self.execute("delete from sales where id = ?", converted.sale.id)


def lines_of(given: Import) -> Lines:
    """Name the source; nothing is read yet."""
    return Lines(given.file)


def parse(line: Line) -> Sale:
    """Validate a line."""
    try:
        return Sale.model_validate_json(line.text)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'JSON'}: {one['msg']}" for one in error.errors())
        message = f"line {line.number}: {told}"
        raise Broken(message) from None


def count(report: Report, result: Ok[Converted] | Err) -> Report:
    """Add what has become of one more line."""
    if isinstance(result, Ok):
        return report.model_copy(update={"loaded": report.loaded + 1, "euros": report.euros + result.value.euros})
    told = (*report.examples, result.failure.message)
    return report.model_copy(update={"broken": report.broken + 1, "examples": told[:SHOWN]})


def allowed(given: Import, report: Report) -> Report:
    """Note how much may be broken."""
    return report.model_copy(update={"tolerated": given.tolerated})


async def judge(report: Report) -> Report:
    """Hold the import to its limit."""
    if report.broken > report.tolerated * (report.loaded + report.broken):
        message = f"{report.broken} of {report.loaded + report.broken} lines are broken: {'; '.join(report.examples)}"
        raise TooManyBroken(message)
    return report


one_line = (
    Workflow[Line]("line")
    .pure(parse)
    .step(Rates.convert, retry=Retry(retry_on=ConnectionError), attempt_timeout=10)
    .step(Warehouse.store)
    .compensate(Warehouse.remove, in_doubt=Warehouse.remove)
)

lines = Workflow[Import]("lines").pure(lines_of).map(one_line, concurrency=8, on_error="collect").into(Report(), count)

pipeline = Workflow[Import]("pipeline").enrich(lines).into(allowed).step(judge)


def services(path: Path = Path("warehouse.db")) -> Services[Rates | Warehouse]:
    """Say who does the work."""
    return Services().bind(Rates).to(FixedRates()).bind(Warehouse).to(SqliteWarehouse(path))


def main() -> None:
    """Load a file of which one line in ten is broken."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "sales.jsonl")
        sales = [{"id": f"s{n}", "item": "tea", "amount": n % 10, "currency": "USD"} for n in range(100)]
        file.write_text("".join(f"{json.dumps(sale)}\n" for sale in sales), encoding="utf-8")
        engine = LocalEngine(services(Path(folder, "warehouse.db")))
        outcome = asyncio.run(engine.execute(pipeline, Import(file=file)))
    if not isinstance(outcome, Succeeded):
        sys.exit(str(outcome))
    print(outcome.value.model_dump_json(indent=2))


if __name__ == "__main__":
    main()
