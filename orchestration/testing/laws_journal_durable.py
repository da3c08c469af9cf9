"""The laws of journals on what is left when they are opened again (S34), and that they do what the model does."""

# ruff: noqa: D401 - the docstring of a law is what it says

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from orchestration.errors import JournalError, LeaseLost, OrchestrationError, RunExists
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.protocol import Head, Lease, Letter, Snapshot
from orchestration.journal.records import chained, first_link
from orchestration.testing.laws import expect, refuses
from orchestration.testing.laws_journal_desk import PLAN, STATUSES, TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.journal.protocol import Journal
    from orchestration.testing.laws_journal_desk import Desk

SEEDS = 4
CALLS = 60
RUNS = ("one", "two")


def all_is_kept(desk: Desk) -> None:
    """What was stored is there after the journal is opened again: heads, logs, plans, letters and snapshots."""
    for run_id in RUNS:
        desk.begin(run_id, fingerprint=f"plan of {run_id}")
        lease = desk.lease(run_id)
        desk.write(lease, *TEXTS)
        desk.journal.post(run_id, "letter")
        desk.journal.save(lease, Snapshot(2, "state", "sum"))
    before = [*map(desk.seen, RUNS), [*desk.journal.heads()]]
    desk.reopen()
    expect([*map(desk.seen, RUNS), [*desk.journal.heads()]], before, "what is there")
    expect([desk.journal.plan(f"plan of {run_id}") for run_id in RUNS], [PLAN, PLAN], "plans")


def an_epoch_is_kept(desk: Desk) -> None:
    """After the journal is opened again an owner goes on with its lease, and a former one still has none."""
    desk.begin()
    old = desk.lease(until=30.0)
    new = desk.lease(owner="you", now=30.0, until=40.0)
    desk.reopen()
    refuses(LeaseLost, lambda: desk.write(old, "late"), "append by the former owner")
    desk.write(new, "on")
    expect([record.text for record in desk.journal.read("one")], ["began", "on"], "log")


def numbers_go_on(desk: Desk) -> None:
    """After the journal is opened again no number of a letter is used a second time."""
    desk.begin()
    desk.journal.append(desk.lease(), [], at=1.0, taken=[desk.journal.post("one", "taken")])
    desk.reopen()
    expect(desk.journal.post("one", "next"), 2, "number")
    expect([*desk.journal.letters("one")], [Letter(2, "next")], "inbox")


def what_is_gone_stays_gone(desk: Desk) -> None:
    """After the journal is opened again, deleted runs, dropped records and taken letters are not there."""
    for run_id in RUNS:
        desk.begin(run_id)
    desk.write(desk.lease("two"), "a", "b")
    desk.journal.delete("one")
    desk.journal.truncate("two", 1, desk.journal.read("two")[0].checksum)
    desk.reopen()
    expect([head.run_id for head in desk.journal.heads()], ["two"], "runs")
    expect([record.text for record in desk.journal.read("two")], ["began"], "log")
    refuses(RunExists, lambda: desk.begin("two"), "create of the run that is there")


# --- the model


def it_does_what_the_model_does(desk: Desk) -> None:
    """Any calls have the same answers and errors as those of a `MemoryJournal`, and leave the same behind."""
    for seed in range(SEEDS):
        chance = random.Random(seed)  # noqa: S311 - the same choices each time
        model = MemoryJournal()
        runs = [f"{seed} {run_id}" for run_id in RUNS]
        done: list[str] = []
        for _ in range(CALLS):
            name, call = _any_call(chance, chance.choice(runs), model)
            done.append(name)
            found, expected = (_answer(call, journal) for journal in (desk.journal, model))
            expect(found, expected, f"seed {seed}, after {', '.join(done[:-1])}: {name}")
        for run_id in runs:
            found, expected = (_all_of(journal, run_id) for journal in (desk.journal, model))
            expect(found, expected, f"seed {seed}, after {', '.join(done)}: {run_id}")


def _any_call(chance: random.Random, run_id: str, model: Journal) -> tuple[str, Callable[[Journal], object]]:
    """Return one of all calls, mostly one that can be answered, with its name."""
    head = _head(model, run_id)
    lease = Lease(run_id, "me", head.epoch - chance.choice([0, 0, 0, 1]), 0.0)
    after = max(0, head.position + chance.choice([0, 0, 0, 0, -1, 1]))
    records = [*chained(head.checksum, after, chance.sample(TEXTS, chance.randrange(3)))]
    (first,) = chained(first_link(run_id), 0, ["began"])
    now, later = chance.choice([(10.0, 20.0), (20.0, 40.0), (40.0, 41.5)])
    taken = chance.sample(range(1, 5), chance.randrange(3))
    status, plan = chance.choice(STATUSES), chance.choice(["p1", "p2"])
    began = Head(run_id, "flow", plan, status, 1, first.checksum, created=now, updated=later)
    calls: list[tuple[str, Callable[[Journal], object]]] = [
        ("create", lambda journal: journal.create(began, PLAN, first)),
        ("append", lambda journal: journal.append(lease, records, at=now, status=status, taken=taken)),
        ("append more", lambda journal: journal.append(lease, records, at=now)),
        ("adopt", lambda journal: journal.adopt(lease, plan, PLAN)),
        ("acquire", lambda journal: journal.acquire(run_id, "me", now=now, until=later)),
        ("renew", lambda journal: journal.renew(lease, later)),
        ("release", lambda journal: journal.release(lease, wake=now, orderly=now > later - 15)),
        ("post", lambda journal: journal.post(run_id, plan)),
        ("save", lambda journal: journal.save(lease, Snapshot(after, plan, head.checksum))),
        ("read", lambda journal: [*journal.read(run_id, after)]),
        ("heads", lambda journal: [each for each in journal.heads(status) if each.run_id == run_id]),
        ("truncate", lambda journal: journal.truncate(run_id, 1, first.checksum)),
        ("delete", lambda journal: journal.delete(run_id)),
    ]
    weights = [4] * (len(calls) - 2) + [1, 1]
    return chance.choices(calls, weights)[0]


def _head(journal: Journal, run_id: str) -> Head:
    """Return the head of a run, or of one that could be there."""
    try:
        return journal.head(run_id)
    except JournalError:
        return Head(run_id, "flow", "p1", "unfinished", 1, first_link(run_id), created=1.0, updated=1.0, epoch=1)


def _answer(call: Callable[[Journal], object], journal: Journal) -> object:
    """Return what a call answers, or the kind of its error."""
    try:
        return call(journal)
    except OrchestrationError as error:
        return type(error)


def _all_of(journal: Journal, run_id: str) -> list[object]:
    calls: list[Callable[[Journal], object]] = [
        lambda each: each.head(run_id),
        lambda each: [*each.read(run_id)],
        lambda each: [*each.letters(run_id)],
        lambda each: each.snapshot(run_id),
    ]
    return [_answer(call, journal) for call in calls]
