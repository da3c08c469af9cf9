"""Graphs whose nodes do not fit what they need, and results taken for something else."""

from __future__ import annotations

from orchestration import Graph, Node, Race, Workflow, graph, step
from typecheck.shop import (
    Audit,
    Cart,
    Order,
    Payments,
    Scale,
    User,
    charge,
    find_cart,
    find_user,
    log,
    pack,
    price,
    receipt,
    reserve,
    ship,
)

start = Workflow[Order]("checkout")


def nodes(g: Graph[Order], user: Node[User], cart: Node[Cart]) -> None:
    raced = g.race(user, cart)
    g.node(receipt, g.input)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(price, cart, user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(price, user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(price, user, cart, cart)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(find_user, user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(Payments.charge, g.input)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(Audit.price, cart, user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(pack, user, cart)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(ship, user, cart, g.input)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(step(charge), g.input)  # type: ignore[misc]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(reserve)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    g.node(price, raced, cart)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(price, user, "cart")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(reserve, Order("1", []))  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(reserve, g.input, retries=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    g.node(reserve, g.input, on_partial="fail")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(step(reserve), g.input, attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.node(g.input, reserve)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g["user"] = user  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    g.race(user)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    g.race(user, raced)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    g.race(user, receipt)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    user.step(log)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def cart_of(g: Graph[Order]) -> Node[Cart]:
    return g.node(find_user, g.input)  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def without_scale(g: Graph[Order], owner: Node[User, Scale], cart: Node[Cart]) -> Node[float]:
    return g.node(price, owner, cart)  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def without_audit(g: Graph[Order], owner: Node[User, Scale], cart: Node[Cart]) -> Node[float, Scale]:
    return g.node(Audit.price, owner, cart)  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def without_all(g: Graph[Order], owner: Node[User, Scale], cart: Node[Cart]) -> Race[User | Cart]:
    return g.race(owner, cart)  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


# --- what is built


def user_of(g: Graph[Order]) -> Node[User]:
    return g.node(find_user, g.input)


def owner_of(g: Graph[Order]) -> Node[User, Scale]:
    return g.node(Scale.owner, g.input)


def both(g: Graph[Order]) -> tuple[Node[User, Scale], Node[Cart]]:
    return owner_of(g), g.node(find_cart, g.input)


def either(g: Graph[Order]) -> Race[User | Cart]:
    return g.race(g.node(find_user, g.input), g.node(find_cart, g.input))


def nothing(g: Graph[Order]) -> None:
    g.node(find_user, g.input)


graph(nothing)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
graph(find_user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
graph(user_of, concurency=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
graph(user_of, attempt_timeout=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
graph(user_of, on_error="race")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
graph(either, on_error="collect")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
graph(user_of).step(find_user)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
graph(user_of, on_error="collect").pure(lambda user: user.name)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
graph(both).pure(lambda pair: pair[2])  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
graph(both).step(price)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
graph(either).pure(lambda first: first.total)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
Workflow[Cart]("cart").step(graph(user_of))  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]
start.fork(graph(owner_of)).join().run_sync(Order("1", []))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
as_cart: Workflow[Order, Cart] = graph(user_of)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
without: Workflow[Order, User] = graph(owner_of)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
