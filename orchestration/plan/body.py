"""`Body`: a function as a plan holds it, by reference and with what its signature tells (S1, S7).

A function and a service's method differ by arity: `charge(reserved)` against `Payments.charge(self, reserved)`.
Whether a function belongs to a class is read from its qualified name, so a local class works like a global one.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

import attrs

from orchestration.frozen import frozen
from orchestration.plan.origin import module_name
from orchestration.plan.signatures import Signature, signature_of
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

S = TypeVar("S")
F = TypeVar("F")
A = TypeVar("A")
T = TypeVar("T")

BodyKind = Literal["function", "method", "lambda", "closure", "partial", "object"]
NAMED: frozenset[BodyKind] = frozenset({"function", "method"})

UNKNOWN = Signature()


@frozen
class Body:
    """A callable, by reference: equal and hashed without the callable itself.

    `ref` is `module:qualname` for a function or method, for anything without a name of its own (a lambda, a closure,
    a partial, an object) only its kind: the place in the plan identifies it (S1). `arity` is how many values it is
    called with; `service` names the class of a method, `owner` is that class where it was `stated`.
    """

    ref: str
    kind: BodyKind
    arity: int = 1
    service: str | None = None
    stated: bool = False
    call: Callable[..., Any] = attrs.field(default=None, eq=False, repr=False)
    owner: type | None = attrs.field(default=None, eq=False, repr=False)
    signature: Signature = attrs.field(default=UNKNOWN, eq=False, repr=False)

    @staticmethod
    def of(call: Any, arity: int = 1) -> Body:  # noqa: ANN401 - whatever a caller wrote; compile says if it is no body
        """Describe a callable that will be called with `arity` values."""
        owner = None
        if isinstance(call, ServiceMethod):
            call, owner = call.function, call.kind
        kind = _kind_of(call, arity, stated=owner is not None)
        return Body(
            ref=_reference(call) if kind in NAMED else kind,
            kind=kind,
            arity=arity,
            service=_service_of(call, owner) if kind == "method" else None,
            stated=owner is not None,
            call=call,
            owner=owner,
            signature=(signature_of(call) or UNKNOWN) if callable(call) else UNKNOWN,
        )

    @property
    def name(self) -> str | None:
        """The name that a node takes from this body; `None` where it has none of its own (S4)."""
        call = self.call
        while isinstance(call, functools.partial):
            call = call.func
        name = getattr(call, "__name__", type(call).__name__)
        return None if name == "<lambda>" else name

    @property
    def takes(self) -> tuple[object, ...]:
        """The annotated types of the values it is called with; `Any` where nothing is known."""
        known = self.signature.parameters[1 if self.kind == "method" else 0 :]
        return (*known, *(Any,) * self.arity)[: self.arity]

    @property
    def gives(self) -> object:
        """The annotated type of what it returns, awaited; `Any` where nothing is known."""
        return self.signature.returns

    @property
    def asynchronous(self) -> bool:
        """Whether it is an `async def`."""
        return self.signature.asynchronous

    def accepts(self, arguments: int) -> bool:
        """Tell whether it can be called with so many positional arguments; a builtin that does not say can."""
        try:
            signature = inspect.signature(self.call)
        except (ValueError, TypeError):
            return callable(self.call)
        try:
            signature.bind(*(None,) * arguments)
        except TypeError:
            return False
        return True


@frozen
class ServiceMethod(Generic[S, F]):
    """A method with its service stated, for where two services share the function: see `method`."""

    kind: type
    function: Any


def method(kind: Callable[..., S], function: Callable[[S, A], T]) -> Callable[[S, A], T]:
    """State which service a method is meant of: `method(Users, Users.get)`.

    ```python
    sale = Workflow[Reserved]("sale").step(method(StripePayments, StripePayments.charge))
    ```

    Needed where two services share a function (one inherits it from the other), which `Services.bind` reports as
    `AmbiguousService`.
    """
    return ServiceMethod(cast("type[S]", kind), function)  # type: ignore[return-value]  # stands for the function wherever a body goes


def reference(call: object) -> str | None:
    """Return what names a function in a stored plan; `None` for what has no name of its own."""
    return _reference(call) if _kind_of(call, 1, stated=False) in NAMED else None


def _kind_of(call: object, arity: int, *, stated: bool) -> BodyKind:
    if isinstance(call, functools.partial):
        return "partial"
    name = getattr(call, "__qualname__", None)
    if name is None:
        return "object"
    if getattr(call, "__name__", "") == "<lambda>":
        return "lambda"
    if stated or (_belongs_to_class(call) and Body("", "function", call=call).accepts(arity + 1)):  # type: ignore[arg-type]  # whatever was given
        return "method"
    if inspect.ismethod(call) and not inspect.isclass(call.__self__):
        return "object"  # bound: its object is state that a reference cannot name
    return "closure" if getattr(call, "__closure__", None) else "function"


def _belongs_to_class(call: object) -> bool:
    owner = getattr(call, "__qualname__", "").rpartition(".")[0]
    return inspect.isfunction(call) and bool(owner) and not owner.endswith("<locals>")


def _reference(call: object) -> str:
    return f"{module_name(getattr(call, '__module__', None) or '?')}:{getattr(call, '__qualname__', '?')}"


def _service_of(call: object, owner: type | None) -> str:
    return type_name(owner) if owner is not None else _reference(call).rpartition(".")[0]
