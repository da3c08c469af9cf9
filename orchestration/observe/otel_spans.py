"""The spans of runs: opened and ended by what observers are told, each below the one that it is a part of.

Names are those of the plan, so that there are few of them; which item or attempt a span is of, its attributes say.
Where OpenTelemetry has a convention it is followed (`error.type`, the event `exception`); the rest begins with
`orchestration.`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.trace import Span, Status, StatusCode, Tracer, set_span_in_context

from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration.failures import Failure

Attributes = dict[str, str | int | float | bool]
WRONG = ("failed", "timed out", "lost", "leaked")  # ends that are errors
RUN, STEP, ATTEMPT, UNDO = "run", "step", "attempt", "undo"


class Key(NamedTuple):
    """What a span is of: a run or workflow, a step, an attempt by its number, or an undo."""

    run_id: str
    what: str
    path: str
    attempt: int = 0


class Opened(NamedTuple):
    """A span that has not ended, and when it began, in seconds."""

    span: Span
    at: float


class Spans:
    """The spans that have not ended. All times are in seconds, those of the run's events."""

    def __init__(self, tracer: Tracer) -> None:
        """Begin with none."""
        self._tracer = tracer
        self._open: dict[str, dict[Key, Opened]] = {}  # by run

    def begin(self, key: Key, at: float, attributes: Mapping[str, str | int | float | bool] | None = None) -> Span:
        """Begin a span, below that of what it is a part of; that of a run below the one that its caller has open."""
        span = self.made(key, at, attributes)
        self._open.setdefault(key.run_id, {})[key] = Opened(span, at)
        return span

    def made(
        self, key: Key, at: float | None = None, attributes: Mapping[str, str | int | float | bool] | None = None
    ) -> Span:
        """Make a span that its maker ends; without a time it begins now."""
        around = self.around(key)
        return self._tracer.start_span(
            f"{key.what} {static_path(key.path)}",
            None if around is None else set_span_in_context(around),
            attributes={
                "orchestration.run.id": key.run_id,
                "orchestration.workflow": key.path.partition("/")[0],
                "orchestration.path": key.path,
                **({"orchestration.attempt": key.attempt} if key.attempt else {}),
                **(attributes or {}),
            },
            start_time=None if at is None else nanoseconds(at),
        )

    def find(self, key: Key) -> Span | None:
        """Return a span that has not ended."""
        found = self._open.get(key.run_id, {}).get(key)
        return None if found is None else found.span

    def around(self, key: Key) -> Span | None:
        """Return the innermost open span that a thing is a part of: its step, the workflows around it, the run."""
        step = self.find(Key(key.run_id, STEP, key.path)) if key.what == ATTEMPT else None
        if step is not None:
            return step
        path = key.path.rpartition("/")[0] if key.what == RUN else key.path
        while path:
            found = self.find(Key(key.run_id, RUN, path))
            if found is not None:
                return found
            path = path.rpartition("/")[0]
        return None

    def end(self, key: Key, at: float, how: str, failure: Failure | None = None) -> float | None:
        """End a span; return how many seconds it took, `None` if it had not begun here."""
        known = self._open.get(key.run_id, {})
        opened = known.pop(key, None)
        if opened is None:
            return None
        span = opened.span
        span.set_attribute("orchestration.outcome", how)
        if how in WRONG:
            tell_failure(span, how, at, failure)
        span.end(nanoseconds(at))
        return max(0.0, at - opened.at)

    def end_run(self, run_id: str, at: float | None = None) -> bool:
        """End what is left of a run that is over, or was stopped here; tell whether there was anything."""
        left = self._open.pop(run_id, {})
        for opened in reversed(left.values()):
            opened.span.set_attribute("orchestration.outcome", "unknown")
            opened.span.end(None if at is None else nanoseconds(at))
        return bool(left)

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that have open spans."""
        return list(self._open)


def tell_failure(span: Span, how: str, at: float | None, failure: Failure | None) -> None:
    """Mark a span as failed, with the failure where there is one; without a time it was just now."""
    if failure is None:
        span.set_attribute("error.type", how)
        span.set_status(Status(StatusCode.ERROR, how))
        return
    span.set_attribute("error.type", failure.kind)
    span.set_status(Status(StatusCode.ERROR, f"{failure.kind}: {failure.message}"))
    told = {"exception.type": failure.kind, "exception.message": failure.message}
    span.add_event("exception", told, None if at is None else nanoseconds(at))


def nanoseconds(at: float) -> int:
    """Return a time as OpenTelemetry counts it."""
    return int(at * 1e9)
