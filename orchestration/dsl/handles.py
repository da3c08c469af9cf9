"""Handles for the nodes of a graph: what its build function passes on and returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from orchestration.dsl.graph_builder import Graph
    from orchestration.plan.topology import Need

Out = TypeVar("Out", covariant=True)
R = TypeVar("R", covariant=True, default=Never)


class Node(Generic[Out, R]):
    """A handle for a node of a graph, which gives an `Out`; `R` are the services of the node and of all before it.

    ```python
    def users(g: Graph[Order]) -> Node[User]:
        return g.node(find_user, g.input, retry=Retry())

    assert isinstance(await graph(users).run(order), User)
    ```
    """

    __slots__ = ("graph", "need")

    def __init__(self, graph: Graph[Any], need: Need) -> None:
        """Stand for what members of `graph` need."""
        self.graph: Graph[Any] = graph
        self.need: Need = need

    if TYPE_CHECKING:

        def types_only(self) -> tuple[Out, R]:
            """Tell a type checker what the node gives and which services are needed; never called."""
            ...


if TYPE_CHECKING:

    class Plain(Node[Out]):
        """A handle for a node that needs no services, nor does what is before it; at run time it is a `Node`."""


class Race(Generic[Out, R]):
    """What a build function returns for a graph whose output is that of the first to succeed: see `Graph.race`.

    ```python
    def first(g: Graph[Order]) -> Race[User | Cart]:
        return g.race(g.node(find_user, g.input), g.node(find_cart, g.input))

    assert isinstance(await graph(first).run(order), User | Cart)
    ```
    """

    __slots__ = ("nodes",)

    def __init__(self, nodes: tuple[Node[Out, R], ...]) -> None:
        """Be among `nodes`."""
        self.nodes: tuple[Node[Out, R], ...] = nodes
