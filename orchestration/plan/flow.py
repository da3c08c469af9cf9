"""Types along the plan: what each node gets and gives, and what of it cannot fit (S6, S7, S13).

One row a construct. A row checks its node and returns the type of its output; `Any` says that nothing is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.plan import flow_branch, flow_chain, flow_groups, flow_loops, flow_steps
from orchestration.plan.here import Here
from orchestration.plan.nodes import (
    Beside,
    Branch,
    Cleanup,
    Compensated,
    Fold,
    Graph,
    Loop,
    Map,
    Node,
    Pivot,
    Pure,
    Recover,
    Retried,
    Scope,
    Sleep,
    Step,
    Timed,
    WaitFor,
)

if TYPE_CHECKING:
    from orchestration.plan.here import Row
    from orchestration.plan.report import Report

FLOW: dict[type[Node], Row] = {
    Step: flow_steps.step,
    Pure: flow_steps.pure,
    Beside: flow_steps.beside,
    Compensated: flow_steps.compensated,
    Timed: flow_steps.timed,
    Retried: flow_steps.retried,
    Scope: flow_chain.scope,
    Recover: flow_chain.recover,
    Cleanup: flow_chain.cleanup,
    Pivot: flow_chain.pivot,
    Sleep: flow_chain.sleep,
    WaitFor: flow_chain.wait_for,
    Branch: flow_branch.branch,
    Graph: flow_groups.graph,
    Map: flow_groups.map_,
    Loop: flow_loops.loop,
    Fold: flow_loops.fold,
}


def flow(root: Scope, report: Report) -> object:
    """Check all nodes of a plan; return the type of the value at its end."""
    return Here(root.name, root.takes, f"the input of workflow {root.name!r}", report, FLOW).flow(root)
