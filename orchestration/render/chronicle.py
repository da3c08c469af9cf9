"""`Chronicle`: what happened in a run, as stretches of time: attempts, waits, undos, cleanups.

It is read from events and from the effects that followed each; where they come from is no matter here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import attrs

from orchestration.frozen import evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestration.failures import Failure
    from orchestration.outcomes import Outcome
    from orchestration.plan.nodes import Scope

What = Literal["step", "undo", "cleanup", "hooks", "pull", "backoff", "sleep"]
How = Literal["running", "done", "failed", "timed out", "cancelled", "leaked", "lost"]
HIDDEN = "…"  # in the place of a value that is not shown


@frozen
class Span:
    """A stretch of time at a path. Times are in seconds on the clock of the events; one that goes on has no `end`.

    `attempt` counts from 1, and is 0 where nothing is attempted. `value` is a text of the output.
    """

    path: str
    what: What
    attempt: int
    begin: float
    end: float | None = None
    how: How = "running"
    failure: Failure | None = None
    value: str = ""

    def lasted(self, until: float) -> float:
        """Return how many seconds it took, or has taken so far."""
        return (until if self.end is None else self.end) - self.begin


@frozen
class Chronicle:
    """What happened in a run of a plan, from when it had `begun` up to its last event, `at`.

    A run that has `ended` without an outcome has one that could not be kept. `resumed` are the times at which another
    process took the run up again, `signals` the names of those that came, `remarks` what keeps this from being whole.
    `input` and `output` are texts of values, or say that they are hidden.
    """

    root: Scope
    run_id: str
    begun: float
    at: float
    spans: tuple[Span, ...]
    outcome: Outcome | None = None
    ended: bool = False
    cancel: tuple[float, str] | None = None
    resumed: tuple[float, ...] = ()
    signals: tuple[tuple[float, str], ...] = ()
    input: str = HIDDEN
    output: str = HIDDEN
    remarks: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return self.at - self.begun


class Begun(NamedTuple):
    """What an effect begins, or takes back: its class, its path, its attempt and what a timer is for."""

    kind: str
    path: str
    attempt: int = 0
    purpose: str = ""


class Fact(NamedTuple):
    """An event by the name of its class, its other fields by name, and what followed from it."""

    kind: str
    path: str
    at: float
    fields: Mapping[str, Any]
    begun: Iterable[Begun]


ENDS: dict[str, tuple[What, How]] = {
    "StepSucceeded": ("step", "done"),
    "StepFailed": ("step", "failed"),
    "StepTimedOut": ("step", "timed out"),
    "StepCancelled": ("step", "cancelled"),
    "StepLeaked": ("step", "leaked"),
    "StepLost": ("step", "lost"),
    "UndoSucceeded": ("undo", "done"),
    "UndoFailed": ("undo", "failed"),
    "UndoTimedOut": ("undo", "timed out"),
    "UndoLost": ("undo", "lost"),
    "CleanupSucceeded": ("cleanup", "done"),
    "CleanupFailed": ("cleanup", "failed"),
    "CleanupTimedOut": ("cleanup", "timed out"),
    "CleanupLost": ("cleanup", "lost"),
}
BEGINS: dict[str, What] = {"RunStep": "step", "RunUndo": "undo", "RunCleanup": "cleanup", "AskHooks": "hooks"}
TIMERS: dict[str, What] = {"backoff": "backoff", "sleep": "sleep"}  # a timeout is no stretch of its own


class Scribe:
    """Writes a chronicle, fact by fact."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.run_id: str = ""
        self.begun: float = 0.0
        self.at: float = 0.0
        self.cancel: tuple[float, str] | None = None
        self.resumed: list[float] = []
        self.signals: list[tuple[float, str]] = []
        self.input: Any = HIDDEN
        self._spans: list[Span] = []
        self._open: dict[tuple[str, What, int], int] = {}

    def take(self, fact: Fact) -> None:
        """Take the next fact of the run."""
        self.at = fact.at if fact.at > self.at else self.at  # noqa: FURB136 - in step with the interpreter
        match fact.kind:
            case "Started":
                self.run_id, self.begun, self.at = fact.fields["run_id"], fact.at, fact.at
                self.input = fact.fields.get("value", HIDDEN)
            case "Resumed":
                self.resumed.append(fact.at)
            case "CancelRequested":
                self.cancel = self.cancel or (fact.at, fact.fields["reason"])
            case "SignalReceived":
                self.signals.append((fact.at, fact.fields["name"]))
            case "TimerFired" if fact.fields["purpose"] in TIMERS:
                self._close((fact.path, TIMERS[fact.fields["purpose"]], 0), "done")
            case "HooksAnswered":
                failure = fact.fields["failure"]
                self._close((fact.path, "hooks", 0), "done" if failure is None else "failed", failure)
            case "PullFailed":
                pulled = Span(fact.path, "pull", 0, self.at, self.at, "failed", fact.fields["failure"])
                self._spans.append(pulled)
            case kind if kind in ENDS:
                self._end(fact)
            case _:
                pass
        for begun in fact.begun:
            self._begin(begun)

    def _end(self, fact: Fact) -> None:
        what, how = ENDS[fact.kind]
        key = (fact.path, what, int(fact.fields["attempt"]))
        how = "leaked" if fact.fields.get("leaked") else how
        if fact.kind == "StepCancelled" and not fact.fields["started"]:
            self._forget(key)
        else:
            self._close(key, how, fact.fields.get("failure"), fact.fields.get("output", ""))

    def _begin(self, begun: Begun) -> None:
        if begun.kind in BEGINS:
            self._open_at((begun.path, BEGINS[begun.kind], begun.attempt))
        elif begun.kind == "StartTimer" and begun.purpose in TIMERS:
            self._open_at((begun.path, TIMERS[begun.purpose], 0))
        elif begun.kind == "CancelTimer" and begun.purpose in TIMERS:
            self._close((begun.path, TIMERS[begun.purpose], 0), "cancelled")

    def _open_at(self, key: tuple[str, What, int]) -> None:
        self._open[key] = len(self._spans)
        self._spans.append(Span(*key, self.at))

    def _close(self, key: tuple[str, What, int], how: How, failure: Failure | None = None, value: str = "") -> None:
        """End a stretch; of what had leaked nothing more is noted here, as the outcome tells of it."""
        index = self._open.pop(key, None)
        if index is not None:
            self._spans[index] = evolve(self._spans[index], end=self.at, how=how, failure=failure, value=value)

    def _forget(self, key: tuple[str, What, int]) -> None:
        """Take back a stretch that has never begun: it was in a queue."""
        index = self._open.pop(key, None)
        if index is not None:
            self._spans[index] = evolve(self._spans[index], end=self._spans[index].begin, how="cancelled")

    def written(
        self,
        root: Scope,
        outcome: Outcome | None,
        *,
        ended: bool = False,
        output: str = HIDDEN,
        remarks: tuple[str, ...] = (),
    ) -> Chronicle:
        """Return the chronicle of a run of a plan as far as it has come."""
        return Chronicle(
            root=root,
            run_id=self.run_id,
            begun=self.begun,
            at=self.at,
            spans=tuple(self._spans),
            outcome=outcome,
            cancel=self.cancel,
            resumed=tuple(self.resumed),
            signals=tuple(self.signals),
            input=self.input,
            ended=ended or outcome is not None,
            output=output,
            remarks=remarks,
        )


def fields_of(event: object) -> dict[str, Any]:
    """Return the fields of an event by name, without its values."""
    kind: Any = type(event)
    return {
        field.name: getattr(event, field.name) for field in attrs.fields(kind) if field.metadata.get("holds") != "value"
    }
