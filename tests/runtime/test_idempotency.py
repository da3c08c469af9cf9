"""Idempotency stores: what has succeeded under a key is not done again under it (S5)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Retry, Workflow
from orchestration.errors import KeyReused, Unserialisable
from orchestration.outcomes import Failed, Succeeded
from orchestration.runtime.idempotency import Idempotent, MemoryStore, Record, SqliteStore
from tests.bodies import Order, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
