"""The checkout example, run on a shop of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from examples.checkout import (
    Couriers,
    Inventory,
    Order,
    Packed,
    Paid,
    Parcel,
    Payments,
    Reserved,
    Vans,
    checkout,
    services,
)
from orchestration import Cancelled, Failed, LocalEngine, Outcome, Services, Succeeded
from orchestration.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

STOCK = 100  # pieces of tea in a new shop


class Shop:
    """A shop of its own for a test, with something to look at."""

    def __init__(self, path: Path) -> None:
        """Open a new shop."""
        self.path = path
        self.payments = Payments(path)
        self.couriers: Couriers = Vans()

    def services(self) -> Services[Inventory | Payments | Couriers]:
        """Bind the real services, or what a test put in their place."""
        bound = Services().bind(Inventory).to(Inventory(self.path))
        return bound.bind(Payments).to(self.payments).bind(Couriers).to(self.couriers)

    def order(self, order: Order, run_id: str = "order") -> Outcome[Parcel]:
        """Run a checkout, with every output checked against its declared type."""
        return asyncio.run(LocalEngine(self.services(), validate="all").execute(checkout, order, run_id=run_id))

    def one(self, query: str) -> int:
        """Return the number that a query gives."""
        with closing(sqlite3.connect(self.path)) as connection:
            (number,) = connection.execute(query).fetchone()
        assert isinstance(number, int)
        return number

    @property
    def tea(self) -> int:
        """How much tea is free."""
        return self.one("select free from stock where item = 'tea'")

    @property
    def charges(self) -> int:
        """How many charges stand."""
        return self.one("select count(*) from charges")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a new shop."""
    return Shop(tmp_path / "shop.db")


def test_an_order_becomes_a_parcel(shop: Shop) -> None:
    """The goods are taken from the stock, the card is charged, and the parcel goes to the cheap courier."""
    outcome = shop.order(Order("tea", quantity=3))
    assert outcome == Succeeded(Parcel("3 x tea", "standard"), run_id="order")
    assert (shop.tea, shop.charges) == (STOCK - 3, 1)
    assert shop.one("select cents from charges") == 3 * 450


def test_an_urgent_order_takes_the_express_courier(shop: Shop) -> None:
    """S13: the arm whose predicate holds is taken."""
    assert shop.order(Order("mug", express=True)) == Succeeded(Parcel("1 x mug", "express"), run_id="order")


def test_a_declined_card_gives_the_goods_back(shop: Shop) -> None:
    """S22: no charge landed, so only the reservation is undone."""
    outcome = shop.order(Order("tea", card="declined"))
    assert isinstance(outcome, Failed)
    assert (outcome.failure.path, outcome.failure.kind) == ("checkout/charge", "examples.checkout.Declined")
    assert outcome.rollback.undone == ("checkout/reserve",)
    assert outcome.rollback.verdict == "complete"
    assert (shop.tea, shop.charges) == (STOCK, 0)


@pytest.mark.parametrize("order", [Order("tea", quantity=STOCK + 1), Order("coffee")], ids=["too much", "unknown"])
def test_what_is_not_in_stock_cannot_be_reserved(shop: Shop, order: Order) -> None:
    """A reservation that fails takes nothing: there is nothing to undo."""
    outcome = shop.order(order)
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "examples.checkout.OutOfStock"
    assert outcome.rollback.verdict == "not needed"
    assert (shop.tea, shop.one("select count(*) from reservations")) == (STOCK, 0)


def test_a_courier_who_cannot_has_money_and_goods_returned_in_that_order(shop: Shop) -> None:
    """S23: steps are undone in the reverse of the plan's order."""
    outcome = shop.order(Order("tea", quantity=50, express=True))
    assert isinstance(outcome, Failed)
    assert outcome.failure.path == "checkout/branch/express"
    assert outcome.rollback.undone == ("checkout/charge", "checkout/reserve")
    assert (shop.tea, shop.charges) == (STOCK, 0)


def test_an_order_of_nothing_is_refused(shop: Shop) -> None:
    """S12: the input is validated before anything runs."""
    nothing: Any = {"item": "tea", "quantity": 0}
    with pytest.raises(InvalidInput, match="quantity"):
        shop.order(nothing)


class Unanswered(Payments):
    """Payments whose answer never comes: the charge happened, the caller does not know."""

    def charge(self, reserved: Reserved) -> Paid:
        """Charge, and time out."""
        super().charge(reserved)
        raise TimeoutError


def test_a_charge_in_doubt_is_voided(shop: Shop) -> None:
    """S22: after a timeout nobody knows whether the charge landed, so `void` settles it, and then the goods go back."""
    shop.payments = Unanswered(shop.path)
    outcome = shop.order(Order("tea"))
    assert isinstance(outcome, Failed)
    assert [str(step) for step in outcome.rollback.steps] == [
        "checkout/charge: in doubt, settled by its handler",
        "checkout/reserve: undone",
    ]
    assert (shop.tea, shop.charges) == (STOCK, 0)


class Waiting(Vans):
    """A courier who says when it is waited for."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self.waited_for = asyncio.Event()

    async def standard(self, packed: Packed) -> Parcel:
        """Come some time."""
        self.waited_for.set()
        return await super().standard(packed)


def test_an_order_cancelled_while_its_courier_is_awaited_is_rolled_back(shop: Shop) -> None:
    """S28: a cancel ends the wait, and everything before it is undone."""

    async def order_and_cancel() -> Outcome[Parcel]:
        shop.couriers = courier = Waiting()
        handle = await LocalEngine(shop.services()).start(checkout, Order("tea", pickup_seconds=3600))
        await courier.waited_for.wait()
        assert handle.cancel("changed my mind")
        return await handle.result()

    outcome = asyncio.run(order_and_cancel())
    assert isinstance(outcome, Cancelled)
    assert outcome.reason == "changed my mind"
    assert outcome.rollback.undone == ("checkout/charge", "checkout/reserve")
    assert (shop.tea, shop.charges) == (STOCK, 0)


def test_a_shop_is_stocked_once(shop: Shop) -> None:
    """A second order finds what the first has left."""
    shop.order(Order("tea", quantity=40), "first")
    shop.order(Order("tea", quantity=40), "second")
    assert (shop.tea, shop.charges) == (STOCK - 80, 2)


def test_an_order_that_is_run_again_is_reserved_and_charged_once(shop: Shop) -> None:
    """S5: the idempotency key is the same, so the services see that they have done it."""
    assert shop.order(Order("tea")) == shop.order(Order("tea"))
    assert (shop.tea, shop.charges) == (STOCK - 1, 1)


def test_the_services_are_in_the_file_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SHOP_DATABASE says where the shop is; a workflow runs with what `services` returns."""
    monkeypatch.setenv("SHOP_DATABASE", str(tmp_path / "named.db"))
    assert checkout.run_sync(Order("mug"), services()) == Parcel("1 x mug", "standard")
    assert (tmp_path / "named.db").exists()


def test_the_plan_shows_every_step() -> None:
    """The picture has the steps with their services, both arms and the undos; the plan names the services."""
    plan = checkout.compile()
    picture = plan.to_mermaid()
    for text in ("reserve", "charge", "pick", "print_label", "pack", "express", "standard", "Couriers", "undo: "):
        assert text in picture
    assert plan.services == tuple(f"examples.checkout:{name}" for name in ("Couriers", "Inventory", "Payments"))
