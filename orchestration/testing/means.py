"""What a test means by a step: its function, a method of a service, its name, or its path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestration.interpreter.effects import RunUndo
from orchestration.plan.body import Body
from orchestration.plan.nodes import Cleanup, Compensated, Step
from orchestration.plan.tree import child_path, children_of, static_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestration.interpreter.effects import Attempted
    from orchestration.plan.nodes import Compensation, Node

What: TypeAlias = "Callable[..., Any] | str"
Key: TypeAlias = "Body | str"
ATTEMPT = re.compile(r"#\d+")


def key_of(what: What) -> Key:
    """Return what is compared: a text as it is, a function or method as a body."""
    return what if isinstance(what, str) else Body.of(what)


def rank(key: Key) -> int:
    """Return how closely something is meant: by its path (0), that of all items, its name, or its function (4)."""
    if isinstance(key, Body):
        return 4 if key.owner is None else 3
    if "/" not in key:
        return 2
    return 1 if "[]" in key else 0


def means(key: Key, place: str, body: Body) -> bool:
    """Tell whether what is done at a place by a body is meant."""
    if isinstance(key, Body):
        return key.call == body.call and key.owner in (None, body.owner)
    static = static_path(place)
    return key in (place, static) if "/" in key else key == static.rpartition("/")[2].replace("[]", "")


def place_of(effect: Attempted) -> str:
    """Return where an effect is done: the path, and for an undo `:undo` or `:in_doubt` behind it (S5)."""
    return f"{effect.path}:{effect.by}" if isinstance(effect, RunUndo) else effect.path


def without_attempts(place: str) -> str:
    """Return a place without the numbers of the attempts of composites around it (S4)."""
    return ATTEMPT.sub("", place)


def places(node: Node, path: str) -> Iterator[tuple[str, Body]]:
    """Yield each place in a plan where a body is called, without numbers of items."""
    if isinstance(node, Step | Cleanup):
        yield path, node.body
    if isinstance(node, Step | Compensated) and node.compensation is not None:
        yield from _undoing(node.compensation, path)
    for how, child in children_of(node):
        yield from places(child, child_path(path, how, child.name))


def _undoing(compensation: Compensation, path: str) -> Iterator[tuple[str, Body]]:
    yield f"{path}:undo", compensation.undo
    if compensation.in_doubt is not None:
        yield f"{path}:in_doubt", compensation.in_doubt
