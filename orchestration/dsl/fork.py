"""`Fork`: an open fork; not a workflow until it is joined or raced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import TypeVar, TypeVarTuple, Unpack

from orchestration.dsl.bodies import body_node, grouped, raced
from orchestration.dsl.open import Open
from orchestration.dsl.options import (
    Async,
    CollectOptions,
    GroupOptions,
    JoinCollectOptions,
    JoinOptions,
    RaceOptions,
    StepOptions,
    WorkflowOptions,
    check,
    name_of,
)
from orchestration.plan.nodes import Graph, Node, Vertex

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.dsl.workflow import Step, Workflow
    from orchestration.results import Err, Ok

In = TypeVar("In")
X = TypeVar("X")
FR = TypeVar("FR")
U = TypeVar("U")
C = TypeVar("C")
T = TypeVar("T")
S = TypeVar("S")
Ts = TypeVarTuple("Ts")
Cs = TypeVarTuple("Cs")
OF_FORK = ("concurrency", "on_error", "on_partial")  # of the options of a join with a body


class Fork(Open, Generic[In, X, FR, U, C, *Ts]):
    """Bodies that run side by side on a value `X`; any number is typed.

    Each adds its type to the tuple `Ts` of all, to the union `U` of a race and to the tuple `C` of results.
    """

    __slots__ = ("_close", "_nodes")
    _closed_by = ".join(), .join(body) or .race()"

    def __init__(self, nodes: tuple[Node, ...], close: Callable[..., Any]) -> None:
        """Belong to the workflow that `close` puts the finished nodes behind."""
        self._nodes = nodes
        self._close = close

    @overload
    def fork(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts], body: Workflow[X, T, S], /, **options: Unpack[WorkflowOptions]
    ) -> Fork[In, X, FR | S, U | T, tuple[*Cs, Ok[T] | Err], *Ts, T]: ...
    @overload
    def fork(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts], body: Callable[[X], Async[T]], /, **options: Unpack[StepOptions]
    ) -> Fork[In, X, FR, U | T, tuple[*Cs, Ok[T] | Err], *Ts, T]: ...
    @overload
    def fork(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts], body: Callable[[X], T], /, **options: Unpack[StepOptions]
    ) -> Fork[In, X, FR, U | T, tuple[*Cs, Ok[T] | Err], *Ts, T]: ...
    @overload
    def fork(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts], body: Callable[[S, X], Async[T]], /, **options: Unpack[StepOptions]
    ) -> Fork[In, X, FR | S, U | T, tuple[*Cs, Ok[T] | Err], *Ts, T]: ...
    @overload
    def fork(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts], body: Callable[[S, X], T], /, **options: Unpack[StepOptions]
    ) -> Fork[In, X, FR | S, U | T, tuple[*Cs, Ok[T] | Err], *Ts, T]: ...
    @overload
    def fork(  # pyright: ignore[reportOverlappingOverload]
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts], body: Callable[[X], T], /, **options: Unpack[StepOptions]
    ) -> Fork[In, X, FR, U | T, tuple[*Cs, Ok[T] | Err], *Ts, T]: ...
    def fork(self, body: Any, /, **options: Any) -> Any:
        """Add a body that runs beside the others."""
        return Fork((*self._nodes, body_node(body, options, "fork")), self._close)

    @overload
    def join(self, /, **options: Unpack[GroupOptions]) -> Step[In, tuple[*Ts], FR]: ...
    @overload
    def join(self, /, **options: Unpack[CollectOptions]) -> Step[In, C, FR]: ...
    @overload
    def join(
        self, body: Workflow[tuple[*Ts], T, S], /, **options: Unpack[GroupOptions]
    ) -> Step[In, T, FR | S, tuple[*Ts]]: ...
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
    @overload
    def join(  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
        self, body: Callable[[Unpack[Ts]], T], /, **options: Unpack[JoinOptions]
    ) -> Step[In, T, FR, tuple[*Ts]]: ...
    @overload
    def join(self, body: Workflow[C, T, S], /, **options: Unpack[CollectOptions]) -> Step[In, T, FR | S, C]: ...
    @overload
    def join(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts],
        body: Callable[[Unpack[Cs]], Async[T]],
        /,
        **options: Unpack[JoinCollectOptions],
    ) -> Step[In, T, FR, tuple[*Cs]]: ...
    @overload
    def join(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts],
        body: Callable[[Unpack[Cs]], T],
        /,
        **options: Unpack[JoinCollectOptions],
    ) -> Step[In, T, FR, tuple[*Cs]]: ...
    @overload
    def join(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts],
        body: Callable[[S, Unpack[Cs]], Async[T]],
        /,
        **options: Unpack[JoinCollectOptions],
    ) -> Step[In, T, FR | S, tuple[*Cs]]: ...
    @overload
    def join(
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts],
        body: Callable[[S, Unpack[Cs]], T],
        /,
        **options: Unpack[JoinCollectOptions],
    ) -> Step[In, T, FR | S, tuple[*Cs]]: ...
    @overload
    def join(  # pyright: ignore[reportOverlappingOverload]
        self: Fork[In, X, FR, U, tuple[*Cs], *Ts],
        body: Callable[[Unpack[Cs]], T],
        /,
        **options: Unpack[JoinCollectOptions],
    ) -> Step[In, T, FR, tuple[*Cs]]: ...
    def join(self, body: Any = None, /, **options: Any) -> Any:
        """Close the fork: wait for all bodies and give their outputs as a tuple, or to a step as its arguments (S14).

        With `on_error="collect"` or `tolerate(...)` a failed body does not fail the fork, and what is given is `Ok` or
        `Err` for each (S18). `concurrency`, `on_error` and `on_partial` concern the fork; all other options are those
        of the body, if there is one: a step, or a workflow that takes the tuple.
        """
        if body is None:
            return self._close(grouped(self._graph(options, CollectOptions), options))
        of_fork = {key: options.pop(key) for key in OF_FORK if key in options}
        step = body_node(body, options, "join", spread=len(self._nodes))
        return self._close(grouped(self._graph(of_fork, JoinCollectOptions), of_fork), step)

    def race(self, /, **options: Unpack[RaceOptions]) -> Step[In, U, FR]:
        """Close the fork: the first body to succeed gives the value, the others are cancelled and undone (S18)."""
        step: Step[In, U, FR] = self._close(raced(self._graph(options, RaceOptions), options))
        return step

    def _graph(self, options: Any, allowed: type) -> Graph:  # noqa: ANN401 - those of a method
        check(options, allowed)
        return Graph(name_of(options, "fork"), tuple(Vertex(node) for node in self._nodes))
