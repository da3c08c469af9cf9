"""`graph`: nodes that name what they take, as a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, get_args, get_origin, overload

from typing_extensions import TypeVar, Unpack

from orchestration.dsl.bodies import grouped, raced
from orchestration.dsl.graph_builder import Graph
from orchestration.dsl.handles import Race
from orchestration.dsl.options import CollectOptions, RaceOptions, check, name_of
from orchestration.dsl.workflow import Step, Workflow
from orchestration.plan.body import Body
from orchestration.plan.nodes import Graph as GraphNode
from orchestration.results import Err, NotStarted, Ok

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.dsl.handles import Node
    from orchestration.dsl.options import GroupOptions

X = TypeVar("X")
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
Result = Ok[A] | Err | NotStarted


@overload
def graph(build: Callable[[Graph[X]], Node[A, RA]], /, **options: Unpack[GroupOptions]) -> Step[X, A, RA, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A], Node[B]]], /, **options: Unpack[GroupOptions]
) -> Step[X, tuple[A, B], Never, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A, RA], Node[B, RB]]], /, **options: Unpack[GroupOptions]
) -> Step[X, tuple[A, B], RA | RB, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A], Node[B], Node[C]]], /, **options: Unpack[GroupOptions]
) -> Step[X, tuple[A, B, C], Never, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A, RA], Node[B, RB], Node[C, RC]]], /, **options: Unpack[GroupOptions]
) -> Step[X, tuple[A, B, C], RA | RB | RC, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A], Node[B], Node[C], Node[D]]], /, **options: Unpack[GroupOptions]
) -> Step[X, tuple[A, B, C, D], Never, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A, RA], Node[B, RB], Node[C, RC], Node[D, RD]]],
    /,
    **options: Unpack[GroupOptions],
) -> Step[X, tuple[A, B, C, D], RA | RB | RC | RD, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A], Node[B], Node[C], Node[D], Node[E]]], /, **options: Unpack[GroupOptions]
) -> Step[X, tuple[A, B, C, D, E], Never, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A, RA], Node[B, RB], Node[C, RC], Node[D, RD], Node[E, RE]]],
    /,
    **options: Unpack[GroupOptions],
) -> Step[X, tuple[A, B, C, D, E], RA | RB | RC | RD | RE, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], Node[A, RA]], /, **options: Unpack[CollectOptions]
) -> Step[X, Result[A], RA, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A], Node[B]]], /, **options: Unpack[CollectOptions]
) -> Step[X, tuple[Result[A], Result[B]], Never, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A, RA], Node[B, RB]]], /, **options: Unpack[CollectOptions]
) -> Step[X, tuple[Result[A], Result[B]], RA | RB, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A], Node[B], Node[C]]], /, **options: Unpack[CollectOptions]
) -> Step[X, tuple[Result[A], Result[B], Result[C]], Never, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A, RA], Node[B, RB], Node[C, RC]]], /, **options: Unpack[CollectOptions]
) -> Step[X, tuple[Result[A], Result[B], Result[C]], RA | RB | RC, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A], Node[B], Node[C], Node[D]]], /, **options: Unpack[CollectOptions]
) -> Step[X, tuple[Result[A], Result[B], Result[C], Result[D]], Never, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A, RA], Node[B, RB], Node[C, RC], Node[D, RD]]],
    /,
    **options: Unpack[CollectOptions],
) -> Step[X, tuple[Result[A], Result[B], Result[C], Result[D]], RA | RB | RC | RD, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A], Node[B], Node[C], Node[D], Node[E]]],
    /,
    **options: Unpack[CollectOptions],
) -> Step[X, tuple[Result[A], Result[B], Result[C], Result[D], Result[E]], Never, X]: ...
@overload
def graph(
    build: Callable[[Graph[X]], tuple[Node[A, RA], Node[B, RB], Node[C, RC], Node[D, RD], Node[E, RE]]],
    /,
    **options: Unpack[CollectOptions],
) -> Step[X, tuple[Result[A], Result[B], Result[C], Result[D], Result[E]], RA | RB | RC | RD | RE, X]: ...
@overload
def graph(build: Callable[[Graph[X]], Race[A, RA]], /, **options: Unpack[RaceOptions]) -> Step[X, A, RA, X]: ...
def graph(build: Any, /, **options: Any) -> Any:
    """Return a workflow of one graph: `build(g)` adds its nodes by `g.node(body, *needs)` and returns what it gives.

    ```python
    def priced(g: Graph[Order]) -> Node[float]:
        return g.node(price, g.node(find_user, g.input), g.node(find_cart, g.input))

    sale = Workflow[Order]("sale").step(graph(priced, concurrency=2))
    ```

    That is one node, a tuple of nodes, or a race of nodes; `build` is called once, here. A node starts as soon as all
    that it needs is done (S14). With `on_error="collect"` or `tolerate(...)` a failed node does not fail the graph, and
    what it gives is `Ok`, `Err`, or `NotStarted` for what needs a node that failed (S18).

    Raises:
        TypeError: if `build` returns something else, or a node of another graph.
    """
    function = Body.of(build)
    g: Graph[Any] = Graph()
    output = build(g)
    g.close()
    check(options, RaceOptions if isinstance(output, Race) else CollectOptions)
    nodes = output.nodes if isinstance(output, Race) else output
    gives = tuple(map(g.need_of, nodes)) if isinstance(nodes, tuple) else g.need_of(nodes)
    if gives == ():
        raise TypeError("a graph gives something: return a node, or a tuple of nodes")
    group = GraphNode(name_of(options, function.name or "graph"), g.vertices, gives=gives)
    node = raced(group, options) if isinstance(output, Race) else grouped(group, options)
    return Workflow[Any, Any]("", takes=_taken_by(function))._append(node, Step)  # noqa: SLF001 - of this package


def _taken_by(build: Body) -> object:
    taken = build.takes[0]
    return get_args(taken)[0] if get_origin(taken) is Graph else Any
