"""`MemoryJournal`: a journal that lives as long as its process. For tests, and as the model of every other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, final

import attrs

from orchestration.frozen import evolve
from orchestration.journal.protocol import Head, Lease, Letter, Record, Snapshot, Status
from orchestration.journal.refused import closed, exists, held, lost, not_found

if TYPE_CHECKING:
    from collections.abc import Sequence


@attrs.define
class Kept:
    """All that is kept of a run."""

    head: Head
    records: list[Record]
    letters: list[Letter] = attrs.Factory(list)
    posted: int = 0
    snapshot: Snapshot | None = None


@final
class MemoryJournal:
    """Keeps runs in memory (S34). Nothing of it survives the process, so it is durable in name only."""

    blocks = False

    def __init__(self) -> None:
        """Keep no run yet."""
        self._runs: dict[str, Kept] = {}
        self._plans: dict[str, str] = {}
        self._lock = threading.Lock()
        self._closed = False

    def create(self, head: Head, plan: str, record: Record) -> None:
        """Begin a run: see `Journal.create`."""
        with self._lock:
            self._look_open(head.run_id)
            if head.run_id in self._runs:
                raise exists(head.run_id)
            self._runs[head.run_id] = Kept(evolve(head, letters=0), [record])
            self._plans.setdefault(head.fingerprint, plan)

    def append(
        self,
        lease: Lease,
        records: Sequence[Record],
        *,
        at: float,
        status: Status = "unfinished",
        taken: Sequence[int] = (),
        wait: bool = True,  # noqa: ARG002 - nobody writes for long
    ) -> None:
        """Add records: see `Journal.append`."""
        with self._lock:
            kept = self._owned(lease)
            if records and records[0].position != kept.head.position:
                raise lost(lease, f"{kept.head.position} records, not {records[0].position}")
            kept.records.extend(records)
            kept.letters = [letter for letter in kept.letters if letter.number not in taken]
            last = kept.records[-1]
            kept.head = evolve(
                kept.head,
                position=last.position + 1,
                checksum=last.checksum,
                status=status,
                updated=at,
                letters=len(kept.letters),
            )

    def read(self, run_id: str, start: int = 0, stop: int | None = None) -> list[Record]:
        """Return records: see `Journal.read`."""
        with self._lock:
            return self._kept(run_id).records[start:stop]

    def head(self, run_id: str) -> Head:
        """Return what is known of a run."""
        with self._lock:
            return self._kept(run_id).head

    def heads(self, status: Status | None = None) -> list[Head]:
        """Return what is known of all runs: see `Journal.heads`."""
        with self._lock:
            self._look_open("journal")
            heads = [kept.head for kept in self._runs.values() if status in (None, kept.head.status)]
        return sorted(heads, key=lambda head: (head.created, head.run_id))

    def plan(self, fingerprint: str) -> str | None:
        """Return the JSON of a plan, if there is one."""
        with self._lock:
            self._look_open("journal")
            return self._plans.get(fingerprint)

    def adopt(self, lease: Lease, fingerprint: str, plan: str) -> None:
        """Note that the run goes on under another plan: see `Journal.adopt`."""
        with self._lock:
            kept = self._owned(lease)
            self._plans.setdefault(fingerprint, plan)
            kept.head = evolve(kept.head, fingerprint=fingerprint)

    def acquire(self, run_id: str, owner: str, *, now: float, until: float) -> Lease:
        """Take a run over: see `Journal.acquire`."""
        with self._lock:
            kept = self._kept(run_id)
            if not kept.head.is_free(now):
                raise held(kept.head, now)
            epoch = kept.head.epoch + 1
            kept.head = evolve(kept.head, owner=owner, epoch=epoch, until=until, orderly=False)
            return Lease(run_id, owner, epoch, until)

    def renew(self, lease: Lease, until: float) -> Lease:
        """Make a lease last longer: see `Journal.renew`."""
        with self._lock:
            kept = self._owned(lease)
            kept.head = evolve(kept.head, until=until)
            return evolve(lease, until=until)

    def release(self, lease: Lease, *, wake: float = 0.0, orderly: bool = True) -> None:
        """Give a run up: see `Journal.release`."""
        with self._lock:
            kept = self._kept(lease.run_id)
            if kept.head.epoch == lease.epoch:
                kept.head = evolve(kept.head, owner=None, until=0.0, wake=wake, orderly=orderly)

    def post(self, run_id: str, text: str) -> int:
        """Put something into the inbox of a run; return its number."""
        with self._lock:
            kept = self._kept(run_id)
            kept.posted += 1
            kept.letters.append(Letter(kept.posted, text))
            kept.head = evolve(kept.head, letters=len(kept.letters))
            return kept.posted

    def letters(self, run_id: str) -> list[Letter]:
        """Return what is in the inbox of a run, in the order in which it came."""
        with self._lock:
            return [*self._kept(run_id).letters]

    def save(self, lease: Lease, snapshot: Snapshot) -> None:
        """Keep a snapshot: see `Journal.save`."""
        with self._lock:
            kept = self._kept(lease.run_id)
            if kept.head.epoch == lease.epoch:
                kept.snapshot = snapshot

    def snapshot(self, run_id: str) -> Snapshot | None:
        """Return the last snapshot that was kept, if there is one."""
        with self._lock:
            return self._kept(run_id).snapshot

    def truncate(self, run_id: str, position: int, checksum: str) -> None:
        """Drop the end of a log: see `Journal.truncate`."""
        with self._lock:
            kept = self._kept(run_id)
            del kept.records[position:]
            kept.snapshot = None
            kept.head = evolve(
                kept.head,
                position=position,
                checksum=checksum,
                status="unfinished",
                epoch=kept.head.epoch + 1,
                owner=None,
                until=0.0,
                wake=0.0,
                orderly=False,
            )

    def delete(self, run_id: str) -> None:
        """Forget a run, with all that belongs to it."""
        with self._lock:
            self._kept(run_id)
            del self._runs[run_id]

    def close(self) -> None:
        """Be closed."""
        with self._lock:
            self._closed = True

    def _look_open(self, path: str) -> None:
        if self._closed:
            raise closed(path)

    def _kept(self, run_id: str) -> Kept:
        self._look_open(run_id)
        kept = self._runs.get(run_id)
        if kept is None:
            raise not_found(run_id)
        return kept

    def _owned(self, lease: Lease) -> Kept:
        kept = self._kept(lease.run_id)
        if kept.head.epoch != lease.epoch:
            raise lost(lease, f"epoch {kept.head.epoch}, not {lease.epoch}")
        return kept
