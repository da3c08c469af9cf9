"""Values of every kind that a codec writes, and strategies for them."""

import dataclasses
import enum
import functools
import json
import pathlib
from collections import namedtuple
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import attrs
import pydantic
from hypothesis import strategies as st

from orchestration.frozen import frozen
from orchestration.plan.codec import Codec

T = TypeVar("T")
HERE = __name__


class Color(enum.Enum):
    """An enum whose values are no JSON."""

    RED = object()
    BLUE = 1j


class Level(enum.IntEnum):
    """An enum of integers."""

    LOW = 1


class Right(enum.Flag):
    """An enum that combines."""

    READ = 1
    WRITE = 2


class Loose(enum.IntFlag, boundary=enum.EJECT):
    """A flag that gives an integer for what it does not know."""

    ONE = 1


@dataclasses.dataclass
class Line:
    """A dataclass."""

    price: Any = None


@dataclasses.dataclass
class Order:
    """A dataclass with lines."""

    lines: list[Line]
    count: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Rush(Order):
    """A subclass with the same fields."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sealed:
    """A dataclass that is changed by its own making."""

    price: int
    rate: dataclasses.InitVar[int]
    total: int = dataclasses.field(init=False)

    def __post_init__(self, rate: int) -> None:
        """Change what was given."""
        object.__setattr__(self, "total", self.price * rate)
        object.__setattr__(self, "price", self.price + 1)


@dataclasses.dataclass
class Busy:
    """A dataclass with more than fields on its instances."""

    name: str

    def __post_init__(self) -> None:
        """Set an attribute beside the fields."""
        self.seen = 1

    @functools.cached_property
    def shout(self) -> str:
        """Compute once."""
        return self.name.upper()


@dataclasses.dataclass
class Box(Generic[T]):
    """A generic dataclass."""

    item: T


@attrs.frozen(cache_hash=True)
class Tag:
    """An attrs class with private fields, which keeps its hash."""

    _name: str
    size: int = 3
    more: list[int] = attrs.field(factory=list, hash=False)
    twice: int = attrs.field(default=attrs.Factory(lambda self: self.size * 2, takes_self=True))


@attrs.frozen(cache_hash=True, slots=False)
class Open:
    """An attrs class with a dict, which keeps its hash."""

    name: str


@frozen
class Stamp:
    """One of the library's own values."""

    tag: Tag


class Point(NamedTuple):
    """A NamedTuple with a default."""

    x: float
    y: float = 0.0


Bare = namedtuple("Bare", ["x"])  # noqa: PYI024 - the case


class Spot(Point):
    """A NamedTuple with a dict."""


class Cat(pydantic.BaseModel):
    """A model."""

    name: str
    age: int = 1


class Dog(pydantic.BaseModel):
    """A model with equal fields."""

    name: str
    age: int = 1


class Home(pydantic.BaseModel):
    """A model with a union of models with equal fields."""

    pet: Cat | Dog


class Wild(pydantic.BaseModel):
    """A frozen model with aliases, additional values, private attributes and validators that cannot run twice."""

    model_config = pydantic.ConfigDict(extra="allow", frozen=True)

    size: int = pydantic.Field(alias="Size")
    raw: pydantic.Base64Bytes = b""
    parsed: pydantic.Json[list[int]] = []
    _secret: int = pydantic.PrivateAttr(default=1)
    _made: list[int] = pydantic.PrivateAttr(default_factory=list)
    _unset: int

    @functools.cached_property
    def double(self) -> int:
        """Compute once."""
        return self.size * 2


class Page(pydantic.BaseModel, Generic[T]):
    """A generic model."""

    items: list[T]


class Names(pydantic.RootModel[list[str]]):
    """A root model."""


class Old(pydantic.BaseModel):
    """A model with defaults of every kind."""

    a: int
    b: int = 2
    c: list[int] = pydantic.Field(default_factory=list)
    d: int = pydantic.Field(default_factory=lambda data: data["a"] + 1)


class Broken(pydantic.BaseModel):
    """A model whose default cannot be made."""

    a: int = pydantic.Field(default_factory=lambda: 1 // 0)


@dataclasses.dataclass
class Oops(Exception):
    """A dataclass with the state of an exception."""

    code: int


@dataclasses.dataclass
class Sack(dict[str, int]):
    """A dataclass with what a dict holds beside its fields."""

    owner: str


@dataclasses.dataclass(eq=False)
class Touchy:
    """A dataclass that cannot be hashed."""

    name: str

    def __hash__(self) -> int:
        """Fail."""
        raise RuntimeError


class Text(str):
    """A subclass of a builtin."""

    __slots__ = ()


class Nowhere(tzinfo):
    """A zone of the user's own."""


TYPES = [Color, Level, Right, Loose, Order, Rush, Sealed, Busy, Box[int], Tag, Open, Stamp, Point, Bare, Spot, Home]
TYPES += [Wild, Page[int], Names, Old, Broken, Oops, Sack, Touchy]
CODEC = Codec(TYPES)


def through(value: object, codec: Codec = CODEC) -> Any:
    """Write and read a value, by way of JSON text."""
    return codec.decode(json.loads(json.dumps(codec.encode(value), allow_nan=False)))


def same(one: object, other: object) -> bool:
    """Whether two values are equal and of equal types at every level."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, set | frozenset) and isinstance(other, set | frozenset):
        return one == other and all(any(same(item, it) for it in other) for item in one)
    if dataclasses.is_dataclass(one) or isinstance(one, pydantic.BaseModel):
        return one == other and same(vars(one), vars(other))
    return one == other


ZONES = st.sampled_from([ZoneInfo("Europe/Paris"), ZoneInfo("UTC"), UTC, timezone(timedelta(hours=-3, seconds=1))])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(alphabet=st.characters(exclude_categories=()), max_size=4),
    st.sampled_from(["$type", "$dict", "\ud83d\ude00", "\ud800"]),
    st.binary(max_size=4),
    st.datetimes(timezones=st.none() | ZONES),
    st.dates(),
    st.times(timezones=st.none() | ZONES),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.sampled_from([*Color, *Level, Right.READ | Right.WRITE, Right(0)]),
    st.sampled_from([pathlib.PurePosixPath("/a"), pathlib.PureWindowsPath("c:/a"), pathlib.Path("b")]),
)
KEYS = st.one_of(
    SCALARS, st.tuples(SCALARS), st.builds(Point, st.floats(allow_nan=False), st.just(0.5)), st.builds(Tag, st.text())
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=3) | st.sampled_from(["$type", "$pairs"]), inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
        st.sets(KEYS, max_size=3),
        st.frozensets(KEYS, max_size=3),
        st.builds(Order, st.lists(st.builds(Line, inner), max_size=2)),
        st.builds(Rush, st.just([])),
        st.builds(Point, inner, st.just(0.5)),
        st.builds(Stamp, inner),
        st.builds(Home, pet=st.builds(Cat, name=st.text(max_size=2)) | st.builds(Dog, name=st.text(max_size=2))),
        st.builds(lambda extra: Wild(Size=1, other=extra), inner),
        st.builds(Page[int], items=st.lists(st.integers(), max_size=2)),
    )


VALUES = st.recursive(SCALARS, _nested, max_leaves=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
TAGS = [
    "type",
    "enum",
    "dict",
    "pairs",
    "tuple",
    "set",
    "frozenset",
    "str",
    "int",
    "float",
    "bytes",
    "datetime",
    "date",
    "time",
    "timedelta",
    "decimal",
    "uuid",
]
NAMED = st.sampled_from(
    [f"{HERE}:{kind}" for kind in ("Color", "Right", "Loose", "Order", "Wild", "Point", "Tag", "Busy")]
)
FORGED = st.recursive(
    JSON | NAMED | st.sampled_from(["RED", "1", "00", "2024-01-01", "12:00[Europe/Paris]", "12:00[UTC/../UTC]"]),
    lambda inner: st.one_of(
        st.dictionaries(
            st.sampled_from([*(f"${tag}" for tag in TAGS), "$posix_path", "$windows_path", "$x"]), inner, max_size=2
        ),
        st.fixed_dictionaries(
            {"$type": NAMED},
            optional={
                part: st.dictionaries(
                    st.sampled_from(["x", "lines", "size", "name", "_name", "__class__", "__dict__"]), inner
                )
                for part in ("fields", "unset", "attributes", "extra", "private", "else")
            },
        ),
        st.fixed_dictionaries({"$enum": NAMED}, optional={"member": inner}),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)
