"""Journals that earlier releases have written: today's code goes on with each of their runs (S35, S36)."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Failed, LocalEngine, SqliteJournal, Succeeded
from orchestration.journal.repair import look_for_damage
from orchestration.journal.replay import folded
from tests.golden.load import HERE, VERSIONS, workflows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LATER = 86_400.0  # seconds: all leases are over, all sleeps too
RUNS = [(version, name) for version in VERSIONS for name in workflows_of(version).WORKFLOWS]


@pytest.fixture
def journal(version: str, tmp_path: Path) -> Iterator[SqliteJournal]:
    """Open a copy of a golden journal."""
    copy = tmp_path / "runs.db"
    shutil.copy(HERE / version / "runs.db", copy)
    with closing(SqliteJournal(copy)) as journal:
        yield journal


@pytest.mark.parametrize(("version", "name"), RUNS)
def test_a_run_of_an_earlier_release_goes_on_to_its_outcome(journal: SqliteJournal, version: str, name: str) -> None:
    """S35, S36: wherever its process has ended; its plan has the fingerprint that it had, and the fold is the same."""
    module = workflows_of(version)
    workflow = module.WORKFLOWS[name]
    head = journal.head(name)
    assert head.fingerprint == workflow.compile().fingerprint
    assert look_for_damage(journal, name) is None
    folded(workflow.compile(), journal, name, whole=True)

    async def go_on() -> Any:
        engine: LocalEngine[Any] = LocalEngine(
            journal=journal, workflows=[workflow], poll=0.01, clock=lambda: time.time() + LATER
        )
        handle = await engine.resume(name)
        if name == "waiting":
            handle.signal(module.WORD, 5)
        return await handle.result()

    assert told(asyncio.run(go_on())) == module.EXPECTED[name]
    assert journal.head(name).status in ("succeeded", "failed")


def told(outcome: Any) -> object:
    """Return the value of an outcome, or the kind of its failure and what became of what was done."""
    if isinstance(outcome, Succeeded):
        return outcome.value
    assert isinstance(outcome, Failed)
    ends = [f"{type(end).__name__} {end.path}" for end in outcome.rollback.steps]
    return outcome.failure.kind.rpartition(".")[2], ends


@pytest.mark.parametrize("version", VERSIONS)
def test_the_runs_are_where_their_processes_have_ended(journal: SqliteJournal, version: str) -> None:
    """S34: otherwise they would prove less than it seems."""
    heads = {head.run_id: head for head in journal.heads()}
    module = workflows_of(version)
    assert set(heads) == set(module.WORKFLOWS) == set(module.EXPECTED)
    ended = {name for name, head in heads.items() if head.status != "unfinished"}
    assert ended == {"succeeded", "failed"}
    assert {name for name, head in heads.items() if not head.orderly and name not in ended} == module.LOST
    assert journal.snapshot("counting") is not None


def test_each_release_with_journals_has_one() -> None:
    """S36: its users have runs that are to go on; what wrote the files is kept beside them."""
    assert VERSIONS
    for version in VERSIONS:
        assert {path.name for path in (HERE / version).iterdir()} >= {"WHY.md", "runs.db", "workflows.py", "write.py"}
