"""The pages about types say what was measured, and it was measured of the programs that are there."""

from __future__ import annotations

import json

import pytest

from benchmarks.peers.measure import LIBRARIES, MESSAGES, mistakes_in
from tests.typed.page import NAMES, PAGES, TABLES, written

MEASURED = json.loads(MESSAGES.read_text(encoding="utf-8"))["libraries"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_of_a_page_are_those_that_were_measured(page) -> None:
    """A case, a message or a share that changes is told on the page."""
    text = page.read_text(encoding="utf-8")
    assert written(text) == text, "`python -m tests.typed.page` writes the tables anew"


def test_every_table_has_its_place() -> None:
    """No table is forgotten: each is on one of the pages."""
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    assert [name for name in TABLES if not any(f"<!-- {name} -->" in text for text in texts)] == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_was_said_is_of_the_program_that_is_there(library: str) -> None:
    """Each program has each of the ten mistakes, or a reason why it has none; the lines are those measured."""
    file, requirement = LIBRARIES[library]
    mistakes = mistakes_in((MESSAGES.parent / f"{file}.py").read_text(encoding="utf-8"))
    assert mistakes.keys() == NAMES.keys()
    measured = MEASURED[library]["mistakes"]
    told = {key: {name: it[name] for name in it if name not in ("mypy", "pyright")} for key, it in measured.items()}
    assert told == mistakes, "python benchmarks/peers/measure.py FOLDER measures anew"
    assert MEASURED[library]["version"] == requirement.partition("==")[2]


def test_here_both_checkers_find_all_ten_and_nothing_else() -> None:
    """What is said of this library holds."""
    here = MEASURED["orchestration"]
    assert all(mistake["mypy"] and mistake["pyright"] for mistake in here["mistakes"].values())
    assert here["false_alarms"] == {"mypy": 0, "pyright": 0}
