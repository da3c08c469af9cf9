"""From what a caller gives as a body to a node of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from orchestration.dsl.options import named
from orchestration.frozen import evolve
from orchestration.plan.body import Body
from orchestration.plan.nodes import Node, Step

if TYPE_CHECKING:
    from collections.abc import Mapping


@runtime_checkable
class AsBody(Protocol):
    """A workflow, as far as a body is concerned."""

    def as_node(self) -> Node:
        """Return the node that stands for it."""
        ...


def body_node(body: object, options: Mapping[str, Any], fallback: str, arity: int = 1) -> Node:
    """Return the node of a body; `fallback` names a function that has no name of its own (S4).

    A workflow takes no option but `name`: everything else is a policy of its steps.
    """
    if isinstance(body, AsBody):
        node = body.as_node()
        return evolve(node, name=named(options, node.name))
    function = Body.of(body, arity)
    name = named(options, function.name or fallback)
    policies = {key: option for key, option in options.items() if key != "name"}
    return Step(name, function, **policies)
