"""`SqliteJournal`: runs in a file, for the processes of one machine.

A commit is durable when it has returned: SQLite writes ahead and waits for the disk (`synchronous=FULL`). Processes and
threads wait for each other, as long as `timeout`. Nothing is kept as a pickle, and reading runs nothing (S37).

Damage to the file is found where it is read: a head, letter or plan that is not as it was stored, or is gone, is
`JournalCorrupt`; a log ends before its head says. Two things are no damage that anybody could see: a file that is gone
or empty is a new journal, and if the latest commits are cut off its `-wal` file, which is there while the journal is
open and after a crash, then the journal is as it was before them.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast, final
from weakref import WeakSet

from orchestration.frozen import evolve
from orchestration.journal.protocol import Head, Lease, Letter, Record, Snapshot, Status
from orchestration.journal.refused import busy, closed, exists, held, lost
from orchestration.journal.sqlite_faults import FAULTS, told
from orchestration.journal.sqlite_rows import (
    STATUSES,
    change,
    found,
    has_seal,
    head_of,
    insert,
    keep_plan,
    known,
    letters_of,
    owned,
    plan_of,
    records_of,
    rows,
    seal,
    shift,
    snapshot_of,
)
from orchestration.journal.sqlite_schema import open_file

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from orchestration.journal.sqlite_rows import Row

DEFAULT_TIMEOUT = 10.0
READ = "BEGIN"
WRITE = "BEGIN IMMEDIATE"  # who only begins to write later can find that another did meanwhile


@final
class SqliteJournal:
    """Keeps runs in a file of SQLite (S34), for any number of threads and processes of one machine (S38).

    ```python
    journal = SqliteJournal("runs.db")
    ```

    A file that is not there is made; its folder is not. `timeout` is for how many seconds to wait while others write.
    """

    blocks = True

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Open the file, or make it.

        Raises:
            JournalFailed: if it cannot be opened, or a later version of the library has written it.
            JournalCorrupt: if it is damaged, or no journal.
        """
        self._path = os.fspath(path) if os.fspath(path) == ":memory:" else str(Path(path).absolute())
        self._timeout = timeout
        self._closed = False
        self._stored: dict[str, tuple[Row, str]] = {}  # heads by run, with their seals, of runs that go on here
        self._lock = threading.Lock()  # one connection for all threads: SQLite has one writer anyway
        self._waits = True  # whether the connection does, for others
        self._connection: sqlite3.Connection | None = open_file(self._path, timeout, new=True)
        _opened.add(self)

    def __del__(self) -> None:
        """Close what nobody closed."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    def create(self, head: Head, plan: str, record: Record) -> None:
        """Begin a run: see `Journal.create`."""
        with self._transaction(head.run_id, WRITE) as connection:
            if found(connection, head.run_id):
                raise exists(head.run_id)
            keep_plan(connection, head.fingerprint, plan)
            _add(connection, insert(connection, head), [record])

    def append(
        self,
        lease: Lease,
        records: Sequence[Record],
        *,
        at: float,
        status: Status = "unfinished",
        taken: Sequence[int] = (),
        wait: bool = True,
    ) -> None:
        """Add records: see `Journal.append`."""
        with self._transaction(lease.run_id, WRITE, wait=wait) as connection:
            row = self._remembered(connection, lease) or owned(connection, lease)
            new: dict[str, object] = {"status": status, "updated": at}
            if records:
                if records[0].position != row["position"]:
                    raise lost(lease, f"{row['position']} records, not {records[0].position}")
                _add(connection, row["run"], records)
                new |= {"position": records[-1].position + 1, "checksum": records[-1].checksum}
            if taken:
                gone = {letter.number for letter in letters_of(connection, row)}.intersection(taken)
                places = [(row["run"], place) for place in gone]
                connection.executemany("DELETE FROM letters WHERE run = ? AND number = ?", places)
                new["letters"] = row["letters"] - len(gone)
            stored = change(connection, row, **new)
            if stored is not None and status == "unfinished":
                self._stored[lease.run_id] = stored

    def _remembered(self, connection: sqlite3.Connection, lease: Lease) -> Row | None:
        """Return the row of a run as it was stored here last, if nobody has changed it: to read it takes longer."""
        stored = self._stored.pop(lease.run_id, None)
        if stored is None or stored[0]["epoch"] != lease.epoch or not has_seal(connection, *stored):
            return None
        return stored[0]

    def read(self, run_id: str, start: int = 0, stop: int | None = None) -> list[Record]:
        """Return records: see `Journal.read`."""
        with self._transaction(run_id, READ) as connection:
            return list(records_of(connection, known(connection, run_id), start, stop))

    def head(self, run_id: str) -> Head:
        """Return what is known of a run."""
        with self._transaction(run_id, READ) as connection:
            return head_of(known(connection, run_id))

    def heads(self, status: Status | None = None) -> list[Head]:
        """Return what is known of all runs: see `Journal.heads`."""
        with self._transaction("journal", READ) as connection:
            wanted = STATUSES if status is None else (status,)
            heads = [head_of(row) for each in wanted for row in rows(connection, each)]
        return sorted(heads, key=lambda head: (head.created, head.run_id))

    def plan(self, fingerprint: str) -> str | None:
        """Return the JSON of a plan, if there is one."""
        with self._transaction("journal", READ) as connection:
            return plan_of(connection, fingerprint)

    def adopt(self, lease: Lease, fingerprint: str, plan: str) -> None:
        """Note that the run goes on under another plan: see `Journal.adopt`."""
        with self._transaction(lease.run_id, WRITE) as connection:
            row = owned(connection, lease)
            keep_plan(connection, fingerprint, plan)
            change(connection, row, fingerprint=fingerprint)

    def acquire(self, run_id: str, owner: str, *, now: float, until: float) -> Lease:
        """Take a run over: see `Journal.acquire`."""
        with self._transaction(run_id, WRITE) as connection:
            row = known(connection, run_id)
            head = head_of(row)
            if not head.is_free(now):
                raise held(head, now)
            change(connection, row, owner=owner, epoch=head.epoch + 1, until=until, orderly=False)
            return Lease(run_id, owner, head.epoch + 1, until)

    def renew(self, lease: Lease, until: float) -> Lease:
        """Make a lease last longer: see `Journal.renew`."""
        with self._transaction(lease.run_id, WRITE) as connection:
            change(connection, owned(connection, lease), until=until)
            return evolve(lease, until=until)

    def release(self, lease: Lease, *, wake: float = 0.0, orderly: bool = True) -> None:
        """Give a run up: see `Journal.release`."""
        self._stored.pop(lease.run_id, None)
        with self._transaction(lease.run_id, WRITE) as connection:
            row = known(connection, lease.run_id)
            if row["epoch"] == lease.epoch:
                change(connection, row, owner=None, until=0.0, wake=wake, orderly=orderly)

    def post(self, run_id: str, text: str) -> int:
        """Put something into the inbox of a run; return its number."""
        with self._transaction(run_id, WRITE) as connection:
            row = known(connection, run_id)
            place = cast("int", row["posted"]) + 1
            sealed = seal(row["run"], place, text)
            connection.execute("INSERT INTO letters VALUES (?, ?, ?, ?)", (row["run"], place, text, sealed))
            change(connection, row, letters=row["letters"] + 1, posted=place)
            return place

    def letters(self, run_id: str) -> list[Letter]:
        """Return what is in the inbox of a run, in the order in which it came."""
        with self._transaction(run_id, READ) as connection:
            return letters_of(connection, known(connection, run_id))

    def save(self, lease: Lease, snapshot: Snapshot) -> None:
        """Keep a snapshot: see `Journal.save`."""
        with self._transaction(lease.run_id, WRITE) as connection:
            row = known(connection, lease.run_id)
            if row["epoch"] == lease.epoch:
                values = (row["run"], snapshot.position, snapshot.text, snapshot.checksum)
                connection.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)", (*values, seal(*values)))

    def snapshot(self, run_id: str) -> Snapshot | None:
        """Return the last snapshot that was kept, if there is one; a damaged one is none, for the log has it all."""
        with self._transaction(run_id, READ) as connection:
            return snapshot_of(connection, known(connection, run_id))

    def truncate(self, run_id: str, position: int, checksum: str) -> None:
        """Drop the end of a log: see `Journal.truncate`."""
        with self._transaction(run_id, WRITE) as connection:
            row = known(connection, run_id)
            connection.execute("DELETE FROM records WHERE run = ? AND position >= ?", (row["run"], position))
            connection.execute("DELETE FROM snapshots WHERE run = ?", (row["run"],))
            change(
                connection,
                row,
                position=position,
                checksum=checksum,
                status="unfinished",
                epoch=row["epoch"] + 1,
                owner=None,
                until=0.0,
                wake=0.0,
                orderly=False,
            )

    def delete(self, run_id: str) -> None:
        """Forget a run, with all that belongs to it."""
        self._stored.pop(run_id, None)
        with self._transaction(run_id, WRITE) as connection:
            row = known(connection, run_id)
            connection.execute("DELETE FROM runs WHERE run = ?", (row["run"],))
            shift(connection, row["status"], -row["mark"])

    def close(self) -> None:
        """Be closed."""
        with self._lock:
            self._closed = True
            self._drop()

    # --- the connection

    @contextmanager
    def _transaction(self, place: str, begin: str, *, wait: bool = True) -> Generator[sqlite3.Connection]:
        """Have a transaction: all that is done in it is stored at its end, or nothing."""
        with self._alone(place, wait=wait):
            if self._closed:
                raise closed(place)
            try:
                connection = self._connected()
                try:
                    self._wait(connection, wait)
                    connection.execute(begin)
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    self._take_back(connection)
                    raise
            except FAULTS as error:
                raise told(place, error) from error

    @contextmanager
    def _alone(self, place: str, *, wait: bool) -> Generator[None]:
        if not self._lock.acquire(blocking=wait):
            raise busy(place)
        try:
            yield
        finally:
            self._lock.release()

    def _wait(self, connection: sqlite3.Connection, wait: bool) -> None:  # noqa: FBT001 - of this class
        if wait is not self._waits:
            connection.execute(f"PRAGMA busy_timeout = {self._timeout * 1000 if wait else 0:.0f}")
            self._waits = wait

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection, self._waits = open_file(self._path, self._timeout, new=False), True
        return self._connection

    def _take_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:  # what went wrong before is told; without its connection nothing of it can be stored
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # all that was committed is durable
                connection.close()

    def _before_fork(self) -> None:
        self._lock.acquire()
        self._drop()

    def _after_fork(self) -> None:
        self._lock.release()


def _add(connection: sqlite3.Connection, run: int, records: Sequence[Record]) -> None:
    values = [(run, record.position, record.text, record.checksum) for record in records]
    connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?)", values)


# --- a process that forks: SQLite's connections cannot be shared, so none is open then, and each opens its own after it

_opened: WeakSet[SqliteJournal] = WeakSet()
_forking = threading.Lock()
_paused: list[SqliteJournal] = []


def _before_fork() -> None:
    _forking.acquire()
    _paused.extend(_opened)
    for journal in _paused:
        journal._before_fork()  # noqa: SLF001 - of this module


def _after_fork() -> None:
    for journal in _paused:
        journal._after_fork()  # noqa: SLF001 - of this module
    _paused.clear()
    _forking.release()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
