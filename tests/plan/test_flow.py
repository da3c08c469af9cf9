"""Types along the plan: what each construct gives (S6), and what is allowed, but hardly meant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum, Flag
from typing import Any, Literal

import pytest

from orchestration import Err, Failure, Graph, NotStarted, Ok, Retry, Signal, Workflow, graph, step, tolerate
from orchestration.errors import PlanWarning
from orchestration.plan.body import Body
from orchestration.plan.compile import compile_plan
from orchestration.plan.nodes import Fold, Into, Map, Scope, Step
from orchestration.plan.typenames import type_name
from tests.bodies import Order, Receipt, double, increase, pair_total, settle, spread, sum_of, undo
from tests.plan.wrong_programs import Raw, Users, either, maybe

flow: Any = Workflow[int]("f")
numbers: Any = Workflow[list[int]]("f")
CHAIN = Workflow[int]("chain").tap(double).step(increase)


class Color(Enum):
    """One of two."""

    RED = 1
    BLUE = 2


class Right(Flag):
    """Any of two."""

    READ = 1
    WRITE = 2


class Nothing(Enum):
    """An enum without members."""


def color(number: int) -> Color:
    """Return a colour."""
    return Color(number)


def untyped(value):
    """Say nothing about types."""
    return value


def both(one, other):
    """Say nothing about types."""
    return one


def text(number: int) -> str:
    """Return a text."""
    return str(number)


def longer(length: float, item: int) -> int:
    """Fold into a number, and take any other."""
    return int(length) + item


def three(g: Graph[int]) -> Any:
    """Describe three members, the last of which needs the others."""
    one, other = g.node(text, g.input), g.node(increase, g.input)
    return one, g.node(both, one, other, name="both"), other


def last(g: Graph[int]) -> Any:
    """Describe a member behind another."""
    return g.node(double, g.node(increase, g.input))


def of_failure(failure: Failure) -> Receipt:
    """Return something else than the chain."""
    return Receipt(len(failure.message))


@pytest.mark.parametrize(
    ("workflow", "gives"),
    [
        (flow.step(text, timeout=3), str),
        (flow.step(CHAIN, retry=Retry(), timeout=3), int),
        (flow.step(text).cleanup(len).pivot().sleep(0), str),
        (flow.step(text).recover(lambda failure: None, on=ValueError), Any),
        (flow.step(text).recover(of_failure, on=ValueError), str | Receipt),
        (flow.wait_for(Signal("approval", Order)), Order),
        (flow.wait_for(Signal("approval", int), pair_total), int),
        (flow.loop(double, until=lambda n, i: i > 2, max_iterations=3), int),
        (flow.loop(untyped, until=lambda n, i: i > 2, max_iterations=3), Any),
        (flow.step(maybe).loop(untyped, while_=lambda n, i: i > 2, max_iterations=3), Any),
        (flow.step(maybe).loop(lambda n: n, while_=lambda n, i: True, max_iterations=3), Any),
        (Workflow[bool]("f").loop(double, while_=lambda n, i: True, max_iterations=3), bool | int),
        (Workflow[bool]("f").loop(double, until=lambda n, i: True, max_iterations=3), int),
        (flow.loop(CHAIN, until=lambda n, i: True, max_iterations=3), int),
        (flow.loop(Workflow("any").step(double), until=lambda n, i: True, max_iterations=3), int),
        (flow.loop(Workflow("none"), until=lambda n, i: True, max_iterations=3), int),
        (flow.loop(step(CHAIN, retry=Retry()), until=lambda n, i: True, max_iterations=3), int),
        (flow.loop(step(graph(last)), until=lambda n, i: True, max_iterations=3), int),
        (numbers.fold(0, pair_total), int),
        (numbers.fold(0, pair_total, timeout=3), int),
        (numbers.fold(0, longer), float),
        (numbers.fold(0, both), Any),
        (numbers.fold(None, lambda one, other: one), Any),
        (numbers.map(text), list[str]),
        (numbers.map(text, on_error="collect"), list[Ok[str] | Err]),
        (numbers.map(text, on_error=tolerate(count=2)), list[Ok[str] | Err]),
        (numbers.map(text, on_error=tolerate(ratio=0.5)), list[Ok[str] | Err]),
        (numbers.map(text).race(), str),
        (numbers.map(double).into(0, pair_total), int),
        (numbers.map(double).into(0, both), Any),
        (Workflow[AsyncIterator[int]]("f").map(text, on_error=tolerate(count=2)), list[Ok[str] | Err]),
        (flow.fork(double).fork(text).join(), tuple[int, str]),
        (flow.fork(double).fork(text).join(on_error="collect"), tuple[Ok[int] | Err, Ok[str] | Err]),
        (flow.fork(double).fork(text).race(), int | str),
        (flow.step(graph(last)), int),
        (flow.step(graph(lambda g: g.race(g.node(double, g.input), g.node(text, g.input)))), int | str),
        (flow.step(graph(three)), tuple[str, Any, int]),
        (
            flow.step(graph(three, on_error="collect")),
            tuple[Ok[str] | Err, Ok[Any] | Err | NotStarted, Ok[int] | Err],
        ),
        (flow.step(graph(last, on_error=tolerate(count=1))), Ok[int] | Err | NotStarted),
    ],
)
def test_each_construct_gives_what_its_bodies_say(workflow, gives) -> None:
    """S6: types flow through every construct, and end as `Any` only where nothing is known."""
    assert workflow.compile().gives == gives


def test_enumerating_gives_pairs() -> None:
    """S21: what the items are is not known of a generic function."""
    assert type_name(numbers.enumerate().compile().gives) == "list[tuple[int, Any]]"


# ruff: noqa: FBT003 - a truth value is a case
WORD: Any = Workflow[Literal["yes", "no"]]("f")


@pytest.mark.parametrize(
    "covered",
    [
        flow.step(color).branch().case(Color.RED, untyped).case(Color.BLUE, untyped).exhaustive(),
        flow.step(color).branch().case(Color.RED, untyped).case(Color, untyped).exhaustive(),
        Workflow[Color | None]("f").branch().case(Color, untyped).case(None, untyped).exhaustive(),
        WORD.branch().case("yes", untyped).case("no", untyped).exhaustive(),
        WORD.branch().case(str, untyped).exhaustive(),
        WORD.branch().case("no", untyped).case(str, untyped).exhaustive(),
        Workflow[Literal[1, 2]]("f").branch().case(1, untyped).case(2, untyped).exhaustive(),
        Workflow[bool]("f").branch().case(True, untyped).case(False, untyped).exhaustive(),
        Workflow[Right]("f").branch().case(Right, untyped).exhaustive(),
        Workflow[Nothing]("f").branch().case(Nothing, untyped).exhaustive(),
        flow.step(either).branch().case(Order, untyped).case(Receipt, untyped).exhaustive(),
    ],
)
def test_the_values_of_an_enum_or_a_literal_can_be_covered_one_by_one(covered) -> None:
    """S13: an exhaustive branch has an arm for each member."""
    assert covered.compile().nodes


@pytest.mark.parametrize(
    ("workflow", "missing"),
    [
        (Workflow[Literal[1, 2]]("f").branch().case(True, untyped).case(2, untyped), "no arm for 1"),
        (Workflow[Right]("f").branch().case(Right.READ, untyped).case(Right.WRITE, untyped), "Right"),
        (Workflow[Nothing]("f").branch().case(None, untyped), "Nothing"),
    ],
)
def test_what_is_equal_is_not_always_the_same(workflow: Any, missing) -> None:
    """S13: `True` is not `1`, and members of a flag may be combined to others."""
    with pytest.raises(ExceptionGroup) as caught:
        workflow.exhaustive().compile()
    assert missing in str(caught.value)


def test_the_body_of_a_fold_may_take_the_pair() -> None:
    """S16: it takes (accumulator, item); only a step that spreads it gets two arguments."""
    plan = Raw(Step("spread", body(spread)), Fold("fold", Step("sum", body(sum_of)), 0)).compile()
    assert plan.gives is int


def body(function: Any) -> Any:
    """Return the body of a step."""
    return Body.of(function)


def warnings_of(workflow: Any) -> list[str]:
    """Return what is said of a plan that is allowed."""
    with pytest.warns(PlanWarning) as caught:
        workflow.compile()
    return [str(warning.message) for warning in caught]


def test_a_timeout_around_a_compensated_step_without_a_doubt_handler_is_a_warning() -> None:
    """S22: an attempt that is under way when the time is up may land, and nobody would look."""
    [told] = warnings_of(flow.step(increase, timeout=3).compensate(undo))
    assert told == (
        "f/increase: found an undo and a timeout, but no in_doubt; expected a handler for an attempt that timed out: "
        "its effect may or may not have landed. Write .compensate(undo, in_doubt=f), f takes the step's input; or "
        "leave timeout out."
    )
    both_bounds = flow.step(increase, timeout=3, attempt_timeout=1).compensate(undo)
    assert [message.partition(",")[0] for message in warnings_of(both_bounds)] == [
        "f/increase: found an undo and an attempt_timeout"
    ]
    assert flow.step(increase, timeout=3).compensate(undo, in_doubt=settle).compile()


@pytest.mark.parametrize(
    "seconds", [10**400, float("nan"), float("inf"), True, None], ids=["huge", "nan", "inf", "True", "None"]
)
def test_a_number_that_is_no_time_is_refused(seconds) -> None:
    """S10: also a whole number that no clock can count."""
    for wrong in (flow.sleep(seconds), flow.cleanup(undo, timeout=seconds)):
        with pytest.raises(ExceptionGroup) as caught:
            wrong.compile()
        [problem] = caught.value.exceptions
        assert "expected a finite number of seconds" in str(problem)


def test_a_pivot_with_nothing_before_it_is_a_warning() -> None:
    """S27: it keeps what stands before it in its own chain."""
    [told] = warnings_of(flow.step(Workflow[int]("sub").pivot().step(double)))
    assert told == (
        "f/sub/pivot: found a pivot with nothing before it; expected a step before it: a pivot keeps what stands "
        "before it in the chain. Move it behind the step that cannot be undone, or leave it out."
    )


def test_one_signal_may_be_waited_for_in_many_places() -> None:
    """S21: one name, one type; however often."""
    approval = Signal("approval", int)
    assert flow.wait_for(approval).wait_for(approval).compile().gives is int


def retries(workflow: Any) -> dict[str, Retry | None]:
    """Return the retry of each step of a plan."""
    return {node.name: node.retry for node in workflow.compile().nodes if isinstance(node, Step)}


def test_the_default_retry_of_a_workflow_stands_in_its_steps() -> None:
    """S9: in all that have none of their own; a nested workflow has its own default, or none."""
    given, own = Retry(max_attempts=7), Retry(max_attempts=2)
    workflow: Any = (
        Workflow[int]("f", retry=given)
        .step(increase)
        .tap(double, retry=own, name="own")
        .fork(increase, name="forked")
        .join(len)
        .step(spread)
        .map(step(double, timeout=3), name="mapped")
        .step(Workflow[Any]("plain").step(len, name="plain_step"))
        .step(Workflow[Any]("other", retry=own).step(double, name="other_step"))
    )
    assert retries(workflow) == {
        "increase": given,
        "own": own,
        "forked": given,
        "len": given,
        "spread": given,
        "mapped": given,
        "plain_step": None,
        "other_step": own,
    }
    again = compile_plan(workflow.compile().root)
    assert again == workflow.compile()


def test_a_plan_without_a_default_is_left_as_it_is() -> None:
    """S9: no retry, one attempt."""
    assert retries(flow.step(increase).step(double)) == {"increase": None, "double": None}


def test_values_that_a_run_may_meet_have_a_form() -> None:
    """S12: results, failures, signals and first accumulators, also where no annotation names them."""
    collected = numbers.map(lambda n: n, on_error="collect").compile()
    for value in ([Ok(1)], NotStarted("a")):
        assert collected.codec.decode(collected.codec.encode(value)) == value
    signalled = flow.wait_for(Signal("approval", Order), lambda n, order: order).compile()
    assert signalled.codec.decode(signalled.codec.encode(Order("1"))) == Order("1")
    into = Into(Receipt(3), pair_body(lambda one, other: one))
    for node in (
        Fold("x", Step("y", pair_body(both), spread=True), Receipt(3)),
        Map("x", Step("y", body(text)), into=into),
    ):
        plan = compile_plan(Scope("f", (node,), list[int]))
        assert plan.codec.decode(plan.codec.encode(Receipt(3))) == Receipt(3)


def pair_body(function: Any) -> Any:
    """Return the body of a step with two arguments."""
    return Body.of(function, 2)


def test_a_service_may_fold() -> None:
    """S7, S16: a method gets its service, the accumulator and the item."""

    class Sums(Users):
        """A service that adds."""

        def add(self, one: int, other: int) -> int:
            """Return the sum."""
            return one + other

    plan = numbers.fold(0, Sums.add).compile()
    assert plan.gives is int
    assert len(plan.services) == 1
