"""`explore` finds every run, counts it, and shows the shortest that breaks an invariant."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from examples.checkout import (
    Couriers,
    Declined,
    Inventory,
    Order,
    OutOfStock,
    Packed,
    Paid,
    Parcel,
    Payments,
    Reserved,
    TooHeavy,
    checkout,
    pack,
    print_label,
)
from orchestration import Retry, Workflow, step
from orchestration.errors import IllegalEvent
from orchestration.interpreter.events import StepFailed, StepSucceeded
from orchestration.outcomes import Failed, Outcome
from orchestration.testing.explorer import READY, TIMES_OUT, about, explore, replay
from tests.bodies import same, void

if TYPE_CHECKING:
    from orchestration.testing import Trace

ORDER = Order("tea")
RESERVED = Reserved("r1", ORDER, 450)
LOST = ConnectionError("gone")
CHECKOUT: dict[Any, list[object]] = {
    Inventory.reserve: [RESERVED, OutOfStock("tea"), LOST],
    Payments.charge: [Paid(RESERVED), Declined("no"), TIMES_OUT],
    Inventory.pick: [ORDER, RuntimeError("dropped"), LOST],
    print_label: ["1 x tea", RuntimeError("jammed"), LOST],
    pack: [Packed(ORDER, "1 x tea"), RuntimeError("torn"), LOST],
    Couriers.express: [Parcel("1 x tea", "express"), TooHeavy("no"), LOST],
    Couriers.standard: [Parcel("1 x tea", "standard"), TooHeavy("no"), LOST],
    Inventory.release: [None, RuntimeError("stuck"), TIMES_OUT],
    Payments.refund: [None, RuntimeError("stuck"), TIMES_OUT],
    Payments.void: [None, RuntimeError("stuck"), TIMES_OUT],
}


def charge(cents: int) -> int:
    """Take money."""
    return cents


def ship(cents: int) -> str:
    """Send goods."""
    return f"goods for {cents}"


def refund(cents: int) -> None:
    """Give money back."""


naive_shop = Workflow[int]("naive_shop").step(charge).step(ship)
sound_shop = Workflow[int]("sound_shop").step(charge).compensate(refund).step(ship)
SHOP: dict[Any, list[object]] = {charge: [5, LOST], ship: ["goods", LOST]}


@about(charge, ship, refund)
def never_charged_for_nothing(trace: Trace[Any]) -> bool:
    """Who was charged gets the goods, or the money back."""
    done = {event.path for event in trace.events if isinstance(event, StepSucceeded)}
    charged, shipped = (any(path.endswith(name) for path in done) for name in ("charge", "ship"))
    return not charged or shipped or trace.ran(refund)


def test_a_planted_bug_of_a_saga_is_found_by_its_shortest_story() -> None:
    """A workflow that forgets its compensation is found out, by a cancel right after the charge: two events."""
    found = explore(naive_shop, 5, outcomes=SHOP, invariants=[never_charged_for_nothing], cancel=False)
    assert found.coverage == "stopped"
    assert not found.exhaustive
    assert found.broken is not None
    assert [type(event) for event in found.broken.run.events] == [StepSucceeded, StepFailed]
    assert found.broken.invariant == "never_charged_for_nothing"
    assert "naive_shop/ship" in str(found.broken.trace)
    with pytest.raises(AssertionError, match="never_charged_for_nothing is broken: it returned False"):
        found.check()
    assert "stopped at the first broken invariant" in str(found)
    assert "never_charged_for_nothing is broken" in str(found)


def test_the_same_workflow_with_a_compensation_is_sound() -> None:
    """With an undo no run breaks the invariant, cancelled or not."""
    found = explore(
        sound_shop, 5, outcomes={charge: [5], ship: ["goods", LOST]}, invariants=[never_charged_for_nothing]
    )
    found.check()
    assert found.exhaustive
    assert found.broken is None


def test_the_test_to_paste_fails_with_the_bug_and_passes_without() -> None:
    """The regression test is Python that runs: it breaks on the workflow with the bug, and on that alone."""
    found = explore(naive_shop, 5, outcomes=SHOP, invariants=[never_charged_for_nothing])
    assert found.broken is not None
    names: dict[str, Any] = {"never_charged_for_nothing": never_charged_for_nothing, "naive_shop": naive_shop}
    exec(found.broken.test, names)  # noqa: S102 - it is what a user would paste
    with pytest.raises(AssertionError, match="never_charged_for_nothing is broken"):
        names["test_never_charged_for_nothing_in_a_run_that_broke_it"]()
    names["naive_shop"] = Workflow[int]("naive_shop").step(charge).compensate(refund).step(ship)
    names["test_never_charged_for_nothing_in_a_run_that_broke_it"]()  # the events lead on to the undo


def test_a_replay_without_a_broken_invariant_gives_the_trace() -> None:
    """What was found can happen again: `replay` returns its trace, and refuses what cannot be."""
    events = [StepSucceeded("naive_shop/charge", 0.0, 1, 5), StepSucceeded("naive_shop/ship", 0.0, 1, "goods")]
    assert replay(naive_shop, 5, events, invariants=[never_charged_for_nothing, *READY]).value == "goods"
    assert replay(naive_shop, 5, events[:1], invariants=[never_charged_for_nothing], deadline=60).ran(ship)
    with pytest.raises(IllegalEvent):
        replay(naive_shop, 5, events[1:])


def test_a_deadline_of_the_run_and_a_failure_stand_in_the_test_to_paste() -> None:
    """The pasted test says all that the run depended on."""

    def never_fails(outcome: Outcome[Any]) -> None:
        if not outcome.ok:
            raise AssertionError("it failed")

    found = explore(step(ship), 5, outcomes={ship: [LOST]}, invariants=[never_fails], deadline=9.0, cancel=False)
    assert found.broken is not None
    assert found.broken.message == "it failed"
    assert "deadline=9.0," in found.broken.test
    assert found.broken.test.startswith("from orchestration.failures import Failure\n")
    instant = explore(Workflow[int]("instant").pure(str), 5, invariants=[lambda outcome: not outcome.ok])
    assert instant.broken is not None
    assert "import replay" in instant.broken.test
    assert "interpreter.events" not in instant.broken.test


# --- how much there is


def test_the_states_of_a_chain_are_counted_by_hand() -> None:
    """Two steps that succeed or fail have 5 states; a cancel anywhere makes 5 more."""
    plain = explore(naive_shop, 5, outcomes=SHOP, cancel=False)
    # charging, shipping; failed at the charge, failed at the shipping, succeeded
    assert (plain.states, plain.transitions) == (5, 4)
    assert plain.endings == {("Failed", "not needed"): 2, ("Succeeded", "not needed"): 1}
    cancelled = explore(naive_shop, 5, outcomes=SHOP)
    # besides: cancelled while charging, cancelled while shipping; then the attempt succeeds or ends cancelled, which is
    # one end for all four, or fails, which is attached to the cancel: one end for each of the two
    assert (cancelled.states, cancelled.transitions) == (5 + 2 + 3, 4 + 2 + 2 * 3)
    assert cancelled.endings == {**plain.endings, ("Cancelled", "not needed"): 3}


def test_independent_steps_make_states_as_their_product() -> None:
    """Three steps side by side that succeed: 2^3 states of them and no 3! orders; each state has its moves."""
    forked = Workflow[int]("forked").fork(step(same, name="a")).fork(step(same, name="b")).fork(step(same, name="c"))
    found = explore(forked.join(), 1, default=0, cancel=False)
    assert found.states == 2**3
    assert found.transitions == 3 * 2**2


def test_equal_places_with_other_values_stay_apart() -> None:
    """1, 1.0 and True are three outputs; equal ones given twice are one."""
    found = explore(step(same), 1, outcomes={same: [1, 1.0, True, 1]}, cancel=False)
    assert found.endings == {("Succeeded", "not needed"): 3}


def test_checkout_is_exhausted() -> None:
    """The example with three outcomes for each step and undo, and a cancel anywhere, obeys what the rules promise."""
    found = explore(checkout, ORDER, outcomes=CHECKOUT, invariants=READY).check()
    assert found.exhaustive
    assert {ending.kind for ending in found.endings} == {"Succeeded", "Failed", "Cancelled"}
    assert found.transitions > found.states > 400
    stuck = found.example("Failed", "partial")
    assert isinstance(stuck.outcome, Failed)
    with pytest.raises(LookupError, match="no run ends"):
        found.example("Failed")


def test_checkout_with_leaks_is_exhausted() -> None:
    """S24: attempts that outlive their grace, and may land, change no promise."""
    assert explore(checkout, ORDER, outcomes=CHECKOUT, invariants=READY, leaks=True, max_states=20_000).check()


def test_an_exploration_is_the_same_each_time() -> None:
    """S2: in another process with other hashes the same is found, down to the numbers and the examples."""
    here = [_told(seed) for seed in ("1", "2")]
    assert here[0] == here[1]
    assert "exhaustive" in here[0]
    assert "sampled" in here[0]


def _told(seed: str) -> str:
    code = (
        "from tests.testing.test_explore import *\n"
        "x = explore(checkout, ORDER, outcomes=CHECKOUT, invariants=READY)\n"
        "y = explore(checkout, ORDER, outcomes=CHECKOUT, max_states=50, samples=20)\n"
        "for z in x, y:\n"
        "    print(z)\n"
        "    for ending in sorted(z.endings):\n"
        "        print(z.example(*ending))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout


def test_beyond_the_bound_runs_are_drawn_and_it_says_so() -> None:
    """What was only sampled is never called exhaustive, and `check` does not pass it."""
    found = explore(checkout, ORDER, outcomes=CHECKOUT, max_states=30, samples=40)
    assert found.coverage == "sampled"
    assert found.samples == 40
    assert "NOT exhaustive: sampled beyond the bound, 40 runs drawn" in str(found)
    with pytest.raises(AssertionError, match="Raise max_states"):
        found.check()


def test_a_drawn_run_can_break_an_invariant_as_well() -> None:
    """What is drawn is looked at like everything else."""

    def never_succeeds(outcome: Outcome[Any]) -> bool:
        return not outcome.ok

    long = Workflow[int]("long")
    for _ in range(8):
        long = long.step(same)
    found = explore(long, 1, default=1, invariants=[never_succeeds], max_states=3, cancel=False)
    assert found.broken is not None
    assert len(found.broken.run.events) == 8


def test_an_endless_stream_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that has no end is drawn up to a bound of its own."""

    def endless(start: int) -> Any:
        while True:
            yield start

    monkeypatch.setattr("orchestration.testing.explorer.LONGEST", 30)
    flow = Workflow[int]("flow").pure(endless).map(same, concurrency=1)
    found = explore(flow, 1, default=1, cancel=False, max_states=5, samples=2)
    assert found.coverage == "sampled"
    assert not found.endings


def test_the_collector_is_left_as_it_was() -> None:
    """The garbage collector is paused for the search; who had it off has it off after that."""
    import gc

    gc.disable()
    try:
        explore(naive_shop, 5, outcomes=SHOP)
        assert not gc.isenabled()
    finally:
        gc.enable()
    explore(naive_shop, 5, outcomes=SHOP)
    assert gc.isenabled()


# --- invariants


def test_an_invariant_of_the_whole_trace_tells_all_orders_apart() -> None:
    """Without names a trace function sees everything, so no two orders are taken for one: 2 places more than before."""
    flow = Workflow[int]("flow").fork(step(same, name="a")).fork(step(same, name="b")).join()
    orders: set[tuple[str, ...]] = set()

    @about()
    def seen(trace: Trace[Any]) -> None:
        orders.add(tuple(event.path for event in trace.events))

    merged = explore(flow, 1, default=1, cancel=False)
    told_apart = explore(flow, 1, default=1, cancel=False, invariants=[seen])
    assert orders == {("flow", "flow/fork/a", "flow/fork/b"), ("flow", "flow/fork/b", "flow/fork/a")}
    assert (merged.states, told_apart.states) == (4, 5)


def test_an_invariant_about_some_steps_sees_these_alone() -> None:
    """The trace has what concerns them, the cancel and the end: nothing else may sway the verdict."""
    shown: set[tuple[str, ...]] = set()

    @about(refund)
    def look(trace: Trace[Any]) -> None:
        shown.add(tuple(type(event).__name__ for event in trace.events))

    explore(sound_shop, 5, outcomes=SHOP, invariants=[look])
    assert ("StepFailed", "UndoSucceeded") in shown
    assert ("CancelRequested", "StepCancelled", "UndoSucceeded") in shown
    assert all("Started" not in kinds for kinds in shown)


def test_a_function_made_by_about_can_be_called() -> None:
    """It stays the function that it was, for a test of one trace."""
    found = explore(sound_shop, 5, outcomes=SHOP)
    assert never_charged_for_nothing(found.example("Failed", "complete"))


def test_a_retried_step_is_tried_with_each_outcome() -> None:
    """S9: every attempt may end in each way: two attempts, one backoff between."""
    once = Workflow[int]("once").step(same, retry=Retry(max_attempts=2, initial_delay=3.0, jitter="none")).step(void)
    found = explore(once, 1, outcomes={same: [1, LOST], void: [None]}, cancel=False)
    # begun, waiting, begun again, failed; after the first or the second attempt the rest is the same: void, succeeded
    assert (found.states, found.transitions) == (6, 6)


class AtMostOneFailure:
    """An invariant of one's own: it counts, and what it has counted is part of where a run is."""

    name = "at_most_one_failure"
    first = 0

    def bound(self, plan: Any, keys: Any) -> AtMostOneFailure:
        """Be the same for each plan."""
        return self

    def see(self, memory: int, moment: Any) -> int:
        """Count."""
        failures = memory + isinstance(moment.event, StepFailed)
        if failures > 1:
            raise AssertionError(f"{failures} failures")
        return failures

    def end(self, plan: Any, moments: Any, state: Any) -> None:
        """Find nothing wrong at the end."""


def test_an_invariant_of_ones_own_sees_each_event() -> None:
    """It stops the search where it is broken, in the middle of a run, and tells apart what its memory does."""
    thrice = Retry(max_attempts=3, initial_delay=1.0, jitter="none")
    flow = Workflow[int]("flow").step(same, retry=thrice).step(void)
    invariant = AtMostOneFailure()
    found = explore(flow, 1, outcomes={same: [1, LOST], void: [None]}, invariants=[invariant], cancel=False)
    assert found.broken is not None
    assert (found.broken.invariant, found.broken.message) == ("at_most_one_failure", "2 failures")
    assert len(found.broken.run.events) == 3
    with pytest.raises(AssertionError, match="at_most_one_failure is broken: 2 failures"):
        replay(flow, 1, found.broken.run.events, invariants=[invariant])
    twice = Workflow[int]("flow").step(same, retry=Retry(max_attempts=2)).step(void)
    given: dict[Any, list[object]] = {same: [1, LOST], void: [None]}
    told_apart = explore(twice, 1, outcomes={**given, same: [1, LOST]}, invariants=[CountedFailures()], cancel=False)
    assert told_apart.states == explore(twice, 1, outcomes=given, cancel=False).states + 2


class CountedFailures(AtMostOneFailure):
    """The same without a bound: only its memory matters."""

    def see(self, memory: int, moment: Any) -> int:
        """Count."""
        return memory + isinstance(moment.event, StepFailed)
