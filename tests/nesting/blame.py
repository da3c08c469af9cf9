"""What goes on in spite of a failure, and what it gives up: read from the plan alone (S18, S20)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestration.plan.nodes import Graph, Map, Recover, Retried, Scope
from orchestration.policies import Tolerate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.nesting.atlas import Atlas, Place
    from tests.nesting.facts import Facts


class Unit(NamedTuple):
    """What is given up: the members `first` to `last` of what stands at a path."""

    path: str
    kind: type
    first: int
    last: int

    def holds(self, way: Sequence[Place]) -> bool:
        """Tell whether a step lies in it."""
        return any(
            place.path == self.path and type(place.node) is self.kind and self.first <= place.position <= self.last
            for place in way
        )


def absorber(facts: Facts, atlas: Atlas, trouble: tuple[str, str]) -> Unit | None:
    """Return what is given up when this goes wrong, by what is nearest around it and goes on, if anything does."""
    how, where = trouble
    path = where.removesuffix("@timeout")
    if how not in ("fail", "lose", "time out", "leak", "is over"):
        return None
    inside = path if path in facts.begun else next((step for step in facts.begun if step.startswith(f"{path}/")), path)
    for place in reversed(atlas.way(inside)):
        if how == "is over" and len(place.path) >= len(path):
            continue
        unit = _unit(place, facts, declined=how == "fail")
        if unit is not None:
            return unit
    return None


def _unit(place: Place, facts: Facts, *, declined: bool) -> Unit | None:
    node, path, position = place.node, place.path, place.position
    match node:
        case Graph() | Map() if node.mode == "collect" or isinstance(node.mode, Tolerate):
            return Unit(path, type(node), position, position)
        case Graph() | Map() if node.mode == "race":
            others = any(step.startswith(path) and not step.startswith(place.below) for step in facts.begun)
            return Unit(path, type(node), position, position) if others else None
        case Retried():
            return Unit(path, Retried, 1, 1) if position == 1 else None
        case Scope():
            for index, child in enumerate(node.children):
                if isinstance(child, Recover) and index > position and (declined or "Exception" in child.on):
                    return Unit(path, Scope, 0, index - 1)
            return None
        case _:
            return None
