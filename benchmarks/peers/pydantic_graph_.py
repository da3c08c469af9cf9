"""The ten mistakes with pydantic-graph's `GraphBuilder`. Every other line is right."""

# none: undo - there are no undos

from pydantic_graph import GraphBuilder, StepContext, reduce_list_append
from shop import Cart, Charge, Declined, Order, Payments, Reserved, User

g = GraphBuilder(deps_type=Payments, input_type=Order, output_type=Charge)
collect = g.join(reduce_list_append, initial_factory=list[Cart])


@g.step
async def reserve(ctx: StepContext[None, Payments, Order]) -> Reserved: ...
@g.step
async def charge(ctx: StepContext[None, Payments, Reserved]) -> Charge: ...
@g.step
async def pay(ctx: StepContext[None, Payments, Reserved]) -> Charge | Declined: ...
@g.step
async def receipt(ctx: StepContext[None, Payments, Charge]) -> str: ...
@g.step
async def apologise(ctx: StepContext[None, Payments, Declined]) -> str: ...
@g.step
async def find_user(ctx: StepContext[None, Payments, Order]) -> User: ...
@g.step
async def find_cart(ctx: StepContext[None, Payments, Order]) -> Cart: ...
@g.step
async def read_lines(ctx: StepContext[None, Payments, Order]) -> list[int]: ...
@g.step
async def weigh(ctx: StepContext[None, Payments, int]) -> float: ...


async def plain(ctx: StepContext[None, Payments, Order]) -> Reserved: ...


g.add(g.edge_from(g.start_node).to(reserve), g.edge_from(reserve).to(charge), g.edge_from(charge).to(g.end_node))
g.add(g.edge_from(reserve).to(receipt))  # mistake: next
graph = g.build()


async def run() -> None:
    paid: Charge = await graph.run(inputs=Order("1", []), deps=Payments())
    await graph.run(inputs=User("Ada"), deps=Payments())  # mistake: input
    await graph.run(inputs=Order("1", []))  # mistake: service
    text: str = await graph.run(inputs=Order("1", []), deps=Payments())  # mistake: value


both = g.decision().branch(g.match(Charge).to(receipt)).branch(g.match(Declined).to(apologise))
one = g.decision().branch(g.match(Charge).to(receipt))
g.add(g.edge_from(pay).to(both))
g.add(g.edge_from(pay).to(one))  # mistake: arm

g.add(g.edge_from(find_cart).to(collect))
g.add(g.edge_from(find_user).to(collect))  # mistake: join

g.add(g.edge_from(read_lines).map().to(weigh))
g.add(g.edge_from(reserve).map().to(weigh))  # mistake: items

g.step(plain, label="reserve")
g.step(plain, labl="reserve")  # mistake: misspelt
g.step(plain, label=3)  # mistake: option
