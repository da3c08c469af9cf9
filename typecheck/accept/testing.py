"""A fake answers functions, methods and names; its trace has the type of the workflow's output."""

from __future__ import annotations

from typing import assert_type

from orchestration import Outcome, Services, Signal, Workflow, method
from orchestration.testing import FakeHandler, Trace, answers
from typecheck.shop import Charge, Order, Payments, Reserved, reserve

order = Order("1", [])
approval = Signal("approval", int)
flow = Workflow[Order]("checkout").step(reserve).step(Payments.charge)

fake = FakeHandler()
assert_type(fake.on(reserve, Reserved(order)), FakeHandler)
fake.on(Payments.charge, raises=ConnectionError, takes=3)
fake.on(method(Payments, Payments.charge), does=lambda _: Charge("1"), stubborn=True)
fake.on("reserve", each=[OSError, answers(Reserved(order), takes=1)]).on("checkout/reserve", hangs=True)
fake.send(approval, 3, at=60)

trace = fake.run(flow, order, deadline=60, cancel_at=3)
assert_type(trace, Trace[Charge])
assert_type(trace.value, Charge)
assert_type(trace.outcome, Outcome[Charge])
assert_type(trace.ran(Payments.charge, times=2), bool)
assert_type(trace.before("reserve", Payments.charge), bool)

FakeHandler(real=True)
FakeHandler(real=Services())
