"""The test kit: workflows run against fakes, on a clock that costs no time, without an event loop.

```python
fake = FakeHandler()
fake.on(reserve, Reserved(1))
fake.on(Payments.charge, each=[ConnectionError("gone"), Charge(2)])
trace = fake.run(checkout, order)
assert trace.ran(Payments.charge, times=2)
```
"""

from orchestration.testing.answers import Answer, RealWait, answers
from orchestration.testing.fakes import FakeHandler, Unanswered, Unasked
from orchestration.testing.inputs import MutatedInput
from orchestration.testing.play import WaitsForEver
from orchestration.testing.trace import Trace

__all__ = [
    "Answer",
    "FakeHandler",
    "MutatedInput",
    "RealWait",
    "Trace",
    "Unanswered",
    "Unasked",
    "WaitsForEver",
    "answers",
]
