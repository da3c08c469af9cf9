"""`Graph`: a graph while it is built.

A union of type variables that are all `Never` is unknown to pyright, so wherever services are gathered from several
nodes, an overload for `Plain` ones comes first: nodes that need none. It is a type of its own, lest a node that is made
in place be taken for one by what is expected of it. The overload for names comes before all others: were it the last,
pyright would say of a node that does not fit that it is no `str`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, cast, overload

from typing_extensions import TypeVar, Unpack

from orchestration.dsl.bodies import body_node
from orchestration.dsl.handles import Node, Race
from orchestration.plan.nodes import Vertex
from orchestration.plan.topology import INPUT, Need

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.dsl.handles import Plain
    from orchestration.dsl.options import Async, StepOptions, WorkflowOptions
    from orchestration.dsl.workflow import Workflow

X = TypeVar("X")
S = TypeVar("S")
U = TypeVar("U")
# up to five nodes: what they give, and the services that they need
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
RA = TypeVar("RA")
RB = TypeVar("RB")
RC = TypeVar("RC")
RD = TypeVar("RD")
RE = TypeVar("RE")


class Graph(Generic[X]):
    """A graph while it is built, of a value `X`: `g.node(body, *needs)` adds a node, and gives a handle for it (S14).

    ```python
    def priced(g: Graph[Order]) -> Node[float]:
        return g.node(price, g.node(find_user, g.input), g.node(find_cart, g.input))

    assert await graph(priced).run(order) == 5.0
    ```

    `g.input` is the handle for the value. What is not known to the type checker, because the plan comes as data, is
    named: `g.node(body, "reserve")` needs the node of that name, and `g["reserve"]` is a handle for it.
    """

    __slots__ = ("_closed", "_vertices", "input")

    def __init__(self) -> None:
        """Begin without nodes."""
        self._vertices: list[Vertex] = []
        self._closed = False
        self.input: Plain[X] = cast("Plain[X]", Node(self, INPUT))

    @overload
    def race(self, a: Plain[A], b: Plain[B], /) -> Race[A | B]: ...
    @overload
    def race(self, a: Node[A, RA], b: Node[B, RB], /) -> Race[A | B, RA | RB]: ...
    @overload
    def race(self, a: Plain[A], b: Plain[B], c: Plain[C], /) -> Race[A | B | C]: ...
    @overload
    def race(self, a: Node[A, RA], b: Node[B, RB], c: Node[C, RC], /) -> Race[A | B | C, RA | RB | RC]: ...
    @overload
    def race(self, a: Plain[A], b: Plain[B], c: Plain[C], d: Plain[D], /) -> Race[A | B | C | D]: ...
    @overload
    def race(
        self, a: Node[A, RA], b: Node[B, RB], c: Node[C, RC], d: Node[D, RD], /
    ) -> Race[A | B | C | D, RA | RB | RC | RD]: ...
    @overload
    def race(self, a: Plain[A], b: Plain[B], c: Plain[C], d: Plain[D], e: Plain[E], /) -> Race[A | B | C | D | E]: ...
    @overload
    def race(
        self, a: Node[A, RA], b: Node[B, RB], c: Node[C, RC], d: Node[D, RD], e: Node[E, RE], /
    ) -> Race[A | B | C | D | E, RA | RB | RC | RD | RE]: ...
    def race(self, *nodes: Any) -> Any:
        """Return what the build function returns to make a race of these nodes: the first to succeed wins (S18)."""
        return Race(nodes)

    @overload
    def node(
        self,
        body: Callable[..., Any] | Workflow[Any, Any, Any],
        need: str,
        /,
        *needs: str,
        **options: Unpack[StepOptions],
    ) -> Node[Any, Any]: ...
    @overload
    def node(self, body: Workflow[A, U, S], a: Plain[A], /, **options: Unpack[WorkflowOptions]) -> Node[U, S]: ...
    @overload
    def node(
        self, body: Workflow[A, U, S], a: Node[A, RA], /, **options: Unpack[WorkflowOptions]
    ) -> Node[U, S | RA]: ...
    @overload
    def node(self, body: Callable[[A], Async[U]], a: Plain[A], /, **options: Unpack[StepOptions]) -> Plain[U]: ...
    @overload
    def node(self, body: Callable[[A], U], a: Plain[A], /, **options: Unpack[StepOptions]) -> Plain[U]: ...
    @overload
    def node(self, body: Callable[[A], Async[U]], a: Node[A, RA], /, **options: Unpack[StepOptions]) -> Node[U, RA]: ...
    @overload
    def node(self, body: Callable[[A], U], a: Node[A, RA], /, **options: Unpack[StepOptions]) -> Node[U, RA]: ...
    @overload
    def node(
        self, body: Callable[[S, A], Async[U]], a: Node[A, RA], /, **options: Unpack[StepOptions]
    ) -> Node[U, S | RA]: ...
    @overload
    def node(self, body: Callable[[S, A], U], a: Node[A, RA], /, **options: Unpack[StepOptions]) -> Node[U, S | RA]: ...
    @overload
    def node(
        self, body: Callable[[A, B], Async[U]], a: Plain[A], b: Plain[B], /, **options: Unpack[StepOptions]
    ) -> Plain[U]: ...
    @overload
    def node(
        self, body: Callable[[A, B], U], a: Plain[A], b: Plain[B], /, **options: Unpack[StepOptions]
    ) -> Plain[U]: ...
    @overload
    def node(
        self, body: Callable[[A, B], Async[U]], a: Node[A, RA], b: Node[B, RB], /, **options: Unpack[StepOptions]
    ) -> Node[U, RA | RB]: ...
    @overload
    def node(
        self, body: Callable[[A, B], U], a: Node[A, RA], b: Node[B, RB], /, **options: Unpack[StepOptions]
    ) -> Node[U, RA | RB]: ...
    @overload
    def node(
        self, body: Callable[[S, A, B], Async[U]], a: Node[A, RA], b: Node[B, RB], /, **options: Unpack[StepOptions]
    ) -> Node[U, S | RA | RB]: ...
    @overload
    def node(
        self, body: Callable[[S, A, B], U], a: Node[A, RA], b: Node[B, RB], /, **options: Unpack[StepOptions]
    ) -> Node[U, S | RA | RB]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C], Async[U]],
        a: Plain[A],
        b: Plain[B],
        c: Plain[C],
        /,
        **options: Unpack[StepOptions],
    ) -> Plain[U]: ...
    @overload
    def node(
        self, body: Callable[[A, B, C], U], a: Plain[A], b: Plain[B], c: Plain[C], /, **options: Unpack[StepOptions]
    ) -> Plain[U]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C], Async[U]],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, RA | RB | RC]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C], U],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, RA | RB | RC]: ...
    @overload
    def node(
        self,
        body: Callable[[S, A, B, C], Async[U]],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, S | RA | RB | RC]: ...
    @overload
    def node(
        self,
        body: Callable[[S, A, B, C], U],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, S | RA | RB | RC]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C, D], Async[U]],
        a: Plain[A],
        b: Plain[B],
        c: Plain[C],
        d: Plain[D],
        /,
        **options: Unpack[StepOptions],
    ) -> Plain[U]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C, D], U],
        a: Plain[A],
        b: Plain[B],
        c: Plain[C],
        d: Plain[D],
        /,
        **options: Unpack[StepOptions],
    ) -> Plain[U]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C, D], Async[U]],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        d: Node[D, RD],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, RA | RB | RC | RD]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C, D], U],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        d: Node[D, RD],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, RA | RB | RC | RD]: ...
    @overload
    def node(
        self,
        body: Callable[[S, A, B, C, D], Async[U]],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        d: Node[D, RD],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, S | RA | RB | RC | RD]: ...
    @overload
    def node(
        self,
        body: Callable[[S, A, B, C, D], U],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        d: Node[D, RD],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, S | RA | RB | RC | RD]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C, D, E], Async[U]],
        a: Plain[A],
        b: Plain[B],
        c: Plain[C],
        d: Plain[D],
        e: Plain[E],
        /,
        **options: Unpack[StepOptions],
    ) -> Plain[U]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C, D, E], U],
        a: Plain[A],
        b: Plain[B],
        c: Plain[C],
        d: Plain[D],
        e: Plain[E],
        /,
        **options: Unpack[StepOptions],
    ) -> Plain[U]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C, D, E], Async[U]],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        d: Node[D, RD],
        e: Node[E, RE],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, RA | RB | RC | RD | RE]: ...
    @overload
    def node(
        self,
        body: Callable[[A, B, C, D, E], U],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        d: Node[D, RD],
        e: Node[E, RE],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, RA | RB | RC | RD | RE]: ...
    @overload
    def node(
        self,
        body: Callable[[S, A, B, C, D, E], Async[U]],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        d: Node[D, RD],
        e: Node[E, RE],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, S | RA | RB | RC | RD | RE]: ...
    @overload
    def node(
        self,
        body: Callable[[S, A, B, C, D, E], U],
        a: Node[A, RA],
        b: Node[B, RB],
        c: Node[C, RC],
        d: Node[D, RD],
        e: Node[E, RE],
        /,
        **options: Unpack[StepOptions],
    ) -> Node[U, S | RA | RB | RC | RD | RE]: ...
    def node(self, body: Any, /, *needs: Any, **options: Any) -> Any:
        """Add a node: a function takes the values of what it needs as its arguments, in the order given here.

        A workflow takes one value: that of what it needs, or the tuple of several. See `StepOptions` for what a
        function takes, `WorkflowOptions` for what a workflow takes.

        Raises:
            TypeError: if it needs nothing, or what is no node of this graph.
        """
        if not needs:
            raise TypeError("a node needs something: g.input, other nodes, or names of nodes")
        spread = len(needs) if len(needs) > 1 else None
        if self._closed:
            raise TypeError("the graph is built: add nodes inside of the function that graph(...) is given")
        vertex = Vertex(body_node(body, options, "node", spread), tuple(self.need_of(need) for need in needs))
        self._vertices.append(vertex)
        return Node(self, len(self._vertices) - 1)

    def __getitem__(self, name: str) -> Node[Any, Any]:
        """Return a handle for the node of that name, whether it is there already or not."""
        return Node(self, name)

    @property
    def vertices(self) -> tuple[Vertex, ...]:
        """The nodes so far, as the plan holds them."""
        return tuple(self._vertices)

    def close(self) -> None:
        """Take no more nodes: the build function has returned, so that they would be lost."""
        self._closed = True

    def need_of(self, node: object) -> Need:
        """Return what a handle or a name stands for.

        Raises:
            TypeError: if it is of another graph, or no handle.
        """
        if isinstance(node, str):
            return node
        if not isinstance(node, Node):
            raise TypeError(f"expected a node of this graph or the name of one, found {node!r}")
        if node.graph is not self:
            raise TypeError("expected a node of this graph, found one of another: give its value to the graph as input")
        return node.need
