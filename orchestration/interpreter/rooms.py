"""The table of constructs: a node's class, and the room that begins it. A new construct is one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.interpreter import (
    beside,
    branch,
    compensated,
    group,
    pure,
    repeat,
    retried,
    scope,
    step,
    timed,
    waits,
)
from orchestration.plan.nodes import (
    Beside,
    Branch,
    Compensated,
    Fold,
    Graph,
    Loop,
    Map,
    Node,
    Pure,
    Retried,
    Scope,
    Sleep,
    Step,
    Timed,
    WaitFor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.turn import Ended, Frame, Turn

# a scope takes care of `Recover`, `Cleanup` and `Pivot` itself: they are no nodes that begin
ROOMS: dict[type[Node], Callable[[Any, str, Any, Turn], Frame | Ended]] = {
    Step: step.enter,
    Pure: pure.enter,
    Beside: beside.enter,
    Compensated: compensated.enter,
    Timed: timed.enter,
    Retried: retried.enter,
    Scope: scope.enter,
    Sleep: waits.sleep,
    WaitFor: waits.wait_for,
    Loop: repeat.loop,
    Fold: repeat.fold,
    Branch: branch.enter,
    Graph: group.enter,
    Map: group.enter,
}
