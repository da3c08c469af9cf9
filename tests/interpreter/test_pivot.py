"""The pivot: what stands before it is kept, whoever unwinds (S25, S27)."""

from __future__ import annotations

from typing import Any

from orchestration.outcomes import Cancelled, EndState, Kept, Succeeded, Undone
from tests.interpreter.parts import Flow, armed, chain, forked, plain
from tests.machine import Declined, Machine

SEALED: Flow = chain("flow", armed("before")).pivot().step(armed("after")).step(plain("last"))


def begun(flow: Flow, *paths: str) -> Machine:
    """Return a run in which these have succeeded."""
    run = Machine(flow.compile(), 1)
    for path in paths:
        run.succeed(f"flow/{path}", 1)
    return run


def ends(run: Machine) -> tuple[EndState, ...]:
    """Let what is in flight be undone, and return what became of all steps."""
    run.run()
    assert run.outcome is not None
    return run.outcome.rollback.steps


def test_what_stands_before_it_is_kept_and_what_stands_after_is_undone() -> None:
    """S25, S27: a rollback with `Kept` is not partial."""
    run = begun(SEALED, "before", "after")
    run.fail("flow/last")
    assert ends(run) == (Undone("flow/after"), Kept("flow/before"))
    assert run.outcome is not None
    assert run.outcome.rollback.verdict == "complete"


def test_a_failure_before_it_undoes_all() -> None:
    """S27: it was never passed."""
    run = Machine(chain("flow", armed("a"), plain("b")).pivot().compile(), 1)
    run.succeed("flow/a", 1)
    run.fail("flow/b")
    assert ends(run) == (Undone("flow/a"),)


def test_a_cancel_keeps_as_well() -> None:
    """S27, S28: whatever the reason of the unwinding."""
    run = begun(SEALED, "before", "after")
    run.cancel()
    run.end_cancelled("flow/last")
    assert ends(run) == (Undone("flow/after"), Kept("flow/before"))
    assert isinstance(run.outcome, Cancelled)


def test_it_seals_its_own_scope_and_no_other() -> None:
    """S27: an enclosing workflow undoes its own steps, and keeps what the nested one has sealed."""
    nested = chain("nested", armed("a")).pivot().step(armed("b"))
    run = begun(chain("flow", armed("first"), nested, plain("last")), "first", "nested/a", "nested/b")
    run.fail("flow/last")
    assert ends(run) == (Undone("flow/nested/b"), Kept("flow/nested/a"), Undone("flow/first"))


def test_it_seals_whole_groups() -> None:
    """S27: each of their members is kept, in reverse plan order."""
    flow = forked(armed("a"), armed("b")).join().pivot().step(plain("last"))
    run = begun(flow, "fork/b", "fork/a")
    run.fail("flow/last")
    assert ends(run) == (Kept("flow/fork/b"), Kept("flow/fork/a"))


def test_what_could_not_be_undone_before_it_holds_nothing() -> None:
    """S26, S27: it is sealed with the rest."""
    nested = chain("nested", armed("a"), plain("b")).recover(_mended, on=Declined, on_partial="continue")
    flow = chain("flow", armed("first"), nested).pivot().step(plain("last"))
    run = begun(flow, "first", "nested/a")
    run.fail("flow/nested/b")
    run.fail("flow/nested/a", OSError("undo"))
    run.succeed("flow/nested/_mended", 1)
    run.fail("flow/last")
    assert [type(state).__name__ for state in ends(run)] == ["UndoFailed", "Kept"]


def _mended(failure: object) -> int:
    return 1


def test_an_undo_that_fails_after_it_holds_nothing_before_it() -> None:
    """S25, S27: what is kept on purpose is not held."""
    run = begun(SEALED, "before", "after")
    run.fail("flow/last")
    run.fail("flow/after", OSError("undo"))
    assert ends(run)[1] == Kept("flow/before")


def test_a_recover_behind_it_undoes_only_what_stands_after_it() -> None:
    """S20, S27: and each step has one end state, though the run goes on."""
    flow = SEALED.recover(_mended, on=Declined).step(plain("end"))
    run = begun(flow, "before", "after")
    run.fail("flow/last")
    run.succeed("flow/after")
    run.succeed("flow/_mended", 1)
    run.fail("flow/end")
    assert ends(run) == (Undone("flow/after"), Kept("flow/before"))


def test_a_pivot_with_nothing_to_undo_before_it_changes_nothing() -> None:
    """S27: the value passes."""
    run = begun(chain("flow", plain("a")).pivot().step(armed("b")).step(plain("c")), "a", "b")
    run.succeed("flow/c", 5)
    assert run.outcome == Succeeded(5, "run")


def test_several_pivots_seal_what_each_has_before_it() -> None:
    """S27: a second one seals what came between, and nothing twice."""
    flow: Any = chain("flow", armed("a")).pivot().step(armed("b")).pivot(name="again").step(plain("last"))
    run = begun(flow, "a", "b")
    run.fail("flow/last")
    assert ends(run) == (Kept("flow/b"), Kept("flow/a"))
