"""The services that a chain needs, gathered in `R`, and what provides them."""

from __future__ import annotations

from typing import Never, assert_type

from orchestration import Services, Workflow, method, step
from orchestration.dsl.workflow import Mapped, Step
from typecheck.shop import (
    Archive,
    Balance,
    Cache,
    Charge,
    Disk,
    Mail,
    Order,
    OrdersOnly,
    OrderStore,
    Payments,
    Reserved,
    Scale,
    Smtp,
    Store,
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

# --- generic services: a Protocol, an ABC, a class

kept = start.step(Archive[Order].keep)
assert_type(kept, Step[Order, str, Archive[Order], Order])
assert_type(kept.step(Store[Order].load), Step[Order, Order, Archive[Order] | Store[Order], str])
assert_type(start.step(Store[Order].save), Step[Order, str, Store[Order], Order])
assert_type(start.tap(Cache[Order].put), Workflow[Order, Order, Cache[Order]])
assert_type(start.step(Cache[Order].put), Step[Order, Order, Cache[Order], Order])
assert_type(Services().bind(Archive[Order]).to(OrdersOnly()), Services[Archive[Order]])
assert_type(Services().bind(Archive[Order]).to(Disk()), Services[Archive[Order]])  # what keeps anything keeps orders
assert_type(Services().bind(Store[Order]).to(OrderStore()), Services[Store[Order]])
assert_type(Services().bind(Cache[Order]).to(Cache[Order]()), Services[Cache[Order]])
both_kept = Services().bind(Archive[Order]).to(Disk()).bind(Store[Order]).to(OrderStore())
assert_type(both_kept, Services[Archive[Order] | Store[Order]])


async def generic(order: Order) -> None:
    assert_type(await kept.run(order, Services().bind(Archive[Order]).to(Disk())), str)
    assert_type(await kept.step(Store[Order].load).run(order, both_kept), Order)
    anything: Services[Archive[object]] = Services().bind(Archive[object]).to(Disk())
    assert_type(await kept.step(Store[Order].load).run(order, both_kept.bind(Archive[object]).to(Disk())), Order)
    assert_type(anything, Services[Archive[object]])
