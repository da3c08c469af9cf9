"""The story of a run: each event and what came of it, in lines for a person."""

from __future__ import annotations

import difflib
import re
from reprlib import Repr
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration.interpreter.effects import AskHooks, Cancel, RunCleanup, RunStep, RunUndo, StartTimer
from orchestration.interpreter.events import (
    CancelRequested,
    CleanupFailed,
    CleanupLost,
    CleanupSucceeded,
    CleanupTimedOut,
    Continued,
    Exhausted,
    HooksAnswered,
    Pulled,
    PullFailed,
    Resumed,
    SignalReceived,
    Started,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepLost,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoFailed,
    UndoLost,
    UndoSucceeded,
    UndoTimedOut,
)
from orchestration.outcomes import Cancelled, Failed, Outcome, Succeeded, Undone
from orchestration.plan.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestration.failures import Failure
    from orchestration.interpreter.effects import Effect, Purpose
    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.state import State

MANY = 5  # paths that a line names; of more it gives the number
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
FROM_THE_START = re.compile(r"@@ -[01][ ,]")
SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 60
FIRED: dict[Purpose, str] = {
    "backoff": "waited long enough",
    "timeout": "took too long",
    "sleep": "slept",
}


class Line(NamedTuple):
    """A line of a story: when, where, what."""

    at: float
    path: str
    text: str


def value_text(value: object) -> str:
    """Return a short text of a value, without its secrets and without addresses in memory."""
    try:
        return ADDRESS.sub("", SHORT.repr(masked(value)))
    except Exception:  # noqa: BLE001 - a foreign __repr__ may raise anything; a story can do without
        return f"a {type(value).__qualname__}"


def failure_text(failure: Failure) -> str:
    """Return what failed, in a line."""
    return " ".join(f"{failure.kind}: {failure.message}".removesuffix(": ").split())


EVENTS: dict[type, Callable[[Any], str]] = {
    Started: lambda e: f"began with {value_text(e.value)}",
    StepSucceeded: lambda e: f"succeeded{_again(e)}: {value_text(e.output)}",
    StepFailed: lambda e: f"failed{_again(e)}: {failure_text(e.failure)}",
    StepTimedOut: lambda e: f"took longer than {e.seconds:g} s{_again(e)}",
    StepCancelled: lambda _: "ended, as it was told to",
    StepLeaked: lambda _: "leaked: it did not end when it was told to",
    StepLost: lambda _: "lost: its process ended",
    UndoSucceeded: lambda e: f"undone{_again(e)}",
    UndoFailed: lambda e: f"undo failed{_again(e)}: {failure_text(e.failure)}",
    UndoTimedOut: lambda e: f"undo took longer than {e.seconds:g} s{_again(e)}{_leaked(e)}",
    UndoLost: lambda _: "undo lost: its process ended",
    CleanupSucceeded: lambda e: f"cleaned up{_again(e)}",
    CleanupFailed: lambda e: f"cleanup failed{_again(e)}: {failure_text(e.failure)}",
    CleanupTimedOut: lambda e: f"cleanup took longer than {e.seconds:g} s{_again(e)}{_leaked(e)}",
    CleanupLost: lambda _: "cleanup lost: its process ended",
    HooksAnswered: lambda e: "allowed by its hooks" if e.failure is None else f"refused: {failure_text(e.failure)}",
    TimerFired: lambda e: FIRED[e.purpose],
    Pulled: lambda e: f"gave item {e.index}: {value_text(e.item)}",
    Exhausted: lambda e: f"gave all items, {e.index} of them",
    PullFailed: lambda e: f"gave no item {e.index}: {failure_text(e.failure)}",
    SignalReceived: lambda e: f"got the signal {e.name!r}: {value_text(e.payload)}",
    Continued: lambda _: "went on",
    Resumed: lambda e: f"taken up again, by owner number {e.epoch}",
    CancelRequested: lambda e: f"asked to end: {e.reason}",
}
NEXT: dict[type, str] = {
    AskHooks: "asked the hooks of",
    Cancel: "told to end:",
    RunStep: "began",
    RunUndo: "began to undo",
    RunCleanup: "began to clean up",
}


def story(event: AnyEvent, effects: list[Effect], state: State) -> list[Line]:
    """Tell an event and what came of it; of the last one also how the run ended."""
    text = "; ".join([EVENTS[type(event)](event), *_following(event, effects)])
    lines = [Line(event.at, _short(event.path), text)]
    if state.outcome is not None:
        name = event.path.partition("/")[0]
        lines += [Line(state.at, _short(path) or name, text) for path, text in _ending(state.outcome, name)]
    return lines


def written(lines: Iterable[Line]) -> str:
    """Return lines below each other."""
    known = list(lines)
    width = max((len(line.path) for line in known), default=0)
    return "\n".join(f"{_seconds(line.at):>9} s  {line.path:<{width}}  {line.text}" for line in known)


def drawn(expected: str, found: str) -> str:
    """Draw how two stories differ: what was expected with a -, what was found with a +; empty if they do not."""
    differing = list(difflib.unified_diff(expected.splitlines(), found.splitlines(), n=2, lineterm=""))[2:]
    lines = [line for line in differing if not FROM_THE_START.match(line)]
    return "\n".join("  …" if line.startswith("@@") else line for line in lines)


def _following(event: AnyEvent, effects: list[Effect]) -> Iterable[str]:
    for kind, verb in NEXT.items():
        paths = [_short(effect.path) for effect in effects if type(effect) is kind]
        more = len(paths) - MANY
        if paths:
            yield f"{verb} {', '.join(paths[:MANY])}{f' and {more} more' if more > 0 else ''}"
    for effect in effects:
        if isinstance(effect, StartTimer) and effect.purpose != "timeout":
            who = "" if effect.path == event.path else f"{_short(effect.path)} "
            what = "tried again at" if effect.purpose == "backoff" else "sleeps until"
            yield f"{who}{what} {_seconds(effect.due)} s"


def _ending(outcome: Outcome, name: str) -> Iterable[tuple[str, str]]:
    how, rollback = _how(outcome), outcome.rollback
    yield name, f"{how}; {str(rollback).splitlines()[0]}" if rollback.steps or not outcome.ok else how
    for step in outcome.rollback.steps:
        if not isinstance(step, Undone):
            yield step.path, str(step).removeprefix(f"{step.path}: ")
    for path in outcome.leaked:
        yield path, "still at work, and may yet land"
    for failure in outcome.cleanup_failures:
        yield failure.path, f"not cleaned up: {failure_text(failure)}"
    for hook in outcome.hook_failures:
        yield hook.path, f"{hook.hook} failed: {failure_text(hook.failure)}"
    for signal in outcome.unused_signals:
        yield name, f"nobody took the signal {signal}"


def _how(outcome: Outcome) -> str:
    match outcome:
        case Succeeded(value=value):
            return f"succeeded: {value_text(value)}"
        case Failed(failure=failure):
            return f"failed: {failure.path}: {failure_text(failure)}"
        case Cancelled(reason=reason):  # pragma: no branch - the union is closed, mypy sees to it
            return f"cancelled: {reason}"


def _again(event: Any) -> str:  # noqa: ANN401 - any event of an attempt
    return f" at attempt {event.attempt}" if event.attempt > 1 else ""


def _leaked(event: Any) -> str:  # noqa: ANN401 - any event of an attempt that may leak
    return " and leaked" if event.leaked else ""


def _short(path: str) -> str:
    """Return a path without the workflow's name, which would stand in each line."""
    return path.partition("/")[2] or path


def _seconds(at: float) -> str:
    return str(round(float(at), 3))
