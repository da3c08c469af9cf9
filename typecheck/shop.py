"""The shop that all cases are about: its values, its steps and its services. Nothing here runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True)
class Order:
    id: str
    lines: list[int]


@dataclass(frozen=True)
class Express(Order):
    until: int


@dataclass(frozen=True)
class Reserved:
    order: Order


@dataclass(frozen=True)
class Charge:
    id: str


@dataclass(frozen=True)
class Declined:
    why: str


@dataclass(frozen=True)
class User:
    name: str


@dataclass(frozen=True)
class Cart:
    total: float


# --- steps on an order


async def reserve(order: Order) -> Reserved:
    raise NotImplementedError


async def find_user(order: Order) -> User:
    raise NotImplementedError


def find_cart(order: Order) -> Cart:
    raise NotImplementedError


def number(order: Order) -> int:
    raise NotImplementedError


async def is_known(order: Order) -> bool:
    raise NotImplementedError


def label(order: Order) -> bytes:
    raise NotImplementedError


async def read_lines(order: Order) -> list[int]:
    raise NotImplementedError


async def log(value: object) -> None:
    raise NotImplementedError


# --- steps on what came of it


async def pay(reserved: Reserved) -> Charge | Declined:
    raise NotImplementedError


async def charge(reserved: Reserved) -> Charge:
    raise NotImplementedError


async def release(reserved: Reserved) -> None:
    raise NotImplementedError


def refund(charge: Charge) -> None:
    raise NotImplementedError


async def cancel_order(order: Order) -> None:
    raise NotImplementedError


async def receipt(charge: Charge) -> str:
    raise NotImplementedError


def apologise(declined: Declined) -> int:
    raise NotImplementedError


async def weigh(line: int) -> float:
    raise NotImplementedError


def double(line: int) -> int:
    raise NotImplementedError


# --- what joins and combines


def price(user: User, cart: Cart) -> float:
    raise NotImplementedError


async def greet(user: User, cart: Cart) -> str:
    raise NotImplementedError


def pack(user: User, cart: Cart, number: int) -> bytes:
    raise NotImplementedError


def ship(user: User, cart: Cart, number: int, known: bool, label: bytes) -> str:  # noqa: FBT001 - the arms give it
    raise NotImplementedError


# --- services: a class, a Protocol, an ABC


class Payments:
    async def charge(self, reserved: Reserved) -> Charge:
        raise NotImplementedError

    async def refund(self, charge: Charge) -> None:
        raise NotImplementedError

    async def void(self, reserved: Reserved) -> None:
        raise NotImplementedError


class TestPayments(Payments):
    pass


class Audit:
    def note(self, reserved: Reserved) -> None:
        raise NotImplementedError

    async def greet(self, user: User, cart: Cart) -> str:
        raise NotImplementedError

    def price(self, user: User, cart: Cart) -> float:
        raise NotImplementedError


class Mail(Protocol):
    def send(self, charge: Charge) -> bool: ...

    def unsend(self, sent: bool, /) -> None: ...  # noqa: FBT001 - what `send` returns


class Smtp:
    def send(self, charge: Charge) -> bool:
        raise NotImplementedError

    def unsend(self, sent: bool, /) -> None:  # noqa: FBT001 - what `send` returns
        raise NotImplementedError


class MailThatCannotBeUnsent:
    def send(self, charge: Charge) -> bool:
        raise NotImplementedError


class MailOfText:
    def send(self, charge: str) -> bool:
        raise NotImplementedError

    def unsend(self, sent: bool, /) -> None:  # noqa: FBT001 - what `send` returns
        raise NotImplementedError


class Scale(ABC):
    @abstractmethod
    async def weigh(self, line: int) -> float: ...

    @abstractmethod
    def count(self, order: Order) -> int: ...

    @abstractmethod
    async def owner(self, order: Order) -> User: ...


class Balance(Scale):
    async def weigh(self, line: int) -> float:
        raise NotImplementedError

    def count(self, order: Order) -> int:
        raise NotImplementedError

    async def owner(self, order: Order) -> User:
        raise NotImplementedError


# --- generic services: a Protocol, an ABC, a class


class Archive(Protocol[T_contra]):
    async def keep(self, thing: T_contra, /) -> str: ...


class Disk:
    async def keep(self, thing: object, /) -> str:
        raise NotImplementedError


class OrdersOnly:
    async def keep(self, thing: Order, /) -> str:
        raise NotImplementedError


class Store(ABC, Generic[T]):
    @abstractmethod
    async def load(self, key: str) -> T: ...

    @abstractmethod
    def save(self, thing: T) -> str: ...


class OrderStore(Store[Order]):
    async def load(self, key: str) -> Order:
        raise NotImplementedError

    def save(self, thing: Order) -> str:
        raise NotImplementedError


class Cache(Generic[T]):
    def put(self, thing: T) -> T:
        raise NotImplementedError
