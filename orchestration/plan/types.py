"""How annotations are read and compared, before anything runs (S6).

`fits` compares two annotations as *fits, misfits or unknown*. Only a misfit is ever refused, so a false alarm is the
worst that it could say: whatever a sensible type checker accepts, and whatever might work at run time, is no misfit.

`members_of`, `split_type` and `resolve` are how `typenames` and `signatures` read annotations as well.
"""

# Annotations are data here, of any type: pyright's strict mode sees `Unknown` in each narrowing of them.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import collections
import contextlib
import inspect
import sys
import types
import typing
from collections import abc
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NewType, TypeVar, cast, get_args, get_origin

import typing_extensions as te

from orchestration.results import Ok

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NEST = 8  # how deep arguments are compared: recursive aliases have no end, and below this nobody would look
EMPTY = inspect.Parameter.empty
_UNIONS = (typing.Union, types.UnionType)
_WRAPPERS = (typing.Annotated, te.Required, te.NotRequired, te.ReadOnly, typing.Final, typing.ClassVar)
_ALIASES = (te.TypeAliasType, getattr(typing, "TypeAliasType", te.TypeAliasType))  # two classes on 3.12 and 3.13
_PROMOTIONS: Mapping[type, tuple[type, ...]] = {float: (int,), complex: (int, float), bytes: (bytearray, memoryview)}

_SPECIAL = (
    (None, types.NoneType),
    (typing.NoReturn, te.Never),
    (te.Never, te.Never),
    (te.LiteralString, str),
    (EMPTY, Any),
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

    >>> from collections.abc import Iterable
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
    offers, wants = members_of(produced), members_of(expected)
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
    typed = [te.is_typeddict(split_type(tp)[0]) for tp in (offer, want)]
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
    (have, offered), (need, wanted) = split_type(offer), split_type(want)
    if have is type and need is not type and offered:  # a class object is an instance of its metaclass
        have, offered = type(offered[0]), None
    if te.is_protocol(have) or te.is_protocol(need):
        related = Fit.FITS if need in inspect.getmro(have) else Fit.UNKNOWN
    else:
        related = _related(have, need)
    if related is not Fit.FITS or wanted is None:
        return related
    return _arguments(need, seen_as(have, offered, need), wanted, depth)


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
    if len(have) != len(wanted) or (result is Fit.MISFITS and need not in (*_ONE, *_TWO, type, Ok)):
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


def seen_as(have: type, arguments: tuple[object, ...] | None, need: type) -> tuple[object, ...] | None:
    """Return the arguments of `have[arguments]` seen as its base `need`; None where that is not known."""
    if have is need:
        return arguments
    if have in _ELEMENTS or have is tuple:
        return _standard_as(have, arguments, need)
    given: dict[object, object] = dict(zip(getattr(have, "__parameters__", ()), arguments or (), strict=False))
    for base in vars(have).get("__orig_bases__", have.__bases__):
        kind, seen = split_type(plain(_substitute(base, given)))
        found = seen_as(kind, seen, need)
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
        return ((union_of(parts) if parts else te.Never) if known else Any,)
    element = _ELEMENTS[have]
    return (given[element] if isinstance(element, int) else element,)


def union_of(parts: tuple[object, ...]) -> object:
    """Return the union of types that are known at run time only."""
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


def plain(tp: object) -> object:
    """Strip what tells nothing about the values (Annotated, qualifiers, aliases); what is not known becomes `Any`."""
    while get_origin(tp) in _WRAPPERS or is_alias(tp):
        tp = _expanded(tp) if is_alias(tp) else get_args(tp)[0]
    for special, meaning in _SPECIAL:
        if tp is special:
            return meaning
    origin = get_origin(tp)
    if isinstance(tp, type | NewType) or origin in (*_UNIONS, Literal):
        return tp
    if isinstance(origin, type) and not _unpacked(tp):
        return tp if hasattr(tp, "__args__") else origin  # `typing.List` is `list`
    return Any


def is_alias(tp: object) -> bool:
    """Tell whether a type is an alias, made by `type` or `TypeAliasType`, with or without arguments."""
    return isinstance(tp, _ALIASES) or isinstance(get_origin(tp), _ALIASES)


def _expanded(tp: object) -> object:
    alias = cast("Any", get_origin(tp) or tp)
    value: object = Any
    with contextlib.suppress(Exception):  # the value may be evaluated only now, from names that do not exist
        value = resolve(alias.__value__, {**module_names(alias), alias.__name__: alias})
    return _substitute(value, dict(zip(alias.__type_params__, get_args(tp), strict=False)))


def members_of(tp: object) -> tuple[object, ...]:
    """Return the alternatives of a type: of a union its members, of a literal each value alone."""
    tp = plain(tp)
    origin = get_origin(tp)
    if origin in _UNIONS:
        return tuple(member for part in get_args(tp) for member in members_of(part))
    if origin is Literal:
        values = get_args(tp)
        return tuple(types.NoneType if value is None else cast("Any", Literal)[value] for value in values)
    return (tp,)


def split_type(tp: object) -> tuple[type, tuple[object, ...] | None]:
    """Return a plain type as its class and its arguments; None where it is not parametrised."""
    generic = vars(tp).get("__pydantic_generic_metadata__") if isinstance(tp, type) else None
    if generic and generic["origin"]:
        return generic["origin"], generic["args"]
    if isinstance(tp, type):
        return tp, None
    return cast("type", get_origin(tp)), get_args(tp)


def module_names(owner: object) -> dict[str, object]:
    """Return the names in the module of a class, function or alias."""
    return vars(sys.modules.get(getattr(owner, "__module__", None) or "", types))


def type_parameters(owner: object) -> dict[str, object]:
    """Return the type parameters that a class or function declares in brackets (PEP 695), by their names."""
    return {item.__name__: item for item in getattr(owner, "__type_params__", ())}


def resolve(annotation: object, names: dict[str, object]) -> object:
    """Evaluate the strings of one annotation; where a name is missing (TYPE_CHECKING), that annotation is `Any`."""
    if annotation is EMPTY:
        return Any
    carrier = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(carrier, globalns=names, include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - an annotation is an expression and may raise anything
        return Any
