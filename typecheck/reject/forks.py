"""Forks that do not fit, are joined by the wrong step, or stay open."""

from __future__ import annotations

from orchestration import Workflow
from typecheck.shop import (
    Audit,
    Cart,
    Mail,
    Order,
    Payments,
    User,
    find_cart,
    find_user,
    greet,
    log,
    number,
    pack,
    price,
    receipt,
    reserve,
    ship,
)

start = Workflow[Order]("checkout")
two = start.fork(find_user).fork(find_cart)


def swapped(cart: Cart, user: User) -> float:
    raise NotImplementedError


def of_the_tuple(found: tuple[User, Cart]) -> float:
    raise NotImplementedError


# --- arms

start.fork(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.fork(find_user).fork(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.fork(find_user).fork(Payments.charge)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.fork(find_user).fork(start.step(reserve).step(log).step(receipt))  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]

# --- joins

start.fork(find_user).join(price)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(pack)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(swapped)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(of_the_tuple)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(Mail.send)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.fork(find_user).join(Audit.price)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.fork(number).join(price)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.fork(number).join(greet)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.fork(number).fork(number).fork(number).join(ship)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(lambda user: user)  # type: ignore[misc, arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(lambda user, cart: user.total + cart.total)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
two.join().step(price)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join().pure(lambda found: found[2])  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
tuples: Workflow[Order, tuple[Cart, User]] = two.join()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
scores: Workflow[Order, int] = two.join(price)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]

# --- open is not a workflow

two.step(log)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
two.compile()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
two.map(log)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
start.step(two)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
as_workflow: Workflow[Order, object] = two  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
two.join().join()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
