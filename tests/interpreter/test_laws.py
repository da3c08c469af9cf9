"""What holds for every construct at every point of every run: replay, JSON, refusals, balance (S2, S3, S12, S39)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration import Retry, Workflow
from orchestration.dsl.graph import graph
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import Continue, Pull, RunStep, StartTimer
from orchestration.interpreter.engine import advance
from orchestration.interpreter.events import (
    CleanupFailed,
    CleanupSucceeded,
    CleanupTimedOut,
    Continued,
    Event,
    Exhausted,
    Pulled,
    PullFailed,
    SignalReceived,
    StepCancelled,
    StepFailed,
    StepLeaked,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoFailed,
    UndoSucceeded,
    UndoTimedOut,
)
from orchestration.interpreter.serial import state_key, state_to_data
from orchestration.plan.nodes import WaitFor
from orchestration.policies import tolerate
from orchestration.signals import Signal
from tests.bodies import Numbers, both, pair_total, same, void
from tests.interpreter.parts import ONCE, Flow, armed, chain, forked, plain, settled
from tests.machine import Declined, Machine, failure

GO = Signal("go", int)
TWICE = Retry(max_attempts=2, jitter="none")
WAIT: Flow = Workflow[Any]("").wait_for(GO)
SAGA = chain("saga", armed("a"), settled("b", retry=TWICE), plain("c"))


def twice(value: Any) -> list[Any]:
    """Return something to map over."""
    return [value, value]


def mended(failure: object) -> int:
    """Recover."""
    return 1


def diamond(g: Any) -> Any:
    """Build a graph."""
    a = g.node(armed("a"), g.input)
    b, c = g.node(SAGA, a, name="b"), g.node(armed("c"), a)
    return g.node(both, b, c, name="d"), c


def raced(g: Any) -> Any:
    """Build a graph whose output is that of the first of two members."""
    a, b = g.node(armed("a"), g.input), g.node(armed("b"), g.input)
    return g.race(g.node(same, a, name="c"), b)


def flow(name: str = "flow") -> Any:
    """Begin a workflow."""
    return Workflow[Any](name)


CONSTRUCTS: dict[str, tuple[Flow, Any]] = {
    "graph": (flow().step(graph(diamond, concurrency=2)), 1),
    "graph, collected": (flow().step(graph(diamond, on_error="collect", on_partial="continue")), 1),
    "graph, raced": (flow().step(graph(raced)), 1),
    "fork, raced": (forked(SAGA, armed("x"), settled("y")).race().step(plain("end")), 1),
    "map, collected": (flow().map(SAGA, on_error="collect", concurrency=2).step(plain("end")), [1, 2, 3]),
    "map, tolerant": (flow().map(settled("x"), on_error=tolerate(count=1)), [1, 2, 3]),
    "map, folded": (flow().map(armed("x"), on_error="collect", concurrency=2).into(0, lambda n, _: n + 1), [1, 2, 3]),
    "stream": (Workflow[Numbers]("flow").map(armed("x"), concurrency=2), Numbers(3)),
    "stream, raced": (Workflow[Numbers]("flow").map(armed("x")).race(), Numbers(3)),
    "stream, folded": (Workflow[Numbers]("flow").map(plain("x"), concurrency=2).into(0, pair_total), Numbers(3)),
    "deadlines": (flow().step(SAGA, timeout=4.0).step(settled("x", timeout=1.5, retry=TWICE)).sleep(2.0), 1),
    "retries": (flow().step(SAGA, retry=TWICE, on_partial="continue").pure(twice).map(armed("x"), retry=TWICE), 1),
    "recovery": (flow().step(SAGA).recover(mended, on=Declined).step(armed("x")).recover(SAGA, on=Exception), 1),
    "cleanups": (flow().cleanup(void, retry=TWICE).step(SAGA.cleanup(void, retry=ONCE)).step(plain("x")), 1),
    "pivot": (flow().step(SAGA).pivot().step(armed("x")).step(plain("y")), 1),
    "loop": (flow().loop(SAGA, until=lambda _, index: index == 2, max_iterations=3), 1),
    "fold": (flow().fold(0, pair_total, retry=TWICE).compensate(void, retry=ONCE).step(plain("x")), [1, 2, 3]),
    "waits": (forked(chain("a", WAIT).sleep(1.0), chain("b", plain("x"), WAIT)).join(timeout=5.0).step(WAIT), 1),
    "computing": (
        flow()
        .map(flow("body").pure(same))
        .loop(flow("l").pure(same), while_=lambda _, index: index < 1_500, max_iterations=2_000)
        .fold(0, pair_total),
        [1, 2],
    ),
}


def begin(construct: str, deadline: float | None = None) -> Machine:
    """Begin a run of a construct."""
    workflow, value = CONSTRUCTS[construct]
    return Machine(workflow.compile(), value, deadline=deadline)


def choices(run: Machine) -> list[tuple[str, str]]:
    """Return all that may happen next: where, and what."""
    found: list[tuple[str, str]] = []
    for place, effect in run.pending.items():
        match effect:
            case StartTimer():
                ends = ["fire"]
            case Continue():
                ends = ["go_on"]
            case Pull():
                ends = ["pull", "exhaust", "fail_pull"] if effect.index < 4 else ["exhaust"]
            case RunStep() if place in run.cancelling:
                ends = ["succeed", "fail", "end_cancelled", "leak"]
            case RunStep():
                ends = ["succeed", "succeed", "succeed", "fail", "time_out"]
            case _:
                ends = ["succeed", "succeed", "fail", "time_out"]
        found += [(place, end) for end in ends]
    if run.state.ledger.cancel is None and any(isinstance(node, WaitFor) for node in run.plan.nodes):
        found.append(("", "signal"))
    return found


def act(run: Machine, place: str, end: str, output: int) -> None:
    """Let something happen."""
    path = place.partition("@")[0]
    match end:
        case "signal":
            run.signal("go", output, f"id-{output}" if output else "")
        case "pull":
            run.pull(path, output)
        case "succeed":
            run.succeed(path, output)
        case "fire":
            run.fire(place)
        case _:
            getattr(run, end)(path)


def drive(data: st.DataObject, run: Machine, check: Any = lambda _: None) -> None:
    """Drive a run to its end by drawn choices, with at most one cancel."""
    cancel_at = data.draw(st.integers(-1, 25), label="cancel after")
    while run.outcome is None:
        options = choices(run)
        if cancel_at == 0:
            run.cancel()
        else:
            place, end = data.draw(st.sampled_from(options), label="next")
            act(run, place, end, data.draw(st.integers(0, 9), label="output"))
        cancel_at -= 1
        check(run)


def through_json(run: Machine) -> None:
    """Hold a state to its JSON form, and go on from that."""
    stored = run.stored()
    assert stored == run.state
    assert state_key(run.plan, stored) == state_key(run.plan, run.state)
    run.state = stored


every_construct = pytest.mark.parametrize("construct", CONSTRUCTS)


@every_construct
@settings(max_examples=25)
@given(st.data())
def test_a_run_may_be_stored_at_every_point_and_replayed_from_its_events(construct, data) -> None:
    """S2, S12, S39: going on from the JSON form gives the same effects as the event log folded anew, without it."""
    run = begin(construct, data.draw(st.sampled_from([None, 6.0])))
    drive(data, run, through_json)
    again = Machine(run.plan, run.value, deadline=run.deadline)
    for event in run.events:
        again.give(event)
    assert again.log == run.log
    assert again.state == run.state
    assert run.pending == {}, "S29: nothing is left of a run that has ended"


@every_construct
@settings(max_examples=15)
@given(st.data())
def test_an_illegal_event_is_refused_at_every_point(construct, data) -> None:
    """S3: whatever was not asked for: another attempt or item, a timer before it is due, a place where nothing is."""
    run = begin(construct)

    def refuse(run: Machine) -> None:
        if run.outcome is None:
            paths = sorted({effect.path for effect in run.log} | {"", "flow", "flow/nowhere[3]/x"})
            event = data.draw(st.sampled_from(illegal(run, data.draw(st.sampled_from(paths)))), label="illegal")
            before = state_to_data(run.plan, run.state)
            with pytest.raises(IllegalEvent):
                advance(run.plan, run.state, event)
            assert state_to_data(run.plan, run.state) == before

    drive(data, run, refuse)


def illegal(run: Machine, path: str) -> list[Event]:
    """Return events of every kind that cannot happen at a path, now or ever."""
    at, late = run.state.at, failure(path)
    events: list[Event] = [
        StepSucceeded(path, at, 99, 1),
        StepFailed(path, at, 99, late),
        StepTimedOut(path, at, 99, 1.0),
        StepCancelled(path, at, 99),
        StepLeaked(path, at, 99, 1.0),
        UndoSucceeded(path, at, 99),
        UndoFailed(path, at, 99, late),
        UndoTimedOut(path, at, 99, 1.0),
        CleanupSucceeded(path, at, 99),
        CleanupFailed(path, at, 99, late),
        CleanupTimedOut(path, at, 99, 1.0),
        TimerFired(path, -1.0),
        TimerFired(path, -1.0, "timeout"),
        TimerFired(path, -1.0, "sleep"),
        Pulled(path, at, 99, 1),
        Exhausted(path, at, 99),
        PullFailed(path, at, 99, late),
        SignalReceived(path, at, "unheard", "id", 1),
    ]
    return events if isinstance(run.pending.get(path), Continue) else [*events, Continued(path, at)]


@every_construct
@settings(max_examples=25)
@given(st.data())
def test_each_attempt_is_emitted_once_and_each_step_has_one_end_state(construct, data) -> None:
    """S5, S25, S29: keys are unique, and nobody is undone twice."""
    run = begin(construct)
    drive(data, run)
    attempts = [(type(effect), effect.path, effect.attempt) for effect in run.log if hasattr(effect, "attempt")]
    assert len(attempts) == len(set(attempts))
    assert run.outcome is not None
    paths = [state.path for state in run.outcome.rollback.steps]
    assert len(paths) == len(set(paths))


@every_construct
@settings(max_examples=25)
@given(st.data())
def test_an_outcome_is_what_was_decided_first(construct, data) -> None:
    """S28: a cancel that decided gives `Cancelled` with its reason, and nothing new begins after it."""
    run = begin(construct)
    drive(data, run, _nothing_new_after_a_cancel(run))
    cancelled = type(run.outcome).__name__ == "Cancelled"
    assert cancelled is (run.state.ledger.cancel is not None)


def _nothing_new_after_a_cancel(run: Machine) -> Any:
    emitted: list[int] = []

    def check(run: Machine) -> None:
        if run.state.ledger.cancel is not None:
            emitted.append(sum(isinstance(effect, RunStep | Pull) for effect in run.log))
            assert emitted[0] == emitted[-1]

    return check


@every_construct
def test_every_construct_succeeds_when_all_goes_well(construct) -> None:
    """S39: the plans above are no failures by themselves."""
    run = begin(construct)
    while run.outcome is None:
        place, end = next(choice for choice in choices(run) if not choice[0].endswith("@timeout"))
        act(run, place, "exhaust" if end == "pull" and run.pending[place].index == 2 else end, len(run.events))
    assert run.outcome.ok
