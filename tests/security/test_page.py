"""The page on security is true: each claim on it names tests that are there, and each of these tests is on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
HEAD = "| threat | what happens | rule | tests |"


def claims() -> dict[str, list[str]]:
    """Return what the tables claim: by threat, the tests that are named."""
    found: dict[str, list[str]] = {}
    inside = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        inside = line == HEAD or (inside and line.startswith("|"))
        if inside and line != HEAD and not line.startswith("|---"):
            threat, _, rules, tests = (cell.strip() for cell in line.strip("|").split("|"))
            assert re.fullmatch(r"S\d+(, S\d+)*", rules), line
            found[threat] = re.findall(r"`(\w+)`", tests)
    return found


def present() -> set[str]:
    """Return the tests beside this file."""
    return {
        node.name
        for file in Path(__file__).parent.glob("test_*.py")
        if file.name != Path(__file__).name
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_each_claim_names_its_tests() -> None:
    """A claim without a test, or with one that is not there, is a wish."""
    assert len(claims()) > 30
    for threat, tests in claims().items():
        assert tests, threat
        assert set(tests) <= present(), threat


def test_each_test_stands_for_a_claim() -> None:
    """What is tested here and not on the page would be known to nobody."""
    assert present() - {test for tests in claims().values() for test in tests} == set()
