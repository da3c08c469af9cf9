"""What the laws of journals work with: a journal, and what they do with it most often."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from orchestration.frozen import evolve
from orchestration.journal.protocol import Head, Snapshot, Status
from orchestration.journal.records import chained, first_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.journal.protocol import Journal, Lease, Record

STATUSES: tuple[Status, ...] = get_args(Status)
PLAN = '{"kind": "plan"}'
TEXTS = ("", "plain", 'with "quotes", \\ and \n lines', "naïve ẞ 漢 😀", "\0 and \x7f", "long " * 5_000)


class Desk:
    """A journal to try a law on, and what laws do most often."""

    def __init__(self, journal: Journal, reopen: Callable[[Journal], Journal] | None = None) -> None:
        """Begin with an empty journal."""
        self.journal: Journal = journal
        self._reopen = reopen

    def reopen(self) -> None:
        """Go on with what the storage has kept."""
        if self._reopen is None:
            raise TypeError("`check_journal` was given no `reopen`: the journal is tried only while it is open")
        self.journal = self._reopen(self.journal)

    def begin(self, run_id: str = "one", created: float = 10.0, **fields: object) -> Head:
        """Create a run that nobody has."""
        (record,) = chained(first_link(run_id), 0, ["began"])
        head = evolve(
            Head(run_id, "flow", "print", "unfinished", 1, record.checksum, created=created, updated=created), **fields
        )
        self.journal.create(head, PLAN, record)
        return head

    def lease(self, run_id: str = "one", owner: str = "me", now: float = 20.0, until: float = 30.0) -> Lease:
        """Acquire a run."""
        return self.journal.acquire(run_id, owner, now=now, until=until)

    def write(self, lease: Lease, *texts: str) -> list[Record]:
        """Append records, and return them."""
        records = self.next(lease.run_id, *texts)
        self.journal.append(lease, records, at=21.0)
        return records

    def next(self, run_id: str, *texts: str) -> list[Record]:
        """Return the records that come next."""
        head = self.journal.head(run_id)
        return list(chained(head.checksum, head.position, texts))

    def seen(self, run_id: str = "one") -> tuple[object, ...]:
        """Return all that can be seen of a run."""
        journal = self.journal
        return (
            journal.head(run_id),
            [*journal.read(run_id)],
            [*journal.letters(run_id)],
            journal.snapshot(run_id),
        )


def about(journal: Journal, lease: Lease, record: Record) -> dict[str, Callable[[], object]]:
    """Return a call of every method that is about a run."""
    run_id = lease.run_id
    return {
        "append": lambda: journal.append(lease, [record], at=1.0),
        "append of nothing": lambda: journal.append(lease, [], at=1.0),
        "read": lambda: journal.read(run_id),
        "head": lambda: journal.head(run_id),
        "adopt": lambda: journal.adopt(lease, "print", PLAN),
        "acquire": lambda: journal.acquire(run_id, "you", now=1e9, until=2e9),
        "renew": lambda: journal.renew(lease, 1e9),
        "release": lambda: journal.release(lease),
        "post": lambda: journal.post(run_id, "x"),
        "letters": lambda: journal.letters(run_id),
        "save": lambda: journal.save(lease, Snapshot(1, "x", "y")),
        "snapshot": lambda: journal.snapshot(run_id),
        "truncate": lambda: journal.truncate(run_id, 1, "x"),
        "delete": lambda: journal.delete(run_id),
    }
