"""Typed, fluent workflows that are values: composed, checked, tested and run as such.

```python
checkout = (
    Workflow[Order]("checkout")
    .step(reserve).compensate(release)
    .step(Payments.charge).compensate(Payments.refund)
)
receipt = await checkout.run(order, Services().bind(Payments).to(StripePayments()))
```
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from orchestration.dsl.graph import graph
from orchestration.dsl.graph_builder import Graph
from orchestration.dsl.handles import Node, Race
from orchestration.dsl.single import step
from orchestration.dsl.workflow import Workflow
from orchestration.errors import DeadlineExceeded, OrchestrationError, PlanErrors, WorkflowCancelled, WorkflowFailed
from orchestration.failures import Failure
from orchestration.outcomes import Cancelled, Failed, Outcome, Rollback, Succeeded
from orchestration.plan.body import method
from orchestration.plan.compile import Plan
from orchestration.plan.hooks import Veto, gate, observer
from orchestration.plan.registry import Registry
from orchestration.plan.secrets import Secret
from orchestration.policies import Retry, tolerate
from orchestration.results import Err, NotStarted, Ok
from orchestration.signals import Signal

if TYPE_CHECKING:
    from orchestration.journal.sqlite import SqliteJournal
    from orchestration.runtime.admission import Limits
    from orchestration.runtime.context import StepContext, step_context
    from orchestration.runtime.handle import Handle
    from orchestration.runtime.local import LocalEngine
    from orchestration.runtime.services import Services
    from orchestration.runtime.tokens import CancelToken
    from orchestration.runtime.worker import Worker

__version__ = "0.5.0rc1"

__all__ = [
    "CancelToken",
    "Cancelled",
    "DeadlineExceeded",
    "Err",
    "Failed",
    "Failure",
    "Graph",
    "Handle",
    "Limits",
    "LocalEngine",
    "Node",
    "NotStarted",
    "Ok",
    "OrchestrationError",
    "Outcome",
    "Plan",
    "PlanErrors",
    "Race",
    "Registry",
    "Retry",
    "Rollback",
    "Secret",
    "Services",
    "Signal",
    "SqliteJournal",
    "StepContext",
    "Succeeded",
    "Veto",
    "Worker",
    "Workflow",
    "WorkflowCancelled",
    "WorkflowFailed",
    "gate",
    "graph",
    "method",
    "observer",
    "step",
    "step_context",
    "tolerate",
]


_LATER = {  # what is imported when it is asked for: who defines workflows, and runs none, needs none of it
    "CancelToken": "runtime.tokens",
    "Handle": "runtime.handle",
    "Limits": "runtime.admission",
    "LocalEngine": "runtime.local",
    "Services": "runtime.services",
    "SqliteJournal": "journal.sqlite",
    "StepContext": "runtime.context",
    "Worker": "runtime.worker",
    "step_context": "runtime.context",
}


def __getattr__(name: str) -> object:
    """Import something when it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(_import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names that there are, also those that have not been asked for."""
    return sorted({*globals(), *__all__})
