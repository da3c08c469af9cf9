"""A graph: each node takes what it needs, and the handles know what they give and which services they need."""

from __future__ import annotations

from typing import Any, Never, assert_type

from orchestration import Err, Graph, Node, NotStarted, Ok, Race, Retry, Workflow, graph, step, tolerate
from orchestration.dsl.handles import Plain
from orchestration.dsl.workflow import Mapped, Step
from typecheck.shop import (
    Audit,
    Cart,
    Charge,
    Mail,
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
    log,
    number,
    pack,
    price,
    receipt,
    reserve,
    ship,
)

start = Workflow[Order]("checkout")


def four(user: User, cart: Cart, number: int, known: bool) -> Order:  # noqa: FBT001 - the nodes give it
    raise NotImplementedError


class Desk:
    async def two(self, user: User, cart: Cart) -> int:
        raise NotImplementedError

    def three(self, user: User, cart: Cart, number: int) -> int:
        raise NotImplementedError

    async def four(self, user: User, cart: Cart, number: int, known: bool) -> int:  # noqa: FBT001 - the nodes give it
        raise NotImplementedError

    def five(self, user: User, cart: Cart, number: int, known: bool, label: bytes) -> int:  # noqa: FBT001 - as above
        raise NotImplementedError


# --- nodes of up to five needs


def shipping(g: Graph[Order]) -> Node[str]:
    assert_type(g.input, Plain[Order])
    user = g.node(find_user, g.input)
    cart = g.node(find_cart, g.input, name="cart", retry=Retry(), timeout=3, limit="carts", run_in="thread")
    count = g.node(number, g.input)
    known = g.node(is_known, g.input)
    tag = g.node(label, g.input)
    assert_type(user, Plain[User])
    assert_type(cart, Plain[Cart])
    assert_type(g.node(price, user, cart), Plain[float])
    assert_type(g.node(greet, user, cart), Plain[str])
    assert_type(g.node(pack, user, cart, count), Plain[bytes])
    assert_type(g.node(four, user, cart, count, known), Plain[Order])
    assert_type(g.node(price, g.node(find_user, g.input), g.node(find_cart, g.input)), Plain[float])
    assert_type(g.node(log, g.input), Plain[None])
    return g.node(ship, user, cart, count, known, tag)


assert_type(graph(shipping), Step[Order, str, Never, Order])
assert_type(start.step(graph(shipping)), Step[Order, str, Never, Order])
assert_type(graph(shipping, name="ship", concurrency=2, retry=Retry(), timeout=60), Step[Order, str, Never, Order])


# --- services: those of a node and of all before it


def billing(g: Graph[Order]) -> Node[float, Audit | Scale]:
    user = g.node(Scale.owner, g.input)
    cart = g.node(find_cart, g.input)
    count = g.node(Scale.count, g.input)
    known = g.node(is_known, g.input)
    assert_type(user, Node[User, Scale])
    assert_type(g.node(price, user, cart), Node[float, Scale])
    assert_type(g.node(Audit.greet, user, cart), Node[str, Audit | Scale])
    assert_type(g.node(Audit.price, g.node(find_user, g.input), cart), Node[float, Audit])
    assert_type(g.node(Desk.two, user, cart), Node[int, Desk | Scale])
    assert_type(g.node(Desk.three, user, cart, count), Node[int, Desk | Scale])
    assert_type(g.node(Desk.four, user, cart, g.node(number, g.input), known), Node[int, Desk | Scale])
    assert_type(
        g.node(Desk.five, user, cart, g.node(number, g.input), known, g.node(label, g.input)), Node[int, Desk | Scale]
    )
    return g.node(Audit.price, user, cart)


assert_type(graph(billing), Step[Order, float, Audit | Scale, Order])
assert_type(start.tap(graph(billing)), Workflow[Order, Order, Audit | Scale])


# --- a workflow is a body


def charging(g: Graph[Order]) -> Node[bool, Payments | Mail]:
    reserved = g.node(step(reserve), g.input, retry=Retry(), on_partial="continue")
    assert_type(reserved, Node[Reserved])
    paying = step(Payments.charge).compensate(Payments.refund)
    paid = g.node(paying, reserved, timeout=30)
    assert_type(paid, Node[Charge, Payments])
    assert_type(g.node(step(receipt), paid), Node[str, Payments])
    assert_type(g.node(step(reserve).step(charge), g.input), Node[Charge])
    return g.node(Mail.send, paid)


assert_type(graph(charging), Step[Order, bool, Payments | Mail, Order])
assert_type(graph(charging).compensate(log), Workflow[Order, bool, Payments | Mail])


# --- a tuple of nodes


def pair(g: Graph[Order]) -> tuple[Node[User, Scale], Node[Cart]]:
    return g.node(Scale.owner, g.input), g.node(find_cart, g.input)


def quintet(g: Graph[Order]) -> tuple[Node[User], Node[Cart], Node[int], Node[bool], Node[bytes]]:
    return (
        g.node(find_user, g.input),
        g.node(find_cart, g.input),
        g.node(number, g.input),
        g.node(is_known, g.input),
        g.node(label, g.input),
    )


def triple(g: Graph[Order]) -> tuple[Node[User, Scale], Node[Cart], Node[Charge, Payments]]:
    owner, cart = pair(g)
    return owner, cart, g.node(Payments.charge, g.node(reserve, g.input))


def quartet(g: Graph[Order]) -> tuple[Plain[User], Plain[Cart], Plain[int], Plain[bool]]:
    return g.node(find_user, g.input), g.node(find_cart, g.input), g.node(number, g.input), g.node(is_known, g.input)


assert_type(graph(pair), Step[Order, tuple[User, Cart], Scale, Order])
assert_type(graph(triple), Step[Order, tuple[User, Cart, Charge], Scale | Payments, Order])
assert_type(graph(quartet), Step[Order, tuple[User, Cart, int, bool], Never, Order])
assert_type(graph(quintet), Step[Order, tuple[User, Cart, int, bool, bytes], Never, Order])

# --- results

assert_type(graph(shipping, on_error="collect"), Step[Order, Ok[str] | Err | NotStarted, Never, Order])
assert_type(
    graph(pair, on_error=tolerate(count=1), on_partial="continue"),
    Step[Order, tuple[Ok[User] | Err | NotStarted, Ok[Cart] | Err | NotStarted], Scale, Order],
)

# --- a race


def first(g: Graph[Order]) -> Race[User | Cart]:
    return g.race(g.node(find_user, g.input), g.node(find_cart, g.input))


def first_of_five(g: Graph[Order]) -> Race[User | Cart | int | bool, Scale]:
    user = g.node(Scale.owner, g.input)
    user_again, cart, count, known = quartet(g)
    assert_type(g.race(user_again, cart, count), Race[User | Cart | int])
    assert_type(g.race(user_again, cart, count, known), Race[User | Cart | int | bool])
    assert_type(g.race(user, cart), Race[User | Cart, Scale])
    return g.race(user, user_again, cart, count, known)


assert_type(graph(first, concurrency=1, timeout=3), Step[Order, User | Cart, Never, Order])
assert_type(graph(first_of_five), Step[Order, User | Cart | int | bool, Scale, Order])


# --- what a plan that comes as data needs is named: nothing is known of it


def by_name(g: Graph[Order]) -> Node[Any, Any]:
    assert_type(g["cart"], Node[Any, Any])
    assert_type(g.node(receipt, "reserve", "charge", name="ship"), Node[Any, Any])
    return g["ship"]


assert_type(graph(by_name), Step[Order, Any, Any, Order])


# --- a graph as a decorator's work


@graph
def quote(g: Graph[Order]) -> Node[float]:
    return g.node(price, g.node(find_user, g.input), g.node(find_cart, g.input))


assert_type(quote, Step[Order, float, Never, Order])
assert_type(start.fork(quote).fork(find_user).join(), Step[Order, tuple[float, User], Never])
assert_type(Workflow[list[Order]]("all").map(quote), Mapped[list[Order], float, Never])
