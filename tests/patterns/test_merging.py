"""WCP-06 to WCP-08, WCP-33, WCP-37, WCP-41 and WCP-42: advanced branching, and what comes together after it."""

from __future__ import annotations

import pytest

from orchestration import Signal, Succeeded, Workflow, graph, step
from tests.machine import Machine
from tests.patterns.work import Post, a, after, b, both, c, joined


def nothing(_: str | None) -> None:
    """Be the value of a branch that is not taken."""


def optional(letter: str, body) -> Workflow:
    """Return a branch that is taken if the value asks for it."""
    nobody = Workflow[str]("not_taken").pure(nothing)
    return Workflow[str](letter).branch().when(lambda value: letter in value, body).otherwise(nobody)


def merged(*parts: str | None) -> str | None:
    """Make one text of the branches that were taken."""
    return "+".join(filter(None, parts)) or None


LETTERS = {"a": a, "b": b, "c": c}
CHOICES = Workflow[str]("flow").fork(optional("a", a)).fork(optional("b", b)).fork(optional("c", c))


@pytest.mark.parametrize("chosen", ["a", "ac", "abc"])
def test_multi_choice(chosen) -> None:
    """WCP-06: one or more of the branches are taken, each by a test of its own, at the same time."""
    run = Machine(CHOICES.join().compile(), chosen)
    assert run.running == [f"flow/fork/{letter}/branch/{letter}" for letter in chosen]


@pytest.mark.parametrize("chosen", ["a", "ac", "abc"])
def test_structured_synchronizing_merge(chosen) -> None:
    """WCP-07: what follows waits for the branches that were taken, and only for these."""
    run = Machine(CHOICES.join(merged).compile(), chosen)
    for letter in chosen:
        assert "flow/merged" not in run.running
        run.call(f"flow/fork/{letter}/branch/{letter}")
    assert run.running == ["flow/merged"]
    assert run.run() == Succeeded("+".join(chosen + letter for letter in chosen), "run")


def test_multi_merge() -> None:
    """WCP-08: what follows runs once for each branch, as soon as that branch has ended."""
    follow = Workflow[str]("follow").step(after)
    run = Machine(
        Workflow[str]("flow")
        .fork(Workflow[str]("one").step(a).step(follow))
        .fork(Workflow[str]("other").step(b).step(follow))
        .join()
        .compile(),
        "",
    )
    run.call("flow/fork/other/b")
    assert run.running == ["flow/fork/one/a", "flow/fork/other/follow/after"]
    run.call("flow/fork/other/follow/after")
    run.call("flow/fork/one/a")
    assert run.running == ["flow/fork/one/follow/after"]
    assert run.run() == Succeeded(("a!", "b!"), "run")


def twice(body: Workflow) -> Workflow:
    """Return a loop of two rounds."""
    return Workflow[str]("twice").loop(body, name="loop", until=lambda _, index: index == 1, max_iterations=2)


def test_generalized_and_join() -> None:
    """WCP-33: what follows fires once for each pair of arrivals, and a branch that is ahead is not forgotten."""
    post, left, right = Post(), Signal("left", str), Signal("right", str)
    fast = twice(step(a).step(post.tell(left)))
    slow = twice(step(b).step(post.tell(right)))
    meet = Workflow[str]("meet").fork(Workflow[str]("l").wait_for(left)).fork(Workflow[str]("r").wait_for(right))
    branches = Workflow[str]("flow").fork(fast, name="fast").fork(slow, name="slow")
    run = post.start(branches.fork(twice(meet.join(both)), name="pairs").join(), "")
    for here in ("loop[0]/a", "loop[0]/tell", "loop[1]/a", "loop[1]/tell"):
        run.call(f"flow/fork/fast/{here}")
    assert run.running == ["flow/fork/slow/loop[0]/b"]
    for here in ("slow/loop[0]/b", "slow/loop[0]/tell"):
        run.call(f"flow/fork/{here}")
    assert run.running == ["flow/fork/pairs/loop[0]/both", "flow/fork/slow/loop[1]/b"]
    assert run.run() == Succeeded(("aa", "bb", "aa+bb"), "run")


def unnested(chosen: str) -> Machine:
    """Return a graph of three optional branches: the one in the middle goes to two merges."""

    def net(g):
        left, middle, right = (g.node(optional(letter, body), g.input) for letter, body in LETTERS.items())
        return (
            g.node(merged, left, middle, name="left_or_middle"),
            g.node(merged, middle, right, name="middle_or_right"),
        )

    return Machine(graph(net, name="net").compile(), chosen)


def test_local_synchronizing_merge() -> None:
    """WCP-37: in a graph that is not nested, a merge waits for the branches that were taken before it, no others."""
    run = unnested("ab")
    assert run.running == ["net/net/a/branch/a", "net/net/b/branch/b"]
    run.call("net/net/b/branch/b")
    assert run.running == ["net/net/a/branch/a", "net/net/middle_or_right"]
    run.call("net/net/a/branch/a")
    assert run.running == ["net/net/middle_or_right", "net/net/left_or_middle"]
    assert run.run() == Succeeded(("aba+abb", "abb"), "run")


def test_thread_merge() -> None:
    """WCP-41: the threads of one branch become one again when all have come."""
    run = Machine(Workflow[list[str]]("flow").map(a).step(joined).compile(), ["1", "2", "3"])
    for index in (2, 0):
        run.call(f"flow/a[{index}]")
        assert "flow/joined" not in run.running
    run.call("flow/a[1]")
    assert run.running == ["flow/joined"]
    assert run.run() == Succeeded("1a+2a+3a", "run")


def test_thread_split() -> None:
    """WCP-42: one thread becomes a number of threads of the same branch."""
    run = Machine(Workflow[str]("flow").pure(lambda value: [value] * 3).map(step(a).step(b)).compile(), "")
    assert run.running == ["flow/a[0]/a", "flow/a[1]/a", "flow/a[2]/a"]
    run.call("flow/a[1]/a")
    assert run.running == ["flow/a[0]/a", "flow/a[2]/a", "flow/a[1]/b"]
