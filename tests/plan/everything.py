"""One workflow with every construct and every option, for the pictures, texts and digests of plans."""

from __future__ import annotations

from enum import Enum
from typing import Any

from orchestration import Failure, Graph, Ok, Retry, Signal, Workflow, graph, method, step, tolerate
from orchestration.plan.library import numbered
from orchestration.results import Result  # noqa: TC001 - annotations are read at run time
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


class Color(Enum):
    """What a case may name a member of."""

    RED = 1
    BLUE = 2


def of_order(order: Order) -> int:
    """Return the total of an order."""
    return order.total


def of_receipt(receipt: Receipt) -> int:
    """Return the number of a receipt."""
    return receipt.number


def past(number: int, index: int) -> bool:
    """Tell when a loop has gone on for long enough."""
    return number > index


def approved(number: int, order: Order) -> Color:
    """Decide by a number and what a signal brought."""
    return Color.RED if number > order.total else Color.BLUE


def of_color(color: Color) -> int:
    """Return the number of a colour."""
    return color.value


def tally(receipt: Receipt, number: int) -> Receipt:
    """Add a number to a receipt."""
    return Receipt(receipt.number + number)


def kept(sum_: int, result: Result[int]) -> int:
    """Add up what went well."""
    return sum_ + result.value if isinstance(result, Ok) else sum_


def of_failure(failure: Failure) -> int:
    """Return the length of a message."""
    return len(failure.message)


def shipping(g: Graph[int]) -> Any:
    """Describe a graph that gives two of its members."""
    reserved = g.node(increase, g.input, name="reserve")
    charged = g.node(double, reserved, name="charge")
    return charged, g.node(pair_total, reserved, charged, name="ship")


def fastest(g: Graph[int]) -> Any:
    """Describe a graph that is a race."""
    return g.race(g.node(increase, g.input), g.node(double, g.input))


retry = Retry(max_attempts=5, initial_delay=0.5, factor=1.5, max_delay=9, jitter="equal", retry_on=ValueError)
item = Workflow[int]("item", version="2").step(increase, retry=retry, run_in="thread").pure(double, name="twice")
everything: Any = (
    Workflow[int]("everything", version="7", max_concurrency=8, retry=Retry(max_attempts=2))
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
    .cleanup(undo, retry=Retry(max_attempts=2), timeout=7, limit="shop")
    .step(increase, timeout=5, limit="shop", run_in="process", name="timed")
    .step(step(item), retry=Retry(max_attempts=4), timeout=60, on_partial="continue", name="retried")
    .pivot()
    .sleep(1.5)
    .wait_for(Signal("amount", int), timeout=90)
    .wait_for(Signal("approval", Order), approved)
    .branch(name="color")
    .case(Color.RED, of_color)
    .case(Color.BLUE, of_color)
    .exhaustive()
    .loop(double, until=past, max_iterations=5)
    .loop(item, while_=past, max_iterations=3, name="more")
    .step(spread)
    .fold(0, pair_total, attempt_timeout=2)
    .step(spread)
    .fold(Receipt(0), tally)
    .pure(of_receipt)
    .step(spread)
    .map(increase, on_error="collect", on_partial="continue")
    .into(0, kept)
    .step(spread)
    .map(item, on_error=tolerate(ratio=0.25), name="tolerant")
    .pure(numbered)
    .pure(len)
    .fork(increase)
    .fork(item)
    .race(name="race")
    .fork(increase)
    .fork(item)
    .join(on_error=tolerate(count=1), name="most")
    .pure(len)
    .step(graph(shipping, concurrency=2))
    .pure(sum_of)
    .step(graph(fastest))
    .recover(of_failure, on=(ConnectionError, ValueError), on_partial="continue")
    .step(double, name="last")
)
GIVEN = (Store, Cache, Color, sort, of_order, of_receipt, past, approved, of_color, tally, kept, of_failure, len)
