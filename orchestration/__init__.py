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

from orchestration.dsl.workflow import Workflow, step
from orchestration.errors import OrchestrationError, PlanErrors, WorkflowCancelled, WorkflowFailed
from orchestration.failures import Failure
from orchestration.outcomes import Cancelled, Failed, Outcome, Rollback, Succeeded
from orchestration.plan.body import method
from orchestration.plan.compile import Plan
from orchestration.plan.registry import Registry
from orchestration.policies import Retry
from orchestration.runtime.context import StepContext, step_context
from orchestration.runtime.local import Handle, LocalEngine
from orchestration.runtime.services import Services

__version__ = "0.1.0rc1"

__all__ = [
    "Cancelled",
    "Failed",
    "Failure",
    "Handle",
    "LocalEngine",
    "OrchestrationError",
    "Outcome",
    "Plan",
    "PlanErrors",
    "Registry",
    "Retry",
    "Rollback",
    "Services",
    "StepContext",
    "Succeeded",
    "Workflow",
    "WorkflowCancelled",
    "WorkflowFailed",
    "method",
    "step",
    "step_context",
]
