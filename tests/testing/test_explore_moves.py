"""What `explore` lets happen, what it asks to be told, and how it knows a value again."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from pydantic import BaseModel

from orchestration import Retry, Workflow, gate, step
from orchestration.errors import Vetoed
from orchestration.interpreter.effects import RunUndo
from orchestration.interpreter.events import StepLeaked, StepSucceeded, StepTimedOut, UndoTimedOut
from orchestration.outcomes import Failed, Rollback, Undone
from orchestration.policies import tolerate
from orchestration.signals import Signal
from orchestration.testing import Trace, Unanswered, Unasked, answers
from orchestration.testing.explore_keys import Keys
from orchestration.testing.explore_ready import (
    caps_held,
    nothing_after_cancel,
    nothing_in_flight,
    settled_once,
    undone_in_reverse,
)
from orchestration.testing.explore_report import Run
from orchestration.testing.explorer import READY, TIMES_OUT, about, explore
from tests.bodies import pair_total, same, total, void
from tests.interpreter.parts import ONCE, Flow, armed, chain, forked, plain, settled
from tests.machine import Declined

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from orchestration.testing.explore_invariants import Invariant, Moment

GO = Signal("go", int)
NO = Declined("no")


def kinds(found: Any) -> set[tuple[str, str]]:
    """Return how runs end."""
    return {tuple(ending) for ending in found.endings}


# --- outcomes


def test_steps_without_outcomes_are_listed() -> None:
    """What is missing is told all at once, ready to be filled in."""
    with pytest.raises(Unanswered, match=r'"flow/b": \[\.\.\.\],\n    "flow/c": \[\.\.\.\],'):
        explore(chain("flow", plain("a"), plain("b"), plain("c")), 1, outcomes={"a": [1]})


def test_a_path_counts_before_a_name_and_a_name_before_a_function() -> None:
    """The closest outcomes are taken; a default is for the rest."""
    seen: set[object] = set()
    flow = chain("flow", plain("a"), plain("b"), plain("c"), step(void, name="d"))

    @about()
    def look(trace: Trace[Any]) -> None:
        seen.update((event.path, event.output) for event in trace.events if isinstance(event, StepSucceeded))

    given: dict[Any, list[object]] = {same: [1], "b": [2], "c": [3], "flow/c": [4]}
    explore(flow, 0, outcomes=given, default=5, invariants=[look], cancel=False).check()
    assert seen == {("flow/a", 1), ("flow/b", 2), ("flow/c", 4), ("flow/d", 5)}


def test_outcomes_of_one_item_are_for_that_item() -> None:
    """A path may name an item; what is missing for others is told when it comes up."""
    flow = Workflow[Any]("flow").pure(list).map(same)
    found = explore(flow, (1, 2), outcomes={"flow/same[]": [1], "flow/same[1]": [NO]}, cancel=False)
    assert kinds(found) == {("Failed", "not needed")}
    with pytest.raises(Unanswered, match=r"flow/same\[0\]"):
        explore(flow, (1, 2), outcomes={"flow/same[1]": [1]})


def test_a_function_of_the_input_is_an_outcome() -> None:
    """`answers(does=...)` gives or raises; several inputs are several arguments."""
    flow = forked(plain("a"), plain("b")).join(pair_total)
    found = explore(
        flow, 3, outcomes={same: [answers(does=lambda value: 12 // value)], pair_total: [answers(does=max)]}
    )
    assert found.example("Succeeded", "not needed").value == 4
    assert kinds(explore(step(same), 0, outcomes={same: [answers(does=lambda _: 1 // 0)]}, cancel=False)) == {
        ("Failed", "not needed")
    }


@pytest.mark.parametrize(
    ("outcomes", "kind", "says"),
    [
        ({"b": [1]}, Unasked, "given for 'b', which is not in a"),
        ({void: [1]}, Unasked, "given for void"),
        ({same: []}, ValueError, "no outcome is given for same"),
        ({same: 5}, TypeError, r"the outcomes of same are 5: list them, \[5\]"),
        ({same: "yes"}, TypeError, r"the outcomes of same are 'yes': list them, \['yes'\]"),
        ({same: [TIMES_OUT]}, ValueError, "a/a cannot time out: give the step an attempt_timeout"),
        ({same: [answers(1, takes=3)]}, ValueError, "every attempt may take any time"),
    ],
)
def test_an_outcome_that_can_never_be_is_refused(outcomes: Any, kind: type[Exception], says: str) -> None:
    """S6: nothing that a user wrote is ignored."""
    with pytest.raises(kind, match=says):
        explore(plain("a"), 1, outcomes=outcomes)


def test_a_signal_that_nothing_waits_for_is_refused() -> None:
    """S21: it could never be sent."""
    with pytest.raises(ValueError, match="nothing in a waits for the signal 'stop'"):
        explore(plain("a"), 1, default=1, signals=[("stop", 1)])


def test_what_stands_for_a_timeout_says_so() -> None:
    """It is read in messages and in a user's own lists."""
    assert repr(TIMES_OUT) == "TIMES_OUT"


def test_an_exception_may_be_given_as_a_class() -> None:
    """It is raised without arguments."""
    found = explore(step(same), 1, outcomes={same: [ValueError]}, cancel=False)
    outcome = found.example("Failed", "not needed").outcome
    assert isinstance(outcome, Failed)
    assert outcome.failure.kind == "ValueError"


# --- what may happen


def test_a_gate_objects_where_it_is_asked_for() -> None:
    """S31: by default hooks have no objection; `:before` says what else they may answer."""
    flow = Workflow[int]("flow", hooks=[gate(lambda _: None)]).step(same)
    calm = explore(flow, 1, default=1, cancel=False)
    assert kinds(calm) == {("Succeeded", "not needed")}
    strict = explore(flow, 1, outcomes={"same:before": [None, Vetoed("x", found="", expected="", mend="")]}, default=1)
    assert kinds(strict) == {("Succeeded", "not needed"), ("Failed", "not needed"), ("Cancelled", "not needed")}


def test_signals_come_in_their_order_at_any_point() -> None:
    """S21: before the wait, while it waits, or too late, which leaves it unused; none after the cancel."""
    flow = Workflow[int]("flow").step(same).wait_for(GO).step(same)
    found = explore(flow, 1, default=1, signals=[(GO, 1), ("go", 2)]).check()
    assert kinds(found) == {("Succeeded", "not needed"), ("Cancelled", "not needed")}
    unused: set[tuple[str, ...]] = set()
    explore(flow, 1, default=1, signals=[(GO, 1), (GO, 2)], invariants=[lambda end: unused.add(end.unused_signals)])
    assert ("go:signal-2",) in unused
    assert () in unused


def test_a_run_that_waits_for_ever_is_told_of() -> None:
    """A signal that does not come is an end of its own kind, with and without the way out of a cancel."""
    flow = Workflow[int]("flow").wait_for(GO)
    assert kinds(explore(flow, 1, cancel=False)) == {("waits for ever", "")}
    found = explore(flow, 1)
    assert kinds(found) == {("waits for ever", ""), ("Cancelled", "not needed")}
    assert "  waits for ever" in str(found)


def test_attempts_leak_and_land() -> None:
    """S24: what outlives its grace or its timeout may succeed after all; then it is undone, if there is time."""
    flow = chain("flow", settled("a", attempt_timeout=1.0), armed("b"))
    given: dict[Any, list[object]] = {"a": [1, TIMES_OUT], "b": [1, NO], void: [None, TIMES_OUT]}
    events: set[type] = set()
    undone: set[Any] = set()

    @about()
    def look(trace: Trace[Any]) -> None:
        events.update(type(event) for event in trace.events)
        undone.update(state for state in trace.outcome.rollback.steps if isinstance(state, Undone))

    explore(flow, 1, outcomes=given, leaks=True, invariants=[*READY, look]).check()
    assert {StepLeaked, StepTimedOut, UndoTimedOut} <= events
    assert {Undone("flow/a"), Undone("flow/a", "in_doubt"), Undone("flow/b")} <= undone


def test_a_leaked_step_without_an_undo_may_land_unseen() -> None:
    """Whether it does changes nothing, so that is not looked at."""
    found = explore(step(same), 1, default=1, leaks=True)
    assert kinds(found) == {("Succeeded", "not needed"), ("Cancelled", "not needed")}


class Source:
    """An asynchronous source, which may break."""

    def __init__(self, length: int, error: Exception | None = None) -> None:
        """Give so many items, then raise or end."""
        self.length = length
        self.error = error

    async def __aiter__(self) -> AsyncIterator[int]:
        """Give them."""
        for number in range(self.length):
            yield number
        if self.error is not None:
            raise self.error


def test_streams_are_read_once_for_all_runs() -> None:
    """S16: items are taken in their order, kept for the other runs, and a source may end or fail."""
    taken: list[int] = []

    def source(length: int) -> Iterator[int]:
        for number in range(length):
            taken.append(number)
            yield number

    flow = Workflow[Any]("flow").map(same, concurrency=2)
    found = explore(flow, source(3), outcomes={same: [1, NO]}).check()
    assert taken == [0, 1, 2]
    assert kinds(found) == {("Succeeded", "not needed"), ("Failed", "not needed"), ("Cancelled", "not needed")}
    assert explore(flow, Source(2), default=1).example("Succeeded", "not needed").value == [1, 1]
    broken = explore(flow, Source(1, NO), default=1, cancel=False)
    assert kinds(broken) == {("Failed", "not needed")}


def test_what_is_put_off_goes_on_at_once() -> None:
    """S7: `Continue` is for the sake of others, and no choice."""
    flow = Workflow[Any]("flow").pure(range).pure(list).map(Workflow[int]("one").pure(same)).pure(total)
    found = explore(flow, 1_500)
    # 1,500 items of two nodes, and two nodes around: thrice 1,000 are past, and there is one way only
    assert (found.states, found.transitions) == (1 + 3, 3)


def test_a_tap_a_retry_and_a_sub_workflow_with_hooks_are_explored() -> None:
    """All kinds of effects are taken: timers that are cancelled, hooks that are told."""
    sub = Workflow[int]("sub").step(same).compensate(void)
    flow: Flow = Workflow[Any]("flow").step(sub, retry=Retry(max_attempts=2)).sleep(3).cleanup(void)
    found = explore(flow, 1, outcomes={same: [1, NO], void: [None, NO]}, invariants=READY, deadline=60.0).check()
    assert {kind for kind, _ in kinds(found)} == {"Succeeded", "Failed", "Cancelled"}


# --- ready invariants


@pytest.mark.parametrize("cap", [1, 2])
def test_caps_are_held_in_maps_and_graphs(cap: int) -> None:
    """S14: the ready invariant looks at groups in groups, and finds nothing wrong."""
    inner = forked(plain("a", attempt_timeout=1.0, retry=ONCE), plain("b")).join(concurrency=cap)
    flow: Flow = Workflow[Any]("flow").pure(lambda n: [n] * 3).map(inner, concurrency=cap, on_error=tolerate(count=1))
    explore(flow, 1, outcomes={"a": [TIMES_OUT]}, default=1, invariants=[caps_held], leaks=True, cancel=False).check()


def _moments(flow: Any, **options: Any) -> list[Moment]:
    """Return the moments of a run that fails after much was done."""
    found = explore(flow, 1, **options)
    return list(found.examples[next(one for one in found.examples if one.kind == "Failed")].moments())


def _broken(invariant: Invariant, flow: Any, moments: list[Moment]) -> str:
    """Return what an invariant says to these moments."""
    invariant = invariant.bound(flow.compile(), Keys())
    memory = invariant.first
    for moment in moments[:-1]:
        memory = invariant.see(memory, moment)
    with pytest.raises(AssertionError) as caught:
        invariant.see(memory, moments[-1])
    return str(caught.value)


def test_ready_invariants_are_broken_by_what_they_forbid() -> None:
    """Each finds a run out that was tampered with: an undo left out, doubled or too early, work that goes on."""
    flow = chain("flow", armed("a"), armed("b"), plain("c"))
    moments = _moments(flow, outcomes={"a": [1], "b": [1], "c": [NO]}, cancel=False)
    last = moments[-1]
    outcome = last.state.outcome
    assert isinstance(outcome, Failed)
    for rollback, says in (
        (Rollback(), "armed, and without an end state: flow/a, flow/b"),
        (Rollback(outcome.rollback.steps * 2), "two end states: flow/a, flow/b"),
    ):
        state = attrs.evolve(last.state, outcome=attrs.evolve(outcome, rollback=rollback))
        assert _broken(settled_once, flow, [*moments[:-1], last._replace(state=state)]) == says
    left = last._replace(pending=moments[0].pending)
    assert _broken(nothing_in_flight, flow, [*moments[:-1], left]) == "still under way: flow/a"
    cancelled = attrs.evolve(moments[1].state, ledger=attrs.evolve(moments[1].state.ledger, cancel="enough"))
    begun = moments[1]._replace(state=cancelled)
    assert _broken(nothing_after_cancel, flow, [begun]) == "began after the cancel: flow/b"
    early = [*moments[:3], moments[3]._replace(effects=moments[4].effects)]
    assert _broken(undone_in_reverse, flow, early) == "flow/a is undone before flow/b"


def test_a_cap_that_is_not_held_is_found() -> None:
    """S14: children are counted by what waits, whatever the interpreter thinks of it."""
    flow = forked(plain("a"), plain("b")).join()
    capped = forked(plain("a"), plain("b")).join(concurrency=1)
    run = Run(flow.compile(), 1, None, ())
    assert _broken(caps_held, capped, list(run.moments())) == "flow/fork: 2 children under way, at most 1 may be"


def test_iterations_are_undone_in_reverse() -> None:
    """S27: of a loop the last comes first; what runs side by side has no order among itself here."""
    flow: Flow = Workflow[Any]("flow").loop(armed("a"), until=lambda _, index: index == 1, max_iterations=3)
    flow = flow.fork(armed("b")).fork(armed("c")).join().step(plain("d"))
    given: dict[Any, list[object]] = {"a": [1], "b": [1], "c": [1], "d": [NO]}
    explore(flow, 1, outcomes=given, invariants=[undone_in_reverse]).check()
    moments = _moments(flow, outcomes=given, cancel=False)
    undos = [moment for moment in moments if any(isinstance(effect, RunUndo) for effect in moment.effects)]
    tampered = [*moments[: moments.index(undos[0])], undos[0]._replace(effects=undos[-1].effects)]
    assert _broken(undone_in_reverse, flow, tampered) == (
        "flow/a[0] is undone before flow/a[1], flow/fork/b, flow/fork/c"
    )


# --- keys


class Colour(enum.Enum):
    """A hashable of the standard library."""

    RED = 1


@dataclass
class Point:
    """A class that cannot be hashed, but has fields."""

    x: object
    y: object = None


@attrs.define
class Pair:
    """One of attrs; a field that takes no part in comparisons may still be looked at."""

    one: object
    other: object = attrs.field(default=None, eq=False)


class Model(BaseModel):
    """One of pydantic."""

    x: int


class Unhashable:
    """Nothing is known of its values."""

    __hash__ = None  # type: ignore[assignment]


def failing(*args: object, **attributes: object) -> Exception:
    """Return an exception with attributes."""
    error = ValueError(*args)
    vars(error).update(attributes)
    return error


@pytest.mark.parametrize(
    "make",
    [
        lambda: None,
        lambda: "a",
        lambda: -1,
        lambda: 7.5,
        lambda: [1, [2]],
        lambda: {"a": {1, 2}},
        lambda: frozenset({1}),
        lambda: range(3),
        lambda: Point([1], {2: 3}),
        lambda: Pair([1], 2),
        lambda: Model(x=1),
        lambda: Decimal("1.0"),
        lambda: Colour.RED,
        lambda: failing("no", code=4),
        lambda: b"bytes",
    ],
)
def test_equal_values_have_equal_keys(make: Any) -> None:
    """Values that are made alike are the same."""
    keys = Keys()
    assert keys.of(make()) == keys.of(make())


def test_different_values_have_different_keys() -> None:
    """Types count, as do fields that no comparison sees, and what is equal but written otherwise."""
    keys = Keys()
    values = [None, "", 0, -1, 1, 1.0, True, False, "1", b"1", (1,), [1], {1}, (True,), {1: 1}, {1: True}]
    values += [{1: 1, 2: 2}, {2: 2, 1: 1}, range(2), range(3), Point(1), Point(x=True), Pair(1), Pair(1, 2), Model(x=1)]
    values += [Decimal("1.0"), Decimal("1.00"), failing("no"), failing("no", code=1), failing("yes"), Unhashable()]
    values += [Unhashable(), 0.0, -0.0, object(), object(), len, print]
    assert len({keys.of(value) for value in values}) == len(values)


def test_keys_forget_and_stay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past a bound it is not known any more which objects were looked at; their keys are the same again."""
    monkeypatch.setattr("orchestration.testing.explore_keys.KNOWN", 3)
    keys, values = Keys(), [(number,) for number in range(10)]
    assert [keys.of(value) for value in values] == [keys.of(value) for value in values]
