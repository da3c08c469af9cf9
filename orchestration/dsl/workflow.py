"""`Workflow`: a typed chain of bodies, as a value. Every method returns a new one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, Never, cast, overload

from typing_extensions import TypeVar, Unpack

from orchestration.dsl.bodies import body_node
from orchestration.dsl.branch import Branch
from orchestration.dsl.enrich import Enrich
from orchestration.dsl.fork import Fork
from orchestration.dsl.options import Async, GroupOptions, Named, StepOptions, UndoOptions, named, refuse, text
from orchestration.dsl.typed import Typed
from orchestration.frozen import evolve
from orchestration.plan.body import Body
from orchestration.plan.compile import Plan, compile_plan
from orchestration.plan.nodes import Beside, Compensated, Compensation, Map, Node, Pure, Scope
from orchestration.plan.nodes import Step as StepNode
from orchestration.runtime.local import LocalEngine, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestration.runtime.services import Services

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True, default=In)
R = TypeVar("R", covariant=True, default=Never)
StepIn = TypeVar("StepIn", covariant=True, default=Any)
A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")
X = TypeVar("X")
S = TypeVar("S")
S2 = TypeVar("S2")


class Workflow(Generic[In, Out, R]):
    """A workflow from `In` to `Out` that needs the services `R` (a union; `Never` for none).

    `Workflow[Order]("checkout")` takes an `Order`; every method returns a new workflow that does one thing more.
    `version` declares a change that the plan does not show: a changed body, say (S1).
    """

    __slots__ = ("_before", "_last", "_plan", "_start")

    def __init__(self, name: str, *, version: str = "1", takes: object = Any) -> None:
        """Begin a workflow that passes its input on; `Workflow[Order](...)` sets `takes` to `Order`."""
        self._start = Scope(text("name", name) or "", (), takes, version)
        self._before: Workflow[Any, Any, Any] | None = None
        self._last: Node | None = None
        self._plan: Plan | None = None

    if not TYPE_CHECKING:  # a checker reads the class as generic; at run time the input's type is kept for the plan

        def __class_getitem__(cls, parameters):  # noqa: ANN001, ANN204, D105 - see above
            return Typed.of(super().__class_getitem__(parameters), parameters)

    # --- one body

    @overload
    def step(self, body: Workflow[Out, T, S], /, **options: Unpack[Named]) -> Step[In, T, R | S, Out]: ...
    @overload
    def step(self, body: Callable[[Out], Async[T]], /, **options: Unpack[StepOptions]) -> Step[In, T, R, Out]: ...
    @overload
    def step(self, body: Callable[[Out], T], /, **options: Unpack[StepOptions]) -> Step[In, T, R, Out]: ...
    @overload
    def step(
        self, body: Callable[[S, Out], Async[T]], /, **options: Unpack[StepOptions]
    ) -> Step[In, T, R | S, Out]: ...
    @overload
    def step(self, body: Callable[[S, Out], T], /, **options: Unpack[StepOptions]) -> Step[In, T, R | S, Out]: ...
    def step(self, body: Any, /, **options: Any) -> Any:
        """Do something in the world: call a function, an async function, a service's method, or another workflow.

        Takes `name`, `retry`, `attempt_timeout` and `run_in` (a workflow only `name`): see `StepOptions` (S7-S11).
        """
        return self._append(body_node(body, options, "step"), Step)

    def pure(self, function: Callable[[Out], T], /, **options: Unpack[Named]) -> Workflow[In, T, R]:
        """Compute: a plain, deterministic function that the interpreter evaluates itself, without retries (S7)."""
        body = Body.of(function)
        workflow: Workflow[In, T, R] = self._append(Pure(named(options, body.name or "pure"), body), Workflow)
        return workflow

    @overload
    def tap(self, body: Workflow[Out, Any, S], /, **options: Unpack[Named]) -> Workflow[In, Out, R | S]: ...
    @overload
    def tap(self, body: Callable[[Out], object], /, **options: Unpack[StepOptions]) -> Workflow[In, Out, R]: ...
    @overload
    def tap(self, body: Callable[[S, Out], object], /, **options: Unpack[StepOptions]) -> Workflow[In, Out, R | S]: ...
    def tap(self, body: Any, /, **options: Any) -> Any:
        """Do something beside: the body runs, its output is dropped and the value goes on (S21)."""
        node = body_node(body, options, "tap")
        return self._append(Beside(node.name, node), Workflow)

    # a lambda that combines cannot be inferred in the same call as an overloaded body: two calls
    @overload
    def enrich(self, body: Workflow[Out, T, S], /, **options: Unpack[Named]) -> Enrich[In, Out, T, R | S]: ...
    @overload
    def enrich(self, body: Callable[[Out], Async[T]], /, **options: Unpack[StepOptions]) -> Enrich[In, Out, T, R]: ...
    @overload
    def enrich(self, body: Callable[[Out], T], /, **options: Unpack[StepOptions]) -> Enrich[In, Out, T, R]: ...
    @overload
    def enrich(
        self, body: Callable[[S, Out], Async[T]], /, **options: Unpack[StepOptions]
    ) -> Enrich[In, Out, T, R | S]: ...
    @overload
    def enrich(self, body: Callable[[S, Out], T], /, **options: Unpack[StepOptions]) -> Enrich[In, Out, T, R | S]: ...
    def enrich(self, body: Any, /, **options: Any) -> Any:
        """Run a body beside the value; `.into(combine)` then makes one value: `combine(value, output)` (S21)."""
        return Enrich(body_node(body, options, "enrich"), lambda node: self._append(node, Step))

    # --- many bodies

    @overload
    def map(
        self: Workflow[A, Iterable[X], S2], body: Workflow[X, T, S], /, **options: Unpack[GroupOptions]
    ) -> Step[A, list[T], S2 | S]: ...
    @overload
    def map(
        self: Workflow[A, Iterable[X], S2], body: Callable[[X], Async[T]], /, **options: Unpack[GroupOptions]
    ) -> Step[A, list[T], S2]: ...
    @overload
    def map(
        self: Workflow[A, Iterable[X], S2], body: Callable[[X], T], /, **options: Unpack[GroupOptions]
    ) -> Step[A, list[T], S2]: ...
    @overload
    def map(
        self: Workflow[A, Iterable[X], S2], body: Callable[[S, X], Async[T]], /, **options: Unpack[GroupOptions]
    ) -> Step[A, list[T], S2 | S]: ...
    @overload
    def map(
        self: Workflow[A, Iterable[X], S2], body: Callable[[S, X], T], /, **options: Unpack[GroupOptions]
    ) -> Step[A, list[T], S2 | S]: ...
    def map(self, body: Any, /, *, name: str | None = None, concurrency: int | None = None) -> Any:
        """Run a body for each item; the results come in input order, `concurrency` caps how many run (S16).

        `step(body, retry=...)` gives the body of an item policies of its own.
        """
        node = body_node(body, {} if name is None else {"name": name}, "map")
        return self._append(Map(node.name, node, concurrency), Step)

    def branch(self, **options: Unpack[Named]) -> Branch[In, Out, Never, R]:
        """Open a branch: `.when(predicate, body)`, `.case(Kind, body)`, closed by `.otherwise(body)` (S13)."""
        return Branch(named(options, "branch"), (), lambda node: self._append(node, Workflow))

    @overload
    def fork(self, body: Workflow[Out, T, S], /, **options: Unpack[Named]) -> Fork[In, Out, R | S, T]: ...
    @overload
    def fork(self, body: Callable[[Out], Async[T]], /, **options: Unpack[StepOptions]) -> Fork[In, Out, R, T]: ...
    @overload
    def fork(self, body: Callable[[Out], T], /, **options: Unpack[StepOptions]) -> Fork[In, Out, R, T]: ...
    @overload
    def fork(
        self, body: Callable[[S, Out], Async[T]], /, **options: Unpack[StepOptions]
    ) -> Fork[In, Out, R | S, T]: ...
    @overload
    def fork(self, body: Callable[[S, Out], T], /, **options: Unpack[StepOptions]) -> Fork[In, Out, R | S, T]: ...
    def fork(self, body: Any, /, **options: Any) -> Any:
        """Open a fork: this body and those of further `.fork(...)` run side by side, closed by `.join()` (S14)."""
        return Fork((body_node(body, options, "fork"),), lambda *nodes: self._append_all(nodes, Step))

    # --- compiling and running

    def compile(self) -> Plan:
        """Return the plan; the same workflow gives the same plan (S1).

        Raises:
            PlanErrors: with all that is wrong, each with its path and mend (S6).
        """
        if self._plan is None:
            self._plan = compile_plan(self._scope())
        return self._plan

    @overload
    async def run(self: Workflow[A, B, Never], value: A, /) -> B: ...
    @overload
    async def run(self, value: In, /, services: Services[R]) -> Out: ...
    async def run(self, value: Any, /, services: Any = None) -> Any:
        """Run in this process and return the value; a workflow that needs services asks for them.

        Raises:
            WorkflowFailed: if the run fails; it carries the outcome, and the original exception as its cause.
            WorkflowCancelled: if the run is cancelled.
            PlanErrors, InvalidInput, MissingService: before anything runs.
        """
        return value_of(await LocalEngine(services).execute(self, value))

    @overload
    def run_sync(self: Workflow[A, B, Never], value: A, /) -> B: ...
    @overload
    def run_sync(self, value: In, /, services: Services[R]) -> Out: ...
    def run_sync(self, value: Any, /, services: Any = None) -> Any:
        """Run where no event loop runs: `asyncio.run` around `run`."""
        return asyncio.run(cast("Workflow[Any, Any, Any]", self).run(value, services))

    # --- how it is put together

    if TYPE_CHECKING:

        def types_only(self, value: In, /) -> tuple[Out, R]:
            """Tell a type checker what goes in, what comes out and which services are needed; never called."""
            ...

    def as_node(self) -> Node:
        """Return the node that stands for this workflow where it is a body: its one step, or a scope of its own."""
        scope = self._scope()
        return scope.children[0] if not self._start.name and len(scope.children) == 1 else scope

    def _scope(self) -> Scope:
        nodes: list[Node] = []
        here: Workflow[Any, Any, Any] | None = self
        while here is not None and here._last is not None:  # noqa: SLF001
            nodes.append(here._last)  # noqa: SLF001 - of this class
            here = here._before  # noqa: SLF001
        name = self._start.name or (nodes[-1].name if nodes else "")
        return evolve(self._start, name=name, children=tuple(reversed(nodes)))

    def _append_all(self, nodes: tuple[Node, ...], kind: Any) -> Any:  # noqa: ANN401 - as `_append`
        new = self
        for node in nodes:
            new = new._append(node, kind)
        return new

    def _append(self, node: Node, kind: Any) -> Any:  # noqa: ANN401 - `kind` of workflow, with the types of the method
        new = object.__new__(kind)
        new._start, new._before, new._last, new._plan = self._start, self, node, None
        return new


class Step(Workflow[In, Out, R], Generic[In, Out, R, StepIn]):
    """What `.step` returns: only here is there something to compensate."""

    __slots__ = ()

    @overload
    def compensate(
        self,
        undo: Callable[[Out], object],
        /,
        *,
        in_doubt: Callable[[StepIn], object] = ...,
        **options: Unpack[UndoOptions],
    ) -> Workflow[In, Out, R]: ...
    @overload
    def compensate(
        self,
        undo: Callable[[S, Out], object],
        /,
        **options: Unpack[UndoOptions],
    ) -> Workflow[In, Out, R | S]: ...
    @overload
    def compensate(
        self,
        undo: Callable[[S, Out], object],
        /,
        *,
        in_doubt: Callable[[S2, StepIn], object],
        **options: Unpack[UndoOptions],
    ) -> Workflow[In, Out, R | S | S2]: ...
    @overload
    def compensate(
        self,
        undo: Callable[[S, Out], object],
        /,
        *,
        in_doubt: Callable[[StepIn], object],
        **options: Unpack[UndoOptions],
    ) -> Workflow[In, Out, R | S]: ...
    @overload
    def compensate(
        self,
        undo: Callable[[Out], object],
        /,
        *,
        in_doubt: Callable[[S, StepIn], object],
        **options: Unpack[UndoOptions],
    ) -> Workflow[In, Out, R | S]: ...
    def compensate(self, undo: Any, /, *, in_doubt: Any = None, **options: Any) -> Any:
        """Undo the step if what follows it fails: `undo(output)`, in reverse plan order (S22, S23).

        `in_doubt(input)` is for an effect of which nobody knows whether it landed. Takes `in_doubt_on`, `retry` and
        `timeout` as well: see `UndoOptions`.
        """
        refuse(options.keys() - UndoOptions.__optional_keys__, "see UndoOptions for what a compensation takes")
        doubt = None if in_doubt is None else Body.of(in_doubt)
        compensation = Compensation(Body.of(undo), doubt, **options)
        step = cast("Node", self._last)
        if isinstance(step, StepNode) and step.compensation is None:
            compensated: Node = evolve(step, compensation=compensation)
        else:
            compensated = Compensated(step.name, step, compensation)
        return cast("Workflow[Any, Any, Any]", self._before)._append(compensated, Workflow)  # noqa: SLF001 - of this class


@overload
def step(body: Callable[[A], Async[T]], /, **options: Unpack[StepOptions]) -> Step[A, T, Never, A]: ...
@overload
def step(body: Callable[[A], T], /, **options: Unpack[StepOptions]) -> Step[A, T, Never, A]: ...
@overload
def step(body: Callable[[S, A], Async[T]], /, **options: Unpack[StepOptions]) -> Step[A, T, S, A]: ...
@overload
def step(body: Callable[[S, A], T], /, **options: Unpack[StepOptions]) -> Step[A, T, S, A]: ...
def step(body: Any, /, **options: Any) -> Any:
    """Return a workflow of one step: how an arm or the body of a map gets policies of its own."""
    return Workflow[Any, Any]("").step(body, **options)
