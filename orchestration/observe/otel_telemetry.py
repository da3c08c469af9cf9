"""`Telemetry`: an observer that makes spans and metrics, and middleware that has the span of an attempt open in it."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, final

from opentelemetry import context, metrics, propagate, trace

from orchestration import __version__
from orchestration.failures import Failure
from orchestration.frozen import frozen
from orchestration.interpreter.effects import RunCleanup, RunStep, RunUndo
from orchestration.observe.otel_metrics import Metrics
from orchestration.observe.otel_spans import ATTEMPT, RUN, STEP, UNDO, Attributes, Key, Spans, nanoseconds, tell_failure
from orchestration.plan.hooks import observer
from orchestration.plan.moments import (
    AttemptBegan,
    AttemptEnded,
    RetryPlanned,
    RunCancelled,
    RunResumed,
    StepBegan,
    StepEnded,
    UndoBegan,
    UndoEnded,
    WorkflowBegan,
    WorkflowEnded,
)
from orchestration.runtime.context import step_context

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from orchestration.interpreter.effects import Attempted
    from orchestration.plan.hooks import Hook
    from orchestration.plan.moments import Moment
    from orchestration.runtime.handler import Handler

NAME = "orchestration"
CLEANUP = "cleanup"


@final
class Telemetry:
    """Spans and metrics of the runs of an engine: `LocalEngine(hooks=[it.hook], middleware=[it.middleware])`.

    The hook makes spans for runs, workflows inside them that have hooks of their own, steps, attempts and undos, and
    the metrics. The middleware has the span of an attempt open in its body, also in a thread or another process, so
    that what the body does is below it. Each works without the other: without the hook, the middleware makes spans for
    attempts alone, below whatever is open around them.

    Without providers those are used that are set for the process.
    """

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        """Open nothing yet."""
        self._tracer = trace.get_tracer(NAME, __version__, tracer_provider)
        self._spans = Spans(self._tracer)
        self._metrics = Metrics(metrics.get_meter(NAME, __version__, meter_provider))
        self.hook: Hook = observer(self._observe)

    def close(self) -> None:
        """End the spans of runs that were stopped here and have not been taken up again by this process."""
        for run_id in self._spans.runs:
            self._spans.end_run(run_id)

    # --- the observer

    async def _observe(self, moment: Moment) -> None:  # `async`: it is quick, and begins in the context of the caller
        OBSERVE[type(moment)](self, moment)

    def _workflow_began(self, moment: WorkflowBegan) -> None:
        self._spans.begin(Key(moment.run_id, RUN, moment.path), moment.at)
        if _is_run(moment.path):
            self._metrics.run_began(moment.path)

    def _step_began(self, moment: StepBegan) -> None:
        self._spans.begin(Key(moment.run_id, STEP, moment.path), moment.at)

    def _step_ended(self, moment: StepEnded) -> None:
        key, how, failure = Key(moment.run_id, STEP, moment.path), moment.how, moment.failure
        seconds = self._spans.end(key, moment.at, how, failure)
        self._metrics.step_ended(moment.path, how, failure, seconds)

    def _attempt_began(self, moment: AttemptBegan) -> None:
        self._spans.begin(Key(moment.run_id, ATTEMPT, moment.path, moment.attempt), moment.at)

    def _attempt_ended(self, moment: AttemptEnded) -> None:
        key, how, failure = Key(moment.run_id, ATTEMPT, moment.path, moment.attempt), moment.how, moment.failure
        self._spans.end(key, moment.at, how, failure)
        self._metrics.attempt_ended(moment.path, how, failure)

    def _undo_began(self, moment: UndoBegan) -> None:
        key = Key(moment.run_id, UNDO, moment.path, moment.attempt)
        self._spans.begin(key, moment.at, {"orchestration.undo.by": moment.by})

    def _undo_ended(self, moment: UndoEnded) -> None:
        key, how, failure = Key(moment.run_id, UNDO, moment.path, moment.attempt), moment.how, moment.failure
        self._spans.end(key, moment.at, how, failure)
        self._metrics.undo_ended(moment.path, how, failure)

    def _retry_planned(self, moment: RetryPlanned) -> None:
        self._metrics.retry_planned(moment.path)
        self._note(moment, "retry planned", {"orchestration.retry.delay": moment.due - moment.at})

    def _cancelled(self, moment: RunCancelled) -> None:
        told: Attributes = {"orchestration.cancel.reason": moment.reason}
        self._note(moment, "cancel requested", told | {"orchestration.cancel.decided": moment.decided})

    def _resumed(self, moment: RunResumed) -> None:
        """Begin a span for the rest of a run; one that this process had itself before has ended there."""
        run_id, path, at = moment.run_id, moment.path, moment.at
        if self._spans.end_run(run_id, at):
            self._metrics.run_left(path)
        self._spans.begin(Key(run_id, RUN, path), at, {"orchestration.run.epoch": moment.epoch})
        self._metrics.run_began(path)

    def _workflow_ended(self, moment: WorkflowEnded) -> None:
        key, how, failure = Key(moment.run_id, RUN, moment.path), moment.how, moment.failure
        span = self._spans.find(key)
        if span is not None and moment.rollback is not None:
            span.set_attribute("orchestration.rollback", moment.rollback)
        seconds = self._spans.end(key, moment.at, how, failure)
        if _is_run(moment.path):
            self._spans.end_run(moment.run_id, moment.at)
            self._metrics.run_ended(moment.path, how, failure, seconds)
            if seconds is not None:
                self._metrics.run_left(moment.path)

    def _note(self, moment: RetryPlanned | RunCancelled, name: str, attributes: Attributes) -> None:
        """Add an event to the span that a moment is of."""
        span = self._spans.find(Key(moment.run_id, STEP, moment.path)) or self._spans.around(
            Key(moment.run_id, "", moment.path)
        )
        if span is not None:
            span.add_event(name, attributes, nanoseconds(moment.at))

    # --- the middleware

    async def middleware(self, effect: Attempted, following: Handler) -> object:
        """Perform an attempt with its span open."""
        here = step_context()
        key = Key(here.run_id, _what(effect), effect.path, effect.attempt)
        known = self._spans.find(key)
        with self._own(key) if known is None else _within(known):
            carrier: dict[str, str] = {}
            propagate.inject(carrier)
            here.carry(Carried(carrier))
            return await following(effect)

    @contextmanager
    def _own(self, key: Key) -> Generator[None]:
        """Have a span of the middleware's own open: of what no observer was told here."""
        span, how = self._spans.made(key), "cancelled"
        try:
            with _within(span):
                yield
            how = "succeeded"
        except Exception as error:
            how = "failed"
            tell_failure(span, how, None, Failure.of(error, key.path))
            raise
        finally:
            span.set_attribute("orchestration.outcome", how)
            span.end()


@frozen
class Carried:
    """The context of a span, on its way to another process."""

    carrier: dict[str, str]

    def __call__(self) -> AbstractContextManager[None]:
        """Have it there while the body runs."""
        return _attached(self.carrier)


@contextmanager
def _attached(carrier: dict[str, str]) -> Generator[None]:
    token = context.attach(propagate.extract(carrier))
    try:
        yield
    finally:
        context.detach(token)


def _is_run(path: str) -> bool:
    return "/" not in path


def _what(effect: Attempted) -> str:
    return {RunStep: ATTEMPT, RunUndo: UNDO, RunCleanup: CLEANUP}[type(effect)]


def _within(span: Span) -> AbstractContextManager[Span]:
    """Have a span open that others end and mark."""
    return trace.use_span(span, record_exception=False, set_status_on_exception=False)


OBSERVE: dict[type, Callable[[Telemetry, Any], None]] = {
    WorkflowBegan: Telemetry._workflow_began,  # noqa: SLF001 - the table belongs to the class
    WorkflowEnded: Telemetry._workflow_ended,  # noqa: SLF001
    RunResumed: Telemetry._resumed,  # noqa: SLF001
    StepBegan: Telemetry._step_began,  # noqa: SLF001
    StepEnded: Telemetry._step_ended,  # noqa: SLF001
    AttemptBegan: Telemetry._attempt_began,  # noqa: SLF001
    AttemptEnded: Telemetry._attempt_ended,  # noqa: SLF001
    UndoBegan: Telemetry._undo_began,  # noqa: SLF001
    UndoEnded: Telemetry._undo_ended,  # noqa: SLF001
    RetryPlanned: Telemetry._retry_planned,  # noqa: SLF001
    RunCancelled: Telemetry._cancelled,  # noqa: SLF001
}
