"""WCP-16 to WCP-18, WCP-39 and WCP-40: what may happen depends on the state that a run is in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from orchestration import LocalEngine, Signal, Succeeded, Workflow, graph
from tests.machine import Machine
from tests.patterns.work import Post, a, after, b, both, c, keep

PAID, WITHDRAWN = Signal("paid", int), Signal("withdrawn", str)
CHANGE, ISSUE = Signal("change", str), Signal("issue", bool)
FREE = Signal("free", str)


def ship(cents: int) -> str:
    """Go on after a payment."""
    return f"shipped for {cents}"


def close(reason: str) -> str:
    """Go on after a withdrawal."""
    return f"closed: {reason}"


def choose() -> Machine:
    """Return a run that waits for either of two signals."""
    either = Workflow[str]("flow").fork(Workflow[str]("x").wait_for(PAID)).fork(Workflow[str]("y").wait_for(WITHDRAWN))
    return Machine(either.race().branch().case(int, ship).case(str, close).exhaustive().compile(), "")


def test_deferred_choice() -> None:
    """WCP-16: both branches are open until the world chooses one; nothing of the other ever begins."""
    run = choose()
    assert run.running == []
    run.signal("withdrawn", "late")
    run.signal("paid", 5)
    assert run.running == ["flow/branch/close"]
    run.call("flow/branch/close")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == "closed: late"
    assert len(run.outcome.unused_signals) == 1


def test_the_world_may_choose_otherwise() -> None:
    """WCP-16: the other branch can be chosen as well."""
    run = choose()
    run.signal("paid", 5)
    assert run.run() == Succeeded("shipped for 5", "run")


def test_interleaved_parallel_routing() -> None:
    """WCP-17: each step runs once, never two at a time, and in an order that the edges allow."""

    def routes(g):
        one = g.node(a, g.input)
        other = g.node(b, g.input)
        return g.node(c, one, name="c"), g.node(both, one, other, name="both")

    run = Machine(graph(routes, name="flow", concurrency=1).compile(), "")
    order = []
    while run.outcome is None:
        (path,) = run.running
        order.append(path.rpartition("/")[2])
        run.call(path)
    assert sorted(order) == ["a", "b", "both", "c"]
    assert order.index("a") < order.index("c")
    assert order.index("both") > max(order.index("a"), order.index("b"))
    assert run.outcome == Succeeded(("ac", "a+b"), "run")


@dataclass(frozen=True)
class Trip:
    """What can be changed until its ticket is issued."""

    plan: str
    asked: str = ""
    issued: bool = False


def change(trip: Trip) -> Trip:
    """Do what can be done only as long as the state lasts."""
    return Trip(f"{trip.plan} {trip.asked}")


def booking() -> Workflow[str, str]:
    """Take changes from when it is booked until the ticket is issued."""
    issued = Workflow[Trip]("issued").wait_for(ISSUE, lambda trip, _: replace(trip, issued=True))
    asked = Workflow[Trip]("asked").wait_for(CHANGE, lambda trip, change: replace(trip, asked=change))
    either = Workflow[Trip]("either").fork(issued).fork(asked).race()
    serve = either.branch().when(lambda trip: trip.issued, Workflow[Trip]("no_more")).otherwise(change)
    booked = Workflow[str]("flow").step(a).pure(Trip)
    open_ = booked.loop(serve, name="open", until=lambda trip, _: trip.issued, max_iterations=100)
    return open_.pure(lambda trip: trip.plan).step(after)


def test_milestone() -> None:
    """WCP-18: an activity can be asked for again and again while a state lasts, and not after it."""
    run = Machine(booking().compile(), "")
    run.call("flow/a")
    for index in (0, 1):
        run.signal("change", str(index))
        assert run.running == [f"flow/open[{index}]/branch/change"]
        run.call(run.running[0])
    run.signal("issue", payload=True)
    run.signal("change", "2")
    assert run.running == ["flow/after"]
    run.call("flow/after")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == "a 0 1!"
    assert len(run.outcome.unused_signals) == 1


@pytest.mark.parametrize("broken", [False, True])
def test_critical_section(broken) -> None:
    """WCP-39: of two parts of several steps only one is active; the other begins when it is over, however it ends."""
    post = Post()

    def section(name: str, body) -> Workflow:
        free = Workflow[str](name).wait_for(FREE, keep).cleanup(post.tell(FREE), name="free")
        return free.step(a).step(body)

    flow = Workflow[str]("flow").fork(section("x", b)).fork(section("y", c)).join(on_error="collect")
    run = post.start(flow, "")
    assert run.running == []
    run.signal("free", "")
    assert run.running == ["flow/fork/x/a"]
    run.call("flow/fork/x/a")
    if broken:
        run.fail("flow/fork/x/b")
    else:
        run.call("flow/fork/x/b")
    assert run.running == ["flow/fork/x/free"]
    run.call("flow/fork/x/free")
    assert run.running == ["flow/fork/y/a"]
    outcome = run.run()
    assert isinstance(outcome, Succeeded)
    assert [result.ok for result in outcome.value] == [not broken, True]
    assert len(outcome.unused_signals) == 1


@pytest.mark.parametrize(("limit", "most"), [("bench", 1), (None, 3)])
def test_interleaved_routing(limit, most) -> None:
    """WCP-40: steps that share a limit of one run each once, in any order, and never two at a time."""
    active, seen = set(), []

    def at_the_bench(name: str):
        async def work(_: str) -> str:
            active.add(name)
            seen.append(set(active))
            for _ in range(3):
                await asyncio.sleep(0)
            active.remove(name)
            return name

        return work

    flow = Workflow[str]("flow")
    options = {} if limit is None else {"limit": limit}
    parts = flow.fork(at_the_bench("a"), **options).fork(at_the_bench("b"), **options)
    whole = parts.fork(at_the_bench("c"), **options).join()
    outcome = asyncio.run(LocalEngine(limits={"bench": 1}).execute(whole, ""))
    assert isinstance(outcome, Succeeded)
    assert outcome.value == ("a", "b", "c")
    assert max(map(len, seen)) == most
