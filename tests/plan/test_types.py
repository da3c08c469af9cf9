"""What can be known from annotations: `fits`, `type_name`, `named_types`, `signature_of` (S1, S6, S12)."""

# The forms that users may write are the cases, the older ones too.
# ruff: noqa: PYI016, PYI059, PYI061, UP006, UP007, UP044, UP045

from __future__ import annotations

import collections
import functools
import http
import inspect
import io
import os
import subprocess
import sys
import types
import typing
from collections import abc
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, make_dataclass
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NamedTuple, NewType, Protocol, TypeVar
from unittest.mock import Mock

import attrs
import pydantic
import pytest
import typing_extensions as te

from orchestration.frozen import frozen
from orchestration.plan.types import Fit, Signature, fits, named_types, signature_of, type_name

if TYPE_CHECKING:
    from nowhere import Missing

T = TypeVar("T")
P = te.ParamSpec("P")
Ts = te.TypeVarTuple("Ts")
HERE = __name__


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


def _nested(tp: object) -> object:
    """Put a type into more lists than are looked into."""
    for _ in range(10):
        tp = list[tp]  # type: ignore[valid-type]  # made at run time
    return tp


UserId = NewType("UserId", int)
AdminId = NewType("AdminId", UserId)
Alias = te.TypeAliasType("Alias", list[int])
Pair = te.TypeAliasType("Pair", tuple[T, T], type_params=(T,))
One = te.TypeAliasType("One", T, type_params=(T,))
Broken = te.TypeAliasType("Broken", "Missing")
Json = pydantic.JsonValue
F, M, U = Fit.FITS, Fit.MISFITS, Fit.UNKNOWN

FITS: list[tuple[object, object]] = [
    (int, int), (bool, int), (int, float), (int, complex), (float, complex), (bytearray, bytes), (Rush, Order),
    (int, object), (te.Never, int), (typing.NoReturn, Order), (None, None), (None, int | None), (int, int | str),
    (int | bool, int), (str, typing.Optional[str]), (list[int], list[int]), (list[int], list[float]),
    (list[bool], Iterable[int]), (list[int], Sequence[int]), (list[int], list), (list[int], Iterable),
    (dict[str, int], Mapping[str, object]), (dict[str, int], Iterable[str]), (str, Iterable[str]),
    (bytes, Sequence[int]), (collections.Counter[str], Mapping[str, int]),
    (collections.OrderedDict[str, int], dict[str, int]), (tuple[int, str], tuple[int, str]),
    (tuple[int, ...], tuple[int, ...]), (tuple[int, int], tuple[int, ...]), (tuple[()], tuple[int, ...]),
    (tuple[()], Iterable[int]), (tuple[int, bool], Iterable[int]), (tuple[int, ...], Sequence[int]),
    (Generator[int, None, None], Iterator[int]), (AsyncIterator[int], abc.AsyncIterable[int]),
    (Coroutine[Any, Any, int], Awaitable[int]), (Names, list[str]), (Names, Iterable[str]), (Pile[int], Sequence[int]),
    (IntBox, Box[int]), (Box[int], Box), (Page[int], Page[int]), (UserId, int), (AdminId, UserId), (UserId, UserId),
    (Literal["a"], str), (Literal["a"], Literal["a", "b"]), (Literal[Color.RED], Color), (Literal[None], None),
    (None, Literal["a", None]), (type[Rush], type[Order]), (type[Order], type), (Titled, Named), (Level, int),
    (Annotated[int, "x"], int), (int, Annotated[float, []]), (Alias, list[int]), (list[int], Alias),
    (Pair[int], tuple[int, int]), (One[int], int), (te.LiteralString, str), (typing.List[int], list[int]),
    (typing.List, list), (Point, tuple), (Shape, Shape), (Path, os.PathLike), (Json, Json),
    (Callable[[int], str], Callable[[int], str]), (Caller, abc.Callable), (Both, Mapping[str, int]),
    (te.Required[int], int), (int, abc.Hashable), (range, Iterable[int]),
]  # fmt: skip
MISFITS: list[tuple[object, object]] = [
    (str, int), (int, str), (float, int), (None, int), (int | None, int), (Order, Receipt), (Order | Receipt, Order),
    (list[int], list[str]), (list[int], Iterable[str]), (list[int | None], list[int]), (list[int], set[int]),
    (dict[str, int], Mapping[str, str]), (dict[str, int], dict[int, int]), (str, Iterable[int]), (int, Iterable[int]),
    (tuple[int, str], tuple[int, int]), (tuple[int], tuple[int, int]), (tuple[()], tuple[int]),
    (tuple[str, ...], tuple[int, ...]), (tuple[str, ...], tuple[int, int]), (tuple[int, str], Iterable[int]),
    (Names, list[int]), (Page[int], Order), (UserId, str), (str, UserId), (Literal["a"], int),
    (Literal["a"], Literal["b"]), (Literal["a", 1], Literal["a"]), (int, Literal["a"]), (Color, int), (Color, str),
    (type[Order], type[Receipt]), (type[Order], int), (int, type[Order]), (int, Callable[[int], int]), (Shape, int),
    (int, Shape), (Annotated[str, 1], int), (Pair[str], tuple[int, int]), (list[list[str]], list[list[int]]),
    (Order, int | str), (list[str], Alias), (Awaitable[int], Awaitable[str]), (Json, Order), (list, int),
    (int, list[T]), (list[Json], list[int]),
]  # fmt: skip
UNKNOWN: list[tuple[object, object]] = [
    (Any, int), (int, Any), (inspect.Parameter.empty, int), (int, inspect.Parameter.empty), (T, int), (int, T),
    (P, int), ("Missing", int), (int, "Missing"), (te.Self, int), (object, int), (int | Any, str), (5, int),
    (list[Any], list[int]), (list, list[int]), (list[int], list[T]), (Order, Rush), (int, bool),
    (Iterable[int], list[int]), (Sequence[int], tuple[int, ...]), (Order, Named), (Named, Order), (Box[int], Box[str]),
    (Box, Box[int]), (IntBox, Box[str]), (Page[int], Page[str]), (int, UserId), (UserId, AdminId), (str, Literal["a"]),
    (Literal[Level.LOW], Literal[1]), (type, type[Order]), (type[Color], Iterable[Color]), (type[T], type[Order]),
    (Order, Anything), (Anything, Order), (Mock, Order), (io.TextIOWrapper, typing.TextIO), (Grimly, Order),
    (Order, Grimly), (OldSequence, Iterable[int]), (abc.Hashable, abc.Sized), (tuple[int, ...], tuple[int, int]),
    (Point, tuple[int, str]), (tuple[int, te.Unpack[tuple[str, ...]]], tuple[int]),
    (tuple[int, *tuple[str, ...]], Iterable[int]), (tuple, Iterable[int]), (dict[str, int], Shape),
    (Shape, dict[str, Any]), (Caller, Callable[[int], int]), (Callable[[int], str], Callable[[str], str]),
    (int, te.Never), (Generator[int, int, int], Generator[int, str, int]), (Broken, int), (PackedInts, Packed[[str]]),
    (Pairs[str, int], Variadic[int, str, int]), (abc.Set[int], abc.MutableMapping[int, int]),
    (Coroutine[int], Awaitable[int]), (Box[int], "Box[str]"), (te.TypeGuard[int], bool),
    (_nested(int), _nested(str)),
    (abc.Sequence[int], abc.Generator[int, None, None]), (Order, Level | Rush),
]  # fmt: skip
CASES = [(*pair, fit) for fit, pairs in ((F, FITS), (M, MISFITS), (U, UNKNOWN)) for pair in pairs]


@pytest.mark.parametrize(("produced", "expected", "fit"), CASES, ids=str)
def test_annotations_are_compared_as_fits_misfits_or_unknown(produced: object, expected: object, fit: Fit) -> None:
    """A misfit is only what cannot fit; what is not known is never one (S6)."""
    assert fits(produced, expected) is fit


def test_a_downcast_is_unknown_but_a_union_that_is_too_wide_misfits() -> None:
    """A declared base may be the subclass at run time; a declared alternative is meant to occur (S6)."""
    assert fits(Order, Rush) is Fit.UNKNOWN
    assert fits(Rush | Receipt, Order) is Fit.MISFITS


NAMES: list[tuple[object, str]] = [
    (int, "int"), (None, "None"), (type(None), "None"), (Any, "Any"), (T, "Any"), ("Missing", "Any"),
    (object, "object"), (Order, f"{HERE}:Order"), (list[Order], f"list[{HERE}:Order]"),
    (typing.List[int], "list[int]"), (str | int | None, "None | int | str"),
    (typing.Union[str, typing.Union[None, int], str], "None | int | str"),
    (Annotated[int | Annotated[str, 1], object()], "int | str"), (Literal["b", "a"] | int, "Literal['a', 'b'] | int"),
    (Literal[1, True, None, b"x", "\u00e9"], "Literal['\\xe9', 1, True, b'x'] | None"),
    (Literal[Color.RED], f"Literal[{HERE}:Color.RED]"), (Literal[object()], "Literal[object]"),
    (UserId, f"{HERE}:UserId"), (tuple[()], "tuple[()]"), (tuple, "tuple"), (tuple[int, ...], "tuple[int, ...]"),
    (dict[str, list[int | None]], "dict[str, list[None | int]]"),
    (Callable[[int, str], None], "collections.abc:Callable[[int, str], None]"),
    (Callable[..., int], "collections.abc:Callable[..., int]"), (type[Order], f"type[{HERE}:Order]"),
    (Page[Order], f"{HERE}:Page[{HERE}:Order]"), (Box[T], f"{HERE}:Box[Any]"), (typing.NoReturn, "Never"),
    (Path, "pathlib:Path"), (PurePosixPath, "pathlib:PurePosixPath"), (Alias, "list[int]"),
    (Pair[int], "tuple[int, int]"), (Broken, "Any"), (Shape, f"{HERE}:Shape"), (Decimal, "decimal:Decimal"),
    (te.Self, "Any"), (inspect.Parameter.empty, "Any"),
]  # fmt: skip


@pytest.mark.parametrize(("tp", "name"), NAMES, ids=str)
def test_the_name_of_a_type_is_canonical(tp: object, name: str) -> None:
    """The text has no order, address or version of Python in it (S1)."""
    assert type_name(tp) == name


def test_a_recursive_alias_is_named_within_itself() -> None:
    """An alias stands for its value, and inside of that for its own name, so that the text is finite (S1)."""
    assert "dict[str, pydantic.types:JsonValue]" in type_name(Json)
    assert type_name(Json) == type_name(pydantic.JsonValue)


def test_a_class_of_the_main_module_keeps_its_module() -> None:
    """The module is given as it is: who makes the fingerprint normalises it (S1)."""
    loose = make_dataclass("Loose", [])
    loose.__module__ = "__main__"
    assert type_name(loose) == "__main__:Loose"


def test_names_do_not_depend_on_the_hash_seed() -> None:
    """Another process with another seed gives the same text (S1)."""
    code = "from orchestration.plan.types import type_name; print(type_name(set[str] | dict[str, int | None] | bytes))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {"bytes | dict[str, None | int] | set[str]\n"}


def test_named_types_are_found_through_fields() -> None:
    """Records, enums and the user's other classes are found, recursively and in the order of their names (S12)."""
    assert named_types(Receipt) == (Color, Level, Line, Order, Receipt, Tag)
    assert named_types(dict[str, Stamp | list[Point]] | None) == (Color, Point, Stamp, Tag)
    assert named_types(Shape) == (Color, Point)
    assert named_types(Page[Line]) == (Color, Line, Page[Line])
    assert named_types(Box[Line]) == (Box, Color, Line)


def test_named_types_are_found_in_every_kind_of_annotation() -> None:
    """Literals, NewTypes, callables, classes and aliases name classes too (S12)."""
    kind = NewType("kind", Tag)
    tp = Callable[[Annotated[Level, []]], Literal[Color.RED]] | type[kind] | tuple[Caller, ...]
    assert named_types(tp) == (Caller, Color, Level, Tag)


@pytest.mark.parametrize(
    "tp", [int, None, Any, "Missing", te.Never, Json, Decimal | Path, list[Iterable[int]], Mapping, object]
)
def test_the_standard_library_is_left_out(tp: object) -> None:
    """What JSON and the codec know by themselves is not listed (S12)."""
    assert named_types(tp) == ()


def test_enums_of_the_standard_library_are_listed() -> None:
    """They are written by name, as the user's own are (S12)."""
    assert named_types(http.HTTPStatus) == (http.HTTPStatus,)


def test_records_without_annotations_are_listed() -> None:
    """A `collections.namedtuple`, and an attrs class made from `attr.ib`, tell no types of their fields (S12)."""
    bare = collections.namedtuple("bare", ["x"])  # noqa: PYI024 - the case
    made = attrs.make_class("made", ["x"])
    assert named_types(bare | made) == (bare, made) if type_name(bare) < type_name(made) else (made, bare)


def plain(order: Order, count: int = 0, *rest: str, key: str, other: str = "") -> Receipt:
    """Take some of everything."""
    raise NotImplementedError


def lost(order: Missing, level: Level) -> list[Missing]:
    """Take a type that is imported for checkers only."""
    raise NotImplementedError


async def fetched(order: Order) -> Receipt:
    """Be asynchronous."""
    raise NotImplementedError


def promised(order: Order) -> Awaitable[Receipt]:
    """Return an awaitable."""
    raise NotImplementedError


def bare(order, /):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - the case
    """Have no annotations."""
    raise NotImplementedError


def perhaps(order: Order) -> Coroutine[Any, Any, int] | str:
    """Return an awaitable or not."""
    raise NotImplementedError


class Ticket:
    """Something to wait for, of which nobody says what it gives."""

    def __await__(self) -> Iterator[None]:
        """Wait."""
        raise NotImplementedError


def ticket() -> Ticket:
    """Return an awaitable of the user's own."""
    raise NotImplementedError


def wrapping(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate as most decorators do."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the case
        return function(*args, **kwargs)

    return wrapper


@typing.overload
def doubled(value: int) -> int: ...
@typing.overload
def doubled(value: str) -> str: ...
def doubled(value: int | str) -> int | str:
    """Return an int for an int."""
    return value * 2


class Service:
    """A service."""

    def __init__(self, tag: Tag) -> None:
        """Take a tag."""

    def charge(self, order: Order) -> Receipt:
        """Charge."""
        raise NotImplementedError

    @classmethod
    def make(cls, level: Level) -> te.Self:
        """Make one."""
        raise NotImplementedError


SIGNATURES: list[tuple[Callable[..., object], Signature | None]] = [
    (plain, Signature((Order,), Receipt, variadic=True, keyword_only=("key",), optional=(int,))),
    (functools.partial(plain, key=""), Signature((Order,), Receipt, variadic=True, optional=(int,))),
    (functools.partial(plain, Order([]), key=""), Signature((), Receipt, variadic=True, optional=(int,))),
    (lost, Signature((Any, Level), Any)),
    (fetched, Signature((Order,), Receipt, asynchronous=True)),
    (functools.partial(fetched), Signature((Order,), Receipt, asynchronous=True)),
    (promised, Signature((Order,), Receipt, asynchronous=True)),
    (perhaps, Signature((Order,), int | str)),
    (ticket, Signature((), Any, asynchronous=True)),
    (bare, Signature((Any,), Any)),
    (Service.charge, Signature((Any, Order), Receipt)),
    (Service(Tag("")).charge, Signature((Order,), Receipt)),
    (Service.make, Signature((Level,), te.Self)),
    (Service, Signature((Tag,), Service)),
    (Line, Signature((Decimal, Color), Line)),
    (Held[int], Signature((T,), Held[int])),
    (Caller(), Signature((int,), str)),
    (AsyncCaller(), Signature((int,), str, asynchronous=True)),
    (wrapping(lost), Signature((Any, Level | Any), Any, variadic=False)),
    (functools.lru_cache(lost), Signature((Any, Level | Any), Any)),
    (doubled, Signature((int | str | Any,), int | str | Any)),
    (int, None), (max, None), (5, None), (len, Signature((Any,), Any)),  # type: ignore[list-item]  # no callable
]  # fmt: skip


@pytest.mark.parametrize(("function", "expected"), SIGNATURES, ids=str)
def test_the_signature_tells_what_a_body_takes_and_gives(
    function: Callable[..., object], expected: Signature | None
) -> None:
    """A name that is missing costs its own annotation only; awaiting is seen through (S6)."""
    assert signature_of(function) == expected


def test_what_a_decorator_may_have_changed_refuses_nothing() -> None:
    """`functools.wraps` copies annotations that may be untrue; their types are still named (S6, S12)."""
    signature = signature_of(wrapping(plain))
    assert signature is not None
    assert fits(signature.returns, int) is Fit.UNKNOWN
    assert Receipt in named_types(signature.returns)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 is of Python 3.12")
def test_the_syntax_of_type_parameters_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """`type X = …`, `class Box[T]` and `def f[T]` are read as their older forms are (S6)."""
    module = types.ModuleType("space")
    monkeypatch.setitem(sys.modules, "space", module)
    space = vars(module)
    source = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "type Tree[T] = T | list[Tree[T]]\n"
        "type Lost = Missing\n"
        "@dataclass\nclass Node[T]:\n    value: T\n    next: Node[T] | None\n"
        "def first[T](items: list[T], node: Node[T]) -> T: ...\n"
    )
    exec(source, space)  # noqa: S102 - the syntax is none on Python 3.11
    assert type_name(space["Tree"][int]) == "int | list[space:Tree]"
    assert fits(list[list[int]], space["Tree"][int]) is Fit.FITS
    assert fits(str, space["Tree"][int]) is Fit.MISFITS
    assert fits(int, space["Lost"]) is Fit.UNKNOWN
    assert named_types(space["Node"][int]) == (space["Node"],)
    signature = signature_of(space["first"])
    assert signature is not None
    assert fits(str, signature.parameters[0]) is Fit.MISFITS
    assert fits(list[int], signature.parameters[0]) is Fit.UNKNOWN
