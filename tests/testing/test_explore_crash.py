"""Crashes in `explore`: the process ends anywhere, and another goes on (S35)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Retry, Workflow, tolerate
from orchestration.interpreter.events import Resumed, StepLost, TimerFired
from orchestration.outcomes import Succeeded
from orchestration.testing import READY, Trace, about, explore, replay
from tests.bodies import double, increase, same, undo, void
from tests.nesting.constructs import GO, INNER, NO_PIVOT_INSIDE, OUTER, nested
from tests.testing.test_explore import CHECKOUT, LOST, ORDER, checkout

ONE = Workflow[int]("one").step(increase)


def test_the_crashes_of_a_step_are_counted_by_hand() -> None:
    """S35: a step under way for the first, second or third time; lost thrice; each loss; failed; succeeded."""
    found = explore(ONE, 1, outcomes={increase: [2]}, cancel=False, crash=True, invariants=READY).check()
    assert (found.states, found.transitions, found.coverage) == (8, 9, "exhaustive")
    assert {str(ending): count for ending, count in found.endings.items()} == {
        "Failed, rollback not needed": 1,
        "Succeeded, rollback not needed": 1,
    }


def test_checkout_is_exhausted_with_a_crash_anywhere() -> None:
    """S25, S35: whatever happens, each step that can be undone ends in one way, and nothing is left in flight."""
    found = explore(checkout, ORDER, outcomes=CHECKOUT, invariants=READY, crash=True).check()
    assert found.exhaustive
    assert found.states > 1_000


def test_a_body_that_may_run_twice_is_found_out() -> None:
    """S35: at least once, not exactly once: an invariant that forgets this is broken by the shortest crash."""

    @about(increase)
    def begins_once(trace: Trace[Any]) -> bool:
        return not any(isinstance(event, StepLost) for event in trace.events)

    found = explore(ONE, 1, outcomes={increase: [2]}, cancel=False, crash=True, invariants=[begins_once])
    assert found.broken is not None
    assert [type(event) for event in found.broken.run.events][:2] == [Resumed, StepLost]
    names: dict[str, Any] = {"begins_once": begins_once, "one": ONE}
    exec(found.broken.test, names)  # noqa: S102 - it is what a user would paste


def test_a_crash_lasts_as_long_as_it_likes() -> None:
    """S10, S35: a timeout may pass while no process is there: the attempt is then cancelled, and not begun anew."""
    timed = Workflow[int]("timed").step(increase, timeout=5).compensate(undo, in_doubt=void).sleep(9)
    found = explore(timed, 1, outcomes={increase: [2]}, crash=True, invariants=READY).check()
    late = [Resumed("timed", 5.0, 2), TimerFired("timed/increase", 5.0, "timeout"), StepLost("timed/increase", 5.0, 1)]
    assert "began to undo increase" in str(replay(timed, 1, late))
    assert found.exhaustive


def test_every_construct_survives_crashes() -> None:
    """S35: maps, retries, recoveries and cleanups go on from any point, and the invariants hold."""
    item = Workflow[int]("item").step(double, retry=Retry(max_attempts=2, jitter="none")).compensate(undo)
    many = (
        Workflow[list[int]]("many")
        .cleanup(void)
        .map(item, on_error=tolerate(count=1), concurrency=2)
        .recover(same, on="Exception")
    )
    found = explore(
        many, [1, 2], outcomes={double: [2, ValueError("no")]}, default=[], crash=True, cancel=False, invariants=READY
    ).check()
    assert found.exhaustive


def test_a_run_that_crashed_ends_as_any_other() -> None:
    """S39: what was lost and done again gives the same value."""
    chain = Workflow[int]("chain").step(increase).step(double)
    crash = [Resumed("chain", 0.0, 2), StepLost("chain/increase", 0.0, 1)]
    found = explore(chain, 1, outcomes={increase: [2], double: [4]}, crash=True, cancel=False)
    ends = [run.trace().outcome for run in found.examples.values()]
    assert Succeeded(4, ends[0].run_id) in ends
    assert replay(chain, 1, crash).ran(increase)


@pytest.mark.parametrize("outer", OUTER, ids=lambda name: name.replace(" ", "_"))
def test_every_construct_in_every_other_survives_crashes(outer: str) -> None:
    """S35: the invariants hold for three of those that may stand in it, and another three for the next one."""
    at = OUTER.index(outer)
    inner = [one for one in (*INNER, *INNER)[3 * at % len(INNER) :] if one != "pivot" or outer not in NO_PIVOT_INSIDE]
    for one in inner[:3]:
        found = explore(
            nested(outer, one, 1),
            "ab",
            outcomes={same: ["xy", LOST], void: [None, RuntimeError("stuck")]},
            default="xy",
            signals=[(GO, "on"), (GO, "off")] if "wait" in (outer, one) else [],
            invariants=READY,
            crash=True,
            leaks=True,
            max_states=300,
            samples=10,
        )
        assert found.broken is None, f"{one} in {outer}: {found.broken}"
