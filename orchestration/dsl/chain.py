"""`Chain`: how a workflow is kept, compiled and run; what it can be made of is `Workflow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never, cast, overload

from typing_extensions import TypeVar

from orchestration.dsl.options import text
from orchestration.dsl.typed import Typed
from orchestration.frozen import evolve
from orchestration.plan.compile import Plan, compile_plan
from orchestration.plan.hooks import hooks_of
from orchestration.plan.nodes import Cleanup, Node, Pivot, Recover, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestration.plan.hooks import Hook
    from orchestration.policies import OnUndoFailure, Retry
    from orchestration.runtime.services import Services

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True, default=In)
R = TypeVar("R", covariant=True, default=Never)
P = TypeVar("P", contravariant=True)
A = TypeVar("A")
B = TypeVar("B")

if TYPE_CHECKING:

    class ServicesMissing(Generic[P]):
        """What nobody has: where services are forgotten, a checker expects it and so names them."""

        def services_needed(self, services: P, /) -> None:
            """Tell a type checker which they are; never called."""
            ...


class Chain(Generic[In, Out, R]):
    """A start and the nodes behind it, each chain sharing those before its last with the chain it was made from."""

    __slots__ = ("_before", "_last", "_plan", "_start")

    def __init__(  # noqa: PLR0913 - what holds for a whole workflow, all by name
        self,
        name: str,
        *,
        version: str = "1",
        max_concurrency: int | None = None,
        retry: Retry | None = None,
        on_undo_failure: OnUndoFailure = "hold",
        compensate_on_cancel: bool = True,
        hooks: Iterable[Hook] = (),
        takes: object = Any,
    ) -> None:
        """Begin a workflow that passes its input on; `Workflow[Order](...)` sets `takes` to `Order`.

        `version` declares a change that the plan does not show: a changed body, say (S1). `max_concurrency` caps the
        attempts of a run that are under way at a time (S14). `retry` is the default of the steps (S9).
        `on_undo_failure` says what becomes of the steps before one whose undo fails for good (S26), and
        `compensate_on_cancel` whether a cancel undoes anything (S28). `hooks` concern all that is in it (S31).
        """
        self._start = Scope(
            text("name", name) or "",
            (),
            takes,
            version,
            max_concurrency,
            retry,
            on_undo_failure,
            compensate_on_cancel,
            hooks_of(hooks),
        )
        self._before: Chain[Any, Any, Any] | None = None
        self._last: Node | None = None
        self._plan: Plan | None = None

    if not TYPE_CHECKING:  # pragma: no branch - to a checker a generic class; at run time it keeps the type

        def __class_getitem__(cls, parameters):  # noqa: ANN001, ANN204, D105 - see above
            return Typed.of(super().__class_getitem__(parameters), parameters)

    def compile(self) -> Plan:
        """Return the plan; the same workflow gives the same plan (S1).

        Raises:
            PlanErrors: with all that is wrong, each with its path and mend (S6).
        """
        if self._plan is None:
            self._plan = compile_plan(self._scope())
        return self._plan

    @overload
    async def run(self, value: ServicesMissing[R], /, *, deadline: float | None = ...) -> Out: ...
    @overload
    async def run(self: Chain[A, B, Never], value: A, /, *, deadline: float | None = ...) -> B: ...
    @overload
    async def run(self, value: In, /, services: Services[R], *, deadline: float | None = ...) -> Out: ...
    async def run(self, value: Any, /, services: Any = None, *, deadline: float | None = None) -> Any:
        """Run in this process and return the value; a workflow that needs services asks for them.

        `deadline` is in seconds from the start of the run (S10).

        Raises:
            WorkflowFailed: if the run fails; it carries the outcome, and the original exception as its cause.
            WorkflowCancelled: if the run is cancelled.
            PlanErrors, InvalidInput, MissingService: before anything runs.
        """
        from orchestration.runtime.local import LocalEngine, value_of  # noqa: PLC0415 - who only defines workflows needs none

        return value_of(await LocalEngine(services).execute(self, value, deadline=deadline))

    @overload
    def run_sync(self, value: ServicesMissing[R], /, *, deadline: float | None = ...) -> Out: ...
    @overload
    def run_sync(self: Chain[A, B, Never], value: A, /, *, deadline: float | None = ...) -> B: ...
    @overload
    def run_sync(self, value: In, /, services: Services[R], *, deadline: float | None = ...) -> Out: ...
    def run_sync(self, value: Any, /, services: Any = None, *, deadline: float | None = None) -> Any:
        """Run where no event loop runs: `asyncio.run` around `run`."""
        import asyncio  # noqa: PLC0415 - as above

        return asyncio.run(cast("Chain[Any, Any, Any]", self).run(value, services, deadline=deadline))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return the picture of the plan, for a notebook; or what is wrong with it."""
        from orchestration.render.notebook import workflow_bundle  # noqa: PLC0415 - only a notebook needs it

        return workflow_bundle(self.compile)

    if TYPE_CHECKING:

        def value_taken(self, value: In, /) -> None:
            """Tell a type checker what goes in; never called."""
            ...

        def value_given(self) -> Out:
            """Tell a type checker what comes out; never called."""
            ...

        def services_needed(self) -> R:
            """Tell a type checker which services are needed; never called."""
            ...

    def as_node(self) -> Node:
        """Return the node that stands for this workflow where it is a body: its one node, or a scope of its own.

        A name, an option, and what concerns the chain it stands in (a recovery, a cleanup, a pivot) make a scope also
        of a chain of one.
        """
        scope = self._scope()
        alone = self._start == Scope("", (), self._start.takes) and len(scope.children) == 1
        return scope.children[0] if alone and not isinstance(scope.children[0], OF_A_CHAIN) else scope

    def _scope(self) -> Scope:
        nodes: list[Node] = []
        here: Chain[Any, Any, Any] | None = self
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

    def _append(self, node: Node, kind: Any) -> Any:  # noqa: ANN401 - `kind` of chain, with the types of the method
        new = object.__new__(kind)
        new._start, new._before, new._last, new._plan = self._start, self, node, None
        return new

    def _replace(self, node: Node, kind: Any) -> Any:  # noqa: ANN401 - as `_append`
        return cast("Chain[Any, Any, Any]", self._before)._append(node, kind)  # noqa: SLF001 - of this class


OF_A_CHAIN = (Recover, Cleanup, Pivot)
