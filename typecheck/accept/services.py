"""The services that a chain needs, gathered in `R`, and what provides them."""

from __future__ import annotations

from typing import Never, assert_type

from orchestration import Services, Workflow, method, step
from orchestration.dsl.workflow import Mapped, Step
from typecheck.shop import (
    Balance,
    Charge,
    Mail,
    Order,
    Payments,
    Reserved,
    Scale,
    Smtp,
    TestPayments,
    User,
    read_lines,
    reserve,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)

# --- a method of a class, of a Protocol, of an ABC

charged = reserved.step(Payments.charge)
assert_type(charged, Step[Order, Charge, Payments, Reserved])
assert_type(charged.step(Mail.send), Step[Order, bool, Payments | Mail, Charge])
assert_type(start.step(Scale.count), Step[Order, int, Scale, Order])
assert_type(start.step(Scale.owner), Step[Order, User, Scale, Order])
assert_type(charged.step(Mail.send).pure(lambda sent: not sent), Workflow[Order, bool, Payments | Mail])

# --- wherever a body goes

assert_type(reserved.tap(Payments.void), Workflow[Order, Reserved, Payments])
assert_type(charged.tap(Mail.send), Workflow[Order, Charge, Payments | Mail])
assert_type(
    start.enrich(Scale.owner).into(lambda order, user: (order, user)), Step[Order, tuple[Order, User], Scale, Order]
)
assert_type(start.enrich(Scale.count).into(lambda order, n: order.lines[n]), Step[Order, int, Scale, Order])
assert_type(start.step(read_lines).map(Scale.weigh), Mapped[Order, float, Scale])
assert_type(start.fork(Scale.owner).fork(Scale.count).join(), Step[Order, tuple[User, int], Scale])
assert_type(reserved.branch().otherwise(Payments.charge), Workflow[Order, Charge, Payments])

# --- the needs of a workflow come along where it is a body

shipped = charged.step(Mail.send)
assert_type(start.step(shipped), Step[Order, bool, Payments | Mail, Order])
assert_type(start.step(Scale.count).step(Workflow[int]("next").pure(str)), Step[Order, str, Scale, int])
assert_type(start.tap(shipped), Workflow[Order, Order, Payments | Mail])
assert_type(start.enrich(shipped).into(lambda order, _: order), Step[Order, Order, Payments | Mail, Order])
assert_type(start.fork(shipped).fork(Scale.owner).join(), Step[Order, tuple[bool, User], Payments | Mail | Scale])
outer = Workflow[Order]("outer").step(Workflow[Order]("middle").step(shipped))
assert_type(outer, Step[Order, bool, Payments | Mail, Order])
item = step(Payments.charge).step(Mail.send)
assert_type(Workflow[list[Reserved]]("all").map(item), Mapped[list[Reserved], bool, Payments | Mail])

# --- a method of which the service is stated

assert_type(reserved.step(method(Payments, Payments.charge)), Step[Order, Charge, Payments, Reserved])
assert_type(reserved.step(method(TestPayments, TestPayments.charge)), Step[Order, Charge, TestPayments, Reserved])
assert_type(charged.step(method(Mail, Mail.send)), Step[Order, bool, Payments | Mail, Charge])
assert_type(start.step(method(Scale, Scale.count)), Step[Order, int, Scale, Order])

# --- providing them

assert_type(Services(), Services[Never])
some = Services().bind(Payments).to(Payments())
assert_type(some, Services[Payments])
assert_type(Services().bind(Payments).to(TestPayments()), Services[Payments])  # a subclass does the work
assert_type(Services().bind(Mail).to(Smtp()), Services[Mail])  # a Protocol asks only for its methods
assert_type(Services().bind(Scale).to(Balance()), Services[Scale])  # an ABC
assert_type(some.bind(Mail).to(Smtp()), Services[Payments | Mail])
every = some.bind(Mail).to(Smtp()).bind(Scale).to(Balance())
assert_type(every, Services[Payments | Mail | Scale])

enough: Services[Mail] = every  # more than is asked for
contract: Workflow[Order, bool, Payments | Mail] = shipped
longer: Workflow[Order, bool, Mail | Payments | Scale] = shipped
