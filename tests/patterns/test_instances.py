"""WCP-12 to WCP-15 and WCP-34 to WCP-36: many instances of one activity."""

from __future__ import annotations

from collections.abc import AsyncIterable

import pytest

from orchestration import Succeeded, Workflow, step
from tests.machine import Machine
from tests.patterns.work import Feed, Post, a, after, b, first, gather, joined


def test_instances_without_synchronization() -> None:
    """WCP-12: instances run on their own beside what follows, and only the end of the run waits for them."""
    instances = Workflow[str]("instances").pure(list).map(a)
    follow = Workflow[str]("follow").step(b).step(after)
    run = Machine(Workflow[str]("flow").fork(instances).fork(follow).join().compile(), "xy")
    run.call("flow/fork/follow/b")
    run.call("flow/fork/follow/after")
    assert run.running == ["flow/fork/instances/a[0]", "flow/fork/instances/a[1]"]
    assert run.run() == Succeeded((["xa", "ya"], "xyb!"), "run")


def test_instances_known_at_design_time() -> None:
    """WCP-13: as many instances as the workflow says begin together; what follows waits for all of them."""
    run = Machine(Workflow[str]("flow").pure(lambda value: [value] * 3).map(a).step(joined).compile(), "")
    assert run.running == ["flow/a[0]", "flow/a[1]", "flow/a[2]"]
    run.call("flow/a[2]")
    run.call("flow/a[0]")
    assert run.running == ["flow/a[1]"]
    assert run.run() == Succeeded("a+a+a", "run")


@pytest.mark.parametrize("count", [0, 1, 4])
def test_instances_known_at_run_time(count) -> None:
    """WCP-14: how many instances there are is known when the first begins, not before the run."""
    items = [str(number) for number in range(count)]
    run = Machine(Workflow[str]("flow").pure(str.split).map(a).compile(), " ".join(items))
    assert run.running == [f"flow/a[{index}]" for index in range(count)]
    assert run.run() == Succeeded([f"{item}a" for item in items], "run")


def test_instances_known_at_the_end() -> None:
    """WCP-15: instances are added while others run; what follows begins when no more can come and all have ended."""
    run = Machine(Workflow[AsyncIterable[str]]("flow").map(a).step(joined).compile(), Feed())
    run.pull("flow/a", "1")
    run.call("flow/a[0]")
    run.pull("flow/a", "2")
    run.pull("flow/a", "3")
    assert run.running == ["flow/a[1]", "flow/a[2]"]
    run.exhaust("flow/a")
    run.call("flow/a[1]")
    assert run.running == ["flow/a[2]"]
    run.call("flow/a[2]")
    assert run.running == ["flow/joined"]
    assert run.run() == Succeeded("1a+2a+3a", "run")


def end(run: Machine, *indices: int) -> None:
    """Let instances come to their end, one after the other."""
    for index in indices:
        run.call(f"flow/fork/instances/a[{index}]/a")
        run.call(f"flow/fork/instances/a[{index}]/tell")


def test_static_partial_join_for_instances() -> None:
    """WCP-34: what follows begins when two of four instances have ended, once; the others go on."""
    post = Post()
    instances = Workflow[list[str]]("instances").map(step(a).step(post.tell()))
    flow = Workflow[list[str]]("flow").fork(instances).fork(first(2).step(joined), name="next").join()
    run = post.start(flow, list("wxyz"))
    end(run, 3)
    assert "flow/fork/next/joined" not in run.running
    end(run, 1)
    assert "flow/fork/next/joined" in run.running
    run.call("flow/fork/next/joined")
    end(run, 0, 2)
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == (["wa", "xa", "ya", "za"], "za+xa")


def test_cancelling_partial_join_for_instances() -> None:
    """WCP-35: when two of four instances have ended, the others are cancelled, and what follows begins."""
    post = Post()
    instances = Workflow[list[str]]("instances").map(step(a).step(post.tell()))
    run = post.start(Workflow[list[str]]("flow").fork(instances).fork(first(2)).race().step(joined), list("wxyz"))
    end(run, 3, 1)
    rest = ["flow/fork/instances/a[0]/a", "flow/fork/instances/a[2]/a"]
    assert run.cancelling == set(rest) == set(run.running)
    for path in rest:
        run.end_cancelled(path)
    assert run.running == ["flow/joined"]
    assert run.run() == Succeeded("za+xa", "run")


def test_dynamic_partial_join_for_instances() -> None:
    """WCP-36: instances are added while others run, until enough have ended by a test that looks at the results."""
    post = Post()
    instances = Workflow[AsyncIterable[str]]("instances").map(step(a).step(post.tell()))
    enough = gather(lambda those, _: sum(map(len, those)) > 5, 100)
    run = post.start(Workflow[AsyncIterable[str]]("flow").fork(instances).fork(enough).race().step(joined), Feed())
    run.pull("flow/fork/instances/a", "11")
    end(run, 0)
    run.pull("flow/fork/instances/a", "2")
    run.pull("flow/fork/instances/a", "33")
    end(run, 2)
    assert run.cancelling == {"flow/fork/instances/a[1]/a"}
    run.end_cancelled("flow/fork/instances/a[1]/a")
    assert list(run.pending) == ["flow/joined"]
    assert run.run() == Succeeded("11a+33a", "run")
