"""Races of forks and maps: who wins, what becomes of the losers (S18, S20)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Workflow
from orchestration.interpreter.effects import RunStep
from orchestration.outcomes import Cancelled, Failed, InDoubt, Succeeded
from tests.interpreter.parts import (
    PATIENT,
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


def test_the_first_success_wins_and_the_others_are_cancelled() -> None:
    """S18: the value goes on when all of them have ended."""
    run = Machine(forked(plain("a"), plain("b"), plain("c")).race().compile(), 1)
    fail_each(run, "fork/a")
    assert run.cancelling == set()
    run.succeed("flow/fork/b", "won")
    assert run.cancelling == {"flow/fork/c"}
    run.end_cancelled("flow/fork/c")
    assert run.outcome == Succeeded("won", "run")


def test_a_map_races_its_items_within_the_cap() -> None:
    """S18: with a winner no further item begins."""
    run = Machine(Workflow[Any]("flow").map(plain("x"), concurrency=2).race().compile(), [1, 2, 3])
    fail_each(run, "x[0]")
    assert run.running == ["flow/x[1]", "flow/x[2]"]
    run.succeed("flow/x[2]", "won")
    run.end_cancelled("flow/x[1]")
    assert run.outcome == Succeeded("won", "run")


def test_what_computes_wins_before_the_others_begin() -> None:
    """S7, S18: a member that needs no effect has succeeded at once."""
    run = Machine(forked(Workflow[Any]("now").pure(abs), plain("later")).race().compile(), -1)
    assert run.outcome == Succeeded(1, "run")
    assert run.log == []


def test_losers_are_undone_before_the_value_goes_on() -> None:
    """S18, S20: those that finished in the grace and those in doubt, in reverse order; the winner is kept."""
    run = Machine(forked(armed("a"), settled("b"), armed("c"), armed("d")).race().step(plain("last")).compile(), 1)
    run.succeed("flow/fork/a", "won")
    run.end_cancelled("flow/fork/b")
    run.end_cancelled("flow/fork/d", started=False)
    run.succeed("flow/fork/c", "too late")
    for loser in ("c", "b"):
        assert run.running == [f"flow/fork/{loser}"]
        run.succeed(f"flow/fork/{loser}")
    assert run.pending["flow/last"].value == "won"
    run.fail("flow/last")
    run.run()
    assert undone(run) == ("flow/fork/c", "flow/fork/b", "flow/fork/a")


def test_a_losing_workflow_unwinds_itself() -> None:
    """S20, S27: as a block, and the winner waits for it."""
    run = Machine(forked(chain("inner", armed("first"), plain("last")), plain("x")).race().compile(), 1)
    run.succeed("flow/fork/inner/first", 1)
    run.succeed("flow/fork/x", "won")
    run.end_cancelled("flow/fork/inner/last")
    assert run.outcome is None
    run.succeed("flow/fork/inner/first")
    assert isinstance(run.outcome, Succeeded)
    assert run.outcome.value == "won"
    assert undone(run) == ("flow/fork/inner/first",)


def test_a_race_that_all_lose_fails_with_the_earliest_failure() -> None:
    """S18: the others are attached in their order, whatever the order of declaration."""
    run = Machine(forked(armed("a"), armed("b"), settled("c")).race().compile(), 1)
    run.fail("flow/fork/c", TimeoutError("c"))
    fail_each(run, "fork/a", "fork/b")
    run.run()
    assert failure_of(run).message == "c"
    assert attached(run) == ["fork/a", "fork/b"]
    assert undone(run) == ("flow/fork/c",)


def test_a_race_of_nobody_fails() -> None:
    """S18: with a kind of its own, and the mend."""
    run = Machine(Workflow[Any]("flow").map(plain("x")).race().compile(), [])
    assert kinds(run) == ["NothingToRace"]
    assert "Branch before the race" in failure_of(run).message


@pytest.mark.parametrize("on_partial", ["fail", "continue"])
def test_a_loser_that_cannot_be_undone_takes_the_winner_with_it(on_partial) -> None:
    """S20: the race fails as `PartialRollback` and its winner is undone, unless told to go on."""
    run = Machine(forked(armed("a"), armed("b")).race(on_partial=on_partial).compile(), 1)
    run.succeed("flow/fork/a", "won")
    run.succeed("flow/fork/b", "too late")
    run.fail("flow/fork/b", Declined("undo"))
    if on_partial == "continue":
        assert isinstance(run.outcome, Succeeded)
        assert run.outcome.value == "won"
    else:
        run.run()
        assert kinds(run) == ["PartialRollback"]
        assert "flow/fork/b, which could not be undone" in failure_of(run).message
        assert undone(run) == ("flow/fork/a",)
    assert run.outcome is not None
    assert run.outcome.rollback.verdict == "partial"


def test_a_loser_in_doubt_takes_the_winner_with_it() -> None:
    """S20, S22: it was cancelled in the middle, and nobody can settle it."""
    run = Machine(forked(plain("a"), armed("b")).race().compile(), 1)
    run.succeed("flow/fork/a", "won")
    run.end_cancelled("flow/fork/b")
    assert kinds(run) == ["PartialRollback"]
    assert "an effect in doubt" in failure_of(run).message
    assert run.outcome is not None
    assert run.outcome.rollback.steps == (InDoubt("flow/fork/b"),)


def test_an_earlier_failure_is_what_a_race_fails_with_that_could_not_undo() -> None:
    """S8, S20: the earliest failure is primary, also where the race had been won."""
    run = Machine(forked(plain("a"), plain("b"), armed("c")).race().compile(), 1)
    fail_each(run, "fork/a")
    run.succeed("flow/fork/b", "won")
    run.end_cancelled("flow/fork/c")
    assert failure_of(run).message == "fork/a"


def test_a_losing_workflow_that_could_not_unwind_takes_the_winner_with_it() -> None:
    """S20: what it could not undo is known when the race is settled."""
    run = Machine(forked(chain("inner", armed("first"), plain("last")), plain("x")).race().compile(), 1)
    run.succeed("flow/fork/inner/first", 1)
    run.succeed("flow/fork/x", "won")
    run.end_cancelled("flow/fork/inner/last")
    run.fail("flow/fork/inner/first")
    assert kinds(run) == ["PartialRollback"]
    assert "flow/fork/inner/first, which could not be undone" in failure_of(run).message


@pytest.mark.parametrize("settling", [False, True], ids=["losers under way", "losers unwinding"])
def test_a_cancel_after_the_win_undoes_the_winner(settling) -> None:
    """S28: the value has not gone on yet, so nothing that follows is decided."""
    run = Machine(forked(armed("a"), armed("b")).race().compile(), 1)
    run.succeed("flow/fork/a", "won")
    if settling:
        run.succeed("flow/fork/b", "too late")
    before = list(run.log)
    run.cancel()
    assert run.log == before, "the losers have been told already, and unwinding is shielded"
    if not settling:
        run.succeed("flow/fork/b", "too late")
    run.run()
    assert isinstance(run.outcome, Cancelled)
    assert undone(run) == ("flow/fork/b", "flow/fork/a")


def test_a_failure_that_a_race_goes_past_decides_nothing() -> None:
    """S28: while another may win, a cancel is in time; after the last failure it is not."""
    run = Machine(forked(plain("a"), plain("b")).race().compile(), 1)
    fail_each(run, "fork/a")
    run.cancel()
    run.end_cancelled("flow/fork/b")
    assert isinstance(run.outcome, Cancelled)
    run = Machine(forked(plain("a"), settled("b")).race().compile(), 1)
    fail_each(run, "fork/a")
    run.fail("flow/fork/b", TimeoutError())
    run.cancel()
    run.run()
    assert isinstance(run.outcome, Failed)


def test_a_backoff_in_a_race_counts_as_under_way() -> None:
    """S14, S18: the others win or lose before it, and a win ends it."""
    run = Machine(forked(plain("a", retry=PATIENT), plain("b")).race().compile(), 1)
    fail_each(run, "fork/a", "fork/b")
    assert list(run.pending) == ["flow/fork/a"]
    run.fire("flow/fork/a")
    run.succeed("flow/fork/a", "won")
    assert run.outcome == Succeeded("won", "run")


def test_what_a_loser_fails_with_in_the_grace_is_no_failure_of_the_race() -> None:
    """S18: the race is won."""
    run = Machine(forked(plain("a"), plain("b")).race().compile(), 1)
    run.succeed("flow/fork/a", "won")
    fail_each(run, "fork/b")
    assert run.outcome == Succeeded("won", "run")
    assert sum(isinstance(effect, RunStep) for effect in run.log) == 2
