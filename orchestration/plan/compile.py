"""`compile_plan`: from a tree of nodes to a plan, or to all that is wrong with it at once (S6)."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import attrs
from typing_extensions import TypeVar

from orchestration.errors import InvalidDocument, PlanWarning
from orchestration.failures import Failure
from orchestration.frozen import frozen
from orchestration.plan.body import Body
from orchestration.plan.codec import Codec, canonical
from orchestration.plan.defaults import resolve_defaults
from orchestration.plan.diff import PlanDiff, diff_plans
from orchestration.plan.document import FORMAT, encode, parse
from orchestration.plan.flow import flow
from orchestration.plan.mermaid import mermaid
from orchestration.plan.naming import name_all
from orchestration.plan.nodes import (
    Branch,
    Cleanup,
    Compensated,
    Fold,
    Graph,
    Map,
    Node,
    Recover,
    Scope,
    Step,
    WaitFor,
)
from orchestration.plan.report import Report
from orchestration.plan.structure import check_structure
from orchestration.plan.tree import walk
from orchestration.plan.typenames import type_name
from orchestration.results import Err, NotStarted, Ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.plan.codec import Json
    from orchestration.plan.registry import Registry

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
R = TypeVar("R", covariant=True)


@frozen
class Plan:
    """A compiled workflow: an immutable tree of named, numbered nodes.

    ```python
    plan = Workflow[Order]("sale").step(reserve).compile()
    print(plan.fingerprint, plan.to_mermaid())
    ```

    `gives` is the type of the value at its end. Two plans are equal when their fingerprints are: kinds, structure,
    names, policies, types and the names of functions, but not their code (S1).
    """

    root: Scope = attrs.field(eq=False)
    gives: object = attrs.field(eq=False)
    fingerprint: str
    nodes: tuple[Node, ...] = attrs.field(eq=False, repr=False)
    codec: Codec = attrs.field(eq=False, repr=False)

    @property
    def name(self) -> str:
        """The workflow's name."""
        return self.root.name

    @property
    def takes(self) -> object:
        """The type of the value that a run starts with."""
        return self.root.takes

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the services that its bodies are methods of, sorted."""
        return tuple(sorted({body.service for body in bodies_of(self.root) if body.service is not None}))

    def to_json(self) -> str:
        """Return the plan as a JSON text, functions and types by reference; `from_json` reads it back."""
        return canonical({"format": FORMAT, "fingerprint": self.fingerprint, "plan": encode(self.root)})

    @staticmethod
    def from_json(text: str, registry: Registry) -> Plan:
        """Read a plan that `to_json` wrote; functions and types come from the registry, nothing is imported.

        Raises:
            UnresolvedReference: if the registry lacks something that the plan names.
            InvalidDocument: if the text is no plan, or its functions are others than the ones it was written with.
            PlanErrors: if the plan is wrong in itself.
        """
        root, fingerprint = parse(text, registry)
        try:
            plan = compile_plan(root)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise InvalidDocument(
                "plan",
                found=f"nodes that make no plan ({type(error).__name__}: {error})",
                expected="a plan as to_json writes it",
                mend="The text was changed: write it again with Plan.to_json().",
            ) from error
        if plan.fingerprint != fingerprint:
            raise InvalidDocument(
                plan.name,
                found=f"fingerprint {fingerprint}",
                expected=plan.fingerprint,
                mend="The text was changed, or the registered functions are others than the ones it was written with.",
            )
        return plan

    def diff(self, other: Plan) -> PlanDiff:
        """Return how `other` differs from this plan: what was added, removed, renamed, moved or changed."""
        return diff_plans(self, other)

    def to_mermaid(self) -> str:
        """Return a Mermaid flowchart of the plan."""
        return mermaid(self.root)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return the picture of the plan, for a notebook."""
        from orchestration.render.notebook import plan_bundle  # noqa: PLC0415 - only a notebook needs it

        return plan_bundle(self)


class Compilable(Protocol[In, Out, R]):
    """What engines take: a workflow, by what it needs from the builder and no more."""

    def compile(self) -> Plan:
        """Return the plan."""
        ...

    def value_taken(self, value: In, /) -> None:
        """Tell a type checker what goes in; never called."""
        ...

    def value_given(self) -> Out:
        """Tell a type checker what comes out; never called."""
        ...

    def services_needed(self) -> R:
        """Tell a type checker which services are needed; never called."""
        ...


def compile_plan(root: Scope) -> Plan:
    """Name, number and check a tree of nodes.

    Raises:
        PlanErrors: with all that is wrong, each with its path and mend (S6).

    Warns `PlanWarning` of what is allowed, but hardly meant (S22).
    """
    report = Report()
    named = resolve_defaults(name_all(root, report))
    gives = flow(named, report)
    check_structure(named, report)
    report.close(named.name)
    for message in report.warnings:
        warnings.warn(message, PlanWarning, stacklevel=3)  # where `Workflow.compile` or `Plan.from_json` was called
    types = tuple(_types_of(named, gives))
    covered: Json = {"plan": encode(named), "types": [type_name(kind) for kind in types]}
    fingerprint = hashlib.sha256(canonical(covered).encode()).hexdigest()
    return Plan(named, gives, fingerprint, tuple(walk(named)), Codec(types))


def bodies_of(root: Node) -> Iterator[Body]:
    """Yield every body of a plan that a handler calls: steps, cleanups, undos, in-doubt handlers."""
    for node in walk(root):
        if isinstance(node, Step | Cleanup):
            yield node.body
        if isinstance(node, Step | Compensated) and node.compensation is not None:
            yield node.compensation.undo
            if node.compensation.in_doubt is not None:
                yield node.compensation.in_doubt


def _types_of(root: Scope, gives: object) -> Iterator[Any]:
    """Yield the types of all values that a run may have to write, where the plan tells them."""
    yield gives
    for node in walk(root):
        yield from _own_types(node)
        for field in ("body", "combine", "test"):
            body = getattr(node, field, None)
            if isinstance(body, Body):
                yield from (*body.takes, body.gives)


def _own_types(node: Node) -> tuple[Any, ...]:
    match node:
        case Scope():
            return (node.takes,)
        case Branch():
            return tuple(arm.kind for arm in node.arms if arm.kind is not None)
        case WaitFor():
            return (node.kind,)
        case Recover():
            return (Failure,)
        case Fold():
            return (type(node.initial),)
        case Graph() | Map():
            results = () if node.mode in ("fail_fast", "race") else (Ok, Err, NotStarted, Failure)
            into = node.into if isinstance(node, Map) else None
            return results if into is None else (*results, type(into.initial), *into.combine.takes, into.combine.gives)
        case _:
            return ()
