"""Several processes with one journal: one owner a run, nothing lost by a kill, and a fork."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestration.journal.protocol import Lease
from orchestration.journal.records import clean, first_link
from orchestration.journal.sqlite import SqliteJournal
from tests.journal.keeping import RUNS, create
from tests.journal.others import Other

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = 50
ACKNOWLEDGED = 25


@pytest.fixture
def two() -> Iterator[list[Other]]:
    """Start two processes."""
    others = [Other(name) for name in ("left", "right")]
    yield others
    for other in others:
        other.end()


def test_one_of_two_processes_wins_each_epoch(tmp_path: Path, two: list[Other]) -> None:
    """S38: of two processes that acquire a run at once, one has it; what the other appends raises LeaseLost."""
    path = str(tmp_path / "runs.db")
    journal = SqliteJournal(path)
    create(journal, "raced")
    for other in two:
        other.tell("lease", path, Lease("raced", "nobody", 0, 0.0))
    assert [other.hear() for other in two] == ["has it", "has it"]
    winners: list[int] = []
    for epoch in range(2, ROUNDS + 2):
        for other in two:
            other.tell("acquire", path, "raced", 2e9 + epoch)
        epochs = [other.hear() for other in two]
        assert sorted(epochs, key=str) == [epoch, None]
        winners.append(epochs.index(epoch))
        for other in two:
            other.tell("append", path)
        assert [other.hear() for other in two] == [found == epoch for found in epochs]
    texts = [record.text for record in journal.read("raced", 1)]
    assert texts == [f"{epoch} {('left', 'right')[winner]}" for epoch, winner in enumerate(winners, 2)]
    journal.close()


def test_processes_make_a_file_at_once(tmp_path: Path, two: list[Other]) -> None:
    """Processes that open a new file at the same moment all get it, and lose nothing."""
    paths = [str(tmp_path / f"{number}.db") for number in range(10)]
    for path in paths:
        for other in two:
            other.tell("open", path)
    assert [other.hear() for other in two for _ in paths] == ["opened"] * 20
    for path in paths:
        journal = SqliteJournal(path)
        assert [head.run_id for head in journal.heads()] == ["left", "right"]
        journal.close()


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, two: list[Other]) -> None:
    """S34: a process that is killed while it writes leaves whole appends, and all that had returned."""
    for other, run_id in zip(two, RUNS, strict=False):
        path = str(tmp_path / f"{run_id}.db")
        other.tell("write", path)
        acknowledged = [other.hear() for _ in range(ACKNOWLEDGED)][-1]
        other.end()
        journal = SqliteJournal(path)
        records, head = journal.read("written"), journal.head("written")
        assert head.position == len(records) > acknowledged
        assert (head.position - 1) % 3 == 0
        assert clean(first_link("written"), 0, records) == len(records)
        journal.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_journal_goes_through_a_fork(tmp_path: Path, two: list[Other]) -> None:
    """A process that forks and its child both go on with the journal, each with a connection of its own."""
    path = str(tmp_path / "runs.db")
    two[0].tell("fork", path)
    assert two[0].hear() == [0, ["parent", "child"] * 3 + ["last"]]
