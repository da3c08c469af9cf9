"""`frozen`: the one decorator behind every value of this library.

A frozen, slotted attrs class that is built at the price of a mutable one. attrs' own `frozen` pays one call of
`object.__setattr__` a field (measured, CPython 3.11: 550 ns for four fields, 800 ns for six). A step of a run builds
five such values, so this is what a chain costs. Here the fields are stored while the object still has a mutable class,
which it leaves at the end of `__init__` (200 ns, whatever the number of fields).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import attrs
from typing_extensions import dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

BY_VALUE = ("__eq__", "__hash__", "__repr__")  # written by attrs; for a hundred classes that is a third of an import

_set_class: Callable[[object, type], None] = object.__dict__["__class__"].__set__


def _refuse(self: object, name: str, value: object = None) -> None:  # noqa: ARG001 - the signature of __setattr__
    raise attrs.exceptions.FrozenInstanceError


@dataclass_transform(frozen_default=True, field_specifiers=(attrs.field,))
def frozen(cls: type[T]) -> type[T]:
    """Make `cls` an attrs class whose instances are slotted, compared and hashed by value, and never change.

    Fields have no validators and no converters: what needs those is an `attrs.frozen` class.

    Raises (on assignment to an instance): `attrs.exceptions.FrozenInstanceError`.
    """
    draft: Any = attrs.define(slots=True, eq=False, repr=False, weakref_slot=False, init=False)(cls)
    namespace = {
        "__slots__": (),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
    }
    final: Any = type(draft)(cls.__name__, (draft,), namespace)
    final.__init__ = _initialiser(draft, final)
    for name in BY_VALUE:
        setattr(final, name, _written_when_called(final, name))
    parameters = getattr(draft, "__parameters__", None)
    if parameters is not None:  # a generic class: the subclass has the same type variables
        final.__parameters__ = parameters
    return cast("type[T]", final)


def _written_when_called(kind: type, name: str) -> Callable[..., Any]:
    """Return a method that puts the real ones in its place when it is called: most classes never need them."""

    def method(self: object, *others: object) -> object:
        fields = {each.name: attrs.field(eq=each.eq, hash=each.hash, repr=each.repr) for each in attrs.fields(kind)}
        written: Any = attrs.define(these=fields, slots=False, init=False, unsafe_hash=True)(type("written", (), {}))
        for each in BY_VALUE:
            setattr(kind, each, written.__dict__[each])
        return written.__dict__[name](self, *others)

    return method


def maker(kind: Callable[P, T]) -> Callable[P, T]:
    """Return a function that makes values of a frozen class, as the class itself does.

    It is for the few that are made for every step or item: it takes 60 % of the time that a call of the class takes
    (CPython 3.11; a third in 3.13), because nothing has to be looked up on a class.
    """
    final = cast("type", kind)
    return cast("Callable[P, T]", _writes(final.__mro__[1], final, "make", "self = _new(_draft)", "return self"))


def _initialiser(draft: type, final: type) -> Callable[..., None]:
    """Write an `__init__` that stores the fields in an object that is mutable meanwhile."""
    return _writes(draft, final, "__init__", "_set_class(self, _draft)")


def _writes(draft: type, final: type, name: str, first: str, *last: str) -> Callable[..., Any]:
    """Write a function that takes the fields of a class, and stores them in a `self` between its `first` and `last`."""
    known: dict[str, Any] = {"_set_class": _set_class, "_new": object.__new__, "_draft": draft, "_final": final}
    positional: list[str] = ["self"] if name == "__init__" else []
    keyword: list[str] = []
    stores: list[str] = []
    for field in attrs.fields(draft):
        default = f"_default_{field.name}"
        known[default] = field.default
        if not field.init:  # a factory that takes the object itself is the only default such a field has here
            known[default] = field.default.factory
            stores.append(f"self.{field.name} = {default}(self)")
            continue
        parameter = field.name if field.default is attrs.NOTHING else f"{field.name}={default}"
        (keyword if field.kw_only else positional).append(parameter)
        stores.append(f"self.{field.name} = {field.name}")
    if keyword:
        positional.append("*")
    head = f"def {name}({', '.join(positional + keyword)}):"
    source = "\n    ".join([head, first, *stores, "self.__class__ = _final", *last])
    exec(compile(source, f"<frozen {draft.__qualname__}>", "exec"), known)  # noqa: S102 - as attrs and dataclasses do
    return cast("Callable[..., Any]", known[name])


def evolve(value: T, /, **changes: object) -> T:
    """Return a copy of a frozen value with some fields changed."""
    kind = type(value)
    copy = _copiers.get(kind) or _copier(kind)
    return cast("T", copy(value, **changes))


_copiers: dict[type, Callable[..., Any]] = {}


def _copier(kind: type) -> Callable[..., Any]:
    """Write what copies the values of a class, the first time that it is asked for: most are never copied.

    attrs' own `evolve` looks all fields up each time: 2.5 µs, where this takes 0.6.
    """
    copy: Callable[..., Any] = attrs.evolve
    if kind.__setattr__ is _refuse:
        fields = [field for field in attrs.fields(kind) if field.init]
        parameters = "".join(f", {field.name}=_same" for field in fields)
        chosen = ", ".join(
            f"{f'{field.name}=' if field.kw_only else ''}self.{field.name} if {field.name} is _same else {field.name}"
            for field in fields
        )
        known: dict[str, Any] = {"_same": object(), "_make": maker(kind)}
        source = f"def copy(self{parameters}): return _make({chosen})"
        exec(compile(source, f"<copy of {kind.__qualname__}>", "exec"), known)  # noqa: S102 - as attrs and dataclasses do
        copy = cast("Callable[..., Any]", known["copy"])
    _copiers[kind] = copy
    return copy
