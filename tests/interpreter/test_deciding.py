"""What decides a run, and when: the failure that will go up, not the one that was raised (S8, S18, S20, S28)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Graph, Race, Retry, Workflow, graph, observer, step, tolerate
from orchestration.outcomes import Cancelled, Failed, Kept, Succeeded
from tests.bodies import double, increase, undo
from tests.interpreter.parts import armed, plain
from tests.machine import Declined, Machine

ONCE = Retry(max_attempts=1)
TWICE = Retry(max_attempts=2, jitter="none", initial_delay=1.0)


def nothing(failure: object) -> int:
    """Recover with a number."""
    return -1


def fails(failure: object) -> int:
    """Fail, without waiting for anything."""
    raise KeyError(failure)


def run_of(flow: Workflow[Any, Any, Any], value: object = 1) -> Machine:
    """Begin a run."""
    return Machine(flow.compile(), value)


def cancel_decides(run: Machine) -> bool:
    """Tell whether a cancel would decide the run now; it is tried on a copy of its state."""
    return not run.state.ledger.decided


def test_a_recovery_that_fails_goes_on_with_the_first_failure() -> None:
    """S20, S28: the second recover takes the first failure, which the body of the first has not changed."""
    flow = (
        Workflow[int]("flow").step(plain("x")).recover(plain("r1"), on=ValueError).recover(plain("r2"), on=ValueError)
    )
    run = run_of(flow)
    run.fail("flow/x", ValueError("first"))
    run.fail("flow/r1", KeyError("second"))
    assert cancel_decides(run)
    run.succeed("flow/r2", 7)
    assert run.outcome == Succeeded(7, "run")


def test_a_member_that_fails_before_anything_began_decides_nothing() -> None:
    """S18, S28: the group goes on in spite of it, as it does of a later one."""
    item = Workflow[int]("item").pure(lambda n: 1 // n).step(plain("x"))
    run = run_of(Workflow[list[int]]("flow").map(item, on_error="collect"), [0, 1])
    assert run.running == ["flow/item[1]/x"]
    assert cancel_decides(run)


def test_a_group_that_could_not_settle_a_doubt_is_not_recovered_from() -> None:
    """S20: it may not go on in spite of the failure, and neither may a recover around it."""
    flow = Workflow[list[int]]("flow").map(armed("x"), on_error="collect").recover(nothing, on=Exception)
    run = run_of(flow, [1, 2])
    run.time_out("flow/x[0]")
    run.succeed("flow/x[1]", 5)
    outcome = run.run()
    assert isinstance(outcome, Failed)
    assert (outcome.failure.path, outcome.rollback.verdict) == ("flow/x[0]", "partial")


def test_a_tolerant_group_goes_up_with_its_earliest_failure() -> None:
    """S18, S28: what exceeds the tolerance is not what the group fails with."""
    flow = Workflow[list[int]]("flow").map(plain("x"), on_error=tolerate(count=1)).recover(nothing, on=ValueError)
    run = run_of(flow, [1, 2, 3])
    run.fail("flow/x[0]", ValueError("first"))
    run.fail("flow/x[1]", KeyError("second"))
    assert cancel_decides(run)
    run.end_cancelled("flow/x[2]")
    assert run.run() == Succeeded(-1, "run")


def test_a_deadline_during_an_unwinding_is_attached_to_what_failed() -> None:
    """S8, S10, S28: the failure came first, so the recover that takes it is asked about it."""
    inner = Workflow[int]("inner").step(armed("a")).step(plain("b"))
    flow = Workflow[int]("flow").step(inner, timeout=5.0).recover(nothing, on=ValueError)
    run = run_of(flow)
    run.succeed("flow/inner/a", 1)
    run.fail("flow/inner/b", ValueError("first"))
    run.fire("flow/inner@timeout")
    assert cancel_decides(run)
    run.succeed("flow/inner/a")
    assert run.run() == Succeeded(-1, "run", run.outcome.rollback)


def saga() -> Workflow[Any, Any, Any]:
    """Return a workflow that has something to undo when `b` fails."""
    return Workflow[int]("saga").step(armed("a")).step(plain("b"))


def tidy() -> Workflow[Any, Any, Any]:
    """Return a workflow that has something to clean up when `b` fails."""
    return Workflow[int]("tidy").cleanup(undo, name="a").step(plain("b"))


def inside(name: str = "inner") -> Workflow[Any, Any, Any]:
    """Return a workflow to put one into."""
    return Workflow[int](name)


MEMBERS: dict[str, Workflow[Any, Any, Any]] = {
    "a workflow": saga(),
    "with cleanups": tidy(),
    "unwinding before cleanups": saga().cleanup(undo),
    "a tap": inside().tap(saga()),
    "a compensated workflow": inside().step(tidy()).compensate(undo),
    "a loop": inside().loop(saga(), until=lambda *_: True, max_iterations=2),
    "a fork": inside().fork(saga()).fork(plain("y")).join(),
    "a timeout": inside().step(saga(), timeout=50.0),
    "a retry that is over": inside().step(saga(), retry=ONCE),
    "with hooks": Workflow[int]("inner", hooks=[observer(print)]).step(saga()),
}


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_that_still_unwinds_has_failed_first(member: str) -> None:
    """S18, S28: what fails beside it is attached, so the recover is asked about the earlier failure."""
    flow = Workflow[int]("flow").fork(MEMBERS[member]).fork(plain("x")).join().recover(nothing, on=ValueError)
    run = run_of(flow)
    while not any(path.endswith("/b") for path in run.pending):
        run.succeed(next(path for path in run.pending if path.endswith("/a")), 1)
    run.fail(next(path for path in run.pending if path.endswith("/b")), ValueError("first"))
    run.fail("flow/fork/x", KeyError("second"))
    assert cancel_decides(run)
    assert run.stored() == run.state
    outcome = run.run()
    assert isinstance(outcome, Succeeded)
    assert outcome.value == -1


RECOVERING: dict[str, Workflow[Any, Any, Any]] = {
    "a recover": saga().recover(nothing, on=ValueError),
    "a retry": inside().step(saga(), retry=TWICE),
    "a collecting map": inside().pure(lambda n: [n]).map(saga(), on_error="collect"),
}


@pytest.mark.parametrize("member", RECOVERING)
def test_a_member_that_goes_on_from_its_failure_has_not_failed(member: str) -> None:
    """S18, S28: so what fails beside it is what the group fails with, and decides."""
    flow = Workflow[int]("flow").fork(RECOVERING[member]).fork(plain("x")).join().recover(nothing, on=ValueError)
    run = run_of(flow)
    run.succeed(next(path for path in run.pending if path.endswith("/a")), 1)
    run.fail(next(path for path in run.pending if path.endswith("/b")), ValueError("first"))
    run.fail("flow/fork/x", KeyError("second"))
    assert not cancel_decides(run)
    outcome = run.run()
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "KeyError"


def test_a_deadline_does_not_reach_the_cleanups_of_a_retried_workflow_that_has_succeeded() -> None:
    """S24: nor those of one that is not retried."""
    inner = Workflow[int]("inner").cleanup(undo, name="tidy").step(plain("b"))
    for options in ({"retry": TWICE}, {}):
        run = run_of(Workflow[int]("flow").step(inner, timeout=5.0, **options))  # type: ignore[arg-type]  # either
        run.succeed("flow/inner/b", 3)
        run.fire("flow/inner@timeout")
        run.succeed("flow/inner/tidy")
        assert run.outcome == Succeeded(3, "run")


def test_a_deadline_during_the_unwinding_before_a_retry_ends_it_with_the_deadline() -> None:
    """S9, S10, S28: the failure would have been absorbed, so the deadline is what decides."""
    flow = Workflow[int]("flow").step(saga(), retry=TWICE, timeout=5.0)
    run = run_of(flow)
    run.succeed("flow/saga/a", 1)
    run.fail("flow/saga/b", ValueError("first"))
    run.fire("flow/saga@timeout")
    run.succeed("flow/saga/a")
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "orchestration.errors.DeadlineExceeded"
    assert [later.kind for later in run.outcome.failure.attached] == ["ValueError"]


def test_failures_that_were_absorbed_are_not_lost_when_the_group_fails_after_all() -> None:
    """S8, S18: the earliest is primary, also if a partial rollback of a later one is why the group fails."""
    run = run_of(Workflow[int]("flow").fork(plain("x")).fork(saga()).fork(plain("y")).race())
    run.fail("flow/fork/x", ValueError("first"))
    run.succeed("flow/fork/saga/a", 1)
    run.fail("flow/fork/saga/b", KeyError("second"))
    run.fail("flow/fork/saga/a", Declined("no undo"))
    run.end_cancelled("flow/fork/y")
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "ValueError"
    assert [later.kind for later in run.outcome.failure.attached] == ["KeyError"]


def test_a_loser_that_fails_and_cannot_be_undone_is_the_failure() -> None:
    """S8, S20: what failed while it was being cancelled passes through, rather than a note."""
    run = run_of(Workflow[int]("flow").fork(plain("x")).fork(saga()).race())
    run.succeed("flow/fork/saga/a", 1)
    run.succeed("flow/fork/x", 2)
    run.fail("flow/fork/saga/b", KeyError("in the grace"))
    run.fail("flow/fork/saga/a", Declined("no undo"))
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "KeyError"


def test_what_fails_while_a_race_is_cancelled_is_attached() -> None:
    """S8, S28: also behind a winner."""
    run = run_of(Workflow[int]("flow").fork(plain("x")).fork(saga()).race().step(double))
    run.succeed("flow/fork/saga/a", 1)
    run.succeed("flow/fork/x", 2)
    run.cancel("enough")
    run.fail("flow/fork/saga/b", KeyError("in the grace"))
    run.succeed("flow/fork/saga/a")
    assert isinstance(run.outcome, Cancelled)
    assert [later.kind for later in run.outcome.attached] == ["KeyError"]


def test_a_cancel_in_the_middle_of_an_unwinding_turns_nothing_off() -> None:
    """S23, S28: whether a workflow compensates for a cancel is asked when the unwinding begins."""
    flow = (
        Workflow[int]("flow", compensate_on_cancel=False)
        .step(armed("a"))
        .step(armed("b"))
        .step(increase)
        .recover(nothing, on=ValueError)
    )
    run = run_of(flow)
    run.succeed("flow/a", 1)
    run.succeed("flow/b", 1)
    run.fail("flow/increase", ValueError("no"))
    run.cancel()
    run.succeed("flow/b")
    run.succeed("flow/a")
    assert isinstance(run.outcome, Cancelled)
    assert run.outcome.rollback.undone == ("flow/b", "flow/a")
    assert not any(isinstance(state, Kept) for state in run.outcome.rollback.steps)


def test_a_race_that_nobody_can_win_any_more_ends() -> None:
    """S18: members of a graph that cannot lead to a winner are not waited for."""

    def build(g: Graph[int]) -> Race[int]:
        one = g.node(step(increase, name="one"), g.input)
        other = g.node(step(increase, name="other"), g.input)
        g.node(step(increase, name="aside"), g.input)
        return g.race(one, other)

    run = run_of(Workflow[int]("flow").step(graph(build)))
    run.fail("flow/build/one", ValueError("first"))
    run.fail("flow/build/other", KeyError("second"))
    run.end_cancelled("flow/build/aside")
    assert isinstance(run.outcome, Failed)
    assert run.outcome.failure.kind == "ValueError"
    assert [later.kind for later in run.outcome.failure.attached] == ["KeyError"]


def test_the_note_of_a_tolerance_counts_what_failed_in_the_grace() -> None:
    """S18: failed, cancelled and not started are three different things."""
    flow = Workflow[list[int]]("flow").map(plain("x"), on_error=tolerate(count=0), concurrency=3)
    run = run_of(flow, [1, 2, 3, 4, 5, 6])
    run.succeed("flow/x[0]", 1)
    run.fail("flow/x[1]")
    run.fail("flow/x[2]")
    run.end_cancelled("flow/x[3]")
    assert isinstance(run.outcome, Failed)
    note = run.outcome.failure.attached[-1]
    assert "found 2 failed, 1 cancelled, 2 not started" in note.message


def test_the_last_racer_decides_when_it_fails_not_when_it_is_unwound() -> None:
    """S18, S28: nobody is left who could win, so a cancel comes too late; with others in the race it does not."""
    flow = Workflow[int]("flow").fork(plain("x")).fork(saga()).race()
    last, first = run_of(flow), run_of(flow)
    last.fail("flow/fork/x", ValueError("x"))
    for run in (last, first):
        run.succeed("flow/fork/saga/a", 2)
        run.fail("flow/fork/saga/b", KeyError("b"))
        assert run.running[-1] == "flow/fork/saga/a", "it is being undone"
    assert not cancel_decides(last)
    assert cancel_decides(first)
    last.cancel()
    last.succeed("flow/fork/saga/a")
    assert isinstance(last.outcome, Failed)
    assert last.outcome.failure.message == "x"


def test_a_recovery_that_fails_at_once_decides_nothing_if_another_follows() -> None:
    """S20, S28: what goes up is asked of all recoveries that come, also within one turn."""
    at_once = Workflow[object]("r1").pure(fails)
    flow = Workflow[int]("flow").step(plain("x")).recover(at_once, on=ValueError).recover(plain("r2"), on=ValueError)
    run = run_of(flow)
    run.fail("flow/x", ValueError("first"))
    assert run.running == ["flow/r2"]
    assert cancel_decides(run)
