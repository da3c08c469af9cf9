"""The table of constructs: a node's class, and the room that begins it. A new construct is one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.interpreter import beside, branch, compensated, group, pure, scope, step
from orchestration.plan.nodes import Beside, Branch, Compensated, Graph, Map, Node, Pure, Scope, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.turn import Ended, Frame, Turn

ROOMS: dict[type[Node], Callable[[Any, str, object, Turn], Frame | Ended]] = {
    Step: step.enter,
    Pure: pure.enter,
    Beside: beside.enter,
    Compensated: compensated.enter,
    Scope: scope.enter,
    Branch: branch.enter,
    Graph: group.enter,
    Map: group.enter,
}
