"""The page of guarantees is true: what it calls built is proved by tests, and what tests prove is on it."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

import pytest

from tests.docs.snippets import ROOT

PAGE = ROOT / "docs" / "guarantees.md"
ROW = re.compile(r"\| (S\d+) \| (.+) \| (built|built in part: .+|planned) \|(.*)\|")
RULE = re.compile(r"\bS\d+\b")


class Row(NamedTuple):
    """A line of a table."""

    rule: str
    status: str
    files: list[str]


def rows() -> list[Row]:
    """Return the lines of all tables of the page."""
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| S"):
            row = ROW.fullmatch(line)
            assert row is not None, f"not a row of rule, text, status and files: {line[:80]}"
            files = [re.sub(r"(\w+)$", r"test_\1.py", name) for name in re.findall(r"`([^`]+)`", row[4])]
            found.append(Row(row[1], row[3], files))
    return found


def named_in_tests() -> dict[str, set[str]]:
    """Return each rule with the files whose tests name it in their docstrings."""
    named: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.parent.name == "docs":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for rule in RULE.findall(ast.get_docstring(node) or ""):
                    named.setdefault(rule, set()).add(path.relative_to(ROOT / "tests").as_posix())
    return named


ROWS = rows()
NAMED = named_in_tests()


def test_each_rule_has_one_row_in_order() -> None:
    """The numbers run from 1 without a gap, so that a rule is found."""
    assert [row.rule for row in ROWS] == [f"S{number}" for number in range(1, len(ROWS) + 1)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_a_rule_is_proved_by_the_files_that_its_row_names(row: Row) -> None:
    """What is built, wholly or in part, names files whose tests name the rule; what is planned names none."""
    assert bool(row.files) == (row.status != "planned")
    assert set(row.files) <= NAMED.get(row.rule, set())


def test_a_rule_that_a_test_names_is_on_the_page_and_not_planned() -> None:
    """A test of a planned rule says that its status has to change."""
    assert NAMED.keys() <= {row.rule for row in ROWS if row.status != "planned"}
