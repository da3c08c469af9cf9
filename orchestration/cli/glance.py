"""What can be read of a log without the code of its workflow: records are JSON, and say by name what they are about.

What is pending is followed as `interpreter.pending` does, by the digests of effects in place of the effects (S34). A
snapshot saves reading what is before it, so that a glance at a long log takes no longer than at a short one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration.frozen import frozen
from orchestration.interpreter.pending import ATTEMPT, ENDED, KINDS, SLOTS, Slot
from orchestration.journal.records import VALUES_OF, clean, first_link, linked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.journal.protocol import Head, Journal, Record

    Waits = dict[Slot, "Wait"]

ATTEMPTS = {"RunStep": "step", "RunUndo": "undo", "RunCleanup": "cleanup"}
ENDS = {kind.__name__: effect.__name__ for kind, effect in ENDED.items()}
ANSWERS = {kind.__name__: slot for kind, slot in SLOTS.items()}
VALUES = {kind.__name__: name for kind, name in VALUES_OF.items()} | {"Succeeded": "value"}
WAITS = {
    "AskHooks": ("ask", "hooks are asked"),
    "Pull": ("pull", "waits for an item of its stream"),
    "Continue": ("continue", "goes on"),
}
TIMED = {"backoff": "waits to be tried again", "timeout": "has a timeout", "sleep": "sleeps"}


@frozen
class Wait:
    """Something that is pending at a path; `effect` and `attempt` tell what its end will be called."""

    path: str
    what: str
    effect: str = ""
    attempt: int = 0


class Glance(NamedTuple):
    """What is pending in a run, its last records as JSON data, and whether the records that were read are sound."""

    waits: list[Wait]
    last: list[tuple[int, dict[str, Any]]]
    sound: bool


def glance(journal: Journal, head: Head, last: int) -> Glance:
    """Look at the end of a log: at what is behind its snapshot, and at its `last` records."""
    known, position = _snapshot(journal, head)
    start = max(0, min(position, head.position - last) - 1)  # and the one before, to which the first is linked
    records = journal.read(head.run_id, start)
    sound = _is_sound(head, start, records)
    waits, shown = known, list[tuple[int, dict[str, Any]]]()
    for record in records:
        data = _data(record)
        sound = sound and bool(data)
        if record.position >= position and data:
            _follow(waits, data["event"], data["effects"])
        if record.position >= head.position - last:
            shown.append((record.position, data))
    return Glance([*waits.values()] if head.status == "unfinished" else [], shown, sound)


def _is_sound(head: Head, start: int, records: Sequence[Record]) -> bool:
    before = first_link(head.run_id)
    behind = records
    if start > 0 and records:
        before, behind = records[0].checksum, records[1:]
    whole = clean(before, start + len(records) - len(behind), behind) == len(behind)
    return whole and start + len(records) == head.position and bool(records) and records[-1].checksum == head.checksum


def _data(record: Record) -> dict[str, Any]:
    """Return what a record says, nothing if it is no record of this version."""
    try:
        data: dict[str, Any] = json.loads(record.text)
    except (ValueError, RecursionError):
        return {}
    match data:
        case {"v": 1, "event": {"is": str(), "path": str()}, "effects": list()}:
            return data
        case _:
            return {}


def _snapshot(journal: Journal, head: Head) -> tuple[Waits, int]:
    """Return what was pending at the last snapshot, and how many records are before it."""
    snapshot = journal.snapshot(head.run_id)
    if snapshot is None:
        return {}, 0
    try:
        data = json.loads(snapshot.text)
        if snapshot.checksum != linked(data["last"], snapshot.text) or snapshot.position > head.position:
            return {}, 0
        waits: Waits = {}
        for path, slot, effect, told in data["pending"]:
            waits[path, slot] = _kept(path, slot, effect, told=told)
    except (ValueError, LookupError, TypeError, RecursionError):  # the log has it all anyway
        return {}, 0
    return waits, snapshot.position


def _kept(path: str, slot: str, effect: dict[str, Any], *, told: bool) -> Wait:
    """Return what an effect in a snapshot waits for."""
    kind = effect["is"]
    if kind in ATTEMPTS:
        return _attempt(path, kind, effect["attempt"], told=told)
    return Wait(path, TIMED[slot] if slot in TIMED else WAITS[kind][1])


def _attempt(path: str, kind: str, attempt: int, *, told: bool = False) -> Wait:
    what = f"attempt {attempt} of its {ATTEMPTS[kind]}" + (", told to end" if told else "")
    return Wait(path, what, kind, attempt)


def _follow(waits: Waits, event: dict[str, Any], effects: list[str]) -> None:
    """Bring what is pending up to date with a record."""
    kind, path, attempt = event["is"], event["path"], event.get("attempt", 0)
    if kind in ENDS:
        slot = path, ATTEMPT
        wait = waits.get(slot)
        if wait is None or (wait.effect, wait.attempt) != (ENDS[kind], attempt):
            slot = path, f"leaked#{attempt}"
        ended = waits.pop(slot, None)
        if kind == "StepLeaked" and ended is not None:
            waits[path, f"leaked#{attempt}"] = Wait(path, f"attempt {attempt} has leaked", ended.effect, attempt)
    elif kind == "TimerFired":
        waits.pop((path, event["purpose"]), None)
    elif kind in ANSWERS:
        waits.pop((path, ANSWERS[kind]), None)
    elif kind == "Resumed":
        for slot in [slot for slot in waits if slot[1] not in KINDS]:
            del waits[slot]
    for effect in effects:
        _emit(waits, *effect.split(" "))


def _numbered(path: str) -> tuple[str, int]:
    """Return a path and the number of the attempt behind it."""
    path, _, attempt = path.rpartition("#")
    return path, int(attempt)


def _emit(waits: Waits, kind: str, path: str, *rest: str) -> None:
    """Add what an effect waits for, by its digest, or remove what it takes back."""
    if kind in ATTEMPTS:
        path, attempt = _numbered(path)
        waits[path, ATTEMPT] = _attempt(path, kind, attempt)
    elif kind in WAITS:
        slot, what = WAITS[kind]
        waits[path, slot] = Wait(path, what)
    elif kind == "StartTimer":
        waits[path, rest[0]] = Wait(path, TIMED[rest[0]])
    elif kind == "CancelTimer":
        waits.pop((path, rest[0]), None)
    elif kind == "CloseStream":
        waits.pop((path, "pull"), None)
    elif kind == "Cancel" and (_numbered(path)[0], ATTEMPT) in waits:
        path, _ = _numbered(path)
        wait = waits[path, ATTEMPT]
        waits[path, ATTEMPT] = _attempt(path, wait.effect, wait.attempt, told=True)
