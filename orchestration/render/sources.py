"""Where chronicles come from: the events of a run in this process, or a journal, without the code of its workflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, cast, final

from orchestration import outcomes
from orchestration.errors import InvalidDocument
from orchestration.failures import Failure
from orchestration.interpreter.effects import AskHooks, CancelTimer, RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import Started, StepSucceeded
from orchestration.journal.records import VALUES_OF, clean, first_link
from orchestration.outcomes import Cancelled, Failed, HookFailure, Rollback, Succeeded
from orchestration.plan.nodes import Scope
from orchestration.plan.places import nodes_of
from orchestration.render.chronicle import HIDDEN, Begun, Fact, Scribe, fields_of
from orchestration.render.values import shown, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import AnyEvent
    from orchestration.journal.protocol import Head, Journal, Record
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.render.chronicle import Chronicle

END_STATES: dict[str, type] = {
    "Undone": outcomes.Undone,
    "NotUndone": outcomes.UndoFailed,
    "Held": outcomes.Held,
    "InDoubt": outcomes.InDoubt,
    "Kept": outcomes.Kept,
}
OUTCOMES: dict[str, type] = {"Succeeded": Succeeded, "Failed": Failed, "Cancelled": Cancelled}
PARTS: dict[str, type] = END_STATES | OUTCOMES | {"Failure": Failure, "Rollback": Rollback, "HookFailure": HookFailure}
VALUES = {kind.__name__: name for kind, name in VALUES_OF.items()} | {"Succeeded": "value"}


# --- a run in this process


class Happening(Protocol):
    """An event, and the effects that it brought about: a turn of `Handle.turns`, or of a `Trace` of the test kit."""

    @property
    def event(self) -> AnyEvent:
        """What happened."""
        ...

    @property
    def effects(self) -> Sequence[Effect]:
        """What followed."""
        ...


@final
class Chronicler:
    """Takes the turns of a run as they come, and writes its chronicle."""

    def __init__(self, plan: Plan, *, values: bool = False) -> None:
        """Take the turns of a run of `plan`; with `values` keep short texts of inputs and outputs (S33)."""
        self._plan = plan
        self._values = values
        self._scribe = Scribe()

    def take(self, turned: Happening) -> None:
        """Take the next turn of the run, from the first one on."""
        event = turned.event
        begun = _begun(turned.effects)
        self._scribe.take(Fact(type(event).__name__, event.path, event.at, self._fields(event), begun))

    def _fields(self, event: AnyEvent) -> dict[str, Any]:
        fields = fields_of(event)
        if isinstance(event, Started) and self._values:
            fields["value"] = text_of(event.value)
        elif isinstance(event, StepSucceeded):
            fields["output"] = text_of(event.output) if self._values else HIDDEN
        return fields

    def chronicle(self, outcome: Outcome | None = None) -> Chronicle:
        """Return the chronicle so far; of a run that has ended, with its `outcome`."""
        output = text_of(outcome.value) if isinstance(outcome, Succeeded) and self._values else HIDDEN
        return self._scribe.written(self._plan.root, outcome, output=output)


def chronicle_of(
    plan: Plan, turns: Iterable[Happening], outcome: Outcome | None = None, *, values: bool = False
) -> Chronicle:
    """Return the chronicle of a run of `plan`; with `values` inputs and outputs are shown, in short (S33)."""
    chronicler = Chronicler(plan, values=values)
    for turned in turns:
        chronicler.take(turned)
    return chronicler.chronicle(outcome)


def _begun(effects: Iterable[Effect]) -> Iterator[Begun]:
    for effect in effects:
        match effect:
            case RunStep() | RunUndo() | RunCleanup():
                yield Begun(type(effect).__name__, effect.path, effect.attempt)
            case AskHooks():
                yield Begun("AskHooks", effect.path)
            case StartTimer() | CancelTimer():
                yield Begun(type(effect).__name__, effect.path, purpose=effect.purpose)
            case _:
                pass


# --- a run in a journal


def chronicle_in(journal: Journal, run_id: str, *, values: bool = False) -> Chronicle:
    """Return the chronicle of a durable run, read without its code; of a damaged log, that of its sound part (S37).

    Raises:
        RunNotFound: if the journal has no such run.
        JournalFailed: if it cannot be read.
    """
    head = journal.head(run_id)
    records = journal.read(run_id)
    sound = clean(first_link(run_id), 0, records)
    remarks = [] if sound == len(records) == head.position else [_damage(head, sound)]
    scribe, outcome, ended, output = Scribe(), None, False, HIDDEN
    for record in records[:sound]:
        data = _data(record)
        if data is None:
            remarks.append(f"Record {record.position} is of another version of the library: what follows is left out.")
            break
        scribe.take(_fact(data, values=values))
        if "outcome" in data:
            ended, outcome = True, cast("Outcome | None", _part(data["outcome"]))
            output = shown(data["outcome"]["value"]) if values and isinstance(outcome, Succeeded) else HIDDEN
    if scribe.run_id == "":
        scribe.run_id, scribe.begun, scribe.at = run_id, head.created, head.updated
    root = _root(journal, head, remarks)
    return scribe.written(root, outcome, ended=ended, output=output, remarks=tuple(remarks))


def _damage(head: Head, sound: int) -> str:
    return f"The log is damaged: {sound:,} of {head.position:,} records are sound, and this is what they tell."


def _root(journal: Journal, head: Head, remarks: list[str]) -> Scope:
    document = journal.plan(head.fingerprint)
    try:
        if document is not None:
            return nodes_of(document)
        remarks.append("The journal does not have the plan.")
    except InvalidDocument as error:
        remarks.append(f"The plan cannot be read: {error}")
    return Scope(head.plan, ())


def _data(record: Record) -> dict[str, Any] | None:
    try:
        data = json.loads(record.text)
    except (ValueError, RecursionError):
        return None
    match data:
        case {"v": 1, "event": {"is": str(), "path": str(), "at": int() | float()}, "effects": list()}:
            return cast("dict[str, Any]", data)
        case _:
            return None


def _fact(data: dict[str, Any], *, values: bool) -> Fact:
    event = data["event"]
    kind = event["is"]
    hidden = VALUES.get(kind)
    fields = {name: _part(content) for name, content in event.items() if name != hidden}
    if hidden is not None:
        fields[hidden] = shown(event[hidden]) if values else HIDDEN
    return Fact(kind, event["path"], event["at"], fields, map(_digested, data["effects"]))


def _digested(digest: str) -> Begun:
    """Return what the digest of an effect tells (S34)."""
    kind, path, *rest = digest.split(" ")
    if kind in ("RunStep", "RunUndo", "RunCleanup"):
        path, _, attempt = path.rpartition("#")
        return Begun(kind, path, int(attempt))
    return Begun(kind, path, purpose=rest[0] if rest else "")


def _part(data: Any) -> Any:  # noqa: ANN401 - a part of a record
    """Return a failure or an outcome that a record holds, and other data as it is; values are left out."""
    if isinstance(data, list):
        return tuple(map(_part, cast("Sequence[Any]", data)))
    kind: Any = PARTS.get(data.get("is", "")) if isinstance(data, dict) else None
    if kind is None:
        return data
    fields = {name: _part(content) for name, content in data.items() if name not in ("is", "value")}
    return kind(**fields, **({"value": None} if kind is Succeeded else {}))
