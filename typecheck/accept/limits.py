"""Where mypy refuses what is right; pyright follows. An ignore that is no longer needed says that mypy has learnt it.

mypy hands the type that is expected into the last call of a chain that is written in place. Where that call brings a
service and two are expected, it takes both for the service of the one method. A chain that has a name first is fine.
"""

from __future__ import annotations

from typing import assert_type

from orchestration import LocalEngine, Outcome, Services, Workflow, step
from orchestration.dsl.workflow import Step
from typecheck.shop import Mail, Order, Payments, Reserved, Smtp, reserve

both = step(Payments.charge).step(Mail.send)
charged = Workflow[Order]("checkout").step(reserve).step(Payments.charge)
start = Workflow[Reserved]("checkout")
every = Services().bind(Payments).to(Payments()).bind(Mail).to(Smtp())

# --- as a body

assert_type(start.step(both), Step[Reserved, bool, Payments | Mail, Reserved])
start.step(step(Payments.charge).step(Mail.send))  # type: ignore[arg-type]
start.step(step(Payments.charge).step(Mail.send).pure(str))  # the last call brings no service

# --- as a contract

shipped = charged.step(Mail.send)
contract: Workflow[Order, bool, Payments | Mail] = shipped
in_place: Workflow[Order, bool, Payments | Mail] = charged.step(Mail.send)  # type: ignore[arg-type]


def named() -> Workflow[Order, bool, Payments | Mail]:
    workflow = charged.step(Mail.send)
    return workflow  # noqa: RET504 - the case


def returned() -> Workflow[Order, bool, Payments | Mail]:
    return charged.step(Mail.send)


# --- as an argument


async def run(order: Order) -> None:
    assert_type(await LocalEngine(every).execute(shipped, order), Outcome[bool])
    await LocalEngine(every).execute(charged.step(Mail.send), order)  # type: ignore[arg-type]
    assert_type(await charged.step(Mail.send).run(order, every), bool)  # nothing is expected of the chain here
