"""Recoveries add to the union; cleanups, pivots and waits pass the value on."""

from __future__ import annotations

from typing import Never, assert_type

from orchestration import DeadlineExceeded, Failure, Retry, Signal, Workflow, step
from orchestration.dsl.workflow import Step
from typecheck.shop import (
    Charge,
    Declined,
    Mail,
    Order,
    Payments,
    Reserved,
    User,
    charge,
    find_user,
    log,
    receipt,
    refund,
    release,
    reserve,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
paid = reserved.step(Payments.charge)


def declined(failure: Failure) -> Declined:
    raise NotImplementedError


async def none(failure: Failure) -> None:
    raise NotImplementedError


class Desk:
    def decline(self, failure: Failure) -> Declined:
        raise NotImplementedError

    async def decline_later(self, failure: Failure) -> Declined:
        raise NotImplementedError


# --- recover

assert_type(reserved.step(charge).recover(declined, on=OSError), Workflow[Order, Charge | Declined, Never])
assert_type(paid.recover(none, on=(OSError, DeadlineExceeded)), Workflow[Order, Charge | None, Payments])
assert_type(reserved.recover(Desk.decline, on=Exception), Workflow[Order, Reserved | Declined, Desk])
assert_type(
    paid.recover(Desk.decline_later, on=OSError, on_partial="continue", retry=Retry(), timeout=3, name="decline"),
    Workflow[Order, Charge | Declined, Payments | Desk],
)
assert_type(reserved.recover(lambda failure: failure.message, on=OSError), Workflow[Order, Reserved | str, Never])
assert_type(
    reserved.recover(step(declined).step(log), on=OSError, on_partial="continue", retry=Retry()),
    Workflow[Order, Reserved | None, Never],
)
settled = reserved.step(charge).recover(declined, on=OSError)
assert_type(settled.branch().case(Charge, receipt).otherwise(lambda _: ""), Workflow[Order, str, Never])
assert_type(settled.recover(none, on=ValueError), Workflow[Order, Charge | Declined | None, Never])

# --- cleanup, pivot, sleep

assert_type(reserved.cleanup(release), Workflow[Order, Reserved, Never])
assert_type(
    reserved.cleanup(log, retry=Retry(), timeout=3, limit="stock", name="tidy"), Workflow[Order, Reserved, Never]
)
assert_type(reserved.cleanup(Payments.void), Workflow[Order, Reserved, Payments])
assert_type(paid.cleanup(Mail.send), Workflow[Order, Charge, Payments | Mail])
assert_type(reserved.pivot(), Workflow[Order, Reserved, Never])
assert_type(paid.pivot(name="no way back").sleep(0.5, name="rest"), Workflow[Order, Charge, Payments])

# --- signals

approval = Signal("approval", User)
number = Signal("number", int)


def approve(reserved: Reserved, user: User) -> Charge:
    raise NotImplementedError


assert_type(approval, Signal[User])
assert_type(reserved.wait_for(approval), Workflow[Order, User, Never])
assert_type(reserved.wait_for(number, timeout=3600, name="how many"), Workflow[Order, int, Never])
assert_type(reserved.wait_for(approval, approve), Workflow[Order, Charge, Never])
assert_type(
    paid.wait_for(approval, lambda charge, user: (charge, user.name), timeout=3),
    Workflow[Order, tuple[Charge, str], Payments],
)

# --- options of workflows, and of bodies that are workflows

assert_type(Workflow[Order]("checkout", max_concurrency=8, retry=Retry()), Workflow[Order, Order, Never])
Workflow[Order]("checkout", on_undo_failure="halt", compensate_on_cancel=False)
inner = step(reserve).step(charge)
assert_type(start.step(inner, retry=Retry(), timeout=60, on_partial="continue"), Step[Order, Charge, Never, Order])
assert_type(start.tap(inner, timeout=60), Workflow[Order, Order, Never])
assert_type(start.fork(inner, timeout=60).fork(find_user).join(), Step[Order, tuple[Charge, User], Never])
assert_type(start.branch().otherwise(inner, retry=Retry()), Workflow[Order, Charge, Never])
assert_type(start.enrich(inner, timeout=60).into(lambda _, paid: paid), Step[Order, Charge, Never, Order])
assert_type(step(inner, retry=Retry()), Step[Order, Charge, Never, Order])
assert_type(
    start.step(reserve, timeout=9, limit="stock", run_in="process").compensate(release),
    Workflow[Order, Reserved, Never],
)
assert_type(start.step(inner, timeout=60).compensate(refund), Workflow[Order, Charge, Never])
