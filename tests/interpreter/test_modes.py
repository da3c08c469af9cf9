"""Failure modes of forks and maps: fail fast, collect, tolerate (S18, S20)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Workflow
from orchestration.interpreter.effects import RunUndo
from orchestration.outcomes import Cancelled, Failed, InDoubt, Succeeded
from orchestration.policies import tolerate
from orchestration.results import Err, Ok
from tests.bodies import same
from tests.interpreter.parts import (
    armed,
    attached,
    chain,
    fail_each,
    failure_of,
    forked,
    kinds,
    plain,
    settled,
    undone,
)
from tests.machine import Declined, Machine


def over(body: Any, items: list[int], **options: Any) -> Machine:
    """Return a run of a map over these items."""
    return Machine(Workflow[Any]("flow").map(body, **options).compile(), items)


# --- fail fast


def test_what_fails_while_the_others_settle_is_attached_in_order() -> None:
    """S18: the primary failure is that of the earliest event."""
    run = over(plain("x"), [1, 2, 3])
    fail_each(run, "x[1]", "x[0]", "x[2]")
    assert failure_of(run).message == "x[1]"
    assert attached(run) == ["x[0]", "x[2]"]


def test_a_member_that_failed_first_is_primary_though_it_is_told_of_last() -> None:
    """S8, S18: it unwinds before its group learns of it; both partial rollbacks make the whole partial."""
    inner = chain("inner", armed("first"), plain("last"))
    run = Machine(forked(inner, plain("x")).join().compile(), 1)
    run.succeed("flow/fork/inner/first", 1)
    fail_each(run, "fork/inner/last", "fork/x")
    run.fail("flow/fork/inner/first", Declined("undo"))
    assert failure_of(run).message == "fork/inner/last"
    assert attached(run) == ["fork/x"]


def two(*others: Any, **options: Any) -> Any:
    """Return an open fork of two workflows that have something to undo, and others."""
    inner = [Workflow[Any](name, **options).step(armed("first")).step(plain("last")) for name in "ab"]
    return forked(*inner, *others)


def test_of_several_that_unwind_the_one_that_failed_first_stays_primary() -> None:
    """S18: whatever comes to its group later, and however early that has failed itself."""
    run = Machine(two(plain("x")).join().compile(), 1)
    for name in "ab":
        run.succeed(f"flow/fork/{name}/first", 1)
    fail_each(run, "fork/a/last", "fork/b/last", "fork/x")
    for name in "ab":
        run.succeed(f"flow/fork/{name}/first")
    assert failure_of(run).message == "fork/a/last"
    assert attached(run) == ["fork/x", "fork/b/last"]


@pytest.mark.parametrize("policy", ["hold", "continue"])
@pytest.mark.parametrize("partial", ["a", "b"])
def test_what_one_member_could_not_undo_makes_the_group_partial(partial, policy) -> None:
    """S18, S20, S26: whichever of those that failed it is, held or not, so that nothing recovers the group."""
    run = Machine(two(on_undo_failure=policy).join().recover(same, on=Declined).compile(), 1)
    for name in "ab":
        run.succeed(f"flow/fork/{name}/first", 1)
    fail_each(run, "fork/a/last", "fork/b/last")
    for name in "ab":
        end = run.fail if name == partial else run.succeed
        end(f"flow/fork/{name}/first")
    assert failure_of(run).message == "fork/a/last"
    assert attached(run) == ["fork/b/last"]


# --- collect


def test_collect_runs_all_and_keeps_failures_in_their_places() -> None:
    """S18: `Ok` or `Err` per item, in input order; nothing is cancelled."""
    run = over(plain("x"), [1, 2, 3], on_error="collect")
    fail_each(run, "x[1]")
    assert run.cancelling == set()
    run.succeed("flow/x[2]", 30)
    run.succeed("flow/x[0]", 10)
    assert isinstance(run.outcome, Succeeded)
    first, second, third = run.outcome.value
    assert (first, third) == (Ok(10), Ok(30))
    assert isinstance(second, Err)
    assert second.failure.message == "x[1]"


def test_a_fork_collects_a_tuple() -> None:
    """S18: as a map does a list."""
    run = Machine(forked(plain("a"), plain("b")).join(on_error="collect").compile(), 1)
    run.succeed("flow/fork/a", 1)
    fail_each(run, "fork/b")
    assert isinstance(run.outcome, Succeeded)
    a, b = run.outcome.value
    assert (a, b.ok) == (Ok(1), False)


def test_collecting_nothing_gives_nothing() -> None:
    """S16: an empty input gives an empty result in this mode as well."""
    assert over(plain("x"), [], on_error="collect").outcome == Succeeded([], "run")


def test_a_failed_workflow_is_unwound_before_its_group_goes_on() -> None:
    """S20: it unwinds at once, as a block, while the other members run."""
    run = over(chain("inner", armed("first"), plain("last")), [1, 2], on_error="collect")
    run.succeed("flow/inner[0]/first", 1)
    fail_each(run, "inner[0]/last", "inner[1]/first")
    assert run.running == ["flow/inner[0]/first"]
    run.run()
    assert isinstance(run.outcome, Succeeded)
    assert [result.ok for result in run.outcome.value] == [False, False]
    assert undone(run) == ("flow/inner[0]/first",)


def test_members_in_doubt_are_settled_together_in_reverse_order() -> None:
    """S20, S23: when all members have ended, as one unwinding, whatever the order of their failures."""
    run = over(settled("x"), [1, 2, 3], on_error="collect")
    for index in (2, 0):
        run.fail(f"flow/x[{index}]", TimeoutError())
    assert not any(isinstance(effect, RunUndo) for effect in run.log)
    run.succeed("flow/x[1]", 20)
    for index in (2, 0):
        [effect] = run.pending.values()
        assert isinstance(effect, RunUndo)
        assert (effect.path, effect.by) == (f"flow/x[{index}]", "in_doubt")
        run.succeed(effect.path)
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value[1] == Ok(20)
    assert run.outcome.rollback.verdict == "complete"


def test_what_collect_went_past_is_not_undone_again() -> None:
    """S25, S27: when something later fails, only the members that succeeded are left to undo."""
    flow = Workflow[Any]("flow").map(settled("x"), on_error="collect").step(plain("last"))
    run = Machine(flow.compile(), [1, 2])
    run.fail("flow/x[0]", TimeoutError())
    run.succeed("flow/x[1]", 20)
    run.succeed("flow/x[0]")
    run.fail("flow/last")
    run.run()
    assert undone(run) == ("flow/x[0]", "flow/x[1]")


@pytest.mark.parametrize("on_partial", ["fail", "continue"])
def test_a_doubt_that_nobody_settles_fails_the_group(on_partial) -> None:
    """S20: with its earliest failure, unless `on_partial="continue"`; the doubt is told either way."""
    run = over(armed("x"), [1, 2, 3], on_error="collect", on_partial=on_partial)
    run.fail("flow/x[2]", TimeoutError("third"))
    run.fail("flow/x[1]", Declined("second"))
    run.succeed("flow/x[0]", 10)
    run.run()
    assert run.outcome is not None
    assert run.outcome.rollback.steps[0] == InDoubt("flow/x[2]")
    if on_partial == "fail":
        assert failure_of(run).message == "third"
        assert undone(run) == ("flow/x[0]",)
    else:
        assert isinstance(run.outcome, Succeeded)
        assert [result.ok for result in run.outcome.value] == [True, False, False]


@pytest.mark.parametrize("on_partial", ["fail", "continue"])
def test_a_workflow_that_could_not_unwind_fails_the_group_at_once(on_partial) -> None:
    """S20: nothing new begins and the others are cancelled, unless `on_partial="continue"`."""
    inner = chain("inner", armed("first"), plain("last"))
    run = over(inner, [1, 2, 3], on_error="collect", on_partial=on_partial, concurrency=2)
    run.succeed("flow/inner[0]/first", 1)
    run.fail("flow/inner[0]/last", Declined("late"))
    run.fail("flow/inner[0]/first", Declined("undo"))
    if on_partial == "fail":
        assert run.cancelling == {"flow/inner[1]/first"}
        run.end_cancelled("flow/inner[1]/first", started=False)
        assert failure_of(run).message == "late"
    else:
        assert run.cancelling == set()
        for index in (1, 2):
            run.fail(f"flow/inner[{index}]/first")
        assert isinstance(run.outcome, Succeeded)
        assert run.outcome.rollback.verdict == "partial"


def test_what_could_not_be_undone_holds_what_stands_before_the_group() -> None:
    """S26: also when the group went on in spite of it and something later fails."""
    inner = chain("inner", armed("first"), plain("last"))
    flow = Workflow[Any]("flow").step(armed("before")).map(inner, on_error="collect", on_partial="continue")
    run = Machine(flow.step(plain("after")).compile(), [1, 2])
    run.succeed("flow/before", [1, 2])
    for index in (0, 1):
        run.succeed(f"flow/inner[{index}]/first", 1)
    run.succeed("flow/inner[1]/last", 1)
    run.fail("flow/inner[0]/last")
    run.fail("flow/inner[0]/first")
    run.fail("flow/after")
    run.run()
    assert run.outcome is not None
    ends = [(type(state).__name__, state.path) for state in run.outcome.rollback.steps]
    assert ends == [
        ("UndoFailed", "flow/inner[0]/first"),
        ("Undone", "flow/inner[1]/first"),
        ("Held", "flow/before"),
    ]


def test_a_cancel_during_the_settling_lets_it_end() -> None:
    """S24, S28: the unwinding is shielded; then the run is cancelled, and the failures are told."""
    run = over(settled("x"), [1, 2], on_error="collect")
    run.fail("flow/x[1]", TimeoutError("doubt"))
    run.succeed("flow/x[0]", 10)
    run.cancel()
    assert run.running == ["flow/x[1]"]
    run.run()
    assert isinstance(run.outcome, Cancelled)
    assert [later.message for later in run.outcome.attached] == ["doubt"]
    assert undone(run) == ("flow/x[1]", "flow/x[0]")


def test_a_cancel_of_a_collecting_group_tells_its_failures() -> None:
    """S28: what failed before is attached to the cancel, as is what fails afterwards."""
    run = over(plain("x"), [1, 2, 3], on_error="collect")
    fail_each(run, "x[0]")
    run.cancel()
    fail_each(run, "x[1]")
    run.succeed("flow/x[2]", 3)
    assert isinstance(run.outcome, Cancelled)
    assert [later.message for later in run.outcome.attached] == ["x[0]", "x[1]"]


# --- tolerate


@pytest.mark.parametrize(("mode", "borne"), [(tolerate(count=0), 0), (tolerate(count=1), 1), (tolerate(ratio=0.25), 2)])
def test_so_many_failures_are_tolerated_and_no_more(mode, borne) -> None:
    """S18: strictly more fail the group: the earliest is primary, the note comes last."""
    run = over(plain("x"), list(range(8)), on_error=mode, concurrency=3)
    fail_each(run, *(f"x[{index}]" for index in range(borne)))
    assert run.cancelling == set()
    fail_each(run, f"x[{borne}]")
    assert len(run.cancelling) == 2
    for path in sorted(run.cancelling):
        run.end_cancelled(path)
    assert failure_of(run).message == "x[0]"
    *others, note = attached(run)
    assert others == [f"x[{index}]" for index in range(1, borne + 1)]
    assert kinds(run)[-1] == "ToleranceExceeded"
    assert f"{borne + 1} failed, 2 cancelled, {8 - borne - 1 - 2} not started" in note


def test_what_is_tolerated_is_kept_as_by_collect() -> None:
    """S18: within the tolerance the results are `Ok | Err` per item."""
    run = over(plain("x"), [1, 2], on_error=tolerate(count=1))
    fail_each(run, "x[0]")
    run.succeed("flow/x[1]", 2)
    assert isinstance(run.outcome, Succeeded)
    assert [result.ok for result in run.outcome.value] == [False, True]


def test_what_is_past_the_tolerance_is_undone() -> None:
    """S18, S20: members that succeeded and those in doubt alike, in reverse order."""
    run = over(settled("x"), [1, 2, 3], on_error=tolerate(count=1))
    run.succeed("flow/x[1]", 2)
    run.fail("flow/x[2]", TimeoutError())
    run.fail("flow/x[0]", TimeoutError())
    run.run()
    assert undone(run) == ("flow/x[2]", "flow/x[1]", "flow/x[0]")


def test_a_partial_rollback_within_the_tolerance_needs_no_note() -> None:
    """S20: the group fails because of what stands, not because of how many failed."""
    run = over(armed("x"), [1, 2], on_error=tolerate(count=1))
    run.fail("flow/x[0]", TimeoutError("doubt"))
    run.succeed("flow/x[1]", 2)
    run.run()
    assert failure_of(run).message == "doubt"
    assert attached(run) == []


def test_a_failure_within_the_tolerance_decides_nothing() -> None:
    """S28: a cancel that comes after it is the outcome; one that comes after the last straw is not."""
    run = over(plain("x"), [1, 2, 3], on_error=tolerate(count=1))
    fail_each(run, "x[0]")
    run.cancel()
    for index in (1, 2):
        run.end_cancelled(f"flow/x[{index}]")
    assert isinstance(run.outcome, Cancelled)
    run = over(plain("x"), [1, 2, 3], on_error=tolerate(count=1))
    fail_each(run, "x[0]", "x[1]")
    run.cancel()
    run.end_cancelled("flow/x[2]")
    assert isinstance(run.outcome, Failed)
