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
from orchestration.runtime.admission import Limits
from orchestration.runtime.context import StepContext, step_context
from orchestration.runtime.handle import Handle
from orchestration.runtime.local import LocalEngine
from orchestration.runtime.services import Services
from orchestration.runtime.tokens import CancelToken
from orchestration.runtime.worker import Worker
from orchestration.signals import Signal

if TYPE_CHECKING:
    from orchestration.journal.sqlite import SqliteJournal

__version__ = "0.4.0rc1"

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


def __getattr__(name: str) -> object:
    """Import what few need and what costs much to import when it is asked for."""
    if name != "SqliteJournal":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from orchestration.journal.sqlite import SqliteJournal  # noqa: PLC0415 - as said

    return SqliteJournal
