"""Loops, folds and numbered items."""

from __future__ import annotations

from typing import Never, assert_type

from orchestration import Retry, Workflow, step
from orchestration.dsl.workflow import Mapped, Step
from typecheck.shop import Order, Payments, Scale, double, log, read_lines, reserve

start = Workflow[Order]("checkout")
lines = start.step(read_lines)
count = start.pure(lambda order: len(order.lines))


async def double_later(line: int) -> int:
    raise NotImplementedError


def add(total: float, line: int) -> float:
    raise NotImplementedError


async def add_later(total: float, line: int) -> float:
    raise NotImplementedError


class Ledger:
    def add(self, total: float, line: int) -> float:
        raise NotImplementedError

    async def add_later(self, total: float, line: int) -> float:
        raise NotImplementedError

    def next(self, number: int) -> int:
        raise NotImplementedError

    async def next_later(self, number: int) -> int:
        raise NotImplementedError


# --- fold

assert_type(lines.fold(0.0, add), Step[Order, float, Never])
assert_type(lines.fold(0.0, add_later, name="total", retry=Retry(), timeout=3), Step[Order, float, Never])
assert_type(lines.fold(0.0, Ledger.add), Step[Order, float, Ledger])
assert_type(lines.fold(0.0, Ledger.add_later, attempt_timeout=1, limit="ledger"), Step[Order, float, Ledger])
assert_type(lines.fold("", lambda text, line: text + str(line)), Step[Order, str, Never])
assert_type(lines.fold(0.0, add).compensate(log), Workflow[Order, float, Never])

# --- loop

assert_type(count.loop(double, until=lambda value, _: value > 0, max_iterations=5), Step[Order, int, Never, int])
assert_type(count.loop(double_later, while_=lambda value, i: value > i, max_iterations=5), Step[Order, int, Never, int])
assert_type(count.loop(Ledger.next, until=lambda _, i: i > 0, max_iterations=5), Step[Order, int, Ledger, int])
assert_type(count.loop(Ledger.next_later, while_=lambda v, _: v < 0, max_iterations=5), Step[Order, int, Ledger, int])
body = step(double, retry=Retry()).step(double_later)
assert_type(count.loop(body, until=lambda v, _: v > 0, max_iterations=5, name="again"), Step[Order, int, Never, int])
assert_type(count.loop(step(Ledger.next), while_=lambda v, _: v < 0, max_iterations=5), Step[Order, int, Ledger, int])


def enough(value: int, index: int) -> bool:
    raise NotImplementedError


assert_type(count.loop(double, until=enough, max_iterations=5), Step[Order, int, Never, int])

# --- enumerate

assert_type(lines.enumerate(), Workflow[Order, list[tuple[int, int]], Never])
assert_type(
    Workflow[tuple[Order, ...]]("all").enumerate().map(lambda pair: pair[1].id), Mapped[tuple[Order, ...], str, Never]
)
assert_type(
    Workflow[list[Order]]("all").map(step(reserve).step(Payments.charge)).enumerate().pure(len),
    Workflow[list[Order], int, Payments],
)
assert_type(lines.map(Scale.weigh).fold(0.0, max), Step[Order, float, Scale])
