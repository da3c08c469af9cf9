"""What of a plan cannot run on Temporal: all of it at once, each with its path and the way to mend it (S6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.plan.flow import FLOW
from orchestration.plan.here import Here
from orchestration.plan.nodes import Cleanup, Map, Step
from orchestration.plan.report import Report
from orchestration.plan.shapes import streaming

if TYPE_CHECKING:
    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Node


def check_fit(plan: Plan) -> None:
    """Check that a plan says nothing that the Temporal engine would have to ignore.

    Raises:
        PlanErrors: with all that it says of this kind.
    """
    report = Report()

    def row(node: Node, here: Here) -> object:
        _look(node, here, report)
        return FLOW[type(node)](node, here)

    Here(plan.name, plan.takes, "", Report(), dict.fromkeys(FLOW, row)).flow(plan.root)
    report.close(plan.name)


def _look(node: Node, here: Here, report: Report) -> None:
    if isinstance(node, Step | Cleanup) and node.limit is not None:
        report.add(
            here.path,
            found=f"limit={node.limit!r}",
            expected="no named limit: workers on several machines share none",
            mend="Bound the attempts of a worker (max_concurrency), or those of the run (concurrency).",
        )
    if isinstance(node, Map) and streaming(here.given):
        report.add(
            here.path,
            found="a map over a stream",
            expected="a list, or what else is there as a whole",
            mend="Let a step read a page of it, and loop over the pages.",
        )
