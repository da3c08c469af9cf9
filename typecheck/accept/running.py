"""What a run takes, and what it gives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Never, assert_never, assert_type

from orchestration import (
    Cancelled,
    Failed,
    Failure,
    Handle,
    LocalEngine,
    Outcome,
    Plan,
    Rollback,
    Services,
    StepContext,
    Succeeded,
    Workflow,
    step,
    step_context,
)
from orchestration.interpreter.events import AnyEvent
from typecheck.shop import (
    Balance,
    Charge,
    Express,
    Mail,
    Order,
    Payments,
    Reserved,
    Scale,
    Smtp,
    User,
    find_user,
    number,
    reserve,
)

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
shipped = reserved.step(Payments.charge).compensate(Payments.refund).step(Mail.send)
either = start.branch().when(lambda order: not order.lines, find_user).otherwise(number)

some = Services().bind(Payments).to(Payments())
every = some.bind(Mail).to(Smtp())
more = every.bind(Scale).to(Balance())


async def by_run(order: Order, express: Express) -> None:
    assert_type(await start.run(order), Order)
    assert_type(await reserved.run(order), Reserved)
    assert_type(await reserved.run(express), Reserved)
    assert_type(await reserved.run(order, Services()), Reserved)
    assert_type(await reserved.run(order, every), Reserved)  # needs none of them
    assert_type(await shipped.run(order, every), bool)
    assert_type(await shipped.run(order, services=every), bool)
    assert_type(await shipped.run(order, more), bool)
    assert_type(await either.run(order), User | int)
    assert_type(await step(find_user).run(order), User)


def by_run_sync(order: Order) -> None:
    assert_type(reserved.run_sync(order), Reserved)
    assert_type(shipped.run_sync(order, every), bool)
    assert_type(either.run_sync(order), User | int)


async def by_an_engine(order: Order) -> None:
    engine = LocalEngine(every)
    assert_type(engine, LocalEngine[Payments | Mail])
    assert_type(await engine.execute(shipped, order), Succeeded[bool] | Failed | Cancelled)
    assert_type(await engine.execute(reserved, order, run_id="order-17"), Succeeded[Reserved] | Failed | Cancelled)
    assert_type(await engine.execute(either, order), Outcome[User | int])
    assert_type(await LocalEngine(more).execute(shipped, order), Outcome[bool])

    handle = await engine.start(shipped, order)
    assert_type(handle, Handle[bool])
    assert_type(await handle.result(), Succeeded[bool] | Failed | Cancelled)
    assert_type(handle.cancel("not wanted any more"), bool)
    assert_type(handle.run_id, str)
    assert_type(handle.plan, Plan)
    assert_type(handle.events(), AsyncIterator[AnyEvent])


async def by_an_engine_without_services(order: Order) -> None:
    engine = LocalEngine()
    assert_type(engine, LocalEngine[Never])
    assert_type(await engine.execute(reserved, order), Succeeded[Reserved] | Failed | Cancelled)
    assert_type(await LocalEngine(grace=1.0).execute(reserved, order), Outcome[Reserved])
    assert_type(await LocalEngine(validate="all", max_threads=2).start(reserved, order), Handle[Reserved])


async def by_matching(handle: Handle[Reserved]) -> str:
    outcome = await handle.result()
    assert_type(outcome.rollback, Rollback)
    match outcome:
        case Succeeded(value=value):
            assert_type(value, Reserved)
            return value.order.id
        case Failed(failure=failure):
            assert_type(failure, Failure)
            return failure.message
        case Cancelled(reason=reason):
            return reason
        case _:
            assert_never(outcome)


async def by_isinstance(order: Order) -> None:
    outcome = await LocalEngine(some).execute(reserved.step(Payments.charge), order)
    if isinstance(outcome, Succeeded):
        assert_type(outcome, Succeeded[Charge])
        assert_type(outcome.value, Charge)
    else:
        assert_type(outcome, Failed | Cancelled)


def in_a_step(order: Order) -> str:
    assert_type(step_context(), StepContext)
    return step_context().idempotency_key + order.id
