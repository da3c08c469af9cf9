"""One workflow with every construct and every option, for the pictures, texts and digests of plans."""

from __future__ import annotations

from typing import Any

from orchestration import Retry, Workflow, method, step
from tests.bodies import (
    Order,
    Receipt,
    double,
    increase,
    is_even,
    pair_total,
    settle,
    spread,
    sum_of,
    total,
    undo,
    void,
)


class Store:
    """A service."""

    def put(self, number: int) -> int:
        """Return the number."""
        return number

    def drop(self, number: int) -> None:
        """Undo `put`."""


class Cache(Store):
    """Another service, with the same functions."""


def sort(number: int) -> Order | Receipt:
    """Return one of two kinds."""
    return Order(str(number), number) if number % 2 else Receipt(number)


def of_order(order: Order) -> int:
    """Return the total of an order."""
    return order.total


def of_receipt(receipt: Receipt) -> int:
    """Return the number of a receipt."""
    return receipt.number


retry = Retry(max_attempts=5, initial_delay=0.5, factor=1.5, max_delay=9, jitter="equal", retry_on=ValueError)
item = Workflow[int]("item", version="2").step(increase, retry=retry, run_in="thread").pure(double, name="twice")
everything: Any = (
    Workflow[int]("everything", version="7")
    .step(increase, attempt_timeout=2.5)
    .compensate(undo, in_doubt=settle, in_doubt_on=OSError, retry=Retry(max_attempts=1), timeout=3)
    .pure(double)
    .tap(Store.put, name="note")
    .step(method(Cache, Cache.put))
    .compensate(method(Cache, Cache.drop))
    .enrich(item)
    .into(pair_total)
    .branch()
    .when(is_even, item)
    .when(is_even, step(increase, retry=Retry()))
    .otherwise(double)
    .step(sort)
    .branch(name="kind")
    .case(Order, of_order)
    .case(Receipt, of_receipt)
    .exhaustive()
    .fork(increase)
    .fork(item)
    .join(pair_total, concurrency=1, name="added")
    .fork(double)
    .fork(double)
    .join(name="both", concurrency=2)
    .compensate(void)
    .pure(sum_of)
    .step(spread)
    .map(item, concurrency=3)
    .compensate(void)
    .step(total)
)
GIVEN = (Store, Cache, sort, of_order, of_receipt)
