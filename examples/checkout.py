"""Sell something: reserve, charge, pick and label side by side, pack, hand over to a courier.

    orchestration run examples/checkout.py:checkout --input '{"item": "tea", "quantity": 2}'
    orchestration run examples/checkout.py:checkout --input '{"item": "tea", "card": "declined"}'
    orchestration run examples/checkout.py:checkout --input '{"item": "tea", "quantity": 50, "express": true}'
    orchestration run examples/checkout.py:checkout --input '{"item": "tea", "pickup_seconds": 60}'

The second is rolled back: the tea is back in stock. So is the third, with a refund before, as no express courier
carries 50 pieces. The last waits for its courier: press Ctrl-C, and see it refunded and released as well.

What it teaches: services (classes or Protocols) whose methods are steps, compensations (also of a charge of which
nobody knows whether it happened), retries that are safe by a key, `fork` and `join`, and a `branch`.
The stock and the charges are in the file that SHOP_DATABASE names, or else in the folder for temporary files.
"""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import NonNegativeFloat, PositiveInt

from orchestration import Retry, Services, Workflow, step_context

DATABASE = Path(tempfile.gettempdir(), "shop.db")
EXPRESS_LIMIT = 20  # pieces
SCHEMA = """
    create table if not exists stock (item text primary key, price integer, free integer);
    create table if not exists reservations (id text primary key);
    create table if not exists charges (reservation text primary key, card text, cents integer);
    insert or ignore into stock values ('tea', 450, 100), ('mug', 1200, 12);
"""


@dataclass(frozen=True)
class Order:
    """What somebody wants; `card` is a token of theirs, `pickup_seconds` is how long the courier takes to come."""

    item: str
    quantity: PositiveInt = 1
    card: str = "card-1"
    express: bool = False
    pickup_seconds: NonNegativeFloat = 0.0


@dataclass(frozen=True)
class Reserved:
    """Goods that are set aside."""

    id: str
    order: Order
    cents: int


@dataclass(frozen=True)
class Paid:
    """Goods that are paid for."""

    reserved: Reserved


@dataclass(frozen=True)
class Packed:
    """A box that is ready to go."""

    order: Order
    label: str


@dataclass(frozen=True)
class Parcel:
    """A box under way."""

    label: str
    courier: str


class OutOfStock(Exception):
    """There is not enough left of an item."""


class Declined(Exception):
    """The card was not accepted."""


class TooHeavy(Exception):
    """No courier of this kind carries so much."""


@dataclass(frozen=True)
class Database:
    """An SQLite file, opened anew for each transaction, as steps run in threads. A new one has something in stock."""

    path: Path

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """Open the file for what happens wholly or not at all."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executescript(SCHEMA)
            yield connection


class Inventory(Database):
    """A service: a class. Its methods are steps."""

    def reserve(self, order: Order) -> Reserved:
        """Set goods aside under the key of the step: tried again, they are set aside once."""
        key, item, quantity = step_context().idempotency_key, order.item, order.quantity
        with self.transaction() as database:
            new = database.execute("insert or ignore into reservations values (?)", (key,)).rowcount
            price, free = database.execute("select price, free from stock where item = ?", (item,)).fetchone() or (0, 0)
            if new and free < quantity:
                raise OutOfStock(item)
            database.execute("update stock set free = free - ? where item = ?", (new * quantity, item))
        return Reserved(key, order, price * quantity)

    def release(self, reserved: Reserved) -> None:
        """Put goods back, unless they are back already."""
        give = "update stock set free = free + ? where item = ?"
        with self.transaction() as database:
            if database.execute("delete from reservations where id = ?", (reserved.id,)).rowcount:
                database.execute(give, (reserved.order.quantity, reserved.order.item))

    def pick(self, paid: Paid) -> Order:
        """Take goods out of the shelf."""
        return paid.reserved.order


class Payments(Database):
    """Another one. It charges a reservation once, however often it is asked to."""

    def charge(self, reserved: Reserved) -> Paid:
        """Charge the card."""
        card = reserved.order.card
        if card == "declined":
            raise Declined(card)
        with self.transaction() as database:
            database.execute("insert or ignore into charges values (?, ?, ?)", (reserved.id, card, reserved.cents))
        return Paid(reserved)

    def refund(self, paid: Paid) -> None:
        """Give the money back."""
        self.void(paid.reserved)

    def void(self, reserved: Reserved) -> None:
        """Cross out the charge for a reservation, if there is one."""
        with self.transaction() as database:
            database.execute("delete from charges where reservation = ?", (reserved.id,))


class Couriers(Protocol):
    """A service as a Protocol: who does the work is left open."""

    async def express(self, packed: Packed) -> Parcel:
        """Hand it over to be there tomorrow."""
        ...

    async def standard(self, packed: Packed) -> Parcel:
        """Hand it over to be there some day."""
        ...


class Vans:
    """`Couriers` who come by van."""

    async def express(self, packed: Packed) -> Parcel:
        """Come for a light parcel."""
        if packed.order.quantity > EXPRESS_LIMIT:
            message = f"{packed.order.quantity} pieces, the express courier carries {EXPRESS_LIMIT}"
            raise TooHeavy(message)
        await asyncio.sleep(packed.order.pickup_seconds)
        return Parcel(packed.label, "express")

    async def standard(self, packed: Packed) -> Parcel:
        """Come for any parcel."""
        await asyncio.sleep(packed.order.pickup_seconds)
        return Parcel(packed.label, "standard")


def print_label(paid: Paid) -> str:
    """Say what is in the parcel."""
    order = paid.reserved.order
    return f"{order.quantity} x {order.item}"


def pack(order: Order, label: str) -> Packed:
    """Put the goods in a box and the label on it."""
    return Packed(order, label)


def is_express(packed: Packed) -> bool:
    """Tell whether the parcel is urgent."""
    return packed.order.express


def services() -> Services[Inventory | Payments | Couriers]:
    """Say who does the work. The command line looks for this name; a test binds fakes instead."""
    path = Path(os.environ.get("SHOP_DATABASE", DATABASE))
    return Services().bind(Inventory).to(Inventory(path)).bind(Payments).to(Payments(path)).bind(Couriers).to(Vans())


checkout = (
    Workflow[Order]("checkout")
    .step(Inventory.reserve)
    .compensate(Inventory.release)
    .step(Payments.charge, retry=Retry(retry_on=("ConnectionError",)), attempt_timeout=10)
    .compensate(Payments.refund, in_doubt=Payments.void)
    .fork(Inventory.pick)
    .fork(print_label)
    .join(pack)
    .branch()
    .when(is_express, Couriers.express)
    .otherwise(Couriers.standard)
)
