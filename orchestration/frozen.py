"""`frozen`: the one decorator behind every value of this library.

A frozen, slotted attrs class that is built at the price of a mutable one. attrs' own `frozen` pays one call of
`object.__setattr__` a field (measured here, CPython 3.11: 550 ns for four fields, 800 ns for six). A step of a run
builds four such values, so this is what a chain costs. Here the fields are stored while the object still has a
mutable class, which the object leaves at the end of `__init__` (300 ns, whatever the number of fields).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
from typing_extensions import dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_set_class: Callable[[object, type], None] = object.__dict__["__class__"].__set__


def _refuse(self: object, name: str, value: object = None) -> None:  # noqa: ARG001 - the signature of __setattr__
    raise attrs.exceptions.FrozenInstanceError


@dataclass_transform(frozen_default=True, field_specifiers=(attrs.field,))
def frozen(cls: type[T]) -> type[T]:
    """Make `cls` an attrs class whose instances are slotted, compared and hashed by value, and never change.

    Raises (on assignment to an instance): `attrs.exceptions.FrozenInstanceError`.
    """

    def thaw(self: object) -> None:
        _set_class(self, draft)

    def freeze(self: object) -> None:
        self.__class__ = final

    hooks = cast("Any", cls)
    hooks.__attrs_pre_init__ = thaw
    hooks.__attrs_post_init__ = freeze
    draft = attrs.define(slots=True, unsafe_hash=True, weakref_slot=False)(cls)
    namespace = {
        "__slots__": (),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
    }
    final: Any = type(cast("Any", draft))(cls.__name__, (draft,), namespace)
    parameters = getattr(draft, "__parameters__", None)
    if parameters is not None:  # a generic class: the subclass has the same type variables
        final.__parameters__ = parameters
    return cast("type[T]", final)


def evolve(value: T, **changes: object) -> T:
    """Return a copy of a frozen value with some fields changed."""
    return cast("T", attrs.evolve(cast("Any", value), **changes))


def fields_of(kind: type) -> tuple[str, ...]:
    """Return the names of a frozen class's fields, in order."""
    return tuple(field.name for field in attrs.fields(kind))
