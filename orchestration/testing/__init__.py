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
from orchestration.testing.laws import Law, LawsBroken
from orchestration.testing.laws_engine import ENGINE_LAWS, check_engine
from orchestration.testing.laws_handler import HANDLER_LAWS, check_handler
from orchestration.testing.laws_journal import DURABLE_JOURNAL_LAWS, JOURNAL_LAWS, check_journal
from orchestration.testing.loop import NothingToCome, NotVirtual, VirtualLoop
from orchestration.testing.play import WaitsForEver
from orchestration.testing.simulate import simulate
from orchestration.testing.simulate_report import Finding, Simulation
from orchestration.testing.strategies_missing import MissingExtra
from orchestration.testing.trace import Trace

__all__ = [
    "DURABLE_JOURNAL_LAWS",
    "ENGINE_LAWS",
    "HANDLER_LAWS",
    "JOURNAL_LAWS",
    "READY",
    "TIMES_OUT",
    "Answer",
    "Counterexample",
    "Exploration",
    "FakeHandler",
    "Finding",
    "Law",
    "LawsBroken",
    "MissingExtra",
    "MutatedInput",
    "NotVirtual",
    "NothingToCome",
    "RealWait",
    "Simulation",
    "Trace",
    "Unanswered",
    "Unasked",
    "VirtualLoop",
    "WaitsForEver",
    "about",
    "answers",
    "check_engine",
    "check_handler",
    "check_journal",
    "explore",
    "replay",
    "simulate",
]
