"""The file of a SQLite journal: storage that fails, rows that are damaged, and what a call costs."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.errors import JournalBusy, JournalCorrupt, JournalFailed, LeaseLost, RunNotFound
from orchestration.journal import sqlite
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.protocol import Snapshot
from orchestration.journal.sqlite import SqliteJournal
from orchestration.journal.sqlite_rows import COLUMNS
from tests.journal.keeping import NOON, create, fill, following

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchestration.journal.protocol import Lease


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where no file is yet."""
    return tmp_path / "runs.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    """Open a new journal, which waits for nobody."""
    opened = SqliteJournal(path, timeout=0.0)
    yield opened
    opened.close()


def raw(path: Path) -> sqlite3.Connection:
    """Open a file as SQLite does."""
    return sqlite3.connect(path, isolation_level=None)


def change_file(path: Path, *statements: str) -> None:
    """Do something to a file that no journal does."""
    connection = raw(path)
    for statement in statements:
        connection.execute(statement)
    connection.close()


# --- storage that fails, for real


def test_a_full_disk_loses_nothing(journal: SqliteJournal) -> None:
    """A full disk is told as such; nothing of the append is stored, and with room again the journal goes on."""
    lease = create(journal)
    before = journal.head("first"), journal.read("first")
    pages = journal._connected().execute("PRAGMA page_count").fetchone()[0]
    journal._connected().execute(f"PRAGMA max_page_count = {pages + 1}")
    records = following(journal, "first", "small", "large " * 10_000)
    with pytest.raises(JournalFailed, match=r"first: found storage that fails \(.* full\).*Make room on the disk"):
        journal.append(lease, records, at=NOON)
    assert (journal.head("first"), journal.read("first")) == before
    journal._connected().execute("PRAGMA max_page_count = 1000000")
    journal.append(lease, records, at=NOON)
    assert journal.read("first", 1) == records


def test_a_lock_that_is_held_is_told(path: Path, journal: SqliteJournal) -> None:
    """If another writes for longer than the timeout, the call fails with the mend; reading goes on meanwhile."""
    lease = create(journal)
    other = raw(path)
    other.execute("BEGIN IMMEDIATE")
    records = following(journal, "first", "next")
    with pytest.raises(JournalBusy, match=r"database is locked.*give a longer `timeout`"):
        journal.append(lease, records, at=NOON)
    assert journal.head("first").position == 1
    other.execute("ROLLBACK")
    other.close()
    journal.append(lease, records, at=NOON)
    assert journal.read("first", 1) == records


@pytest.mark.parametrize("who", ["another process", "another thread"])
def test_who_does_not_wait_is_refused_while_others_write(path: Path, who: str) -> None:
    """At once, whatever the timeout; nothing is stored, and whoever waits does so as before."""
    journal = SqliteJournal(path, timeout=3_600.0)
    lease = create(journal)
    records = following(journal, "first", "next")
    other = raw(path)
    if who == "another process":
        other.execute("BEGIN IMMEDIATE")
    else:
        journal._lock.acquire()
    with pytest.raises(JournalBusy, match=r"is locked|others use at this moment"):
        journal.append(lease, records, at=NOON, wait=False)
    if who == "another process":
        other.execute("ROLLBACK")
    else:
        journal._lock.release()
    assert journal.head("first").position == 1
    journal.append(lease, records, at=NOON, wait=False)
    assert journal.read("first", 1) == records
    assert journal._connected().execute("PRAGMA busy_timeout").fetchone() == (3_600_000,)
    other.close()
    journal.close()


def test_what_is_too_big_is_refused(journal: SqliteJournal) -> None:
    """A text that SQLite cannot keep is told as such."""
    lease = create(journal)
    journal._connected().setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 5_000)
    with pytest.raises(JournalFailed, match=r"too big.*Pass smaller values"):
        journal.append(lease, following(journal, "first", "x" * 6_000), at=NOON)
    assert journal.head("first").position == 1


@pytest.mark.parametrize("about", ["run id", "text"])
def test_text_that_is_no_unicode_is_refused(journal: SqliteJournal, about: str) -> None:
    """A lone surrogate has no form in a file: it is told of, in text that can be printed."""
    create(journal)
    with pytest.raises(JournalFailed, match=r"found text that is no Unicode \(a lone surrogate\)") as error:
        journal.post(*(("\udcff", "letter") if about == "run id" else ("first", "\ud800")))
    assert str(error.value).isascii()
    assert journal.letters("first") == []


def test_a_log_that_cannot_be_read_to_its_end_is_no_shorter_log(journal: SqliteJournal) -> None:
    """Storage that fails while a log is read is told of: only damage ends a log before its head says."""
    journal.append(create(journal), following(journal, "first", *["x"] * 50), at=NOON)
    for most in range(60, 200, 10):
        left = iter(range(most))
        connection = journal._connected()
        connection.set_progress_handler(lambda left=left: next(left, None) is None, 1)
        with pytest.raises(JournalFailed, match=r"interrupted"):
            journal.read("first")
        journal._drop()
    assert len(journal.read("first")) == 51


def test_nothing_is_open_while_a_process_forks(path: Path, journal: SqliteJournal) -> None:
    """SQLite's connections cannot go through a fork: each is closed before one, and opened by who needs it after."""
    create(journal)
    sqlite._before_fork()
    seen = journal._connection, journal._lock.locked(), [file.name for file in path.parent.iterdir()]
    sqlite._after_fork()
    assert seen == (None, True, ["runs.db"])  # the last to close the file has put all into it
    assert journal.head("first").epoch == 1


def test_a_file_that_is_gone_is_not_made_again(path: Path, journal: SqliteJournal) -> None:
    """A journal that has to open its file once more does not take a new one for it."""
    create(journal)
    journal._drop()
    path.unlink()
    with pytest.raises(JournalFailed, match=r"unable to open database file"):
        journal.head("first")
    assert not path.exists()


def test_a_path_may_be_text_or_a_path(path: Path) -> None:
    """The two ways to write a path mean the same file."""
    first, second = SqliteJournal(str(path)), SqliteJournal(path)
    create(first)
    assert second.head("first") == first.head("first")
    second.close()
    first.close()


# --- damage that SQLite does not see; `test_damage` looks for the rest

ROWS = {
    "head": ("UPDATE runs SET epoch = 0", lambda journal: journal.head("first"), "a damaged head"),
    "type": ("UPDATE runs SET owner = x'00'", lambda journal: journal.head("first"), "a damaged head"),
    "id": ("UPDATE runs SET run_id = 'other'", lambda journal: journal.head("first"), "a run whose id is damaged"),
    "no text": ("UPDATE runs SET owner = CAST(x'ff' AS TEXT)", lambda journal: journal.heads(), "damage"),
    "lost head": ("DELETE FROM runs", lambda journal: journal.heads(), "other runs that are unfinished"),
    "status": ("UPDATE runs SET status = 'lost'", lambda journal: journal.heads("failed"), None),
    "other status": (
        "UPDATE runs SET status = 'x'",
        lambda journal: journal.heads("unfinished"),
        "other runs that are",
    ),
    "lost mark": ("DELETE FROM marks WHERE name = 'unfinished'", lambda journal: create(journal, "new"), "no mark"),
    "letter": ("UPDATE letters SET text = 'x'", lambda journal: journal.letters("first"), "a damaged letter 1"),
    "lost letter": ("DELETE FROM letters", lambda journal: journal.letters("first"), "0 letters in place of 1"),
    "plan": ("UPDATE plans SET plan = 'x'", lambda journal: journal.plan("print"), "a damaged plan print"),
    "lost plan": ("DELETE FROM plans", lambda journal: journal.plan("print"), "other plans than there were"),
    "record": ("UPDATE records SET text = x'00'", lambda journal: journal.read("first"), None),
    "snapshot": ("UPDATE snapshots SET text = x'00'", lambda journal: journal.snapshot("first"), None),
    "no text in a record": (
        "UPDATE records SET text = CAST(x'ff' AS TEXT)",
        lambda journal: journal.read("first"),
        None,
    ),
}


@pytest.mark.parametrize("what", ROWS)
def test_a_damaged_row_is_seen(path: Path, journal: SqliteJournal, what: str) -> None:
    """S37: a row that is not as it was stored, or is gone, is told of, or not given where its reader sees that."""
    journal.save(create(journal), Snapshot(1, "state", "sum"))
    journal.post("first", "letter")
    journal.close()
    statement, call, found = ROWS[what]
    change_file(path, statement)
    again = SqliteJournal(path)
    if found is None:
        assert not call(again)
    else:
        with pytest.raises(JournalCorrupt, match=f"found {found}"):
            call(again)
    again.close()


@pytest.mark.parametrize("column", COLUMNS)
def test_all_of_a_head_is_sealed(path: Path, journal: SqliteJournal, column: str) -> None:
    """S37: a head of which anything is another value is told of, whether it is asked for alone or with the others."""
    create(journal)
    journal.close()
    other = f"UPDATE runs SET {column} = coalesce({column}, 0) || '1'"  # noqa: S608 - a name of ours
    change_file(path, "PRAGMA foreign_keys = OFF", other)
    again = SqliteJournal(path)
    for call in (lambda: again.head("first"), again.heads):
        with pytest.raises(JournalCorrupt, match=r"found (a damaged head|a run whose id is|other runs that are)"):
            call()
    again.close()


def test_a_log_ends_where_it_cannot_be_read(path: Path, journal: SqliteJournal) -> None:
    """S37: what comes before a gap or a damaged record is given; the head tells that there was more."""
    lease = create(journal)
    journal.append(lease, following(journal, "first", *"abcdef"), at=NOON)
    journal.close()
    for statement, left in (
        ("UPDATE records SET checksum = CAST(x'ff' AS TEXT) WHERE position = 5", 5),
        ("UPDATE records SET text = x'00' WHERE position = 4", 4),
        ("UPDATE records SET position = 9 WHERE position = 2", 2),
    ):
        change_file(path, statement)
        again = SqliteJournal(path)
        assert [record.position for record in again.read("first")] == [*range(left)]
        assert again.head("first").position == 7
        again.close()


# --- what it costs


def steps(journal: SqliteJournal, call: str, *arguments: object) -> int:
    """Count the instructions of SQLite's machine that a call takes."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection = journal._connected()
    connection.set_progress_handler(step, 1)
    getattr(journal, call)(*arguments)
    connection.set_progress_handler(None, 1)
    return count


def test_a_head_costs_the_same_whatever_the_log(journal: SqliteJournal) -> None:
    """The head of a run, or of all, costs as much after 3,000 records as after one: nothing is counted."""
    lease = create(journal)
    calls = (("head", "first"), ("heads",), ("heads", "unfinished"), ("letters", "first"), ("read", "first", 3_001))
    before = [steps(journal, *call) for call in calls]
    journal.append(lease, following(journal, "first", *["x"] * 3_000), at=NOON)
    after = [steps(journal, *call) for call in calls]
    assert after[:-1] == before[:-1]
    assert abs(after[-1] - before[-1]) < 10


def test_the_runs_of_a_status_cost_as_many_as_there_are(journal: SqliteJournal) -> None:
    """To list the unfinished runs does not look at those that have ended, nor does a head at other runs."""
    create(journal)
    calls = (("heads", "unfinished"), ("head", "first"))
    before = [steps(journal, *call) for call in calls]
    for number in range(50):
        ended = create(journal, f"run {number}")
        journal.append(ended, [], at=NOON, status="succeeded")
    assert [steps(journal, *call) for call in calls] == before


def reads_of_heads(journal: SqliteJournal, lease: Lease, text: str, **options: Any) -> int:
    """Append, and count how often the head was read for that."""
    records, statements = following(journal, lease.run_id, text), list[str]()
    connection = journal._connected()
    connection.set_trace_callback(statements.append)
    journal.append(lease, records, at=NOON, **options)
    connection.set_trace_callback(None)
    return sum(statement.startswith("SELECT run_id") for statement in statements)


def test_a_head_that_nobody_has_changed_is_not_read_again(path: Path, journal: SqliteJournal) -> None:
    """S38: an append looks at the seal of the head as it was left by the last; what others did to it is seen."""
    lease = create(journal)
    assert [reads_of_heads(journal, lease, text) for text in ("a", "b", "c")] == [1, 0, 0]
    other = SqliteJournal(path)
    letter = other.post("first", "stop")
    assert reads_of_heads(journal, lease, "d", taken=[letter]) == 1
    assert (journal.head("first").position, journal.head("first").letters) == (5, 0)
    assert reads_of_heads(journal, lease, "e") == 0
    taken_over = other.acquire("first", "another", now=NOON + 60, until=NOON + 90)
    with pytest.raises(LeaseLost):
        journal.append(lease, following(journal, "first", "f"), at=NOON)
    other.append(taken_over, following(other, "first", "f"), at=NOON)
    other.close()


def test_of_runs_that_have_ended_here_nothing_is_remembered(journal: SqliteJournal) -> None:
    """S29: a run that has ended, or is given up, leaves nothing in the process."""
    ended, parked = create(journal), create(journal, "second")
    for lease in (ended, parked):
        journal.append(lease, following(journal, lease.run_id, "a"), at=NOON)
    assert len(journal._stored) == 2
    journal.append(ended, following(journal, "first", "end"), at=NOON, status="succeeded")
    journal.release(parked)
    assert journal._stored == {}


def test_of_a_run_that_cannot_be_given_up_nothing_is_remembered(journal: SqliteJournal) -> None:
    """S29: whether it is refused or forgotten."""
    leases = create(journal), create(journal, "second")
    for lease in leases:
        journal.append(lease, following(journal, lease.run_id, "a"), at=NOON)
    journal.delete("second")
    journal.close()
    with pytest.raises(JournalFailed):
        journal.release(leases[0])
    assert journal._stored == {}


def test_it_answers_as_the_model(journal: SqliteJournal) -> None:
    """After the same calls, all that can be asked has the answer of a `MemoryJournal`."""
    model = MemoryJournal()
    for _ in zip(fill(journal), fill(model), strict=True):
        assert journal.heads() == model.heads()
    for head in model.heads():
        run_id = head.run_id
        assert journal.read(run_id) == model.read(run_id)
        assert journal.letters(run_id) == model.letters(run_id)
        assert journal.snapshot(run_id) == model.snapshot(run_id)
        assert journal.plan(head.fingerprint) == model.plan(head.fingerprint)
    with pytest.raises(RunNotFound):
        journal.head("none")
    assert journal.plan("none") is None
