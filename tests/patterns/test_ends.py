"""WCP-11, WCP-43, WCP-23 and WCP-24: how a run ends, and what it is told from outside."""

from __future__ import annotations

import pytest

from orchestration import Signal, Succeeded, Workflow, graph, step
from tests.machine import Machine
from tests.patterns.work import a, after, b, c, keep

RING = Signal("ring", str)


def test_implicit_termination() -> None:
    """WCP-11: a run ends when nothing is left to do, however its branches end, without a node that says so."""
    run = Machine(Workflow[str]("flow").fork(step(a).step(b)).fork(c).join().compile(), "")
    run.call("flow/fork/c")
    run.call("flow/fork/a/a")
    assert run.outcome is None
    run.call("flow/fork/a/b")
    assert run.outcome == Succeeded(("ab", "c"), "run")


def test_explicit_termination() -> None:
    """WCP-43: when one of the nodes that are ends is reached, all that is left is cancelled, and the run succeeds."""

    def ways(g):
        one, other = g.node(a, g.input), g.node(b, g.input)
        g.node(after, other, name="aside")
        return g.race(g.node(after, one, name="end"), g.node(c, other, name="other_end"))

    run = Machine(graph(ways, name="flow").compile(), "")
    run.call("flow/flow/b")
    run.call("flow/flow/a")
    assert set(run.running) == {"flow/flow/aside", "flow/flow/other_end", "flow/flow/end"}
    run.call("flow/flow/end")
    for path in ("flow/flow/other_end", "flow/flow/aside"):
        assert path in run.cancelling
        run.end_cancelled(path)
    assert run.outcome == Succeeded("a!", "run")


@pytest.mark.parametrize("early", [0, 1, 3])
def test_transient_trigger(early) -> None:
    """WCP-23: a signal that comes while nobody waits is lost; only one that comes after that is acted upon."""
    stale = Workflow[bool]("stale").wait_for(RING, lambda _value, _ring: True)
    none = Workflow[bool]("none").sleep(0).pure(lambda _: False)
    one_less = Workflow[bool]("one_less").fork(stale).fork(none).race()
    emptied = (
        Workflow[str]("emptied").pure(lambda _: True).loop(one_less, while_=lambda more, _: more, max_iterations=99)
    )
    run = Machine(Workflow[str]("flow").step(a).tap(emptied).wait_for(RING).step(after).compile(), "")
    for number in range(early):
        run.signal("ring", f"early {number}")
    run.call("flow/a")
    assert run.running == []
    run.signal("ring", "in time")
    assert run.running == ["flow/after"]
    assert run.run() == Succeeded("in time!", "run")


def test_persistent_trigger() -> None:
    """WCP-24: a signal that comes while nobody waits is kept for who waits next; one that is late is waited for."""
    flow = Workflow[str]("flow").step(a).wait_for(RING).step(b).wait_for(RING, keep, name="again").step(after)
    run = Machine(flow.compile(), "")
    run.signal("ring", "early ")
    run.call("flow/a")
    assert run.running == ["flow/b"]
    run.call("flow/b")
    assert run.running == []
    run.signal("ring", "late")
    assert run.running == ["flow/after"]
    assert run.run() == Succeeded("early b!", "run")
