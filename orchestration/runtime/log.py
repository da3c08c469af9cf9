"""The log of a durable run: an event is durable before anything that follows from it is performed (S34).

The machine goes ahead of the log: events that arrive while a batch is being written are folded and make the next batch
(group commit). What followed from them is held back until they are durable, so it may be out of date by then: a timer
that was cancelled has fired, an attempt that was told to end has ended. `is_stale` and `still_due` see to that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypedDict

from orchestration.errors import JournalBusy, Unserialisable
from orchestration.interpreter.effects import Cancel, Pull, RunStep, StartTimer
from orchestration.interpreter.engine import Turned
from orchestration.interpreter.events import (
    CleanupEvent,
    Continued,
    HooksAnswered,
    StepEvent,
    StreamEvent,
    TimerFired,
    UndoEvent,
)
from orchestration.interpreter.pending import ATTEMPT, TIMERS, note, slot_of
from orchestration.journal.opening import status_of
from orchestration.journal.records import chained, entry_of, written
from orchestration.journal.replay import snapshot_of
from orchestration.runtime.tasks import unless_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.effects import Attempted, Effect
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.pending import Pending
    from orchestration.interpreter.state import State
    from orchestration.journal.protocol import Journal, Lease, Record, Status
    from orchestration.journal.replay import Replay
    from orchestration.plan.compile import Plan
    from orchestration.runtime.driver import Driver

MOST = 1_000  # records in a batch
SNAPSHOT = 1 << 18  # letters of log behind the last snapshot, at least, before the next one
ANSWERS = (TimerFired, Continued, HooksAnswered, StreamEvent)  # what may come although it was taken back


class Desk(Protocol):
    """Where calls of a journal are made: in a thread, or here if that is as good."""

    @property
    def took(self) -> float:
        """How long the last commit took, in seconds."""
        ...

    @property
    def is_at_hand(self) -> bool:
        """Whether a commit may be made here."""
        ...

    def commit_here(self, function: Callable[..., Any], *arguments: object, **options: object) -> Any:  # noqa: ANN401 - of any function
        """Make a commit here, and return what it returns."""
        ...

    async def commit(self, function: Callable[..., Any], *arguments: object, **options: object) -> Any:  # noqa: ANN401 - of any function
        """Make a commit, and return what it returns."""
        ...

    async def call(self, function: Callable[..., Any], *arguments: object, **options: object) -> Any:  # noqa: ANN401 - of any function
        """Call a function, and return what it returns."""
        ...


def is_an_end(event: Event) -> bool:
    """Tell whether an event is the end of an attempt that came by itself, not because the process stops (S30)."""
    if not isinstance(event, StepEvent | UndoEvent | CleanupEvent):
        return False
    failure = getattr(event, "failure", None)
    return failure is None or not isinstance(failure.exception, KeyboardInterrupt | SystemExit | asyncio.CancelledError)


class Changes(TypedDict):
    """What a batch changes besides the log: see `Journal.append`."""

    at: float
    status: Status
    taken: list[int]


class Batch(NamedTuple):
    """What is written at once."""

    turns: list[Turned]
    records: list[Record]
    changes: Changes


class Log:
    """The end of a log that this process owns, and what is on the way to it."""

    def __init__(self, plan: Plan, journal: Journal, lease: Lease, replay: Replay, desk: Desk) -> None:
        """Go on behind what was folded."""
        self.lease = lease
        self.pending: Pending = replay.pending
        self._plan = plan
        self._journal = journal
        self._desk = desk
        self._position, self._checksum = replay.position, replay.checksum
        self._at = replay.state.at
        self._waiting: list[Turned] = []
        self._texts: list[str] = []
        self._taken: list[int] = []
        self._writing = False  # or keeping a snapshot: what is written here may not overtake that
        self._added = asyncio.Event()
        self._unsaved = 0
        self._due = SNAPSHOT  # letters, before the next snapshot
        self._closed = False

    @property
    def epoch(self) -> int:
        """How often the run has been taken over."""
        return self.lease.epoch

    @property
    def took(self) -> float:
        """How long the last commit took, in seconds."""
        return self._desk.took

    @property
    def is_written(self) -> bool:
        """Whether all that was added is durable."""
        return not self._waiting and not self._writing

    # --- for the driver

    def is_stale(self, event: Event) -> bool:
        """Tell whether an event answers what the machine has taken back already."""
        if not isinstance(event, ANSWERS):
            return False
        slot = slot_of(event, self.pending)
        waiting = None if slot is None else self.pending.get(slot)
        if waiting is None:
            return True
        return isinstance(waiting.effect, Pull) and waiting.effect.index != getattr(event, "index", None)

    def awaits(self, timer: StartTimer) -> bool:
        """Tell whether the machine still waits for a timer, this very one."""
        waiting = self.pending.get((timer.path, timer.purpose))
        return waiting is not None and waiting.effect is timer

    def has_told(self, effect: Attempted) -> bool:
        """Tell whether the machine has told an attempt to end: the cancel is on its way to the log."""
        waiting = self.pending.get((effect.path, ATTEMPT))
        return waiting is not None and waiting.told

    def still_due(self, effects: list[Effect]) -> list[Effect]:
        """Return the effects without the cancels of attempts that have ended meanwhile."""
        return [effect for effect in effects if type(effect) is not Cancel or self._is_under_way(effect)]

    def _is_under_way(self, cancel: Cancel) -> bool:
        waiting = self.pending.get((cancel.path, ATTEMPT))
        effect = None if waiting is None else waiting.effect
        return cancel.attempt == 0 or (isinstance(effect, RunStep) and effect.attempt == cancel.attempt)

    def add(self, event: Event, effects: list[Effect], state: State) -> None:
        """Take an event that was folded, to be written with the next batch."""
        note(self.pending, event, effects)
        self._texts.append(written(self._plan, entry_of(self._plan, event, effects, state.outcome)))
        self._waiting.append(Turned(event, effects, state))

    def take(self, number: int) -> None:
        """Take a letter out of the inbox, with the next batch."""
        self._taken.append(number)
        self._added.set()

    # --- writing

    async def write(self, driver: Driver) -> None:
        """Write batches until the log is closed; tell the driver of each when it is durable."""
        try:
            while not self._closed:
                await unless_cancelled(self._added.wait())
                self._added.clear()
                while self._waiting or self._taken:
                    driver.released(await self._write_batch())
        except BaseException as error:  # noqa: BLE001 - without its log no run goes on
            driver.give_up(error)

    def write_here(self, *, alone: bool) -> list[Turned]:
        """Write what waits and return it, if that can be done here: otherwise wake who writes, and return nothing.

        It is `alone` if nothing is under way whose end could be in the same batch.
        """
        if not self._waiting or self._writing:
            return []
        small = len(self._waiting) <= MOST and self._unsaved + sum(map(len, self._texts)) < self._due
        if small and alone and self._desk.is_at_hand:
            batch = self._next()
            try:
                self._desk.commit_here(self._journal.append, self.lease, batch.records, **batch.changes, wait=False)
            except JournalBusy:
                self._put_back(batch)
            else:
                self._wrote(batch)
                return batch.turns
        self._added.set()
        return []

    async def _write_batch(self) -> list[Turned]:
        batch = self._next()
        self._writing = True
        await self._append(batch)
        self._wrote(batch)
        if batch.turns:
            await self._save(batch.turns[-1].state)
        self._writing = False
        return batch.turns

    async def _append(self, batch: Batch) -> None:
        await self._desk.commit(self._journal.append, self.lease, batch.records, **batch.changes)

    def _next(self) -> Batch:
        turns, texts, taken = self._waiting[:MOST], self._texts[:MOST], list[int]()
        del self._waiting[:MOST], self._texts[:MOST]
        if not self._waiting:  # otherwise what the letters have said may not be in this batch
            taken, self._taken = self._taken, []
        self._at = turns[-1].state.at if turns else self._at
        status = status_of(turns[-1].state.outcome if turns else None)
        records = [*chained(self._checksum, self._position, texts)]
        return Batch(turns, records, {"at": self._at, "status": status, "taken": taken})

    def _put_back(self, batch: Batch) -> None:
        self._waiting[:0], self._taken[:0] = batch.turns, batch.changes["taken"]
        self._texts[:0] = [record.text for record in batch.records]

    def _wrote(self, batch: Batch) -> None:
        if batch.records:
            self._position, self._checksum = batch.records[-1].position + 1, batch.records[-1].checksum
            self._unsaved += sum(len(record.text) for record in batch.records)

    async def _save(self, state: State) -> None:
        """Save a snapshot when so much has come since the last that to save it costs less than to fold that (S36)."""
        if self._unsaved < self._due or self._waiting or state.root is None:  # what waits is in `pending` already
            return
        try:
            snapshot = snapshot_of(state, self.pending, self._plan, self._position, self._checksum)
        except Unserialisable:  # a pure function made it; the log has what it was made of
            self._due *= 2
            return
        self._unsaved, self._due = 0, max(SNAPSHOT, len(snapshot.text))
        await self._desk.call(self._journal.save, self.lease, snapshot)

    def close(self) -> None:
        """Write no more."""
        self._closed = True
        self._added.set()

    # --- rest

    @property
    def wake(self) -> float | None:
        """When the run goes on by itself, if nothing is under way: infinity if only a signal makes it go on."""
        if self._waiting or self._writing or any(kind not in TIMERS for _, kind in self.pending):
            return None
        timers = [waiting.effect.due for waiting in self.pending.values() if isinstance(waiting.effect, StartTimer)]
        return min(timers, default=float("inf"))
