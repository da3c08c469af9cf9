"""`Workflow`: a typed chain of bodies, as a value. Every method returns a new one."""

# Longer than other files: a method's overloads, of which mypy needs one for each sort of body, stand with the method.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never, cast, overload

from typing_extensions import TypeVar, Unpack

from orchestration.dsl.bodies import body_node, compensated, grouped, looped, raced, with_policies
from orchestration.dsl.branch import Branch
from orchestration.dsl.chain import Chain
from orchestration.dsl.enrich import Enrich
from orchestration.dsl.fork import Fork
from orchestration.dsl.options import (
    Async,
    CleanupOptions,
    CollectOptions,
    GroupOptions,
    Items,
    Named,
    RecoverOptions,
    RecoverWorkflowOptions,
    StepOptions,
    UndoOptions,
    Until,
    WaitOptions,
    While,
    WorkflowOptions,
    check,
    name_of,
    named,
)
from orchestration.frozen import evolve
from orchestration.plan.body import Body
from orchestration.plan.library import numbered
from orchestration.plan.nodes import (
    Beside,
    Cleanup,
    Compensation,
    Fold,
    Into,
    Map,
    Node,
    Pivot,
    Pure,
    Recover,
    Sleep,
    WaitFor,
)
from orchestration.policies import names_of
from orchestration.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestration.failures import Failure
    from orchestration.results import Err, Ok

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True, default=In)
R = TypeVar("R", covariant=True, default=Never)
StepIn = TypeVar("StepIn", covariant=True, default=Any)
M = TypeVar("M")
A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")
U = TypeVar("U")
X = TypeVar("X")
S = TypeVar("S")
S2 = TypeVar("S2")


class Workflow(Chain[In, Out, R]):
    """A workflow from `In` to `Out` that needs the services `R` (a union; `Never` for none).

    ```python
    sale = (
        Workflow[Order]("sale")
        .step(reserve).compensate(release)
        .step(Payments.charge, retry=Retry(), attempt_timeout=10)
    )
    charge = await sale.run(order, services)
    ```

    `Workflow[Order]("checkout")` takes an `Order`; every method returns a new workflow that does one thing more.
    """

    __slots__ = ()

    # --- one body

    @overload
    def step(self, body: Workflow[Out, T, S], /, **options: Unpack[WorkflowOptions]) -> Step[In, T, R | S, Out]: ...
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
    @overload
    def step(self, body: Callable[[Out], T], /, **options: Unpack[StepOptions]) -> Step[In, T, R, Out]: ...  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
    def step(self, body: Any, /, **options: Any) -> Any:
        """Do something in the world: call a function, an async function, a service's method, or another workflow.

        See `StepOptions` for what a function takes, `WorkflowOptions` for what a workflow takes (S7-S11).
        """
        return self._append(body_node(body, options, "step"), Step)

    def pure(self, function: Callable[[Out], T], /, **options: Unpack[Named]) -> Workflow[In, T, R]:
        """Compute: a plain, deterministic function that the interpreter evaluates itself, without retries (S7)."""
        body = Body.of(function)
        workflow: Workflow[In, T, R] = self._append(Pure(named(options, body.name or "pure"), body), Workflow)
        return workflow

    @overload
    def tap(self, body: Workflow[Out, Any, S], /, **options: Unpack[WorkflowOptions]) -> Workflow[In, Out, R | S]: ...
    @overload
    def tap(self, body: Callable[[Out], object], /, **options: Unpack[StepOptions]) -> Workflow[In, Out, R]: ...
    @overload
    def tap(self, body: Callable[[S, Out], object], /, **options: Unpack[StepOptions]) -> Workflow[In, Out, R | S]: ...
    @overload
    def tap(self, body: Callable[[Out], object], /, **options: Unpack[StepOptions]) -> Workflow[In, Out, R]: ...  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
    def tap(self, body: Any, /, **options: Any) -> Any:
        """Do something beside: the body runs, its output is dropped and the value goes on (S21)."""
        node = body_node(body, options, "tap")
        return self._append(Beside(node.name, node), Workflow)

    # a lambda that combines cannot be inferred in the same call as an overloaded body: two calls
    @overload
    def enrich(self, body: Workflow[Out, T, S], /, **options: Unpack[WorkflowOptions]) -> Enrich[In, Out, T, R | S]: ...
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
    @overload
    def enrich(self, body: Callable[[Out], T], /, **options: Unpack[StepOptions]) -> Enrich[In, Out, T, R]: ...  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
    def enrich(self, body: Any, /, **options: Any) -> Any:
        """Run a body beside the value; `.into(combine)` then makes one value: `combine(value, output)` (S21)."""
        return Enrich(body_node(body, options, "enrich"), lambda node: self._append(node, Step))

    # --- many bodies

    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Workflow[X, T, S], /, **options: Unpack[GroupOptions]
    ) -> Mapped[A, T, S2 | S]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Callable[[X], Async[T]], /, **options: Unpack[GroupOptions]
    ) -> Mapped[A, T, S2]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Callable[[X], T], /, **options: Unpack[GroupOptions]
    ) -> Mapped[A, T, S2]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Callable[[S, X], Async[T]], /, **options: Unpack[GroupOptions]
    ) -> Mapped[A, T, S2 | S]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Callable[[S, X], T], /, **options: Unpack[GroupOptions]
    ) -> Mapped[A, T, S2 | S]: ...
    @overload
    def map(  # pyright: ignore[reportOverlappingOverload]
        self: Workflow[A, Items[X], S2], body: Callable[[X], T], /, **options: Unpack[GroupOptions]
    ) -> Mapped[A, T, S2]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Workflow[X, T, S], /, **options: Unpack[CollectOptions]
    ) -> Collected[A, Ok[T] | Err, S2 | S]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Callable[[X], Async[T]], /, **options: Unpack[CollectOptions]
    ) -> Collected[A, Ok[T] | Err, S2]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Callable[[X], T], /, **options: Unpack[CollectOptions]
    ) -> Collected[A, Ok[T] | Err, S2]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Callable[[S, X], Async[T]], /, **options: Unpack[CollectOptions]
    ) -> Collected[A, Ok[T] | Err, S2 | S]: ...
    @overload
    def map(
        self: Workflow[A, Items[X], S2], body: Callable[[S, X], T], /, **options: Unpack[CollectOptions]
    ) -> Collected[A, Ok[T] | Err, S2 | S]: ...
    def map(self, body: Any, /, **options: Any) -> Any:
        """Run a body for each item of an iterable or a stream; the results come in input order (S16).

        With `on_error="collect"` or `tolerate(...)` a failed item does not fail the map: results are `Ok` or `Err`
        (S18). The options are those of the map; `step(body, retry=...)` gives the body of an item policies of its own.
        """
        check(options, CollectOptions)
        node = body_node(body, {"name": options.get("name")}, "map")
        fails = options.get("on_error", "fail_fast") == "fail_fast"
        mapped = self._append(grouped(Map(node.name, node), options), Mapped if fails else Collected)
        mapped._group, mapped._options = Map(node.name, node), options  # noqa: SLF001 - of this module
        return mapped

    def enumerate(self: Workflow[A, Iterable[X], S2]) -> Workflow[A, list[tuple[int, X]], S2]:
        """Give each item its index: a list of pairs, for a map that wants to know (S16)."""
        workflow: Workflow[A, list[tuple[int, X]], S2] = self.pure(numbered, name="enumerate")
        return workflow

    @overload
    def fold(
        self: Workflow[A, Iterable[X], S2],
        initial: B,
        body: Callable[[B, X], Async[B]],
        /,
        **options: Unpack[StepOptions],
    ) -> Step[A, B, S2]: ...
    @overload
    def fold(
        self: Workflow[A, Iterable[X], S2], initial: B, body: Callable[[B, X], B], /, **options: Unpack[StepOptions]
    ) -> Step[A, B, S2]: ...
    @overload
    def fold(
        self: Workflow[A, Iterable[X], S2],
        initial: B,
        body: Callable[[S, B, X], Async[B]],
        /,
        **options: Unpack[StepOptions],
    ) -> Step[A, B, S2 | S]: ...
    @overload
    def fold(
        self: Workflow[A, Iterable[X], S2], initial: B, body: Callable[[S, B, X], B], /, **options: Unpack[StepOptions]
    ) -> Step[A, B, S2 | S]: ...
    @overload
    def fold(  # pyright: ignore[reportOverlappingOverload]
        self: Workflow[A, Iterable[X], S2], initial: B, body: Callable[[B, X], B], /, **options: Unpack[StepOptions]
    ) -> Step[A, B, S2]: ...
    def fold(self, initial: Any, body: Any, /, **options: Any) -> Any:
        """Take one item at a time: `body(accumulator, item)` is a step that gives the next accumulator (S16).

        The options are those of the step of an item.
        """
        node = body_node(body, options, "fold", spread=2)
        return self._append(Fold(node.name, node, initial), Step)

    @overload
    def loop(
        self: Workflow[A, B, S2], body: Workflow[B, B, S], /, **options: Unpack[Until[B]]
    ) -> Step[A, B, S2 | S, B]: ...
    @overload
    def loop(
        self: Workflow[A, B, S2], body: Callable[[B], Async[B]], /, **options: Unpack[Until[B]]
    ) -> Step[A, B, S2, B]: ...
    @overload
    def loop(self: Workflow[A, B, S2], body: Callable[[B], B], /, **options: Unpack[Until[B]]) -> Step[A, B, S2, B]: ...
    @overload
    def loop(
        self: Workflow[A, B, S2], body: Callable[[S, B], Async[B]], /, **options: Unpack[Until[B]]
    ) -> Step[A, B, S2 | S, B]: ...
    @overload
    def loop(
        self: Workflow[A, B, S2], body: Callable[[S, B], B], /, **options: Unpack[Until[B]]
    ) -> Step[A, B, S2 | S, B]: ...
    @overload
    def loop(self: Workflow[A, B, S2], body: Callable[[B], B], /, **options: Unpack[Until[B]]) -> Step[A, B, S2, B]: ...  # pyright: ignore[reportOverlappingOverload]
    @overload
    def loop(
        self: Workflow[A, B, S2], body: Workflow[B, B, S], /, **options: Unpack[While[B]]
    ) -> Step[A, B, S2 | S, B]: ...
    @overload
    def loop(
        self: Workflow[A, B, S2], body: Callable[[B], Async[B]], /, **options: Unpack[While[B]]
    ) -> Step[A, B, S2, B]: ...
    @overload
    def loop(self: Workflow[A, B, S2], body: Callable[[B], B], /, **options: Unpack[While[B]]) -> Step[A, B, S2, B]: ...
    @overload
    def loop(
        self: Workflow[A, B, S2], body: Callable[[S, B], Async[B]], /, **options: Unpack[While[B]]
    ) -> Step[A, B, S2 | S, B]: ...
    @overload
    def loop(
        self: Workflow[A, B, S2], body: Callable[[S, B], B], /, **options: Unpack[While[B]]
    ) -> Step[A, B, S2 | S, B]: ...
    @overload
    def loop(self: Workflow[A, B, S2], body: Callable[[B], B], /, **options: Unpack[While[B]]) -> Step[A, B, S2, B]: ...  # pyright: ignore[reportOverlappingOverload]
    def loop(self, body: Any, /, **options: Any) -> Any:
        """Run a body again and again, each output the next input, `until` or `while_` a test holds (S17).

        `until(value, index)` is asked after each iteration, `while_(value, index)` before. `step(body, retry=...)`
        gives an iteration policies of its own.
        """
        return self._append(looped(body, options), Step)

    def branch(self, **options: Unpack[Named]) -> Branch[In, Out, Never, R]:
        """Open a branch: `.when(predicate, body)`, `.case(Kind, body)`, closed by `.otherwise(body)` (S13)."""
        return Branch(named(options, "branch"), (), lambda node: self._append(node, Workflow))

    @overload
    def fork(
        self, body: Workflow[Out, T, S], /, **options: Unpack[WorkflowOptions]
    ) -> Fork[In, Out, R | S, T, tuple[Ok[T] | Err], T]: ...
    @overload
    def fork(
        self, body: Callable[[Out], Async[T]], /, **options: Unpack[StepOptions]
    ) -> Fork[In, Out, R, T, tuple[Ok[T] | Err], T]: ...
    @overload
    def fork(
        self, body: Callable[[Out], T], /, **options: Unpack[StepOptions]
    ) -> Fork[In, Out, R, T, tuple[Ok[T] | Err], T]: ...
    @overload
    def fork(
        self, body: Callable[[S, Out], Async[T]], /, **options: Unpack[StepOptions]
    ) -> Fork[In, Out, R | S, T, tuple[Ok[T] | Err], T]: ...
    @overload
    def fork(
        self, body: Callable[[S, Out], T], /, **options: Unpack[StepOptions]
    ) -> Fork[In, Out, R | S, T, tuple[Ok[T] | Err], T]: ...
    @overload
    def fork(  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
        self, body: Callable[[Out], T], /, **options: Unpack[StepOptions]
    ) -> Fork[In, Out, R, T, tuple[Ok[T] | Err], T]: ...
    def fork(self, body: Any, /, **options: Any) -> Any:
        """Open a fork: this body and those of further `.fork(...)` run side by side, closed by `.join()` (S14)."""
        return Fork((body_node(body, options, "fork"),), lambda *nodes: self._append_all(nodes, Step))

    # --- what concerns the chain before it

    @overload
    def recover(
        self, body: Workflow[Failure, T, S], /, **options: Unpack[RecoverWorkflowOptions]
    ) -> Workflow[In, Out | T, R | S]: ...
    @overload
    def recover(
        self, body: Callable[[Failure], Async[T]], /, **options: Unpack[RecoverOptions]
    ) -> Workflow[In, Out | T, R]: ...
    @overload
    def recover(
        self, body: Callable[[Failure], T], /, **options: Unpack[RecoverOptions]
    ) -> Workflow[In, Out | T, R]: ...
    @overload
    def recover(
        self, body: Callable[[S, Failure], Async[T]], /, **options: Unpack[RecoverOptions]
    ) -> Workflow[In, Out | T, R | S]: ...
    @overload
    def recover(
        self, body: Callable[[S, Failure], T], /, **options: Unpack[RecoverOptions]
    ) -> Workflow[In, Out | T, R | S]: ...
    @overload
    def recover(  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
        self, body: Callable[[Failure], T], /, **options: Unpack[RecoverOptions]
    ) -> Workflow[In, Out | T, R]: ...
    def recover(self, body: Any, /, *, on: Any, on_partial: Any = "fail", **options: Any) -> Any:
        """Go on after a failure of the kinds `on`, of anything before this in the chain, which is undone first (S20).

        The body gets the `Failure`, and its output takes the place of the value. Without a failure the value passes.
        """
        node = body_node(body, options, "recover")
        return self._append(Recover(node.name, node, names_of(on), on_partial), Workflow)

    @overload
    def cleanup(self, body: Callable[[Out], object], /, **options: Unpack[CleanupOptions]) -> Workflow[In, Out, R]: ...
    @overload
    def cleanup(
        self, body: Callable[[S, Out], object], /, **options: Unpack[CleanupOptions]
    ) -> Workflow[In, Out, R | S]: ...
    def cleanup(self, body: Any, /, **options: Any) -> Any:
        """Register a body that runs once when this workflow has ended in any way, with the value that is here (S21).

        The value passes on; what is never reached never runs.
        """
        check(options, CleanupOptions)
        function = Body.of(body)
        given: dict[str, Any] = {**options, "name": name_of(options, function.name or "cleanup")}
        return self._append(Cleanup(body=function, **given), Workflow)

    def pivot(self, **options: Unpack[Named]) -> Workflow[In, Out, R]:
        """Pass the point of no return: what this workflow has done before is kept, whatever fails later (S27)."""
        workflow: Workflow[In, Out, R] = self._append(Pivot(named(options, "pivot")), Workflow)
        return workflow

    # --- waiting

    def sleep(self, seconds: float, /, **options: Unpack[Named]) -> Workflow[In, Out, R]:
        """Wait; the value passes on (S21)."""
        workflow: Workflow[In, Out, R] = self._append(Sleep(named(options, "sleep"), seconds), Workflow)
        return workflow

    @overload
    def wait_for(self, signal: Signal[T], /, **options: Unpack[WaitOptions]) -> Workflow[In, T, R]: ...
    @overload
    def wait_for(
        self, signal: Signal[T], into: Callable[[Out, T], U], /, **options: Unpack[WaitOptions]
    ) -> Workflow[In, U, R]: ...
    def wait_for(self, signal: Any, into: Any = None, /, **options: Any) -> Any:
        """Wait for a signal: its payload goes on, or `into(value, payload)`, a plain, deterministic function (S21)."""
        check(options, WaitOptions)
        if not isinstance(signal, Signal):
            raise TypeError(f"expected a Signal, found {signal!r}: make one of its name and type, Signal('name', Type)")
        combine = None if into is None else Body.of(into, 2)
        node = WaitFor(name_of(options, signal.name), signal.name, signal.kind, combine)
        return self._append(with_policies(node, options), Workflow)


class Step(Workflow[In, Out, R], Generic[In, Out, R, StepIn]):
    """What has an effect: only here is there something to compensate."""

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
    @overload
    def compensate(  # type: ignore[overload-cannot-match]  # pyright: ignore[reportOverlappingOverload]
        self,
        undo: Callable[[Out], object],
        /,
        *,
        in_doubt: Callable[[StepIn], object] = ...,
        **options: Unpack[UndoOptions],
    ) -> Workflow[In, Out, R]: ...
    def compensate(self, undo: Any, /, *, in_doubt: Any = None, **options: Any) -> Any:
        """Undo the step if what follows it fails: `undo(output)`, in reverse plan order (S22, S23).

        `in_doubt(input)` is for an effect of which nobody knows whether it landed. Takes `in_doubt_on`, `retry` and
        `timeout` as well: see `UndoOptions`.
        """
        check(options, UndoOptions)
        doubt = None if in_doubt is None else Body.of(in_doubt)
        compensation = Compensation(Body.of(undo), doubt, **options)
        return self._replace(compensated(cast("Node", self._last), compensation), Workflow)


class Collected(Step[In, list[M], R, Any], Generic[In, M, R]):
    """What `.map` returns: a list, unless `into` says otherwise."""

    __slots__ = ("_group", "_options")
    _group: Map
    _options: Mapping[str, Any]

    def into(self, initial: B, combine: Callable[[B, M], B], /) -> Step[In, B, R]:
        """Fold the results in input order instead of keeping them: `combine(accumulator, result)`, from `initial`.

        A plain, deterministic function (S16). A stream of any length needs no more memory than is in flight.
        """
        group = evolve(self._group, into=Into(initial, Body.of(combine, 2)))
        step: Step[In, B, R] = self._replace(grouped(group, self._options), Step)
        return step


class Mapped(Collected[In, M, R]):
    """What `.map` returns where a failure fails the map."""

    __slots__ = ()

    def race(self) -> Step[In, M, R]:
        """Take the first success instead of all results; the other items are cancelled and undone (S18)."""
        step: Step[In, M, R] = self._replace(raced(self._group, self._options), Step)
        return step
