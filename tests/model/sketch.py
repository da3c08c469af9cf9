"""A plan in a few lines that a person can read: what a failing example of the model is shown as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from orchestration.plan.body import Body
from orchestration.plan.nodes import Branch, Compensation, Graph, Node, Scope
from orchestration.policies import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = ("name", "number", "takes", "version", "recovers", "topology", "children", "vertices", "arms", "otherwise")


def sketch(node: Node, depth: int = 0, label: str = "") -> str:
    """Return a node and all below it, a line each."""
    options = ", ".join(_options(node))
    lines = ["  " * depth + f"{label}{type(node).__name__} {node.name}({options})"]
    lines += [sketch(child, depth + 1, mark) for mark, child in _below(node)]
    return "\n".join(lines)


def _below(node: Any) -> Iterator[tuple[str, Node]]:
    match node:
        case Scope():
            yield from (("", child) for child in node.children)
        case Branch():
            yield from (("when: ", arm.node) for arm in node.arms)
            if node.otherwise is not None:
                yield "otherwise: ", node.otherwise
        case Graph():
            yield from ((f"{list(vertex.needs)}: " if vertex.needs else "", vertex.node) for vertex in node.vertices)
        case _:
            body = getattr(node, "body", None)
            if body is not None and not isinstance(body, Body):
                yield "", body


def _options(node: Any) -> Iterator[str]:
    for field in attrs.fields(type(node)):
        value = getattr(node, field.name)
        if (
            field.name in HIDDEN
            or value is None
            or value == field.default
            or (attrs.has(type(value)) and field.name == "body" and not isinstance(value, Body))
        ):
            continue
        yield _value(field.name, value)


def _value(name: str, value: Any) -> str:
    match value:
        case Body():
            return value.ref.rpartition(":")[2]
        case Compensation():
            settled = " or settle" if value.in_doubt else ""
            return f"undo{settled} {value.retry.max_attempts}x"
        case Retry():
            return f"{value.max_attempts}x after {value.initial_delay} on {value.retry_on}"
        case _:
            return f"{name}={value}"
