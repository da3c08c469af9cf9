"""Services that are missing, and objects that cannot do the work of their class."""

from __future__ import annotations

from orchestration import LocalEngine, Services, Workflow, method, step
from typecheck.shop import (
    Archive,
    Audit,
    Disk,
    Mail,
    MailOfText,
    MailThatCannotBeUnsent,
    Order,
    OrdersOnly,
    OrderStore,
    Payments,
    Reserved,
    Scale,
    Smtp,
    Store,
    read_lines,
    reserve,
)

start = Workflow[Order]("checkout")
shipped = start.step(reserve).step(Payments.charge).step(Mail.send)
outer = Workflow[Order]("outer").step(Workflow[Order]("middle").tap(shipped))
weighed = start.step(read_lines).map(step(Scale.weigh))
either = start.branch().when(lambda order: not order.lines, shipped).otherwise(Scale.count)
undone = start.step(reserve).compensate(Payments.void)
in_doubt_settled = start.step(reserve).step(Payments.charge).compensate(Payments.refund, in_doubt=Audit.note)
method_stated = start.step(reserve).step(method(Payments, Payments.charge))

some = Services().bind(Payments).to(Payments())
every = some.bind(Mail).to(Smtp())

# --- an implementation that is none

Services().bind(Payments).to(Smtp())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Services().bind(Payments).to(Payments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the class, not an object
Services().bind(Mail).to(MailThatCannotBeUnsent())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Services().bind(Mail).to(MailOfText())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Services().bind(Scale).to(Payments())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Services().bind(Mail)(Smtp())  # type: ignore[operator]  # pyright: ignore[reportCallIssue]
Services().bind("Mail").to(Smtp())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
not_enough: Services[Payments | Mail] = some  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
still_bound: Services[Mail] = every.bind(Mail)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

method(Payments, Mail.send)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]

# --- a service that is missing


async def by_run(order: Order) -> None:
    await shipped.run(order)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await shipped.run(order, some)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await shipped.run(order, Services())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await outer.run(order, some)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await weighed.run(order, every)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await either.run(order, every)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await undone.run(order)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]  # the undo needs it
    await method_stated.run(order)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await in_doubt_settled.run(order, some)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the in-doubt handler needs another
    await shipped.run(order, Payments())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


def by_run_sync(order: Order) -> None:
    shipped.run_sync(order)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    shipped.run_sync(order, some)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def by_an_engine(order: Order) -> None:
    await LocalEngine(some).execute(shipped, order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await LocalEngine(some).execute(outer, order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await LocalEngine(every).start(either, order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await LocalEngine().execute(shipped, order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await LocalEngine(grace=1.0).start(undone, order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await LocalEngine(Services()).execute(shipped, order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    LocalEngine(Payments())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# --- generic services

kept = start.step(Archive[Order].keep).step(Store[Order].load)

start.step(Archive[Reserved].keep)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
Services().bind(Archive[Reserved]).to(OrdersOnly())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Services().bind(Store[Reserved]).to(OrderStore())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Services().bind(Store[Order]).to(Disk())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
of_reserved: Services[Archive[Order]] = Services().bind(Archive[Reserved]).to(Disk())  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


async def generic(order: Order) -> None:
    archive = Services().bind(Archive[Order]).to(Disk())
    await kept.run(order)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await kept.run(order, archive)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await kept.run(order, archive.bind(Store[Reserved]).to(OrderStore()))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
