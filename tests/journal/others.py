"""What other processes do in the tests of a journal: each answers what it is told through its pipe."""

from __future__ import annotations

import os
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from orchestration.errors import LeaseLost, RunHeld
from orchestration.journal.sqlite import SqliteJournal
from tests.journal.keeping import began, create, following

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from orchestration.journal.protocol import Lease

PATIENCE = 60.0  # seconds, before a test gives up on a process


class Other:
    """Another process with a journal of its own."""

    def __init__(self, name: str) -> None:
        """Start it."""
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(target=main, args=(name, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def tell(self, *command: object) -> None:
        """Tell it to do something."""
        self._pipe.send(command)

    def hear(self) -> Any:
        """Wait for its answer."""
        assert self._pipe.poll(PATIENCE), "the other process does not answer"
        return self._pipe.recv()

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.join(PATIENCE)
        self._pipe.close()


def main(name: str, pipe: Connection) -> None:
    """Do what the pipe tells, until it is closed."""
    journals: dict[str, SqliteJournal] = {}
    leases: dict[str, Lease] = {}
    while True:
        try:
            command, path, *rest = pipe.recv()
        except EOFError:
            return
        match command:
            case "open":
                journals[path] = SqliteJournal(path, timeout=PATIENCE)
                journals[path].create(began(name)[0], "the plan", began(name)[1])
                pipe.send("opened")
            case "acquire":
                pipe.send(_acquire(journals[path], name, leases, *rest))
            case "append":
                pipe.send(_append(journals[path], name, leases[path]))
            case "lease":
                leases[path] = rest[0]
                journals[path] = SqliteJournal(path, timeout=PATIENCE)
                pipe.send("has it")
            case "write":
                _write_for_ever(SqliteJournal(path), pipe)
            case "fork":
                pipe.send(_fork(SqliteJournal(path)))


def _acquire(journal: SqliteJournal, name: str, leases: dict[str, Lease], run_id: str, now: float) -> int | None:
    try:
        lease = journal.acquire(run_id, name, now=now, until=now + 1)
    except RunHeld:
        return None
    leases[journal._path] = lease
    return lease.epoch


def _append(journal: SqliteJournal, name: str, lease: Lease) -> bool:
    try:
        journal.append(lease, following(journal, lease.run_id, f"{lease.epoch} {name}"), at=1.0)
    except LeaseLost:
        return False
    return True


def _write_for_ever(journal: SqliteJournal, pipe: Connection) -> None:
    lease = create(journal, "written")
    while True:
        records = following(journal, "written", *["some text " * 20] * 3)
        journal.append(lease, records, at=1.0)
        pipe.send(records[-1].position)


def _fork(journal: SqliteJournal) -> list[object]:
    """Let this process and its child use the journal by turns; the child ends before this one, or dies."""
    lease = create(journal, "forked")
    status = 0
    for _ in range(3):
        journal.append(lease, following(journal, "forked", "parent"), at=1.0)
        child = os.fork()
        if child == 0:
            try:
                journal.append(lease, following(journal, "forked", "child"), at=1.0)
                journal.close()
                os._exit(0)
            finally:
                os._exit(1)
        status |= os.waitpid(child, 0)[1]
    journal.append(lease, following(journal, "forked", "last"), at=1.0)
    return [status, [record.text for record in journal.read("forked", 1)]]
