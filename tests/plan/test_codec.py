"""Values to JSON and back: `Codec`, `canonical` (S1, S12, S33)."""

import dataclasses
import enum
import functools
import json
import math
import os
import pathlib
import subprocess
import sys
from collections import OrderedDict, namedtuple
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.errors import InvalidDocument, UnresolvedReference, Unserialisable
from orchestration.frozen import frozen
from orchestration.plan.codec import MAX_DEPTH, Codec, canonical

T = TypeVar("T")
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines differ
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
TYPES += [Wild, Page[int], Names, Old, Broken, Oops, Touchy]
CODEC = Codec(TYPES)


def through(value: object, codec: Codec = CODEC) -> Any:  # noqa: ANN401 - what was given
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


@UNHURRIED
@given(VALUES)
def test_what_is_read_is_what_was_written(value: object) -> None:
    """Values come back equal and of the same types at every level, by way of JSON text too (S12)."""
    assert same(CODEC.decode(CODEC.encode(value)), value)
    assert same(through(value), value)


@UNHURRIED
@given(VALUES)
def test_the_canonical_text_is_stable(value: object) -> None:
    """Writing a value again, also after it was read, gives the same text (S1)."""
    assert canonical(CODEC.encode(through(value))) == canonical(CODEC.encode(value))


@UNHURRIED
@given(FORGED)
def test_reading_anything_gives_a_value_or_one_of_two_errors(data: object) -> None:
    """Whatever JSON is read, no other exception escapes, and what is read can be written (S12)."""
    try:
        CODEC.decode(data)
    except (InvalidDocument, UnresolvedReference) as error:
        assert error.path.startswith("value")  # noqa: PT017 - either outcome is fine


NUMBERS: list[Any] = [math.nan, math.inf, -math.inf, -0.0, Decimal("sNaN"), Decimal("-0"), Decimal("1E+9")]


@pytest.mark.parametrize("value", NUMBERS)
def test_numbers_that_json_cannot_hold_come_back(value: float | Decimal) -> None:
    """Non-finite floats and every Decimal are tagged (S12)."""
    assert repr(through(value)) == repr(value)


def test_integers_that_are_too_long_for_decimal_come_back() -> None:
    """Python reads no more than 4300 digits (S12)."""
    assert through([2**20000, -(2**20000)]) == [2**20000, -(2**20000)]


def test_time_zones_come_back() -> None:
    """The zone and which of two equal hours it is are kept; pydantic's own zones become plain ones (S12)."""
    value = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Paris"), fold=1)
    read = through(value)
    assert (read.tzinfo, read.fold, read.utcoffset()) == (value.tzinfo, 1, timedelta(hours=1))
    parsed = pydantic.TypeAdapter(datetime).validate_python("2024-01-01T00:00:00+01:00")
    assert through(parsed) == parsed
    assert type(through(parsed).tzinfo) is timezone


def test_json_is_written_as_it_is() -> None:
    """What JSON has gets no tag (S12)."""
    value = {"a": [1, 2.5, "x", None, True], "b": {}}
    assert CODEC.encode(value) == value


def test_the_forms_are_these() -> None:
    """Journals hold these forms, so they do not change (S12)."""
    value = (Order([Line(Decimal("1.0"))], 2), {1: b"x"}, {"$type": 1}, Level.LOW, Right.READ, {2, 1})
    assert CODEC.encode(value) == {
        "$tuple": [
            {
                "$type": f"{HERE}:Order",
                "fields": {
                    "lines": [{"$type": f"{HERE}:Line", "fields": {"price": {"$decimal": "1.0"}}}],
                    "count": 2,
                    "tags": [],
                },
            },
            {"$pairs": [[1, {"$bytes": "eA=="}]]},
            {"$dict": {"$type": 1}},
            {"$enum": f"{HERE}:Level", "member": "LOW"},
            {"$enum": f"{HERE}:Right", "member": 1},
            {"$set": [1, 2]},
        ]
    }


def test_data_cannot_forge_a_tag() -> None:
    """A dict that looks like a form is read as that dict (S12)."""
    forged = CODEC.encode(Line(1))
    assert through(forged) == forged
    assert type(through(forged)) is dict


def test_records_are_restored_without_being_made_anew() -> None:
    """Neither `__init__` nor `__post_init__` runs: fields that they change or set come back as they were (S12)."""
    assert through(Sealed(1, rate=5)) == Sealed(1, rate=5)
    assert through(Sealed(1, rate=5)).total == 5


def test_attributes_beside_the_fields_come_back() -> None:
    """What was set on an instance is kept, what is cached is computed again (S12)."""
    busy = Busy("a")
    busy.seen = 7
    assert busy.shout == "A"
    read = through(busy)
    assert vars(read) == {"name": "a", "seen": 7}
    spot = Spot(1.0)
    vars(spot)["note"] = "x"
    assert vars(through(spot)) == {"note": "x"}


def test_a_hash_that_is_kept_is_not_written() -> None:
    """Hashes of text differ between processes (S1)."""
    for value in (Tag("a"), Open("a")):
        text = canonical(CODEC.encode(value))
        hash(value)
        assert canonical(CODEC.encode(value)) == text
        assert hash(through(value)) == hash(value)


def test_generic_records_come_back() -> None:
    """A generic dataclass forgets its arguments, as Python does; a generic model is a class of its own (S12)."""
    assert through(Box[int](1)) == Box(1)
    assert type(through(Page[int](items=[1]))) is Page[int]
    assert through(Bare(1)) == Bare(1)
    assert through(Names(["a"])) == Names(["a"])


def test_all_of_a_model_comes_back() -> None:
    """Aliases, additional values, private attributes, frozenness and which fields were given (S12)."""
    model = Wild(Size=3, raw=b"eA==", parsed="[1]", **{"odd key": 1})
    model._secret = 9  # noqa: SLF001 - the case
    model._made.append(1)  # noqa: SLF001 - the case
    assert model.double == 6
    read = through(model)
    assert read == model
    assert (read.raw, read.parsed, read._secret, read._made) == (b"x", [1], 9, [1])  # noqa: SLF001 - the case
    assert read.model_fields_set == {"size", "raw", "parsed", "odd key"}
    assert through(Wild(Size=3)).model_fields_set == {"size"}
    assert "double" not in vars(read)


def test_a_field_that_a_class_gained_is_filled_from_its_default() -> None:
    """Documents outlive the code that wrote them (S12)."""
    assert CODEC.decode({"$type": f"{HERE}:Old", "fields": {"a": 1}}) == Old(a=1)
    assert CODEC.decode({"$type": f"{HERE}:Point", "fields": {"x": 1.0}}) == Point(1.0)
    assert CODEC.decode({"$type": f"{HERE}:Order", "fields": {"lines": []}}) == Order([])
    assert CODEC.decode({"$type": f"{HERE}:Tag", "fields": {"_name": "a", "twice": 6}}) == Tag("a")


def test_classes_are_reached_through_fields() -> None:
    """A codec knows what the given classes name, and nothing else (S12)."""
    codec = Codec([Order])
    assert same(through(Order([Line(1)]), codec), Order([Line(1)]))
    with pytest.raises(Unserialisable, match=r"value: found .*:Rush; expected .* Name .*:Rush in an annotation"):
        codec.encode(Rush([]))


def _cyclic() -> object:
    order = Order([Line(1)])
    order.lines[0].price = order
    return [order]


def _deep(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@dataclasses.dataclass(slots=True)
class Hollow:
    """A dataclass with slots."""

    a: int


def _twin() -> object:
    twin = dataclasses.make_dataclass("Line", ["price"])
    twin.__module__ = HERE
    return twin(1)


REFUSED: list[tuple[object, str]] = [
    (
        Order([Line(1), Line(2), Line(3), Line(1j)]),
        r"value\.lines\[3\]\.price: found complex; expected .* Give plain data",
    ),
    ({"a": {1: object()}}, r"value\['a'\]\.values\(\)\[0\]: found object"),
    ({(1, 1j): 1}, r"value\.keys\(\)\[0\]\[1\]: found complex"),
    ({1j}, r"value\[…\]: found complex"),
    (Text("x"), r"found .*:Text; .* plain str"),
    (OrderedDict(), r"found collections:OrderedDict; .* plain dict"),
    (SimpleNamespace(), "found types:SimpleNamespace"),
    (Oops(1), "found .*:Oops; .* Give plain data"),
    ([pydantic.SecretStr("hunter2")], r"value\[0\]: found pydantic\.types:SecretStr; .* \(S33\)\. Configure a cipher"),
    (pydantic.SecretBytes(b"hunter2"), "S33"),
    (_cyclic(), r"value\[0\]\.lines\[0\]\.price: found value\[0\] again"),
    (_deep(MAX_DEPTH + 1), "nested deeper; expected at most 100 levels"),
    (datetime(2024, 1, 1, tzinfo=Nowhere()), "a zone of .*:Nowhere; .* Use UTC"),
    (Hollow.__new__(Hollow), r"value\.a: found no value"),
    (Wild.model_construct(size=object()), r"value\.size: found object"),
    (_twin(), "Name .*:Line in an annotation"),
    (Cat.model_construct(), r"value\.name: found no value"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_value_without_a_form_is_refused_with_its_path(value: object, message: str) -> None:
    """The message names the path, the type that was found, what is expected and the mend, and no content (S12, S33)."""
    with pytest.raises(Unserialisable, match=message) as caught:
        Codec([*TYPES, Hollow]).encode(value)
    assert "hunter2" not in str(caught.value)


def test_a_value_may_occur_twice() -> None:
    """Only what contains itself is a cycle (S12)."""
    line = Line(1)
    assert through([line, [line]]) == [line, [line]]


def test_what_is_written_at_the_greatest_depth_is_read() -> None:
    """Reading needs no more levels than writing did, whatever the containers are (S12)."""
    wraps: list[Any] = [
        lambda it: (it,),
        lambda it: {1: it},
        Line,
        lambda it: Wild(Size=1, a=it),
        lambda it: {"$": it},
    ]
    for wrap in wraps:
        value: Any = 2.5
        for _ in range(MAX_DEPTH - 1):  # the model has a list in it
            value = wrap(value)
        assert same(through(value), value)


def test_a_stack_that_is_nearly_full_is_no_recursion_error() -> None:
    """What remains of Python's own limit is not the caller's concern (S12)."""

    def descend(left: int) -> None:
        if left:
            descend(left - 1)
        else:
            with pytest.raises(Unserialisable, match="nested deeper"):
                CODEC.encode(_deep(90))
            with pytest.raises(InvalidDocument, match="nested deeper"):
                CODEC.decode(_deep(90))

    depth = 0
    frame = sys._getframe()  # noqa: SLF001 - nothing else counts frames
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]  # None at the end
    descend(sys.getrecursionlimit() - depth - 150)


def _typed(kind: str, **parts: object) -> dict[str, object]:
    return {"$type": f"{HERE}:{kind}", **parts}


INVALID: list[tuple[object, str]] = [
    (math.nan, "value: found a number that is not finite"),
    ([object()], r"value\[0\]: found object; expected a value of JSON"),
    ({1: 2}, "an object with text for keys"),
    ({1: 2, "$tuple": []}, "found unknown keys"),
    ({"$tuple": 1}, "found int; expected a list"),
    ({"$tuple": [], "x": 1}, "found unknown keys"),
    ({"$dict": []}, "found list; expected an object"),
    ({"$pairs": [[1]]}, "a list of pairs"),
    ({"$pairs": 1}, "found int; expected a list of pairs"),
    ({"$pairs": [[[], 1]]}, "raises TypeError"),
    ({"$set": [[]]}, "raises TypeError"),
    ({"$set": [_typed("Touchy", fields={"name": "a"})]}, "raises RuntimeError"),
    ({"$date": 1}, "found int; expected text"),
    ({"$date": "x"}, "raises ValueError"),
    ({"$datetime": "2024-01-01T00:00:00[Europe/Nowhere]"}, "raises ZoneInfoNotFoundError"),
    ({"$time": "12:00[../etc]"}, "raises ValueError"),
    ({"$decimal": "x"}, "raises InvalidOperation"),
    ({"$str": {"$str": "00"}}, "found dict; expected text"),
    ({"$enum": f"{HERE}:Color", "member": "GREEN"}, "found the member 'GREEN'"),
    ({"$enum": f"{HERE}:Color"}, "found the member None"),
    ({"$enum": f"{HERE}:Right", "member": 8}, "raises ValueError"),
    ({"$enum": f"{HERE}:Loose", "member": 8}, "found the member 8"),
    (_typed("Order"), "found no field 'lines'"),
    (_typed("Order", fields=1), "found int; expected an object with names in 'fields'"),
    (_typed("Order", fields={"lines": [], "x": 1}), "found the unknown field 'x'"),
    (_typed("Order", fields={"lines": [{"$tuple": 1}]}), r"value\.lines\[0\]: found int"),
    (_typed("Sealed", fields={"price": 1, "total": 2}, attributes={"x": 1}), "raises TypeError"),
    (_typed("Tag", fields={"_name": "a"}), "found no field 'twice'"),
    (_typed("Broken", fields={}), "raises ZeroDivisionError"),
    (_deep(MAX_DEPTH + 2), "nested deeper"),
]


@pytest.mark.parametrize(("data", "message"), INVALID, ids=[message for _, message in INVALID])
def test_a_document_that_the_codec_does_not_write_is_refused_with_its_path(data: object, message: str) -> None:
    """Whatever the user's own code raises on the way becomes an error of the document (S12)."""
    with pytest.raises(InvalidDocument, match=message):
        CODEC.decode(data)


UNRESOLVED: list[tuple[object, str]] = [
    ([{"$later": 1}], r"value\[0\]: found the tag '\$later'; expected a tag of this version"),
    (_typed("Gone", fields={}), "found the class '.*:Gone'; expected one that the plan names. Name the class"),
    ({"$type": "os:system", "fields": {}}, "found the class 'os:system'"),
    ({"$type": f"{HERE}:Color", "fields": {}}, "found the class"),
    ({"$enum": 1}, "found the class 1"),
]


@pytest.mark.parametrize(("data", "message"), UNRESOLVED, ids=[message for _, message in UNRESOLVED])
def test_an_unknown_tag_is_named(data: object, message: str) -> None:
    """Loading never imports: a class that the plan does not name stays unresolved (S12)."""
    with pytest.raises(UnresolvedReference, match=message):
        CODEC.decode(data)


def test_a_path_of_the_caller_stands_before_the_codecs() -> None:
    """The caller says what the root is called (S12)."""
    with pytest.raises(Unserialisable, match=r"^output\[0\]: "):
        CODEC.encode([1j], "output")
    with pytest.raises(InvalidDocument, match=r"^output\[0\]: "):
        CODEC.decode([{"$set": 1}], "output")


def test_paths_and_odd_text_come_back() -> None:
    """Text that JSON would change is tagged, within a path too (S12)."""
    path = pathlib.PurePosixPath("\ud83d\ude00")
    assert CODEC.encode(path) == {"$pure_posix_path": {"$str": "eda0bdedb880"}}
    assert same(through(path), path)
    assert same(through({"\ud83d\ude00": UUID(int=1)}), {"\ud83d\ude00": UUID(int=1)})


def test_values_without_a_zone_or_with_extra_of_their_own_come_back() -> None:
    """A date, a naive time, and a model whose extra values were allowed for one validation only (S12)."""
    assert same(through([date(2024, 1, 1), time(12)]), [date(2024, 1, 1), time(12)])
    model = Cat.model_validate({"name": "a", "x": 1}, extra="allow")
    assert through(model).__pydantic_extra__ == {"x": 1}


def test_canonical_text_does_not_depend_on_the_hash_seed() -> None:
    """Another process with another seed gives the same text (S1)."""
    code = (
        "from orchestration.plan.codec import Codec, canonical\n"
        "value = {'b': {'x', 'y', 'z', ('a', 1), None}, 'a': frozenset({b'1', 'é', 2.5})}\n"
        "print(canonical(Codec().encode(value)))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(texts) == 1
