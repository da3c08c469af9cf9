"""Secrets in stored values: written by a cipher or not at all, and told by no message (S33)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Annotated, Any, NamedTuple

import attrs
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings

from orchestration import Secret, Workflow
from orchestration.errors import InvalidDocument, UnresolvedReference, Unserialisable
from orchestration.plan.codec import MAX_DEPTH, Codec, canonical
from orchestration.plan.sealing import HIDING
from tests.plan.values import TYPES, VALUES, same

CANARY = "hunter2-4111"


class Keyed:
    """A cipher as they are: another text each time, and it notices a wrong key or a changed text."""

    def __init__(self, key: bytes) -> None:
        """Take a key."""
        self.key = key

    def _stream(self, nonce: bytes, length: int) -> bytes:
        blocks = (f"{number}".encode() for number in range(length // 32 + 1))
        return b"".join(hashlib.sha256(self.key + nonce + block).digest() for block in blocks)[:length]

    def encrypt(self, data: bytes) -> bytes:
        """Return a nonce, the text and its checksum."""
        nonce = os.urandom(16)
        text = bytes(a ^ b for a, b in zip(data, self._stream(nonce, len(data)), strict=True))
        return nonce + text + hmac.digest(self.key, nonce + text, "sha256")

    def decrypt(self, data: bytes) -> bytes:
        """Return what was encrypted by this key."""
        nonce, text, checksum = data[:16], data[16:-32], data[-32:]
        if not hmac.compare_digest(hmac.digest(self.key, nonce + text, "sha256"), checksum):
            raise LookupError(data)
        return bytes(a ^ b for a, b in zip(text, self._stream(nonce, len(text)), strict=True))


class Rot:
    """A cipher that notices nothing: what it gives for a wrong key is close to the plain text."""

    def __init__(self, by: int) -> None:
        """Take how far to turn."""
        self.by = by

    def encrypt(self, data: bytes) -> bytes:
        """Turn each byte."""
        return bytes((byte + self.by) % 256 for byte in data)

    def decrypt(self, data: bytes) -> bytes:
        """Turn each byte back."""
        return bytes((byte - self.by) % 256 for byte in data)


class SecretDate(pydantic.Secret[date]):
    """A secret of the user's own."""


class Color(Enum):
    """An enum."""

    RED = "red"


@dataclass(frozen=True)
class Card:
    """A record with a marked field."""

    number: Annotated[str, Secret]
    holder: str = "Kim"


@dataclass(frozen=True, slots=True)
class Slotted:
    """One with a marked field in which there are secrets again."""

    inside: Annotated[list[Card | pydantic.SecretStr], Secret]
    card: Card | None = None


@attrs.frozen
class Vault:
    """One of attrs, of which anything may be secret."""

    content: Annotated[Any, Secret]


class Pin(NamedTuple):
    """One that is a tuple."""

    n: int
    pin: Annotated[int, Secret]


class Account(pydantic.BaseModel):
    """One of pydantic, with all that may hang on it."""

    model_config = {"extra": "allow"}
    pin: Annotated[str, Secret]
    token: pydantic.SecretStr = pydantic.SecretStr(CANARY)
    card: Card | None = None
    _hidden: Annotated[str, Secret] = pydantic.PrivateAttr(CANARY)


@dataclass
class Grown:
    """A record as it was before its field was marked, and one more field since."""

    number: str
    marked: Annotated[str, Secret] = field(default="none yet")


KNOWN = (SecretDate, Color, Card, Slotted, Vault, Pin, Account, Grown)
PLAIN = Codec((*TYPES, *KNOWN))
SEALED = PLAIN.with_cipher(Keyed(b"key"))
SECRETS: list[Any] = [
    pydantic.SecretStr(CANARY),
    pydantic.SecretStr(""),
    pydantic.SecretBytes(CANARY.encode()),
    pydantic.Secret[list[str]]([CANARY]),
    pydantic.Secret(Card(CANARY)),
    SecretDate(date(2020, 1, 1)),
    Card(CANARY),
    [Card(CANARY), {"a": (Card(CANARY),)}],
    {pydantic.SecretStr(CANARY): {pydantic.SecretStr(CANARY + "2")}},
    Slotted([Card(CANARY), pydantic.SecretStr(CANARY)], Card(CANARY)),
    Vault({CANARY: {CANARY, Color.RED}, 1: [None, 2.5]}),
    Vault(None),
    Pin(1, 4242),
    Account(pin=CANARY, card=Card(CANARY), extra=Card(CANARY)),
]
NAMES = [f"{index}-{type(value).__name__}" for index, value in enumerate(SECRETS)]
each_secret = pytest.mark.parametrize("value", SECRETS, ids=NAMES)


def text_of(value: object, codec: Codec = SEALED) -> str:
    """Return the JSON text of a value."""
    return json.dumps(codec.encode(value), allow_nan=False)


def seals_of(data: Any) -> list[str]:
    """Return all that is sealed in JSON data."""
    if isinstance(data, dict):
        return [data["$sealed"]] if "$sealed" in data else [seal for item in data.values() for seal in seals_of(item)]
    return [seal for item in data for seal in seals_of(item)] if isinstance(data, list) else []


def told(error: BaseException | None) -> str:
    """Return all that an error tells, with what led to it, also where a traceback would not show it."""
    if error is None:
        return ""
    return " ".join([repr(error), repr(vars(error)), told(error.__cause__), told(error.__context__)])


@each_secret
def test_what_was_sealed_comes_back_as_it_was(value: Any) -> None:
    """S12, S33: each kind of secret, wherever it stands, by way of JSON text."""
    read: Any = SEALED.decode(json.loads(text_of(value)))
    assert type(read) is type(value)
    assert read == value
    if isinstance(value, Account):
        assert (read._hidden, read.model_extra) == (CANARY, {"extra": Card(CANARY)})
        assert read.model_fields_set == {"pin", "card", "extra"}


@each_secret
def test_nothing_of_a_secret_is_in_what_is_stored(value: object) -> None:
    """S33: neither as it is nor in another writing of the same."""
    text = text_of(value)
    stored = [text, *(base64.b64decode(seal).decode("latin-1") for seal in seals_of(json.loads(text)))]
    assert len(stored) > 1
    for form in (CANARY, CANARY.encode().hex(), base64.b64encode(CANARY.encode())[:-4].decode(), "4242", "2020"):
        assert not [part for part in stored if form in part]


@each_secret
def test_without_a_cipher_no_secret_is_written(value: object) -> None:
    """S33: it is refused with its path, and not told."""
    with pytest.raises(Unserialisable, match=r"value.*expected no secret: .*\(S33\). Configure a cipher") as caught:
        PLAIN.encode(value)
    assert CANARY not in told(caught.value)


@each_secret
def test_another_key_opens_nothing(value: object) -> None:
    """S33: a typed error with the path; nothing in it or behind it tells what was sealed."""
    other = PLAIN.with_cipher(Keyed(b"other"))
    with pytest.raises(InvalidDocument, match=r"value.*: found a secret that does not open \(LookupError\)") as caught:
        other.decode(SEALED.encode(value))
    assert CANARY not in told(caught.value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_any_value_can_be_a_secret(value: object) -> None:
    """S12, S33: what the codec can write it can seal."""
    read = SEALED.decode(json.loads(text_of(Vault(value))))
    assert isinstance(read, Vault)
    assert same(read.content, value)


def test_a_sealed_field_says_where_it_is() -> None:
    """S33: the path of the error is that of the field."""
    data = SEALED.encode([Account(pin="1", card=Card(CANARY))])
    with pytest.raises(InvalidDocument, match=r"^input\[0\]\.(pin|card\.number|token|_hidden): "):
        PLAIN.with_cipher(Keyed(b"other")).decode(data, "input")
    with pytest.raises(InvalidDocument, match=r"^input\.number: found a secret; .* no cipher to open it\. Configure"):
        PLAIN.decode(SEALED.encode(Card(CANARY)), "input")


def test_a_changed_text_does_not_open() -> None:
    """S33: whichever letter is changed, and wherever it is cut, the error is typed."""
    data: Any = SEALED.encode(pydantic.SecretStr(CANARY))
    seal = data["$sealed"]
    changed = [seal[:at] + ("A" if seal[at] != "A" else "B") + seal[at + 1 :] for at in range(len(seal))]
    broken = [*changed, *(seal[:at] for at in range(len(seal))), "ü", "=", 5, None, ["a"]]
    opened = []
    for text in broken:
        try:
            opened.append(SEALED.decode({"$sealed": text}))
        except InvalidDocument as error:
            assert CANARY not in told(error)  # noqa: PT017 - each of many texts
    # the last letter has bits that mean nothing: a text may differ there and be the same
    assert all(value == pydantic.SecretStr(CANARY) for value in opened)
    assert len(opened) < 3


@pytest.mark.parametrize("letter", ["\n", " ", "!"], ids=repr)
def test_a_text_with_something_put_in_does_not_open(letter: str) -> None:
    """S33: a seal has one text, so that a journal cannot be changed unnoticed."""
    data: Any = SEALED.encode(pydantic.SecretStr(CANARY))
    seal = data["$sealed"]
    with pytest.raises(InvalidDocument):
        SEALED.decode({"$sealed": f"{seal[:4]}{letter}{seal[4:]}"})


@pytest.mark.parametrize(
    "value", [Card(CANARY), pydantic.SecretStr(CANARY), Vault([CANARY])], ids=lambda value: type(value).__name__
)
def test_a_cipher_that_notices_nothing_gives_typed_errors_too(value: object) -> None:
    """S33: what a wrong key made of a text is in no message and behind none, readable as it may be."""
    data = PLAIN.with_cipher(Rot(1)).encode(value)
    assert PLAIN.with_cipher(Rot(1)).decode(data) == value
    with pytest.raises(InvalidDocument, match="does not open") as caught:
        PLAIN.with_cipher(Rot(2)).decode(data)
    assert Rot(1).decrypt(CANARY.encode()).decode() not in told(caught.value)


def test_what_a_secret_cannot_hold_is_refused_without_telling_what_it_holds() -> None:
    """S33: the path ends where the secret begins, since the keys of a secret dict are secret."""
    cyclic: list[Any] = [CANARY]
    cyclic.append({CANARY: cyclic})
    deep: list[Any] = [CANARY]
    for _ in range(MAX_DEPTH):
        deep = [deep]
    wrong: list[tuple[Any, str]] = [
        ({CANARY: [1j]}, "found complex"),
        (cyclic, r"found value\.content again"),
        ({CANARY: deep}, "nested deeper"),
    ]
    for content, message in wrong:
        with pytest.raises(Unserialisable, match=rf"^value\.content: .*{message}") as caught:
            SEALED.encode(Vault(content))
        assert CANARY not in told(caught.value)


def test_a_secret_that_the_code_no_longer_knows_is_not_told() -> None:
    """S33: an error about what is in a secret names its place and its class."""

    def sealed(data: object) -> dict[str, str]:
        text = json.dumps(data).encode()
        return {"$sealed": base64.b64encode(Keyed(b"key").encrypt(text)).decode()}

    here = "tests.plan.test_cipher"
    wrong: list[tuple[object, str]] = [
        ({"$enum": f"{here}:Color", "member": CANARY}, "found a secret of another form; expected one of .*:Color"),
        ({"$type": f"{here}:Card", "fields": {CANARY: 1}}, "found a secret of another form; expected the fields of"),
        ({"$date": CANARY}, "found a secret of another form"),
        ({"$set": [[CANARY]]}, "found a secret of another form"),
        ({"$secret": f"{here}:SecretDate", CANARY: 1}, "found a secret of another form"),
        ({CANARY: {CANARY: {"$tuple": 1}}}, "found a secret of another form"),
        ({"$type": "gone:Gone", "fields": {CANARY: 1}}, "found the class 'gone:Gone'"),
    ]
    for data, message in wrong:
        with pytest.raises((InvalidDocument, UnresolvedReference), match=rf"^value\[0\]: {message}") as caught:
            SEALED.decode([sealed(data)])
        assert CANARY not in told(caught.value)


def test_what_stands_behind_a_secret_is_told() -> None:
    """S12: only what is in a seal is kept quiet."""
    data = SEALED.encode(Card(CANARY))
    with pytest.raises(InvalidDocument, match=r"^value\[1\]\['a'\]: found int; expected a list"):
        SEALED.decode([data, {"a": {"$tuple": 1}}])
    with pytest.raises(UnresolvedReference, match=r"found the tag '\$secret'"):
        SEALED.decode([data, {"$secret": "pydantic.types:SecretStr", "value": "1"}])
    with pytest.raises(Unserialisable, match=r"^value\[1\]\['a'\]: found complex"):
        SEALED.encode([Card(CANARY), {"a": 1j}])


def test_a_cipher_that_fails_is_a_typed_error() -> None:
    """S33: whatever it raises, and whatever it says."""

    class Broken:
        def encrypt(self, data: bytes) -> bytes:
            raise RuntimeError(data)

        def decrypt(self, data: bytes) -> bytes:
            raise AssertionError

    with pytest.raises(Unserialisable, match=r"value\.number: found a cipher that raised RuntimeError; ") as caught:
        PLAIN.with_cipher(Broken()).encode(Card(CANARY))
    assert CANARY not in told(caught.value)


def test_what_is_in_a_secret_is_sealed_once() -> None:
    """S33: nothing in a seal is hidden again, so a secret grows but once."""
    data = SEALED.encode(Slotted([Card(CANARY), pydantic.SecretStr(CANARY)]))
    [seal] = seals_of(data)
    plain = Keyed(b"key").decrypt(base64.b64decode(seal)).decode()
    assert plain.count(CANARY) == 2
    assert "$sealed" not in plain
    nested = {"$sealed": base64.b64encode(Keyed(b"key").encrypt(json.dumps([data]).encode())).decode()}
    assert SEALED.decode(nested) == [Slotted([Card(CANARY), pydantic.SecretStr(CANARY)])]


def test_a_secret_without_its_seal_is_no_document() -> None:
    """S33: the form of a secret is known in a seal only, and data cannot forge a seal."""
    with pytest.raises(UnresolvedReference, match=r"found the tag '\$secret'"):
        SEALED.decode({"$secret": "pydantic.types:SecretStr", "value": "1"})
    forged = {"$sealed": "AAAA", "a": {"$secret": 1}}
    assert SEALED.decode(json.loads(text_of(forged))) == forged
    with pytest.raises(InvalidDocument, match="found unknown keys"):
        SEALED.decode({"$sealed": "AAAA", "a": 1})


def test_secrets_are_read_at_the_depth_at_which_they_were_written() -> None:
    """S12: reading needs no more levels than writing did."""
    for inner in (pydantic.SecretStr("1"), Card("1"), Vault([[1]])):
        depth, value = 0, [inner]
        while True:
            try:
                data = SEALED.encode(value)
            except Unserialisable:
                break
            assert SEALED.decode(data) == value
            depth, value = depth + 1, [value]  # type: ignore[list-item]  # lists in lists
        assert depth > MAX_DEPTH - 6


def test_a_field_may_have_been_marked_since() -> None:
    """S12: documents outlive the code that wrote them: plain values are read, and written as secrets from then on."""
    kind = f"{__name__}:Grown"
    read = SEALED.decode({"$type": kind, "fields": {"number": "1", "marked": CANARY}})
    assert read == Grown("1", CANARY)
    assert SEALED.decode({"$type": kind, "fields": {"number": "1"}}) == Grown("1", "none yet")
    assert CANARY not in text_of(read)


def test_a_digest_does_not_depend_on_the_cipher() -> None:
    """S2, S33: with `HIDING` a value has the same text each time, without its secrets; nobody reads it back."""
    hiding = PLAIN.with_cipher(HIDING)
    values = [{Card(CANARY, holder) for holder in "abc"}, Account(pin=CANARY), pydantic.Secret(2)]
    texts = {canonical(hiding.encode(SEALED.decode(SEALED.encode(values)))) for _ in range(3)}
    assert len(texts) == 1
    assert CANARY not in texts.pop()
    assert text_of(values) != text_of(values)
    assert canonical(hiding.encode(Card("1"))) == canonical(hiding.encode(Card("2")))
    assert canonical(hiding.encode(Card("1"))) != canonical(hiding.encode(Card("1", "Lee")))
    with pytest.raises(InvalidDocument, match="a secret that does not open"):
        hiding.decode(hiding.encode(Card("1")))


def pay(card: Card) -> SecretDate:
    """Pay by a card."""
    return SecretDate(date.min)


def test_the_codec_of_a_plan_takes_a_cipher() -> None:
    """S33: it knows the same classes as before, which stays as it was."""
    codec = Workflow[Card]("shop").step(pay).compile().codec
    sealed = codec.with_cipher(Keyed(b"key"))
    for value in (Card(CANARY), SecretDate(date.min), pydantic.SecretStr(CANARY)):
        assert sealed.decode(sealed.encode(value)) == value
        with pytest.raises(Unserialisable, match="S33"):
            codec.encode(value)
    assert sealed.kinds == codec.kinds
    with pytest.raises(Unserialisable, match=r"Name .*:Vault in an annotation"):
        sealed.encode(Vault(1))
