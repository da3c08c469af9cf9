"""How records and enums become documents and come back (S12): `form_of` gives the form of a class.

*A record is its state.* Decoding restores it as `copy` and `pickle` do: without `__init__`, `__post_init__` or
validators. So what comes back is what was written, also where building it anew would give another value or none: a
validator that parses text, pydantic's `Json` and `Base64Bytes`, an `init=False` field, an `InitVar`. Names are checked,
a field that the class gained since is filled from its default; values are not checked against annotations here:
that is for the boundary (S12), and what damages a journal is for its digests (S36, S37).

The state is the fields, then, where there are any, `unset` (a model's fields that nobody gave), `attributes` (set on
the instance beside its fields, cached properties excepted), `extra` (a model's additional values) and `private`.
"""

# What is written and read is data of any type: pyright's strict mode sees `Unknown` in each narrowing of it.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import dataclasses
import inspect
from enum import Enum, Flag
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias, cast, final

import attrs
import pydantic
import pydantic_core

from orchestration.failures import Failure
from orchestration.plan.secrets import secret_fields
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestration.plan.codec import Json

Parts: TypeAlias = "dict[str, dict[str, object]]"
Default: TypeAlias = "Callable[[dict[str, object]], object]"  # gets the values that there are
Defaults: TypeAlias = "dict[str, Default | None]"  # of every field, in order; None where a value is required
Take: TypeAlias = "Callable[[Any], Parts]"
Build: TypeAlias = "Callable[[Parts], object]"
Form: TypeAlias = "_Enumeration | _Record | _Hidden"

ABSENT = object()  # in the place of a field that has no value
PARTS = ("fields", "unset", "attributes", "extra", "private")
SECRETS = (pydantic.SecretStr, pydantic.SecretBytes, pydantic.Secret)
_FACTORY = cast("type[Any]", attrs.Factory)  # a class, which attrs declares as a function
_LATER = "_attrs_cached_hash"  # holds for one process only


class Encoding(Protocol):
    """What a form needs of the codec to write a value."""

    def encode(self, value: object, step: str) -> Json:
        """Write what is in the value; `step` leads there."""
        ...

    def marked(self, value: object, step: str) -> Json:
        """Write what is in the value and marked as secret (S33); `step` leads there."""
        ...

    def sealed(self, what: str, write: Callable[[], Json]) -> Json:
        """Write a secret (S33); `what` is how messages call it."""
        ...


class Decoding(Protocol):
    """What a form needs of the codec to read a value."""

    def decode(self, data: object, step: str) -> object:
        """Read what is in the value; `step` leads there."""
        ...

    def guarded(self, build: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it builds
        """Run what may raise anything."""
        ...

    def refuse(self, found: str, expected: str) -> NoReturn:
        """Say that the document is not what the codec writes."""
        ...


@final
class _Enumeration:
    """The form of an enum: a member by its name, a flag by its value, since flags combine."""

    tag = "$enum"

    def __init__(self, kind: type[Enum]) -> None:
        self.kind = kind
        self.name: str = type_name(kind)

    def write(self, _: Encoding, value: Any) -> Json:  # noqa: ANN401 - a member of `kind`
        return {"$enum": self.name, "member": value.value if isinstance(value, Flag) else value.name}

    def read(self, decoding: Decoding, data: dict[str, object]) -> object:
        member = data.get("member")
        value: object = self.kind.__members__.get(member) if isinstance(member, str) else None
        if issubclass(self.kind, Flag) and type(member) is int:
            value = decoding.guarded(lambda: self.kind(member))
        if type(value) is not self.kind:
            decoding.refuse(f"the member {member!r:.80}", f"one of {self.name}")
        return value


@final
class _Record:
    """The form of a class with fields: `take` reads an instance's state in parts, `build` restores it."""

    tag = "$type"

    def __init__(self, kind: type, defaults: Defaults, take: Take, build: Build) -> None:
        self.kind = kind
        self.name: str = type_name(kind)
        self.defaults = defaults
        self.take = take
        self.build = build
        self.secret: frozenset[str] = secret_fields(kind)

    def write(self, encoding: Encoding, value: object) -> Json:
        data: dict[str, Json] = {"$type": self.name}
        for part, contents in self.take(value).items():
            if contents or part == "fields":
                data[part] = {
                    name: (encoding.marked if name in self.secret else encoding.encode)(item, f".{name}")
                    for name, item in contents.items()
                }
        return data

    def read(self, decoding: Decoding, data: dict[str, object]) -> object:
        parts: Parts = {}
        for part in PARTS:
            contents = data.get(part, {})
            if not isinstance(contents, dict) or any(not isinstance(name, str) for name in contents):
                decoding.refuse(type_name(type(contents)), f"an object with names in {part!r}")
            named = cast("dict[str, object]", contents)
            parts[part] = {name: decoding.decode(item, f".{name}") for name, item in named.items()}
        self.complete(decoding, parts)
        return decoding.guarded(lambda: self.build(parts))

    def complete(self, decoding: Decoding, parts: Parts) -> None:
        """Check the names of the fields, and fill those that the class gained since, where they have a default."""
        given = parts["fields"] | parts["unset"]
        unknown = given.keys() - self.defaults.keys()
        if unknown:
            decoding.refuse(f"the unknown field {min(unknown)!r:.80}", f"the fields of {self.name}")
        for name, default in self.defaults.items():
            if name not in given:
                if default is None:
                    decoding.refuse(f"no field {name!r}", f"every field of {self.name} that has no default")
                parts["unset"][name] = decoding.guarded(partial(default, given))


@final
class _Hidden:
    """The form of a class that hides one value: it stands in a seal only (S33)."""

    tag = "$secret"

    def __init__(self, kind: Any) -> None:  # noqa: ANN401 - one of `SECRETS` or a subclass
        self.kind: type = kind
        self.make: Callable[[object], object] = kind
        self.name: str = type_name(kind)

    def write(self, encoding: Encoding, value: Any) -> Json:  # noqa: ANN401 - a value of `kind`
        def write() -> Json:
            return {"$secret": self.name, "value": encoding.encode(value.get_secret_value(), "")}

        return encoding.sealed(self.name, write)

    def read(self, decoding: Decoding, data: dict[str, object]) -> object:
        value = decoding.decode(data.get("value"), "")
        return decoding.guarded(partial(self.make, value))


def form_of(kind: type) -> Form | None:
    """Return how instances of exactly `kind` are written, None where they are not."""
    if issubclass(kind, Enum):
        return _Enumeration(kind)
    if issubclass(kind, SECRETS):
        return _Hidden(kind)
    if kind is pydantic.BaseModel:
        return None  # nothing is exactly that
    if issubclass(kind, pydantic.BaseModel):
        return _Record(kind, _model_defaults(kind), _take_model, partial(_build_model, kind))
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        defaults = _tuple_defaults(kind)
        return _Record(kind, defaults, _take_object(tuple(defaults)), partial(_build_tuple, kind))
    if any(base.__module__ == "builtins" for base in kind.__mro__[:-1]):
        return None  # an exception or a dict has a state of its own beside the fields
    if attrs.has(kind):
        defaults = {field.name: _attrs_default(field) for field in attrs.fields(kind)}
    elif dataclasses.is_dataclass(kind):
        defaults = {field.name: _dataclass_default(field) for field in dataclasses.fields(kind)}
    else:
        return None
    # a Failure's exception is there only in the process where it was raised (S8): it is read as its default, None
    written = tuple(name for name in defaults if not (name == "exception" and issubclass(kind, Failure)))
    return _Record(kind, defaults, _take_object(written), partial(_build_object, kind))


def _constant(value: object) -> Default:
    return lambda _: value


def _made_by(factory: Callable[[], object]) -> Default:
    return lambda _: factory()


def _model_defaults(kind: type[pydantic.BaseModel]) -> Defaults:
    def default(field: pydantic.fields.FieldInfo) -> Default:
        return lambda given: field.get_default(call_default_factory=True, validated_data=given)

    return {name: None if item.is_required() else default(item) for name, item in kind.__pydantic_fields__.items()}


def _tuple_defaults(kind: Any) -> Defaults:  # noqa: ANN401 - NamedTuple is no type
    known: dict[str, Default] = {name: _constant(value) for name, value in kind._field_defaults.items()}
    return {name: known.get(name) for name in kind._fields}


def _attrs_default(field: attrs.Attribute[Any]) -> Default | None:
    default: Any = field.default
    if isinstance(default, _FACTORY):
        return None if default.takes_self else _made_by(default.factory)
    return None if default is attrs.NOTHING else _constant(default)


def _dataclass_default(field: dataclasses.Field[Any]) -> Default | None:
    if field.default_factory is not dataclasses.MISSING:
        return _made_by(field.default_factory)
    return None if field.default is dataclasses.MISSING else _constant(field.default)


def _take_object(names: tuple[str, ...]) -> Take:
    def take(value: object) -> Parts:
        return {
            "fields": {name: getattr(value, name, ABSENT) for name in names},
            "attributes": _attributes(value, names),
        }

    return take


def _attributes(value: object, names: Iterable[str]) -> dict[str, object]:
    """Return what was set on an instance beside its fields, without what is computed again or is not its own."""
    own: dict[str, object] = getattr(value, "__dict__", {})
    left_out = {*names, _LATER, "__orig_class__"}
    return {
        name: item
        for name, item in own.items()
        if name not in left_out and not isinstance(inspect.getattr_static(type(value), name, None), cached_property)
    }


def _take_model(value: pydantic.BaseModel) -> Parts:
    names, own = type(value).__pydantic_fields__, value.__dict__
    given = value.model_fields_set
    private = value.__pydantic_private__ or {}
    return {
        "fields": {name: own.get(name, ABSENT) for name in names if name in given},
        "unset": {name: own.get(name, ABSENT) for name in names if name not in given},
        "attributes": _attributes(value, names),
        "extra": value.__pydantic_extra__ or {},
        "private": {name: item for name, item in private.items() if item is not pydantic_core.PydanticUndefined},
    }


def _build_model(kind: type[pydantic.BaseModel], parts: Parts) -> object:
    """Restore a model by its own pickle protocol, in the order of its fields."""
    values = parts["fields"] | parts["unset"]
    allows = kind.model_config.get("extra") == "allow"
    hidden = {name: item.get_default() for name, item in kind.__private_attributes__.items()} | parts["private"]
    private = {name: item for name, item in hidden.items() if item is not pydantic_core.PydanticUndefined}
    state = {
        "__dict__": {name: values[name] for name in kind.__pydantic_fields__} | parts["attributes"],
        "__pydantic_fields_set__": {*parts["fields"], *parts["extra"]},
        "__pydantic_extra__": parts["extra"] if allows or parts["extra"] else None,
        "__pydantic_private__": private if kind.__private_attributes__ else None,
    }
    instance = object.__new__(kind)
    owner: Any = pydantic.RootModel if issubclass(kind, pydantic.RootModel) else pydantic.BaseModel
    owner.__setstate__(instance, state)
    return instance


def _build_tuple(kind: Any, parts: Parts) -> object:  # noqa: ANN401 - NamedTuple is no type
    values = parts["fields"] | parts["unset"]
    instance: object = tuple.__new__(kind, [values[name] for name in kind._fields])
    return _with_attributes(instance, parts)


def _build_object(kind: type, parts: Parts) -> object:
    instance: object = object.__new__(kind)
    for name, item in (parts["fields"] | parts["unset"]).items():
        object.__setattr__(instance, name, item)
    if _LATER in getattr(getattr(kind.__hash__, "__code__", None), "co_names", ()):  # attrs' `cache_hash`
        object.__setattr__(instance, _LATER, None)
    return _with_attributes(instance, parts)


def _with_attributes(instance: object, parts: Parts) -> object:
    if parts["attributes"]:
        vars(instance).update(parts["attributes"])
    return instance
