"""What annotations name: `type_name`, their canonical text, and `named_types`, the classes in them.

The text is for fingerprints (S1) and messages, the classes are those that a codec may meet (S12).
"""

# Annotations are data here, of any type: pyright's strict mode sees `Unknown` in each narrowing of them.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import dataclasses
import sys
import types
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NewType, get_args, get_origin

import attrs
import pydantic
import typing_extensions as te

from orchestration.plan.origin import module_name
from orchestration.plan.types import is_alias, members_of, module_names, resolve, split_type, type_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable


def type_name(tp: object) -> str:
    """Return the canonical text of an annotation: equal in every process and on every supported Python (S1).

    A class is `module:qualname`, a builtin its bare name, and `__main__` is called as if it had been imported; members
    of unions and literals are sorted; what is not known is `Any`; an alias is what it stands for, but inside itself its
    own name.

    >>> type_name(dict[str, int | None])
    'dict[str, None | int]'
    """
    return _name(tp, ())


def _name(tp: object, within: tuple[object, ...]) -> str:
    if is_alias(tp):
        if tp in within:
            return _qualified(get_origin(tp) or tp)
        within = (*within, tp)
    members = members_of(tp)
    literals = sorted({_value_name(get_args(item)[0]) for item in members if get_origin(item) is Literal})
    names = {_member_name(item, within) for item in members if get_origin(item) is not Literal}
    return " | ".join(sorted(names | ({f"Literal[{', '.join(literals)}]"} if literals else set())))


def _value_name(value: object) -> str:
    if isinstance(value, Enum):
        return f"{_qualified(type(value))}.{value.name}"
    return ascii(value) if isinstance(value, int | str | bytes) else _qualified(type(value))


def _member_name(tp: object, within: tuple[object, ...]) -> str:
    if tp is Any or tp is te.Never:
        return "Any" if tp is Any else "Never"
    if isinstance(tp, NewType):
        return _qualified(tp)
    kind, arguments = split_type(tp)
    if arguments is None:
        return _qualified(kind)
    return f"{_qualified(kind)}[{', '.join(_argument_name(item, within) for item in arguments) or '()'}]"


def _argument_name(item: object, within: tuple[object, ...]) -> str:
    if isinstance(item, list):  # the parameters of a callable
        return f"[{', '.join(_name(part, within) for part in item)}]"
    return "..." if item is ... else _name(item, within)


def _qualified(kind: object) -> str:
    if kind is types.NoneType:
        return "None"
    module = module_name(getattr(kind, "__module__", "") or "")
    name = str(getattr(kind, "__qualname__", None) or getattr(kind, "__name__", ""))
    if module.partition(".")[0] in sys.stdlib_module_names:  # 3.13 says `pathlib._local` where others say `pathlib`
        module = module.partition("._")[0]
    return name if module == "builtins" else f"{module}:{name}"


def named_types(tp: object) -> tuple[type, ...]:
    """Return the classes that an annotation names, also through the fields of its records, sorted by `type_name` (S12).

    Records are dataclasses, pydantic models, attrs classes, NamedTuples and TypedDicts (which have no class at run
    time and are not listed). The standard library is left out, but for its enums and records.
    """
    found: set[type] = set()
    seen: set[object] = set()
    pending = [tp]
    while pending:
        item = pending.pop()
        if isinstance(item, list):  # the parameters of a callable
            pending.extend(item)
        elif (key := _key(item)) not in seen:
            seen.add(key)
            for member in members_of(item):
                pending.extend(_parts(member, found))
    return tuple(sorted(found, key=type_name))


def _key(item: object) -> object:
    try:
        hash(item)
    except TypeError:  # an Annotated with a list in its metadata
        return id(item)
    return item


def _parts(member: object, found: set[type]) -> Iterable[object]:
    """Note the class of one plain type, and return the types that it is made of."""
    if get_origin(member) is Literal:
        return [type(get_args(member)[0])]
    if isinstance(member, NewType):
        return [member.__supertype__]
    if member is Any or member is te.Never:
        return []
    kind, arguments = split_type(member)
    kind = member if isinstance(member, type) else kind
    parts = [item for item in arguments or () if item is not ...]
    fields = field_types(kind)
    if not te.is_typeddict(kind) and (fields is not None or issubclass(kind, Enum) or not _standard(kind)):
        found.add(kind)
    return [*parts, *(fields or {}).values()]


def _standard(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in {*sys.stdlib_module_names, "typing_extensions"}


def field_types(kind: type) -> dict[str, object] | None:
    """Return the resolved annotations of a record's fields, a model's private attributes included; else None."""
    if kind is pydantic.BaseModel:  # it says nothing of what a model has
        return {}
    if te.is_typeddict(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        names = list(vars(kind).get("__annotations__", {}))
    elif issubclass(kind, pydantic.BaseModel):
        names = [*kind.__pydantic_fields__, *kind.__private_attributes__, "__pydantic_extra__"]
    elif attrs.has(kind):
        names = [field.name for field in attrs.fields(kind)]
    elif dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    else:
        return None
    hints = {name: hint_of(kind, name) for name in names}
    if issubclass(kind, pydantic.BaseModel) and kind.__pydantic_generic_metadata__["origin"]:
        hints |= {name: field.annotation for name, field in kind.__pydantic_fields__.items()}
    return hints


def hint_of(kind: type, name: str) -> object:
    """Resolve the annotation of one field among the names of the class that declares it."""
    for base in kind.__mro__:
        if name in vars(base).get("__annotations__", {}):
            # `frozen` builds a class in two steps: the annotations are on the draft, and mean the class itself
            own = kind if (kind.__module__, kind.__qualname__) == (base.__module__, base.__qualname__) else base
            names = {**module_names(base), **type_parameters(base), base.__name__: own}
            return resolve(vars(base)["__annotations__"][name], names)
    return Any  # made by `attr.ib` or `collections.namedtuple`, without an annotation
