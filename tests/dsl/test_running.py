"""The builder, end to end: every construct, run in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import (
    DeadlineExceeded,
    Err,
    Failure,
    Graph,
    LocalEngine,
    Node,
    NotStarted,
    Ok,
    Retry,
    Signal,
    Succeeded,
    Workflow,
    WorkflowFailed,
    graph,
    step,
    tolerate,
)
from orchestration.failures import kind_name
from tests.bodies import double, increase, is_even, pair_total, spread, undo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

flow: Any = Workflow[int]("f")
lines: Any = flow.step(spread)
AT_ONCE = Retry(max_attempts=2, initial_delay=0)


def fail(number: int) -> int:
    """Raise."""
    raise ValueError(number)


def odd_fails(number: int) -> int:
    """Raise for odd numbers."""
    return number if is_even(number) else fail(number)


def failed_kind(failure: Failure) -> str:
    """Say what failed."""
    return failure.kind


def shown(results: Any) -> Any:
    """Show values and the kinds of failures."""
    match results:
        case Ok(value):
            return value
        case Err(failure):
            return failure.kind
        case NotStarted(name):
            return f"not started: {name}"
        case _:
            return [shown(result) for result in results]


def diamond(g: Graph[int]) -> Node[int]:
    """Build (n + 1) * 2 + (n + 2)."""
    start = g.node(increase, g.input)
    return g.node(pair_total, g.node(double, start), g.node(increase, start))


def broken(g: Graph[int]) -> tuple[Node[int], Node[int], Node[int]]:
    """Build a node that fails, one that needs it, and one that does not."""
    failing = g.node(fail, g.input)
    return failing, g.node(double, failing, name="needy"), g.node(double, g.input)


def named(g: Graph[int]) -> Node[Any, Any]:
    """Build by names."""
    g.node(pair_total, "one", "other", name="sum")
    g.node(double, g.input, name="one")
    g.node(increase, "one", name="other")
    return g["sum"]


async def numbers(count: int) -> AsyncIterator[int]:
    """Yield numbers."""
    for number in range(count):
        yield number


def stream(count: int) -> Any:
    """Open a stream."""
    return numbers(count)


def enough(value: int, _: int) -> bool:
    """Tell whether a value is large."""
    return value >= 10


def too_few(value: int, index: int) -> bool:
    """Tell whether a value is small."""
    return not enough(value, index)


CASES: dict[str, tuple[Any, int, object]] = {
    "graph": (graph(diamond), 3, 13),
    "graph as a body": (flow.step(increase).step(graph(diamond), timeout=9, retry=AT_ONCE), 2, 13),
    "graph by names": (graph(named), 3, 13),
    "graph that collects": (graph(broken, on_error="collect").pure(shown), 3, ["ValueError", "not started: fail", 6]),
    "race in a graph": (graph(lambda g: g.race(g.node(fail, g.input), g.node(double, g.input))), 3, 6),
    "race of a fork": (flow.fork(fail).fork(double).race(), 3, 6),
    "race of a map": (lines.map(odd_fails, concurrency=1).race(), 3, 4),
    "join that collects": (flow.fork(fail).fork(double).join(on_error="collect").pure(shown), 3, ["ValueError", 6]),
    "join of results": (
        flow.fork(fail).fork(double).join(lambda one, other: [shown(one), shown(other)], on_error=tolerate(count=1)),
        3,
        ["ValueError", 6],
    ),
    "map that collects": (lines.map(odd_fails, on_error="collect").pure(shown), 3, ["ValueError", 4, "ValueError"]),
    "map into one": (lines.map(double).into(1, pair_total), 3, 25),
    "map of a stream": (flow.step(stream).map(double, concurrency=2), 4, [0, 2, 4, 6]),
    "map of a stream into one": (flow.step(stream).map(double).into(0, pair_total), 4, 12),
    "enumerate": (lines.enumerate(), 3, [(0, 3), (1, 4), (2, 5)]),
    "fold": (lines.fold(0, pair_total), 3, 12),
    "loop until": (flow.loop(double, until=enough, max_iterations=9), 3, 12),
    "loop while": (flow.loop(step(double).step(increase), while_=too_few, max_iterations=9), 3, 15),
    "recover": (flow.step(increase).compensate(undo).step(fail).recover(failed_kind, on=ValueError), 3, "ValueError"),
    "recover from nothing": (flow.step(increase).recover(failed_kind, on=ValueError), 3, 4),
    "cleanup and pivot": (flow.cleanup(undo).step(increase).pivot().step(double), 3, 8),
    "sleep": (flow.sleep(0).step(increase), 3, 4),
    "step in time": (flow.step(increase, timeout=60, retry=AT_ONCE), 3, 4),
    "case of a member": (flow.branch().case(3, double).otherwise(increase), 3, 6),
}


@pytest.mark.parametrize(("workflow", "value", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_built_runs(workflow, value, expected) -> None:
    """S13-S21: every construct gives the value that its rule says."""
    assert workflow.run_sync(value) == expected


def test_a_signal_goes_on_with_the_value_before_it() -> None:
    """S21: `into(value, payload)`."""
    go = Signal("go", int)
    workflow = Workflow[int]("f").wait_for(go, pair_total)

    async def run() -> object:
        handle = await LocalEngine().start(workflow, 3)
        handle.signal(go, 4)
        return await handle.result()

    outcome = asyncio.run(run())
    assert isinstance(outcome, Succeeded)
    assert outcome.value == 7


def test_a_timeout_of_a_workflow_is_final() -> None:
    """S10: `DeadlineExceeded`, whatever the retries inside would do."""
    waiting = flow.step(Workflow[int]("inner").wait_for(Signal("never", int)), timeout=0.01, retry=Retry())
    with pytest.raises(WorkflowFailed) as caught:
        waiting.run_sync(3)
    assert caught.value.outcome.failure.kind == kind_name(DeadlineExceeded)


def test_a_run_may_have_a_deadline() -> None:
    """S10: in seconds from its start."""
    with pytest.raises(WorkflowFailed) as caught:
        flow.wait_for(Signal("never", int)).run_sync(3, deadline=0.01)
    assert caught.value.outcome.failure.kind == kind_name(DeadlineExceeded)
    assert asyncio.run(flow.step(increase).run(3, deadline=60)) == 4
