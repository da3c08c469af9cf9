"""States and events as JSON: frozen classes by name and fields, nodes by number, values by the plan's codec (S12).

Nothing here knows a construct: a new frame is one row in `KINDS`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast, get_args

import attrs
from rpds import HashTrieMap, List

from orchestration import outcomes
from orchestration.errors import InvalidDocument
from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.interpreter.beside import BesideFrame
from orchestration.interpreter.cleanup import Cleaning, Closing, Registered
from orchestration.interpreter.compensated import CompensatedFrame
from orchestration.interpreter.effects import (
    AskHooks,
    Continue,
    Pull,
    RunCleanup,
    RunStep,
    RunUndo,
    StartTimer,
)
from orchestration.interpreter.events import AnyEvent
from orchestration.interpreter.fate import Fate
from orchestration.interpreter.few import Few
from orchestration.interpreter.group import GroupFrame
from orchestration.interpreter.mail import Letter, Mail
from orchestration.interpreter.members import Folding, Stream
from orchestration.interpreter.recover import RecoverFrame
from orchestration.interpreter.repeat import RepeatFrame
from orchestration.interpreter.retried import RetryFrame
from orchestration.interpreter.saga import Unwinding
from orchestration.interpreter.scope import ScopeFrame
from orchestration.interpreter.settling import SettlingFrame
from orchestration.interpreter.shielded import Shielded
from orchestration.interpreter.state import Ledger, State
from orchestration.interpreter.step import AskFrame, StepFrame
from orchestration.interpreter.timed import TimedFrame
from orchestration.interpreter.told import ToldFrame
from orchestration.interpreter.trail import Entry, Mark, Sealed, Several, Stuck
from orchestration.interpreter.turn import ENDED, Later
from orchestration.interpreter.waits import SleepFrame, WaitFrame
from orchestration.plan.codec import canonical

if TYPE_CHECKING:
    from orchestration.interpreter.members import Outputs
    from orchestration.plan.codec import Json
    from orchestration.plan.compile import Plan

FRAMES = (
    StepFrame,
    AskFrame,
    BesideFrame,
    CompensatedFrame,
    TimedFrame,
    RetryFrame,
    ScopeFrame,
    ToldFrame,
    RecoverFrame,
    Closing,
    Cleaning,
    SleepFrame,
    WaitFrame,
    RepeatFrame,
    GroupFrame,
    SettlingFrame,
    Unwinding,
    Later,
)
PARTS = (Fate, Stream, Folding, Shielded, Registered, Letter, Mail, *ENDED)
STREAM = "$stream"
EFFECTS = (RunStep, RunUndo, RunCleanup, AskHooks, StartTimer, Pull, Continue)
TRAILS = (Entry, Stuck, Sealed, Several, Mark)
OUTCOMES = (outcomes.Succeeded, outcomes.Failed, outcomes.Cancelled, outcomes.Rollback, outcomes.HookFailure)
EVENTS: tuple[type, ...] = get_args(AnyEvent)
END_STATES = (outcomes.Undone, outcomes.UndoFailed, outcomes.Held, outcomes.InDoubt, outcomes.Kept)
RUN = (State, Ledger, Failure, *OUTCOMES, *END_STATES)
ALL = (*RUN, *EFFECTS, *FRAMES, *PARTS, *TRAILS, *EVENTS)
NAMES: dict[type, str] = {outcomes.UndoFailed: "NotUndone"}  # an event is called `UndoFailed` as well
KINDS: dict[str, type] = {NAMES.get(kind, kind.__name__): kind for kind in ALL}
FIELDS: dict[type, tuple[tuple[str, str | None], ...]] = {  # what counts in a class, each with what it holds
    kind: tuple((field.name, field.metadata.get("holds")) for field in attrs.fields(kind) if field.eq) for kind in ALL
}
PLAIN = frozenset({type(None), bool, int, float, str})


def state_to_data(plan: Plan, state: State) -> Json:
    """Return a state as JSON data.

    Raises:
        Unserialisable: if it holds a value that has no form in JSON, by path.
    """
    return _encode(plan, state, "state")


def state_from_data(plan: Plan, data: Json) -> State:
    """Return the state that `state_to_data` gave for the same plan.

    Raises:
        InvalidDocument: if the data is no state of this plan.
        UnresolvedReference: if it names a type that the plan does not.
    """
    try:
        state = _decode(plan, data, "state")
    except RecursionError:
        raise _invalid("state", "data nested too deep") from None
    if not isinstance(state, State):
        raise _invalid("state", "other data")
    return state


def to_data(plan: Plan, part: object, path: str) -> Json:
    """Return an event, an outcome or a part of a state as JSON data; `path` is how messages call it.

    Raises:
        Unserialisable: if it holds a value that has no form in JSON, by path.
    """
    return _encode(plan, part, path)


def from_data(plan: Plan, data: Json, path: str) -> object:
    """Return what `to_data` gave for the same plan.

    Raises:
        InvalidDocument: if the data is nothing that `to_data` gives.
        UnresolvedReference: if it names a type that the plan does not.
    """
    try:
        return _decode(plan, data, path)
    except RecursionError:
        raise _invalid(path, "data nested too deep") from None


def state_key(plan: Plan, state: State) -> str:
    """Return a text that is equal for states that go on equally, to visit each once.

    It does not tell apart at what time a run is where it is, nor in which order the children of a group have ended.
    """
    data = _encode(plan, evolve(state, at=0.0), "state")
    return hashlib.sha256(canonical(_without_order(data)).encode()).hexdigest()


def _without_order(data: Json) -> Json:
    if isinstance(data, list):
        return [_without_order(item) for item in data]
    if not isinstance(data, dict):
        return data
    plain = {name: _without_order(content) for name, content in data.items()}
    if plain.get("is") == "Outputs":
        plain["pairs"] = sorted(cast("list[Json]", plain["pairs"]), key=canonical)
    return plain


def _encode(plan: Plan, value: Any, path: str) -> Json:  # noqa: ANN401 - any part of a state
    kind = type(value)
    if kind in PLAIN:
        return cast("Json", value)
    if kind in FIELDS:
        return _encode_fields(plan, value, path)
    match value:
        case range():
            return {"is": "Range", "start": value.start, "stop": value.stop}
        case tuple():
            return [_encode(plan, item, f"{path}[{index}]") for index, item in enumerate(value)]
        case List():
            return {"is": "List", "items": [_encode(plan, item, f"{path}[{n}]") for n, item in enumerate(value)]}
        case HashTrieMap() | Few():
            pairs: list[Json] = [[key, _encode(plan, value[key], f"{path}[{key}]")] for key in sorted(value)]
            return {"is": "Map" if isinstance(value, HashTrieMap) else "Few", "pairs": pairs}
        case _:  # what else a state has
            return {"is": "Node", "number": value.number}


def _encode_fields(plan: Plan, value: Any, path: str) -> Json:  # noqa: ANN401 - any frozen class of `KINDS`
    kind = type(value)
    data: dict[str, Json] = {"is": NAMES.get(kind, kind.__name__)}
    for name, holds in FIELDS[kind]:
        content = getattr(value, name)
        if holds is None and type(content) in PLAIN:  # most of them: a path would cost more than all else here
            data[name] = content
            continue
        inner = f"{path}.{name}"
        match holds:
            case "value" if isinstance(content, Stream):  # the codec's tags begin with $: no user's value looks like it
                data[name] = {STREAM: _encode_fields(plan, content, inner)}
            case "value":
                data[name] = plan.codec.encode(content, inner)
            case "values":
                keys = sorted(content)
                data[name] = [[key, plan.codec.encode(content[key], f"{inner}[{key}]")] for key in keys]
            case "outputs":
                data[name] = _encode_outputs(plan, content, inner)
            case _:
                data[name] = _encode(plan, content, inner)
    return data


def _encode_outputs(plan: Plan, outputs: Outputs, path: str) -> Json:
    if isinstance(outputs, Folding):
        return _encode_fields(plan, outputs, path)
    by_place = isinstance(outputs, HashTrieMap)
    pairs = [(key, outputs[key]) for key in sorted(outputs)] if isinstance(outputs, HashTrieMap) else [*outputs]
    data: list[Json] = [[key, plan.codec.encode(output, f"{path}[{key}]")] for key, output in pairs]
    return {"is": "Outputs", "by_place": by_place, "pairs": data}


def _decode_outputs(plan: Plan, data: Any, path: str) -> Outputs:  # noqa: ANN401 - to be looked at
    match data:
        case {"is": "Outputs", "by_place": bool(by_place), "pairs": content}:
            pairs = [(key, plan.codec.decode(output, f"{path}[{key}]")) for key, output in _pairs(content, path)]
            return HashTrieMap(dict(pairs)) if by_place else List(pairs)
        case {"is": "Folding"}:
            return cast("Folding", _decode_fields(plan, Folding, data, path))
        case _:
            raise _invalid(path, "something else than outputs")


def _decode(plan: Plan, data: Any, path: str) -> Any:  # noqa: ANN401 - any part of a state
    match data:
        case list():
            return tuple(_decode(plan, item, f"{path}[{index}]") for index, item in enumerate(data))
        case {"is": "Range", "start": int(start), "stop": int(stop)}:
            return range(start, stop)
        case {"is": "List", "items": list(items)}:
            return List([_decode(plan, item, f"{path}[{index}]") for index, item in enumerate(items)])
        case {"is": "Map" | "Few" as kind, "pairs": list(pairs)}:
            decoded = {key: _decode(plan, item, f"{path}[{key}]") for key, item in _pairs(pairs, path)}
            return HashTrieMap(decoded) if kind == "Map" else Few(decoded)
        case {"is": "Node", "number": int(number)} if 0 <= number < len(plan.nodes):
            return plan.nodes[number]
        case {"is": str(name)} if name in KINDS:
            return _decode_fields(plan, KINDS[name], data, path)
        case dict():
            raise _invalid(path, f"an object of kind {data.get('is')!r}")
        case _:
            return data


def _decode_fields(plan: Plan, kind: type, data: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - an instance of `kind`
    fields = {}
    for field in attrs.fields(kind):
        if field.name not in data:
            continue
        content, inner = data[field.name], f"{path}.{field.name}"
        match field.metadata.get("holds"):
            case "value" if isinstance(content, dict) and STREAM in content:
                fields[field.name] = _decode(plan, content[STREAM], inner)
            case "value":
                fields[field.name] = plan.codec.decode(content, inner)
            case "values":
                pairs = _pairs(content, inner)
                decoded = {key: plan.codec.decode(item, f"{inner}[{key}]") for key, item in pairs}
                fields[field.name] = HashTrieMap(decoded)
            case "outputs":
                fields[field.name] = _decode_outputs(plan, content, inner)
            case _:
                fields[field.name] = _decode(plan, content, inner)
    try:
        return kind(**fields)
    except TypeError as error:
        raise _invalid(path, f"a {kind.__name__} with {', '.join(fields)}") from error


def _pairs(data: Any, path: str) -> list[tuple[Any, Any]]:  # noqa: ANN401 - to be looked at
    sound = isinstance(data, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in data)  # noqa: PLR2004 - a pair
    if not sound or not all(isinstance(key, int | str) for key, _ in data):
        raise _invalid(path, "something else than pairs")
    return [(key, item) for key, item in data]


def _invalid(path: str, found: str) -> InvalidDocument:
    return InvalidDocument(
        path,
        found=found,
        expected="a state of this plan",
        mend="Read it with the plan that it was written with, as state_to_data wrote it.",
    )
