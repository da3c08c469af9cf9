"""The page of patterns is true: what it calls supported is proved by a test here, and what is proved is on it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.snippets import ROOT

PAGE = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
ROW = re.compile(r"\| (WCP-\d\d) \| \[([^]]+)\]\(#([\w-]+)\) \| (direct|composition|not) \|")
HEADING = re.compile(r"### (.+) \{ #([\w-]+) \}")
PATTERN = re.compile(r"WCP-\d\d")
NUMBERS = [f"WCP-{number:02}" for number in range(1, 44)]
AIM = 36


class Row(NamedTuple):
    """A line of the table."""

    pattern: str
    name: str
    section: str
    support: str


def rows() -> list[Row]:
    """Return the lines of the table."""
    found = []
    for line in PAGE.splitlines():
        if line.startswith("| WCP"):
            row = ROW.fullmatch(line)
            assert row is not None, f"not a row of number, linked pattern and support: {line}"
            found.append(Row(*row.groups()))
    return found


def proved() -> set[str]:
    """Return the patterns that tests in this folder prove: those that their docstrings begin with."""
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                named = PATTERN.match(ast.get_docstring(node) or "")
                found |= {named[0]} if named else set()
    return found


ROWS = rows()
SECTIONS = {anchor: title for title, anchor in HEADING.findall(PAGE)}


def test_each_pattern_has_one_row_in_order() -> None:
    """None of the 43 is left out."""
    assert [row.pattern for row in ROWS] == NUMBERS


def test_each_pattern_has_one_section() -> None:
    """No pattern is described twice, and none is unknown."""
    named = Counter(PATTERN.findall(" ".join(SECTIONS.values())))
    assert named == Counter(NUMBERS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.pattern)
def test_a_row_leads_to_the_section_of_its_pattern(row: Row) -> None:
    """A section may be about several patterns that are alike."""
    assert row.pattern in SECTIONS[row.section]


def test_what_is_supported_is_proved_and_what_is_proved_is_supported() -> None:
    """The table says neither more nor less than the tests."""
    assert {row.pattern for row in ROWS if row.support != "not"} == proved()


def test_enough_patterns_are_supported() -> None:
    """The aim is 36 of the 43."""
    assert len(proved()) >= AIM
