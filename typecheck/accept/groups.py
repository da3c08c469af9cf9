"""Failure modes: collected outcomes of maps and forks, and races."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Never, assert_type

from orchestration import Err, Failure, Ok, Retry, Workflow, step, tolerate
from orchestration.dsl.workflow import Collected, Mapped, Step
from typecheck.shop import (
    Cart,
    Order,
    Scale,
    User,
    double,
    find_cart,
    find_user,
    label,
    log,
    read_lines,
    weigh,
)

start = Workflow[Order]("checkout")
lines = start.step(read_lines)
two = start.fork(find_user).fork(find_cart)
three = two.fork(Scale.count)

# --- a map that collects

assert_type(lines.map(weigh, on_error="collect"), Collected[Order, Ok[float] | Err, Never])
assert_type(lines.map(double, on_error=tolerate(count=2)), Collected[Order, Ok[int] | Err, Never])
assert_type(lines.map(step(double).step(weigh), on_error="collect"), Collected[Order, Ok[float] | Err, Never])
assert_type(lines.map(Scale.weigh, on_error=tolerate(ratio=0.1)), Collected[Order, Ok[float] | Err, Scale])
assert_type(lines.map(lambda line: [line], on_error="collect"), Collected[Order, Ok[list[int]] | Err, Never])
assert_type(lines.map(weigh, on_error="fail_fast", retry=Retry(), timeout=60), Mapped[Order, float, Never])
collected = lines.map(weigh, on_error="collect", on_partial="continue", concurrency=4, name="weights")
assert_type(collected.pure(lambda results: results[0]), Workflow[Order, Ok[float] | Err, Never])
assert_type(collected.map(lambda result: result.ok), Mapped[Order, bool, Never])
as_workflow: Workflow[Order, list[Ok[float] | Err]] = collected


def weight_of(result: Ok[float] | Err) -> float:
    match result:
        case Ok(value):
            return value
        case Err(failure):
            assert_type(failure, Failure)
            return 0.0


assert_type(collected.map(weight_of), Mapped[Order, float, Never])

# --- a map that folds its results

assert_type(lines.map(weigh).into(0.0, lambda total, weight: total + weight), Step[Order, float, Never])
assert_type(lines.map(Scale.weigh).into("", lambda text, weight: text + str(weight)), Step[Order, str, Scale])
assert_type(collected.into(0, lambda failed, result: failed + (not result.ok)), Step[Order, int, Never])


# --- a map that races

assert_type(lines.map(weigh).race(), Step[Order, float, Never])
assert_type(lines.map(Scale.weigh, concurrency=2, timeout=3).race(), Step[Order, float, Scale])
assert_type(lines.map(weigh).race().compensate(log), Workflow[Order, float, Never])

# --- streams

assert_type(Workflow[AsyncIterable[int]]("events").map(weigh), Mapped[AsyncIterable[int], float, Never])
assert_type(Workflow[AsyncIterator[int]]("events").map(Scale.weigh), Mapped[AsyncIterator[int], float, Scale])
assert_type(Workflow[Iterator[int]]("lines").map(double), Mapped[Iterator[int], int, Never])


def read(order: Order) -> AsyncIterator[int]:
    raise NotImplementedError


assert_type(start.step(read).map(weigh, concurrency=8).into(0.0, max), Step[Order, float, Never])
assert_type(start.pure(read).map(weigh, on_error="collect"), Collected[Order, Ok[float] | Err, Never])

# --- a fork that collects

assert_type(two.join(on_error="collect"), Step[Order, tuple[Ok[User] | Err, Ok[Cart] | Err], Never])
assert_type(
    three.join(on_error=tolerate(count=1), on_partial="continue", concurrency=2, retry=Retry(), timeout=9),
    Step[Order, tuple[Ok[User] | Err, Ok[Cart] | Err, Ok[int] | Err], Scale],
)
assert_type(two.join(on_error="fail_fast", name="both", timeout=3), Step[Order, tuple[User, Cart], Never])


def whatever_came(user: Ok[User] | Err, cart: Ok[Cart] | Err) -> str:
    raise NotImplementedError


async def whatever_came_later(user: Ok[User] | Err, cart: Ok[Cart] | Err) -> str:
    raise NotImplementedError


class Desk:
    def close(self, user: Ok[User] | Err, cart: Ok[Cart] | Err) -> int:
        raise NotImplementedError


found = tuple[Ok[User] | Err, Ok[Cart] | Err]
assert_type(two.join(whatever_came, on_error="collect"), Step[Order, str, Never, found])
assert_type(two.join(whatever_came_later, on_error=tolerate(count=1), retry=Retry()), Step[Order, str, Never, found])
assert_type(two.join(Desk.close, on_error="collect", concurrency=1), Step[Order, int, Desk, found])
assert_type(two.join(lambda user, _: user.ok, on_error="collect"), Step[Order, bool, Never, found])

# --- a fork that is joined by a workflow, which takes the tuple

of_pair = Workflow[tuple[User, Cart]]("pair").pure(lambda pair: pair[1].total)
of_found = Workflow[found]("found").pure(lambda found: found[0])
assert_type(two.join(of_pair, retry=Retry()), Step[Order, float, Never, tuple[User, Cart]])
assert_type(two.join(of_found, on_error="collect"), Step[Order, Ok[User] | Err, Never, found])

# --- a race

assert_type(two.race(), Step[Order, User | Cart, Never])
assert_type(three.race(timeout=3, on_partial="continue", name="first"), Step[Order, User | Cart | int, Scale])
assert_type(start.fork(find_user).race(), Step[Order, User, Never])
assert_type(two.fork(label).race().pure(lambda first: [first]), Workflow[Order, list[User | Cart | bytes], Never])
assert_type(start.step(two.race(), timeout=3), Step[Order, User | Cart, Never, Order])
