"""Chains that do not fit: refused at the body that is wrong."""

from __future__ import annotations

from orchestration import Workflow, step
from typecheck.shop import (
    Charge,
    Declined,
    Express,
    Mail,
    Order,
    Payments,
    Reserved,
    User,
    charge,
    find_user,
    log,
    number,
    pay,
    read_lines,
    receipt,
    release,
    reserve,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
charging = Workflow[Reserved]("charging").step(charge)
charged = reserved.step(Payments.charge)


async def reserve_express(express: Express) -> Reserved:
    raise NotImplementedError


def nothing() -> Reserved:
    raise NotImplementedError


def by_name(*, order: Order) -> Reserved:
    raise NotImplementedError


def three(first: int, second: int, order: Order) -> Reserved:
    raise NotImplementedError


def scaled(user: User, order: Order) -> str:
    raise NotImplementedError


# --- a body that does not take what comes

start.step(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # a Charge is wanted
start.step(Payments.charge)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # a method that wants a Reserved
start.step(charging)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # a workflow that wants a Reserved
start.step(reserve_express)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # not every order is one
start.step(pay)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
reserved.step(pay).step(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # Charge | Declined
start.step(nothing)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(by_name)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(three)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.step(lambda order: order.price)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
start.step(reserve(Order("1", [])))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # called, not given
start.step("reserve")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
Workflow[Order | None]("maybe").step(reserve)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
step(reserve).step(reserve)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.pure(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
start.pure(lambda order: order.price)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
start.tap(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.tap(Mail.send)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.tap(charging)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.enrich(release)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.enrich(find_user).into(scaled)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
start.enrich(find_user).into(lambda order: order)  # type: ignore[misc, arg-type]  # pyright: ignore[reportArgumentType]
start.enrich(find_user).into(lambda order, user: order.id + user.price)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

# --- open is not a workflow

start.enrich(find_user).step(log)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
start.step(start.enrich(find_user))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
open_enrich: Workflow[Order, Order] = start.enrich(find_user)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

# --- what there is not

Workflow[Order]()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Workflow[Order](3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Workflow[Order]("checkout", version=2)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
start.then(reserve)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

# --- contracts

no_int: Workflow[Order, int] = reserved  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
no_declined: Workflow[Order, Charge] = reserved.step(pay)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
no_user: Workflow[User, Reserved] = reserved  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
every_order: Workflow[Order, Reserved] = Workflow[Express]("express").step(reserve_express)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
no_services: Workflow[Order, Charge] = charged  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
other_services: Workflow[Order, Charge, Mail] = charged  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
too_few: Workflow[Order, bool, Payments] = charged.step(Mail.send)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
list_of: Workflow[Order, list[object]] = start.step(read_lines)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]


def wants_declined(workflow: Workflow[Order, Declined]) -> None:
    raise NotImplementedError


wants_declined(start.step(number))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
