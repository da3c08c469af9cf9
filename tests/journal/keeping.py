"""What tests of journals share: a filled journal, and an open file of SQLite that can be made to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.journal.protocol import Head, Lease, Snapshot
from orchestration.journal.records import chained, first_link, linked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.journal.protocol import Journal, Record

RUNS = ("first", "second", "third")
NOON = 1_700_000_000.5


def began(run_id: str, fingerprint: str = "print") -> tuple[Head, Record]:
    """Return the head of a new run that nobody has, and its first record."""
    (record,) = chained(first_link(run_id), 0, [f"{run_id} began"])
    return Head(run_id, "flow", fingerprint, "unfinished", 1, record.checksum, NOON, NOON), record


def create(journal: Journal, run_id: str = "first") -> Lease:
    """Create a run and acquire it."""
    head, record = began(run_id)
    journal.create(head, "the plan", record)
    return journal.acquire(run_id, "me", now=NOON, until=NOON + 30)


def following(journal: Journal, run_id: str, *texts: str) -> list[Record]:
    """Return the records that come next."""
    head = journal.head(run_id)
    return list(chained(head.checksum, head.position, texts))


def fill(journal: Journal) -> Iterator[None]:
    """Do a little of everything; stop after each call."""
    for number, run_id in enumerate(RUNS):
        head, record = began(run_id, f"print {number % 2}")
        yield journal.create(head, f"the plan of {run_id}", record)
        lease = journal.acquire(run_id, "me", now=NOON, until=NOON + 30)
        yield
        for step in range(3):
            text = f"step {step} of {run_id}" * (1 + 30 * (step == 1))
            yield journal.append(lease, following(journal, run_id, text, f"{step} done"), at=NOON + step)
        yield from _others(journal, run_id)
        head = journal.head(run_id)
        state = f"state of {run_id}"
        yield journal.save(lease, Snapshot(head.position, state, linked(head.checksum, state)))
    yield journal.append(lease, following(journal, run_id, "end"), at=NOON + 9, status="succeeded", taken=[1])
    yield journal.release(lease, wake=NOON + 60)


def _others(journal: Journal, run_id: str) -> Iterator[None]:
    for text in ("go on", "stop"):
        journal.post(run_id, f"{text}, {run_id}")
        yield
