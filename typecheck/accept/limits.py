"""Where a checker does not judge as it should. Each line here turns into an error once a checker has learnt it.

Both hand the type that is expected into the last call of a chain that is written in place, and infer its service from
there. A chain that has a name before it is given away is judged rightly: state a contract on a line of its own.
"""

from __future__ import annotations

from typing import Any, Literal, Never, assert_type

from orchestration import Graph, LocalEngine, Node, Outcome, Services, Workflow, graph, step
from orchestration.dsl.handles import Plain
from orchestration.dsl.workflow import Step
from typecheck.shop import (
    Audit,
    Charge,
    Mail,
    Order,
    Payments,
    Reserved,
    Scale,
    Smtp,
    find_cart,
    find_user,
    price,
    reserve,
)

reserved = Workflow[Order]("checkout").step(reserve)
charged = reserved.step(Payments.charge)
shipped = charged.step(Mail.send)
both = step(Payments.charge).step(Mail.send)
start = Workflow[Reserved]("checkout")
every = Services().bind(Payments).to(Payments()).bind(Mail).to(Smtp())

# --- mypy refuses what is right: it takes all expected services for that of the one method

assert_type(start.step(both), Step[Reserved, bool, Payments | Mail, Reserved])
start.step(step(Payments.charge).step(Mail.send))  # type: ignore[arg-type]
start.step(step(Payments.charge).step(Mail.send).pure(str))  # the last call brings no service

contract: Workflow[Order, bool, Payments | Mail] = shipped
in_place: Workflow[Order, bool, Payments | Mail] = charged.step(Mail.send)  # type: ignore[arg-type]


def returned() -> Workflow[Order, bool, Payments | Mail]:
    return charged.step(Mail.send)


async def run(order: Order) -> None:
    assert_type(await LocalEngine(every).execute(shipped, order), Outcome[bool])
    await LocalEngine(every).execute(charged.step(Mail.send), order)  # type: ignore[arg-type]
    assert_type(await charged.step(Mail.send).run(order, every), bool)  # nothing is expected of the chain here


# --- both accept what is wrong: where no service is expected, they lose the first that the last call brings

lost: Workflow[Order, Charge] = reserved.step(Payments.charge)
lost_too: Workflow[Order, Reserved] = reserved.tap(Payments.void)

# --- both accept what is wrong: a second parameter makes a function the method of a service, here of `float`


def scaled(factor: float, order: Order) -> float:
    raise NotImplementedError


assert_type(Workflow[Order]("checkout").step(scaled), Step[Order, float, float, Order])

# --- an async function is a function, so that what is pure may give what nobody awaits


async def read(order: Order) -> int:
    raise NotImplementedError


Workflow[Order]("checkout").pure(read)


# --- graphs


def shop(g: Graph[Order]) -> Node[float]:
    user, cart = g.node(find_user, g.input), g.node(find_cart, g.input)
    # what a lambda gives is not known to mypy: it stands before the nodes that tell what it takes
    assert_type(g.node(lambda user, cart: (user.name, cart.total), user, cart), Plain[tuple[str, float]])  # type: ignore[assert-type]
    # services of a node that nothing given needs are not seen by a checker; the engine asks for them before it starts
    g.node(Audit.price, user, cart)
    return g.node(price, user, cart)


assert_type(graph(shop), Step[Order, float, Never, Order])


def loose(g: Graph[Order]) -> None:
    # pyright does not know the services of a node that is made in place where several are needed
    vague = g.node(price, g.node(Scale.owner, g.input), g.node(find_cart, g.input))
    assert_type(vague, Node[float, Scale])  # pyright: ignore[reportAssertTypeFailure]
    # what is named has any type
    assert_type(g.node(price, "mail", "number"), Node[Any, Any])
    g.node(price, g["mail"], g["number"])


# --- pyright widens a literal that is given once; given twice, it stays

once = Workflow[Literal["card", "cash"]]("method")
assert_type(once, Workflow[Literal["card", "cash"], Literal["card", "cash"], Never])  # pyright: ignore[reportAssertTypeFailure]
twice = Workflow[Literal["card", "cash"], Literal["card", "cash"]]("method")
assert_type(twice, Workflow[Literal["card", "cash"], Literal["card", "cash"], Never])
