"""Where a checker does not judge as it should. Each line here turns into an error once a checker has learnt it.

Both hand the type that is expected into the last call of a chain that is written in place, and infer its service from
there. A chain that has a name before it is given away is judged rightly: state a contract on a line of its own.
"""

from __future__ import annotations

from typing import assert_type

from orchestration import LocalEngine, Outcome, Services, Workflow, step
from orchestration.dsl.workflow import Step
from typecheck.shop import Charge, Mail, Order, Payments, Reserved, Smtp, reserve

reserved = Workflow[Order]("checkout").step(reserve)
charged = reserved.step(Payments.charge)
shipped = charged.step(Mail.send)
both = step(Payments.charge).step(Mail.send)
start = Workflow[Reserved]("checkout")
every = Services().bind(Payments).to(Payments()).bind(Mail).to(Smtp())

# --- mypy refuses what is right: it takes all expected services for that of the one method

assert_type(start.step(both), Step[Reserved, bool, Payments | Mail, Reserved])
start.step(step(Payments.charge).step(Mail.send))  # type: ignore[arg-type]
start.step(step(Payments.charge).step(Mail.send).pure(str))  # the last call brings no service

contract: Workflow[Order, bool, Payments | Mail] = shipped
in_place: Workflow[Order, bool, Payments | Mail] = charged.step(Mail.send)  # type: ignore[arg-type]


def returned() -> Workflow[Order, bool, Payments | Mail]:
    return charged.step(Mail.send)


async def run(order: Order) -> None:
    assert_type(await LocalEngine(every).execute(shipped, order), Outcome[bool])
    await LocalEngine(every).execute(charged.step(Mail.send), order)  # type: ignore[arg-type]
    assert_type(await charged.step(Mail.send).run(order, every), bool)  # nothing is expected of the chain here


# --- both accept what is wrong: where no service is expected, they lose the first that the last call brings

lost: Workflow[Order, Charge] = reserved.step(Payments.charge)
lost_too: Workflow[Order, Reserved] = reserved.tap(Payments.void)

# --- both accept what is wrong: a second parameter makes a function the method of a service, here of `float`


def scaled(factor: float, order: Order) -> float:
    raise NotImplementedError


assert_type(Workflow[Order]("checkout").step(scaled), Step[Order, float, float, Order])

# --- an async function is a function, so that what is pure may give what nobody awaits


async def read(order: Order) -> int:
    raise NotImplementedError


Workflow[Order]("checkout").pure(read)
