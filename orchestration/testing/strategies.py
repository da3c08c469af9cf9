"""Strategies of Hypothesis for workflows: runs, worlds, values, plans. They need the extra `testing`.

```python
from hypothesis import given
from orchestration.testing.strategies import runs

@given(run=runs(checkout, order, outcomes={Payments.charge: [Charge(1), Declined(), TIMES_OUT], ...}))
def test_who_is_declined_keeps_nothing(run: Trace[Parcel]) -> None:
    ...
```

What to take: `runs` for a test of your workflow; `fakes`, or `outcomes` by hand, where the time of things matters;
`inputs`, `values_of` and `values` for values; `schedules`, `workflows` and `plans` for what works on any workflow: an
engine, a journal, a handler of your own. The machine is in `orchestration.testing.machine`.
"""

from __future__ import annotations

from orchestration.testing.strategies_outcomes import fakes, faults, outcomes
from orchestration.testing.strategies_plans import plans, workflows
from orchestration.testing.strategies_runs import runs, schedules
from orchestration.testing.strategies_values import inputs, values, values_of

__all__ = [
    "fakes",
    "faults",
    "inputs",
    "outcomes",
    "plans",
    "runs",
    "schedules",
    "values",
    "values_of",
    "workflows",
]
