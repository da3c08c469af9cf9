"""The strategies draw what can be, all of it, and shrink to the simplest."""

from __future__ import annotations

import importlib
import json
import math
import sys
import warnings
from collections.abc import Iterator  # noqa: TC003 - annotations of bodies are read at run time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import pydantic
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from examples.checkout import Couriers, Declined, Order, checkout, pack
from orchestration import Retry, Signal, Workflow, step
from orchestration.interpreter.events import (
    StepFailed,
    StepLeaked,
    StepSucceeded,
    StepTimedOut,
    TimerFired,
    UndoSucceeded,
)
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.plan.codec import Codec
from orchestration.plan.nodes import Step
from orchestration.runtime.boundary import validate_input
from orchestration.testing import READY, MissingExtra, Unanswered, Unasked, answers, explore, replay
from orchestration.testing.explore_outcomes import TIMES_OUT
from orchestration.testing.fakes import FakeHandler
from orchestration.testing.strategies import (
    fakes,
    faults,
    inputs,
    outcomes,
    plans,
    runs,
    schedules,
    values,
    values_of,
    workflows,
)
from orchestration.testing.strategies_plans import CONSTRUCTS
from tests.bodies import same
from tests.plan.values import same as equal
from tests.testing.test_explore import CHECKOUT, LOST, ORDER, SHOP, charge, naive_shop, ship, sound_shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.plan.compile import Plan
    from orchestration.testing import Trace

FEW = settings(max_examples=50)
UNHURRIED = settings(max_examples=40, suppress_health_check=list(HealthCheck))
retried = Workflow[int]("retried").step(charge, retry=Retry(max_attempts=3)).step(ship, attempt_timeout=9, timeout=20)
INSIDE = (list, tuple, set, frozenset)
go = Signal("go", int)


def simplest(strategy: st.SearchStrategy[Any], condition: Callable[[Any], object]) -> Any:
    """Return what something that is drawn shrinks to; the same each time."""
    many = settings(max_examples=3_000, database=None, suppress_health_check=list(HealthCheck))
    return find(strategy, lambda one: bool(condition(one)), settings=many, random=Random(0))  # noqa: S311 - nothing secret


def kinds(run: Trace[Any]) -> list[type]:
    """Return the classes of the events of a run after its start."""
    return [type(event) for event in run.events[1:]]


# --- runs


def test_a_planted_bug_shrinks_to_its_shortest_story() -> None:
    """Whoever is charged gets goods or money: the shop that forgets it is told by two events, without a cancel."""

    def charged_for_nothing(run: Trace[Any]) -> bool:
        done = {event.path for event in run.events if isinstance(event, StepSucceeded)}
        return done == {"naive_shop/charge"}

    drawn = runs(naive_shop, 5, outcomes=SHOP, cancel=False)
    assert kinds(simplest(drawn, charged_for_nothing)) == [StepSucceeded, StepFailed]


def test_a_bug_deep_in_a_workflow_shrinks_to_what_it_needs() -> None:
    """What is no part of the bug goes as expected, in the order of the plan; the one fault is the first that does."""

    def torn(run: Trace[Any]) -> bool:
        return run.ran(pack) and not run.ran(Couriers.express) and not run.ran(Couriers.standard)

    run = simplest(runs(checkout, ORDER, outcomes=CHECKOUT), torn)
    assert [(type(event), event.path) for event in run.events[1:]] == [
        (StepSucceeded, "checkout/reserve"),
        (StepSucceeded, "checkout/charge"),
        (StepSucceeded, "checkout/fork/pick"),
        (StepSucceeded, "checkout/fork/print_label"),
        (StepFailed, "checkout/pack"),
        (UndoSucceeded, "checkout/charge"),
        (UndoSucceeded, "checkout/reserve"),
    ]


def test_a_failing_test_tells_the_story() -> None:
    """The story of the shrunk run stands with the failure."""

    @settings(database=None, print_blob=False)
    @given(run=runs(naive_shop, 5, outcomes=SHOP, cancel=False))
    def never_fails(run: Trace[Any]) -> None:
        assert isinstance(run.outcome, Succeeded)

    with pytest.raises(AssertionError) as caught:
        never_fails()
    told = "\n".join(caught.value.__notes__)
    assert "The run:\n      0.0 s  naive_shop  began with 5; began charge\n" in told
    assert "naive_shop/charge: ConnectionError: gone; nothing to undo" in told


def test_every_end_that_there_is_is_drawn() -> None:
    """S28: all endings that `explore` finds, cancels and partial rollbacks among them, are drawn, and no others."""
    for workflow, value, world in ((sound_shop, 5, SHOP), (checkout, ORDER, CHECKOUT)):
        known = explore(workflow, value, outcomes=world).endings

        def ending(run: Trace[Any]) -> tuple[str, str]:
            return type(run.outcome).__name__, run.outcome.rollback.verdict

        seen: set[tuple[str, str]] = set()
        drawn: Any = runs(workflow, value, outcomes=world).map(ending)
        simplest(drawn, lambda one, seen=seen, known=known: seen.add(one) or seen >= {*known})
        assert seen == {*known}


@FEW
@given(st.data())
def test_what_is_drawn_is_legal_and_happens_again(data) -> None:
    """S2: `replay` lets the events happen again, times and all, and every rule that is ready holds."""
    world = {charge: [5, LOST], ship: ["goods", TIMES_OUT]}
    options: Any = {"outcomes": world, "deadline": 30.0, "leaks": data.draw(st.booleans())}
    events = data.draw(schedules(retried, 5, **options))
    assert isinstance(
        replay(retried, 5, events, invariants=READY, deadline=30.0).outcome, (Succeeded, Failed, Cancelled)
    )


def test_two_draws_of_the_same_are_told_alike() -> None:
    """S2: a run that is replayed has the story of the one that was drawn, jitter included."""
    run = simplest(
        runs(retried, 5, outcomes={charge: [5, LOST], ship: ["goods", TIMES_OUT]}),
        lambda run: kinds(run)[:4] == [StepFailed, TimerFired, StepFailed, TimerFired],
    )
    replay(retried, 5, run.events[1:]).check_same(run)


def test_time_passes_where_timers_run() -> None:
    """S10: an attempt may be late: a timeout passes while it is under way, or hardly not."""
    drawn = runs(retried, 5, outcomes={charge: [5], ship: ["goods", TIMES_OUT]}, leaks=True)
    late = simplest(drawn, lambda run: run.seconds == 20 and isinstance(run.outcome, Succeeded))
    assert kinds(late) == [StepSucceeded, StepSucceeded]
    assert TimerFired in kinds(simplest(drawn, lambda run: run.seconds == 20 and isinstance(run.outcome, Failed)))
    assert StepLeaked in kinds(simplest(drawn, lambda run: isinstance(run.outcome, Failed) and run.outcome.leaked))


@FEW
@given(runs(checkout, ORDER, outcomes=CHECKOUT, faults=0))
def test_without_faults_all_goes_as_expected(run) -> None:
    """The first of the outcomes is the expected one, and no cancel comes; only the order differs."""
    assert isinstance(run.outcome, Succeeded)


@FEW
@given(runs(checkout, inputs(checkout), outcomes=CHECKOUT))
def test_the_value_may_be_drawn_as_well(run) -> None:
    """A run begins with a value of the strategy, which is checked as an engine does (S12)."""
    assert isinstance(run.events[0].value, Order)


def test_signals_come_in_their_order_or_not() -> None:
    """S21: a run that waits gets its signals; without any it is cancelled, or has not ended."""
    waiting = Workflow[int]("waiting").wait_for(go).step(charge)
    told = runs(waiting, 1, default=7, signals=[(go, 5)], cancel=False, faults=0)
    assert simplest(told, lambda _: True).inputs(charge) == [5]
    given_up = simplest(runs(waiting, 1, default=7), lambda _: True)
    assert isinstance(given_up.outcome, Cancelled)
    left = simplest(runs(waiting, 1, default=7, cancel=False), lambda _: True)
    with pytest.raises(AssertionError, match="the run has not ended"):
        _ = left.outcome


def test_a_run_without_an_end_is_left_after_a_thousand_events() -> None:
    """S16: a stream may be endless; a run that is drawn is not."""

    def numbers(first: int) -> Iterator[int]:
        while True:
            yield first

    endless = Workflow[int]("endless").pure(numbers).map(step(same, name="look"), concurrency=1)
    run = simplest(runs(endless, 1, default=0, faults=0), lambda _: True)
    assert len(run.events) == 1 + 1_000


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({}, Unanswered, "naive_shop/charge"),
        ({"outcomes": {"chargé": [1]}, "default": 1}, Unasked, "chargé"),
        ({"default": 1, "signals": [("gone", 1)]}, ValueError, "nothing in naive_shop waits for the signal 'gone'"),
    ],
    ids=["unanswered", "unasked", "signal"],
)
def test_a_wrong_world_is_refused_before_anything_is_drawn(options, error, told) -> None:
    """A mistake is told where the strategy is made, not by a run that looks well."""
    with pytest.raises(error, match=told):
        runs(naive_shop, 5, **options)


# --- values


@settings(max_examples=200)
@given(values())
def test_what_is_drawn_can_be_written_and_read(value) -> None:
    """S12: all that the codec writes without types, by way of JSON, comes back equal, types included."""
    codec = Codec()
    assert equal(codec.decode(json.loads(json.dumps(codec.encode(value), allow_nan=False))), value)


def test_values_of_every_kind_are_drawn() -> None:
    """None of the kinds is forgotten, at the top or inside."""
    seen: set[str] = set()

    def note_all(value: Any) -> None:
        seen.add(type(value).__name__)
        for part in (
            [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, INSIDE) else ()
        ):
            note_all(part)

    @settings(max_examples=300, database=None, derandomize=True)
    @given(values())
    def look(value) -> None:
        note_all(value)

    look()
    assert seen >= {"NoneType", "bool", "int", "float", "str", "bytes", "list", "dict", "tuple", "set", "frozenset"}
    assert seen >= {"date", "time", "datetime", "timedelta", "Decimal", "UUID"}


class Line(pydantic.BaseModel):
    """A model with limits."""

    cents: pydantic.PositiveInt
    tags: list[str] = pydantic.Field(max_length=2)


class Sale(pydantic.BaseModel):
    """A model with others in it."""

    lines: list[Line]


def shouted(text: str) -> str:
    """Refuse what is short, and return the rest in capitals."""
    if len(text) < 2:
        raise ValueError(text)
    return text.upper()


Shout = Annotated[str, pydantic.AfterValidator(shouted)]


@dataclass(frozen=True)
class Picky:
    """A record that refuses some values itself."""

    size: int

    def __post_init__(self) -> None:
        """Refuse what is below -9."""
        if self.size < -9:
            raise ValueError(self.size)


@settings(max_examples=25)
@given(values_of(Sale), values_of(Picky), values_of(Order), values_of(Shout))
def test_values_of_a_type_are_valid(sale, picky, order, shout) -> None:
    """S12: limits of pydantic hold, also those of what is inside; what a class or a validator refuses is not drawn."""
    assert Sale.model_validate(sale.model_dump()) == sale
    assert picky.size >= -9
    assert order.quantity > 0
    assert len(shout) >= 2
    assert shout == shout.upper()


@FEW
@given(inputs(checkout), inputs(Workflow[Any]("any").step(same)))
def test_inputs_are_taken_by_a_run(order, anything) -> None:
    """S12: an input is of the workflow's type and passes its validation unchanged; without a type it is any value."""
    assert validate_input(checkout.compile(), order) == order
    Codec().encode(anything)


# --- worlds


@FEW
@given(outcomes(retried, {ship: ["goods", TIMES_OUT]}))
def test_outcomes_fit_the_attempts(world) -> None:
    """S9, S10: no more failures than attempts, a value of its type at the end, and only what has a limit hangs."""
    assert set(world) == {"retried/charge", "retried/ship"}
    charged, shipped = world["retried/charge"], world["retried/ship"]
    assert 1 <= len(charged) <= 3 + 1
    assert all(answer.raises is not None and answer.takes < math.inf for answer in charged[:-1])
    assert type(charged[-1].returns) is int
    assert len(shipped) == 1
    assert shipped[0].returns == "goods" or shipped[0].takes == math.inf


def test_outcomes_shrink_to_what_succeeds_at_once() -> None:
    """The simplest world is the one in which nothing goes wrong and nothing takes time."""
    assert simplest(outcomes(retried), lambda _: True) == {
        "retried/charge": (answers(0),),
        "retried/ship": (answers(""),),
    }


def test_outcomes_are_given_by_whatever_means_a_step() -> None:
    """A path counts before a name, a name before a function; a strategy, a list and an answer are all taken."""
    sold = Workflow[int]("sold").step(charge).step(charge, name="again").step(charge, name="last").cleanup(same)
    sold = sold.step(charge, name="sell").compensate(same, in_doubt=same)
    ends = {"again": st.just(2), "sold/last": [answers(3, takes=9)], "sell:undo": [TIMES_OUT], charge: [1]}
    world = simplest(outcomes(sold, ends, delays=st.just(2)), lambda _: True)
    assert [world[f"sold/{name}"][0].returns for name in ("charge", "again", "last", "sell")] == [1, 2, 3, 1]
    assert [world[f"sold/{name}"][0].takes for name in ("charge", "last", "sell:undo")] == [2, 9, math.inf]
    assert {"sold/sell:in_doubt", "sold/same"} < {*world}
    refused = outcomes(naive_shop, {ship: ["goods"]}, faults=faults(Declined("no")))
    (once, *_) = simplest(refused, lambda world: len(world["naive_shop/charge"]) > 1)["naive_shop/charge"]
    assert isinstance(once.raises, Declined)
    with pytest.raises(Unasked, match="'chargé', which is not in sold"):
        outcomes(sold, {"chargé": [1]})


def test_a_drawn_fake_is_a_world_in_time() -> None:
    """S10: the simplest world in which the second step takes too long is one in which nothing else goes wrong."""

    def is_late(fake: FakeHandler) -> bool:
        outcome = fake.run(retried, 5).outcome
        return isinstance(outcome, Failed) and outcome.failure.path == "retried/ship"

    run = simplest(fakes(retried, {ship: ["goods"]}), is_late).run(retried, 5)
    assert kinds(run) == [StepSucceeded, StepTimedOut]
    assert run.seconds == 9


# --- plans


@UNHURRIED
@given(workflows(), st.data())
def test_drawn_workflows_are_legal_and_run_by_the_rules(workflow, data) -> None:
    """S6, S35: they compile without an error or a warning; runs of them keep every rule that is ready, also if lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plan = workflow.compile()
    assert plan.takes is int
    run = data.draw(runs(workflow, 3, default=1, leaks=True, crash=True))
    replay(workflow, 3, run.events[1:], invariants=READY)


@settings(UNHURRIED, max_examples=150)
@given(
    plans(
        without={*CONSTRUCTS} - {"step", "pivot", "workflow", "retry", "compensate", "fork", "graph", "map", "stream"}
    )
)
def test_a_pivot_is_drawn_only_where_one_may_stand(plan) -> None:
    """S27: none in a race, in what is retried, or in what is undone as a whole; a plan with one would not compile."""
    assert plan.gives is int


@UNHURRIED
@given(workflows(without=["wait_for"]), st.integers(0, 9))
def test_drawn_workflows_do_what_they_say(workflow, value) -> None:
    """Their bodies work: a run of them ends, with a number or with a failure that is theirs."""
    outcome = FakeHandler(real=True).run(workflow, value).outcome
    if isinstance(outcome, Succeeded):
        assert type(outcome.value) is int
    else:
        assert isinstance(outcome, Failed)
        kind = outcome.failure.kind.rpartition(".")[2]
        assert kind in {"Faltered", "ValueError", "LoopLimitExceeded", "NothingToRace", "ToleranceExceeded"} | LATE


LATE = {"DeadlineExceeded", "PartialRollback"}
NODES = {
    **{name: name.capitalize() for name in ("step", "pure", "sleep", "cleanup", "pivot", "recover", "branch", "graph")},
    **{name: name.capitalize() for name in ("map", "fold", "loop")},
    **dict.fromkeys(("tap", "enrich"), "Beside"),
    "fork": "Graph",
    "stream": "Map",
    "workflow": "Retried",
    "timeout": "Timed",
    "wait_for": "WaitFor",
    "compensate": "Compensated",
}


def test_every_construct_is_drawn_unless_left_out() -> None:
    """The whole language is drawn; what is left out is not."""
    assert drawn_kinds(plans(), 150) >= {*NODES.values()}
    for name in ("graph", "map", "timeout", "compensate", "recover"):
        without = {twin for twin, kind in NODES.items() if kind == NODES[name]} | BESIDE.get(name, set())
        assert NODES[name] not in drawn_kinds(plans(without=without, depth=2), 20)


BESIDE = {"timeout": {"wait_for"}}  # which may have one


def drawn_kinds(strategy: st.SearchStrategy[Plan], examples: int) -> set[str]:
    """Return of which classes the nodes are of so many plans; the same each time."""
    seen: set[str] = set()

    @settings(max_examples=examples, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def look(plan) -> None:
        seen.update(type(node).__name__ for node in plan.nodes)

    look()
    return seen


def test_a_workflow_shrinks_to_one_node() -> None:
    """The simplest workflow has one node; the simplest of those with a step is a step that nothing hangs on."""
    assert len(simplest(plans(depth=0), lambda _: True).nodes) == 2
    plan = simplest(plans(depth=0), lambda plan: any(isinstance(node, Step) for node in plan.nodes))
    assert len(plan.nodes) == 2
    assert plan.nodes[1] == Step("work", plan.nodes[1].body)


@pytest.mark.parametrize("wrong", ["step", "wait"])
def test_what_cannot_be_left_out_is_refused(wrong) -> None:
    """A misspelt construct would be drawn all the same."""
    with pytest.raises(ValueError, match=f"found {wrong}; what may be left out is pure, "):
        workflows(without=[wrong])
    assert {*NODES} | {"retry", "hooks"} == {*CONSTRUCTS}


# --- the extra


def test_without_hypothesis_the_extra_is_named(monkeypatch) -> None:
    """The strategies need a package that the library does not: the error says which, and how to get it."""
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "orchestration.testing.strategies_base")
    with pytest.raises(MissingExtra, match=r"needs hypothesis: pip install 'orchestration\[testing\]'") as caught:
        importlib.import_module("orchestration.testing.strategies_base")
    assert (caught.value.name, caught.value.extra) == ("hypothesis", "testing")
