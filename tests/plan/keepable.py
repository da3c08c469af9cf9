"""Classes that a journal can keep, and classes that it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator  # noqa: TC003 - annotations of methods are read at run time
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NewType, TypeVar

import pydantic
import typing_extensions as te

from orchestration import Secret

T = TypeVar("T")
HERE = __name__


class Plain:
    """A class without a form."""


class Base:
    """A class without a form, of which a record is known."""


@dataclass
class Derived(Base):
    """The record."""

    n: int = 1


@dataclass
class Holds:
    """A record that can never be written."""

    name: str
    lock: Plain
    maybe: Plain | None = None


@dataclass
class Chain:
    """A record that contains itself."""

    next: Chain | None
    held: Plain


@dataclass
class Box(Generic[T]):
    """A record of anything."""

    item: T


@dataclass
class Card:
    """A record with a secret."""

    number: Annotated[str, Secret]


class Account(pydantic.BaseModel):
    """A model with a secret in a record, and what else a model may hold."""

    card: Card | None = None
    when: pydantic.FutureDate | None = None
    _cache: Plain | None = None


@dataclass
class Twice:
    """A record with a secret that is marked as well."""

    pin: Annotated[pydantic.SecretStr, Secret]


class Form(te.TypedDict):
    """A dict with a mark that nobody sees."""

    pin: Annotated[str, Secret]


class Text(str):
    """A subclass of a builtin."""

    __slots__ = ()


class Once:
    """A stream without a form, and of items without one."""

    async def __aiter__(self) -> AsyncIterator[Plain]:
        """Give one."""
        yield Plain()


@dataclass(frozen=True)
class Derivations:
    """A stream of records that no body names."""

    async def __aiter__(self) -> AsyncIterator[Holds]:
        """Give one."""
        yield Holds("a", Plain())


Token = NewType("Token", pydantic.SecretStr)
Marked = NewType("Marked", Annotated[str, Secret])  # type: ignore[valid-newtype]  # a mark, which mypy does not expect there


class Till:
    """A service."""

    def open(self, n: int) -> int:
        """Return the number."""
        return n


class Adder:
    """A callable."""

    def __call__(self, n: int) -> int:
        """Add one."""
        return n + 1

    def add(self, n: int) -> int:
        """Add one, too."""
        return n + 1


def take(value: Derived) -> None:
    """Name a record."""


def hold(value: Holds) -> None:
    """Name another."""


def giving(kind: object) -> Any:
    """Return a function with a name, as far as anybody can tell, that gives a type."""

    def give(n: Any) -> Any:
        return n

    give.__annotations__ = {"return": kind}
    give.__name__ = give.__qualname__ = "give"
    return give
