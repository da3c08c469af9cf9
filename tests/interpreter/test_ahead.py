"""A chain, or a full map, that goes ahead of its state does what the machine would have done."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration import Ok, Workflow, gate, step, tolerate
from orchestration.interpreter.ahead import Route
from orchestration.interpreter.ahead_map import FAR
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import StepSucceeded
from orchestration.interpreter.few import FEW
from orchestration.interpreter.turn import STRETCH
from tests.bodies import double, increase, pair_total, same, undo
from tests.interpreter.parts import PATIENT
from tests.machine import Machine
from tests.plans import act, workflows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.interpreter.ahead import Ahead
    from orchestration.interpreter.engine import Advanced
    from orchestration.plan.compile import Plan


T = TypeVar("T")
OUTPUTS = [5, 6, 7, 8]  # as many as a chain of these tests has steps, and more
CHAIN = Workflow[int]("flow").step(increase).step(increase, name="b").compensate(undo).step(increase, name="c")
NESTED = Workflow[int]("inner").step(increase).step(increase, name="b")


def go_on(plan: Plan, begun: Advanced, outputs: Sequence[int] = OUTPUTS) -> int:
    """Let successes go on ahead and give them to the machine as well; return how far they went.

    `begun` is a state and what is under way there; which of several succeeds next, the outputs say. Pure functions are
    asked as often, and in the same order, as the machine alone would ask them.
    """
    state, under_way = begun[0], [effect for effect in begun[1] if isinstance(effect, RunStep)]
    ahead = Route(plan).ahead_of(state)
    for count, output in enumerate(outputs):
        effect = under_way.pop(output % len(under_way)) if under_way else None
        if ahead is None or effect is None:
            return count
        event = StepSucceeded(effect.path, state.at + 1.0, effect.attempt, output)
        following, asked = asking(ahead.after, effect, output, event.at)
        advanced, asked_alone = asking(advance, plan, state, event)
        if following is None:
            left, asked_then = asking(advance, plan, state, event, ahead.answers)
            assert (left, asked + asked_then) == (advanced, asked_alone)
            return count
        assert asked == asked_alone
        state, effects = advanced
        assert effects == [following]
        assert ahead.state() == state
        under_way.append(following)
    return len(outputs)


ASKED: list[object] = []  # what pure functions were asked


def asking(act: Callable[..., T], *values: object) -> tuple[T, list[object]]:
    """Do something; return what comes of it, and what pure functions were asked meanwhile."""
    ASKED.clear()
    return act(*values), ASKED.copy()


def ahead_of(run: Machine) -> Ahead | None:
    """Return what can go ahead of a run."""
    return Route(run.plan).ahead_of(run.state)


def begun(run: Machine) -> Advanced:
    """Return the state of a run and what is under way in it."""
    return run.state, list(run.pending.values())


@settings(max_examples=300)
@given(workflows(), st.integers(0, 9), st.data())
def test_what_goes_ahead_is_what_the_machine_does(flow, value, data) -> None:
    """S2, S22: at each point of a run the same effects and states come out, trails of what is to be undone included."""
    run = Machine(flow.compile(), value)
    while run.outcome is None:
        go_on(run.plan, begun(run))
        act(data.draw, run, list(run.pending))


def says(n: int) -> Any:
    """Hold or not, give what is no answer, or fail: each for some numbers."""
    ASKED.append(n)
    if n % 7 == 0:
        raise ValueError(n)
    return n % 3 if n % 5 == 0 else n % 2 == 0


def says_of(n: Any, index: int) -> Any:
    """Say it of a loop's value and its iteration."""
    return says(n + index)


BAD, LAZY = 13, 26


def summed(sum_: int, result: Any) -> Any:
    """Add a number that there is, or fail, or give what is no sum."""
    ASKED.append((sum_, result))
    n = result.value if isinstance(result, Ok) else result
    if n == BAD:
        raise ValueError(n)
    return asyncio.sleep(0) if n == LAZY else sum_ + (n if isinstance(n, int) else 0)


def added(pair: Any) -> Any:
    """Add an item to what there is."""
    return sum(pair)


def says_more(n: int) -> Any:
    """Say it of another number."""
    return says(n + 1)


ARMED, PAIR = step(increase).compensate(undo), step(added).compensate(undo)


Add = Callable[[Any, str, int], Any]
ROW: dict[str, Add] = {  # what can stand in a chain, and go ahead or not
    "step": lambda flow, name, _: flow.step(increase, name=name),
    "armed": lambda flow, name, _: flow.step(increase, name=name).compensate(undo),
    "tried again": lambda flow, name, _: flow.step(increase, name=name, retry=PATIENT),
    "pure": lambda flow, name, _: flow.pure(double, name=name),
    "branch": lambda flow, name, _: (
        flow.branch(name=name).when(says, increase).when(says_more, ARMED).otherwise(step(increase, name="other"))
    ),
    "kinds": lambda flow, name, _: flow.branch(name=name).case(int, ARMED).otherwise(NESTED),
    "until": lambda flow, name, most: flow.loop(increase, until=says_of, max_iterations=most, name=name),
    "while": lambda flow, name, most: flow.loop(ARMED, while_=says_of, max_iterations=most, name=name),
    "around": lambda flow, name, most: flow.loop(NESTED, until=says_of, max_iterations=most, name=name),
    "fold": lambda flow, name, most: flow.pure(to(most), name=f"{name}s").fold(0, pair_total, name=name),
    "armed fold": lambda flow, name, most: flow.pure(to(most), name=f"{name}s").fold(0, PAIR, name=name),
}


def to(most: int) -> Callable[[object], range]:
    """Return what gives so many numbers."""
    return lambda _: range(most)


@st.composite
def rows(draw: Callable[..., Any]) -> Workflow[Any, Any]:
    """Draw a chain."""
    flow: Workflow[Any, Any] = Workflow[Any]("flow")
    for number, kind in enumerate(draw(st.lists(st.sampled_from(sorted(ROW)), min_size=1, max_size=5))):
        flow = ROW[kind](flow, f"n{number}", draw(st.integers(1, 6)))
    return flow


@settings(max_examples=300)
@given(rows(), st.integers(0, 9), st.lists(st.integers(0, 40), min_size=1, max_size=20), st.data())
def test_a_row_that_goes_ahead_is_what_the_machine_does(flow, value, outputs, data) -> None:
    """S7, S13, S16, S17: so do branches, loops and folds, whatever their functions say; none is asked twice."""
    run = Machine(flow.compile(), value)
    while run.outcome is None:
        go_on(run.plan, begun(run), outputs)
        act(data.draw, run, list(run.pending))


@pytest.mark.parametrize(
    ("flow", "outputs", "count"),
    [
        (Workflow[int]("flow").step(increase).branch().when(says, increase).otherwise(ARMED), [1, 2], 1),
        (Workflow[int]("flow").step(increase).branch().when(says, increase).otherwise(ARMED), [7], 0),
        (Workflow[int]("flow").step(increase).branch().when(says, increase).otherwise(ARMED), [5], 0),
        (Workflow[int]("flow").step(increase).branch().when(says, increase).otherwise(NESTED), [2], 1),
        (Workflow[int]("flow").step(increase).branch().when(says, increase).otherwise(NESTED), [1], 0),
        (Workflow[int]("flow").step(increase).branch().case(bool, NESTED).case(int, ARMED).otherwise(NESTED), [1], 1),
        (Workflow[int]("flow").loop(increase, until=says_of, max_iterations=9), [1, 2, 1, 4], 3),
        (Workflow[int]("flow").loop(increase, until=says_of, max_iterations=9), [1, 6], 1),
        (Workflow[int]("flow").loop(increase, until=says_of, max_iterations=1), [1], 0),
        (Workflow[int]("flow").loop(increase, while_=says_of, max_iterations=9), [1, 0, 1, 1], 3),
    ],
)
def test_what_pure_functions_say_is_taken_once(flow, outputs, count) -> None:
    """S7, S13, S17: yes and no lead on, or not; of a failure and of what is neither, the machine says what it is."""
    plan = flow.compile()
    assert go_on(plan, start(plan, 2, run_id="r", at=0.0), outputs) == count


def test_nothing_goes_ahead_of_an_iteration_that_waits_to_be_tried_again() -> None:
    """S9: no attempt is under way that could succeed."""
    run = Machine(Workflow[list[int]]("flow").fold(0, step(added, retry=PATIENT)).compile(), [1, 2])
    assert ahead_of(run) is not None
    run.fail("flow/added[0]")
    assert ahead_of(run) is None


@pytest.mark.parametrize(
    ("flow", "is_row", "leads_on"),
    [
        (CHAIN, True, True),
        (Workflow[int]("flow").step(increase), True, False),
        (Workflow[int]("flow").step(increase).branch().when(says, increase).otherwise(NESTED), True, True),
        (Workflow[int]("flow").branch().when(says, increase).otherwise(NESTED), False, False),
        (Workflow[int]("flow").step(increase).pure(double), False, False),
        (CHAIN.pure(double), False, True),
        (CHAIN.cleanup(undo), False, True),
        (Workflow[int]("flow").pure(double).loop(increase, until=says_of, max_iterations=2), False, True),
        (Workflow[int]("flow"), False, False),
    ],
)
def test_a_plan_tells_where_it_leads(flow, is_row, leads_on) -> None:
    """S2: a row has nothing but what can go ahead, from the first node to the last."""
    route = Route(flow.compile())
    assert (route.is_row, route.leads_on) == (is_row, leads_on)


class Big:
    """A value that one would not want to keep."""


@pytest.mark.parametrize(
    "flow",
    [
        Workflow[Any]("flow").step(same).compensate(undo).step(same, name="b").step(same, name="c"),
        Workflow[Any]("flow").loop(step(same).compensate(undo), until=lambda *_: False, max_iterations=9),
    ],
    ids=["chain", "loop"],
)
def test_no_value_of_before_is_held(flow) -> None:
    """S29: a row that goes on needs only the value that was passed on; what is undone with comes from the trail."""
    plan, value = flow.compile(), Big()
    state, (effect,) = start(plan, value, run_id="r", at=0.0)
    ahead = Route(plan).ahead_of(state)
    following = ahead.after(effect, 1, 1.0)
    gone = weakref.ref(value)
    del state, effect, value
    assert following.value == 1
    assert gone() is None
    assert ahead.state().root is not None


def test_a_row_begins_as_the_machine_begins_it() -> None:
    """S2: the same state and the same effect."""
    plan = CHAIN.compile()
    state, effects = start(plan, 1, run_id="r", at=5.0)
    ahead, effect = Route(plan).begin(1, "r", 5.0)
    assert (ahead.state(), [effect]) == (state, effects)
    assert ahead.outcome(2) is None


def test_a_row_ends_as_the_machine_ends_it() -> None:
    """S2: with the outcome that the last success leads to."""
    plan = Workflow[int]("flow").step(increase).compensate(undo).compile()
    state, _ = start(plan, 1, run_id="r", at=0.0)
    ahead, effect = Route(plan).begin(1, "r", 0.0)
    assert ahead.outcome(2) == advance(plan, state, StepSucceeded(effect.path, 1.0, 1, 2))[0].outcome


def test_time_never_runs_backwards() -> None:
    """S2: a clock that is set back moves no state back, of a chain, a loop or a map."""
    loop = Workflow[int]("flow").loop(increase, until=lambda *_: False, max_iterations=9)
    for flow, value in ((CHAIN, 1), (loop, 1), (mapped(concurrency=1), [1, 2, 3])):
        plan = flow.compile()
        state, effects = start(plan, value, run_id="r", at=5.0)
        (effect,) = (effect for effect in effects if isinstance(effect, RunStep))
        ahead, seen = Route(plan).ahead_of(state), []
        assert ahead is not None
        for at in (9.0, 7.0):
            following = ahead.after(effect, 2, at)
            assert following is not None
            effect = following
            seen.append(ahead.state().at)
        assert seen == [9.0, 9.0]


def allow(_: object) -> None:
    """Let a step begin."""


def zero(_: object) -> int:
    """Go on with nothing."""
    return 0


@pytest.mark.parametrize(
    ("flow", "count"),
    [
        (CHAIN, 2),
        (CHAIN.pure(double), 2),
        (CHAIN.sleep(1).step(increase, name="d"), 2),
        (CHAIN.step(NESTED), 2),
        (CHAIN.recover(zero, on=ValueError).step(increase, name="d"), 2),
        (CHAIN.pivot().step(increase, name="d"), 2),
        (Workflow[int]("flow").sleep(1).step(increase), 0),
        (Workflow[int]("flow").step(NESTED), 0),
        (Workflow[int]("flow").step(increase), 0),
    ],
)
def test_how_far_a_chain_goes(flow, count) -> None:
    """S7: as long as one step follows another; what is inside of another construct is for the machine."""
    plan = flow.compile()
    assert go_on(plan, start(plan, 1, run_id="r", at=0.0)) == count
    assert Route(plan).leads_on is (count > 0)


def test_a_run_with_a_deadline_does_not_go_ahead() -> None:
    """S10: what is around the chain is for the machine."""
    plan = CHAIN.compile()
    assert Route(plan).ahead_of(start(plan, 1, run_id="r", at=0.0, deadline=60.0)[0]) is None


def test_nothing_goes_ahead_of_a_question() -> None:
    """S31: a step that asks a gate asks it; what such a step leads to is for the machine as well."""
    asking = Workflow[int]("flow").step(increase).step(double, hooks=[gate(allow)]).step(increase, name="c")
    run = Machine(asking.compile(), 1)
    assert go_on(run.plan, begun(run)) == 0
    run.succeed("flow/increase", 2)
    run.answer("flow/double")
    assert run.running == ["flow/double"]
    assert go_on(run.plan, begun(run)) == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_nothing_goes_ahead_where_the_engine_asks(when) -> None:
    """S31: it asks about each step."""
    run = Machine(CHAIN.compile(), 1, asks=(when,))
    if when == "before":
        run.answer("flow/increase")
    assert run.running == ["flow/increase"]
    assert go_on(run.plan, begun(run)) == 0


def test_nothing_goes_ahead_of_a_cancel() -> None:
    """S28: a step that succeeds after the cancel is the last."""
    run = Machine(CHAIN.compile(), 1)
    run.cancel()
    assert ahead_of(run) is None


def test_nothing_goes_ahead_of_a_backoff() -> None:
    """S9: no attempt is under way that could succeed."""
    run = Machine(Workflow[int]("flow").step(increase, retry=PATIENT).step(double).compile(), 1)
    run.fail("flow/increase")
    assert ahead_of(run) is None
    run.fire("flow/increase")
    assert go_on(run.plan, begun(run)) == 1


# --- maps


def mapped(**options: Any) -> Workflow[list[int], Any]:
    """Return a map of a step."""
    return Workflow[list[int]]("flow").map(increase, **options)


CAPS = st.sampled_from([1, 2, 3, 5, FEW + 1])


@settings(max_examples=100)
@given(CAPS, st.integers(1, 12), st.lists(st.integers(0, 200), max_size=12))
@pytest.mark.parametrize("mode", ["fail_fast", "collect", tolerate(count=1)])
def test_items_that_go_ahead_are_those_that_the_machine_begins(
    mode: Any, cap: int, more: int, order: list[int]
) -> None:
    """S14, S16, S18: as long as there are items to come, in whatever order those under way succeed."""
    plan = mapped(concurrency=cap, on_error=mode).compile()
    items = list(range(cap + more))
    assert go_on(plan, start(plan, items, run_id="r", at=0.0), order) == min(len(order), more)


@settings(max_examples=300)
@given(st.integers(1, 5), st.integers(1, 12), st.lists(st.integers(0, 40), min_size=1, max_size=20), st.data())
@pytest.mark.parametrize("mode", ["fail_fast", "collect"])
def test_results_that_are_folded_ahead_are_what_the_machine_folds(mode, cap, more, outputs, data) -> None:
    """S16: in order, however they come; one that waits for too many others, or cannot be folded, is for the machine."""
    run = Machine(mapped(concurrency=cap, on_error=mode).into(0, summed).compile(), list(range(cap + more)))
    while run.outcome is None:
        go_on(run.plan, begun(run), outputs)
        act(data.draw, run, list(run.pending))


def test_results_that_wait_are_folded_with_the_one_they_wait_for() -> None:
    """S16: the slow item is followed by as many as there is room for, and then by all that has waited."""
    plan = mapped(concurrency=4).into(0, summed).compile()
    assert go_on(plan, start(plan, [0] * 9, run_id="r", at=0.0), [1, 1, 1]) == 3  # 1, 2 and 3 wait for 0: still room
    assert go_on(plan, start(plan, [0] * 9, run_id="r", at=0.0), [1, 1, 1, 0]) == 4
    assert go_on(plan, start(plan, [0] * 9, run_id="r", at=0.0), [1, 1, 1, 1]) == 3  # no room for one more


def test_a_long_map_is_looked_at_now_and_then() -> None:
    """S2: so that to make its state never takes long."""
    plan = mapped(concurrency=2).compile()
    assert go_on(plan, start(plan, [0] * (2 * FAR), run_id="r", at=0.0), [0] * (2 * FAR)) == FAR


OTHERS = {
    "without a cap": mapped(),
    "not full": mapped(concurrency=9),
    "all begun": mapped(concurrency=5),
    "a race": mapped(concurrency=2).race(),
    "folded, with more in flight than one turn folds": mapped(concurrency=FEW + 1).into(0, pair_total),
    "with undos": Workflow[list[int]]("flow").map(step(increase).compensate(undo), concurrency=2),
    "that asks": Workflow[list[int]]("flow").map(step(increase, hooks=[gate(allow)]), concurrency=2),
    "of workflows": Workflow[list[int]]("flow").map(NESTED, concurrency=2),
    "inside of another": Workflow[list[int]]("flow").step(mapped(concurrency=2)),
}


@pytest.mark.parametrize("flow", OTHERS.values(), ids=OTHERS)
def test_other_maps_are_for_the_machine(flow) -> None:
    """S16, S18, S31: where more than an output is to be kept, or there is no next item."""
    assert ahead_of(Machine(flow.compile(), [1, 2, 3, 4, 5])) is None


def test_as_many_results_as_one_turn_folds_may_wait() -> None:
    """S7, S16: no more than that."""
    assert Route(mapped(concurrency=FEW).into(0, pair_total).compile()).leads_on


@pytest.mark.parametrize("name", sorted({*OTHERS} - {"not full", "all begun"}))
def test_a_plan_tells_that_nothing_can_go_ahead(name) -> None:
    """S2: so nobody looks for it in each run."""
    assert not Route(OTHERS[name].compile()).leads_on
    assert Route(mapped(concurrency=2).compile()).leads_on


def test_a_stream_is_for_the_machine() -> None:
    """S16: nobody knows the next item."""
    assert ahead_of(Machine(mapped(concurrency=2).compile(), iter([1, 2, 3]))) is None


def test_a_map_that_fails_is_for_the_machine() -> None:
    """S18: it begins nothing new."""
    run = Machine(mapped(concurrency=2).compile(), [1, 2, 3, 4])
    run.fail("flow/increase[0]")
    assert run.running == ["flow/increase[1]"]
    assert ahead_of(run) is None


def test_items_do_not_overtake_one_that_has_to_wait_for_a_turn() -> None:
    """S7: the machine begins so many at a stretch, in order; also where the map is full with the one that waits."""
    items = [0] * (STRETCH + 9)
    most = len(Machine(mapped(concurrency=STRETCH + 1).compile(), items).pending)
    run = Machine(mapped(concurrency=most).compile(), items)
    assert len(run.running) == most - 1
    assert ahead_of(run) is None
    run.go_on(f"flow/increase[{most - 1}]")
    assert go_on(run.plan, begun(run)) == len(OUTPUTS)
