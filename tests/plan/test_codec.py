"""Values to JSON and back: `Codec`, `canonical` (S1, S12, S33)."""

import dataclasses
import json
import math
import os
import pathlib
import subprocess
import sys
from collections import OrderedDict
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings

from orchestration import Workflow
from orchestration.errors import InvalidDocument, UnresolvedReference, Unserialisable
from orchestration.failures import Failure
from orchestration.plan.codec import MAX_DEPTH, Codec, canonical
from orchestration.results import Err, NotStarted, Ok
from tests.plan.values import (
    CODEC,
    FORGED,
    HERE,
    TYPES,
    VALUES,
    Cat,
    Level,
    Line,
    Nowhere,
    Oops,
    Order,
    Right,
    Rush,
    Sack,
    Text,
    Wild,
    same,
    through,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines differ


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


FORMS: list[tuple[Any, Any]] = [
    ("\ud800", {"$str": "eda080"}),
    (2**20000, {"$int": hex(2**20000)}),
    (math.inf, {"$float": "inf"}),
    (b"x", {"$bytes": "eA=="}),
    (date(2026, 11, 23), {"$date": "2026-11-23"}),
    (timedelta(seconds=1), {"$timedelta": "1000000"}),
    (Decimal("1.0"), {"$decimal": "1.0"}),
    (UUID(int=1), {"$uuid": "00000000-0000-0000-0000-000000000001"}),
    (pathlib.PurePosixPath("a/b"), {"$pure_posix_path": "a/b"}),
    (pathlib.PureWindowsPath("a/b"), {"$pure_windows_path": "a\\b"}),
    (frozenset({2, 1}), {"$frozenset": [1, 2]}),
]


@pytest.mark.parametrize(("value", "form"), FORMS, ids=[tag for _, form in FORMS for tag in form])
def test_the_form_of_a_plain_value_is_this(value, form) -> None:
    """S12: journals hold these forms; what is read back is not enough, as both ways could change together."""
    assert CODEC.encode(value) == form
    assert same(CODEC.decode(form), value)


@pytest.mark.parametrize("kind", [datetime, time])
def test_the_form_of_a_moment_has_its_tag(kind) -> None:
    """S12: as above."""
    (tag,) = CODEC.encode(kind.min)
    assert tag == f"${kind.__name__}"


def test_data_cannot_forge_a_tag() -> None:
    """A dict that looks like a form is read as that dict (S12)."""
    forged = CODEC.encode(Line(1))
    assert through(forged) == forged
    assert type(through(forged)) is dict


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
    (Sack("me"), "found .*:Sack; .* a subclass would not come back"),
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


def test_a_failure_is_kept_without_its_exception() -> None:
    """S8: the exception is there only in the process where it was raised; all else of a result comes back."""
    codec = Codec((Ok, Err, NotStarted, Failure))
    error = ValueError("no")
    error.__cause__ = KeyError("key")
    results = [Ok(3), Err(Failure.of(error, "f/a")), NotStarted("a")]
    again: Any = codec.decode(json.loads(json.dumps(codec.encode(results))))
    assert again == results
    assert again[1].failure.exception is None
    assert again[1].failure.cause.kind == "KeyError"


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
    frame = sys._getframe()
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
    ({"$date": 1}, r"found int; expected text\."),
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


def test_dates_and_times_without_a_zone_come_back() -> None:
    """A date and a naive time (S12)."""
    assert same(through([date(2024, 1, 1), time(12)]), [date(2024, 1, 1), time(12)])


def test_canonical_text_is_short_sorted_and_ascii() -> None:
    """S1: fingerprints are digests of it, so its form does not change."""
    assert canonical({"b": "é", "a": [1.5, None, True]}) == r'{"a":[1.5,null,true],"b":"\u00e9"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical([math.nan])


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


def test_tags_do_not_depend_on_how_the_module_was_loaded(tmp_path: pathlib.Path) -> None:
    """What a script wrote about its own classes is read where the script is imported (S1, S12)."""
    (tmp_path / "flows.py").write_text(
        "import dataclasses, enum\n"
        "from orchestration.plan.codec import Codec, canonical\n"
        "class Mood(enum.Enum):\n    GOOD = 1\n"
        "@dataclasses.dataclass\nclass Order:\n    mood: Mood\n"
        "print(canonical(Codec([Order]).encode(Order(Mood.GOOD))))\n"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    texts = {
        subprocess.run(
            [sys.executable, *args],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            check=True,
        ).stdout
        for args in (["flows.py"], ["-c", "import flows"], ["-m", "flows"])
    }
    assert [json.loads(text) for text in texts] == [
        {"$type": "flows:Order", "fields": {"mood": {"$enum": "flows:Mood", "member": "GOOD"}}}
    ]


def test_a_body_may_take_any_model() -> None:
    """S12: `BaseModel` itself has no fields, and says nothing of which class comes."""

    async def look(model: pydantic.BaseModel) -> int:
        return 1

    assert Workflow[pydantic.BaseModel]("flow").step(look).compile().codec.encode(1) == 1
