"""The table of defects in the documentation: written by a run of all, and held against the list by a test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sabotage.defects import Defect
    from tests.sabotage.find import Found

PAGE = Path(__file__).parents[2] / "docs" / "guarantees.md"
HEAD = "| defect | breaks | found by | after |\n|---|---|---|---|\n"


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of the table on a page."""
    _, _, behind = text.partition(HEAD)
    table, _, _ = behind.partition("\n\n")
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]


def with_rows(text: str, defects: Sequence[Defect], found: Sequence[Found]) -> str:
    """Return a page with other rows in its table."""
    before, head, behind = text.partition(HEAD)
    _, gap, rest = behind.partition("\n\n")
    rows = [
        f"| {defect.name} | {defect.rule} | `{one.finder}`, `{one.workflow}`: `{one.by}` | {one.much} |"
        for defect, one in zip(defects, found, strict=True)
    ]
    return before + head + "\n".join(rows) + gap + rest


def write(defects: Sequence[Defect], found: Sequence[Found]) -> None:
    """Write what was found into the documentation."""
    PAGE.write_text(with_rows(PAGE.read_text(encoding="utf-8"), defects, found), encoding="utf-8")
