"""How records come back from their documents (S1, S12)."""

from orchestration.plan.codec import Codec, canonical
from tests.plan.values import (
    CODEC,
    HERE,
    Bare,
    Box,
    Busy,
    Cat,
    Names,
    Old,
    Open,
    Order,
    Page,
    Point,
    Sealed,
    Spot,
    Tag,
    Wild,
    through,
)


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
    cat = Cat(name="a")
    vars(cat)["note"] = "x"
    assert vars(through(cat))["note"] == "x"


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
    model._secret = 9
    model._made.append(1)
    assert model.double == 6
    read = through(model)
    assert read == model
    assert (read.raw, read.parsed, read._secret, read._made) == (b"x", [1], 9, [1])
    assert read.model_fields_set == {"size", "raw", "parsed", "odd key"}
    assert through(Wild(Size=3)).model_fields_set == {"size"}
    assert "double" not in vars(read)


def test_a_field_that_a_class_gained_is_filled_from_its_default() -> None:
    """Documents outlive the code that wrote them (S12)."""
    codec = Codec((Old, Point, Order, Tag))
    assert codec.decode({"$type": f"{HERE}:Old", "fields": {"a": 1}}) == Old(a=1)
    assert codec.decode({"$type": f"{HERE}:Point", "fields": {"x": 1.0}}) == Point(1.0)
    assert codec.decode({"$type": f"{HERE}:Order", "fields": {"lines": []}}) == Order([])
    assert codec.decode({"$type": f"{HERE}:Tag", "fields": {"_name": "a", "twice": 6}}) == Tag("a")


def test_extra_values_of_one_validation_come_back() -> None:
    """A model may have extra values that were allowed for one validation only (S12)."""
    model = Cat.model_validate({"name": "a", "x": 1}, extra="allow")
    assert through(model).__pydantic_extra__ == {"x": 1}
