"""The audit example, run on a small package."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from examples.audit import Audit, Summary, audit
from orchestration import Failed, LocalEngine, Outcome, Succeeded
from orchestration.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

TIDY = '''"""A module."""

import os
import os.path
from json import dumps
from . import sibling


class Box:
    """A class."""

    def weigh(self, things):
        """Weigh what is worth it."""
        return [thing for thing in things if thing and os.path.exists(thing)]


def plain():
    def inner():
        return dumps({})
    return inner
'''
UNTIDY = "def f(x):\n    if x:\n        return 1\n    return 2\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with two modules, a file that is no Python, and an installed package."""
    folder = tmp_path / "code"
    installed = folder / "site-packages"
    installed.mkdir(parents=True)
    (folder / "tidy.py").write_text(TIDY)
    (folder / "untidy.py").write_text(UNTIDY)
    (folder / "wrong.py").write_text("ok = 1\nprint 'no'\n")
    (installed / "theirs.py").write_text(UNTIDY)
    return folder


def execute(given: Audit, run_id: str | None = None) -> Outcome[Summary]:
    """Run an audit, with every output checked against its declared type."""
    return asyncio.run(LocalEngine(validate="all").execute(audit, given, run_id=run_id))


def audited(given: Audit) -> Summary:
    """Return the summary of an audit that succeeds."""
    outcome = execute(given)
    assert isinstance(outcome, Succeeded), outcome
    return outcome.value


def stored(database: Path, table: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table."""
    queries = {"reports": "select * from reports", "files": "select * from files order by path"}
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(queries[table]).fetchall()


def test_an_audit_adds_up_the_figures_of_all_files(root: Path, tmp_path: Path) -> None:
    """Files, lines, classes, functions and docstrings are counted; installed packages are left out."""
    summary = audited(Audit(root, tmp_path / "audit.db"))
    assert summary.totals == {
        "files": 2,
        "lines": 24,
        "classes": 1,
        "functions": 4,
        "docstrings": 3,
        "docstrings possible": 7,
    }
    assert summary.docstrings == pytest.approx(3 / 7, abs=0.001)
    assert summary.most_imported == {"os": 1, "json": 1}


def test_an_audit_names_the_worst_functions_first(root: Path, tmp_path: Path) -> None:
    """Complexity is decisions plus one, comprehensions and `and` included; functions are named by their place."""
    summary = audited(Audit(root, tmp_path / "audit.db"))
    tidy, untidy = root / "tidy.py", root / "untidy.py"
    assert list(summary.most_complex.items())[:2] == [(f"{tidy}:12 weigh", 3), (f"{untidy}:1 f", 2)]
    assert list(summary.longest.items())[:2] == [(f"{tidy}:17 plain", 4), (f"{untidy}:1 f", 4)]


def test_a_file_that_does_not_parse_is_noted_with_the_line_to_blame(root: Path, tmp_path: Path) -> None:
    """An unreadable file takes the other arm of the branch, and the audit goes on."""
    (note,) = audited(Audit(root, tmp_path / "audit.db")).unreadable
    assert note.startswith(f"{root / 'wrong.py'}:2 SyntaxError: ")
    assert note.endswith(": print 'no'")


@pytest.mark.parametrize(
    "content", [b"\x00", b"# coding: none-such\n", b'x = "\xff"\n'], ids=["null", "coding", "utf8"]
)
def test_bytes_that_are_no_source_are_noted(content: bytes, tmp_path: Path) -> None:
    """Null bytes, an unknown coding and broken UTF-8 make a file unreadable, and nothing else."""
    (tmp_path / "odd.py").write_bytes(content)
    summary = audited(Audit(tmp_path, tmp_path / "audit.db"))
    assert len(summary.unreadable) == 1
    assert summary.totals == {}


def test_a_report_is_stored_under_the_id_of_its_run(root: Path, tmp_path: Path) -> None:
    """What is in the database is found by the run's id, a row for each measured file."""
    database = tmp_path / "audit.db"
    assert execute(Audit(root, database), run_id="first").ok
    assert stored(database, "reports") == [("first", str(root), 0.429)]
    assert stored(database, "files") == [("first", str(root / "tidy.py"), 20), ("first", str(root / "untidy.py"), 4)]


def test_a_report_that_is_found_wanting_is_removed_again(root: Path, tmp_path: Path) -> None:
    """S22: the gate fails after the write, so the compensation removes this run's rows, and no others."""
    database = tmp_path / "audit.db"
    assert execute(Audit(root, database), run_id="kept").ok
    outcome = execute(Audit(root, database, minimum_docstrings=0.9), run_id="wanting")
    assert isinstance(outcome, Failed)
    assert outcome.failure.path == "audit/verify"
    assert outcome.failure.message == "42.9% have a docstring, the standard is 90.0%"
    assert outcome.rollback.undone == ("audit/write",)
    assert {run_id for run_id, *_ in stored(database, "reports") + stored(database, "files")} == {"kept"}


def test_a_limit_takes_the_first_files(root: Path, tmp_path: Path) -> None:
    """`limit` bounds how many files are read, in the order of their names."""
    summary = audited(Audit(root, tmp_path / "audit.db", limit=1))
    assert (summary.totals["files"], summary.unreadable) == (1, [])


def test_an_empty_folder_gives_an_empty_report(tmp_path: Path) -> None:
    """S16: an empty map gives an empty list, and the report is one of nothing."""
    summary = audited(Audit(tmp_path, tmp_path / "audit.db"))
    assert (summary.totals, summary.docstrings, summary.unreadable) == ({}, 0.0, [])


def test_a_root_that_is_missing_fails_the_audit(tmp_path: Path) -> None:
    """A mistyped folder is a failure, not an empty report."""
    outcome = execute(Audit(tmp_path / "typo", tmp_path / "audit.db"))
    assert isinstance(outcome, Failed)
    assert outcome.failure.path == "audit/survey/find"
    assert outcome.rollback.verdict == "not needed"


def test_the_standard_library_is_known_by_its_name(tmp_path: Path) -> None:
    """`stdlib` as the root stands for the standard library of this Python."""
    summary = audited(Audit(database=tmp_path / "audit.db", limit=3))
    assert summary.totals["files"] == 3


def test_input_that_is_no_audit_is_refused(tmp_path: Path) -> None:
    """S12: the input is validated before anything runs."""
    wrong: Any = {"root": str(tmp_path), "limit": -1}
    with pytest.raises(InvalidInput, match="limit"):
        execute(wrong)


def test_the_plan_shows_every_step() -> None:
    """The picture has the steps, the cap of the map, both arms and the undo."""
    picture = audit.compile().to_mermaid()
    for text in (
        "find",
        "measure",
        "condense",
        "note",
        "write",
        "verify",
        "undo: ",
        "≤ ",
        "is Metrics",
        "is Unreadable",
    ):
        assert text in picture
