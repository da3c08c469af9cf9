"""What a chain of bodies is inferred to be: each gets what the one before gives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Never, ParamSpec, TypeVar, assert_type

from orchestration import Plan, Retry, Workflow, step
from orchestration.dsl.enrich import Enrich
from orchestration.dsl.workflow import Step
from typecheck.shop import (
    Charge,
    Declined,
    Express,
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
    refund,
    release,
    reserve,
)

P = ParamSpec("P")
T = TypeVar("T")

# --- where a chain begins

start = Workflow[Order]("checkout")
assert_type(start, Workflow[Order, Order, Never])
assert_type(Workflow[Order]("checkout", version="2"), Workflow[Order, Order, Never])
assert_type(Workflow[list[int]]("lines"), Workflow[list[int], list[int], Never])
assert_type(Workflow[int | str]("either").pure(lambda value: [value]), Workflow[int | str, list[int | str], Never])
assert_type(Workflow[Order | None]("maybe"), Workflow[Order | None, Order | None, Never])
assert_type(start.compile(), Plan)

# --- step

reserved = start.step(reserve)
assert_type(reserved, Step[Order, Reserved, Never, Order])
assert_type(start.step(number), Step[Order, int, Never, Order])
assert_type(reserved.step(pay), Step[Order, Charge | Declined, Never, Reserved])
assert_type(reserved.step(charge).step(receipt), Step[Order, str, Never, Charge])
assert_type(start.step(lambda order: order.id), Step[Order, str, Never, Order])
assert_type(start.step(lambda order: reserve(order)), Step[Order, Reserved, Never, Order])  # noqa: PLW0108 - the case
assert_type(start.step(log), Step[Order, None, Never, Order])  # takes any object
assert_type(Workflow[Express]("express").step(reserve), Step[Express, Reserved, Never, Express])  # takes the base class

# --- bodies of all sorts


def fast(order: Order, limit: int = 3) -> str:
    raise NotImplementedError


def scaled(factor: float, order: Order) -> float:
    raise NotImplementedError


async def scaled_later(factor: float, order: Order) -> float:
    raise NotImplementedError


def first(items: list[T]) -> T:
    raise NotImplementedError


async def first_later(items: list[T]) -> T:
    raise NotImplementedError


def traced(function: Callable[P, T]) -> Callable[P, T]:
    raise NotImplementedError


@traced
async def reserve_traced(order: Order) -> Reserved:
    raise NotImplementedError


class Tariff:
    def __call__(self, order: Order) -> float:
        raise NotImplementedError

    async def of(self, order: Order) -> float:
        raise NotImplementedError

    @staticmethod
    def flat(order: Order) -> int:
        raise NotImplementedError


assert_type(start.step(fast), Step[Order, str, Never, Order])
assert_type(start.step(functools.partial(scaled, 2.0)), Step[Order, float, Never, Order])
assert_type(start.step(functools.partial(scaled_later, 2.0)), Step[Order, float, Never, Order])
assert_type(start.step(Tariff()), Step[Order, float, Never, Order])
assert_type(start.step(Tariff().of), Step[Order, float, Never, Order])
assert_type(start.step(Tariff.flat), Step[Order, int, Never, Order])
assert_type(start.step(reserve_traced), Step[Order, Reserved, Never, Order])
assert_type(start.step(read_lines).step(first), Step[Order, int, Never, list[int]])
assert_type(start.step(read_lines).step(first_later), Step[Order, int, Never, list[int]])
assert_type(start.step(Reserved), Step[Order, Reserved, Never, Order])  # a class is a function that makes one

# --- pure

assert_type(start.pure(number), Workflow[Order, int, Never])
assert_type(start.pure(lambda order: order.lines, name="lines"), Workflow[Order, list[int], Never])
assert_type(start.pure(lambda order: order.lines).pure(len), Workflow[Order, int, Never])
assert_type(start.pure(Reserved), Workflow[Order, Reserved, Never])

# --- tap: the value goes on

assert_type(start.tap(log), Workflow[Order, Order, Never])
assert_type(start.tap(find_user, retry=Retry(max_attempts=2)), Workflow[Order, Order, Never])
assert_type(start.tap(step(reserve).step(pay)), Workflow[Order, Order, Never])
assert_type(start.tap(lambda order: order.id), Workflow[Order, Order, Never])

# --- enrich: the value and what was found beside it become one

assert_type(start.enrich(find_user), Enrich[Order, Order, User, Never])
assert_type(
    start.enrich(find_user).into(lambda order, user: (order, user)), Step[Order, tuple[Order, User], Never, Order]
)
assert_type(start.enrich(number).into(lambda order, n: order.lines[n]), Step[Order, int, Never, Order])
assert_type(
    start.enrich(step(reserve).step(pay)).into(lambda _, paid: paid), Step[Order, Charge | Declined, Never, Order]
)


def both(order: Order, user: User) -> str:
    raise NotImplementedError


assert_type(start.enrich(find_user, name="user").into(both), Step[Order, str, Never, Order])

# --- a workflow is a body

charged = Workflow[Reserved]("charging").step(charge)
assert_type(reserved.step(charged), Step[Order, Charge, Never, Reserved])
assert_type(reserved.step(charged, name="charging again"), Step[Order, Charge, Never, Reserved])
assert_type(start.step(step(reserve).step(charge).step(receipt)), Step[Order, str, Never, Order])

# --- step(): a workflow of one step

assert_type(step(reserve), Step[Order, Reserved, Never, Order])
assert_type(step(number, retry=Retry(), attempt_timeout=2.5, run_in="thread"), Step[Order, int, Never, Order])
assert_type(step(Payments.charge, name="charge"), Step[Reserved, Charge, Payments, Reserved])
assert_type(step(reserve).compensate(release).step(charge), Step[Order, Charge, Never, Reserved])

# --- options

start.step(reserve, name="reserve stock", retry=Retry(max_attempts=5), attempt_timeout=3, run_in="loop")
start.tap(log, name="log", attempt_timeout=1.5)
start.enrich(find_user, retry=Retry(retry_on=("OSError",), jitter="none")).into(both)
start.enrich(find_user, retry=Retry(retry_on=OSError)).into(both)
start.enrich(find_user, retry=Retry(retry_on=(OSError, ValueError), give_up_on=KeyError)).into(both)

# --- contracts, checked where they are written

exact: Workflow[Order, Reserved] = reserved
wider: Workflow[Order, object] = reserved  # whoever takes any object takes this
narrower: Workflow[Express, Reserved] = reserved  # whoever gives an Express gives an Order
needier: Workflow[Order, Reserved, Payments] = reserved  # with Payments at hand it runs all the same
undone: Workflow[Order, Charge] = reserved.compensate(release).step(charge).compensate(refund)


def takes_contract(workflow: Workflow[Order, Reserved]) -> Workflow[Order, Charge]:
    return workflow.step(charge)


assert_type(takes_contract(reserved), Workflow[Order, Charge, Never])
