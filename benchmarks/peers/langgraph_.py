"""The ten mistakes with LangGraph's `StateGraph`. Every other line is right."""

# none: undo - there are no undos

from dataclasses import dataclass
from typing import Literal, Required, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy, Send
from shop import Cart, Charge, Declined, Order, Payments, Reserved, User


class State(TypedDict, total=False):
    order: Required[Order]
    reserved: Reserved
    paid: Charge | Declined
    user: User
    cart: Cart


class Charged(TypedDict):
    charge: Charge


class Found(TypedDict):
    customer: User
    basket: Cart


class Line(TypedDict):
    line: int


@dataclass
class Context:
    payments: Payments


def reserve(state: State) -> State: ...
def receipt(state: Charged) -> State: ...
def apologise(state: State) -> State: ...
def find_user(state: State) -> State: ...
def find_cart(state: State) -> State: ...
def price(state: Found) -> State: ...
def weigh(state: Line) -> State: ...
async def charge(state: State, runtime: Runtime[Context]) -> State: ...
def which(state: State) -> Literal["charged", "declined"]: ...


b = StateGraph(State, Context)
b.add_node("reserve", reserve).add_node("charge", charge).add_node("apologise", apologise)
b.add_node("receipt", receipt).add_node("weigh", weigh).add_node("price", price)
b.add_node("find_user", find_user).add_node("find_cart", find_cart)
b.add_edge(START, "reserve").add_edge("reserve", "charge").add_edge("charge", END)
b.add_edge("reserve", "receipt")  # mistake: next
graph = b.compile()


def run() -> None:
    graph.invoke({"order": Order("1", [])}, context=Context(Payments()))
    graph.invoke({"order": User("Ada")}, context=Context(Payments()))  # mistake: input
    graph.invoke({"order": Order("1", [])})  # mistake: service
    text: str = graph.invoke({"order": Order("1", [])}, context=Context(Payments()))["paid"]  # mistake: value


b.add_conditional_edges("charge", which, {"charged": "receipt", "declined": "apologise"})
b.add_conditional_edges("charge", which, {"charged": "receipt"})  # mistake: arm

b.add_edge(["find_user", "find_cart"], "apologise")
b.add_edge(["find_user", "find_cart"], "price")  # mistake: join


def spread(state: State) -> list[Send]:
    return [Send("weigh", Line(line=line)) for line in state["order"].lines]


def misspread(state: State) -> list[Send]:
    return [Send("weigh", Line(line=line)) for line in state["order"]]  # mistake: items


b.add_node("again", reserve, retry_policy=RetryPolicy())
b.add_node("again", reserve, retry_polcy=RetryPolicy())  # mistake: misspelt
b.add_node("again", reserve, retry_policy=3)  # mistake: option
