"""The names that the pages presume, as far as a page does not define them itself: a small shop that works."""

import os
from dataclasses import dataclass, field

import orchestration
from orchestration import Services

os.environ.setdefault("STRIPE_KEY", "sk_test")

# ruff: noqa: D101, D102, D103, D107, T201 - named on the pages, which say what they are; undoing is seen by what it prints


@dataclass(frozen=True)
class Order:
    id: str = "order-17"
    lines: list[int] = field(default_factory=lambda: [2, 3])
    express: bool = False


@dataclass(frozen=True)
class Reserved:
    order: Order


@dataclass(frozen=True)
class Charge:
    reserved: Reserved
    cents: int


@dataclass(frozen=True)
class Declined:
    reason: str


@dataclass(frozen=True)
class Packed:
    charge: Charge
    label: str


@dataclass(frozen=True)
class Parcel:
    packed: Packed
    carrier: str


@dataclass(frozen=True)
class User:
    name: str


@dataclass(frozen=True)
class Cart:
    weights: tuple[float, ...]


async def reserve(order: Order) -> Reserved:
    return Reserved(order)


async def release(reserved: Reserved) -> None:
    print("released", reserved.order.id)


async def pick(charge: Charge) -> Charge:
    return charge


async def print_label(charge: Charge) -> str:
    return charge.reserved.order.id


async def pack(charge: Charge, label: str) -> Packed:
    return Packed(charge, label)


def is_express(packed: Packed) -> bool:
    return packed.charge.reserved.order.express


async def courier(packed: Packed) -> Parcel:
    return Parcel(packed, "courier")


async def post(packed: Packed) -> Parcel:
    return Parcel(packed, "post")


async def find_user(order: Order) -> User:
    return User(f"customer of {order.id}")


async def find_cart(order: Order) -> Cart:
    return Cart(tuple(float(line) for line in order.lines))


def read_lines(order: Order) -> list[int]:
    return order.lines


def weigh(line: int) -> float:
    return line * 1.5


def price(user: User, cart: Cart) -> float:
    return sum(cart.weights)


def log(order: Order) -> None:
    print("order", order.id)


def is_large(order: Order) -> bool:
    return len(order.lines) > 2


def receipt(charge: Charge) -> str:
    return f"{charge.cents} cents"


def apologise(declined: Declined) -> str:
    return f"Sorry: {declined.reason}"


class Payments:
    async def charge(self, reserved: Reserved) -> Charge:
        raise NotImplementedError

    async def refund(self, charge: Charge) -> None:
        raise NotImplementedError

    async def void(self, reserved: Reserved) -> None:
        raise NotImplementedError


class StripePayments(Payments):
    def __init__(self, key: str = "sk_test") -> None:
        self.key = key

    async def charge(self, reserved: Reserved) -> Charge:
        return Charge(reserved, 100 * sum(reserved.order.lines))

    async def refund(self, charge: Charge) -> None:
        print("refunded", charge.cents)

    async def void(self, reserved: Reserved) -> None:
        print("voided", reserved.order.id)


class Mail:
    async def send(self, charge: Charge) -> bool:
        raise NotImplementedError


class Smtp(Mail):
    async def send(self, charge: Charge) -> bool:
        return charge.cents > 0


order = Order()
services = Services().bind(Payments).to(StripePayments()).bind(Mail).to(Smtp())

# What the library exports: a page imports in its first block, and a reader has it from there on.
globals().update({name: getattr(orchestration, name) for name in orchestration.__all__})
