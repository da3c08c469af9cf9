"""Idempotency stores: what has succeeded under a key is not done again under it (S5)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from orchestration import LocalEngine, Retry, Secret, Workflow
from orchestration.errors import KeyReused, Unserialisable
from orchestration.outcomes import Failed, Succeeded
from orchestration.runtime.idempotency import Idempotent, MemoryStore, Record, SqliteStore
from tests.bodies import Order, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.runtime.idempotency import IdempotencyStore

calls: list[object] = []


def charge(order: Order) -> Receipt:
    """Charge for an order."""
    calls.append(order)
    return Receipt(order.total)


def lose(receipt: Receipt) -> Receipt:
    """Fail, so that the run is tried again."""
    calls.append(receipt)
    raise ConnectionError


def refund(receipt: Receipt) -> None:
    """Undo the charge."""
    calls.append(("refund", receipt))


def opaque(order: Order) -> object:
    """Return what has no form in JSON."""
    calls.append(order)
    return object()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IdempotencyStore]:
    """Return a store of each kind."""
    calls.clear()
    if request.param == "memory":
        yield MemoryStore()
        return
    kept = SqliteStore(tmp_path / "keys.db")
    yield kept
    kept.close()


def run(workflow: Workflow[Order, Any], order: Order, store: IdempotencyStore, **options: Any) -> Any:
    """Run once on an engine of its own, under one run id."""
    engine = LocalEngine(middleware=(Idempotent(store, **options),))
    return asyncio.run(engine.execute(workflow, order, run_id="order-1"))


def test_what_has_succeeded_under_a_key_is_given_again(store: IdempotencyStore) -> None:
    """S5: the same run again does nothing again, and gets the same value as the class that it was."""
    flow = Workflow[Order]("flow").step(charge)
    for _ in range(2):
        assert run(flow, Order("a", 7), store) == Succeeded(Receipt(7), "order-1")
    assert calls == [Order("a", 7)]


def test_the_same_key_with_another_input_is_an_error(store: IdempotencyStore) -> None:
    """S5: one key is for one effect."""
    flow = Workflow[Order]("flow").step(charge)
    run(flow, Order("a", 7), store)
    outcome = run(flow, Order("a", 8), store)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure.exception, KeyReused)
    assert "'order-1:flow/charge'" in outcome.failure.message
    assert calls == [Order("a", 7)]


def test_undos_have_keys_of_their_own_and_failures_are_not_recorded(store: IdempotencyStore) -> None:
    """S5: a failed attempt is tried again; an undo that has run is not run again."""
    once = Retry(max_attempts=1)
    flow = Workflow[Order]("flow").step(charge).compensate(refund, retry=once).step(lose)
    for _ in range(2):
        assert isinstance(run(flow, Order("a", 7), store), Failed)
    assert calls == [Order("a", 7), Receipt(7), ("refund", Receipt(7)), Receipt(7)]


def test_an_output_without_a_form_succeeds_once_and_is_told_of_later(store: IdempotencyStore) -> None:
    """S12, S22: the effect has landed, so the step has not failed; but it cannot be given again."""
    flow = Workflow[Order]("flow").step(opaque)
    assert isinstance(run(flow, Order("a"), store), Succeeded)
    outcome = run(flow, Order("a"), store)
    assert isinstance(outcome.failure.exception, Unserialisable)
    assert calls == [Order("a")]


def test_only_what_is_chosen_goes_through_the_store(store: IdempotencyStore) -> None:
    """A predicate on the effect chooses."""
    flow = Workflow[Order]("flow").step(charge)
    for _ in range(2):
        run(flow, Order("a"), store, only=lambda effect: effect.path != "flow/charge")
    assert len(calls) == 2


def test_the_first_record_stays(store: IdempotencyStore) -> None:
    """Two who did the same at once agree on the one that was recorded first."""
    assert store.find("key") is None
    assert store.keep("key", Record("d", "1")) == Record("d", "1")
    assert store.keep("key", Record("d", "2")) == Record("d", "1")
    assert store.find("key") == Record("d", "1")


def test_a_file_is_shared_and_outlives_its_process(tmp_path: Path) -> None:
    """S5: the key is equal after a crash, and so is what was recorded under it."""
    one, other = SqliteStore(tmp_path / "keys.db"), SqliteStore(tmp_path / "keys.db")
    one.keep("key", Record("d", None))
    assert other.find("key") == Record("d", None)
    one.close()
    other.close()


def test_who_was_slower_gives_what_was_recorded_first(store: IdempotencyStore) -> None:
    """S5: two at once may both do it, and agree on one result; with another input the slower is told."""

    async def slow(order: Order) -> Receipt:
        calls.append(order)
        while len(calls) < 2:
            await asyncio.sleep(0)
        return Receipt(len(calls))

    async def slower(order: Order) -> Receipt:
        receipt = await slow(order)
        for _ in range(20):
            await asyncio.sleep(0)
        return Receipt(receipt.number + 1)

    async def both(other: Order) -> list[Any]:
        engines = [LocalEngine(middleware=(Idempotent(store),)) for _ in range(2)]
        flows = [Workflow[Order]("flow").step(body, name="charge") for body in (slow, slower)]
        runs = zip(engines, flows, (Order("a"), other), strict=True)
        return await asyncio.gather(*(engine.execute(flow, order, run_id=other.id) for engine, flow, order in runs))

    first, second = asyncio.run(both(Order("a")))
    assert (first.value, second.value) == (Receipt(2), Receipt(2))
    calls.clear()
    first, second = asyncio.run(both(Order("b")))
    assert first.value == Receipt(2)
    assert isinstance(second.failure.exception, KeyReused)


@dataclass(frozen=True)
class Card:
    """A record with a secret."""

    number: Annotated[str, Secret]


def test_a_secret_is_not_recorded(store: IdempotencyStore) -> None:
    """S33: neither the input nor the output of a step may hold one; it fails before it does anything."""

    def pay(card: Card) -> int:
        raise AssertionError(card)

    outcome = run(Workflow[Any]("flow").step(pay), Card("4242"), store)  # type: ignore[arg-type]  # another input
    assert isinstance(outcome.failure.exception, Unserialisable)
    assert "S33" in outcome.failure.message


def test_a_file_that_is_no_database_is_refused_and_closed(tmp_path: Path) -> None:
    """S29: nothing stays open."""
    path = tmp_path / "keys.db"
    path.write_text("this is no database, whatever its name says" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        SqliteStore(path)


CLIENT = """
import asyncio, sys
from pathlib import Path
from orchestration import LocalEngine, Workflow
from orchestration.runtime.idempotency import Idempotent, SqliteStore

def charge(n: int) -> int:
    with open(sys.argv[2], "a") as log:
        log.write(f"{n}\\n")
    return n * 10

sys.stdin.read(1)
store = SqliteStore(sys.argv[1])
engine = LocalEngine(middleware=(Idempotent(store),))

async def main():
    for n in range(40):
        outcome = await engine.execute(Workflow[int]("flow").step(charge), n, run_id=f"order-{n}")
        assert outcome.value == n * 10, outcome
asyncio.run(main())
store.close()
"""


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    """S5: they open it and write at the same time, and a third finds all that they have done."""
    database, log = tmp_path / "keys.db", tmp_path / "log"
    command = [sys.executable, "-c", CLIENT, str(database), str(log)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    clients = [subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) for _ in range(2)]
    for client in clients:  # both are let go when both are there
        assert client.stdin is not None
        client.stdin.write(b"x")
        client.stdin.close()
    assert [client.wait(60) for client in clients] == [0, 0]
    done = log.read_text().split()
    assert set(done) == {str(n) for n in range(40)}
    assert len(done) <= 80
    subprocess.run(command, input=b"x", env=environment, check=True, timeout=60)
    assert log.read_text().split() == done
    store = SqliteStore(database)
    record = store.find("order-7:flow/charge")
    store.close()
    assert record is not None
    assert record.output == "70"
