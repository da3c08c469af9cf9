"""WCP-01 to WCP-05: basic control flow."""

from __future__ import annotations

import pytest

from orchestration import Succeeded, Workflow
from tests.machine import Machine
from tests.patterns.work import a, after, b, both


def test_sequence() -> None:
    """WCP-01: a step begins when the one before it has ended."""
    run = Machine(Workflow[str]("flow").step(a).step(b).compile(), "")
    assert run.running == ["flow/a"]
    run.call("flow/a")
    assert run.running == ["flow/b"]
    run.call("flow/b")
    assert run.outcome == Succeeded("ab", "run")


def test_parallel_split() -> None:
    """WCP-02: one thread of control becomes two, which run at the same time."""
    run = Machine(Workflow[str]("flow").step(after).fork(a).fork(b).join().compile(), "")
    run.call("flow/after")
    assert run.running == ["flow/fork/a", "flow/fork/b"]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_synchronization(order) -> None:
    """WCP-03: what follows begins when both branches have ended, whichever is first, and once."""
    run = Machine(Workflow[str]("flow").fork(a).fork(b).join(both).compile(), "")
    run.call(f"flow/fork/{order[0]}")
    assert run.running == [f"flow/fork/{order[1]}"]
    run.call(f"flow/fork/{order[1]}")
    assert run.running == ["flow/both"]
    assert run.run() == Succeeded("a+b", "run")


@pytest.mark.parametrize(("value", "taken"), [("air", "a"), ("sea", "b")])
def test_exclusive_choice(value, taken) -> None:
    """WCP-04: exactly one of the branches is taken, as the value says."""
    run = Machine(Workflow[str]("flow").branch().when(lambda to: to == "air", a).otherwise(b).compile(), value)
    assert run.running == [f"flow/branch/{taken}"]
    assert run.run() == Succeeded(value + taken, "run")


@pytest.mark.parametrize(("value", "taken"), [("air", "a"), ("sea", "b")])
def test_simple_merge(value, taken) -> None:
    """WCP-05: whichever branch was taken, the same step follows it at once."""
    choice = Workflow[str]("flow").branch().when(lambda to: to == "air", a).otherwise(b)
    run = Machine(choice.step(after).compile(), value)
    run.call(f"flow/branch/{taken}")
    assert run.running == ["flow/after"]
