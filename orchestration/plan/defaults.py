"""What a workflow says for all that is in it, resolved into the nodes: retries, compensations, hooks (S9, S26, S31)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import attrs

from orchestration.frozen import evolve, frozen
from orchestration.plan.hooks import asks_of
from orchestration.plan.nodes import Compensated, Scope, Step
from orchestration.plan.tree import children_of, walk, with_children
from orchestration.policies import Retry

if TYPE_CHECKING:
    from orchestration.plan.hooks import Hook
    from orchestration.plan.nodes import Compensation, Node
    from orchestration.policies import OnUndoFailure


@frozen
class Around:
    """What holds for a node because of the workflows around it."""

    retry: Retry | None = None
    on_undo_failure: OnUndoFailure = "hold"
    compensate_on_cancel: bool = True
    hooks: tuple[Hook, ...] = ()


def resolve_defaults(root: Scope) -> Scope:
    """Return the tree with each step's retry, each compensation's policy and what each step asks in the node itself.

    A nested workflow is a value of its own: it means the same wherever it stands, so it takes no default from outside.
    Only hooks reach inward: who gates or observes a workflow means all of it (S31).
    """
    return cast("Scope", _resolved(root, Around())) if any(_says_something(node) for node in walk(root)) else root


def _says_something(node: Node) -> bool:
    if isinstance(node, Scope):
        return (node.retry, node.on_undo_failure, node.compensate_on_cancel, node.hooks) != (None, "hold", True, ())
    return isinstance(node, Step) and bool(node.hooks or node.asks)


def _resolved(node: Node, around: Around) -> Node:
    if isinstance(node, Scope):
        around = Around(
            node.retry if isinstance(node.retry, Retry) else None,
            node.on_undo_failure,
            node.compensate_on_cancel,
            (*around.hooks, *node.hooks),
        )
    if isinstance(node, Step):
        retry = around.retry if node.retry is None else node.retry
        return evolve(
            node,
            retry=retry,
            asks=asks_of((*around.hooks, *node.hooks)),
            compensation=None if node.compensation is None else _compensation(node.compensation, around),
        )
    if isinstance(node, Compensated):
        node = evolve(node, compensation=_compensation(node.compensation, around))
    return with_children(node, tuple(_resolved(child, around) for _, child in children_of(node)))


def _compensation(compensation: Compensation, around: Around) -> Compensation:
    return attrs.evolve(compensation, on_failure=around.on_undo_failure, on_cancel=around.compensate_on_cancel)
