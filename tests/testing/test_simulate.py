"""`simulate` runs the real driver in virtual time, finds what it does wrong, and shows the simplest run that does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Retry, Signal, Workflow, gate, observer, step
from orchestration.interpreter.ends import succeeded
from orchestration.outcomes import Failed, Outcome
from orchestration.runtime import admission, attempt, crew, driver, handle, log, timers
from orchestration.testing import TIMES_OUT, answers, simulate
from orchestration.testing.simulate_shrink import shrunk
from tests.testing.simulated import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from orchestration.testing import Simulation

SEEDS = int(os.environ.get("SIMULATE_SEEDS", "1600")) // len(EXAMPLES)  # of each; with those below some 3,000
GOLDEN = "aac3815249d6ac43ac9664b46481cd8b"
LOST = ConnectionError("gone")
GO = Signal("go", int)


def charge(cents: int) -> int:
    """Take money."""
    return cents


def refund(cents: int) -> None:
    """Give money back."""


def void(cents: int) -> None:
    """See to it that no money is taken."""


def ship(cents: int) -> str:
    """Send goods."""
    return f"goods for {cents}"


def listed(_: int) -> list[int]:
    """List some amounts."""
    return [1, 2, 3, 4, 5]


def tidy(cents: int) -> None:
    """Tidy up."""


charging = step(charge, retry=Retry(initial_delay=1), attempt_timeout=2, timeout=9).compensate(refund, in_doubt=void)
shop = Workflow[int]("shop").step(charging).cleanup(tidy).step(ship)
each = Workflow[int]("each", max_concurrency=3).step(listed).map(charging, concurrency=4)
WORLD: dict[Any, list[object]] = {
    charge: [7, LOST, TIMES_OUT],
    refund: [None, LOST, TIMES_OUT],
    void: [None, LOST],
    tidy: [None, LOST],
}
SHOP: dict[Any, list[object]] = {**WORLD, ship: ["goods", OSError("no van")]}
WAIT = {what: ends for what, ends in WORLD.items() if what is not tidy}
EACH: dict[Any, list[object]] = {**WAIT, listed: [[1, 2, 3, 4, 5]]}


def simulated_shop(seeds: Iterable[int] | int = 200, **options: Any) -> Simulation:
    """Simulate the small shop."""
    return simulate(shop, 5, outcomes=SHOP, seeds=seeds, **options)


# --- what is run


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_examples_hold_in_some_hundred_runs(name: str) -> None:
    """S39: what the driver does with a schedule is what the pure interpreter makes of its log, and all else holds."""
    found = EXAMPLES[name](SEEDS).check()
    assert found.runs == SEEDS == sum(found.endings.values())
    assert SEEDS / 5 < found.durable < SEEDS * 3 / 5


def test_caps_streams_hooks_and_signals_are_run_as_well() -> None:
    """S14, S16, S21, S31: nothing of the driver is left out."""

    async def numbers() -> AsyncIterator[int]:
        for number in range(4):
            await asyncio.sleep(number % 2)
            yield number

    lists: list[object] = [[1, 2], answers(does=lambda _: iter(range(3))), answers(does=lambda _: numbers())]
    streamed = Workflow[int]("streamed").step(listed).map(charging, concurrency=2)
    hooked = Workflow[int]("hooked", hooks=[gate(_allow), observer(_hear)]).step(charging).step(ship)
    waiting = Workflow[int]("waiting").step(charging).wait_for(GO, timeout=5).wait_for(GO)
    simulate(each, 1, outcomes=EACH, max_concurrency=2, seeds=150).check()
    simulate(streamed, 1, outcomes={**EACH, listed: lists}, seeds=150, crash=False).check()
    simulate(
        hooked,
        1,
        outcomes={**WAIT, ship: SHOP[ship], "charge:before": [None, LOST]},
        hooks=[observer(_hear)],
        seeds=150,
    ).check()
    found = simulate(waiting, 1, outcomes=WAIT, signals=[(GO, 1), ("go", 2)], seeds=150).check()
    assert {ending.kind for ending in found.endings} >= {"Succeeded", "Failed", "Cancelled"}


async def _allow(_: object) -> None:
    """Have no objection; nobody asks: a fake does."""
    raise AssertionError("the gate was called")


def _hear(_: object) -> None:
    """Hear nothing: a fake does."""
    raise AssertionError("the observer was called")


def test_a_run_that_waits_for_ever_is_an_ending_of_its_own() -> None:
    """S21: a signal that nobody sends is no defect of the driver."""
    waiting = Workflow[int]("waiting").wait_for(GO)
    found = simulate(waiting, 1, seeds=50, cancel=False).check()
    assert {str(ending): number for ending, number in found.endings.items()} == {"waits for ever": 50}


def test_a_limit_is_kept() -> None:
    """S14: a named limit has the capacity that is given here."""
    limited = Workflow[int]("limited").step(listed).map(step(charge, limit="bank"))
    outcomes: dict[Any, list[object]] = {listed: [[1, 2, 3]], charge: [1]}
    simulate(limited, 1, outcomes=outcomes, limits={"bank": 1}, seeds=50).check()


def test_a_durable_run_that_waits_for_ever_is_one_as_well() -> None:
    """S21, S29: what is undone when the process is gone at last is no part of the run any more."""
    waiting = Workflow[int]("waiting").step(charging).wait_for(GO)
    found = simulate(waiting, 1, outcomes={charge: [7], refund: [None], void: [None]}, seeds=50, cancel=False).check()
    waits = {str(ending): number for ending, number in found.endings.items()}["waits for ever"]
    assert waits > 50 - found.durable > 0


# --- what a seed is


def test_a_seed_gives_the_same_run_everywhere() -> None:
    """S2: fifty runs have this digest on each Python, in each process, whatever the seed of its hashes is."""
    assert simulated_shop(seeds=50, crash=False, leaks=False).digest == GOLDEN


def test_another_process_sees_the_same() -> None:
    """No hash of a text, no address and no clock has a say in what happens, with a journal and without."""
    code = "from tests.testing.test_simulate import simulated_shop; print(simulated_shop(seeds=50).digest)"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == simulated_shop(seeds=50).digest


def test_seeds_may_be_listed() -> None:
    """A seed does not depend on those before it: three of them are seen alone as they are among others."""
    one, others = simulated_shop(seeds=[3]), simulated_shop(seeds=range(3, 6))
    assert (one.runs, others.runs) == (1, 3)
    assert one.digest == simulated_shop(seeds=[3]).digest != others.digest


# --- what is found, and how it is told


def never_lost(outcome: Outcome[Any]) -> bool:
    """Believe that goods are always sent once money was taken: they are not."""
    return not (isinstance(outcome, Failed) and outcome.failure.path == "shop/ship")


STORY = """\
never_lost is broken: it returned False

      0.0 s  shop    began with 5; began charge
      0.0 s  charge  succeeded: 7; began ship
      0.0 s  ship    failed: OSError: no van; began to undo charge
      0.0 s  charge  undone; began to clean up tidy
      0.0 s  tidy    cleaned up
      0.0 s  shop    failed: shop/ship: OSError: no van; rollback complete

What was decided, where it is not the simplest:
  shop/ship#1 fails: 1

To see it again: simulate(shop, ..., seeds=["""


def test_what_fails_is_made_simple_and_told() -> None:
    """Of all that happened in the run, only what breaks the invariant is left; one seed shows it again."""
    found = simulated_shop(invariants=[never_lost])
    assert str(found.findings[0]).startswith(STORY)
    assert found.failed[0] == found.findings[0].seed
    with pytest.raises(AssertionError, match="never_lost is broken"):
        found.check()
    assert f"{len(found.failed)} runs failed" in str(found)
    again = simulated_shop(invariants=[never_lost], seeds=[found.findings[0].seed])
    assert again.findings == found.findings


def test_choices_are_dropped_and_made_smaller() -> None:
    """What is needed stays, as small as it may be."""
    choices = {f"choice {number}": number for number in range(1, 20)}
    assert shrunk(choices, lambda made: made.get("choice 7", 0) >= 3 and "choice 11" in made) == {
        "choice 7": 3,
        "choice 11": 1,
    }


def test_a_source_that_can_be_read_once_is_refused() -> None:
    """The second run would find it empty."""
    with pytest.raises(ValueError, match="an outcome of listed can be read only once"):
        simulate(each, 1, outcomes={**EACH, listed: [iter([1])]})


def test_a_signal_that_nobody_waits_for_is_refused() -> None:
    """As `explore` does."""
    with pytest.raises(ValueError, match="nothing in shop waits for the signal 'go'"):
        simulated_shop(signals=[(GO, 1)])


# --- defects of the driver, each put in by hand


def _nothing(*_: Any) -> None:
    """Do nothing."""


def _forget_to_cancel(self: Any, effect: Any) -> None:
    self._handles.pop((effect.path, effect.purpose))


def _perform_backwards(self: Any, effects: list[Any]) -> None:
    PERFORM(self, effects[::-1])


def _drop_what_is_late(self: Any, event: Any) -> None:
    if not any(leak[:2] == (event.path, getattr(event, "attempt", 0)) for leak in self.state.ledger.leaked):
        REPORT(self, event)


def _tell_late(self: Any, done: Any) -> None:
    if done.timer is None and done.effect.timeout is not None:
        done.timer = self._loop.call_later(done.effect.timeout + 1, self._give_a_turn, done)


def _tell_nobody(_: Any, attempt: Any) -> None:
    attempt.leaving = True


def _give_up_early(self: Any, attempt: Any) -> None:
    if attempt.interrupt():
        attempt.timer = self._loop.call_later(self._driver.grace / 2, self._leak, attempt)


def _never_give_up(_: Any, attempt: Any) -> None:
    attempt.interrupt()


def _take_no_result(self: Any, attempt: Any) -> None:
    self._time_out(attempt)


def _say_yes(self: Any, reason: str) -> bool:
    CANCEL(self, reason)
    return True


def _succeed(self: Any, output: object, at: float) -> Any:
    return succeeded(self.effect, at, 0 if output == 7 else output)


async def _act_before_it_is_durable(self: Any, *batch: Any) -> None:
    asyncio.get_running_loop().create_task(APPEND(self, *batch))


PERFORM, REPORT, CANCEL, APPEND = driver.Driver._perform, driver.Driver.report, driver.Driver.cancel, log.Log._append
DEFECTS: dict[str, tuple[Any, str, object, set[str]]] = {
    "a timer is not cancelled": (timers.Timers, "cancel", _forget_to_cancel, {"leaves_nothing", "no_crash"}),
    "effects are performed backwards": (driver.Driver, "_perform", _perform_backwards, {"wastes_no_room", "no_crash"}),
    "a late result is dropped": (driver.Driver, "report", _drop_what_is_late, {"loses_nothing"}),
    "workers are kept": (crew.Crew, "dismiss", _nothing, {"gets_on"}),
    "a timeout is late": (crew.Crew, "_watch", _tell_late, {"tells_in_time", "reports_what_happened"}),
    "nobody is told to end": (crew.Crew, "_interrupt", _tell_nobody, {"tells_in_time", "gets_on"}),
    "the grace is cut": (crew.Crew, "_interrupt", _give_up_early, {"reports_what_happened"}),
    "the grace has no end": (crew.Crew, "_interrupt", _never_give_up, {"gives_up_in_time"}),
    "a result comes too late": (crew.Crew, "_give_a_turn", _take_no_result, {"lets_results_win"}),
    "a token is not obeyed": (handle.Handle, "obey", _nothing, {"answers_a_cancel"}),
    "nobody hears of the end": (driver.Driver, "wake_up", _nothing, {"gets_on"}),
    "a cancel claims to decide": (driver.Driver, "cancel", _say_yes, {"answers_a_cancel"}),
    "an output is another": (attempt.Attempt, "succeeded", _succeed, {"reports_what_happened"}),
    "a cap is ignored": (admission.Line, "has_room", lambda _: True, {"keeps_caps"}),
    "a place is kept": (admission.Line, "give_back", _nothing, {"gets_on", "wastes_no_room"}),
    "who came last is first": (
        admission.Line,
        "first",
        property(lambda self: next(reversed(self.tickets))),
        {"wastes_no_room"},
    ),
    "it acts before that is durable": (log.Log, "_append", _act_before_it_is_durable, {"acts_on_what_is_durable"}),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_of_the_driver_is_found(defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S39: thirty runs are enough to find each of these, and the finding names what the driver owes the run."""
    where, name, wrong, names = DEFECTS[defect]
    monkeypatch.setattr(where, name, wrong)
    found = simulate(each, 5, outcomes=EACH, max_concurrency=2, seeds=30, crash="durable" in defect)
    assert {finding.invariant for finding in found.findings} & names
