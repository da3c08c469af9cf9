"""What can be known from annotations, before anything runs (S6).

`fits` compares two annotations as *fits, misfits or unknown*. Only a misfit is ever refused, so a false alarm is the
worst that it could say: whatever a sensible type checker accepts, and whatever might work at run time, is no misfit.

`type_name` is the canonical text of an annotation for fingerprints (S1) and messages, `named_types` the classes that
a codec may meet (S12), `signature_of` what a body takes and gives.
"""

# Annotations are data here, of any type: pyright's strict mode sees `Unknown` in each narrowing of them.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import inspect
import sys
import types
import typing
from collections import abc
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NewType, TypeVar, cast, get_args, get_origin

import attrs
import pydantic
import typing_extensions as te

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_NEST = 8  # how deep arguments are compared: recursive aliases have no end, and below this nobody would look
_EMPTY = inspect.Parameter.empty
_UNIONS = (typing.Union, types.UnionType)
_WRAPPERS = (typing.Annotated, te.Required, te.NotRequired, te.ReadOnly, typing.Final, typing.ClassVar)
_ALIASES = (te.TypeAliasType, getattr(typing, "TypeAliasType", te.TypeAliasType))  # two classes on 3.12 and 3.13
_PROMOTIONS: Mapping[type, tuple[type, ...]] = {float: (int,), complex: (int, float), bytes: (bytearray, memoryview)}

_SPECIAL = (
    (None, types.NoneType),
    (typing.NoReturn, te.Never),
    (te.Never, te.Never),
    (te.LiteralString, str),
    (_EMPTY, Any),
)
_INERT: frozenset[object] = frozenset({typing.Generic, typing.Protocol})
# Standard types of one parameter and of two. Theirs go the same way as the value; elsewhere a misfit of an argument
# may be contravariance.
_ONE: frozenset[object] = frozenset(
    {list, collections.deque, set, frozenset, abc.Iterable, abc.Iterator, abc.Collection, abc.Container, abc.Reversible}
    | {abc.Sequence, abc.MutableSequence, abc.Set, abc.MutableSet, abc.AsyncIterable, abc.AsyncIterator, abc.Awaitable}
)
_TWO: frozenset[object] = frozenset(
    {dict, collections.defaultdict, collections.OrderedDict, abc.Mapping, abc.MutableMapping}
)
# What typeshed declares and the run-time classes do not tell: what iterating (or awaiting) gives, as a type or as the
# position of a parameter.
_ELEMENTS: Mapping[object, object] = {
    **dict.fromkeys((*_ONE, *_TWO, collections.Counter, abc.Generator, abc.AsyncGenerator), 0),
    abc.Coroutine: 2,
    str: str,
    bytes: int,
    range: int,
}


class Fit(Enum):
    """Whether a value of one annotation may go where another is expected (S6)."""

    FITS = "fits"
    MISFITS = "misfits"
    UNKNOWN = "unknown"


def fits(produced: object, expected: object) -> Fit:
    """Return whether a value annotated `produced` may go to a parameter annotated `expected` (S6).

    Arguments of the standard containers are compared as covariant: a value that flows on is not shared. A value
    that is declared as a base may be of the subclass that is expected: unknown.

    >>> fits(list[bool], Iterable[int])
    <Fit.FITS: 'fits'>
    >>> fits(int | None, int)
    <Fit.MISFITS: 'misfits'>
    """
    return _fits(produced, expected, 0)


def _worst(found: Iterable[Fit]) -> Fit:
    results = set(found)
    return next((fit for fit in (Fit.MISFITS, Fit.UNKNOWN) if fit in results), Fit.FITS)


def _doubted(fit: Fit) -> Fit:
    return Fit.MISFITS if fit is Fit.MISFITS else Fit.UNKNOWN


def _fits(produced: object, expected: object, depth: int) -> Fit:
    """Every alternative that may come must fit at least one that is taken."""
    offers, wants = _members(produced), _members(expected)
    if object in wants:
        return Fit.FITS
    if Any in offers or Any in wants or depth > _NEST:
        return Fit.UNKNOWN
    return _worst(_best(_pair(offer, want, depth) for want in wants) for offer in offers)


def _best(found: Iterable[Fit]) -> Fit:
    results = set(found)
    return next((fit for fit in (Fit.FITS, Fit.UNKNOWN) if fit in results), Fit.MISFITS)


def _pair(offer: object, want: object, depth: int) -> Fit:
    if offer is te.Never or offer == want:
        return Fit.FITS
    if want is te.Never or offer is object:
        return Fit.UNKNOWN
    if isinstance(offer, NewType):
        return _fits(offer.__supertype__, want, depth)
    if isinstance(want, NewType):  # a checker refuses the plain value, and it works
        return _doubted(_fits(offer, want.__supertype__, depth))
    if Literal in (get_origin(offer), get_origin(want)):
        return _literals(offer, want, depth)
    typed = [te.is_typeddict(_split(tp)[0]) for tp in (offer, want)]
    result = _classes(dict if typed[0] else offer, dict if typed[1] else want, depth)
    return _doubted(result) if any(typed) else result


def _literals(offer: object, want: object, depth: int) -> Fit:
    """Compare where one is a literal: its class where a class is expected; a class may happen to give the literal."""
    if get_origin(want) is not Literal:
        return _fits(type(get_args(offer)[0]), want, depth)
    value = get_args(want)[0]
    if get_origin(offer) is not Literal:
        return _doubted(_fits(offer, type(value), depth))
    return Fit.UNKNOWN if get_args(offer)[0] == value else Fit.MISFITS


def _classes(offer: object, want: object, depth: int) -> Fit:
    (have, offered), (need, wanted) = _split(offer), _split(want)
    if have is type and need is not type and offered:  # a class object is an instance of its metaclass
        have, offered = type(offered[0]), None
    if te.is_protocol(have) or te.is_protocol(need):
        related = Fit.FITS if need in inspect.getmro(have) else Fit.UNKNOWN
    else:
        related = _related(have, need)
    if related is not Fit.FITS or wanted is None:
        return related
    return _arguments(need, _seen_as(have, offered, need), wanted, depth)


def _related(have: type, need: type) -> Fit:
    """Compare two classes without their arguments."""
    try:
        if issubclass(have, need) or issubclass(have, _PROMOTIONS.get(need, ())):
            return Fit.FITS
        downcast = issubclass(need, have)
    except Exception:  # noqa: BLE001 - a metaclass of the user's own may raise anything: then nothing is known
        return Fit.UNKNOWN
    old_iteration = need in (abc.Iterable, abc.Reversible, abc.Container) and hasattr(have, "__getitem__")
    both_abstract = inspect.isabstract(have) and inspect.isabstract(need)
    bases = {*inspect.getmro(have), *inspect.getmro(need)}
    dynamic = any(
        base.__module__ in ("typing", "unittest.mock") for base in bases - _INERT
    )  # `Any` as a base, `TextIO`
    return Fit.UNKNOWN if downcast or old_iteration or both_abstract or dynamic else Fit.MISFITS


def _arguments(need: type, have: tuple[object, ...] | None, wanted: tuple[object, ...], depth: int) -> Fit:
    if have is None or cast("object", need) is abc.Callable:
        return Fit.UNKNOWN
    if need is tuple:
        return _tuples(have, wanted, depth)
    result = _worst(_fits(one, other, depth + 1) for one, other in zip(have, wanted, strict=False))
    if len(have) != len(wanted) or (result is Fit.MISFITS and need not in (*_ONE, *_TWO, type)):
        return Fit.UNKNOWN
    return result


def _tuples(have: tuple[object, ...], want: tuple[object, ...], depth: int) -> Fit:
    if any(_unpacked(item) for item in (*have, *want)):
        return Fit.UNKNOWN
    if want[1:] == (...,):
        return _worst(_fits(item, want[0], depth + 1) for item in have if item is not ...)
    if have[1:] == (...,):  # of any length, hence perhaps of the right one
        return _doubted(_worst(_fits(have[0], item, depth + 1) for item in want))
    if len(have) != len(want):
        return Fit.MISFITS
    return _worst(_fits(one, other, depth + 1) for one, other in zip(have, want, strict=True))


def _unpacked(item: object) -> bool:
    return get_origin(item) is te.Unpack or getattr(item, "__unpacked__", False) is True


def _seen_as(have: type, arguments: tuple[object, ...] | None, need: type) -> tuple[object, ...] | None:
    """Return the arguments of `have[arguments]` seen as its base `need`; None where that is not known."""
    if have is need:
        return arguments
    if have in _ELEMENTS or have is tuple:
        return _standard_as(have, arguments, need)
    given: dict[object, object] = dict(zip(getattr(have, "__parameters__", ()), arguments or (), strict=False))
    for base in vars(have).get("__orig_bases__", have.__bases__):
        kind, seen = _split(_plain(_substitute(base, given)))
        found = _seen_as(kind, seen, need)
        if found is not None:
            return found
    return None


def _standard_as(have: type, arguments: tuple[object, ...] | None, need: type) -> tuple[object, ...] | None:
    given = (*(arguments or ()), Any, Any, Any)
    if need not in (*_ONE, *_TWO) or not issubclass(have, need):
        return None
    if need in _TWO:
        return given[0], int if have is collections.Counter else given[1]
    if issubclass(have, tuple):
        parts = tuple(item for item in arguments or () if item is not ...)
        known = arguments is not None and not any(_unpacked(item) for item in parts)
        return ((_union(parts) if parts else te.Never) if known else Any,)
    element = _ELEMENTS[have]
    return (given[element] if isinstance(element, int) else element,)


def _union(parts: tuple[object, ...]) -> object:
    return cast("Any", typing.Union)[parts]


def _substitute(tp: object, given: Mapping[object, object]) -> object:
    """Put arguments in the place of type variables, `Any` for those that are not given."""
    if isinstance(tp, TypeVar):
        return given.get(tp, Any)
    parameters = () if isinstance(tp, type) else getattr(tp, "__parameters__", ())
    try:
        return cast("Any", tp)[tuple(given.get(item, Any) for item in parameters)] if parameters else tp
    except TypeError:  # a ParamSpec or TypeVarTuple takes other things than types
        return Any


def _plain(tp: object) -> object:
    """Strip what tells nothing about the values (Annotated, qualifiers, aliases); what is not known becomes `Any`."""
    while get_origin(tp) in _WRAPPERS or _is_alias(tp):
        tp = _expanded(tp) if _is_alias(tp) else get_args(tp)[0]
    for special, meaning in _SPECIAL:
        if tp is special:
            return meaning
    origin = get_origin(tp)
    if isinstance(tp, type | NewType) or origin in (*_UNIONS, Literal):
        return tp
    if isinstance(origin, type) and not _unpacked(tp):
        return tp if hasattr(tp, "__args__") else origin  # `typing.List` is `list`
    return Any


def _is_alias(tp: object) -> bool:
    return isinstance(tp, _ALIASES) or isinstance(get_origin(tp), _ALIASES)


def _expanded(tp: object) -> object:
    alias = cast("Any", get_origin(tp) or tp)
    value: object = Any
    with contextlib.suppress(Exception):  # the value may be evaluated only now, from names that do not exist
        value = _resolve(alias.__value__, {**_module(alias), alias.__name__: alias})
    return _substitute(value, dict(zip(alias.__type_params__, get_args(tp), strict=False)))


def _members(tp: object) -> tuple[object, ...]:
    """Return the alternatives of a type: of a union its members, of a literal each value alone."""
    tp = _plain(tp)
    origin = get_origin(tp)
    if origin in _UNIONS:
        return tuple(member for part in get_args(tp) for member in _members(part))
    if origin is Literal:
        values = get_args(tp)
        return tuple(types.NoneType if value is None else cast("Any", Literal)[value] for value in values)
    return (tp,)


def _split(tp: object) -> tuple[type, tuple[object, ...] | None]:
    """Return a plain type as its class and its arguments; None where it is not parametrised."""
    generic = vars(tp).get("__pydantic_generic_metadata__") if isinstance(tp, type) else None
    if generic and generic["origin"]:
        return generic["origin"], generic["args"]
    if isinstance(tp, type):
        return tp, None
    return cast("type", get_origin(tp)), get_args(tp)


def type_name(tp: object) -> str:
    """Return the canonical text of an annotation: equal in every process and on every supported Python (S1).

    A class is `module:qualname`, a builtin its bare name; members of unions and literals are sorted; what is not
    known is `Any`; an alias is what it stands for, but inside itself its own name.

    >>> type_name(dict[str, int | None])
    'dict[str, None | int]'
    """
    return _name(tp, ())


def _name(tp: object, within: tuple[object, ...]) -> str:
    if _is_alias(tp):
        if tp in within:
            return _qualified(get_origin(tp) or tp)
        within = (*within, tp)
    members = _members(tp)
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
    kind, arguments = _split(tp)
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
    module = getattr(kind, "__module__", "") or ""
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
            for member in _members(item):
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
    kind, arguments = _split(member)
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
    hints = {name: _hint(kind, name) for name in names}
    if issubclass(kind, pydantic.BaseModel) and kind.__pydantic_generic_metadata__["origin"]:
        hints |= {name: field.annotation for name, field in kind.__pydantic_fields__.items()}
    return hints


def _hint(kind: type, name: str) -> object:
    """Resolve the annotation of one field among the names of the class that declares it."""
    for base in kind.__mro__:
        if name in vars(base).get("__annotations__", {}):
            names = {**_module(base), **_variables(base), base.__name__: base}
            return _resolve(vars(base)["__annotations__"][name], names)
    return Any  # made by `attr.ib` or `collections.namedtuple`, without an annotation


def _module(owner: object) -> dict[str, object]:
    return vars(sys.modules.get(getattr(owner, "__module__", None) or "", types))


def _variables(owner: object) -> dict[str, object]:
    return {item.__name__: item for item in getattr(owner, "__type_params__", ())}


def _resolve(annotation: object, names: dict[str, object]) -> object:
    """Evaluate the strings of one annotation; where a name is missing (TYPE_CHECKING), that annotation is `Any`."""
    if annotation is _EMPTY:
        return Any
    carrier = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(carrier, globalns=names, include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - an annotation is an expression and may raise anything
        return Any


@frozen
class Signature:
    """What a body takes and gives, as far as annotations tell; `Any` where they do not.

    `parameters` are the annotations of the required positional parameters in order, `optional` of those with a
    default, `keyword_only` the names of the required keyword-only ones. `asynchronous`: calling it gives an awaitable,
    of which `returns` is the result.
    """

    parameters: tuple[object, ...] = ()
    returns: object = Any
    variadic: bool = False
    asynchronous: bool = False
    keyword_only: tuple[str, ...] = ()
    optional: tuple[object, ...] = ()


def signature_of(function: Callable[..., object]) -> Signature | None:
    """Return the signature of a function, partial, bound method, callable object or class; None where it has none (S6).

    A decorator may have changed what a function takes or gives, though `functools.wraps` copies its annotations:
    those of a wrapped or overloaded function are `declared | Any`, which name their types and refuse nothing.
    """
    target = cast("Callable[..., object]", get_origin(function) or function)
    if isinstance(target, type) and target.__module__ == "builtins":
        return None  # some have a signature, on some versions of Python
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    names, loose = _surroundings(target)
    hints = {name: _loosened(_resolve(item.annotation, names), loose) for name, item in signature.parameters.items()}
    returned = _resolve(signature.return_annotation, names)
    returns, awaitable = (returned, True) if _is_coroutine_function(target) else _awaited(returned)
    items = signature.parameters.values()
    positional = [item for item in items if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    return Signature(
        parameters=tuple(hints[item.name] for item in positional if item.default is _EMPTY),
        returns=function if isinstance(target, type) else _loosened(returns, loose),
        variadic=any(item.kind is item.VAR_POSITIONAL for item in items),
        asynchronous=awaitable,
        keyword_only=tuple(item.name for item in items if item.kind is item.KEYWORD_ONLY and item.default is _EMPTY),
        optional=tuple(hints[item.name] for item in positional if item.default is not _EMPTY),
    )


def _surroundings(target: object) -> tuple[dict[str, object], bool]:
    """Return the names that the annotations of a callable see, and whether they may be untrue of it."""
    loose = False
    while not inspect.isfunction(target):
        if isinstance(target, functools.partial):
            target = target.func
        elif isinstance(target, type):
            outer, target = target, target.__init__  # type: ignore[misc]  # the class is at hand, not a value of it
            return {**_module(outer), **_variables(outer), **getattr(target, "__globals__", {})}, loose
        elif inspect.ismethod(target):
            target = target.__func__
        elif (wrapped := getattr(target, "__wrapped__", None)) is not None:
            target, loose = wrapped, True
        elif inspect.isfunction(type(target).__call__):
            target = type(target).__call__
        else:
            return {}, loose
    function = inspect.unwrap(target)
    loose = loose or function is not target or bool(typing.get_overloads(function))
    return {**getattr(function, "__globals__", {}), **_variables(function)}, loose


def _loosened(hint: object, loose: bool) -> object:  # noqa: FBT001 - private, and said by its name
    return _union((hint, Any)) if loose else hint


def _is_coroutine_function(target: object) -> bool:
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(type(target).__call__)


def _awaited(returned: object) -> tuple[object, bool]:
    """Return what awaiting a value annotated `returned` gives, and whether it is an awaitable for certain."""
    results: list[object] = []
    awaitable: list[bool] = []
    for member in _members(returned):
        kind, arguments = _split(member)
        awaitable.append(hasattr(kind, "__await__"))
        seen = _seen_as(kind, arguments, abc.Awaitable) if awaitable[-1] else (member,)
        results.append(seen[0] if seen else Any)
    return (_union(tuple(results)), all(awaitable)) if any(awaitable) else (returned, False)
