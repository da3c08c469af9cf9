"""The file of a SQLite journal: its tables, its version, and how it is opened."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.errors import JournalFailed
from orchestration.journal.sqlite_faults import FAULTS, corrupt, told
from orchestration.journal.sqlite_rows import PLANS, SCHEMA, STATUSES, mark_of, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.errors import JournalCorrupt

APPLICATION = 0x6F726368  # "orch", in the head of the file: no other database is taken for a journal
TABLES = (
    """CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE plans (fingerprint TEXT PRIMARY KEY, plan TEXT NOT NULL, seal TEXT NOT NULL)""",
    """CREATE TABLE runs (
        run INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        mark INTEGER NOT NULL,
        plan TEXT NOT NULL,
        fingerprint TEXT NOT NULL REFERENCES plans,
        status TEXT NOT NULL,
        position INTEGER NOT NULL,
        checksum TEXT NOT NULL,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        epoch INTEGER NOT NULL,
        owner TEXT,
        until REAL NOT NULL,
        wake REAL NOT NULL,
        orderly INTEGER NOT NULL,
        letters INTEGER NOT NULL,
        posted INTEGER NOT NULL,
        seal TEXT NOT NULL
    )""",
    """CREATE INDEX runs_by_mark ON runs (mark)""",
    """CREATE INDEX runs_by_status ON runs (status)""",
    """CREATE TABLE records (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        checksum TEXT NOT NULL,
        PRIMARY KEY (run, position)
    ) WITHOUT ROWID""",
    """CREATE TABLE letters (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
        number INTEGER NOT NULL,
        text TEXT NOT NULL,
        seal TEXT NOT NULL,
        PRIMARY KEY (run, number)
    ) WITHOUT ROWID""",
    """CREATE TABLE snapshots (
        run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        checksum TEXT NOT NULL,
        seal TEXT NOT NULL
    )""",
)
NAMES = frozenset({"letters", "marks", "plans", "records", "runs", "snapshots"})
SETTINGS = (
    "PRAGMA synchronous = FULL",  # what is committed survives the loss of power
    "PRAGMA foreign_keys = ON",  # what belongs to a run goes with it
    "PRAGMA cell_size_check = ON",  # a damaged page is told of earlier
    "PRAGMA trusted_schema = OFF",  # reading a file runs nothing that stands in it (S37)
)


def _begin(connection: sqlite3.Connection) -> None:
    for table in TABLES:
        connection.execute(table)
    connection.executemany("INSERT INTO marks VALUES (?, 0)", [(name,) for name in (*STATUSES, PLANS)])


# The n-th makes version n of the file from the one before; a new file goes through all of them.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_begin,)


def connect(path: str, timeout: float, *, new: bool) -> sqlite3.Connection:
    """Open a file as it is; if it may be `new`, make it where there is none."""
    address = f"{Path(path).absolute().as_uri()}?mode={'rwc' if new else 'rw'}"
    return sqlite3.connect(address, timeout=timeout, isolation_level=None, check_same_thread=False, uri=True)


def open_file(path: str, timeout: float, *, new: bool) -> sqlite3.Connection:
    """Open the file of a journal, and bring it to this version.

    Raises:
        JournalFailed: if it cannot be opened, or is of a later version.
        JournalCorrupt: if it is damaged, or of something else.
    """
    _look_at_path(path)
    try:
        connection = connect(path, timeout, new=new)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except FAULTS as error:
        raise told(path, error) from error
    return connection


def _look_at_path(path: str) -> None:
    file = Path(path)
    if path == ":memory:" or file.is_dir():
        raise JournalFailed(
            path,
            found="a folder" if file.is_dir() else "a name for no file",
            expected="the path of a file",
            mend="Give the journal a file, or use `MemoryJournal`.",
        )
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size and not (file.exists() and file.stat().st_size):
        raise corrupt(path, f"nothing, but its latest writes in {log.name}")  # which SQLite would throw away


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    for setting in SETTINGS:
        connection.execute(setting)
    connection.execute("BEGIN")  # another process may be making the file: what is read must be of one moment
    version = _version(connection, path)
    if version > 0 and mark_of(connection, SCHEMA) != _schema(connection):
        raise corrupt(path, "other tables than it was made with")
    connection.execute("COMMIT")
    mode: str = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise JournalFailed(
            path,
            found=f"a file system where SQLite's journal mode is {mode!r}",
            expected="one where it can be WAL",
            mend="Keep the journal on a disk of this machine.",
        )
    if version < len(MIGRATIONS):
        _migrate(connection, path)


def _version(connection: sqlite3.Connection, path: str) -> int:
    """Return the version of a file; 0 if there is nothing in it yet."""
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == version == 0 and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return 0
    if application != APPLICATION or version < 1:
        raise _foreign(path)
    if version > len(MIGRATIONS):
        raise JournalFailed(
            path,
            found=f"a journal of version {version}",
            expected=f"one of version {len(MIGRATIONS)} or before",
            mend="Read it with the version of the library that wrote it, or a later one.",
        )
    return version


def _foreign(path: str) -> JournalCorrupt:
    return corrupt(path, "a database of something else, or the damaged head of a journal")


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("BEGIN IMMEDIATE")  # who opens the file closes it if this fails, which takes it all back
    for migration in MIGRATIONS[_version(connection, path) :]:  # another process may have done it meanwhile
        migration(connection)
    connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (SCHEMA, _schema(connection)))
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _schema(connection: sqlite3.Connection) -> int:
    """Return a hash of how the tables and their indices are declared; those of others in the file do not matter."""
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name, type").fetchall()
    return number(json.dumps([row for row in found if row[2] in NAMES], default=repr))
