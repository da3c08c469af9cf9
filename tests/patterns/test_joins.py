"""WCP-09 and WCP-28 to WCP-32: what follows does not wait for all branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration import Signal, Succeeded, Workflow, step
from tests.bodies import void
from tests.machine import Machine
from tests.patterns.work import Post, a, after, b, c, first, joined

if TYPE_CHECKING:
    from orchestration.dsl.fork import Fork


def branches(post: Post) -> Fork:
    """Return three branches, of which each tells when it has ended."""
    tell = post.tell()
    region = Workflow[str]("flow").fork(step(a).step(tell), name="a").fork(step(b).step(tell), name="b")
    return region.fork(step(c).step(tell), name="c")


def finish(run: Machine, *letters: str, above: str = "") -> None:
    """Let branches come to their end, one after the other."""
    for letter in letters:
        run.call(f"{above}flow/fork/{letter}/{letter}")
        run.call(f"{above}flow/fork/{letter}/tell")


def test_structured_discriminator() -> None:
    """WCP-09: the first branch that ends lets what follows begin, once; the others go on, and are waited for."""
    post = Post()
    run = post.start(branches(post).fork(first(1).step(joined), name="next").join(), "")
    finish(run, "b")
    assert run.running == ["flow/fork/a/a", "flow/fork/c/c", "flow/fork/next/joined"]
    run.call("flow/fork/next/joined")
    assert run.cancelling == set()
    finish(run, "c", "a")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == ("a", "b", "c", "b")
    assert len(run.outcome.unused_signals) == 2


def test_structured_partial_join() -> None:
    """WCP-30: what follows begins when two of three branches have ended, once; the third goes on."""
    post = Post()
    run = post.start(branches(post).fork(first(2).step(joined), name="next").join(), "")
    finish(run, "c")
    assert run.running == ["flow/fork/a/a", "flow/fork/b/b"]
    finish(run, "a")
    assert run.running == ["flow/fork/b/b", "flow/fork/next/joined"]
    run.call("flow/fork/next/joined")
    finish(run, "b")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == ("a", "b", "c", "c+a")


ARRIVALS = {letter: Signal(letter, str) for letter in "abc"}


def rounds(post: Post, count: int) -> Machine:
    """Return two rounds of a join of so many of three lines of arrivals; a round ends when all three have come."""
    arm = {letter: Workflow[str](letter).wait_for(arrival).step(post.tell()) for letter, arrival in ARRIVALS.items()}
    follow = first(count).step(joined).tap(first(3 - count), name="rest")
    join = Workflow[str]("join").fork(arm["a"]).fork(arm["b"]).fork(arm["c"]).fork(follow, name="next").join()
    again = join.pure(lambda ends: ends[-1])
    loop = Workflow[str]("flow").loop(again, name="round", until=lambda _, index: index == 1, max_iterations=2)
    return post.start(loop, "")


def arrive(run: Machine, *letters: str) -> None:
    """Let one thread after the other arrive in the line of its letter; those that are let in tell so."""
    for letter in letters:
        run.signal(letter, letter)
        for path in [path for path in run.running if path.endswith("/tell")]:
            run.call(path)


def test_blocking_discriminator() -> None:
    """WCP-28: the first to arrive lets what follows begin; who comes again waits until all have come once."""
    run = rounds(Post(), 1)
    arrive(run, "b", "b")
    assert run.running == ["flow/round[0]/fork/next/joined"]
    run.call("flow/round[0]/fork/next/joined")
    arrive(run, "a", "a")
    assert run.running == []
    arrive(run, "c")
    assert run.running == ["flow/round[1]/fork/a/tell", "flow/round[1]/fork/b/tell"]
    run.call("flow/round[1]/fork/b/tell")
    assert run.running == ["flow/round[1]/fork/a/tell", "flow/round[1]/fork/next/joined"]


def test_blocking_partial_join() -> None:
    """WCP-31: two who arrive let what follows begin; who comes again waits until all have come once."""
    run = rounds(Post(), 2)
    arrive(run, "b", "b")
    assert run.running == []
    arrive(run, "c")
    assert run.running == ["flow/round[0]/fork/next/joined"]
    run.call("flow/round[0]/fork/next/joined")
    arrive(run, "b", "c")
    assert run.running == []
    arrive(run, "a")
    assert run.running == ["flow/round[1]/fork/b/tell", "flow/round[1]/fork/c/tell"]


def test_cancelling_discriminator() -> None:
    """WCP-29: the first branch that ends lets what follows begin; the others are cancelled and waited for."""
    run = Machine(Workflow[str]("flow").fork(a).fork(b).fork(c).race().step(after).compile(), "")
    run.call("flow/fork/b")
    assert run.cancelling == {"flow/fork/a", "flow/fork/c"}
    run.end_cancelled("flow/fork/a")
    run.end_cancelled("flow/fork/c")
    assert run.running == ["flow/after"]
    assert run.run() == Succeeded("b!", "run")


def test_cancelling_partial_join() -> None:
    """WCP-32: when two of three branches have ended, the third is cancelled, and what follows begins."""
    post = Post()
    run = post.start(Workflow[str]("all").fork(branches(post).join()).fork(first(2)).race().step(joined), "")
    finish(run, "c", "a", above="all/fork/")
    assert run.running == ["all/fork/flow/fork/b/b"]
    assert run.cancelling == {"all/fork/flow/fork/b/b"}
    run.end_cancelled("all/fork/flow/fork/b/b")
    assert run.running == ["all/joined"]
    assert run.run() == Succeeded("c+a", "run")


def test_what_counted_is_undone_with_what_has_lost() -> None:
    """WCP-32: the branches that counted are of the region that is cancelled, so their undos run."""
    post = Post()
    counted = step(a).compensate(void).step(post.tell())
    region = Workflow[str]("region").fork(counted, name="a").fork(b).join()
    run = post.start(Workflow[str]("flow").fork(region).fork(first(1)).race().step(joined), "")
    run.call("flow/fork/region/fork/a/a")
    run.call("flow/fork/region/fork/a/tell")
    run.end_cancelled("flow/fork/region/fork/b")
    outcome = run.run()
    assert isinstance(outcome, Succeeded)
    assert outcome.rollback.undone == ("flow/fork/region/fork/a/a",)
