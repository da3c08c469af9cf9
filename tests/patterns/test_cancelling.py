"""WCP-19, WCP-20, WCP-25 to WCP-27: what is under way is cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Cancelled, Signal, Succeeded, Workflow, step
from tests.machine import Machine
from tests.patterns.work import Post, a, after, b, both, c, gather, joined

STOP = Signal("stop", str)


def until_stopped(body: Workflow, name: str = "until_stopped") -> Workflow:
    """Return a workflow that ends with its body or, in the midst of it, with a signal."""
    return Workflow[Any](name).fork(body).fork(Workflow[str]("stop").wait_for(STOP)).race()


def test_cancel_task() -> None:
    """WCP-19: a step that is under way is withdrawn, and the run goes on without it."""
    run = Machine(Workflow[str]("flow").step(until_stopped(step(a))).step(after).compile(), "")
    assert run.running == ["flow/until_stopped/fork/a"]
    run.signal("stop", "no")
    assert run.cancelling == {"flow/until_stopped/fork/a"}
    run.end_cancelled("flow/until_stopped/fork/a")
    assert run.running == ["flow/after"]
    assert run.run() == Succeeded("no!", "run")


def test_a_step_that_is_not_cancelled_ends_by_itself() -> None:
    """WCP-19: without the signal, nothing is cancelled."""
    run = Machine(Workflow[str]("flow").step(until_stopped(step(a))).step(after).compile(), "")
    assert run.run() == Succeeded("a!", "run")


def test_cancel_case() -> None:
    """WCP-20: the whole run is cancelled, with all that is under way."""
    run = Machine(Workflow[str]("flow").fork(a).fork(step(b).step(c)).join(both).compile(), "")
    run.cancel("withdrawn")
    assert run.cancelling == set(run.running) == {"flow/fork/a", "flow/fork/b/b"}
    run.end_cancelled("flow/fork/a")
    run.end_cancelled("flow/fork/b/b")
    assert run.outcome == Cancelled("withdrawn", "run")


def test_cancel_region() -> None:
    """WCP-25: a region of several steps is cancelled, at whatever place it is; what is outside of it goes on."""
    region = Workflow[str]("region").fork(step(a).step(b)).fork(c).join(lambda one, other: one + other, name="end")
    run = Machine(Workflow[str]("flow").fork(until_stopped(region)).fork(after).join().compile(), "")
    run.call("flow/fork/until_stopped/fork/region/fork/a/a")
    inside = ["flow/fork/until_stopped/fork/region/fork/a/b", "flow/fork/until_stopped/fork/region/fork/c"]
    assert set(run.running) == {*inside, "flow/fork/after"}
    run.signal("stop", "no")
    assert run.cancelling == set(inside)
    for path in inside:
        run.end_cancelled(path)
    assert run.run() == Succeeded(("no", "!"), "run")


INSTANCES = Workflow[list[str]]("instances").map(step(a).step(b), concurrency=2)


def test_cancel_multiple_instance_task() -> None:
    """WCP-26: of many instances those under way are cancelled, those to come never begin, those at their end stay."""
    run = Machine(until_stopped(INSTANCES, "flow").compile(), list("xyz"))
    run.call("flow/fork/instances/a[0]/a")
    run.call("flow/fork/instances/a[0]/b")
    inside = ["flow/fork/instances/a[1]/a", "flow/fork/instances/a[2]/a"]
    assert run.running == inside
    run.signal("stop", "no")
    for path in inside:
        run.end_cancelled(path)
    assert run.outcome == Succeeded("no", "run")


@pytest.mark.parametrize("complete", [True, False])
def test_complete_multiple_instance_task(complete) -> None:
    """WCP-27: many instances are completed before their time: the run goes on with what has come, the rest is cut."""
    post, done = Post(), Signal("done", str)
    instances = Workflow[list[str]]("instances").map(step(a).step(post.tell(done)))
    so_far = gather(lambda those, _: those[-1] == "enough", 100, done).pure(lambda those: those[:-1])
    run = post.start(Workflow[list[str]]("flow").fork(instances).fork(so_far).race().step(joined), list("xyz"))
    for index in (2, 0):
        run.call(f"flow/fork/instances/a[{index}]/a")
        run.call(f"flow/fork/instances/a[{index}]/tell")
    if complete:
        run.signal("done", "enough")
        run.end_cancelled("flow/fork/instances/a[1]/a")
        assert run.run() == Succeeded("za+xa", "run")
    else:
        outcome = run.run()
        assert isinstance(outcome, Succeeded)
        assert outcome.value == "xa+ya+za"
