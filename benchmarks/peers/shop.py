"""The shop that each of these programs is about: plain functions, whichever library calls them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    id: str
    lines: list[int]


@dataclass(frozen=True)
class Reserved:
    order: Order


@dataclass(frozen=True)
class Charge:
    cents: int


@dataclass(frozen=True)
class Declined:
    reason: str


@dataclass(frozen=True)
class User:
    name: str


@dataclass(frozen=True)
class Cart:
    weight: float


class Payments:
    async def charge(self, reserved: Reserved) -> Charge:
        raise NotImplementedError
