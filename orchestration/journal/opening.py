"""How a process comes to own a run: it begins it, or takes it over from one that has ended (S35, S38).

All of this blocks, as a journal does, and is done before the driver begins.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple, cast

from orchestration.errors import InvalidDocument, JournalCorrupt, RunExists, UnresolvedReference
from orchestration.interpreter.engine import begin
from orchestration.journal.protocol import Head, Lease
from orchestration.journal.records import clean, first_link, kept, read
from orchestration.journal.refused import held
from orchestration.journal.replay import Replay, folded, look_whole
from orchestration.journal.resumption import resume, settle
from orchestration.plan.diff import document_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.engine import Turned
    from orchestration.interpreter.events import Event, Started
    from orchestration.journal.protocol import Journal, Letter, Record, Status
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan

STATUS: dict[str, Status] = {"Succeeded": "succeeded", "Failed": "failed", "Cancelled": "cancelled"}


class Owner(NamedTuple):
    """Who wants to own a run: from `now` on, and until the time `until` at first."""

    name: str
    now: float
    until: float


class Opened(NamedTuple):
    """A run that this process owns: where it is, the turns that brought it there just now, and what it began with.

    `letters` lie in its inbox.
    """

    lease: Lease
    replay: Replay
    turns: list[Turned]
    began: Started
    letters: Sequence[Letter] = ()


def status_of(outcome: Outcome | None) -> Status:
    """Return the status of a run that has this outcome, or none yet."""
    return "unfinished" if outcome is None else STATUS[type(outcome).__name__]


def create(journal: Journal, plan: Plan, event: Started, owner: Owner | None) -> Opened:
    """Begin a run. Without an owner it waits for one; the lease is nobody's then.

    Raises:
        Unserialisable: if the input has no form in JSON.
        RunExists: if the journal has a run of this id.
    """
    replay = Replay(plan, event.run_id)
    turned, record = replay.add(kept(plan, event))
    epoch, name, until = (0, None, 0.0) if owner is None else (1, owner.name, owner.until)
    head = Head(
        event.run_id,
        plan.name,
        plan.fingerprint,
        status_of(turned.state.outcome),
        replay.position,
        replay.checksum,
        event.at,
        event.at,
        epoch,
        name,
        until,
        orderly=owner is None,
    )
    journal.create(head, document_of(plan), record)
    return Opened(Lease(event.run_id, name or "", epoch, until), replay, [turned], event)


def take_over(journal: Journal, plan: Plan, run_id: str, owner: Owner) -> Opened:
    """Take a run over, and fold what brings it to where it can go on.

    The log is folded before the run is taken, so that a plan that does not fit leaves it as it is.

    Raises:
        RunNotFound: if the journal has no such run.
        RunHeld: if another process has it.
        JournalCorrupt: if the log is damaged.
        ReplayMismatch: if the plan as it is now does something else than the log says.
    """
    before = journal.head(run_id)
    if before.status == "unfinished" and not before.is_free(owner.now):  # who waits for it asks often
        raise held(before, owner.now)
    replay = folded(plan, journal, run_id)
    began = began_with(journal, plan, run_id)
    if replay.state.outcome is not None:
        return Opened(Lease(run_id, "", 0, 0.0), replay, [], began)
    before = journal.head(run_id)
    lease = journal.acquire(run_id, owner.name, now=owner.now, until=owner.until)
    try:
        turns = _taken_up(journal, began, lease, replay, before, owner.now)
        return Opened(lease, replay, turns, began, journal.letters(run_id))
    except BaseException:
        journal.release(lease, wake=before.wake, orderly=before.orderly)
        raise


def _taken_up(journal: Journal, began: Started, lease: Lease, replay: Replay, before: Head, now: float) -> list[Turned]:
    """Fold what the former owner still wrote, then what it has lost, and write that."""
    plan, head, late = replay.plan, journal.head(lease.run_id), journal.read(lease.run_id, replay.position)
    look_whole(head, replay.checksum, replay.position, late)
    for record in late:
        replay.take(record)
    if head.fingerprint != plan.fingerprint:
        journal.adopt(lease, plan.fingerprint, document_of(plan))
    if replay.state.outcome is not None:  # ended meanwhile
        return []
    turns: list[Turned] = []
    records: list[Record] = []

    def fold(event: Event) -> list[Effect]:
        turned, record = replay.add(event)
        turns.append(turned)
        records.append(record)
        return turned.effects

    at = max(now, replay.state.at)
    if lease.epoch > 1:
        resume(plan.name, replay.pending, at, fold, epoch=lease.epoch, counted=not before.orderly)
    else:  # submitted, and begun by nobody: who sees the run has not been told of its start either
        turns.append(begin(plan, began))
        settle(replay.pending, (), at, fold, counted=False)
    if records:
        journal.append(lease, records, at=replay.state.at, status=status_of(replay.state.outcome))
    return turns


def outcome_of(journal: Journal, plan: Plan, run_id: str) -> Outcome | None:
    """Return the outcome of a run that has ended, `None` of one that has not.

    Raises:
        RunNotFound: if the journal has no such run.
        JournalCorrupt: if its log is damaged.
        ReplayMismatch: if the outcome has to be computed anew, by a plan that does something else now.
    """
    head = journal.head(run_id)
    if head.status == "unfinished":
        return None
    tail = journal.read(run_id, max(head.position - 2, 0))
    outcome = None
    if _are_last(tail, head):
        with contextlib.suppress(InvalidDocument, UnresolvedReference):  # of other types: folding says where
            outcome = read(plan, tail[-1]).outcome
    return folded(plan, journal, run_id).state.outcome if outcome is None else outcome


def _are_last(tail: Sequence[Record], head: Head) -> bool:
    """Tell whether these are the last two records of a log, or the only one, and the last is as it was written."""
    if len(tail) != min(head.position, 2):
        return False
    before = tail[0].checksum if len(tail) > 1 else first_link(head.run_id)
    return clean(before, head.position - 1, tail[-1:]) == 1 and tail[-1].checksum == head.checksum


def began_with(journal: Journal, plan: Plan, run_id: str) -> Started:
    """Return the first event of a run.

    Raises:
        JournalCorrupt: if it is damaged: who folds from a snapshot does not see that.
        InvalidDocument: if it does not fit the plan's types.
        UnresolvedReference: if it names a type that the plan does not.
    """
    first = journal.read(run_id, 0, 1)
    if clean(first_link(run_id), 0, first) == 0:
        raise JournalCorrupt(
            run_id,
            found="no sound record at its beginning",
            expected="the first one, with the input of the run",
            mend=f"`orchestration delete {run_id}`, and begin it again.",
        )
    return cast("Started", read(plan, first[0]).event)


def look_equal(journal: Journal, plan: Plan, event: Started) -> None:
    """See that a run of the journal was begun with this input, by a workflow of this name (S5).

    Raises:
        RunExists: if not.
        JournalCorrupt: if what it was begun with is damaged.
    """
    known: Started | None = None
    if journal.head(event.run_id).plan == plan.name:
        with contextlib.suppress(InvalidDocument, UnresolvedReference):
            known = began_with(journal, plan, event.run_id)
    if known is None or known.value != kept(plan, event).value:
        raise RunExists(
            event.run_id,
            found="a run of this id in the journal, with another workflow or input",
            expected="a new run id, or the same workflow and input",
            mend="Choose another run_id.",
        )
