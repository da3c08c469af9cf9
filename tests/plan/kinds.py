"""Classes of every kind that an annotation may name."""

# The forms that users may write are the cases, the older ones too.
# ruff: noqa: PYI059, UP044

from __future__ import annotations

from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - fields are read at run time
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NewType, Protocol, TypeVar

import attrs
import pydantic
import typing_extensions as te

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from nowhere import Missing

T = TypeVar("T")
P = te.ParamSpec("P")
Ts = te.TypeVarTuple("Ts")


class Color(Enum):
    """A plain enum."""

    RED = 1
    BLUE = 2


class Level(IntEnum):
    """An enum of integers."""

    LOW = 1


@dataclass
class Line:
    """A dataclass."""

    price: Decimal
    color: Color


@dataclass
class Order:
    """A dataclass with a model, itself and a missing name in it."""

    lines: list[Line]
    parent: Order | None = None
    lost: Missing | None = None


@dataclass
class Rush(Order):
    """A subclass."""


class Receipt(pydantic.BaseModel):
    """A model with a private attribute."""

    order: Order
    level: Level = Level.LOW
    _note: Tag | None = None


class Page(pydantic.BaseModel, Generic[T]):
    """A generic model."""

    items: list[T]


@attrs.define
class Tag:
    """An attrs class."""

    name: str


@frozen
class Stamp:
    """One of the library's own values."""

    tag: Tag


class Point(NamedTuple):
    """A NamedTuple."""

    x: int
    color: Color


class Shape(te.TypedDict):
    """A TypedDict."""

    point: Point


class Box(Generic[T]):
    """A generic of the user's own."""


class Held(Generic[T]):
    """A generic that takes a value."""

    def __init__(self, value: T) -> None:
        """Take a value."""


class Both(abc.Reversible[str], abc.Mapping[str, int]):
    """A mapping that says twice what iterating gives."""


class IntBox(Box[int]):
    """A subclass with its argument given."""


class Names(list[str]):
    """A subclass of a builtin with its argument given."""


class Pile(Generic[T], Sequence[T]):
    """A generic sequence."""


class Packed(Generic[P]):
    """A class of parameters."""


class PackedInts(Packed[[int]]):
    """A class with its parameters given."""


class Variadic(Generic[te.Unpack[Ts]]):
    """A class of many."""


class Pairs(Variadic[int, te.Unpack[Ts]]):
    """A class of at least one."""


class Named(Protocol):
    """A protocol."""

    name: str


class Titled(Named):
    """A class that declares that it has the protocol."""


class Caller:
    """A callable object."""

    def __call__(self, value: int) -> str:
        """Return text."""
        return str(value)


class AsyncCaller:
    """An object with an async call."""

    async def __call__(self, value: int) -> str:
        """Return text."""
        return str(value)


class Anything(Any):
    """A class of which checkers take everything."""


class OldSequence:
    """A class that iterates by `__getitem__`."""

    def __getitem__(self, index: int) -> int:
        """Return the index."""
        return index


class Grim(type):
    """A metaclass that refuses to tell."""

    def __subclasscheck__(cls, other: type) -> bool:
        """Raise."""
        raise RuntimeError


class Grimly(metaclass=Grim):
    """A class of which nothing can be known."""


UserId = NewType("UserId", int)
AdminId = NewType("AdminId", UserId)
Alias = te.TypeAliasType("Alias", list[int])
Pair = te.TypeAliasType("Pair", tuple[T, T], type_params=(T,))
One = te.TypeAliasType("One", T, type_params=(T,))
Broken = te.TypeAliasType("Broken", "Missing")
Json = pydantic.JsonValue
Tree = te.TypeAliasType("Tree", "tuple[Tree, ...]")
Twins = te.TypeAliasType("Twins", "tuple[Twins, Twins]")
