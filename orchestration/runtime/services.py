"""`Services`: which object does the work of which class. The everyday seam between a plan and the world."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, Never, cast, get_args, get_origin

from typing_extensions import TypeVar

from orchestration.errors import AmbiguousService, MissingService
from orchestration.plan.compile import bodies_of
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.plan.body import Body
    from orchestration.plan.compile import Plan

P = TypeVar("P", contravariant=True, default=Never)
S = TypeVar("S")


class Services(Generic[P]):
    """An immutable set of bindings: `Services().bind(Payments).to(StripePayments())`.

    ```python
    services = Services().bind(Payments).to(StripePayments()).bind(Mail).to(Smtp())
    await Workflow[Reserved]("pay").step(Payments.charge).step(Mail.send).run(Reserved(order), services)
    ```

    `P` is the union of the classes bound so far; a workflow that needs another is an error of the type checker's.
    """

    __slots__ = ("_bindings",)

    def __init__(self: Services[Never]) -> None:
        """Begin with nothing bound; without the annotation a checker infers what is expected of `Services()`."""
        self._bindings: dict[type, object] = {}

    def bind(self, kind: Callable[..., S], /) -> Binding[S, P]:
        """Name a class, Protocol or ABC whose methods are steps; `.to(...)` names the object that does its work."""
        return Binding(self._bindings, cast("type[S]", kind))

    def check(self, plan: Plan) -> None:
        """See to it that every method of the plan is bound, before anything runs.

        Raises:
            MissingService: if one is not.
            AmbiguousService: if two bound classes share it and the step does not say which is meant.
        """
        for body in bodies_of(plan.root):
            if body.kind == "method":
                self.resolve(body, plan.name)

    def resolve(self, body: Body, path: str) -> Callable[..., Any]:
        """Return what to call with a body's values: the function itself, or the method of the bound object.

        Raises:
            MissingService: if the method's class is not bound.
            AmbiguousService: if two bound classes share it and the step does not say which is meant.
        """
        if body.kind != "method":
            return body.call
        kinds = [kind for kind in self._bindings if body.owner == kind or (body.owner is None and _has(kind, body))]
        if not kinds:
            raise self._missing(body, path)
        if len(kinds) > 1:
            names = " and ".join(_shown(kind) for kind in kinds)
            raise AmbiguousService(
                path,
                found=f"{body.name}, a method of {names} alike",
                expected="one class that is meant",
                mend=f"Say which in the step: method({_shown(kinds[0])}, {_shown(kinds[0])}.{body.name}).",
            )
        return cast("Callable[..., Any]", getattr(self._bindings[kinds[0]], body.call.__name__))

    def _missing(self, body: Body, path: str) -> MissingService:
        kind = (body.service or "").partition("[")[0].rpartition(":")[2].rpartition(".")[2]
        bound = ", ".join(sorted(type_name(kind) for kind in self._bindings)) or "nothing"
        return MissingService(
            path,
            found=f"no binding for {body.service}, whose {body.name} is a step; bound: {bound}",
            expected=f"an implementation of {kind}",
            mend=f"Add .bind({kind}).to(...) to the services of this run.",
        )


class Binding(Generic[S, P]):
    """A class that waits for its implementation. Two calls, so that a Protocol or an ABC can be the class."""

    __slots__ = ("_bindings", "_kind")

    def __init__(self, bindings: dict[type, object], kind: type[S]) -> None:
        """Keep what was bound before."""
        self._bindings = bindings
        self._kind = kind

    def to(self, implementation: S, /) -> Services[P | S]:
        """Return services in which `implementation` does the work of the class."""
        services = cast("Services[P | S]", Services())
        services._bindings = {**self._bindings, self._kind: implementation}  # noqa: SLF001 - the other half of `bind`
        return services


def _has(kind: type, body: Body) -> bool:
    """Tell whether a class has the function; a generic one may be bound with its parameters."""
    return any(member is body.call for _, member in inspect.getmembers_static(get_origin(kind) or kind))


def _shown(kind: type) -> str:
    """Return a class as a reader wrote it: its name, and its parameters if it is generic."""
    parameters = ", ".join(getattr(parameter, "__name__", str(parameter)) for parameter in get_args(kind))
    return f"{kind.__name__}[{parameters}]" if parameters else kind.__name__
