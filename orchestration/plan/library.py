"""Functions that the builder puts into plans; every registry knows them, so a stored plan needs not name them."""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 - read when a plan is compiled: what has no items is refused (S6)
from typing import TypeVar

X = TypeVar("X")


def numbered(items: Iterable[X]) -> list[tuple[int, X]]:
    """Return each item with its index; what `.enumerate()` computes."""
    return list(enumerate(items))
