"""The file of a SQLite journal: how it is opened or refused, and brought to this version."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.errors import JournalCorrupt, JournalFailed
from orchestration.journal import sqlite_schema
from orchestration.journal.sqlite import SqliteJournal
from tests.journal.keeping import create, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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


# --- opening


def test_a_commit_waits_for_the_disk(journal: SqliteJournal) -> None:
    """S34: the file is written ahead, each commit waits for the disk, and what belongs to a run goes with it."""
    connection = journal._connected()
    names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "user_version")
    assert [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 1, 0, 1]


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    """A path that is a folder is refused, and nothing is made."""
    with pytest.raises(JournalFailed, match=r"found a folder; expected the path of a file") as error:
        SqliteJournal(tmp_path)
    assert error.value.path == str(tmp_path)
    assert [*tmp_path.iterdir()] == []
    assert [*tmp_path.parent.glob(f"{tmp_path.name}-*")] == []


def test_a_folder_is_not_made(tmp_path: Path) -> None:
    """A path in a folder that is not there is refused by its name, with the mend: a slip makes no tree of folders."""
    with pytest.raises(JournalFailed, match=r"unable to open database file.*in a folder that exists") as error:
        SqliteJournal(tmp_path / "no" / "runs.db")
    assert error.value.path == str(tmp_path / "no" / "runs.db")
    assert isinstance(error.value.__cause__, sqlite3.OperationalError)
    assert [*tmp_path.iterdir()] == []


def test_a_journal_in_memory_is_another() -> None:
    """SQLite's name for a database without a file is refused: it would be gone with its connection."""
    with pytest.raises(JournalFailed, match=r":memory:: found a name for no file.*use `MemoryJournal`"):
        SqliteJournal(":memory:")


def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    """A path is a path, whatever it would mean in an address."""
    path = tmp_path / "a ?mode=ro&x=%41#ü.db"
    journal = SqliteJournal(path)
    create(journal)
    journal.close()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who goes elsewhere after opening a journal by a relative path still has the same file."""
    monkeypatch.chdir(tmp_path)
    journal = SqliteJournal("runs.db")
    create(journal)
    journal._drop()  # as before a fork
    monkeypatch.chdir(tmp_path.parent)
    assert journal.head("first").epoch == 1
    journal.close()


def test_an_empty_file_is_a_new_journal(path: Path) -> None:
    """A file that was only touched, or whose maker died at once, is used."""
    path.touch()
    journal = SqliteJournal(path)
    assert journal.heads() == []
    journal.close()


@pytest.mark.parametrize("empty", [True, False])
def test_latest_writes_without_a_file_are_damage(path: Path, journal: SqliteJournal, *, empty: bool) -> None:
    """S37: if the file is gone or empty while its latest writes are there, SQLite would throw them away."""
    create(journal)
    content = (path.parent / "runs.db-wal").read_bytes()
    journal.close()
    path.unlink()
    if empty:
        path.touch()
    (path.parent / "runs.db-wal").write_bytes(content)
    with pytest.raises(JournalCorrupt, match=r"found nothing, but its latest writes in runs\.db-wal"):
        SqliteJournal(path)
    assert (path.parent / "runs.db-wal").read_bytes() == content


@pytest.mark.parametrize("content", [b"not a database, but text" * 50, b"SQLite format 3\0" + bytes(4080)])
def test_another_file_is_left_alone(path: Path, content: bytes) -> None:
    """S37: a file that is no database is refused, and not written to."""
    path.write_bytes(content)
    with pytest.raises(JournalCorrupt, match=r"runs\.db: found damage \(file is not a database\)"):
        SqliteJournal(path)
    assert path.read_bytes() == content


def test_another_database_is_left_alone(path: Path) -> None:
    """S37: a database of another program is refused, and not written to."""
    change_file(path, "CREATE TABLE runs (name)")
    content = path.read_bytes()
    with pytest.raises(JournalCorrupt, match=r"found a database of something else"):
        SqliteJournal(path)
    assert path.read_bytes() == content


def test_a_later_version_is_refused(path: Path, journal: SqliteJournal) -> None:
    """A file of a later version of the library is no damage: it is refused with the mend, and not changed."""
    journal.close()
    change_file(path, "PRAGMA user_version = 7")
    with pytest.raises(JournalFailed, match=r"found a journal of version 7; expected one of version 1 or before"):
        SqliteJournal(path)
    connection = raw(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (7,)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER surprise AFTER INSERT ON letters BEGIN DELETE FROM runs; END",
        "ALTER TABLE letters ADD COLUMN more",
        "DROP INDEX runs_by_mark",
        "DELETE FROM marks WHERE name = 'schema'",
    ],
)
def test_other_tables_are_damage(path: Path, journal: SqliteJournal, statement: str) -> None:
    """S37: tables that are not as they were made are refused, so that nothing in them runs."""
    journal.close()
    change_file(path, statement)
    with pytest.raises(JournalCorrupt, match=r"found other tables than it was made with"):
        SqliteJournal(path)


def test_what_others_add_does_not_matter(path: Path, journal: SqliteJournal) -> None:
    """A file may have tables and views of others beside those of the journal."""
    create(journal)
    journal.close()
    change_file(path, "CREATE TABLE mine (x)", "CREATE VIEW ended AS SELECT * FROM runs WHERE status <> 'unfinished'")
    again = SqliteJournal(path)
    assert again.head("first").epoch == 1
    again.close()


def test_without_writing_ahead_there_is_no_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system where SQLite cannot write ahead, such as a network's, is refused."""
    monkeypatch.setattr(sqlite_schema, "connect", lambda *_, **__: sqlite3.connect(":memory:", isolation_level=None))
    with pytest.raises(JournalFailed, match=r"SQLite's journal mode is 'memory'; expected one where it can be WAL"):
        SqliteJournal(path)


# --- versions


CONNECT = sqlite_schema.connect


@pytest.mark.parametrize("at", range(12))
def test_another_process_may_make_the_file_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """What is read of a file's version is of one moment, whenever another process makes a journal of it."""
    statements = count()

    class Overtaken(sqlite3.Connection):
        def execute(self, *args: Any) -> sqlite3.Cursor:
            if next(statements) == at:
                with suppress(JournalFailed), monkeypatch.context() as patched:  # it waits no longer if it is kept out
                    patched.setattr(sqlite_schema, "connect", CONNECT)
                    SqliteJournal(path, timeout=0.0).close()
            return super().execute(*args)

    def connect(path: str, timeout: float, *, new: bool) -> sqlite3.Connection:
        CONNECT(path, timeout, new=new).close()
        return sqlite3.connect(path, timeout=timeout, isolation_level=None, factory=Overtaken)

    monkeypatch.setattr(sqlite_schema, "connect", connect)
    journal = SqliteJournal(path, timeout=0.0)
    create(journal)
    assert journal.head("first").epoch == 1
    journal.close()


def rename_owner(connection: sqlite3.Connection) -> None:
    """Be the migration to a version 2."""
    connection.execute("CREATE TABLE notes (run INTEGER PRIMARY KEY, text TEXT)")
    connection.execute("INSERT INTO notes SELECT run, 'from version 1' FROM runs")


def test_an_earlier_version_is_brought_on(path: Path, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of an earlier version is migrated when it is opened, once, and keeps what it has."""
    for _ in fill(journal):
        pass
    before = journal.heads(), journal.read("first")
    journal.close()
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, rename_owner))
    for _ in range(2):
        again = SqliteJournal(path)
        assert (again.heads(), again.read("first")) == before
        assert again._connected().execute("SELECT text FROM notes").fetchall() == [("from version 1",)] * 3
        assert again._connected().execute("PRAGMA user_version").fetchone() == (2,)
        again.close()


def test_a_new_file_goes_through_all_versions(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file is of the last version at once."""
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, rename_owner))
    journal = SqliteJournal(path)
    assert journal._connected().execute("SELECT * FROM notes").fetchall() == []
    create(journal)
    assert journal.head("first").epoch == 1
    journal.close()


def test_a_migration_that_fails_changes_nothing(
    path: Path, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a migration cannot be done wholly, the file is as it was, and the version before still reads it."""
    create(journal)
    before = journal.heads()
    journal.close()

    def fails(connection: sqlite3.Connection) -> None:
        rename_owner(connection)
        connection.execute("DELETE FROM runs")
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_schema, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, fails))
        with pytest.raises(MemoryError):
            SqliteJournal(path)
    again = SqliteJournal(path)
    assert again.heads() == before
    again.close()
