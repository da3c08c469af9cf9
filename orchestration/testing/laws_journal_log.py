"""The laws of journals on what is kept of a run: its log, head, plan and snapshot (S34)."""

# ruff: noqa: D401 - the docstring of a law is what it says

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from orchestration.errors import JournalFailed, LeaseLost, RunExists, RunNotFound
from orchestration.frozen import evolve
from orchestration.journal.protocol import Lease, Letter, Record, Snapshot
from orchestration.journal.records import chained, first_link
from orchestration.testing.laws import expect, refuses
from orchestration.testing.laws_journal_desk import PLAN, STATUSES, TEXTS, about

if TYPE_CHECKING:
    from orchestration.journal.protocol import Status
    from orchestration.testing.laws_journal_desk import Desk


def create_keeps_the_run(desk: Desk) -> None:
    """A run that was created is there: its head as given, its inbox empty, its record and its plan."""
    head = desk.begin(owner="me", epoch=3, until=9.5, wake=4.25, orderly=False, letters=7)
    expect(desk.journal.head("one"), evolve(head, letters=0), "head")
    expect([*desk.journal.read("one")], [*chained(first_link("one"), 0, ["began"])], "log")
    expect([*desk.journal.letters("one")], [], "inbox")
    expect(desk.journal.plan("print"), PLAN, "plan")
    expect(desk.journal.snapshot("one"), None, "snapshot")


def a_run_id_is_used_once(desk: Desk) -> None:
    """A second run of the same id is refused, and changes nothing."""
    desk.begin()
    before = desk.seen()
    refuses(RunExists, lambda: desk.begin(created=99.0, fingerprint="other"), "create")
    expect(desk.seen(), before, "the run")
    expect(desk.journal.plan("other"), None, "the plan of the run that was refused")


def records_come_back_in_order(desk: Desk) -> None:
    """What was appended is read back, from any position to any other, in order and letter by letter."""
    desk.begin()
    lease = desk.lease()
    records = [*desk.journal.read("one"), *desk.write(lease, *TEXTS), *desk.write(lease, "last")]
    for start in range(len(records) + 2):
        expect([*desk.journal.read("one", start)], records[start:], f"the log from {start} on")
        expect([*desk.journal.read("one", start, 2)], records[start:2], f"the log from {start} to 2")


def runs_do_not_mix(desk: Desk) -> None:
    """What belongs to one run is not seen in another."""
    desk.begin("one")
    desk.begin("two")
    before = desk.seen("two")
    desk.write(desk.lease("one"), "more")
    desk.journal.post("one", "letter")
    expect(desk.seen("two"), before, "the other run")


def the_head_follows_the_log(desk: Desk) -> None:
    """After an append the head tells how many records there are, the last checksum, the status and the time."""
    head = desk.begin()
    lease = desk.lease()
    *_, last = records = desk.next("one", "a", "b")
    desk.journal.append(lease, records, at=77.5, status="failed")
    changed = evolve(head, position=3, checksum=last.checksum, status="failed", updated=77.5)
    expect(desk.journal.head("one"), evolve(changed, owner="me", epoch=1, until=30.0, orderly=False), "head")


def an_append_may_be_empty(desk: Desk) -> None:
    """An append without records changes the status and the time, and takes letters."""
    desk.begin()
    lease = desk.lease()
    number = desk.journal.post("one", "letter")
    before = desk.journal.head("one")
    desk.journal.append(lease, [], at=50.0, status="cancelled", taken=[number])
    expect(desk.journal.head("one"), evolve(before, updated=50.0, status="cancelled", letters=0), "head")


def an_append_need_not_wait(desk: Desk) -> None:
    """An append that is not to wait for others does what any does where there are none."""
    head = desk.begin()
    lease = desk.lease()
    *_, last = records = desk.next("one", "a", "b")
    desk.journal.append(lease, records, at=77.5, wait=False)
    expect(desk.journal.read("one", 1), records, "records")
    changed = evolve(head, position=3, checksum=last.checksum, updated=77.5)
    expect(desk.journal.head("one"), evolve(changed, owner="me", epoch=1, until=30.0, orderly=False), "head")


def an_append_knows_its_place(desk: Desk) -> None:
    """An append whose first record is not the next one is refused, and nothing of it is stored."""
    desk.begin()
    lease = desk.lease()
    desk.write(lease, "a", "b")
    number = desk.journal.post("one", "letter")
    before = desk.seen()
    for position in (0, 1, 2, 4, 9):
        wrong = [*chained("0" * 32, position, ["x", "y"])]
        append = partial(desk.journal.append, lease, wrong, at=60.0, status="failed", taken=[number])
        refuses(LeaseLost, append, f"append at {position}")
        expect(desk.seen(), before, f"the run after a refused append at {position}")


def unknown_runs_are_told(desk: Desk) -> None:
    """Every call about a run that is not there raises RunNotFound."""
    desk.begin()
    lease, record = Lease("none", "me", 1, 9.0), Record(1, "x", "y")
    for name, call in about(desk.journal, lease, record).items():
        refuses(RunNotFound, call, name)


def answers_are_copies(desk: Desk) -> None:
    """Who changes what a journal has answered changes nothing in it."""
    desk.begin()
    desk.journal.post("one", "letter")
    before = desk.seen(), [*desk.journal.heads()]
    for answer in (desk.journal.read("one"), desk.journal.letters("one"), desk.journal.heads()):
        if isinstance(answer, list):
            answer.clear()
    expect((desk.seen(), [*desk.journal.heads()]), before, "the journal")


def heads_are_listed(desk: Desk) -> None:
    """All heads are listed, by the time of creation, then by id; or those of one status, which an append changes."""
    expect([*desk.journal.heads()], [], "heads of an empty journal")
    for run_id, created in (("b", 2.0), ("a", 2.0), ("c", 1.0), ("ä", 2.0)):
        desk.begin(run_id, created)
    ends: dict[str, Status] = {"a": "failed", "c": "succeeded"}
    for run_id, status in ends.items():
        desk.journal.append(desk.lease(run_id), desk.next(run_id, "end"), at=3.0, status=status)
    expect([head.run_id for head in desk.journal.heads()], ["c", "a", "b", "ä"], "all")
    expect([*desk.journal.heads()], [desk.journal.head(run_id) for run_id in ("c", "a", "b", "ä")], "heads")
    found = {status: [head.run_id for head in desk.journal.heads(status)] for status in STATUSES}
    expect(found, {"unfinished": ["b", "ä"], "succeeded": ["c"], "failed": ["a"], "cancelled": []}, "by status")


def plans_are_kept_once(desk: Desk) -> None:
    """A plan is kept for each fingerprint, as it was first given; an unknown one is None."""
    desk.begin("one", fingerprint="p1")
    desk.begin("two", fingerprint="p2")
    expect([desk.journal.plan(name) for name in ("p1", "p2", "p3")], [PLAN, PLAN, None], "plans")
    lease = desk.lease("one")
    desk.journal.adopt(lease, "p2", "another text")
    desk.journal.adopt(lease, "p3", "the third")
    expect([desk.journal.plan(name) for name in ("p1", "p2", "p3")], [PLAN, PLAN, "the third"], "plans, one adopted")
    expect([desk.journal.head(run_id).fingerprint for run_id in ("one", "two")], ["p3", "p2"], "what the runs go by")


# --- snapshots, truncate, delete, close


def the_last_snapshot_is_kept(desk: Desk) -> None:
    """A snapshot takes the place of the one before, and changes nothing else."""
    desk.begin()
    lease = desk.lease()
    before = desk.journal.head("one")
    for snapshot in (Snapshot(1, TEXTS[3], "s1"), Snapshot(1, TEXTS[5], "s2")):
        desk.journal.save(lease, snapshot)
        expect(desk.journal.snapshot("one"), snapshot, "snapshot")
    expect(desk.journal.head("one"), before, "head")


def truncate_drops_the_end(desk: Desk) -> None:
    """A truncated log ends earlier; the run is unfinished, without owner or snapshot, and its letters are left."""
    head = desk.begin()
    lease = desk.lease()
    records = desk.write(lease, "a", "b", "c")
    desk.journal.save(lease, Snapshot(3, "state", "sum"))
    desk.journal.post("one", "letter")
    desk.journal.append(lease, [], at=50.0, status="failed")
    desk.journal.truncate("one", 2, records[0].checksum)
    expect([*desk.journal.read("one", 1)], records[:1], "log")
    expect(desk.journal.snapshot("one"), None, "snapshot")
    expect([*desk.journal.letters("one")], [Letter(1, "letter")], "inbox")
    left = evolve(head, position=2, checksum=records[0].checksum, updated=50.0, epoch=2, orderly=False, letters=1)
    expect(desk.journal.head("one"), left, "head")
    expect([*desk.journal.heads("unfinished")], [left], "unfinished runs")


def truncate_takes_the_lease(desk: Desk) -> None:
    """Whoever had a run that was truncated has lost it; the next owner goes on from its new end."""
    desk.begin()
    old = desk.lease(until=1e9)
    (record,) = desk.write(old, "a")
    desk.journal.truncate("one", 1, desk.journal.read("one")[0].checksum)
    refuses(LeaseLost, lambda: desk.journal.append(old, [record], at=5.0), "append by the former owner")
    again = desk.write(desk.lease(), "another a")
    expect([*desk.journal.read("one", 1)], again, "log")


def delete_forgets_all(desk: Desk) -> None:
    """Of a deleted run nothing is left, and a new run of its id begins with nothing; other runs stay."""
    desk.begin("other")
    desk.journal.post("other", "letter")
    other = desk.seen("other")
    desk.begin()
    lease = desk.lease()
    desk.write(lease, "a", "b")
    desk.journal.save(lease, Snapshot(1, "state", "sum"))
    desk.journal.post("one", "letter")
    desk.journal.delete("one")
    refuses(RunNotFound, lambda: desk.journal.head("one"), "head")
    refuses(RunNotFound, lambda: desk.journal.append(lease, [], at=1.0), "append")
    expect([head.run_id for head in desk.journal.heads()], ["other"], "heads")
    head = desk.begin()
    expect(desk.seen(), (head, [*chained(first_link("one"), 0, ["began"])], [], None), "the new run of that id")
    expect(desk.journal.post("one", "x"), 1, "number of its first letter")
    expect(desk.seen("other"), other, "the other run")


def a_closed_journal_fails(desk: Desk) -> None:
    """Every call of a closed journal raises JournalFailed, whatever it is about; to close it again does nothing."""
    desk.begin()
    lease = desk.lease()
    record = desk.next("one", "x")[0]
    for _ in range(2):
        desk.journal.close()
        calls = about(desk.journal, lease, record)
        calls |= {"create": partial(desk.begin, "two"), "heads": desk.journal.heads}
        calls |= {"plan": partial(desk.journal.plan, "print")}
        for name, call in calls.items():
            refuses(JournalFailed, call, name)
