"""What a hover shows, by `reveal_type`: the types are in `golden.txt`, as mypy and pyright print them."""

from __future__ import annotations

from typing import reveal_type

from orchestration import Graph, LocalEngine, Node, Race, Services, Signal, Workflow, graph, step
from typecheck.shop import (
    Archive,
    Audit,
    Charge,
    Declined,
    Mail,
    Order,
    Payments,
    Scale,
    Smtp,
    apologise,
    find_cart,
    find_user,
    greet,
    number,
    pay,
    price,
    read_lines,
    receipt,
    release,
    reserve,
    weigh,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
charged = reserved.step(Payments.charge)
shipped = charged.step(Mail.send)
paid = reserved.step(pay)
lines = start.step(read_lines)
two = start.fork(find_user).fork(find_cart)

# A workflow that does nothing yet
reveal_type(start)

# A step
reveal_type(reserved)

# The needs of a workflow: one service
reveal_type(charged)

# The needs of a workflow: two services
reveal_type(shipped)

# The needs of a workflow that has others inside
reveal_type(start.tap(shipped).step(Scale.count))

# A service that is generic
reveal_type(Workflow[Order]("kept").step(Archive[Order].keep))

# A step with its undo
reveal_type(charged.compensate(Payments.refund, in_doubt=Audit.note))

# A step on its own
reveal_type(step(reserve).compensate(release))

# An open branch
reveal_type(start.branch().when(lambda order: not order.lines, find_user))

# A closed branch
reveal_type(paid.branch().case(Charge, receipt).case(Declined, apologise).exhaustive())

# An open fork
reveal_type(two)

# A joined fork
reveal_type(two.join())

# A fork that is joined by a step
reveal_type(two.join(greet))

# A fork that keeps failures
reveal_type(two.join(on_error="collect"))

# A race
reveal_type(two.race())

# A map
reveal_type(lines.map(weigh))

# A map that keeps failures
reveal_type(lines.map(weigh, on_error="collect"))

# A fold
reveal_type(lines.fold(0, max))

# A loop
reveal_type(start.pure(number).loop(lambda n: n + 1, until=lambda n, _: n > 1, max_iterations=9))

# A recovery
reveal_type(reserved.recover(lambda failure: failure.message, on=OSError))

# An open enrichment
reveal_type(start.enrich(find_user))

# A wait for a signal
reveal_type(start.wait_for(Signal("agreed", Charge)))


def priced(g: Graph[Order]) -> Node[float, Scale]:
    owner = g.node(Scale.owner, g.input)
    cart = g.node(find_cart, g.input)
    # A node that needs a service
    reveal_type(owner)
    # A node that needs none
    reveal_type(cart)
    return g.node(price, owner, cart)


def first(g: Graph[Order]) -> Race[object]:
    raced = g.race(g.node(find_user, g.input), g.node(find_cart, g.input))
    # A race of nodes
    reveal_type(raced)
    return raced


# A graph
reveal_type(graph(priced))

# Services
reveal_type(Services().bind(Payments).to(Payments()).bind(Mail).to(Smtp()))

# A class that waits for its implementation
reveal_type(Services().bind(Mail))

# An engine
reveal_type(LocalEngine(Services().bind(Mail).to(Smtp())))


async def ran(order: Order) -> None:
    # The value of a run
    reveal_type(await reserved.run(order))
    # The outcome of a run
    reveal_type(await LocalEngine().execute(reserved, order))
