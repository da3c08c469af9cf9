"""Runs with the wrong value, and results taken for something else."""

from __future__ import annotations

from typing import assert_never

from orchestration import Cancelled, Failed, Handle, LocalEngine, Outcome, Succeeded, Workflow
from typecheck.shop import Charge, Express, Order, Reserved, charge, find_user, number, reserve

start = Workflow[Order]("checkout")
reserved = start.step(reserve)
either = start.branch().when(lambda order: not order.lines, find_user).otherwise(number)
express = Workflow[Express]("express").pure(lambda order: order.until)
engine = LocalEngine[object]()


def wants_charge(value: Charge) -> None:
    raise NotImplementedError


def wants_int(value: int) -> None:
    raise NotImplementedError


def wants_handle(handle: Handle[Charge]) -> None:
    raise NotImplementedError


def wants_outcome(outcome: Outcome[Charge]) -> None:
    raise NotImplementedError


async def by_run(order: Order) -> None:
    await reserved.run("order-17")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await reserved.run()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await express.run(order)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    wants_charge(await reserved.run(order))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    wants_int(await either.run(order))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reserved.run(order).order  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # not awaited
    await reserved.run_sync(order)  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # nothing to await
    await reserved.run(order, run_id="order-17")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # of an engine
    await start.branch().run(order)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def by_an_engine(order: Order) -> None:
    await engine.execute(reserved, "order-17")  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    await engine.execute(express, order)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    await engine.execute(reserve, order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await engine.execute(start.fork(reserve), order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await engine.execute(reserved, order, run_id=17)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    wants_handle(await engine.start(reserved, order))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    wants_charge(await engine.execute(reserved.step(charge), order))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the outcome, not the value
    outcome = await engine.execute(reserved, order)
    outcome.value  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]  # a run may have failed
    outcome.failure  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
    wants_outcome(outcome)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def by_matching(handle: Handle[Reserved]) -> None:
    handle.result().value  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    match await handle.result():
        case Succeeded(value=value):
            wants_charge(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        case Failed() as failed:
            failed.value  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        case Cancelled() as cancelled:
            cancelled.failure  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def by_matching_too_little(handle: Handle[Reserved]) -> str:
    outcome = await handle.result()
    match outcome:
        case Succeeded():
            return "done"
        case Failed():
            return "failed"
        case _:
            assert_never(outcome)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
