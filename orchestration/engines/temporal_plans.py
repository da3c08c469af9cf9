"""The plans that a process has for the workflows on a task queue, by fingerprint."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from orchestration.engines.temporal_fitness import check_fit
from orchestration.engines.temporal_hooks import described
from orchestration.errors import UnknownWorkflow
from orchestration.runtime.durable import durable_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from orchestration.engines.temporal_wire import Data
    from orchestration.interpreter.events import AnyEvent
    from orchestration.plan.compile import Compilable, Plan
    from orchestration.plan.hooks import Hook
    from orchestration.plan.sealing import Cipher


def _deaf(event: AnyEvent) -> None:
    """Hear nothing."""


@final
class Plans:
    """Plans by fingerprint, their secrets sealed by a cipher (S33), for runs of engines with these `hooks` (S31)."""

    def __init__(
        self,
        cipher: Cipher | None = None,
        listen: Callable[[AnyEvent], None] = _deaf,
        hooks: tuple[Hook, ...] | None = (),
    ) -> None:
        """Know none yet; `listen` is called with each event of their runs. Without `hooks` it takes all, to look on."""
        self._cipher = cipher
        self.listen = listen
        self.hooks: tuple[Hook, ...] = hooks or ()
        self._takes = None if hooks is None else described(hooks)
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

    @property
    def fingerprints(self) -> list[str]:
        """The fingerprints of all plans, in order."""
        return sorted(self._known)

    def takes(self, hooks: list[Data]) -> bool:
        """Tell whether the runs of an engine with these hooks are for it."""
        return self._takes is None or self._takes == hooks

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


def other_hooks(order: Data, theirs: list[Data], ours: tuple[Hook, ...]) -> UnknownWorkflow:
    """Return the error for a run of an engine that has other hooks than the worker (S31)."""
    names = ", ".join(hook.body.ref for hook in ours)
    return UnknownWorkflow(
        order["run"],
        found=f"a run of an engine with the hooks {', '.join(each['ref'] for each in theirs) or '(none)'}",
        expected=f"one with those of the worker: {names or '(none)'}",
        mend="Give TemporalEngine and TemporalWorker the same hooks=: until then the run waits for such a worker.",
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
    """A plan, the hooks of its engine, and who wants to be told of the events of its runs."""

    plan: Plan
    hooks: tuple[Hook, ...]
    listen: Callable[[AnyEvent], None]


def found(namespace: str, task_queue: str, order: Data) -> Found:
    """Return what a workflow on a task queue runs.

    Raises:
        UnknownWorkflow: if no worker in this process has it; then the workflow waits for one that has.
    """
    served = [plans for queue in (task_queue, ANY) for plans in _SERVED.get((namespace, queue), ())]
    hooks: list[Data] = order.get("hooks", [])
    fitting = [(plans, plan) for plans in served if (plan := plans.get(order["fingerprint"])) is not None]
    for plans, plan in fitting:
        if plans.takes(hooks):
            return Found(plan, plans.hooks, plans.listen)
    if fitting:
        raise other_hooks(order, hooks, fitting[0][0].hooks)
    raise unknown(order, [fingerprint for plans in served for fingerprint in plans.named(order["plan"])])
