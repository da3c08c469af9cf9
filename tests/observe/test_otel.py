"""`Telemetry`: runs as spans and metrics, as OpenTelemetry's own in-memory exporters get them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the group `tests` has it")

from opentelemetry import propagate, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from orchestration import LocalEngine, Retry, Workflow, step, step_context
from orchestration.journal.memory import MemoryJournal
from orchestration.observe.otel import Telemetry
from orchestration.plan.moments import AttemptEnded, RunResumed, StepEnded, UndoEnded, WorkflowBegan, WorkflowEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration import Outcome

ONCE_MORE = Retry(max_attempts=2, initial_delay=0, jitter="none")


class Watched(NamedTuple):
    """A telemetry, and what it has exported."""

    telemetry: Telemetry
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    provider: TracerProvider

    def run(self, flow: Any, value: object = 1, **options: Any) -> Outcome[Any]:
        """Run a workflow under watch."""

        async def execute() -> Outcome[Any]:
            return await self.engine(**options).execute(flow, value)

        return asyncio.run(execute())

    def engine(self, **options: Any) -> LocalEngine[Any]:
        """Return an engine that is watched."""
        return LocalEngine(hooks=[self.telemetry.hook], middleware=(self.telemetry.middleware,), **options)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that have ended, in the order in which they did."""
        return self.exporter.get_finished_spans()

    def span(self, name: str) -> ReadableSpan:
        """Return the one span of this name."""
        (found,) = (span for span in self.spans if span.name == name)
        return found

    def tree(self) -> list[str]:
        """Return the names of the spans, each below the one that it is a part of, in the order of their beginning."""
        spans = sorted(self.spans, key=lambda span: span.start_time or 0)

        def below(parent: int | None, depth: int) -> list[str]:
            return [
                line
                for span in spans
                if (None if span.parent is None else span.parent.span_id) == parent
                for line in (f"{'  ' * depth}{span.name}", *below(span.get_span_context().span_id, depth + 1))
            ]

        return below(None, 0)

    def points(self, name: str) -> list[Any]:
        """Return the points of an instrument."""
        data = self.reader.get_metrics_data()
        assert data is not None
        metrics = (metric for r in data.resource_metrics for scope in r.scope_metrics for metric in scope.metrics)
        return [point for metric in metrics if metric.name == name for point in metric.data.data_points]

    def counted(self, name: str) -> dict[tuple[tuple[str, Any], ...], Any]:
        """Return how many there are by their attributes, of a counter or a histogram."""
        points = self.points(name)
        return {tuple(sorted(p.attributes.items())): p.count if hasattr(p, "count") else p.value for p in points}

    def active(self) -> list[int]:
        """Return how many runs are under way, by workflow."""
        return [point.value for point in self.points("orchestration.run.active")]


@pytest.fixture
def watched() -> Watched:
    """Give a telemetry with exporters of its own."""
    exporter, reader, provider = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider(metric_readers=[reader])
    return Watched(Telemetry(tracer_provider=provider, meter_provider=meters), exporter, reader, provider)


async def both(value: Any) -> Any:
    """Do something."""
    return value


async def undo(value: Any) -> None:
    """Undo it."""


async def boom(value: Any) -> Any:
    """Fail."""
    raise ConnectionError("the line is dead")


async def first_time_never(value: int) -> int:
    """Return in a run that was taken up again, and not before."""
    if step_context().epoch == 1:
        await asyncio.Event().wait()
    return value


def span_here(value: Any = None) -> str:
    """Return the trace and span that are open where this runs, as they are sent on, or `none`."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier["traceparent"][3:-3] if carrier else "none"


async def span_in_loop(value: Any) -> str:
    """Return the span that is open in the loop."""
    await asyncio.sleep(0)
    return span_here()


def traceparent(span: ReadableSpan) -> str:
    """Return how a span is sent on."""
    context = span.get_span_context()
    return f"{context.trace_id:032x}-{context.span_id:016x}"


# --- spans


def test_a_run_is_a_tree_of_spans(watched: Watched) -> None:
    """A run has its steps below it, a step its attempts; each names the run, the path and how it ended."""
    tried = iter([ConnectionError("once"), None])

    async def flaky(value: int) -> int:
        error = next(tried)
        if error is not None:
            raise error
        return value

    watched.run(Workflow[int]("w").step(both, name="a").step(flaky, retry=ONCE_MORE))
    assert watched.tree() == [
        "run w",
        "  step w/a",
        "    attempt w/a",
        "  step w/flaky",
        "    attempt w/flaky",
        "    attempt w/flaky",
    ]
    run = watched.span("run w")
    first, second = (span for span in watched.spans if span.name == "attempt w/flaky")
    assert {span.attributes["orchestration.run.id"] for span in watched.spans if span.attributes} == {
        (run.attributes or {})["orchestration.run.id"]
    }
    assert first.attributes is not None
    assert (first.attributes["orchestration.attempt"], first.attributes["orchestration.outcome"]) == (1, "failed")
    assert (first.attributes["error.type"], first.status.status_code) == ("ConnectionError", StatusCode.ERROR)
    assert [(event.name, dict(event.attributes or {})) for event in first.events] == [
        ("exception", {"exception.type": "ConnectionError", "exception.message": "once"})
    ]
    assert second.status.status_code == StatusCode.UNSET
    (retry,) = watched.span("step w/flaky").events
    assert (retry.name, dict(retry.attributes or {})) == ("retry planned", {"orchestration.retry.delay": 0.0})


def test_times_are_those_of_the_events(watched: Watched) -> None:
    """Spans begin and end when the run says so, not when they are told of."""
    ticks = iter(range(1000))
    watched.run(Workflow[int]("w").step(both, name="a"), clock=lambda: float(next(ticks)))
    times = {span.name: (span.start_time or 0, span.end_time or 0) for span in watched.spans}
    run, part, attempt = times["run w"], times["step w/a"], times["attempt w/a"]
    assert run[0] <= part[0] <= attempt[0] < attempt[1] <= part[1] <= run[1] < 1000 * 10**9
    assert all(time % 10**9 == 0 for pair in times.values() for time in pair)


def test_a_failed_run_shows_its_undos(watched: Watched) -> None:
    """S25: undos are spans of their own below the run, which says what became of it all."""
    outcome = watched.run(Workflow[int]("w").step(both, name="a").compensate(undo).step(boom))
    assert not outcome.ok
    assert watched.tree() == [
        "run w",
        "  step w/a",
        "    attempt w/a",
        "  step w/boom",
        "    attempt w/boom",
        "  undo w/a",
    ]
    run = watched.span("run w")
    assert run.status.description == "ConnectionError: the line is dead"
    assert dict(run.attributes or {}) | {"orchestration.run.id": ""} == {
        "orchestration.run.id": "",
        "orchestration.workflow": "w",
        "orchestration.path": "w",
        "orchestration.rollback": "complete",
        "orchestration.outcome": "failed",
        "error.type": "ConnectionError",
    }
    assert (watched.span("undo w/a").attributes or {})["orchestration.undo.by"] == "undo"


def test_items_share_a_name_and_have_paths_of_their_own(watched: Watched) -> None:
    """S4: names are few however many items there are; the attributes tell which one it is."""
    watched.run(Workflow[list[int]]("w").map(both, name="a"), [1, 2, 3])
    steps = [span for span in watched.spans if span.name == "step w/a[]"]
    assert sorted((span.attributes or {})["orchestration.path"] for span in steps) == ["w/a[0]", "w/a[1]", "w/a[2]"]


def test_a_workflow_inside_with_hooks_is_a_span_around_its_steps(watched: Watched) -> None:
    """S31: what is told of workflows inside of the run is what has hooks of its own."""
    inner = Workflow[int]("inner", hooks=[Telemetry().hook]).step(both, name="a")
    watched.run(Workflow[int]("w").step(inner).step(both, name="b"))
    assert watched.tree()[:3] == ["run w", "  run w/inner", "    step w/inner/a"]
    assert "  step w/b" in watched.tree()


def test_a_cancelled_run_is_no_error(watched: Watched) -> None:
    """S28: a cancel is an event of the run, with its reason; what it ends is marked as cancelled."""

    async def execute() -> None:
        begun = asyncio.Event()

        async def wait(value: int) -> None:
            begun.set()
            await asyncio.Event().wait()

        handle = await watched.engine().start(Workflow[int]("w").step(wait), 1)
        await begun.wait()
        handle.cancel("enough")
        await handle.result()

    asyncio.run(execute())
    run = watched.span("run w")
    assert [(event.name, dict(event.attributes or {})) for event in run.events] == [
        ("cancel requested", {"orchestration.cancel.reason": "enough", "orchestration.cancel.decided": True})
    ]
    assert {(span.attributes or {})["orchestration.outcome"] for span in watched.spans} == {"cancelled"}
    assert {span.status.status_code for span in watched.spans} == {StatusCode.UNSET}


def test_a_run_is_below_what_its_caller_has_open(watched: Watched) -> None:
    """S11: the run goes on in the trace of who has called it, whatever is open meanwhile elsewhere."""
    tracer = watched.provider.get_tracer("test")

    async def execute() -> None:
        with tracer.start_as_current_span("request"):
            handle = await watched.engine().start(Workflow[int]("w").step(both, name="a"), 1)
        with tracer.start_as_current_span("other"):
            await handle.result()

    asyncio.run(execute())
    assert watched.tree()[:2] == ["request", "  run w"]


# --- the context of bodies

PLACES: dict[str, Callable[[], dict[str, Any]]] = {
    "thread": dict,
    "process": dict,
    "pool": lambda: {"executors": {"pool": ThreadPoolExecutor(1)}},
    "processes": lambda: {"executors": {"processes": ProcessPoolExecutor(1)}},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_body_sees_the_span_of_its_attempt_wherever_it_runs(watched: Watched, place: str) -> None:
    """What a body does is below its attempt: in threads, in processes of ours, and in executors that were given."""
    options = PLACES[place]()
    outcome = watched.run(Workflow[int]("w").step(span_here, run_in=place), **options)
    for executor in options.get("executors", {}).values():
        executor.shutdown()
    assert outcome.ok
    assert outcome.value == traceparent(watched.span("attempt w/span_here"))


def test_a_body_in_the_loop_sees_the_span_of_its_attempt(watched: Watched) -> None:
    """Items side by side each see their own, also after a wait."""
    outcome = watched.run(Workflow[list[int]]("w").map(span_in_loop, name="a"), [1, 2, 3])
    assert outcome.ok
    spans = [span for span in watched.spans if span.name == "attempt w/a[]"]
    by_path = {(span.attributes or {})["orchestration.path"]: traceparent(span) for span in spans}
    assert outcome.value == [by_path[f"w/a[{index}]"] for index in range(3)]
    assert len(set(outcome.value)) == 3


def test_an_undo_sees_its_span_and_a_cleanup_has_one(watched: Watched) -> None:
    """S21, S22: of cleanups observers are not told, so the middleware makes their spans, below the run."""
    seen: list[str] = []

    async def note(value: Any) -> None:
        seen.append(span_here())

    watched.run(Workflow[int]("w").cleanup(note, name="tidy").step(both, name="a").compensate(note).step(boom))
    assert seen == [traceparent(watched.span("undo w/a")), traceparent(watched.span("cleanup w/tidy"))]
    assert "  cleanup w/tidy" in watched.tree()
    assert (watched.span("cleanup w/tidy").attributes or {})["orchestration.outcome"] == "succeeded"


def test_the_middleware_works_alone(watched: Watched) -> None:
    """Where no hook is told, as on a worker of another engine, attempts have spans below what is open around them."""

    async def execute() -> None:
        with watched.provider.get_tracer("test").start_as_current_span("activity"):
            engine: LocalEngine[Any] = LocalEngine(middleware=(watched.telemetry.middleware,))
            await engine.execute(Workflow[int]("w").step(both, name="a").step(boom), 1)

    asyncio.run(execute())
    assert watched.tree() == ["activity", "  attempt w/a", "  attempt w/boom"]
    failed = watched.span("attempt w/boom")
    assert (failed.status.status_code, failed.events[0].name) == (StatusCode.ERROR, "exception")
    assert (watched.span("attempt w/a").attributes or {})["orchestration.outcome"] == "succeeded"


def test_the_hook_works_alone(watched: Watched) -> None:
    """Without the middleware there are the same spans; bodies see what the caller has open."""

    async def execute() -> Any:
        return await LocalEngine(hooks=[watched.telemetry.hook]).execute(Workflow[int]("w").step(span_in_loop), 1)

    assert asyncio.run(execute()).value == "none"
    assert watched.tree() == ["run w", "  step w/span_in_loop", "    attempt w/span_in_loop"]


# --- durable runs


def test_a_run_that_is_taken_up_again_has_a_span_for_each_part(watched: Watched) -> None:
    """S32: the span of a stopped run ends when this process takes it up again, the rest has one with its epoch."""
    journal = MemoryJournal()
    flow = Workflow[int]("w").step(both, name="a").step(first_time_never)

    async def first() -> None:
        handle = await watched.engine(journal=journal, grace=0.1).start(flow, 1, run_id="r")
        async for event in handle.events():
            if event.path == "w/a":
                break

    async def second() -> None:
        await watched.engine(journal=journal).execute(flow, 1, run_id="r")

    asyncio.run(first())
    asyncio.run(second())
    before, after = sorted((s for s in watched.spans if s.name == "run w"), key=lambda span: span.start_time or 0)
    assert (before.attributes or {})["orchestration.outcome"] == "unknown"
    assert (after.attributes or {})["orchestration.outcome"] == "succeeded"
    assert (after.attributes or {})["orchestration.run.epoch"] == 2
    assert watched.active() == [0]


async def told(telemetry: Telemetry, *moments: Any) -> None:
    """Tell of moments as an engine does."""
    for moment in moments:
        await telemetry.hook.body.call(moment)  # type: ignore[misc]  # the observer is a coroutine function


def test_ends_without_a_beginning_are_no_trouble(watched: Watched) -> None:
    """S32: who takes a run up is told of ends whose beginning another process was told of: they count all the same."""
    asyncio.run(
        told(
            watched.telemetry,
            RunResumed("r", "w", 1.0, 2),
            AttemptEnded("r", "w/a", 1.0, 1, "lost"),
            StepEnded("r", "w/a", 1.0, "lost"),
            UndoEnded("r", "w/b", 1.0, 1, "lost"),
            WorkflowEnded("r", "w", 2.0, "cancelled"),
            WorkflowEnded("other", "w", 2.0, "succeeded"),
        )
    )
    assert watched.tree() == ["run w"]
    assert sum(watched.counted("orchestration.attempts").values()) == 1
    assert sum(watched.counted("orchestration.runs").values()) == 2


def test_close_ends_what_is_open(watched: Watched) -> None:
    """Runs that were stopped and never came back end with the telemetry, marked as unknown."""
    asyncio.run(told(watched.telemetry, WorkflowBegan("one", "w", 1.0), WorkflowBegan("two", "w", 1.0)))
    assert watched.spans == ()
    watched.telemetry.close()
    assert [(span.attributes or {})["orchestration.outcome"] for span in watched.spans] == ["unknown", "unknown"]


# --- metrics


def test_metrics_count_by_place_and_end(watched: Watched) -> None:
    """Steps, attempts, retries, undos and runs are counted by their place in the plan, with the kind of a failure."""
    flow = Workflow[list[int]]("w").map(step(both, name="a")).pure(len).step(both, name="b").compensate(undo)
    watched.run(flow.step(boom, retry=ONCE_MORE), [1, 2, 3])
    ok = (("orchestration.outcome", "succeeded"), ("orchestration.place", "w/a[]"), ("orchestration.workflow", "w"))
    failed = (("error.type", "ConnectionError"), ("orchestration.outcome", "failed"))
    at_boom = (*failed, ("orchestration.place", "w/boom"), ("orchestration.workflow", "w"))
    assert watched.counted("orchestration.steps")[ok] == 3
    assert watched.counted("orchestration.step.duration")[ok] == 3
    assert watched.counted("orchestration.attempts")[at_boom] == 2
    assert watched.counted("orchestration.steps")[at_boom] == 1
    assert list(watched.counted("orchestration.retries").values()) == [1]
    assert list(watched.counted("orchestration.undos").values()) == [1]
    at_run = (*failed, ("orchestration.place", "w"), ("orchestration.workflow", "w"))
    assert watched.counted("orchestration.runs") == watched.counted("orchestration.run.duration") == {at_run: 1}


def test_nothing_is_open_after_a_run(watched: Watched) -> None:
    """S29: after the outcome no span of the run is left, and the gauge of runs under way is back at zero."""
    watched.run(Workflow[int]("w").step(both, name="a"))
    assert watched.telemetry._spans.runs == []
    assert watched.active() == [0]


def test_the_providers_of_the_process_are_the_default() -> None:
    """Without providers of its own a telemetry uses those that are set, by default ones that do nothing."""
    telemetry = Telemetry()

    async def execute() -> Any:
        engine: LocalEngine[Any] = LocalEngine(hooks=[telemetry.hook], middleware=(telemetry.middleware,))
        return await engine.execute(Workflow[int]("w").step(both, name="a"), 1)

    outcome = asyncio.run(execute())
    assert outcome.ok
    assert not outcome.hook_failures
    assert not trace.get_current_span().get_span_context().is_valid
