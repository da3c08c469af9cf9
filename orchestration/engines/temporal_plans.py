"""The plans that a process has for the workflows on a task queue, by fingerprint."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from orchestration.engines.temporal_fitness import check_fit
from orchestration.errors import UnknownWorkflow
from orchestration.runtime.durable import durable_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from orchestration.engines.temporal_wire import Data
    from orchestration.interpreter.events import AnyEvent
    from orchestration.plan.compile import Compilable, Plan
    from orchestration.plan.sealing import Cipher


def _deaf(event: AnyEvent) -> None:
    """Hear nothing."""


@final
class Plans:
    """Plans by fingerprint, their secrets sealed by a cipher (S33)."""

    def __init__(self, cipher: Cipher | None = None, listen: Callable[[AnyEvent], None] = _deaf) -> None:
        """Know none yet; `listen` is called with each event of their runs."""
        self._cipher = cipher
        self.listen = listen
        self._known: dict[str, Plan] = {}

    def add(self, workflow: Compilable[Any, Any, Any]) -> Plan:
        """Know a workflow; return its plan as it is run on Temporal.

        Raises:
            PlanErrors: if it does not compile, or cannot run there.
        """
        plan = workflow.compile()
        check_fit(plan)
        return self.keep(durable_plan(plan, self._cipher))

    def keep(self, plan: Plan) -> Plan:
        """Know a plan that is ready to be run."""
        self._known[plan.fingerprint] = plan
        return plan

    def get(self, fingerprint: str) -> Plan | None:
        """Return the plan with a fingerprint, if it is known."""
        return self._known.get(fingerprint)

    def named(self, name: str) -> list[str]:
        """Return the fingerprints of the plans of this name."""
        return [fingerprint for fingerprint, plan in self._known.items() if plan.name == name]


def unknown(order: Data, others: list[str]) -> UnknownWorkflow:
    """Return the error for a run of a plan that a process does not have; it has `others` of that name."""
    return UnknownWorkflow(
        order["run"],
        found=f"a run of {order['plan']!r} with the fingerprint {order['fingerprint']}",
        expected=f"one with {' or '.join(others)}" if others else "a workflow that this worker has",
        mend="Start a worker with the workflow as it was when the run began: until then the run waits for one.",
    )


ANY = ""  # task queue: a replay has one of its own

_SERVED: Final[dict[tuple[str, str], list[Plans]]] = {}  # Temporal makes the workflow objects itself


@contextmanager
def serving(namespace: str, task_queue: str, plans: Plans) -> Generator[None]:
    """Let the workflows of a task queue that run in this process find these plans."""
    served = _SERVED.setdefault((namespace, task_queue), [])
    served.append(plans)
    try:
        yield
    finally:
        served.remove(plans)


class Found(NamedTuple):
    """A plan, and who wants to be told of the events of its runs."""

    plan: Plan
    listen: Callable[[AnyEvent], None]


def found(namespace: str, task_queue: str, order: Data) -> Found:
    """Return what a workflow on a task queue runs.

    Raises:
        UnknownWorkflow: if no worker in this process has it; then the workflow waits for one that has.
    """
    served = [plans for queue in (task_queue, ANY) for plans in _SERVED.get((namespace, queue), ())]
    for plans in served:
        plan = plans.get(order["fingerprint"])
        if plan is not None:
            return Found(plan, plans.listen)
    raise unknown(order, [fingerprint for plans in served for fingerprint in plans.named(order["plan"])])
