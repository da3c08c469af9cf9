"""The checkout example, tested with fakes as somebody would who has just met them."""

from __future__ import annotations

import pytest

from examples.approvals import ANSWER, Answer, Claim, Desk, approval
from examples.checkout import Couriers, Declined, Inventory, Order, Paid, Parcel, Payments, Reserved, checkout, pack
from orchestration import Cancelled, Services
from orchestration.testing import FakeHandler, answers

ORDER = Order("tea", quantity=2)
RESERVED = Reserved("r-1", ORDER, 900)
PAID = Paid(RESERVED)
PARCEL = Parcel("2 x tea", "standard")


@pytest.fixture
def shop() -> FakeHandler:
    """Return a shop in which all goes well. What needs no service does its own work."""
    fake = FakeHandler(real=True)
    fake.on(Inventory.reserve, RESERVED)
    fake.on(Payments.charge, PAID)
    fake.on(Inventory.pick, ORDER)
    fake.on(Couriers.standard, PARCEL)
    return fake


def test_an_order_becomes_a_parcel(shop: FakeHandler) -> None:
    """The value is that of the last step; nothing took any time."""
    trace = shop.run(checkout, ORDER)
    assert trace.value == PARCEL
    assert trace.undone == []
    assert trace.seconds == 0
    assert trace.before(Inventory.reserve, Payments.charge)
    assert not trace.ran(Couriers.express)


def test_a_declined_card_gives_the_goods_back(shop: FakeHandler) -> None:
    """S22: no charge landed, so only the reservation is undone."""
    shop.on(Payments.charge, Declined("stolen"))
    trace = shop.run(checkout, ORDER)
    assert trace.failure.kind == "examples.checkout.Declined"
    assert trace.undone == ["checkout/reserve"]
    assert trace.inputs(Inventory.release) == [RESERVED]
    assert not trace.ran(Inventory.pick)


def test_a_lost_connection_is_tried_again_later(shop: FakeHandler) -> None:
    """S9: the backoff passes on the virtual clock."""
    shop.on(Payments.charge, each=[ConnectionError("gone"), ConnectionError("gone"), PAID])
    trace = shop.run(checkout, ORDER)
    assert trace.value == PARCEL
    assert trace.ran(Payments.charge, times=3)
    assert 0 < trace.seconds < 3


def test_a_charge_in_doubt_is_voided(shop: FakeHandler) -> None:
    """S22: nobody knows whether a charge without an answer has landed, so `void` settles it."""
    shop.on(Payments.charge, hangs=True)
    trace = shop.run(checkout, ORDER)
    assert trace.seconds == 10
    assert trace.inputs(Payments.void) == [RESERVED]
    assert not trace.ran(Payments.refund)
    assert trace.undone == ["checkout/charge", "checkout/reserve"]


def test_an_order_cancelled_while_its_courier_is_awaited_is_rolled_back(shop: FakeHandler) -> None:
    """S28: the cancel ends the wait, and everything before it is undone."""
    shop.on(Couriers.standard, PARCEL, takes=3600)
    trace = shop.run(checkout, ORDER, cancel_at=60)
    assert isinstance(trace.outcome, Cancelled)
    assert trace.seconds == 60
    assert trace.before(Payments.refund, Inventory.release)


def test_a_fork_waits_for_the_slower_arm(shop: FakeHandler) -> None:
    """S14: the join begins when both are done."""
    shop.on(Inventory.pick, ORDER, takes=30).on("print_label", answers("2 x tea", takes=5))
    trace = shop.run(checkout, ORDER)
    assert trace.seconds == 30
    assert trace.inputs(pack) == [(ORDER, "2 x tea")]


def test_a_claim_that_nobody_answers_is_set_aside_after_its_reminders() -> None:
    """S21: the waits time out on the virtual clock."""
    fake = FakeHandler(real=Services().bind(Desk).to(Desk()))
    trace = fake.run(approval, Claim("Cem", 900))
    assert trace.value.text == "set aside: nobody answers"
    assert trace.ran(Desk.ask, times=3)
    assert trace.ran(Desk.close, times=1)
    assert trace.cleanups == ["approval/close"]


def test_a_claim_that_is_answered_after_a_reminder_is_paid() -> None:
    """S21: the signal goes to the wait that is there when it comes."""
    desk = Desk()
    fake = FakeHandler(real=Services().bind(Desk).to(desk)).send(ANSWER, Answer(granted=True, by="Kim"), at=0.15)
    trace = fake.run(approval, Claim("Ann", 4200))
    assert trace.value.paid == 4200
    assert trace.ran(Desk.ask, times=2)
    assert desk.cents == 100_000 - 4200
