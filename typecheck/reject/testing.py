"""A fake that is given what does not fit."""

from __future__ import annotations

from orchestration import Signal, Workflow
from orchestration.testing import FakeHandler, answers
from typecheck.shop import Charge, Order, Payments, reserve

order = Order("1", [])
flow = Workflow[Order]("checkout").step(reserve).step(Payments.charge)
fake = FakeHandler()

fake.run(flow, 3)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
fake.run(Workflow[Order]("open").branch(), order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
fake.run(flow, order).value.nothing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
fake.send(Signal("approval", int), Charge("1"))  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
fake.on(reserve, take=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
fake.on(reserve, takes="long")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
fake.on(3, 4)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
answers(3, raises=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
FakeHandler(real=order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
