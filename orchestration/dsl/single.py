"""`step`: a workflow of one step, for an arm or the body of a map that has policies of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never, overload

from typing_extensions import TypeVar, Unpack

from orchestration.dsl.workflow import Step, Workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.dsl.options import Async, StepOptions, WorkflowOptions

A = TypeVar("A")
T = TypeVar("T")
S = TypeVar("S")


@overload
def step(body: Workflow[A, T, S], /, **options: Unpack[WorkflowOptions]) -> Step[A, T, S, A]: ...
@overload
def step(body: Callable[[A], Async[T]], /, **options: Unpack[StepOptions]) -> Step[A, T, Never, A]: ...
@overload
def step(body: Callable[[A], T], /, **options: Unpack[StepOptions]) -> Step[A, T, Never, A]: ...
@overload
def step(body: Callable[[S, A], Async[T]], /, **options: Unpack[StepOptions]) -> Step[A, T, S, A]: ...
@overload
def step(body: Callable[[S, A], T], /, **options: Unpack[StepOptions]) -> Step[A, T, S, A]: ...
@overload
def step(body: Callable[[A], T], /, **options: Unpack[StepOptions]) -> Step[A, T, Never, A]: ...  # pyright: ignore[reportOverlappingOverload]
def step(body: Any, /, **options: Any) -> Any:
    """Return a workflow of one step: how an arm or the body of a map gets policies of its own.

    ```python
    weights = Workflow[list[int]]("weights").map(step(weigh, retry=Retry(), attempt_timeout=10))
    assert await weights.run([2]) == [3.0]
    ```
    """
    return Workflow[Any, Any]("").step(body, **options)
