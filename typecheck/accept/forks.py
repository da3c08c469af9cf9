"""A fork gives a tuple with a place for each arm, or its places as the arguments of a step."""

from __future__ import annotations

from typing import Never, assert_type

from orchestration import Err, Ok, Retry, Workflow, step
from orchestration.dsl.fork import Fork
from orchestration.dsl.workflow import Step
from typecheck.shop import (
    Audit,
    Cart,
    Charge,
    Order,
    Payments,
    Reserved,
    Scale,
    User,
    charge,
    find_cart,
    find_user,
    greet,
    is_known,
    label,
    number,
    pack,
    price,
    reserve,
    ship,
)

start = Workflow[Order]("checkout")
one = start.fork(find_user)
two = one.fork(find_cart)
three = two.fork(number)
four = three.fork(is_known)
five = four.fork(label)

# --- open

assert_type(one, Fork[Order, Order, Never, User, tuple[Ok[User] | Err], User])
assert_type(
    three,
    Fork[Order, Order, Never, User | Cart | int, tuple[Ok[User] | Err, Ok[Cart] | Err, Ok[int] | Err], User, Cart, int],
)

# --- tuples

assert_type(one.join(), Step[Order, tuple[User], Never])
assert_type(two.join(), Step[Order, tuple[User, Cart], Never])
assert_type(three.join(), Step[Order, tuple[User, Cart, int], Never])
assert_type(four.join(), Step[Order, tuple[User, Cart, int, bool], Never])
assert_type(five.join(), Step[Order, tuple[User, Cart, int, bool, bytes], Never])
assert_type(five.join(name="all", concurrency=2), Step[Order, tuple[User, Cart, int, bool, bytes], Never])
assert_type(two.join().pure(lambda found: found[1]), Workflow[Order, Cart, Never])

# --- joined by a step

assert_type(two.join(price), Step[Order, float, Never, tuple[User, Cart]])
assert_type(two.join(greet), Step[Order, str, Never, tuple[User, Cart]])
assert_type(three.join(pack), Step[Order, bytes, Never, tuple[User, Cart, int]])
assert_type(five.join(ship), Step[Order, str, Never, tuple[User, Cart, int, bool, bytes]])
assert_type(
    two.join(lambda user, cart: (user.name, cart.total)), Step[Order, tuple[str, float], Never, tuple[User, Cart]]
)
assert_type(
    two.join(price, concurrency=1, retry=Retry(), attempt_timeout=5), Step[Order, float, Never, tuple[User, Cart]]
)
assert_type(two.join(Audit.price), Step[Order, float, Audit, tuple[User, Cart]])
assert_type(two.join(Audit.greet, name="greet"), Step[Order, str, Audit, tuple[User, Cart]])

# --- arms of all sorts, with their services

assert_type(start.fork(step(reserve).step(charge)).fork(find_user).join(), Step[Order, tuple[Charge, User], Never])
assert_type(
    start.fork(lambda order: order.id).fork(find_cart, retry=Retry()).join(), Step[Order, tuple[str, Cart], Never]
)
assert_type(start.fork(Scale.owner).fork(find_cart).join(price), Step[Order, float, Scale, tuple[User, Cart]])
assert_type(
    start.step(reserve).fork(Payments.charge).fork(Payments.void).fork(lambda reserved: reserved.order).join(),
    Step[Order, tuple[Charge, None, Order], Payments],
)
inner = Workflow[Order]("inner").fork(find_user).fork(find_cart).join()
assert_type(start.fork(inner).fork(reserve).join(), Step[Order, tuple[tuple[User, Cart], Reserved], Never])
