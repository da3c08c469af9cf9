"""The nodes of a plan: frozen values, nothing but data and the functions that they name.

A node has a `name`, empty until `compile_plan` has filled it in from the body (S4), and a `number`, its place in
the compiled plan. Each construct is one class here, one row in `flow` (types), `mermaid` (picture) and the
interpreter's `rooms` (behaviour); names, checks, JSON and fingerprint come from the fields alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs

from orchestration.frozen import frozen
from orchestration.plan.topology import TOPOLOGY, Need, Topology
from orchestration.policies import Mode, OnPartial, OnUndoFailure, Retry, names_of

if TYPE_CHECKING:
    from orchestration.plan.body import Body
    from orchestration.plan.hooks import Hook, When

IN_DOUBT_ON = ("TimeoutError", "ConnectionError")
UNDO_RETRY = Retry()
UNDO_TIMEOUT = 30.0


def place() -> Any:  # noqa: ANN401 - a field specifier: the type is the field's
    """Declare the field that holds a node's number in its compiled plan; it takes no part in comparisons."""
    return attrs.field(default=-1, eq=False, repr=False, kw_only=True)


@attrs.frozen  # not `frozen`: mypy knows only attrs' own classes to have converters
class Compensation:
    """How a step is undone (S22).

    `undo` takes the step's output. `in_doubt` takes its input and settles an effect of which nobody knows whether it
    landed; `in_doubt_on` names the failures that leave such doubt. `timeout` is in seconds and bounds one attempt.
    `on_failure` says what becomes of the steps before it when the undo fails for good (S26), `on_cancel` whether a
    cancel of the run undoes it at all (S28): both are those of the workflow that it stands in.
    """

    undo: Body
    in_doubt: Body | None = None
    in_doubt_on: tuple[str, ...] = attrs.field(default=IN_DOUBT_ON, converter=names_of)
    retry: Retry = UNDO_RETRY
    timeout: float = UNDO_TIMEOUT
    on_failure: OnUndoFailure = "hold"
    on_cancel: bool = True


@frozen
class Step:
    """An effect: a handler calls the body (S7). `attempt_timeout` is in seconds and bounds one attempt (S10).

    `run_in` is `"loop"`, `"thread"`, `"process"` or the name of an executor; by default an `async def` runs in the loop
    and a plain `def` in a worker thread (S11). `limit` names a limit that bounds attempts across runs (S14). A `cheap`
    one may run in the process that runs the workflow, where an engine has others for attempts. `spread` calls the body
    with the items of the value as arguments. `hooks` are its own (S31); `asks` says when it asks hooks, its own and
    those of the workflows around it, and is found out when the plan is compiled.
    """

    name: str
    body: Body
    compensation: Compensation | None = None
    retry: Retry | None = None
    attempt_timeout: float | None = None
    run_in: str | None = None
    limit: str | None = None
    cheap: bool = False
    spread: bool = False
    hooks: tuple[Hook, ...] = ()
    asks: tuple[When, ...] = ()
    number: int = place()


@frozen
class Pure:
    """A deterministic function that the interpreter evaluates itself (S7)."""

    name: str
    body: Body
    number: int = place()


@frozen
class Beside:
    """A body that runs beside the value (S21): `combine(value, output)` goes on, or without it (a tap) the value."""

    name: str
    body: Node
    combine: Body | None = None
    number: int = place()


@frozen
class Compensated:
    """A composite with one undo for all of it: armed when the body has succeeded (S27)."""

    name: str
    body: Node
    compensation: Compensation
    number: int = place()


@frozen
class Timed:
    """A node that has to end in `timeout` seconds, retries, backoff and waiting included; this is final (S10)."""

    name: str
    body: Node
    timeout: float
    number: int = place()


@frozen
class Retried:
    """A composite that is tried again when it has failed and was unwound (S9, S20); its paths get a `#n` (S4)."""

    name: str
    body: Node
    retry: Retry
    on_partial: OnPartial = "fail"
    number: int = place()


def _recovers(scope: Scope) -> tuple[int, ...]:
    return tuple(index for index, child in enumerate(scope.children) if isinstance(child, Recover))


RECOVERS: Any = attrs.Factory(_recovers, takes_self=True)


@frozen
class Scope:
    """A workflow: a chain of nodes with a name and a scope of its own (S19).

    `takes` is the type of the value before the first node. `max_concurrency` caps the attempts of a run of this
    workflow that are under way at a time (S14); `retry` is the default of its steps (S9), `on_undo_failure` and
    `compensate_on_cancel` are those of its compensations (S26, S28); `hooks` concern all that is in it (S31).
    `recovers` are the positions of its `Recover` nodes.
    """

    name: str
    children: tuple[Node, ...]
    takes: object = Any
    version: str = "1"
    max_concurrency: int | None = None
    retry: Retry | None = None
    on_undo_failure: OnUndoFailure = "hold"
    compensate_on_cancel: bool = True
    hooks: tuple[Hook, ...] = ()
    number: int = place()
    recovers: tuple[int, ...] = attrs.field(init=False, eq=False, repr=False, default=RECOVERS)


@frozen
class Recover:
    """Where a chain goes on after a failure of one of the kinds `on` (S20).

    Covers all before it in the chain, which is unwound first; the body gets the `Failure`. A value passes through.
    """

    name: str
    body: Node
    on: tuple[str, ...]
    on_partial: OnPartial = "fail"
    number: int = place()


@frozen
class Cleanup:
    """A body that runs once when its scope has ended in any way, with the value that was here; reached or not (S21).

    `retry` and `timeout` (seconds an attempt) are its own: no cancel or deadline reaches it (S24).
    """

    name: str
    body: Body
    retry: Retry = UNDO_RETRY
    timeout: float = UNDO_TIMEOUT
    limit: str | None = None
    number: int = place()


@frozen
class Pivot:
    """The point of no return of a scope: what stands before it in the chain is kept, whoever unwinds (S27)."""

    name: str
    number: int = place()


@frozen
class Sleep:
    """A wait of so many `seconds`; the value passes on (S21)."""

    name: str
    seconds: float
    number: int = place()


@frozen
class WaitFor:
    """A wait for a signal named `signal` of type `kind`: `combine(value, payload)` goes on, or the payload (S21)."""

    name: str
    signal: str
    kind: Any
    combine: Body | None = None
    number: int = place()


@frozen
class Loop:
    """A body again and again, each output the next input (S17).

    `test(value, index)` ends it: asked after each iteration for `check="until"`, before each for `"while"`, where it
    says whether to go on. Past `max_iterations` the loop fails.
    """

    name: str
    body: Node
    test: Body
    check: Literal["until", "while"]
    max_iterations: int
    number: int = place()


@frozen
class Fold:
    """A body that takes (accumulator, item) for each item, one at a time; `initial` is the first accumulator (S16)."""

    name: str
    body: Node
    initial: Any = attrs.field(hash=False)  # it may be a list
    number: int = place()


@frozen
class Arm:
    """One way through a branch: taken where `test(value)` holds, or where the value is a `kind` (S13)."""

    node: Node
    test: Body | None = None
    kind: Any = None


@frozen
class Branch:
    """Arms in order, the first that holds is taken; `otherwise` where none does (S13)."""

    name: str
    arms: tuple[Arm, ...]
    otherwise: Node | None = None
    exhaustive: bool = False
    number: int = place()


@frozen
class Vertex:
    """A member of a graph: it takes the outputs of what it `needs`, one alone as it is and several as a tuple (S14).

    A need is the name of another member or `INPUT`, the graph's own value, which is also what no needs stand for. Until
    names are given, a need may be a member's position.
    """

    node: Node
    needs: tuple[Need, ...] = ()


@frozen
class Graph:
    """Nodes that run side by side, each as soon as what it needs is done; a fork is a graph without needs (S14).

    The output is that of the member that `gives` names, or the tuple of several; without it the tuple of all in the
    order of declaration. `concurrency` caps how many are under way.
    """

    name: str
    vertices: tuple[Vertex, ...]
    concurrency: int | None = None
    mode: Mode = "fail_fast"
    on_partial: OnPartial = "fail"
    gives: Need | tuple[Need, ...] | None = None
    number: int = place()
    topology: Topology = attrs.field(init=False, eq=False, repr=False, default=TOPOLOGY)


@frozen
class Into:
    """What a map folds its results into, in input order: `combine(accumulator, result)`, from `initial` (S16)."""

    initial: Any = attrs.field(hash=False)  # it may be a list
    combine: Body


@frozen
class Map:
    """A body for each item of an iterable or a stream, results in input order (S16).

    `concurrency` caps the items under way. With `into` the results are folded as they come instead of kept.
    """

    name: str
    body: Node
    concurrency: int | None = None
    mode: Mode = "fail_fast"
    on_partial: OnPartial = "fail"
    into: Into | None = None
    number: int = place()


Node = (
    Step
    | Pure
    | Beside
    | Compensated
    | Timed
    | Retried
    | Scope
    | Recover
    | Cleanup
    | Pivot
    | Sleep
    | WaitFor
    | Loop
    | Fold
    | Branch
    | Graph
    | Map
)
Undoable = Step | Compensated
NODES: tuple[type[Node], ...] = get_args(Node)
