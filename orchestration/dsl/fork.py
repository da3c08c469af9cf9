"""`Fork`: an open fork; not a workflow until it is joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import TypeVar, TypeVarTuple, Unpack

from orchestration.dsl.bodies import body_node
from orchestration.dsl.open import Open
from orchestration.dsl.options import Async, GroupOptions, JoinOptions, Named, StepOptions, named
from orchestration.plan.nodes import Graph, Node, Vertex

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.dsl.workflow import Step, Workflow

In = TypeVar("In")
X = TypeVar("X")
FR = TypeVar("FR")
T = TypeVar("T")
S = TypeVar("S")
Ts = TypeVarTuple("Ts")


class Fork(Open, Generic[In, X, FR, *Ts]):
    """Bodies that run side by side on a value `X`; each adds its type to the tuple `Ts`, so any number is typed."""

    __slots__ = ("_close", "_nodes")
    _closed_by = ".join() or .join(body)"

    def __init__(self, nodes: tuple[Node, ...], close: Callable[..., Any]) -> None:
        """Belong to the workflow that `close` puts the finished nodes behind."""
        self._nodes = nodes
        self._close = close

    @overload
    def fork(self, body: Workflow[X, T, S], /, **options: Unpack[Named]) -> Fork[In, X, FR | S, *Ts, T]: ...
    @overload
    def fork(self, body: Callable[[X], Async[T]], /, **options: Unpack[StepOptions]) -> Fork[In, X, FR, *Ts, T]: ...
    @overload
    def fork(self, body: Callable[[X], T], /, **options: Unpack[StepOptions]) -> Fork[In, X, FR, *Ts, T]: ...
    @overload
    def fork(
        self, body: Callable[[S, X], Async[T]], /, **options: Unpack[StepOptions]
    ) -> Fork[In, X, FR | S, *Ts, T]: ...
    @overload
    def fork(self, body: Callable[[S, X], T], /, **options: Unpack[StepOptions]) -> Fork[In, X, FR | S, *Ts, T]: ...
    def fork(self, body: Any, /, **options: Any) -> Any:
        """Add a body that runs beside the others."""
        return Fork((*self._nodes, body_node(body, options, "fork")), self._close)

    @overload
    def join(self, /, **options: Unpack[GroupOptions]) -> Step[In, tuple[*Ts], FR]: ...
    @overload
    def join(
        self, body: Callable[[Unpack[Ts]], Async[T]], /, **options: Unpack[JoinOptions]
    ) -> Step[In, T, FR, tuple[*Ts]]: ...
    @overload
    def join(
        self, body: Callable[[Unpack[Ts]], T], /, **options: Unpack[JoinOptions]
    ) -> Step[In, T, FR, tuple[*Ts]]: ...
    @overload
    def join(
        self, body: Callable[[S, Unpack[Ts]], Async[T]], /, **options: Unpack[JoinOptions]
    ) -> Step[In, T, FR | S, tuple[*Ts]]: ...
    @overload
    def join(
        self, body: Callable[[S, Unpack[Ts]], T], /, **options: Unpack[JoinOptions]
    ) -> Step[In, T, FR | S, tuple[*Ts]]: ...
    def join(self, body: Any = None, /, *, concurrency: int | None = None, **options: Any) -> Any:
        """Close the fork: wait for all bodies and give their outputs as a tuple, or to a step as its arguments (S14).

        `concurrency` caps how many bodies run at a time; the other options are those of the step.
        """
        name = named({} if body is not None else options, "fork")
        graph = Graph(name, tuple(Vertex(node) for node in self._nodes), concurrency)
        if body is None:
            return self._close(graph)
        return self._close(graph, body_node(body, options, "join", spread=len(self._nodes)))
