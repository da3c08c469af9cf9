"""Replay: a log folded anew, which proves with every record that the plan would do the same again (S36, S39)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast, final

from orchestration.errors import IllegalEvent, InvalidDocument, JournalCorrupt, ReplayMismatch, UnresolvedReference
from orchestration.interpreter.engine import Turned, advance, begin
from orchestration.interpreter.events import AnyEvent, Event, Started
from orchestration.interpreter.pending import Pending, Waiting, emit, note
from orchestration.interpreter.serial import from_data, state_from_data, state_to_data, to_data
from orchestration.journal.protocol import Snapshot
from orchestration.journal.records import (
    VERSION,
    Entry,
    chained,
    clean,
    digests,
    entry_of,
    first_link,
    linked,
    read,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.state import State
    from orchestration.journal.protocol import Head, Journal, Record
    from orchestration.plan.compile import Plan


@final
class Replay:
    """Where a run is after the records so far: its state, what is pending, and the link to the next record."""

    state: State

    def __init__(self, plan: Plan, run_id: str) -> None:
        """Stand before the first record."""
        self.plan = plan
        self.run_id = run_id
        self.pending: Pending = {}
        self.position: int = 0
        self.checksum: str = first_link(run_id)

    def take(self, record: Record) -> Entry:
        """Take the next record; return what it says.

        Raises:
            ReplayMismatch: if the plan does something else now, or cannot read it.
        """
        entry = self._read(record)
        event = entry.event
        try:
            effects = self._start(event) if isinstance(event, Started) else self._advance(event)
        except IllegalEvent as error:
            raise self._mismatch(error.path, found=f"no place for it: {error.expected}", recorded=error.found) from None
        attempted = digests(self.plan, effects)
        if tuple(attempted) != entry.effects:
            raise self._differs(attempted, entry)
        if entry.ended == (self.state.outcome is None):
            found, recorded = ("no end", "the end") if self.state.outcome is None else ("the end", "no end")
            raise self._mismatch(event.path, found=f"{found} of the run", recorded=f"{recorded} of the run")
        self.position += 1
        self.checksum = record.checksum
        return entry

    def _read(self, record: Record) -> Entry:
        try:
            entry = read(self.plan, record)
        except (InvalidDocument, UnresolvedReference) as error:
            raise self._mismatch(error.path, found=error.expected, recorded=error.found) from error
        if isinstance(entry.event, Started) != (self.position == 0):
            raise self._mismatch(entry.event.path, found="a run that goes on", recorded="the start of a run")
        return entry

    def _start(self, event: Started) -> list[Effect]:
        if event.path != self.plan.name or event.run_id != self.run_id:
            found, recorded = f"{self.run_id} of {self.plan.name}", f"{event.run_id} of {event.path}"
            raise self._mismatch(event.path, found=found, recorded=recorded)
        _, effects, self.state = begin(self.plan, event)
        emit(self.pending, effects)
        return effects

    def _advance(self, event: Event) -> list[Effect]:
        self.state, effects = advance(self.plan, self.state, event)
        note(self.pending, event, effects)
        return effects

    def add(self, event: AnyEvent) -> tuple[Turned, Record]:
        """Fold an event that has not been written yet; return what came of it, and its record.

        Raises:
            IllegalEvent: if it cannot happen here.
            Unserialisable: if it holds a value that has no form in JSON.
        """
        effects = self._start(event) if isinstance(event, Started) else self._advance(event)
        turned = Turned(event, effects, self.state)
        entry = entry_of(self.plan, event, effects, self.state.outcome)
        (record,) = chained(self.checksum, self.position, [written(self.plan, entry)])
        self.position, self.checksum = record.position + 1, record.checksum
        return turned, record

    def _differs(self, attempted: Sequence[str], entry: Entry) -> ReplayMismatch:
        """Return the error for the first effect that is another one."""
        longest = max(len(attempted), len(entry.effects))
        pairs = zip(*(_padded(texts, longest) for texts in (attempted, entry.effects)), strict=True)
        found, recorded = next((one, other) for one, other in pairs if one != other)
        path = (recorded or found).split(" ")[1]
        return self._mismatch(path, found=found or "nothing", recorded=recorded or "nothing")

    def _mismatch(self, path: str, *, found: str, recorded: str) -> ReplayMismatch:
        return ReplayMismatch(
            f"{self.run_id}: record {self.position}: {path}",
            found=f"{found}, by the plan as it is now",
            expected=f"{recorded}, as it was recorded",
            mend="Go on with the code that it was begun with; `orchestration delete` forgets it, and undoes nothing.",
        )


def _padded(texts: Sequence[str], length: int) -> list[str]:
    return [*texts, *[""] * (length - len(texts))]


def folded(plan: Plan, journal: Journal, run_id: str, *, whole: bool = False) -> Replay:
    """Fold the log of a run, from its snapshot on if there is one for this plan, or else, or if `whole`, all of it.

    Raises:
        RunNotFound: if the journal has no such run.
        JournalCorrupt: if the log is damaged.
        ReplayMismatch: if the plan as it is now does something else than the log says.
        JournalFailed: if the journal cannot be read.
    """
    head = journal.head(run_id)
    snapshot = None if whole or head.fingerprint != plan.fingerprint else journal.snapshot(run_id)
    replay = (None if snapshot is None else _opened(plan, head, snapshot)) or Replay(plan, run_id)
    records = journal.read(run_id, replay.position)
    look_whole(head, replay.checksum, replay.position, records)
    for record in records:
        replay.take(record)
    return replay


def look_whole(head: Head, before: str, position: int, records: Sequence[Record]) -> None:
    """See that the records from `position` on are those that the head tells of.

    Raises:
        JournalCorrupt: if not; with how many come before the damage.
    """
    sound = clean(before, position, records)
    last = records[sound - 1].checksum if sound else before
    if sound == len(records) and position + sound == head.position and last == head.checksum:
        return
    error = JournalCorrupt(
        head.run_id,
        found=f"{position + sound} sound records, then damage",
        expected=f"{head.position} records",
        mend=f"`orchestration repair {head.run_id}` goes back to the end of the sound ones: what came after is lost.",
    )
    error.clean = position + sound
    raise error


def snapshot_of(replay_state: State, pending: Pending, plan: Plan, position: int, checksum: str) -> Snapshot:
    """Return a snapshot of where a run is after `position` records, the last with this checksum.

    Raises:
        Unserialisable: if the state holds a value that pure functions have made and that has no form in JSON.
    """
    waiting: list[Any] = [
        [path, kind, to_data(plan, waiting.effect, path), waiting.told] for (path, kind), waiting in pending.items()
    ]
    data = {"v": VERSION, "fingerprint": plan.fingerprint, "last": checksum}
    data |= {"state": state_to_data(plan, replay_state), "pending": waiting}
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return Snapshot(position, text, _sealed(checksum, position, text))


def _sealed(last: str, position: int, text: str) -> str:
    """Return the checksum of a snapshot that stands behind a record with the checksum `last`."""
    return linked(f"{last} {position}", text)


def _opened(plan: Plan, head: Head, snapshot: Snapshot) -> Replay | None:
    """Return where a snapshot stands; `None` if it is not whole or of another plan: the log has it all anyway."""
    try:
        data = json.loads(snapshot.text)
        sound = (
            snapshot.checksum == _sealed(data["last"], snapshot.position, snapshot.text)
            and snapshot.position <= head.position
        )
        if not sound or (data["v"], data["fingerprint"]) != (VERSION, plan.fingerprint):
            return None
        replay = Replay(plan, head.run_id)
        replay.state = state_from_data(plan, data["state"])
        for path, kind, effect, told in data["pending"]:
            replay.pending[path, kind] = Waiting(cast("Effect", from_data(plan, effect, path)), told)
    except (ValueError, LookupError, TypeError, RecursionError, InvalidDocument, UnresolvedReference):
        return None
    replay.position, replay.checksum = snapshot.position, data["last"]
    return replay
