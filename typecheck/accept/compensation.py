"""An undo takes what its step gave, an in-doubt handler what its step was given."""

from __future__ import annotations

from typing import Never, assert_type

from orchestration import Retry, Workflow, step
from orchestration.dsl.workflow import Step
from typecheck.shop import (
    Audit,
    Cart,
    Charge,
    Mail,
    Order,
    Payments,
    Reserved,
    User,
    cancel_order,
    charge,
    find_cart,
    find_user,
    log,
    price,
    read_lines,
    refund,
    release,
    reserve,
    weigh,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)

# --- undo

assert_type(reserved.compensate(release), Workflow[Order, Reserved, Never])
assert_type(reserved.step(charge).compensate(refund), Workflow[Order, Charge, Never])
assert_type(reserved.compensate(log), Workflow[Order, Reserved, Never])  # takes any object
assert_type(reserved.compensate(lambda reserved: reserved.order), Workflow[Order, Reserved, Never])
assert_type(reserved.step(Payments.charge).compensate(Payments.refund), Workflow[Order, Charge, Payments])
assert_type(reserved.step(charge).compensate(Payments.refund), Workflow[Order, Charge, Payments])
assert_type(reserved.step(Payments.charge).compensate(refund), Workflow[Order, Charge, Payments])

# --- in doubt

assert_type(reserved.compensate(release, in_doubt=cancel_order), Workflow[Order, Reserved, Never])
assert_type(
    reserved.step(Payments.charge).compensate(Payments.refund, in_doubt=Payments.void),
    Workflow[Order, Charge, Payments],
)
assert_type(
    reserved.step(Payments.charge).compensate(Payments.refund, in_doubt=release), Workflow[Order, Charge, Payments]
)
assert_type(
    reserved.step(Payments.charge).compensate(Payments.refund, in_doubt=Audit.note),
    Workflow[Order, Charge, Payments | Audit],
)
assert_type(reserved.step(charge).compensate(Payments.refund, timeout=5), Workflow[Order, Charge, Payments])
assert_type(reserved.step(charge).compensate(refund, in_doubt=Payments.void), Workflow[Order, Charge, Payments])
assert_type(reserved.compensate(release, in_doubt=lambda order: order.id), Workflow[Order, Reserved, Never])

# --- options

reserved.compensate(release, in_doubt_on=TimeoutError, retry=Retry(max_attempts=5), timeout=10)
reserved.compensate(release, in_doubt=cancel_order, in_doubt_on=(TimeoutError, OSError), timeout=2.5)

# --- wherever there is one step to undo

assert_type(start.fork(find_user).fork(find_cart).join(price).compensate(log), Workflow[Order, float, Never])
assert_type(start.fork(find_user).fork(find_cart).join().compensate(log), Workflow[Order, tuple[User, Cart], Never])
assert_type(start.step(read_lines).map(weigh).compensate(log), Workflow[Order, list[float], Never])
assert_type(start.enrich(reserve).into(lambda _, got: got).compensate(release), Workflow[Order, Reserved, Never])
assert_type(step(Mail.send).compensate(Mail.unsend), Workflow[Charge, bool, Mail])
assert_type(
    step(Payments.charge).compensate(Payments.refund).step(Mail.send), Step[Reserved, bool, Payments | Mail, Charge]
)
assert_type(start.step(reserved.step(charge)).compensate(refund), Workflow[Order, Charge, Never])
