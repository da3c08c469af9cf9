"""The laws of journals on who may write: one owner a run, and an inbox for all others (S38)."""

# ruff: noqa: D401 - the docstring of a law is what it says

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from orchestration.errors import JournalError, LeaseLost, RunHeld
from orchestration.frozen import evolve
from orchestration.journal.protocol import Lease, Letter, Snapshot
from orchestration.testing.laws import expect, refuses
from orchestration.testing.laws_journal_desk import PLAN, TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.testing.laws_journal_desk import Desk

T = TypeVar("T")

AT_ONCE = 4
EACH = 5


def an_owner_has_the_next_epoch(desk: Desk) -> None:
    """Who acquires a run has it in the next epoch; the head says so, and that the run was not given up in order."""
    head = desk.begin(epoch=4)
    expect(desk.lease(owner="you", until=31.5), Lease("one", "you", 5, 31.5), "lease")
    expect(desk.journal.head("one"), evolve(head, owner="you", epoch=5, until=31.5, orderly=False), "head")


def a_lease_is_held_until_its_time(desk: Desk) -> None:
    """While a lease lasts nobody else acquires the run, its owner neither; at its end anybody does."""
    desk.begin()
    lease = desk.lease(until=30.0)
    before = desk.seen()
    for owner in ("you", "me"):
        refuses(RunHeld, partial(desk.lease, owner=owner, now=29.9), f"acquire by {owner}")
    expect(desk.seen(), before, "the run after it was refused")
    expect(desk.lease(owner="you", now=30.0, until=40.0).epoch, lease.epoch + 1, "epoch of the next owner")


def a_lease_can_be_renewed(desk: Desk) -> None:
    """A renewed lease lasts longer, in the same epoch, and nothing else changes."""
    desk.begin()
    lease = desk.lease(until=30.0)
    head = desk.journal.head("one")
    expect(desk.journal.renew(lease, 45.0), evolve(lease, until=45.0), "lease")
    expect(desk.journal.head("one"), evolve(head, until=45.0), "head")
    refuses(RunHeld, lambda: desk.lease(now=44.0), "acquire before its end")


def a_lost_lease_writes_nothing(desk: Desk) -> None:
    """Once a run has another owner, the one before writes nothing more: LeaseLost, or nothing happens."""
    desk.begin()
    old = desk.lease(until=30.0)
    desk.lease(owner="you", now=30.0, until=40.0)
    desk.journal.post("one", "letter")
    before = desk.seen()
    records = desk.next("one", "late")
    refuses(LeaseLost, lambda: desk.journal.append(old, records, at=31.0, taken=[1]), "append")
    refuses(LeaseLost, lambda: desk.journal.append(old, [], at=31.0, taken=[1]), "append of nothing")
    refuses(LeaseLost, lambda: desk.journal.renew(old, 99.0), "renew")
    refuses(LeaseLost, lambda: desk.journal.adopt(old, "other", PLAN), "adopt")
    desk.journal.release(old, wake=5.0)
    desk.journal.save(old, Snapshot(1, "state", "sum"))
    expect(desk.seen(), before, "the run")
    expect(desk.journal.plan("other"), None, "the plan that was to be adopted")


def a_lease_that_is_over_is_still_the_last(desk: Desk) -> None:
    """Whose lease is over goes on writing, as long as nobody else has acquired the run: a journal has no clock."""
    desk.begin()
    lease = desk.lease(now=20.0, until=20.5)
    records = desk.write(lease, "late, and first")
    expect([*desk.journal.read("one", 1)], records, "log")
    expect(desk.journal.renew(lease, 50.0).until, 50.0, "until")


def a_released_run_is_free(desk: Desk) -> None:
    """A run that was given up can be acquired at once; its head keeps the epoch, when to wake it and if in order."""
    head = desk.begin()
    for epoch, orderly in ((1, True), (2, False)):
        lease = desk.lease(now=20.0, until=1e9)
        expect(lease.epoch, epoch, "epoch")
        desk.journal.release(lease, wake=55.5, orderly=orderly)
        expect(desk.journal.head("one"), evolve(head, epoch=epoch, wake=55.5, orderly=orderly), "head")


# --- the inbox


def letters_are_numbered(desk: Desk) -> None:
    """Letters come in order, numbered from 1 for each run; a number is not used again after its letter was taken."""
    desk.begin("one")
    desk.begin("two")
    expect([desk.journal.post("one", text) for text in TEXTS], [1, 2, 3, 4, 5, 6], "numbers")
    expect(desk.journal.post("two", "x"), 1, "first number of another run")
    lease = desk.lease("one")
    desk.journal.append(lease, desk.next("one", "took"), at=3.0, taken=[2, 4, 6])
    expect([*desk.journal.letters("one")], [Letter(number, TEXTS[number - 1]) for number in (1, 3, 5)], "left")
    expect(desk.journal.head("one").letters, 3, "how many the head tells")
    desk.journal.append(lease, [], at=3.0, taken=[1, 3, 5])
    expect(desk.journal.post("one", "x"), 7, "number after all were taken")


def a_letter_is_taken_once(desk: Desk) -> None:
    """To take a letter that is not there any more does nothing."""
    desk.begin()
    desk.journal.post("one", "a")
    desk.journal.post("one", "b")
    lease = desk.lease()
    for _ in range(2):
        desk.journal.append(lease, [], at=3.0, taken=[1, 9])
        expect([*desk.journal.letters("one")], [Letter(2, "b")], "inbox")
        expect(desk.journal.head("one").letters, 1, "how many the head tells")


def a_letter_changes_nothing_else(desk: Desk) -> None:
    """Whoever posts, with no lease, changes the inbox and its count: the owner goes on."""
    desk.begin()
    lease = desk.lease()
    before = desk.journal.head("one")
    desk.journal.post("one", "letter")
    expect(desk.journal.head("one"), evolve(before, letters=1), "head")
    expect(len(desk.write(lease, "on")), 1, "records of the owner")


# --- many at once


def one_of_many_acquires(desk: Desk) -> None:
    """Of several threads that acquire a run at the same moment, one gets it, and the others are told so."""
    desk.begin()
    for epoch in range(1, 6):
        answers = _at_once(AT_ONCE, lambda number: _try(lambda: desk.lease(owner=f"owner {number}", until=1e9)))
        leases = [answer for answer in answers if isinstance(answer, Lease)]
        expect([lease.epoch for lease in leases], [epoch], "epochs that were given")
        expect([type(answer) for answer in answers].count(RunHeld), AT_ONCE - 1, "how many were refused")
        expect(desk.journal.head("one").owner, leases[0].owner, "owner")
        desk.journal.release(leases[0])


def many_write_at_once(desk: Desk) -> None:
    """Several threads append to runs of their own and post to one: nothing is lost, and no number is given twice."""
    desk.begin("all")

    def work(number: int) -> list[int]:
        run_id = f"run {number}"
        desk.begin(run_id)
        lease = desk.lease(run_id)
        numbers: list[int] = []
        for step in range(EACH):
            desk.write(lease, f"step {step} of {number}")
            numbers.append(desk.journal.post("all", run_id))
        return numbers

    numbers = [number for given in _at_once(AT_ONCE, work) for number in given]
    expect(sorted(numbers), [*range(1, AT_ONCE * EACH + 1)], "numbers of the letters")
    expect([letter.number for letter in desk.journal.letters("all")], sorted(numbers), "inbox")
    for number in range(AT_ONCE):
        texts = ["began", *(f"step {step} of {number}" for step in range(EACH))]
        expect([record.text for record in desk.journal.read(f"run {number}")], texts, f"log of run {number}")


def _at_once(threads: int, work: Callable[[int], T]) -> list[T]:
    """Do the same in several threads that begin together."""
    gate = threading.Barrier(threads)

    def begin(number: int) -> T:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(begin, range(threads)))


def _try(call: Callable[[], T]) -> T | Exception:
    try:
        return call()
    except JournalError as error:
        return error
