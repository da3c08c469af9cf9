"""Maps over what is no iterable, and bodies that do not take an item."""

from __future__ import annotations

from orchestration import Workflow, step
from typecheck.shop import Order, Scale, read_lines, receipt, reserve, weigh

start = Workflow[Order]("checkout")
lines = start.step(read_lines)


def total(lines: list[int]) -> int:
    raise NotImplementedError


start.map(weigh)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
start.map(Scale.weigh)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
start.pure(lambda order: order.id).map(weigh)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # characters
lines.map(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.map(total)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.map(step(reserve))  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.map(Scale.count)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.map(lambda line: line.weight)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
lines.map(weigh).step(weigh)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
weights: Workflow[Order, list[int]] = lines.map(weigh)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
Workflow[dict[str, int]]("by name").map(weigh)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # its keys
