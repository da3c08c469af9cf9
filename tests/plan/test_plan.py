"""Plans are values (S1)."""

from __future__ import annotations

import pickle
from typing import Any

import attrs
import pytest

from orchestration import Retry, Signal, Workflow, method
from orchestration.plan.compile import bodies_of
from tests.bodies import Receipt, double, increase, pair_total, settle, spread, undo, void
from tests.plan.everything import Cache, Store, everything

flow: Any = Workflow[int]("f")


def text(number: int) -> str:
    """Return a number as text."""
    return str(number)


def with_item(numbers: list[int], number: int) -> list[int]:
    """Return a list with a number more."""
    return [*numbers, number]


def test_plans_are_equal_and_hashed_by_their_fingerprint() -> None:
    """S1: two compiles of equal workflows give equal plans."""
    one, other = flow.step(double).compile(), Workflow[int]("f").step(double).compile()
    assert one == other
    assert one is not other
    assert hash(one) == hash(other)
    assert len({one, other, flow.step(increase).compile()}) == 2
    assert one != flow.step(increase).compile()
    assert one != one.fingerprint


def test_a_plan_that_begins_with_a_list_can_be_hashed() -> None:
    """S1, S16: so can its nodes; the first accumulator may be anything."""
    fold = Workflow[list[int]]("f").fold([], with_item).compile()
    into = Workflow[list[int]]("f").map(increase).into([], with_item).compile()
    for plan in (fold, into):
        assert hash(plan.root) == hash(plan.root)
        assert len({plan, *plan.nodes}) == len(plan.nodes) + 1


def test_plans_of_functions_that_only_differ_in_their_code_are_equal() -> None:
    """S1: a release that mends a body has the same plan; the registry decides which code runs."""

    def of(change: int) -> Any:
        def bump(number: int) -> int:
            return number + change

        return flow.pure(bump).compile()

    one, other = of(1), of(2)
    assert one.root.children[0].body.call is not other.root.children[0].body.call
    assert one == other
    assert hash(one) == hash(other)


def test_nothing_in_a_plan_can_be_changed() -> None:
    """S1: a plan is immutable, and so is each of its nodes."""
    plan = everything.compile()
    for value in (plan, *plan.nodes, *bodies_of(plan.root)):
        for field in attrs.fields(type(value)):
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                setattr(value, field.name, None)
            with pytest.raises(attrs.exceptions.FrozenInstanceError):
                delattr(value, field.name)
        with pytest.raises(AttributeError):
            value.more = 1
        hash(value)


def test_a_plan_tells_what_goes_in_and_comes_out() -> None:
    """S1: name, input and output type."""
    plan = flow.fork(text).join().compile()
    assert (plan.name, plan.takes, plan.gives) == ("f", int, tuple[str])
    assert flow.branch().when(bool, text).otherwise(double).compile().gives == str | int
    assert flow.step(spread).map(text).compile().gives == list[str]
    assert flow.tap(text).compile().gives is int
    assert flow.enrich(text).into(lambda n, _: n).compile().gives is Any
    assert flow.branch().when(bool, text).otherwise(lambda n: n).compile().gives is Any
    assert Workflow("f").step(Workflow[int]("sub").tap(text)).compile().gives is int


def test_services_are_named_once_and_sorted() -> None:
    """S7: those of steps, undos and in-doubt handlers, wherever they stand."""
    assert flow.step(double).compile().services == ()
    assert everything.compile().services == ("tests.plan.everything:Cache", "tests.plan.everything:Store")
    undone = flow.step(double).compensate(Store.drop, in_doubt=method(Cache, Cache.drop)).compile()
    assert undone.services == everything.compile().services
    whole = flow.fork(Store.put).join().compensate(void).step(len).compile()
    assert whole.services == ("tests.plan.everything:Store",)


def test_the_bodies_of_a_plan_are_those_that_a_handler_calls() -> None:
    """S7: steps, undos and in-doubt handlers, in plan order; what the interpreter evaluates is not among them."""
    plan = (
        flow.step(double)
        .compensate(undo, in_doubt=settle)
        .pure(increase)
        .enrich(Store.put)
        .into(pair_total)
        .fork(increase)
        .join()
        .compensate(void)
        .compile()
    )
    calls = [body.call for body in bodies_of(plan.root)]
    assert calls == [double, undo, settle, Store.put, void, increase]


def test_a_plan_shows_what_it_is() -> None:
    """S1: the text of a plan is short enough to read."""
    plan = flow.step(double).compile()
    assert repr(plan).startswith("Plan(root=Scope(name='f', children=(Step(name='double', body=Body(ref='tests.bodies:")
    assert plan.fingerprint in repr(plan)


def test_what_is_wrong_with_a_plan_can_be_pickled() -> None:
    """S6: a problem found in one process is told in another."""
    problem = flow.step(5)
    with pytest.raises(ExceptionGroup) as caught:
        problem.compile()
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert str(again) == str(caught.value)


def test_what_only_a_combiner_gives_can_be_written() -> None:
    """S12: a value that comes of a combiner goes on, though no step names its class."""

    def receipt(number: int, _: int) -> Receipt:
        return Receipt(number)

    combined = flow.enrich(double).into(receipt).step(lambda value: value)
    signalled = flow.wait_for(Signal("go", int), receipt).step(lambda value: value)
    for plan in (combined.compile(), signalled.compile()):
        assert plan.codec.decode(plan.codec.encode(Receipt(1))) == Receipt(1)


@pytest.mark.parametrize("options", [{}, {"retry": Retry()}], ids=["nothing said", "something else said"])
def test_an_undo_that_fails_holds_what_stands_before_it_by_default(options: Any) -> None:
    """S26: the plan says so, whether its workflow says anything or not."""
    plan = Workflow[int]("f", **options).step(double).compensate(undo).compile()
    assert plan.nodes[1].compensation.on_failure == "hold"
