"""Going through the tree of a plan: what a node's children are, and how their paths follow from its own (S4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from orchestration.frozen import evolve
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
    from collections.abc import Iterator

Siblings = Literal["named", "item", "same"]
_INDEX = re.compile(r"\[\d+\]")
_ATTEMPT = re.compile(r"#\d+")


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it in preorder."""
    yield node
    for _, child in children_of(node):
        yield from walk(child)


def children_of(node: Node) -> tuple[tuple[Siblings, Node], ...]:
    """Return a node's children, each with how its path follows from the node's.

    `named`: a segment of its own, unique among its siblings; `item`: `[i]` behind the node's; `same`: the node's own.
    """
    match node:
        case Scope():
            return tuple(("named", child) for child in node.children)
        case Branch():
            arms = tuple(arm.node for arm in node.arms)
            last = () if node.otherwise is None else (node.otherwise,)
            return tuple(("named", child) for child in (*arms, *last))
        case Graph():
            return tuple(("named", vertex.node) for vertex in node.vertices)
        case Map() | Loop() | Fold():
            return (("item", node.body),)
        case Beside() | Compensated() | Timed() | Retried() | Recover():
            return (("same", node.body),)
        case Step() | Pure() | Cleanup() | Pivot() | Sleep() | WaitFor():  # pragma: no branch - the union is closed
            return ()


def with_children(node: Node, children: tuple[Node, ...]) -> Node:
    """Return the node with other children, given in the order of `children_of`."""
    match node:
        case Scope():
            return evolve(node, children=children)
        case Branch():
            arms = tuple(evolve(arm, node=child) for arm, child in zip(node.arms, children, strict=False))
            return evolve(node, arms=arms, otherwise=None if node.otherwise is None else children[-1])
        case Graph():
            pairs = zip(node.vertices, children, strict=True)
            return evolve(node, vertices=tuple(evolve(vertex, node=child) for vertex, child in pairs))
        case Map() | Loop() | Fold() | Beside() | Compensated() | Timed() | Retried() | Recover():
            return evolve(node, body=children[0])
        case Step() | Pure() | Cleanup() | Pivot() | Sleep() | WaitFor():  # pragma: no branch - the union is closed
            return node


def child_path(path: str, how: Siblings, name: str) -> str:
    """Return the path of a child (S4); an item's, which has no number yet, ends in `[]`."""
    match how:
        case "named":
            return f"{path}/{name}"
        case "item":
            return f"{path}[]"
        case "same":  # pragma: no branch - the union is closed, mypy sees to it
            return path


def static_path(path: str) -> str:
    """Return the path in the plan of a path in a run: without the numbers of items and attempts (S4).

    `audit/parse[3]/read` becomes `audit/parse[]/read`, `checkout/sub#2/reserve` becomes `checkout/sub/reserve`.
    """
    if "[" in path:
        path = _INDEX.sub("[]", path)
    return _ATTEMPT.sub("", path) if "#" in path else path
