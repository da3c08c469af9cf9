"""Storage that fails in the midst of a call: all of it is stored, or nothing, and the journal goes on afterwards."""

from __future__ import annotations

import shutil
import sqlite3
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.errors import JournalFailed
from orchestration.journal import sqlite_schema
from orchestration.journal.protocol import Lease, Snapshot
from orchestration.journal.sqlite import SqliteJournal
from tests.journal.keeping import NOON, RUNS, began, fill, following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MINE = Lease("second", "me", 1, NOON + 30)
MOST = 60  # calls of SQLite that one call of a journal may take


class Disk:
    """What goes wrong: the n-th call does, before it is done or after it; or all from then on."""

    def __init__(self) -> None:
        """Let nothing go wrong."""
        self.calls_left = 0
        self.how = "before"
        self.fired = False

    def fail_at(self, number: int, how: str) -> None:
        """Fail at a call, counted from 1."""
        self.calls_left, self.how, self.fired = number, how, False

    def mend(self) -> None:
        """Let nothing go wrong any more."""
        self.calls_left, self.how = 0, "before"

    def call(self, work: Callable[[], Any]) -> Any:
        """Do a call, or fail."""
        self.calls_left -= 1
        broken = self.calls_left == 0 or (self.how == "from then on" and self.calls_left < 0)
        if not broken:
            return work()
        if self.how == "after":
            work()
        self.fired = True
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
        raise error


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Have a disk that can fail, and that nobody waits for."""
    disk = Disk()

    class Failing(sqlite3.Connection):
        def execute(self, *arguments: Any) -> Any:
            return disk.call(lambda: super(Failing, self).execute(*arguments))

        def executemany(self, *arguments: Any) -> Any:
            return disk.call(lambda: super(Failing, self).executemany(*arguments))

    def connect(path: str, timeout: float, *, new: bool) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False, factory=Failing)

    monkeypatch.setattr(sqlite_schema, "connect", connect)
    monkeypatch.setattr(sqlite_schema, "SETTINGS", ("PRAGMA synchronous = OFF", *sqlite_schema.SETTINGS[1:]))
    return disk


def everything(journal: SqliteJournal) -> list[object]:
    """Return all that can be seen in a journal."""
    heads = journal.heads()
    ids = [head.run_id for head in heads]
    of_runs = [(journal.read(each), journal.letters(each), journal.snapshot(each)) for each in ids]
    return [heads, of_runs, [journal.plan(name) for name in ("print", "print 0", "print 1")]]


def append(journal: SqliteJournal, **options: Any) -> None:
    """Append two records, take a letter and end the run."""
    records = following(journal, "second", "more", "end")
    journal.append(MINE, records, at=NOON + 20, status="failed", taken=[1], **options)


CALLS: dict[str, Callable[[SqliteJournal], object]] = {
    "create": lambda journal: journal.create(began("new")[0], "a plan", began("new")[1]),
    "append": append,
    "append at once": lambda journal: append(journal, wait=False),
    "adopt": lambda journal: journal.adopt(MINE, "print", "a plan"),
    "acquire": lambda journal: journal.acquire("third", "you", now=NOON, until=NOON + 99),
    "renew": lambda journal: journal.renew(MINE, NOON + 99),
    "release": lambda journal: journal.release(MINE, wake=NOON + 99),
    "post": lambda journal: journal.post("second", "letter"),
    "save": lambda journal: journal.save(MINE, Snapshot(3, "another", "sum")),
    "truncate": lambda journal: journal.truncate("third", 1, began("third")[1].checksum),
    "delete": lambda journal: journal.delete("second"),
}


@pytest.fixture
def filled(tmp_path: Path, disk: Disk) -> Iterator[Callable[[], SqliteJournal]]:
    """Return what opens a filled journal anew, each time in a file of its own."""
    first = SqliteJournal(tmp_path / "filled.db")
    for _ in fill(first):
        pass
    first.close()
    opened: list[SqliteJournal] = []

    def new() -> SqliteJournal:
        path = tmp_path / f"{len(opened)}.db"
        shutil.copy(tmp_path / "filled.db", path)
        opened.append(SqliteJournal(path))
        return opened[-1]

    yield new
    for journal in opened:
        journal.close()


@pytest.mark.parametrize("how", ["before", "after", "from then on"])
@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_done_wholly_or_not_at_all(
    filled: Callable[[], SqliteJournal], disk: Disk, name: str, how: str
) -> None:
    """S34: whichever call of SQLite fails, nothing is half stored, the error is typed, and the journal goes on."""
    call = CALLS[name]
    journal = filled()
    before = everything(journal)
    call(journal)
    after = everything(journal)
    assert after != before
    stored: list[bool] = []
    for number in range(1, MOST):
        journal = filled()
        disk.fail_at(number, how)
        failed = _fails(partial(call, journal))
        disk.mend()
        if not disk.fired:
            assert not failed
            break
        assert failed
        other = SqliteJournal(journal._path)
        found = everything(other)
        other.close()
        assert found == everything(journal)
        assert found in (before, after)
        stored.append(found == after)
        if found == before:  # who tries again finds nothing left of the first time
            call(journal)
            assert everything(journal) == after
        assert journal.post("third", "on") > 0
    assert number > 4  # it began, read, wrote and committed
    assert stored == [False] * (len(stored) - 1) + [how == "after"]  # a commit may be done, and yet told as failed


def _fails(call: Callable[[], object]) -> bool:
    """Tell whether a call fails, as it should on such a disk."""
    try:
        call()
    except JournalFailed as error:
        return isinstance(error.__cause__, sqlite3.OperationalError) and "Look after the disk" in error.mend
    return False


@pytest.mark.parametrize("how", ["before", "after", "from then on"])
def test_a_file_that_cannot_be_opened_can_be_later(tmp_path: Path, disk: Disk, how: str) -> None:
    """Whichever call fails while a file is made, it is told with its path, and the next who opens it makes it."""
    for number in count(1):
        path = tmp_path / f"{number}.db"
        disk.fail_at(number, how)
        failed = _fails(lambda path=path: SqliteJournal(path).close())
        disk.mend()
        journal = SqliteJournal(path)
        assert journal.heads() == []
        journal.create(began("new")[0], "a plan", began("new")[1])
        journal.close()
        if not failed:
            break
    assert number > 10


@pytest.mark.parametrize("name", ["read", "head", "heads", "letters", "snapshot", "plan"])
def test_a_question_fails_as_a_whole(filled: Callable[[], SqliteJournal], disk: Disk, name: str) -> None:
    """Whichever call fails, a question has no half an answer, and the next has the right one."""
    journal = filled()
    ask = partial(getattr(journal, name), *({"heads": (), "plan": ("print 0",)}.get(name, ("second",))))
    expected = ask()
    for number in range(1, MOST):
        for how in ("before", "from then on"):
            disk.fail_at(number, how)
            failed = _fails(ask)
            disk.mend()
            assert failed == disk.fired
            assert ask() == expected
        if not disk.fired:
            break
    assert number > 2


def test_an_interrupt_leaves_nothing_half(filled: Callable[[], SqliteJournal], monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C in the midst of a call takes back what was done of it, and the journal goes on."""
    journal = filled()
    before = everything(journal)
    with monkeypatch.context() as patched:
        patched.setattr("orchestration.journal.sqlite.change", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            append(journal)
    assert everything(journal) == before
    append(journal)
    assert journal.head(RUNS[1]).status == "failed"


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
