"""Records: an event and what followed from it as text, in a chain of checksums (S34, S37).

A record is one JSON object:

    {"v": 1, "event": {"is": "StepSucceeded", …}, "effects": ["RunStep flow/pay#1 charge 9c1f…", …]}

`event` is written by the plan's codec, so it names the class of every value, and reading it imports nothing. `effects`
are the *digests* of the effects that followed: kind, path and attempt, the name of the body, and a hash of the input.
The last record of a run has its `outcome` as well.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import attrs

from orchestration.errors import InvalidDocument, Unserialisable
from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.interpreter.effects import (
    AskHooks,
    Cancel,
    CancelTimer,
    Pull,
    RunCleanup,
    RunStep,
    RunUndo,
    StartTimer,
    Tell,
)
from orchestration.interpreter.events import AnyEvent, Pulled, PullFailed, StepFailed, StepSucceeded
from orchestration.interpreter.serial import EVENTS, from_data, to_data
from orchestration.journal.protocol import Record
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.plan.codec import canonical
from orchestration.plan.sealing import HIDING
from orchestration.plan.typenames import type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orchestration.interpreter.effects import Effect
    from orchestration.outcomes import Outcome
    from orchestration.plan.codec import Codec, Json
    from orchestration.plan.compile import Plan

E = TypeVar("E", bound=AnyEvent)

VERSION = 1
ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)  # `json.dumps` would make one each time
HASH_BYTES = 8  # of an input: two that differ have to be told apart, nobody forges one
CHECKSUM_BYTES = 16
VALUES_OF = {
    kind: field.name for kind in EVENTS for field in attrs.fields(kind) if field.metadata.get("holds") == "value"
}


class Entry(NamedTuple):
    """What a record says: an event, the digests of the effects that followed, and the outcome, if there was one.

    A run may have `ended` with an outcome that could not be kept.
    """

    event: AnyEvent
    effects: tuple[str, ...]
    outcome: Outcome | None
    ended: bool


# --- what an event becomes


def kept(plan: Plan, event: E) -> E:
    """Return an event as it will be read back: its value has gone through the codec, crash or not (S12).

    The end of a step, or a pulled item, that cannot be kept is a failure of that step or stream; in a signal or the
    input of a run it is an error of who gives it.

    Raises:
        Unserialisable: if the value of a signal or the input of a run has no form in JSON.
    """
    name = VALUES_OF.get(type(event))
    if name is None:
        return event
    value = getattr(event, name)
    try:
        return evolve(event, **{name: plan.codec.decode(plan.codec.encode(value, event.path), event.path)})
    except Unserialisable as error:
        failure = Failure.of(error, event.path)
        match event:
            case StepSucceeded(path, at, attempt):
                return cast("E", StepFailed(path, at, attempt, failure))
            case Pulled(path, at, index):
                return cast("E", PullFailed(path, at, index, failure))
            case _:
                raise


def digests(plan: Plan, effects: Iterable[Effect]) -> list[str]:
    """Return a text for each effect that is equal when the same is to be done: kind, path, attempt, name, input (S34).

    When a timer is due is left out: a plan with another backoff may go on with a run (S36).
    """
    return [_digest(plan, effect) for effect in effects]


def _digest(plan: Plan, effect: Effect) -> str:
    kind = type(effect).__name__
    match effect:
        case RunStep() | RunUndo() | RunCleanup():
            return f"{kind} {effect.path}#{effect.attempt} {effect.body.name} {_hash(plan, effect.value)}"
        case AskHooks():
            return f"{kind} {effect.path} {effect.when} {_hash(plan, effect.value)}"
        case StartTimer() | CancelTimer():
            return f"{kind} {effect.path} {effect.purpose}"
        case Cancel():
            return f"{kind} {effect.path}#{effect.attempt}"
        case Pull():
            return f"{kind} {effect.path} {effect.index} {_hash(plan, effect.source)}"
        case Tell():
            return f"{kind} {effect.path} {effect.ended}"
        case _:
            return f"{kind} {effect.path}"


def _hash(plan: Plan, value: object) -> str:
    try:
        text = canonical(_hiding(plan.codec).encode(value))
    except Unserialisable:  # what pure functions made of values that are kept need not be kept itself
        return type_name(type(value))
    return hashlib.blake2b(text.encode(), digest_size=HASH_BYTES).hexdigest()


@lru_cache(maxsize=64)
def _hiding(codec: Codec) -> Codec:
    """Return a codec that writes the same each time, also where a cipher would not, and tells no secret (S33)."""
    return codec.with_cipher(HIDING)


def entry_of(plan: Plan, event: AnyEvent, effects: Iterable[Effect], outcome: Outcome | None) -> Entry:
    """Return what the record of an event is to say."""
    return Entry(event, tuple(digests(plan, effects)), outcome, ended=outcome is not None)


# --- text


def written(plan: Plan, entry: Entry) -> str:
    """Return the text of a record.

    Raises:
        Unserialisable: if the event holds a value that has no form in JSON.
    """
    data: dict[str, Json] = {"v": VERSION, "event": to_data(plan, entry.event, entry.event.path)}
    data["effects"] = list(entry.effects)
    if entry.ended:
        data["outcome"] = _outcome_data(plan, entry.outcome)
    return ENCODER.encode(data)


def _outcome_data(plan: Plan, outcome: Outcome | None) -> Json:
    try:
        return to_data(plan, outcome, "outcome")
    except Unserialisable:  # a pure function made it: who wants it folds the log
        return None


def read(plan: Plan, record: Record) -> Entry:
    """Return what a record says.

    Raises:
        InvalidDocument: if it is no record of this version, or does not fit the plan's types.
        UnresolvedReference: if it names a type that the plan does not.
    """
    place = f"record {record.position}"
    try:
        data = json.loads(record.text)
    except (ValueError, RecursionError):
        data = None
    match data:
        case {"v": 1, "event": dict(event), "effects": list(effects)}:
            found = from_data(plan, cast("Json", event), f"{place}.event")
            outcome = from_data(plan, data.get("outcome"), f"{place}.outcome")
        case {"v": int(version)} if version != VERSION:
            raise _invalid(place, f"version {version}")
        case _:
            raise _invalid(place, "other data")
    if not isinstance(found, EVENTS) or not (outcome is None or isinstance(outcome, Succeeded | Failed | Cancelled)):
        raise _invalid(place, f"a {type(found).__name__} and a {type(outcome).__name__}")
    known = cast("Outcome | None", outcome)
    return Entry(cast("AnyEvent", found), tuple(map(str, effects)), known, ended="outcome" in data)


def _invalid(place: str, found: str) -> InvalidDocument:
    return InvalidDocument(
        place,
        found=found,
        expected=f"a record of version {VERSION}",
        mend="Read it with the version of the library that wrote it.",
    )


# --- the chain


def first_link(run_id: str) -> str:
    """Return what the checksum of the first record of a run goes on from."""
    return hashlib.blake2b(run_id.encode(), digest_size=CHECKSUM_BYTES).hexdigest()


def linked(before: str, text: str) -> str:
    """Return the checksum of a record with this text, after one with the checksum `before`."""
    content = f"{before}\n{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=CHECKSUM_BYTES).hexdigest()


def chained(before: str, position: int, texts: Iterable[str]) -> Iterator[Record]:
    """Yield the records with these texts that follow `before`, from `position` on."""
    for number, text in enumerate(texts, position):
        before = linked(before, text)
        yield Record(number, text, before)


def clean(before: str, position: int, records: Sequence[Record]) -> int:
    """Return how many of the records that should follow `before`, from `position` on, are as they were written."""
    for count, record in enumerate(records):
        if record.position != position + count or linked(before, record.text) != record.checksum:
            return count
        before = record.checksum
    return len(records)
