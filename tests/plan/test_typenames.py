"""What annotations name: `type_name`, `named_types` (S1, S12)."""

# The forms that users may write are the cases, the older ones too.
# ruff: noqa: PYI016, PYI061, UP006, UP007

from __future__ import annotations

import collections
import http
import inspect
import os
import subprocess
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import make_dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Annotated, Any, Literal, NewType

import attrs
import pydantic
import pytest
import typing_extensions as te

from orchestration.plan.origin import stem
from orchestration.plan.typenames import named_types, type_name
from tests.ids import shown
from tests.plan import kinds
from tests.plan.kinds import (
    Alias,
    Box,
    Broken,
    Caller,
    Color,
    Json,
    Level,
    Line,
    Order,
    Page,
    Pair,
    Point,
    Receipt,
    Shape,
    Stamp,
    T,
    Tag,
    UserId,
)

HERE = kinds.__name__

NAMES: list[tuple[object, str]] = [
    (int, "int"), (None, "None"), (type(None), "None"), (Any, "Any"), (T, "Any"), ("Missing", "Any"),
    (object, "object"), (Order, f"{HERE}:Order"), (list[Order], f"list[{HERE}:Order]"),
    (typing.List[int], "list[int]"), (str | int | None, "None | int | str"),
    (typing.Union[str, typing.Union[None, int], str], "None | int | str"),
    (Annotated[int | Annotated[str, 1], object()], "int | str"), (Literal["b", "a"] | int, "Literal['a', 'b'] | int"),
    (Literal[1, True, None, b"x", "\u00e9"], "Literal['\\xe9', 1, True, b'x'] | None"),
    (Literal[Color.RED], f"Literal[{HERE}:Color.RED]"), (Literal[object()], "Literal[object]"),
    (UserId, f"{HERE}:UserId"), (tuple[()], "tuple[()]"), (tuple, "tuple"), (tuple[int, ...], "tuple[int, ...]"),
    (dict[str, list[int | None]], "dict[str, list[None | int]]"),
    (Callable[[int, str], None], "collections.abc:Callable[[int, str], None]"),
    (Callable[..., int], "collections.abc:Callable[..., int]"), (type[Order], f"type[{HERE}:Order]"),
    (Page[Order], f"{HERE}:Page[{HERE}:Order]"), (Box[T], f"{HERE}:Box[Any]"), (typing.NoReturn, "Never"),
    (Path, "pathlib:Path"), (PurePosixPath, "pathlib:PurePosixPath"), (Alias, "list[int]"),
    (Pair[int], "tuple[int, int]"), (Broken, "Any"), (Shape, f"{HERE}:Shape"), (Decimal, "decimal:Decimal"),
    (te.Self, "Any"), (inspect.Parameter.empty, "Any"),
]  # fmt: skip


@pytest.mark.parametrize(("tp", "name"), NAMES, ids=shown)
def test_the_name_of_a_type_is_canonical(tp: object, name: str) -> None:
    """The text has no order, address or version of Python in it (S1)."""
    assert type_name(tp) == name


def test_where_a_class_of_python_is_really_from_is_no_part_of_its_name() -> None:
    """S1: 3.13 says `pathlib._local` where others say `pathlib`; a module of anybody else keeps its name."""
    ours, pythons = type("Part", (), {"__module__": "shop._parts"}), type("Local", (), {"__module__": "pathlib._local"})
    assert (type_name(ours), type_name(pythons)) == ("shop._parts:Part", "pathlib:Local")
    assert type_name(type("Lost", (), {"__module__": None})) == ":Lost"


def test_the_name_of_a_file_is_the_same_on_each_system() -> None:
    """S1: on Windows a path has other separators."""
    assert [stem(file) for file in ("/somewhere/flows.py", r"C:\somewhere\flows.py", "flows")] == ["flows"] * 3


def test_a_recursive_alias_is_named_within_itself() -> None:
    """An alias stands for its value, and inside of that for its own name, so that the text is finite (S1)."""
    assert "dict[str, pydantic.types:JsonValue]" in type_name(Json)
    assert type_name(Json) == type_name(pydantic.JsonValue)


def test_a_class_of_the_main_module_is_named_as_if_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python flows.py` gives the names that `import flows` gives, in every part of a type (S1)."""
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", "/somewhere/flows.py", raising=False)
    loose, mood = make_dataclass("Loose", []), Enum("Mood", ["GOOD"])
    loose.__module__ = mood.__module__ = "__main__"
    assert type_name(dict[str, loose | None]) == "dict[str, None | flows:Loose]"
    assert type_name(Literal[mood.GOOD]) == "Literal[flows:Mood.GOOD]"  # type: ignore[valid-type]  # made at run time
    assert named_types(loose | mood) == (loose, mood)


def test_a_class_of_a_module_run_by_name_keeps_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m shop.flows` gives the names that `import shop.flows` gives (S1)."""
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", SimpleNamespace(name="shop.flows"))
    loose = make_dataclass("Loose", [])
    loose.__module__ = "__main__"
    assert type_name(loose) == "shop.flows:Loose"


def test_a_main_module_without_a_file_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a prompt there is no other name to give (S1)."""
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    loose = make_dataclass("Loose", [])
    loose.__module__ = "__main__"
    assert type_name(loose) == "__main__:Loose"


def test_names_do_not_depend_on_the_hash_seed() -> None:
    """Another process with another seed gives the same text (S1)."""
    code = (
        "from orchestration.plan.typenames import type_name\nprint(type_name(set[str] | dict[str, int | None] | bytes))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {"bytes | dict[str, None | int] | set[str]\n"}


def test_named_types_are_found_through_fields() -> None:
    """Records, enums and the user's other classes are found, recursively and in the order of their names (S12)."""
    assert named_types(Receipt) == (Color, Level, Line, Order, Receipt, Tag)
    assert named_types(dict[str, Stamp | list[Point]] | None) == (Color, Point, Stamp, Tag)
    assert named_types(Shape) == (Color, Point)
    assert named_types(Page[Line]) == (Color, Line, Page[Line])
    assert named_types(Box[Line]) == (Box, Color, Line)


def test_named_types_are_found_in_every_kind_of_annotation() -> None:
    """Literals, NewTypes, callables, classes and aliases name classes too (S12)."""
    kind = NewType("kind", Tag)
    tp = Callable[[Annotated[Level, []]], Literal[Color.RED]] | type[kind] | tuple[Caller, ...]
    assert named_types(tp) == (Caller, Color, Level, Tag)


@pytest.mark.parametrize(
    "tp", [int, None, Any, "Missing", te.Never, Json, Decimal | Path, list[Iterable[int]], Mapping, object]
)
def test_the_standard_library_is_left_out(tp: object) -> None:
    """What JSON and the codec know by themselves is not listed (S12)."""
    assert named_types(tp) == ()


def test_enums_of_the_standard_library_are_listed() -> None:
    """They are written by name, as the user's own are (S12)."""
    assert named_types(http.HTTPStatus) == (http.HTTPStatus,)


def test_records_without_annotations_are_listed() -> None:
    """A `collections.namedtuple`, and an attrs class made from `attr.ib`, tell no types of their fields (S12)."""
    bare = collections.namedtuple("bare", ["x"])  # noqa: PYI024 - the case
    made = attrs.make_class("made", ["x"])
    assert named_types(bare | made) == (bare, made) if type_name(bare) < type_name(made) else (made, bare)
