"""`explore` misses nothing: what it finds is what a plain enumeration of all runs finds, which merges no states."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from orchestration import Retry, Workflow, step
from orchestration.interpreter.effects import Attempted, StartTimer
from orchestration.interpreter.engine import start
from orchestration.interpreter.serial import state_key
from orchestration.policies import tolerate
from orchestration.signals import Signal
from orchestration.testing.explore_keys import Keys
from orchestration.testing.explore_moves import CANCELLED, Moves, Place, begun
from orchestration.testing.explore_outcomes import Outcomes
from orchestration.testing.explorer import READY, TIMES_OUT, explore
from tests.bodies import same, void
from tests.interpreter.parts import ONCE, Flow, armed, chain, forked, plain, settled
from tests.machine import Declined, Machine
from tests.plans import workflows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestration.plan.compile import Plan

LOST = ConnectionError("gone")
DECLINED = Declined("no")
TWICE = Retry(max_attempts=2, initial_delay=1.0, jitter="none")
GO = Signal("go", int)
MOST = 20_000  # runs of a random plan that the enumeration goes through, at most


def pair(value: Any) -> list[Any]:
    """Return something to map over."""
    return [value, value]


CASES: dict[str, tuple[Flow, dict[Any, list[object]], dict[str, Any]]] = {
    "saga": (chain("flow", armed("a"), settled("b"), plain("c")), {same: [1, LOST], void: [None, LOST]}, {}),
    "fork": (forked(armed("a"), plain("b", retry=TWICE)).join(), {same: [1, LOST]}, {}),
    "leak": (chain("flow", armed("a"), plain("b")), {same: [1, LOST]}, {"leaks": True}),
    "race": (forked(armed("a"), settled("b")).race(), {same: [1, LOST]}, {}),
    "sleep": (forked(Workflow[Any]("a").step(same).sleep(2), Workflow[Any]("b").sleep(3)).join(), {same: [1]}, {}),
    "timeout": (
        Workflow[Any]("flow").fork(same, name="a", timeout=3.0).fork(Workflow[Any]("b").step(same).sleep(2)).join(),
        {same: [1, LOST]},
        {"cancel": False},
    ),
    "deadline": (chain("flow", plain("a", retry=TWICE), plain("b")), {same: [1, LOST]}, {"deadline": 2.5}),
    "attempt": (
        chain("flow", settled("a", attempt_timeout=2.0), plain("b")),
        {"a": [1, TIMES_OUT], void: [None, TIMES_OUT]},
        {"leaks": True},
    ),
    "map": (
        Workflow[Any]("flow").pure(pair).map(armed("a"), on_error=tolerate(count=1), concurrency=2),
        {same: [1, DECLINED]},
        {"cancel": False},
    ),
    "signal": (
        chain("flow", plain("a")).wait_for(GO).step(same),
        {same: [1, LOST]},
        {"signals": [(GO, 1), ("go", 2)]},
    ),
    "cleanup": (
        Workflow[Any]("flow").step(same).cleanup(void, retry=ONCE).step(same),
        {same: [1, LOST], void: [None, LOST]},
        {},
    ),
}


def enumerated(plan: Plan, moves: Moves, *, deadline: float | None = None, most: int | None = None) -> Iterator[Place]:
    """Yield each place of each run, as often as runs come to it."""
    state, effects = start(plan, 1, run_id="explored", at=0.0, deadline=deadline)
    left = [begun(state, effects)]
    while left and (most is None or most > 0):
        place = left.pop()
        yield place
        if most is not None:
            most -= 1
        left += [turned.place for turned in moves.turns(place)]


def moves_of(plan: Plan, outcomes: dict[Any, list[object]], options: dict[str, Any]) -> Moves:
    """Return what may happen in runs of a plan."""
    options = {name: option for name, option in options.items() if name != "deadline"}
    signals = [(one if isinstance(one, str) else one.name, payload) for one, payload in options.pop("signals", [])]
    return Moves(plan, Outcomes(plan, outcomes, 0), Keys(), signals=signals, **options)


def gather(found: set[str]) -> Callable[[Any], None]:
    """Return an invariant that only notes each outcome."""

    def note(outcome: Any) -> None:
        found.add(repr(outcome))

    return note


@pytest.mark.parametrize("name", CASES)
def test_all_outcomes_are_found(name: str) -> None:
    """Every outcome of every run, merged or not; and none besides. All of them keep the promises of the rules."""
    flow, outcomes, options = CASES[name]
    plan = flow.compile()
    moves = moves_of(plan, outcomes, options)
    naive = list(enumerated(plan, moves, deadline=options.get("deadline")))
    found: set[str] = set()
    exploration = explore(flow, 1, outcomes=outcomes, default=0, invariants=[*READY, gather(found)], **options).check()
    assert found == {repr(place.state.outcome) for place in naive if place.state.outcome is not None}
    assert exploration.states < len(naive)


@pytest.mark.parametrize("name", CASES)
def test_what_is_taken_for_equal_is_equal(name: str) -> None:
    """S2: two places with one key have one canonical key of their states, and the same moves."""
    flow, outcomes, options = CASES[name]
    plan, keys = flow.compile(), Keys()
    moves = moves_of(plan, outcomes, options)
    known: dict[object, tuple[str, list[tuple[object, ...]]]] = {}
    for place in enumerated(plan, moves, deadline=options.get("deadline"), most=2_000):
        events = [(type(event), event.path, getattr(event, "attempt", 0)) for event in moves.events(place)]
        expected = state_key(plan, place.state), sorted(events, key=repr)
        assert known.setdefault(place.key(keys), expected) == expected


@pytest.mark.parametrize("name", ["saga", "fork", "race", "cleanup"])
def test_a_world_by_hand_finds_the_same(name: str) -> None:
    """As above, where what may happen is not what `explore` says, but is written here anew: each run from its start."""
    flow, outcomes, _ = CASES[name]
    plan = flow.compile()
    by_hand = {repr(outcome) for outcome in _by_hand(plan, outcomes, ())}
    found: set[str] = set()
    explore(flow, 1, outcomes=outcomes, invariants=[gather(found)])
    assert found == by_hand


def _by_hand(plan: Plan, outcomes: dict[Any, list[object]], choices: tuple[int, ...]) -> Iterator[object]:
    """Yield the outcome of each run that begins with these choices."""
    machine = Machine(plan, 1, run_id="explored")
    for choice in choices:
        _ways(machine, outcomes)[choice]()
    if machine.outcome is not None:
        yield machine.outcome
        return
    for choice in range(len(_ways(machine, outcomes))):
        yield from _by_hand(plan, outcomes, (*choices, choice))


def _ways(machine: Machine, outcomes: dict[Any, list[object]]) -> list[Callable[[], None]]:
    ways: list[Callable[[], None]] = []
    for path, effect in machine.pending.items():
        if isinstance(effect, StartTimer):
            ways.append(partial(machine.fire, path))
            continue
        assert isinstance(effect, Attempted)
        for end in outcomes.get(effect.body.call, [None]):
            failing = isinstance(end, Exception)
            ways.append(partial(machine.fail if failing else machine.succeed, path, end))  # type: ignore[arg-type]
        if path in machine.cancelling:
            ways += [partial(machine.end_cancelled, path, started=started) for started in (True, False)]
    if not machine.state.ledger.decided:
        ways.append(partial(machine.cancel, CANCELLED))
    return ways


@given(workflows(depth=1))
@settings(max_examples=25)
def test_all_outcomes_of_random_plans_are_found(flow: Any) -> None:
    """As above for plans that nobody thought of, as far as their runs can be gone through one by one."""
    plan = flow.compile()
    moves = moves_of(plan, {}, {})
    naive = list(enumerated(plan, moves, most=MOST))
    found: set[str] = set()
    explore(flow, 1, default=0, invariants=[*READY, gather(found)]).check()
    outcomes = {repr(place.state.outcome) for place in naive if place.state.outcome is not None}
    assert outcomes <= found
    if len(naive) < MOST:
        assert outcomes == found


def test_a_sleep_that_begins_late_is_overtaken_by_a_timeout() -> None:
    """S10: the step before a sleep may take any time, so the sleep may end before the timeout beside it, or after."""
    flow = forked(
        step(Workflow[Any]("slow").step(same).sleep(2), timeout=3.0), Workflow[Any]("other").sleep(2.5)
    ).join()
    found = explore(flow, 1, default=1, cancel=False).check()
    assert {ending.kind for ending in found.endings} == {"Succeeded", "Failed"}
