"""Secrets in values: found by their types and marks, and masked in a copy (S33)."""

from __future__ import annotations

import copy
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, NewType

import attrs
import pydantic
import pytest
import typing_extensions as te

from orchestration import Secret
from orchestration.errors import Unserialisable
from orchestration.plan.codec import Codec
from orchestration.plan.secrets import MASK, masked, secret_fields, text_of

if TYPE_CHECKING:
    from pathlib import Path as SecretPath
    from pathlib import Path as Unknown

T = te.TypeVar("T")
Pin = Annotated[int, Secret()]
Number = NewType("Number", Annotated[str, Secret])  # type: ignore[valid-newtype]  # a mark, which mypy does not expect there
Alias = te.TypeAliasType("Alias", "list[Annotated[str, Secret]]")
Endless = te.TypeAliasType("Endless", "list[Endless] | int")


@dataclass(frozen=True)
class Card:
    """A frozen record."""

    number: Annotated[str, Secret]
    holder: str = "Kim"


@dataclass(frozen=True, slots=True)
class Slotted:
    """One without a dict."""

    number: Annotated[str, Secret] | None
    card: Card


@attrs.frozen
class Attrs:
    """One of attrs."""

    numbers: Annotated[list[str], Secret]
    anything: Any


class Tup(NamedTuple):
    """One that is a tuple."""

    n: int
    pin: Pin


class Model(pydantic.BaseModel):
    """One of pydantic, with all that may hang on it."""

    model_config = {"frozen": True, "extra": "allow"}
    pin: Pin
    cards: list[Card] = []
    token: pydantic.SecretStr = pydantic.SecretStr("t")
    _hidden: Annotated[str, Secret] = pydantic.PrivateAttr("h")
    _card: Card = pydantic.PrivateAttr(default_factory=lambda: Card("2"))


class Box(pydantic.BaseModel, Generic[T]):
    """One with a parameter."""

    value: T


class Plain:
    """No record."""

    __slots__ = ("__card", "pin")
    pin: Annotated[str, Secret]

    def __init__(self) -> None:
        """Have a secret, and a record with one."""
        self.pin = "1"
        self.__card = Card("2")

    @property
    def card(self) -> Card:
        """Return the record."""
        return self.__card


@dataclass
class Everywhere:
    """Marks in many forms."""

    optional: Annotated[str, Secret] | None
    inside: dict[str, list[Annotated[str, Secret]]]
    alias: Alias
    new: Number
    endless: Endless
    other: Annotated[str, "no secret"]
    unresolved: SecretPath
    unknown: Unknown


class Heir(Everywhere):
    """One that inherits marks, and takes one back."""

    new: str  # type: ignore[assignment]  # the very case


class Single:
    """A class with one slot."""

    __slots__ = "card"  # noqa: PLC0205 - the very case

    def __init__(self, card: Card) -> None:
        """Hold a card."""
        self.card = card


SHOWN = Card(MASK)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Card("4242"), SHOWN),
        ([Card("1"), 2], [SHOWN, 2]),
        ((Card("1"), 2), (SHOWN, 2)),
        ({"a": Card("1"), Card("1"): None}, {"a": SHOWN, SHOWN: None}),
        (OrderedDict(a=Card("1")), OrderedDict(a=SHOWN)),
        (defaultdict(list, a=[Card("1")]), {"a": [SHOWN]}),
        ({Card("1"), 2}, {SHOWN, 2}),
        (frozenset({Card("1")}), frozenset({SHOWN})),
        (deque([Card("1")], 3), deque([SHOWN])),
        (Slotted("1", Card("2")), Slotted(MASK, SHOWN)),
        (Tup(1, 2), (1, MASK)),
        (Attrs(["1"], {"c": Card("2")}), Attrs(MASK, {"c": SHOWN})),  # type: ignore[arg-type]  # a mask has its own type
        (pydantic.SecretStr("1"), pydantic.SecretStr(MASK)),
        (pydantic.SecretBytes(b"1"), pydantic.SecretBytes(MASK.encode())),
        (pydantic.Secret[int](1), pydantic.Secret(MASK)),
        (Box[Annotated[str, Secret]](value="1"), Box[Annotated[str, Secret]](value=MASK)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_secrets_are_masked_in_a_copy(value: object, shown: object) -> None:
    """S33: in records and containers of every kind; the value itself stays as it is."""
    before = copy.deepcopy(value)
    result: Any = masked(value)
    assert result == shown
    assert type(result) is type(value) or isinstance(value, pydantic.Secret)
    assert value == before


def test_all_that_hangs_on_a_model_is_looked_into() -> None:
    """S33: its fields, extras and private attributes."""
    model = Model(pin=1, cards=[Card("1")], extra=Card("3"))
    shown: Any = masked(model)
    assert (shown.pin, shown.cards, shown.token.get_secret_value(), shown.extra) == (MASK, [SHOWN], MASK, SHOWN)
    assert (shown._hidden, shown._card) == (MASK, SHOWN)
    assert (model.pin, model._hidden, model._card) == (1, "h", Card("2"))
    assert model.model_extra == {"extra": Card("3")}


def test_the_attributes_of_other_objects_are_looked_into() -> None:
    """S33: with a dict or slots, private ones as well."""
    plain = Plain()
    shown: Any = masked(plain)
    assert (shown.pin, shown.card) == (MASK, SHOWN)
    assert (plain.pin, plain.card) == ("1", Card("2"))
    single: Any = masked(Single(Card("1")))
    assert single.card == SHOWN


@pytest.mark.parametrize("value", [1, "text", None, [1, {"a": (2, 3)}], {1, 2}, Tup, len, copy, Model.model_validate])
def test_what_holds_no_secret_stays_itself(value: object) -> None:
    """S33: nothing is copied without need."""
    assert masked(value) is value


def test_a_value_that_stands_in_two_places_is_masked_once() -> None:
    """S33: what was one object is one."""
    card = Card("1")
    shown: Any = masked([card, card])
    assert shown[0] is shown[1]


def test_what_cannot_be_masked_is_refused() -> None:
    """S33: a cycle around a secret, a class that copies itself as itself, a value without an end."""
    cycle: list[Any] = [1]
    cycle.append(cycle)
    assert masked(cycle) is cycle
    cycle.append(Card("1"))
    with pytest.raises(ValueError, match="a list that contains itself cannot be masked"):
        masked(cycle)

    class Same(list[Any]):
        def __copy__(self) -> Same:
            return self

    with pytest.raises(ValueError, match=r"a .*Same with a secret in it cannot be copied"):
        masked(Same([Card("1")]))
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deep"):
        masked(deep)


def test_a_mark_is_found_wherever_it_stands_in_an_annotation() -> None:
    """S33: in unions, arguments, aliases and new types; by its name where the annotation cannot be resolved."""
    assert secret_fields(Everywhere) == {"optional", "inside", "alias", "new", "unresolved"}
    assert secret_fields(Heir) == {"optional", "inside", "alias", "unresolved"}
    assert secret_fields(int) == frozenset()


def test_the_text_of_a_value_is_short_and_holds_no_secret_and_no_address() -> None:
    """S2, S33: it is the same in every process, and never fails."""
    assert text_of(Tup(1, 2)) == "Tup(n=1, pin='**********')"
    assert " at 0x" not in text_of(object())
    assert len(text_of("x" * 1000)) < 50
    cycle: list[Any] = [Card("1")]
    cycle.append(cycle)
    assert text_of(cycle) == "a list"


@pytest.mark.parametrize(
    "value", [Card("1"), Slotted("1", Card("2")), Tup(1, 2), Model(pin=1)], ids=lambda v: type(v).__name__
)
def test_the_codec_refuses_marked_fields_as_it_refuses_secrets(value: object) -> None:
    """S33: plain JSON may hold none; the message says where, and not what."""
    with pytest.raises(Unserialisable, match=r"value\.(number|pin): found a field that is marked as Secret; .*S33"):
        Codec((type(value),)).encode(value)
