"""What bodies take and give: `signature_of` (S6)."""

# Annotations are read at run time here, so their imports must be real.
# ruff: noqa: TC003

from __future__ import annotations

import functools
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import typing_extensions as te

from orchestration.plan.signatures import Signature, signature_of
from orchestration.plan.typenames import named_types, type_name
from orchestration.plan.types import Fit, fits
from tests.ids import shown
from tests.plan.kinds import AsyncCaller, Caller, Color, Held, Level, Line, Order, Receipt, T, Tag

if TYPE_CHECKING:
    from nowhere import Missing


def plain(order: Order, count: int = 0, *rest: str, key: str, other: str = "") -> Receipt:
    """Take some of everything."""
    raise NotImplementedError


def lost(order: Missing, level: Level) -> list[Missing]:
    """Take a type that is imported for checkers only."""
    raise NotImplementedError


async def fetched(order: Order) -> Receipt:
    """Be asynchronous."""
    raise NotImplementedError


def promised(order: Order) -> Awaitable[Receipt]:
    """Return an awaitable."""
    raise NotImplementedError


def bare(order, /):  # type: ignore[no-untyped-def]
    """Have no annotations."""
    raise NotImplementedError


def perhaps(order: Order) -> Coroutine[Any, Any, int] | str:
    """Return an awaitable or not."""
    raise NotImplementedError


class Ticket:
    """Something to wait for, of which nobody says what it gives."""

    def __await__(self) -> Iterator[None]:
        """Wait."""
        raise NotImplementedError


def ticket() -> Ticket:
    """Return an awaitable of the user's own."""
    raise NotImplementedError


def wrapping(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate as most decorators do."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@typing.overload
def doubled(value: int) -> int: ...
@typing.overload
def doubled(value: str) -> str: ...
def doubled(value: int | str) -> int | str:
    """Return an int for an int."""
    return value * 2


class Service:
    """A service."""

    def __init__(self, tag: Tag) -> None:
        """Take a tag."""

    def charge(self, order: Order) -> Receipt:
        """Charge."""
        raise NotImplementedError

    @classmethod
    def make(cls, level: Level) -> te.Self:
        """Make one."""
        raise NotImplementedError


SIGNATURES: list[tuple[Callable[..., object], Signature | None]] = [
    (plain, Signature((Order,), Receipt)),
    (functools.partial(plain, key=""), Signature((Order,), Receipt)),
    (functools.partial(plain, Order([]), key=""), Signature((), Receipt)),
    (lost, Signature((Any, Level), Any)),
    (fetched, Signature((Order,), Receipt, asynchronous=True)),
    (functools.partial(fetched), Signature((Order,), Receipt, asynchronous=True)),
    (promised, Signature((Order,), Receipt, asynchronous=True)),
    (perhaps, Signature((Order,), int | str)),
    (ticket, Signature((), Any, asynchronous=True)),
    (bare, Signature((Any,), Any)),
    (Service.charge, Signature((Any, Order), Receipt)),
    (Service(Tag("")).charge, Signature((Order,), Receipt)),
    (Service.make, Signature((Level,), te.Self)),
    (Service, Signature((Tag,), Service)),
    (Line, Signature((Decimal, Color), Line)),
    (Held[int], Signature((T,), Held[int])),
    (Caller(), Signature((int,), str)),
    (AsyncCaller(), Signature((int,), str, asynchronous=True)),
    (wrapping(lost), Signature((Any, Level | Any), Any)),
    (functools.lru_cache(lost), Signature((Any, Level | Any), Any)),
    (doubled, Signature((int | str | Any,), int | str | Any)),
    (int, None), (max, None), (5, None), (len, Signature((Any,), Any)),  # type: ignore[list-item]  # no callable
]  # fmt: skip


@pytest.mark.parametrize(("function", "expected"), SIGNATURES, ids=shown)
def test_the_signature_tells_what_a_body_takes_and_gives(
    function: Callable[..., object], expected: Signature | None
) -> None:
    """A name that is missing costs its own annotation only; awaiting is seen through (S6)."""
    assert signature_of(function) == expected


def test_what_a_decorator_may_have_changed_refuses_nothing() -> None:
    """`functools.wraps` copies annotations that may be untrue; their types are still named (S6, S12)."""
    signature = signature_of(wrapping(plain))
    assert signature is not None
    assert fits(signature.returns, int) is Fit.UNKNOWN
    assert Receipt in named_types(signature.returns)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 is of Python 3.12")
def test_the_syntax_of_type_parameters_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """`type X = …`, `class Box[T]` and `def f[T]` are read as their older forms are (S6)."""
    module = types.ModuleType("space")
    monkeypatch.setitem(sys.modules, "space", module)
    space = vars(module)
    source = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "type Tree[T] = T | list[Tree[T]]\n"
        "type Lost = Missing\n"
        "@dataclass\nclass Node[T]:\n    value: T\n    next: Node[T] | None\n"
        "def first[T](items: list[T], node: Node[T]) -> T: ...\n"
    )
    exec(source, space)  # noqa: S102 - the syntax is none on Python 3.11
    assert type_name(space["Tree"][int]) == "int | list[space:Tree]"
    assert fits(list[list[int]], space["Tree"][int]) is Fit.FITS
    assert fits(str, space["Tree"][int]) is Fit.MISFITS
    assert fits(int, space["Lost"]) is Fit.UNKNOWN
    assert named_types(space["Node"][int]) == (space["Node"],)
    signature = signature_of(space["first"])
    assert signature is not None
    assert fits(str, signature.parameters[0]) is Fit.MISFITS
    assert fits(list[int], signature.parameters[0]) is Fit.UNKNOWN
