"""A map gives a list of what its body gives for an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never, assert_type

from orchestration import Retry, Workflow, step
from orchestration.dsl.workflow import Step
from typecheck.shop import Charge, Order, Payments, Reserved, Scale, double, log, read_lines, reserve, weigh

start = Workflow[Order]("checkout")
lines = start.step(read_lines)

assert_type(lines.map(weigh), Step[Order, list[float], Never])
assert_type(lines.map(double), Step[Order, list[int], Never])
assert_type(lines.map(log), Step[Order, list[None], Never])
assert_type(lines.map(lambda line: str(line)), Step[Order, list[str], Never])  # noqa: PLW0108 - the case
assert_type(lines.map(weigh, concurrency=3, name="weighing"), Step[Order, list[float], Never])
assert_type(lines.map(weigh, concurrency=None), Step[Order, list[float], Never])
assert_type(lines.map(step(weigh, retry=Retry(max_attempts=2))), Step[Order, list[float], Never])
assert_type(lines.map(step(double).step(weigh)), Step[Order, list[float], Never])
assert_type(lines.map(double).map(weigh), Step[Order, list[float], Never])
assert_type(lines.map(weigh).pure(lambda weights: max(weights)), Workflow[Order, float, Never])  # noqa: PLW0108 - the case

# --- whatever is iterable

assert_type(start.pure(lambda order: order.lines).map(weigh), Step[Order, list[float], Never])
assert_type(Workflow[tuple[int, ...]]("all").map(weigh), Step[tuple[int, ...], list[float], Never])
assert_type(Workflow[Sequence[Order]]("all").map(reserve), Step[Sequence[Order], list[Reserved], Never])
assert_type(Workflow[dict[int, str]]("keys").map(weigh), Step[dict[int, str], list[float], Never])

# --- services

assert_type(lines.map(Scale.weigh, concurrency=2), Step[Order, list[float], Scale])
assert_type(Workflow[list[Reserved]]("all").map(Payments.charge), Step[list[Reserved], list[Charge], Payments])
assert_type(
    Workflow[list[Order]]("all").map(step(reserve).step(Payments.charge).compensate(Payments.refund)),
    Step[list[Order], list[Charge], Payments],
)
