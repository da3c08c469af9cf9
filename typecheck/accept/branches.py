"""A branch gives the union of what its arms give."""

from __future__ import annotations

from enum import Enum
from typing import Literal, Never, assert_type

from orchestration import Retry, Workflow, step
from orchestration.dsl.branch import Branch
from orchestration.dsl.workflow import Step
from typecheck.shop import (
    Cart,
    Charge,
    Declined,
    Express,
    Mail,
    Order,
    Payments,
    Reserved,
    User,
    apologise,
    charge,
    find_cart,
    find_user,
    is_known,
    number,
    pay,
    receipt,
    reserve,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
paid = reserved.step(pay)


def is_large(order: Order) -> bool:
    raise NotImplementedError


class Size(Enum):
    SMALL = 1
    LARGE = 2


def is_small(size: Size) -> bool:
    raise NotImplementedError


async def no_news(known: bool) -> None:  # noqa: FBT001 - the value
    raise NotImplementedError


class Desk:
    def show(self, number: int) -> bytes:
        raise NotImplementedError

    async def show_later(self, number: int) -> Cart:
        raise NotImplementedError


# --- open

assert_type(start.branch(), Branch[Order, Order, Never, Never])
assert_type(start.branch(name="size").when(is_large, find_user), Branch[Order, Order, User, Never])
assert_type(start.branch().when(is_large, find_user).when(is_large, number), Branch[Order, Order, User | int, Never])

# --- when … otherwise

sized = start.branch().when(is_large, find_user).otherwise(number)
assert_type(sized, Workflow[Order, User | int, Never])
assert_type(start.branch().when(is_large, find_user).otherwise(find_user), Workflow[Order, User, Never])
assert_type(
    start.branch().when(lambda order: order.id == "1", find_user).otherwise(lambda _: None),
    Workflow[Order, User | None, Never],
)
assert_type(
    start.branch().when(is_large, step(reserve).step(charge)).otherwise(find_user),
    Workflow[Order, Charge | User, Never],
)
assert_type(start.branch().otherwise(number), Workflow[Order, int, Never])
three = start.branch().when(is_large, find_user).when(lambda order: not order.lines, find_cart).otherwise(is_known)
assert_type(three.pure(lambda value: [value]), Workflow[Order, list[User | Cart | bool], Never])

# --- case … exhaustive

assert_type(
    paid.branch().case(Charge, receipt).case(Declined, apologise).exhaustive(), Workflow[Order, str | int, Never]
)
assert_type(
    paid.branch().case(Charge, step(receipt)).case(Declined, step(apologise)).exhaustive(),
    Workflow[Order, str | int, Never],
)
assert_type(paid.branch().case(Charge, receipt).otherwise(lambda _: None), Workflow[Order, str | None, Never])
assert_type(
    paid.branch().case(Charge, lambda charge: charge.id).case(Declined, lambda no: no.why).exhaustive(),
    Workflow[Order, str, Never],
)
assert_type(start.branch().case(Express, lambda order: order.until).otherwise(number), Workflow[Order, int, Never])
mixed = start.branch().when(is_large, find_user).case(Express, find_cart).otherwise(number)
assert_type(mixed, Workflow[Order, User | Cart | int, Never])

# --- case of a member

assert_type(
    Workflow[Literal["card", "cash"]]("pay").branch().case("card", len).case("cash", str.upper).exhaustive(),
    Workflow[Literal["card", "cash"], int | str, Never],
)
assert_type(
    Workflow[Size]("size").branch().case(Size.SMALL, lambda size: size.value).case(Size.LARGE, is_small).exhaustive(),
    Workflow[Size, int | bool, Never],
)
assert_type(
    Workflow[Order | None]("maybe").branch().case(Order, find_user).case(None, lambda _: 0).exhaustive(),
    Workflow[Order | None, User | int, Never],
)
assert_type(
    Workflow[int]("number").branch().case(3, step(str)).case(4, Desk.show).otherwise(Desk.show_later),
    Workflow[int, str | bytes | Cart, Desk],
)
assert_type(Workflow[bool]("known").branch().case(True, no_news).otherwise(str), Workflow[bool, str | None, Never])  # noqa: FBT003 - the member

# --- services of the arms

assert_type(
    paid.branch().case(Charge, Mail.send).case(Declined, apologise).exhaustive(), Workflow[Order, bool | int, Mail]
)
assert_type(
    paid.branch().case(Charge, step(Mail.send, retry=Retry())).otherwise(lambda _: 0), Workflow[Order, bool | int, Mail]
)
assert_type(
    reserved.branch().when(lambda r: not r.order.lines, Payments.charge).otherwise(lambda _: None),
    Workflow[Order, Charge | None, Payments],
)
assert_type(
    reserved.step(Payments.charge).branch().when(lambda c: c.id == "", Mail.send).otherwise(receipt),
    Workflow[Order, bool | str, Payments | Mail],
)

# --- going on, and a branch in a branch

assert_type(sized.step(Workflow[User | int]("next").pure(str)), Step[Order, str, Never, User | int])
inner = Workflow[Order]("inner").branch().when(is_large, find_user).otherwise(find_cart)
assert_type(start.branch().when(is_large, inner).otherwise(number), Workflow[Order, User | Cart | int, Never])
assert_type(
    start.branch().when(is_large, reserve, retry=Retry(), run_in="loop").otherwise(reserve, name="plain"),
    Workflow[Order, Reserved, Never],
)
