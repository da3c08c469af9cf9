"""What a journal is: the protocol, and the values that it stores (S34, S38).

A journal keeps, for each run, a *head* and a *log*: records in order, text that the journal does not look into. It
keeps the plans of its runs, one *inbox* a run for what others send, and a *snapshot* a run, which is no more than a
shortcut. Times are given by the caller, in seconds since the epoch: a journal has no clock.

*Durable* means: when `create`, `append` or `post` has returned, what was given survives the end of the process and
the loss of power. When one of them has raised, either all of it is stored or nothing: who does not know which asks
for the head.

Methods block and may be called from any thread, and several processes may have the same journal open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from orchestration.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

Status = Literal["unfinished", "succeeded", "failed", "cancelled"]


@frozen
class Record:
    """One entry of a log. `checksum` covers the `text`, the run and all records before: see `journal.records`."""

    position: int
    text: str
    checksum: str


@frozen
class Head:
    """What a journal knows of a run without its log.

    `plan` is the name of its workflow, `fingerprint` that of the plan that has written the last record. `position` is
    how many records there are, `checksum` that of the last.
    `epoch` counts the owners so far (S38): `owner` has the run until the time `until`; nobody has while it is `None`.
    An unfinished run that nobody has is due from the time `wake` on; before, only what comes into its inbox matters.
    An owner that gave the run up in order left `orderly`: nothing was under way.
    `created` and `updated` are times, `letters` is how many lie in the inbox.
    """

    run_id: str
    plan: str
    fingerprint: str
    status: Status
    position: int
    checksum: str
    created: float
    updated: float
    epoch: int = 0
    owner: str | None = None
    until: float = 0.0
    wake: float = 0.0
    orderly: bool = True
    letters: int = 0

    def is_free(self, now: float) -> bool:
        """Tell whether another process may take the run over."""
        return self.owner is None or self.until <= now

    def is_due(self, now: float) -> bool:
        """Tell whether there is something to do for whoever takes it over."""
        return self.status == "unfinished" and self.is_free(now) and (self.wake <= now or self.letters > 0)


@frozen
class Lease:
    """The right to write to a run's log, and to drive it: for the owner number `epoch` only, until the time `until`."""

    run_id: str
    owner: str
    epoch: int
    until: float


@frozen
class Letter:
    """Something in the inbox of a run: text that the journal does not look into, numbered from 1 as it came in."""

    number: int
    text: str


@frozen
class Snapshot:
    """Where a run was after so many records: a shortcut, never the truth (S36)."""

    position: int
    text: str
    checksum: str


class Journal(Protocol):
    """Where runs are kept.

    All methods raise `JournalFailed` if the storage does, and `JournalCorrupt` if they meet damage; those with a
    `run_id` or a lease raise `RunNotFound` if there is no such run.
    """

    @property
    def blocks(self) -> bool:
        """Whether a call may take time, so that it is better made in a thread."""
        ...

    def create(self, head: Head, plan: str, record: Record) -> None:
        """Begin a run with its first record; `plan` is the document of its plan, kept once for each fingerprint.

        The head is stored as it is, except for its inbox, which is empty.

        Raises:
            RunExists: if there is a run of this id.
        """
        ...

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
        """Add records to a log, all or none, and remove the letters that were `taken` from the inbox with them.

        The first record's position is how many there are. `status` is that of the run from now on, `at` its `updated`.
        Who does not `wait` is refused where others write at this moment: an event loop must not stand still for them.

        Raises:
            JournalBusy: if it was not to wait, and would have to; nothing is stored then.
            LeaseLost: if the run has had another owner since, or the log is longer than that: in the same transaction.
        """
        ...

    def read(self, run_id: str, start: int = 0, stop: int | None = None) -> Sequence[Record]:
        """Return the records from position `start` on, up to `stop`, as far as they are there without a gap."""
        ...

    def head(self, run_id: str) -> Head:
        """Return what is known of a run."""
        ...

    def heads(self, status: Status | None = None) -> Sequence[Head]:
        """Return what is known of all runs (of this status), by the time they were created, then by id."""
        ...

    def plan(self, fingerprint: str) -> str | None:
        """Return the JSON of a plan that a run was begun or adopted with, if there is one."""
        ...

    def adopt(self, lease: Lease, fingerprint: str, plan: str) -> None:
        """Note that the run goes on under another plan (S36).

        Raises:
            LeaseLost: as `append` does.
        """
        ...

    def acquire(self, run_id: str, owner: str, *, now: float, until: float) -> Lease:
        """Take a run over, in the next epoch: its former owner can write no more.

        The head's `owner`, `epoch` and `until` change, and `orderly` becomes false until the lease is released.

        Raises:
            RunHeld: if another has it, and its lease is not over.
        """
        ...

    def renew(self, lease: Lease, until: float) -> Lease:
        """Make a lease last longer.

        Raises:
            LeaseLost: if the run has had another owner since.
        """
        ...

    def release(self, lease: Lease, *, wake: float = 0.0, orderly: bool = True) -> None:
        """Give a run up: nobody has it from now on, and it is due at `wake`. It does nothing for a lost lease."""
        ...

    def post(self, run_id: str, text: str) -> int:
        """Put something into the inbox of a run; return its number."""
        ...

    def letters(self, run_id: str) -> Sequence[Letter]:
        """Return what is in the inbox of a run, in the order in which it came."""
        ...

    def save(self, lease: Lease, snapshot: Snapshot) -> None:
        """Keep a snapshot instead of the one before. It does nothing for a lost lease."""
        ...

    def snapshot(self, run_id: str) -> Snapshot | None:
        """Return the last snapshot that was kept, if there is one."""
        ...

    def truncate(self, run_id: str, position: int, checksum: str) -> None:
        """Drop all records from `position` on, the snapshot and any lease: `checksum` is that of the last one left.

        For `repair` only (S37): the run is unfinished after it.
        """
        ...

    def delete(self, run_id: str) -> None:
        """Forget a run, with all that belongs to it."""
        ...

    def close(self) -> None:
        """Give back what the journal holds open. A closed journal raises `JournalFailed`."""
        ...
