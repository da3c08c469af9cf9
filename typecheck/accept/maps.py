"""A map gives a list of what its body gives for an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never, assert_type

from orchestration import Retry, Workflow, step
from orchestration.dsl.workflow import Mapped
from typecheck.shop import Charge, Order, Payments, Reserved, Scale, double, log, read_lines, reserve, weigh

start = Workflow[Order]("checkout")
lines = start.step(read_lines)

assert_type(lines.map(weigh), Mapped[Order, float, Never])
assert_type(lines.map(double), Mapped[Order, int, Never])
assert_type(lines.map(log), Mapped[Order, None, Never])
assert_type(lines.map(lambda line: str(line)), Mapped[Order, str, Never])  # noqa: PLW0108 - the case
assert_type(lines.map(weigh, concurrency=3, name="weighing"), Mapped[Order, float, Never])
assert_type(lines.map(weigh, concurrency=None), Mapped[Order, float, Never])
assert_type(lines.map(step(weigh, retry=Retry(max_attempts=2))), Mapped[Order, float, Never])
assert_type(lines.map(step(double).step(weigh)), Mapped[Order, float, Never])
assert_type(lines.map(double).map(weigh), Mapped[Order, float, Never])
assert_type(lines.map(weigh).pure(lambda weights: max(weights)), Workflow[Order, float, Never])  # noqa: PLW0108 - the case

# --- whatever is iterable

assert_type(start.pure(lambda order: order.lines).map(weigh), Mapped[Order, float, Never])
assert_type(Workflow[tuple[int, ...]]("all").map(weigh), Mapped[tuple[int, ...], float, Never])
assert_type(Workflow[Sequence[Order]]("all").map(reserve), Mapped[Sequence[Order], Reserved, Never])
assert_type(Workflow[dict[int, str]]("keys").map(weigh), Mapped[dict[int, str], float, Never])

# --- services

assert_type(lines.map(Scale.weigh, concurrency=2), Mapped[Order, float, Scale])
assert_type(Workflow[list[Reserved]]("all").map(Payments.charge), Mapped[list[Reserved], Charge, Payments])
assert_type(
    Workflow[list[Order]]("all").map(step(reserve).step(Payments.charge).compensate(Payments.refund)),
    Mapped[list[Order], Charge, Payments],
)
