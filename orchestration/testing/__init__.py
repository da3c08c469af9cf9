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
from orchestration.testing.explore_invariants import about
from orchestration.testing.explore_outcomes import TIMES_OUT
from orchestration.testing.explore_ready import READY
from orchestration.testing.explore_report import Counterexample, Exploration
from orchestration.testing.explorer import explore, replay
from orchestration.testing.fakes import FakeHandler, Unanswered, Unasked
from orchestration.testing.inputs import MutatedInput
from orchestration.testing.play import WaitsForEver
from orchestration.testing.trace import Trace

__all__ = [
    "READY",
    "TIMES_OUT",
    "Answer",
    "Counterexample",
    "Exploration",
    "FakeHandler",
    "MutatedInput",
    "RealWait",
    "Trace",
    "Unanswered",
    "Unasked",
    "WaitsForEver",
    "about",
    "answers",
    "explore",
    "replay",
]
