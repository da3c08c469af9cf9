"""Collected outcomes taken for values, and failure modes where there are none."""

from __future__ import annotations

from collections.abc import AsyncIterable

from orchestration import Err, Ok, Retry, Workflow, step, tolerate
from typecheck.shop import (
    Cart,
    Order,
    User,
    double,
    find_cart,
    find_user,
    price,
    read_lines,
    receipt,
    reserve,
    weigh,
)

start = Workflow[Order]("checkout")
lines = start.step(read_lines)
two = start.fork(find_user).fork(find_cart)
collected = lines.map(weigh, on_error="collect")


def of_results(user: Ok[User] | Err, cart: Ok[Cart] | Err) -> str:
    raise NotImplementedError


def swapped(cart: Ok[Cart] | Err, user: Ok[User] | Err) -> str:
    raise NotImplementedError


# --- maps

lines.map(weigh, on_error="continue")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.map(weigh, on_error="race")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.map(weigh, on_error=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.map(weigh, on_error=tolerate)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
lines.map(weigh, attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
lines.map(receipt, on_error="collect")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
collected.map(double)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
collected.pure(lambda results: results[0].value)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
collected.pure(lambda results: results[0].failure)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
collected.race()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
collected.into(0.0, lambda total, weight: total + weight)  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
lines.map(weigh).race().map(weigh)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
lines.map(weigh).into(0, lambda total, weight: total.nothing + weight)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
lines.map(weigh).into(0.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
lines.map(weigh).into(0.0, lambda total: total)  # type: ignore[arg-type, misc]  # pyright: ignore[reportArgumentType]
lines.map(weigh).into(0.0, max).into(0.0, max)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
values: Workflow[Order, list[float]] = collected  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
Workflow[AsyncIterable[Order]]("stream").map(weigh)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
Workflow[AsyncIterable[int]]("stream").fold(0, max)  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
Workflow[AsyncIterable[int]]("stream").enumerate()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]

# --- forks

two.join(price, on_error="collect")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(of_results)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(swapped, on_error="collect")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(of_results, on_error="race")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(on_error="continue")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(on_error="collect").step(price)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(on_error="collect").pure(lambda found: found[0].value)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
two.join(on_error=tolerate(count=1)).pure(lambda found: found[2])  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
two.race().step(find_user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.race().pure(lambda first: first.total)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
two.race(on_error="collect")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
two.race(price)  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]
two.join(step(reserve))  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(Workflow[tuple[Cart, User]]("pair"))  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
two.join(Workflow[tuple[User, Cart]]("pair"), attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
Retry(on_partial="continue")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
