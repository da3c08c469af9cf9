"""What a workflow says of its unwinding: when an undo fails, and on a cancel (S24, S26, S28)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Workflow
from orchestration.interpreter.effects import RunUndo
from orchestration.outcomes import Cancelled, Failed, Kept, Undone
from tests.interpreter.parts import armed, plain
from tests.machine import Machine


def unwinding(**options: Any) -> Machine:
    """Return a run of a step, a fork of two and a failing step, of which the undo of the fork's last has failed."""
    flow = Workflow[Any]("flow", **options).step(armed("a")).fork(armed("b")).fork(armed("c")).join().step(plain("d"))
    run = Machine(flow.compile(), 1)
    for path in ("a", "fork/b", "fork/c"):
        run.succeed(f"flow/{path}", 1)
    run.fail("flow/d")
    run.fail("flow/fork/c", OSError("undo"))
    return run


@pytest.mark.parametrize(
    ("policy", "ends"),
    [
        ("hold", ["UndoFailed", "Undone", "Held"]),
        ("continue", ["UndoFailed", "Undone", "Undone"]),
        ("halt", ["UndoFailed", "Held", "Held"]),
    ],
)
def test_what_becomes_of_the_others_when_an_undo_fails(policy, ends) -> None:
    """S26: held is what it depended on, nothing, or all that remain; the rollback is partial either way."""
    run = unwinding(on_undo_failure=policy)
    run.run()
    assert isinstance(run.outcome, Failed)
    assert [type(state).__name__ for state in run.outcome.rollback.steps] == ends
    assert run.outcome.rollback.verdict == "partial"


def test_what_halts_inside_halts_outside_as_well() -> None:
    """S26: all that remain, outward through scopes, also what ran beside it."""
    inner = Workflow[Any]("inner", on_undo_failure="halt").step(armed("b")).step(armed("c")).step(plain("d"))
    run = Machine(Workflow[Any]("flow").fork(armed("a")).fork(inner).join().compile(), 1)
    for path in ("a", "inner/b", "inner/c"):
        run.succeed(f"flow/fork/{path}", 1)
    run.fail("flow/fork/inner/d")
    run.fail("flow/fork/inner/c", OSError("undo"))
    assert run.outcome is not None
    ends = [(type(state).__name__, state.path) for state in run.outcome.rollback.steps]
    assert ends == [("UndoFailed", "flow/fork/inner/c"), ("Held", "flow/fork/inner/b"), ("Held", "flow/fork/a")]


def test_an_undo_has_a_timeout() -> None:
    """S24: 30 seconds an attempt."""
    run = Machine(Workflow[Any]("flow").step(armed("a")).step(plain("b")).compile(), 1)
    run.succeed("flow/a", 1)
    run.fail("flow/b")
    effect = run.pending["flow/a"]
    assert isinstance(effect, RunUndo)
    assert effect.timeout == 30.0


def keeping() -> Machine:
    """Return a run of a workflow that does not compensate on a cancel, inside one that does."""
    inner = Workflow[Any]("inner", compensate_on_cancel=False).step(armed("b")).step(plain("c"))
    run = Machine(Workflow[Any]("flow").step(armed("a")).step(inner).compile(), 1)
    run.succeed("flow/a", 1)
    run.succeed("flow/inner/b", 1)
    return run


def test_a_cancel_may_keep_what_was_done() -> None:
    """S25, S28: the steps of that workflow end `Kept`, those around it are undone."""
    run = keeping()
    run.cancel()
    run.end_cancelled("flow/inner/c")
    run.run()
    assert isinstance(run.outcome, Cancelled)
    assert run.outcome.rollback.steps == (Kept("flow/inner/b"), Undone("flow/a"))


def test_a_failure_undoes_it_all_the_same() -> None:
    """S28: it concerns the cancel alone."""
    run = keeping()
    run.fail("flow/inner/c")
    run.run()
    assert isinstance(run.outcome, Failed)
    assert run.outcome.rollback.undone == ("flow/inner/b", "flow/a")
