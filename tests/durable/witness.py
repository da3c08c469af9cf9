"""Holds what a durable run has left behind against the rules: its log, what was acknowledged, what was done."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPLETED = {"StepSucceeded": "RunStep", "UndoSucceeded": "RunUndo", "CleanupSucceeded": "RunCleanup"}
LOST = {"StepLost": "RunStep", "UndoLost": "RunUndo", "CleanupLost": "RunCleanup"}


class Written(NamedTuple):
    """What a journal holds of a run: its records as data, and their checksums."""

    records: list[Any]
    checksums: list[str]

    @property
    def emitted(self) -> Counter[str]:
        """How often each attempt was emitted: kind, path and number."""
        words = (digest.split() for record in self.records for digest in record["effects"])
        return Counter(f"{kind} {path}" for kind, path, *_ in words)

    @property
    def completed(self) -> set[str]:
        """Kind and path of what is done for good."""
        events = (record["event"] for record in self.records)
        return {f"{COMPLETED[event['is']]} {event['path']}" for event in events if event["is"] in COMPLETED}


class Witness:
    """Looks at a run after each death, and at the end."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self._done: dict[str, int] = {}  # what was durably completed, and how often it had begun by then

    def look(self, written: Written, performed: Iterable[str]) -> None:
        """Hold what was performed, lines of `began` or `ended`, kind, path#attempt and key, against S34, S35 and S5."""
        began, ended = Counter[str](), Counter[str]()
        keys: dict[str, str] = {}
        for how, kind, attempt, key in map(str.split, performed):
            (began if how == "began" else ended)[f"{kind} {attempt}"] += 1
            assert keys.setdefault(f"{kind} {_path(attempt)}", key) == key, "S5: one key for all attempts"
        emitted = written.emitted
        for attempt, count in began.items():
            assert count <= emitted[attempt], f"S34: {attempt} began before it was durable"
        for place in written.completed:
            assert _count(ended, place) >= 1, f"S34: {place} is recorded, and was not done"
            assert _count(began, place) == self._done.setdefault(place, _count(began, place)), f"S35: {place} ran again"
        for record in written.records:
            _look_at_loss(record)


def _look_at_loss(record: Any) -> None:
    """S35: what is lost begins again with the same number, unless it settles."""
    event = record["event"]
    if event["is"] in LOST:
        again = f"{LOST[event['is']]} {event['path']}#"
        for digest in record["effects"]:
            assert not digest.startswith(again) or digest.startswith(f"{again}{event['attempt']} "), digest


def _path(attempt: str) -> str:
    return attempt.rpartition("#")[0]


def _count(counter: Counter[str], place: str) -> int:
    return sum(count for attempt, count in counter.items() if _path(attempt) == place)
