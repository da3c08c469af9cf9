"""A file that is cut, or has a byte that is another: the truth, or a typed error, and nothing else (S37).

`DAMAGE_MUTANTS` is how many files are tried; if that is as many as a file has bytes, it is cut or changed at each.
"""

from __future__ import annotations

import os
import random
from operator import methodcaller
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from orchestration.errors import JournalCorrupt, JournalFailed, OrchestrationError, RunNotFound
from orchestration.journal import sqlite_schema
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.protocol import Lease
from orchestration.journal.records import clean, first_link
from orchestration.journal.sqlite import SqliteJournal
from tests.journal.keeping import NOON, RUNS, began, fill, following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orchestration.journal.protocol import Journal

MUTANTS = int(os.environ.get("DAMAGE_MUTANTS", "300"))
SHARES = 6  # of the mutants, each tried by a test of its own, which may run beside the others
SMALL = 512  # bytes of a page: most of a large one is empty
EMPTY = 2  # bytes, from which on a file is more than a new one to SQLite
CUT = 0.15  # how often a file is cut, and not changed


class Mutant(NamedTuple):
    """A file that is damaged somewhere."""

    name: str
    content: bytes


def mutants(content: bytes, count: int, share: int = 0, shares: int = 1) -> Iterator[Mutant]:
    """Yield a share of so many mutants of a file, the same each time: one byte is another, or all from it on gone."""
    places = random.Random(0).sample(range(len(content)), len(content))  # noqa: S311 - the same ones each time
    for number in range(share, count, shares):
        chance = random.Random(number)  # noqa: S311 - as above
        place = places[number % len(places)]
        if chance.random() < CUT:
            yield Mutant(f"cut at {place}", content[:place])
            continue
        flip = chance.choice([1 << chance.randrange(8), chance.randrange(1, 256)])
        changed = bytearray(content)
        changed[place] ^= flip
        yield Mutant(f"byte {place} changed by {flip:#x}", bytes(changed))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small pages, and do not wait for the disk: it is not what fails here."""
    changed = (f"PRAGMA page_size = {SMALL}", "PRAGMA synchronous = OFF", *sqlite_schema.SETTINGS[1:])
    monkeypatch.setattr(sqlite_schema, "SETTINGS", changed)


# --- what is asked of each mutant: the answer is that of the model, or a typed error

QUESTIONS: dict[str, Callable[[Journal], Any]] = {
    **{f"head of {run}": methodcaller("head", run) for run in RUNS},
    **{f"log of {run}": methodcaller("read", run) for run in RUNS},
    **{f"inbox of {run}": methodcaller("letters", run) for run in RUNS},
    **{f"snapshot of {run}": methodcaller("snapshot", run) for run in RUNS},
    "heads": lambda journal: journal.heads(),
    "unfinished": lambda journal: journal.heads("unfinished"),
    "succeeded": lambda journal: journal.heads("succeeded"),
    "failed": lambda journal: journal.heads("failed"),
    "plan": lambda journal: [journal.plan(name) for name in ("print 0", "print 1", "print 2")],
    "another run": lambda journal: journal.head("none"),
}


def append(journal: Journal, run_id: str, *texts: str) -> None:
    """Append to a run, and take a letter."""
    lease = Lease(run_id, "me", journal.head(run_id).epoch, NOON)
    journal.append(lease, following(journal, run_id, *texts), at=NOON + 50, taken=[2])


CHANGES: dict[str, Callable[[Journal], Any]] = {
    "append": lambda journal: append(journal, "first", "more", "long " * 200),
    "post": lambda journal: journal.post("second", "another letter"),
    "create": lambda journal: journal.create(began("new")[0], "a new plan", began("new")[1]),
    "create again": lambda journal: journal.create(began("second")[0], "a new plan", began("second")[1]),
    "acquire": lambda journal: journal.acquire("third", "you", now=NOON + 99, until=NOON + 120),
    "truncate": lambda journal: journal.truncate("second", 1, began("second")[1].checksum),
    "append after it": lambda journal: append(journal, "second", "once more"),
    "delete": lambda journal: journal.delete("first"),
    "append to another": lambda journal: append(journal, "third", "more"),
}


def answer(call: Callable[[Journal], Any], journal: Journal) -> Any:
    """Return what a call answers, or its typed error."""
    try:
        return call(journal)
    except OrchestrationError as error:
        return error


def is_told(found: object) -> bool:
    """Tell whether an answer says that something is wrong with the file."""
    return isinstance(found, JournalCorrupt | JournalFailed)


def fits(name: str, found: Any, expected: Any) -> bool:
    """Tell whether an answer is the truth, or one that its reader sees through."""
    if is_told(found) or found == expected:
        return True
    if isinstance(expected, OrchestrationError):
        return type(found) is type(expected)
    if name.startswith("log"):  # its reader looks at the checksums, and at how many the head tells
        whole = clean(first_link(name.removeprefix("log of ")), 0, found)
        return whole < len(expected) and found[:whole] == expected[:whole]
    if name.startswith("snapshot"):  # it is a shortcut, which may be lost
        return found is None
    return False


def filled(journal: Journal) -> Journal:
    """Fill a journal."""
    for _ in fill(journal):
        pass
    return journal


def look_at(path: Path, model: Journal) -> list[str]:
    """Ask everything of a damaged file, change it, and ask again; return which answers told of the damage."""
    try:
        journal = SqliteJournal(path, timeout=0.0)
    except (JournalCorrupt, JournalFailed):
        return ["open"]
    told: list[str] = []
    try:
        for calls in (QUESTIONS, CHANGES, QUESTIONS):
            for name, call in calls.items():
                found = answer(call, journal)
                if calls is CHANGES and is_told(found):
                    told.append(name)
                    continue  # the model does nothing either
                expected = answer(call, model)
                if is_told(found) or (found != expected and not isinstance(expected, OrchestrationError)):
                    told.append(name)
                assert fits(name, found, expected), f"{name}: {found!r}, not {expected!r}"
    finally:
        journal.close()
    return told


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """Return the content of a file with a few runs."""
    path = tmp_path / "whole.db"
    filled(SqliteJournal(path)).close()
    return path.read_bytes()


def test_a_whole_file_gives_all(tmp_path: Path, whole: bytes) -> None:
    """Of a file that is as it was written, nothing is told: the checks below can see a difference."""
    (tmp_path / "copy.db").write_bytes(whole)
    assert look_at(tmp_path / "copy.db", filled(MemoryJournal())) == []


@pytest.mark.parametrize("share", range(SHARES))
def test_a_damaged_file_gives_the_truth_or_a_typed_error(tmp_path: Path, whole: bytes, share: int) -> None:
    """S37: cut anywhere, or with any byte another, a file gives what was stored or is told of; never anything else."""
    path = tmp_path / "mutant.db"
    opened = told = 0
    for mutant in mutants(whole, MUTANTS, share, SHARES):
        if len(mutant.content) < EMPTY:
            continue
        for leftover in tmp_path.glob("mutant.db*"):
            leftover.unlink()
        path.write_bytes(mutant.content)
        try:
            seen = look_at(path, filled(MemoryJournal()))
        except Exception as error:
            error.add_note(mutant.name)
            raise
        opened += seen != ["open"]
        told += bool(seen)
    assert told
    assert opened


# --- the file with the latest writes


def state(journal: Journal) -> list[object]:
    """Return all that can be seen."""
    questions = [call for name, call in QUESTIONS.items() if name != "another run"]
    return [found if not isinstance(found := answer(call, journal), RunNotFound) else None for call in questions]


def state_of(path: Path) -> list[object]:
    """Return all that can be seen in a file."""
    journal = SqliteJournal(path, timeout=0.0)
    found = state(journal)
    journal.close()
    return found


def test_damaged_latest_writes_give_an_earlier_truth(tmp_path: Path) -> None:
    """S37: if what was written last is damaged, the journal is as it was after one of the calls before, or tells."""
    path = tmp_path / "open.db"
    journal, model = SqliteJournal(path), MemoryJournal()
    states = [state(model), *(state(model) for _ in zip(fill(journal), fill(model), strict=True))]
    content, log = path.read_bytes(), (tmp_path / "open.db-wal").read_bytes()
    journal.close()
    seen = set[int]()
    for mutant in mutants(log, max(60, MUTANTS // 5)):
        for leftover in tmp_path.glob("mutant.db*"):
            leftover.unlink()
        (tmp_path / "mutant.db").write_bytes(content)
        (tmp_path / "mutant.db-wal").write_bytes(mutant.content)
        found = answer(lambda _: state_of(tmp_path / "mutant.db"), model)
        if not is_told(found) and not any(map(is_told, found)):
            assert found in states, mutant.name
            seen.add(states.index(found))
    assert len(seen) > 10
