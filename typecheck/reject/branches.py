"""Branches that do not fit, or stay open."""

from __future__ import annotations

from typing import Literal

from orchestration import Workflow, step
from typecheck.shop import (
    Charge,
    Declined,
    Mail,
    Order,
    Payments,
    apologise,
    find_user,
    is_known,
    number,
    pay,
    receipt,
    reserve,
)

start = Workflow[Order]("checkout")
paid = start.step(reserve).step(pay)


def is_empty(lines: list[int]) -> bool:
    raise NotImplementedError


# --- arms

start.branch().when(lambda order: not order.lines, receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.branch().when(lambda order: not order.lines, Payments.charge)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.branch().when(lambda order: not order.lines, step(receipt))  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.branch().when(lambda order: order.price > 0, find_user)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
start.branch().when(is_empty, find_user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.branch().when(number, find_user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # an int is no answer
start.branch().when(is_known, find_user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # an async predicate
start.branch().when(find_user)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
start.branch().when(lambda order: not order.lines, find_user).otherwise(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.branch().otherwise(Mail.send)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
paid.branch().case(Charge, apologise)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
paid.branch().case(Declined, Mail.send)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
paid.branch().case("Charge", receipt)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
paid.branch().case(Charge, lambda charge: charge.why)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

# --- what comes after takes one of them only

settled = paid.branch().case(Charge, receipt).case(Declined, apologise).exhaustive()
settled.step(len)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
text_only: Workflow[Order, str] = settled  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

# --- open is not a workflow

open_branch = start.branch().when(lambda order: not order.lines, find_user)
open_branch.step(number)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
open_branch.compile()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
open_branch.run_sync(Order("1", []))  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
start.step(open_branch)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.fork(open_branch)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
as_workflow: Workflow[Order, object] = open_branch  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
start.branch().step(number)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
settled.otherwise(number)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # closed already
settled.compensate(print)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # arms are undone in the arm

# --- members

Method = Literal["card", "cash"]
method = Workflow[Method, Method]("method")
method.branch().case("chash", len)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
method.branch().case(3, len)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
method.branch().case("card", find_user)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
method.branch().case(None, len)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
Workflow[Order]("order").branch().case("card", find_user)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
