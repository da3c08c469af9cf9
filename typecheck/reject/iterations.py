"""Loops and folds whose bodies do not give what they take."""

from __future__ import annotations

from orchestration import Workflow, step
from typecheck.shop import Order, Scale, double, number, read_lines, weigh

start = Workflow[Order]("checkout")
lines = start.step(read_lines)
count = start.pure(lambda order: len(order.lines))


def add(total: str, line: int) -> str:
    raise NotImplementedError


def drop(total: str, line: int) -> None:
    raise NotImplementedError


def of_text(total: str, line: str) -> str:
    raise NotImplementedError


def enough(value: str, index: int) -> bool:
    raise NotImplementedError


# --- fold

lines.fold(0, add)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.fold("", drop)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.fold("", of_text)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.fold("", double)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.fold("")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
lines.fold(add, "")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.fold("", add, concurrency=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
start.fold("", add)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
total: Workflow[Order, int] = lines.fold("", add)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]

# --- loop

count.loop(str, until=lambda _, i: i > 0, max_iterations=3)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
count.loop(number, until=lambda _, i: i > 0, max_iterations=3)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
count.loop(step(weigh).step(str), until=lambda _, i: i > 0, max_iterations=3)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
count.loop(Scale.count, until=lambda _, i: i > 0, max_iterations=3)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
count.loop(double)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
count.loop(double, max_iterations=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
count.loop(double, until=lambda _, i: i > 0)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
count.loop(double, until=lambda _, i: i > 0, while_=lambda _, i: i > 0, max_iterations=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
count.loop(double, until=lambda value: value > 0, max_iterations=3)  # type: ignore[arg-type, misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
count.loop(double, until=enough, max_iterations=3)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
count.loop(double, until=lambda value, _: value.nothing, max_iterations=3)  # type: ignore[arg-type, attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
count.loop(double, until=lambda _, i: i > 0, max_iterations="3")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
count.loop(double, until=lambda _, i: i > 0, max_iterations=3, retry=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
count.loop(double, until=3, max_iterations=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]

# --- enumerate

start.enumerate()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
lines.enumerate().map(double)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.enumerate(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
