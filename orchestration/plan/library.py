"""Functions that the builder puts into plans; every registry knows them, so a stored plan needs not name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

X = TypeVar("X")


def numbered(items: Iterable[X]) -> list[tuple[int, X]]:
    """Return each item with its index; what `.enumerate()` computes."""
    return list(enumerate(items))
