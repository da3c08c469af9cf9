"""Values to JSON and back (S12). Pure, and loading imports nothing.

What JSON has is written as it is; everything else is an object with one key that starts with `$`: the tag. A dict with
such a key of its own is written as `{"$dict": …}`, so data cannot forge a tag. A record (dataclass, attrs class,
pydantic model, NamedTuple) is `{"$type": "module:Class", "fields": {…}}` by its concrete class: `records` says
what its state is. A secret is `{"$sealed": …}`, written by a cipher (`sealing`) or not at all (S33).
"""

# What is written and read is data of any type: pyright's strict mode sees `Unknown` in each narrowing of it.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import base64
import json
import math
import pathlib
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar, Union, cast, final
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic_core

from orchestration.errors import Defect, InvalidDocument, Unserialisable
from orchestration.plan.records import ABSENT, PARTS, SECRETS, form_of
from orchestration.plan.sealing import Reading, Writing
from orchestration.plan.typenames import named_types, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestration.plan.records import Form
    from orchestration.plan.sealing import Cipher

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]
Moment = TypeVar("Moment", datetime, time)

MAX_DEPTH = 100  # levels that a value may be nested: at six frames a level well below Python's limit of 1,000
_PLAIN_BITS = 4096  # longer integers are written in hex: Python reads no more than 4300 decimal digits
_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON would join two of them to one character
_MOMENT = re.compile(r"(?P<iso>[^\[;]+)(\[(?P<zone>[\w+-]+(/[\w+-]+)*)\])?(?P<fold>;fold=1)?")
_PAIR = 2
_OF_ANY_PLAN = {form.name: form for form in map(form_of, SECRETS) if form is not None}


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical(data: Json) -> str:
    """Return the one text of `data`, for digests: sorted keys, no spaces, ASCII; equal in every process (S1).

    Keep `json.dumps` for what is read back: sorting forgets the order of a dict.

    >>> canonical({"b": 1, "a": [1.5, None]})
    '{"a":[1.5,null],"b":1}'
    """
    return _CANONICAL.encode(data)


@final
class Codec:
    """Writes values as JSON and reads them back, each as the class that it was (S12).

    `types` are the classes (or annotations) that may occur, with all that their fields name; no other class is
    written or read.
    Dicts keep their order; sets are written in canonical order. Of an aware datetime the offset or the `ZoneInfo` is
    kept, not the name of a fixed offset. Secrets are written with a `cipher` only (S33): `SecretStr` and its relatives,
    and fields that are marked as `Secret`.

    >>> Codec().encode((1, {2.5}))
    {'$tuple': [1, {'$set': [2.5]}]}
    >>> Codec().decode({"$tuple": [1, {"$set": [2.5]}]})
    (1, {2.5})
    """

    def __init__(self, types: Iterable[object] = (), *, cipher: Cipher | None = None) -> None:
        """Take the classes that may occur; of two with one name the first counts."""
        self._cipher = cipher
        self._by_name: dict[str, Form] = dict(_OF_ANY_PLAN)
        for kind in (kind for tp in types for kind in named_types(tp)):
            form = form_of(kind)
            if form is not None:
                self._by_name.setdefault(form.name, form)
        self._by_kind = {form.kind: form for form in self._by_name.values()}

    @property
    def kinds(self) -> frozenset[type]:
        """The classes of the values that have a form here; a value of a subclass has none."""
        return frozenset((*_TEXTS, *_WRITERS, *self._by_kind))

    def with_cipher(self, cipher: Cipher) -> Codec:
        """Return the codec of the same classes that writes and reads secrets by a cipher (S33)."""
        twin = Codec(cipher=cipher)
        twin._by_name, twin._by_kind = self._by_name, self._by_kind
        return twin

    def encode(self, value: object, path: str = "value") -> Json:
        """Return the JSON form of `value`; `path` is how messages call it.

        Raises `Unserialisable` for a value without a form, with its path: a class that was not given, a subclass of a
        builtin, a secret where there is no cipher (S33), a cycle, nesting deeper than `MAX_DEPTH`.
        """
        scalar = _TEXTS.get(type(value))
        if scalar is not None and scalar[1](value):  # JSON as it is: what most steps of a durable run return
            return cast("Json", value)
        try:
            return _Encoding(self._by_kind, self._cipher).encode(value, path)
        except RecursionError:
            raise _too_deep(Unserialisable, path) from None

    def decode(self, data: object, path: str = "value") -> object:
        """Return the value of which `data` is the JSON form.

        Raises `UnresolvedReference` for a tag or class that is not known, `InvalidDocument` for all else that `encode`
        does not write, a secret that the cipher does not open among it, each with its path.
        """
        try:
            return _Decoding(self._by_name, self._cipher).decode(data, path)
        except RecursionError:
            raise _too_deep(InvalidDocument, path) from None


def _too_deep(error: type[Defect], path: str) -> Defect:
    mend = "Keep long chains in a list, and name the next item by a key."
    return error(path, found="a value nested deeper", expected=f"at most {MAX_DEPTH} levels", mend=mend)


class _Encoding(Writing):
    """One call of `encode`: the way from the root, and the containers on it."""

    def __init__(self, forms: Mapping[type, Form], cipher: Cipher | None) -> None:
        super().__init__(cipher)
        self.forms = forms
        self.open: dict[int, int] = {}

    def encode(self, value: object, step: str) -> Json:
        self.trail.append(step)
        kind = type(value)
        result: Json
        if kind in _TEXTS:
            result = self.text(value, kind)
        else:
            if len(self.trail) > MAX_DEPTH:
                raise _too_deep(Unserialisable, self.path())
            if self.open.setdefault(id(value), len(self.trail)) != len(self.trail):
                start = self.path(self.open[id(value)])
                self.refuse(f"{start} again", "a value that does not contain itself", "Refer to it by a key.")
            write, form = _WRITERS.get(kind), self.forms.get(kind)
            if write is not None:
                result = write(self, value)
            elif form is not None:
                result = form.write(self, value)
            else:
                self.unfit(value)
            del self.open[id(value)]
        self.trail.pop()
        return result

    def marked(self, value: object, step: str) -> Json:
        """Write the value of a field that is marked as secret."""
        self.trail.append(step)
        result = self.sealed("a field that is marked as Secret", lambda: self.encode(value, ""))
        self.trail.pop()
        return result

    def text(self, value: object, kind: type) -> Json:
        """Write what is a scalar of JSON or has a text."""
        tag, plain, write, _ = _TEXTS[kind]
        if plain(value):
            return cast("Json", value)
        try:
            text = write(value)
        except ValueError as error:
            self.refuse(f"{type_name(kind)} with {error}", "a fixed offset or a ZoneInfo with a key", "Use UTC.")
        return {tag: text if kind is str or not _has_surrogates(text) else self.text(text, str)}

    def items(self, values: Iterable[object]) -> list[Json]:
        return [self.encode(value, f"[{index}]") for index, value in enumerate(values)]

    def unordered(self, values: Iterable[object]) -> list[Json]:
        """Write the members of a set in an order that does not depend on their hashes."""
        return sorted((self.encode(value, "[…]") for value in values), key=canonical)

    def mapping(self, value: dict[object, object]) -> Json:
        if any(type(key) is not str or _has_surrogates(key) for key in value):
            keys = [self.encode(key, f".keys()[{index}]") for index, key in enumerate(value)]
            contents = [self.encode(item, f".values()[{index}]") for index, item in enumerate(value.values())]
            return {"$pairs": [[key, item] for key, item in zip(keys, contents, strict=True)]}
        named = cast("dict[str, object]", value)
        result = {key: self.encode(item, f"[{key!r}]") for key, item in named.items()}
        return {"$dict": result} if any(key.startswith("$") for key in named) else result

    def unfit(self, value: object) -> NoReturn:
        """Say why a value has no form. What is in it is not told: it may be a secret."""
        kind = type(value)
        expected = "a value of JSON, a standard type or a record whose class the plan names"
        mend = "Give plain data, a dataclass, an attrs class or a pydantic model."
        if value is ABSENT:
            self.refuse("no value", "a value in every field", "Set the field, or give it a default.")
        if form_of(kind) is not None:
            mend = f"Name {type_name(kind)} in an annotation of the plan, or give it to the codec."
        elif builtin := next((base for base in (*_TEXTS, *_WRITERS) if isinstance(value, base)), None):
            mend = f"Turn it into a plain {type_name(builtin)}: a subclass would not come back."
        self.refuse(type_name(kind), expected, mend)


class _Decoding(Reading):
    """One call of `decode`: the way from the root."""

    def __init__(self, forms: Mapping[str, Form], cipher: Cipher | None) -> None:
        super().__init__(cipher)
        self.forms = forms

    def decode(self, data: object, step: str) -> object:
        self.trail.append(step)
        if len(self.trail) > MAX_DEPTH + 1:
            raise _too_deep(InvalidDocument, self.path())
        result: object = data
        if isinstance(data, list):
            result = self.items(data)
        elif isinstance(data, dict):
            tag = _tag_of(data)
            result = self.mapping(data) if tag is None else self.tagged(tag, data)
        elif data is not None and not isinstance(data, str | int | float):
            self.refuse(type_name(type(data)), "a value of JSON")
        elif isinstance(data, float) and not math.isfinite(data):
            self.refuse("a number that is not finite", "its tag, `$float`")
        self.trail.pop()
        return result

    def items(self, data: object) -> list[object]:
        if not isinstance(data, list):
            self.refuse(type_name(type(data)), "a list")
        return [self.decode(item, f"[{index}]") for index, item in enumerate(cast("list[object]", data))]

    def mapping(self, data: object) -> dict[str, object]:
        if not isinstance(data, dict) or any(not isinstance(key, str) for key in data):
            self.refuse(type_name(type(data)), "an object with text for keys")
        named = cast("dict[str, object]", data)
        return {key: self.decode(item, f"[{key!r}]") for key, item in named.items()}

    def pairs(self, data: object) -> dict[object, object]:
        if not isinstance(data, list) or any(not isinstance(item, list) or len(item) != _PAIR for item in data):
            self.refuse(type_name(type(data)), "a list of pairs")
        pairs = cast("list[list[object]]", data)
        keys = [self.decode(key, f".keys()[{index}]") for index, (key, _) in enumerate(pairs)]
        values = [self.decode(value, f".values()[{index}]") for index, (_, value) in enumerate(pairs)]
        return cast("dict[object, object]", self.guarded(lambda: dict(zip(keys, values, strict=True))))

    def tagged(self, tag: str, data: dict[str, object]) -> object:
        allowed = {"$type": {tag, *PARTS}, "$enum": {tag, "member"}, "$secret": {tag, "value"}}.get(tag, {tag})
        formed = ("$type", "$enum", *(("$secret",) if self.secret_at is not None else ()))
        if tag not in (*_READERS, *_TEXT_TAGS, *formed):
            self.unresolved(f"the tag {tag!r}", "a tag of this version", "Read it with the version that wrote it.")
        if not data.keys() <= allowed:
            self.refuse("unknown keys", f"no others than {', '.join(sorted(allowed))}")
        if tag in formed:
            return self.formed(tag, data)
        if tag in _READERS:
            return _READERS[tag](self, data[tag])
        text = data[tag]
        if isinstance(text, dict) and text.keys() == {"$str"} and tag != "$str":
            text = self.tagged("$str", cast("dict[str, object]", text))
        if not isinstance(text, str):
            self.refuse(type_name(type(text)), "text")
        return self.guarded(lambda: _TEXT_TAGS[tag](text))

    def formed(self, tag: str, data: dict[str, object]) -> object:
        name = data[tag]
        form = self.forms.get(name) if isinstance(name, str) else None
        if form is None or form.tag != tag:
            mend = "Name the class in an annotation of the plan, or give it to the codec: loading never imports."
            self.unresolved(f"the class {name!r:.200}", "one that the plan names", mend)
        return form.read(self, data)


def _tag_of(data: dict[object, object]) -> str | None:
    return next((key for key in data if isinstance(key, str) and key.startswith("$")), None)


def _has_surrogates(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


def _write_moment(value: datetime | time) -> str:
    """Write a moment as ISO 8601, with its zone in brackets (RFC 9557), and which of two equal hours it is."""
    zone = value.tzinfo
    key = zone.key if type(zone) is ZoneInfo else None
    if key is None and type(zone) not in (type(None), timezone, pydantic_core.TzInfo):
        message = f"a zone of {type_name(type(zone))}"
        raise ValueError(message)
    text = (value.replace(tzinfo=None) if key else value).isoformat()
    return text + (f"[{key}]" if key else "") + (";fold=1" if value.fold else "")


def _moment_reader(kind: type[Moment]) -> Callable[[str], Moment]:
    def read(text: str) -> Moment:
        match = _MOMENT.fullmatch(text)
        if match is None:
            raise ValueError(text)
        moment = kind.fromisoformat(match["iso"])
        zone = ZoneInfo(match["zone"]) if match["zone"] else moment.tzinfo
        return moment.replace(tzinfo=zone, fold=1 if match["fold"] else 0)

    return read


def _always(_: object) -> bool:
    return True


def _never(_: object) -> bool:
    return False


# By class: the tag, whether a value goes without it, its text, and the value of a text.
_TEXTS: dict[type, tuple[str, Callable[[Any], bool], Callable[[Any], str], Callable[[str], object]]] = {
    type(None): ("", _always, str, str),
    bool: ("", _always, str, str),
    str: (
        "$str",
        lambda text: not _has_surrogates(text),
        lambda text: text.encode("utf-8", "surrogatepass").hex(),
        lambda text: bytes.fromhex(text).decode("utf-8", "surrogatepass"),
    ),
    int: ("$int", lambda number: number.bit_length() <= _PLAIN_BITS, hex, lambda text: int(text, 16)),
    float: ("$float", math.isfinite, repr, float),
    bytes: (
        "$bytes",
        _never,
        lambda value: base64.b64encode(value).decode("ascii"),
        lambda text: base64.b64decode(text, validate=True),
    ),
    datetime: ("$datetime", _never, _write_moment, _moment_reader(datetime)),
    date: ("$date", _never, date.isoformat, date.fromisoformat),
    time: ("$time", _never, _write_moment, _moment_reader(time)),
    timedelta: (
        "$timedelta",
        _never,
        lambda value: str(value // timedelta(microseconds=1)),
        lambda text: timedelta(microseconds=int(text)),
    ),
    Decimal: ("$decimal", _never, str, Decimal),
    UUID: ("$uuid", _never, str, UUID),
    pathlib.PurePosixPath: ("$pure_posix_path", _never, str, pathlib.PurePosixPath),
    pathlib.PureWindowsPath: ("$pure_windows_path", _never, str, pathlib.PureWindowsPath),
    pathlib.PosixPath: ("$posix_path", _never, str, pathlib.PosixPath),
    pathlib.WindowsPath: ("$windows_path", _never, str, pathlib.WindowsPath),
}
_TEXT_TAGS = {tag: read for tag, _, _, read in _TEXTS.values() if tag}
_WRITERS: dict[type, Callable[[_Encoding, Any], Json]] = {
    list: _Encoding.items,
    dict: _Encoding.mapping,
    tuple: lambda self, value: {"$tuple": self.items(value)},
    set: lambda self, value: {"$set": self.unordered(value)},
    frozenset: lambda self, value: {"$frozenset": self.unordered(value)},
}
_READERS: dict[str, Callable[[_Decoding, object], object]] = {
    "$sealed": _Decoding.sealed,
    "$dict": _Decoding.mapping,
    "$pairs": _Decoding.pairs,
    "$tuple": lambda self, data: tuple(self.items(data)),
    "$set": lambda self, data: self.guarded(partial(set, self.items(data))),
    "$frozenset": lambda self, data: self.guarded(partial(frozenset, self.items(data))),
}
