"""The nodes of a plan: frozen values, nothing but data and the functions that they name.

A node has a `name`, empty until `compile_plan` has filled it in from the body (S4), and a `number`, its place in
the compiled plan. Each construct is one class here, one row in `flow` (types), `mermaid` (picture) and the
interpreter's `rooms` (behaviour); names, checks, JSON and fingerprint come from the fields alone.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import attrs

from orchestration.frozen import evolve, frozen
from orchestration.policies import Retry, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration.plan.body import Body

IN_DOUBT_ON = ("TimeoutError", "ConnectionError")
UNDO_RETRY = Retry()
UNDO_TIMEOUT = 30.0


def place() -> Any:  # noqa: ANN401 - a field specifier: the type is the field's
    """Declare the field that holds a node's number in its compiled plan; it takes no part in comparisons."""
    return attrs.field(default=-1, eq=False, repr=False, kw_only=True)


@attrs.frozen  # not `frozen`: mypy knows only attrs' own classes to have converters
class Compensation:
    """How a step is undone (S22).

    `undo` takes the step's output. `in_doubt` takes its input and settles an effect of which nobody knows whether it
    landed; `in_doubt_on` names the failures that leave such doubt. `timeout` is in seconds and bounds one attempt.
    """

    undo: Body
    in_doubt: Body | None = None
    in_doubt_on: tuple[str, ...] = attrs.field(default=IN_DOUBT_ON, converter=names_of)
    retry: Retry = UNDO_RETRY
    timeout: float = UNDO_TIMEOUT


@frozen
class Step:
    """An effect: a handler calls the body (S7). `attempt_timeout` is in seconds and bounds one attempt (S10).

    `run_in` is `"loop"` or `"thread"`; by default an `async def` runs in the loop and a plain `def` in a worker thread
    (S11). `spread` calls the body with the items of the value as arguments.
    """

    name: str
    body: Body
    compensation: Compensation | None = None
    retry: Retry | None = None
    attempt_timeout: float | None = None
    run_in: str | None = None
    spread: bool = False
    number: int = place()


@frozen
class Pure:
    """A deterministic function that the interpreter evaluates itself (S7)."""

    name: str
    body: Body
    number: int = place()


@frozen
class Beside:
    """A body that runs beside the value (S21): `combine(value, output)` goes on, or without it (a tap) the value."""

    name: str
    body: Node
    combine: Body | None = None
    number: int = place()


@frozen
class Compensated:
    """A composite with one undo for all of it: armed when the body has succeeded (S27)."""

    name: str
    body: Node
    compensation: Compensation
    number: int = place()


@frozen
class Scope:
    """A workflow: a chain of nodes with a name and a scope of its own (S19).

    `takes` is the type of the value before the first node.
    """

    name: str
    children: tuple[Node, ...]
    takes: object = Any
    version: str = "1"
    number: int = place()


@frozen
class Arm:
    """One way through a branch: taken where `test(value)` holds, or where the value is a `kind` (S13)."""

    node: Node
    test: Body | None = None
    kind: Any = None


@frozen
class Branch:
    """Arms in order, the first that holds is taken; `otherwise` where none does (S13)."""

    name: str
    arms: tuple[Arm, ...]
    otherwise: Node | None = None
    exhaustive: bool = False
    number: int = place()


@frozen
class Vertex:
    """A node of a graph; it takes the graph's value."""

    node: Node


def _positions(graph: Graph) -> Mapping[str, int]:
    return MappingProxyType({vertex.node.name: index for index, vertex in enumerate(graph.vertices)})


POSITIONS: Any = attrs.Factory(_positions, takes_self=True)


@frozen
class Graph:
    """Nodes that run side by side: a fork (S14).

    The output is the tuple of all outputs in the order of declaration. `concurrency` caps how many are under way.
    """

    name: str
    vertices: tuple[Vertex, ...]
    concurrency: int | None = None
    number: int = place()
    positions: Mapping[str, int] = attrs.field(init=False, eq=False, repr=False, default=POSITIONS)


@frozen
class Map:
    """A body for each item of an iterable, results in input order; `concurrency` caps the items under way (S16)."""

    name: str
    body: Node
    concurrency: int | None = None
    number: int = place()


Node = Step | Pure | Beside | Compensated | Scope | Branch | Graph | Map
Undoable = Step | Compensated
NODES = (Step, Pure, Beside, Compensated, Scope, Branch, Graph, Map)
Siblings = Literal["named", "item", "same"]


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
        case Map():
            return (("item", node.body),)
        case Beside() | Compensated():
            return (("same", node.body),)
        case Step() | Pure():  # pragma: no branch - the union is closed, mypy sees to it
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
        case Map() | Beside() | Compensated():
            return evolve(node, body=children[0])
        case Step() | Pure():  # pragma: no branch - the union is closed, mypy sees to it
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
