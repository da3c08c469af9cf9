"""`Branch`: an open branch; not a workflow until it is closed, so a forgotten `otherwise` is a type error."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from typing_extensions import TypeVar, Unpack

from orchestration.dsl.bodies import body_node
from orchestration.dsl.open import Open
from orchestration.plan.body import Body
from orchestration.plan.nodes import Arm, Node
from orchestration.plan.nodes import Branch as BranchNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.dsl.options import Async, StepOptions, WorkflowOptions
    from orchestration.dsl.workflow import Workflow

In = TypeVar("In")
X = TypeVar("X")
T = TypeVar("T")
FR = TypeVar("FR")
A = TypeVar("A")
U = TypeVar("U")
S = TypeVar("S")
LITERALS = (str, int, bool, type(None))  # besides members of enums


class Branch(Open, Generic[In, X, T, FR]):
    """Arms for a value `X`, in order: the first that holds is taken, and `T` is the union of their outputs (S13)."""

    __slots__ = ("_arms", "_close", "_name")
    _closed_by = ".otherwise(body) or .exhaustive()"

    def __init__(self, name: str, arms: tuple[Arm, ...], close: Callable[[Node], Any]) -> None:
        """Belong to the workflow that `close` puts the finished node behind."""
        self._name = name
        self._arms = arms
        self._close = close

    @overload
    def when(
        self, test: Callable[[X], bool], body: Workflow[X, U, S], /, **options: Unpack[WorkflowOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def when(
        self, test: Callable[[X], bool], body: Callable[[X], Async[U]], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    @overload
    def when(
        self, test: Callable[[X], bool], body: Callable[[X], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    @overload
    def when(
        self, test: Callable[[X], bool], body: Callable[[S, X], Async[U]], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def when(
        self, test: Callable[[X], bool], body: Callable[[S, X], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def when(  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
        self, test: Callable[[X], bool], body: Callable[[X], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    def when(self, test: Any, body: Any, /, **options: Any) -> Any:
        """Add an arm for values for which `test(value)`, a plain, deterministic function, holds."""
        return self._with(Arm(body_node(body, options, "when"), test=Body.of(test)))

    @overload
    def case(
        self, kind: type[A], body: Workflow[A, U, S], /, **options: Unpack[WorkflowOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def case(
        self, kind: type[A], body: Callable[[A], Async[U]], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    @overload
    def case(
        self, kind: type[A], body: Callable[[A], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    @overload
    def case(
        self, kind: type[A], body: Callable[[S, A], Async[U]], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def case(
        self, kind: type[A], body: Callable[[S, A], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def case(  # pyright: ignore[reportOverlappingOverload]
        self, kind: type[A], body: Callable[[A], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    @overload
    def case(
        self, member: X, body: Workflow[X, U, S], /, **options: Unpack[WorkflowOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def case(
        self, member: X, body: Callable[[X], Async[U]], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    @overload
    def case(
        self, member: X, body: Callable[[X], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    @overload
    def case(
        self, member: X, body: Callable[[S, X], Async[U]], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def case(
        self, member: X, body: Callable[[S, X], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR | S]: ...
    @overload
    def case(  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
        self, member: X, body: Callable[[X], U], /, **options: Unpack[StepOptions]
    ) -> Branch[In, X, T | U, FR]: ...
    def case(self, kind: Any, body: Any, /, **options: Any) -> Any:
        """Add an arm for values that are instances of a class, or that are one member of an enum or literal."""
        literal = isinstance(kind, Enum) or type(kind) in LITERALS
        return self._with(Arm(body_node(body, options, "case"), kind=Literal[kind] if literal else kind))

    @overload
    def otherwise(
        self, body: Workflow[X, U, S], /, **options: Unpack[WorkflowOptions]
    ) -> Workflow[In, T | U, FR | S]: ...
    @overload
    def otherwise(
        self, body: Callable[[X], Async[U]], /, **options: Unpack[StepOptions]
    ) -> Workflow[In, T | U, FR]: ...
    @overload
    def otherwise(self, body: Callable[[X], U], /, **options: Unpack[StepOptions]) -> Workflow[In, T | U, FR]: ...
    @overload
    def otherwise(
        self, body: Callable[[S, X], Async[U]], /, **options: Unpack[StepOptions]
    ) -> Workflow[In, T | U, FR | S]: ...
    @overload
    def otherwise(
        self, body: Callable[[S, X], U], /, **options: Unpack[StepOptions]
    ) -> Workflow[In, T | U, FR | S]: ...
    @overload
    def otherwise(self, body: Callable[[X], U], /, **options: Unpack[StepOptions]) -> Workflow[In, T | U, FR]: ...  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
    def otherwise(self, body: Any, /, **options: Any) -> Any:
        """Close the branch with a body for values that no arm takes."""
        return self._close(BranchNode(self._name, self._arms, body_node(body, options, "otherwise")))

    def exhaustive(self) -> Workflow[In, T, FR]:
        """Close the branch; that its cases cover the value's declared type is checked when it is compiled."""
        workflow: Workflow[In, T, FR] = self._close(BranchNode(self._name, self._arms, exhaustive=True))
        return workflow

    def _with(self, arm: Arm) -> Branch[Any, Any, Any, Any]:
        return Branch(self._name, (*self._arms, arm), self._close)
