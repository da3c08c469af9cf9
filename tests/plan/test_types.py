"""How annotations fit: `fits` (S6)."""

# The forms that users may write are the cases, the older ones too.
# ruff: noqa: PYI061, UP006, UP044, UP045

from __future__ import annotations

import collections
import inspect
import io
import os
import typing
from collections import abc
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import Annotated, Any, Literal
from unittest.mock import Mock

import pytest
import typing_extensions as te

from orchestration.plan.types import Fit, fits
from tests.plan.kinds import (
    AdminId,
    Alias,
    Anything,
    Both,
    Box,
    Broken,
    Caller,
    Color,
    Grimly,
    IntBox,
    Json,
    Level,
    Named,
    Names,
    OldSequence,
    One,
    Order,
    P,
    Packed,
    PackedInts,
    Page,
    Pair,
    Pairs,
    Pile,
    Point,
    Receipt,
    Rush,
    Shape,
    T,
    Titled,
    Tree,
    Twins,
    UserId,
    Variadic,
)


def _nested(tp: object) -> object:
    """Put a type into more lists than are looked into."""
    for _ in range(10):
        tp = list[tp]  # type: ignore[valid-type]  # made at run time
    return tp


F, M, U = Fit.FITS, Fit.MISFITS, Fit.UNKNOWN

FITS: list[tuple[object, object]] = [
    (int, int), (bool, int), (int, float), (int, complex), (float, complex), (bytearray, bytes), (Rush, Order),
    (int, object), (te.Never, int), (typing.NoReturn, Order), (None, None), (None, int | None), (int, int | str),
    (int | bool, int), (str, typing.Optional[str]), (list[int], list[int]), (list[int], list[float]),
    (list[bool], Iterable[int]), (list[int], Sequence[int]), (list[int], list), (list[int], Iterable),
    (dict[str, int], Mapping[str, object]), (dict[str, int], Iterable[str]), (str, Iterable[str]),
    (bytes, Sequence[int]), (collections.Counter[str], Mapping[str, int]),
    (collections.OrderedDict[str, int], dict[str, int]), (tuple[int, str], tuple[int, str]),
    (tuple[int, ...], tuple[int, ...]), (tuple[int, int], tuple[int, ...]), (tuple[()], tuple[int, ...]),
    (tuple[()], Iterable[int]), (tuple[int, bool], Iterable[int]), (tuple[int, ...], Sequence[int]),
    (Generator[int, None, None], Iterator[int]), (AsyncIterator[int], abc.AsyncIterable[int]),
    (Coroutine[Any, Any, int], Awaitable[int]), (Names, list[str]), (Names, Iterable[str]), (Pile[int], Sequence[int]),
    (IntBox, Box[int]), (Box[int], Box), (Page[int], Page[int]), (UserId, int), (AdminId, UserId), (UserId, UserId),
    (Literal["a"], str), (Literal["a"], Literal["a", "b"]), (Literal[Color.RED], Color), (Literal[None], None),
    (None, Literal["a", None]), (type[Rush], type[Order]), (type[Order], type), (Titled, Named), (Level, int),
    (Annotated[int, "x"], int), (int, Annotated[float, []]), (Alias, list[int]), (list[int], Alias),
    (Pair[int], tuple[int, int]), (One[int], int), (te.LiteralString, str), (typing.List[int], list[int]),
    (typing.List, list), (Point, tuple), (Shape, Shape), (Path, os.PathLike), (Json, Json),
    (Callable[[int], str], Callable[[int], str]), (Caller, abc.Callable), (Both, Mapping[str, int]),
    (te.Required[int], int), (int, abc.Hashable), (range, Iterable[int]),
]  # fmt: skip
MISFITS: list[tuple[object, object]] = [
    (str, int), (int, str), (float, int), (None, int), (int | None, int), (Order, Receipt), (Order | Receipt, Order),
    (list[int], list[str]), (list[int], Iterable[str]), (list[int | None], list[int]), (list[int], set[int]),
    (dict[str, int], Mapping[str, str]), (dict[str, int], dict[int, int]), (str, Iterable[int]), (int, Iterable[int]),
    (tuple[int, str], tuple[int, int]), (tuple[int], tuple[int, int]), (tuple[()], tuple[int]),
    (tuple[str, ...], tuple[int, ...]), (tuple[str, ...], tuple[int, int]), (tuple[int, str], Iterable[int]),
    (Names, list[int]), (Page[int], Order), (UserId, str), (str, UserId), (Literal["a"], int),
    (Literal["a"], Literal["b"]), (Literal["a", 1], Literal["a"]), (int, Literal["a"]), (Color, int), (Color, str),
    (type[Order], type[Receipt]), (type[Order], int), (int, type[Order]), (int, Callable[[int], int]), (Shape, int),
    (int, Shape), (Annotated[str, 1], int), (Pair[str], tuple[int, int]), (list[list[str]], list[list[int]]),
    (Order, int | str), (list[str], Alias), (Awaitable[int], Awaitable[str]), (Json, Order), (list, int),
    (int, list[T]), (list[Json], list[int]),
]  # fmt: skip
UNKNOWN: list[tuple[object, object]] = [
    (Any, int), (int, Any), (inspect.Parameter.empty, int), (int, inspect.Parameter.empty), (T, int), (int, T),
    (P, int), ("Missing", int), (int, "Missing"), (te.Self, int), (object, int), (int | Any, str), (5, int),
    (list[Any], list[int]), (list, list[int]), (list[int], list[T]), (Order, Rush), (int, bool),
    (Iterable[int], list[int]), (Sequence[int], tuple[int, ...]), (Order, Named), (Named, Order), (Box[int], Box[str]),
    (Box, Box[int]), (IntBox, Box[str]), (Page[int], Page[str]), (int, UserId), (UserId, AdminId), (str, Literal["a"]),
    (Literal[Level.LOW], Literal[1]), (type, type[Order]), (type[Color], Iterable[Color]), (type[T], type[Order]),
    (Order, Anything), (Anything, Order), (Mock, Order), (io.TextIOWrapper, typing.TextIO), (Grimly, Order),
    (Order, Grimly), (OldSequence, Iterable[int]), (abc.Hashable, abc.Sized), (tuple[int, ...], tuple[int, int]),
    (Point, tuple[int, str]), (tuple[int, te.Unpack[tuple[str, ...]]], tuple[int]),
    (tuple[int, *tuple[str, ...]], Iterable[int]), (tuple, Iterable[int]), (dict[str, int], Shape),
    (Shape, dict[str, Any]), (Caller, Callable[[int], int]), (Callable[[int], str], Callable[[str], str]),
    (int, te.Never), (Generator[int, int, int], Generator[int, str, int]), (Broken, int), (PackedInts, Packed[[str]]),
    (Pairs[str, int], Variadic[int, str, int]), (abc.Set[int], abc.MutableMapping[int, int]),
    (Coroutine[int], Awaitable[int]), (Box[int], "Box[str]"), (te.TypeGuard[int], bool),
    (_nested(int), _nested(str)),
    (abc.Sequence[int], abc.Generator[int, None, None]), (Order, Level | Rush),
]  # fmt: skip
CASES = [(*pair, fit) for fit, pairs in ((F, FITS), (M, MISFITS), (U, UNKNOWN)) for pair in pairs]


@pytest.mark.parametrize(("produced", "expected", "fit"), CASES, ids=str)
def test_annotations_are_compared_as_fits_misfits_or_unknown(produced: object, expected: object, fit: Fit) -> None:
    """A misfit is only what cannot fit; what is not known is never one (S6)."""
    assert fits(produced, expected) is fit


def test_types_that_are_made_of_themselves_are_compared_to_an_end() -> None:
    """S6: what is nested deeper than anybody writes is unknown."""
    assert fits(Tree, Twins) is Fit.UNKNOWN


def test_a_downcast_is_unknown_but_a_union_that_is_too_wide_misfits() -> None:
    """A declared base may be the subclass at run time; a declared alternative is meant to occur (S6)."""
    assert fits(Order, Rush) is Fit.UNKNOWN
    assert fits(Rush | Receipt, Order) is Fit.MISFITS
