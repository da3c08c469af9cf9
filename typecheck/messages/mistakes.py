"""The mistakes that people really make, with what mypy and pyright say in `golden.txt`, word for word.

The line above a mistake is its title. Here and only here a checker is allowed to complain.
"""

from __future__ import annotations

from orchestration import Graph, LocalEngine, Node, Services, Workflow
from typecheck.shop import (
    Cart,
    Charge,
    Mail,
    MailThatCannotBeUnsent,
    Order,
    Payments,
    Smtp,
    User,
    apologise,
    cancel_order,
    double,
    find_cart,
    find_user,
    pay,
    price,
    read_lines,
    receipt,
    refund,
    release,
    reserve,
    weigh,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
paid = reserved.step(pay)
shipped = reserved.step(Payments.charge).step(Mail.send)
lines = start.step(read_lines)
count = start.pure(lambda order: len(order.lines))
charging = Workflow[Charge]("charging").step(receipt)
some = Services().bind(Payments).to(Payments())
every = some.bind(Mail).to(Smtp())


def swapped(cart: Cart, user: User) -> float:
    raise NotImplementedError


def excuse(error: Exception) -> str:
    raise NotImplementedError


def nothing_to_take() -> str:
    raise NotImplementedError


# 1. An async step does not take what the one before it gives
start.step(receipt)

# 2. A step that is no async function does not take what the one before it gives
start.step(apologise)

# 3. A step takes one of two things that the one before it may give
paid.step(receipt)

# 4. A method of a service does not take what the one before it gives
start.step(Payments.charge)

# 5. A workflow as a body does not take what the step before it gives
start.step(charging)

# 6. A step is called instead of given
start.step(reserve(Order("1", [])))

# 7. A step takes nothing
start.step(nothing_to_take)

# 8. A lambda asks for what is not there
start.step(lambda order: order.price)

# 9. An option is misspelt
start.step(reserve, attempt_timout=3)

# 10. An option has a value of the wrong type
start.step(reserve, retry=3)

# 11. There is no step to undo
start.compensate(release)

# 12. An undo takes what its step takes, not what it gives
reserved.compensate(cancel_order)

# 13. An in-doubt handler takes what its step gives, not what it takes
reserved.compensate(release, in_doubt=release)

# 14. A branch is left open
start.branch().when(lambda order: not order.lines, find_user).step(print)

# 15. An arm does not take what it is the case for
paid.branch().case(Charge, apologise)

# 16. A join takes what the arms give, in another order
start.fork(find_user).fork(find_cart).join(swapped)

# 17. A join takes less than there are arms
start.fork(find_user).fork(find_cart).join(refund)

# 18. A map over what has no items
start.map(weigh)

# 19. The body of a map takes all items instead of one
lines.map(len)

# 20. A loop whose body gives something else than it takes
count.loop(weigh, until=lambda _, i: i > 1, max_iterations=9)

# 21. A loop without a bound
count.loop(double, until=lambda _, i: i > 1)

# 22. A recovery takes the exception instead of the failure
reserved.recover(excuse, on=OSError)


def priced(g: Graph[Order]) -> Node[float]:
    user = g.node(find_user, g.input)
    # 23. A node does not take what it needs
    return g.node(price, user, user)


async def forgotten(order: Order) -> None:
    # 24. Services are forgotten altogether
    await shipped.run(order)

    # 25. One of the services is forgotten
    await shipped.run(order, some)

    # 26. One of the services is forgotten, with an engine
    await LocalEngine(some).execute(shipped, order)

    # 27. A run is given another input
    await reserved.run("order-17")

    # 28. The value of an outcome that may have none
    (await LocalEngine(every).execute(shipped, order)).value


# 29. An object cannot do the work of a service
Services().bind(Mail).to(MailThatCannotBeUnsent())

# 30. A workflow gives more than its contract says
contract: Workflow[Order, Charge] = paid

# 31. A workflow needs more than its contract says
needy: Workflow[Order, bool, Payments] = shipped
