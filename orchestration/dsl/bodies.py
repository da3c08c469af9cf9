"""From what a caller gives as a body to a node of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from orchestration.dsl.options import StepOptions, named, refuse
from orchestration.frozen import evolve
from orchestration.plan.body import Body
from orchestration.plan.naming import DEFAULTED
from orchestration.plan.nodes import Node, Step

if TYPE_CHECKING:
    from collections.abc import Mapping


@runtime_checkable
class AsBody(Protocol):
    """A workflow, as far as a body is concerned."""

    def as_node(self) -> Node:
        """Return the node that stands for it."""
        ...


def body_node(body: object, options: Mapping[str, Any], fallback: str, spread: int | None = None) -> Node:
    """Return the node of a body; `fallback` names a function that has no name of its own (S4).

    A workflow takes no option but `name`: everything else is a policy of its steps. A function with `spread` takes
    the items of the value, so many, as its arguments.
    """
    if isinstance(body, AsBody) and hasattr(type(body), "as_node"):  # a class is no workflow, though it has the method
        node = body.as_node()
        return evolve(node, name=named(options, DEFAULTED + node.name.removeprefix(DEFAULTED)))
    function = Body.of(body, 1 if spread is None else spread)
    policies = {key: option for key, option in options.items() if key != "name"}
    refuse(policies.keys() - StepOptions.__optional_keys__, "see StepOptions for what a step takes")
    name = named({"name": options.get("name")}, function.name or fallback)
    return Step(name, function, spread=spread is not None, **policies)
