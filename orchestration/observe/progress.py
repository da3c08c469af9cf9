"""`Progress`: what a run has done so far, counted from its events. Pure: it knows no clock and no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rpds import HashTrieMap

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.events import (
    CancelRequested,
    Resumed,
    Started,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    UndoSucceeded,
)
from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestration.interpreter.events import AnyEvent, StepEvent
    from orchestration.plan.compile import Plan


@frozen
class Counts:
    """What became of the steps at one static path.

    `done` and `undone` count steps. `failed` counts steps whose last attempt failed or timed out: one that is tried
    again leaves it when its next attempt has ended. `retried` counts attempts after the first, `lost` those that were
    under way when their process ended (S35).
    """

    done: int = 0
    failed: int = 0
    retried: int = 0
    undone: int = 0
    lost: int = 0

    def __str__(self) -> str:
        """Say what there is to say, in one line: `1,024 done, 3 failed`."""
        named = (
            (self.done, "done"),
            (self.failed, "failed"),
            (self.retried, "retried"),
            (self.undone, "undone"),
            (self.lost, "lost"),
        )
        return ", ".join(f"{count:,} {name}" for count, name in named if count) or "nothing yet"


NOTHING = Counts()


@frozen
class Progress:
    """The counts of a run by static path. `fold` returns what they are after one more event.

    `paths` are in the order in which they were first heard of. `leaked` are attempts that outlived their cancel: what
    becomes of them later is in the outcome, not in the counts (S24). `resumed` says how often another process
    has taken the run up again.
    """

    paths: tuple[str, ...] = ()
    counts: HashTrieMap[str, Counts] = HashTrieMap()
    name: str = ""
    run_id: str = ""
    cancelled: str | None = None
    leaked: frozenset[tuple[str, int]] = frozenset()
    resumed: int = 0

    @staticmethod
    def of(plan: Plan, events: Iterable[AnyEvent]) -> Progress:
        """Return the progress of a run of `plan` after these events: those of its log, before it is taken up again."""
        progress = Progress(name=plan.name)
        for event in events:
            progress = progress.fold(event)
        return progress

    def at(self, path: str) -> Counts:
        """Return the counts at a static path."""
        return self.counts.get(path, NOTHING)

    def fold(self, event: AnyEvent) -> Progress:
        """Return the progress after this event; one that changes nothing here leaves it as it is."""
        if type(event) is StepSucceeded and event.attempt == 1 and not self.leaked:  # nearly all events are such
            path = static_path(event.path)
            now = self.at(path)
            return self._with(path, Counts(now.done + 1, now.failed, now.retried, now.undone, now.lost))
        match event:
            case Started():
                return evolve(self, name=event.path, run_id=event.run_id)
            case Resumed():  # what had leaked ended with its process
                return evolve(self, name=event.path, resumed=self.resumed + 1, leaked=frozenset())
            case CancelRequested():
                return self if self.cancelled is not None else evolve(self, cancelled=event.reason)
            case StepSucceeded() | StepFailed() | StepTimedOut() | StepCancelled() | StepLeaked():
                return self._step(event)
            case StepLost():
                path = static_path(event.path)
                now = self.at(path)
                return self._with(path, evolve(now, lost=now.lost + 1))
            case UndoSucceeded():
                path = static_path(event.path)
                now = self.at(path)
                return self._with(path, evolve(now, undone=now.undone + 1))
            case _:  # a view goes on with events that it knows nothing of: it is not what decides
                return self

    def _step(self, event: StepEvent) -> Progress:
        attempt = (event.path, event.attempt)
        if attempt in self.leaked:
            return evolve(self, leaked=self.leaked - {attempt})
        known = evolve(self, leaked=self.leaked | {attempt}) if isinstance(event, StepLeaked) else self
        path = static_path(event.path)
        now = self.at(path)
        again = event.attempt > 1
        counts = Counts(
            done=now.done + isinstance(event, StepSucceeded),
            failed=max(0, now.failed - again) + _failed(event),  # what was tried again has not failed
            retried=now.retried + again,
            undone=now.undone,
            lost=now.lost,
        )
        return known._with(path, counts)  # noqa: SLF001 - of this class

    def _with(self, path: str, counts: Counts) -> Progress:
        paths = self.paths if path in self.counts else (*self.paths, path)
        known = self.counts.insert(path, counts)
        return Progress(paths, known, self.name, self.run_id, self.cancelled, self.leaked, self.resumed)


def _failed(event: StepEvent) -> bool:
    match event:
        case StepFailed() | StepTimedOut():
            return True
        case StepLeaked():
            return event.seconds is not None  # by its timeout; without one it was cancelled
        case _:
            return False
