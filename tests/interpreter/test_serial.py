"""States as JSON: what is refused (S12, S37)."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import Retry, Signal, Workflow, outcomes
from orchestration.errors import InvalidDocument, UnresolvedReference, Unserialisable
from orchestration.interpreter.effects import Pull
from orchestration.interpreter.events import HooksAnswered, SignalReceived, Started, UndoFailed
from orchestration.interpreter.serial import ALL, KINDS, from_data, state_from_data, state_key, state_to_data, to_data
from orchestration.interpreter.state import State
from orchestration.outcomes import Succeeded
from orchestration.plan.hooks import Veto, gate
from tests.bodies import double, increase, undo
from tests.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.plan.moments import Asked

PLAN = Workflow[list[int]]("flow").map(increase).compensate(lambda _: None).compile()
ARMED = Workflow[int]("flow").step(increase).compensate(undo).fork(increase).fork(increase).join().compile()


@dataclass(frozen=True)
class Basket:
    """A value that JSON has no form for."""

    price: Decimal


async def unchanged(basket: Basket) -> Basket:
    """Give it back."""
    return basket


async def refused(basket: Basket) -> Basket:
    """Never come to be."""
    raise OSError(basket)


async def undone(basket: Basket) -> None:
    """Undo."""


async def sealed_away(basket: Basket) -> None:
    """Clean up."""


def allow(asked: Asked) -> Veto | None:
    """Allow everything."""


def under_way() -> Machine:
    """Return a run with most kinds of frames in its state."""
    run = Machine(ARMED, 1)
    run.succeed("flow/increase", 2)
    run.succeed("flow/fork/increase", 3)
    run.leak("flow/fork/increase_2", 1.0)
    return run


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        [],
        {"is": "State"},
        {"is": "Failure", "kind": "a", "message": "b", "path": "c"},
        {"is": "Unheard"},
        {"is": "Node", "number": 99},
        {"is": "Map", "pairs": [[1, 2, 3]]},
        {"is": "Map", "pairs": [[[], 2]]},
        {"is": "GroupFrame", "outputs": [[1, 2, 3]]},
        {"is": "GroupFrame", "outputs": 7},
        {"is": "Ledger", "late": {"a": 1}},
    ],
    ids=repr,
)
def test_what_is_no_state_is_refused(data) -> None:
    """S37: with a typed error, never another exception."""
    with pytest.raises(InvalidDocument):
        state_from_data(PLAN, data)


@given(st.data())
def test_a_damaged_state_is_refused_or_read_never_worse(data) -> None:
    """S37: one value anywhere in a stored state is replaced by another."""
    document = json.loads(json.dumps(state_to_data(ARMED, under_way().state)))
    damaged = copy.deepcopy(document)
    place, holder = damaged, None
    while isinstance(place, dict | list) and place:
        holder = place
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        place = place[key]
        if data.draw(st.booleans()):
            break
    rubbish = st.sampled_from([None, 3, "x", [], {}, [[1, 2]], {"is": "Entry"}, {"is": "Node", "number": 0}])
    holder[key] = data.draw(rubbish)
    try:
        read: object = state_from_data(ARMED, damaged)
    except (InvalidDocument, UnresolvedReference) as error:
        read = error
    assert isinstance(read, State | InvalidDocument | UnresolvedReference)


def test_a_value_without_a_form_is_refused_by_its_path() -> None:
    """S12: the path says where in the state, the mend what to do."""
    run = Machine(Workflow[int]("flow").step(increase).step(increase).compile(), 1)
    run.succeed("flow/increase", object())
    with pytest.raises(Unserialisable, match=r"state\.root\.child\.effect\.value: found "):
        state_to_data(run.plan, run.state)


def test_the_key_of_a_state_forgets_the_order_in_which_items_ended() -> None:
    """S16: results are in input order, so the run goes on in the same way."""
    plan = Workflow[list[int]]("flow").map(increase).compile()
    one, other = Machine(plan, [1, 2, 3]), Machine(plan, [1, 2, 3])
    for run, indices in ((one, (0, 2)), (other, (2, 0))):
        for index in indices:
            run.succeed(f"flow/increase[{index}]", index)
    assert one.state != other.state
    assert state_key(plan, one.state) == state_key(plan, other.state)
    other.succeed("flow/increase[1]", 1)
    assert state_key(plan, one.state) != state_key(plan, other.state)


def test_the_key_of_a_state_tells_values_apart_but_not_times() -> None:
    """S2: equal states have equal keys, whatever the clock said."""
    plan = Workflow[int]("flow").step(increase).compile()
    one, other = Machine(plan, 1), Machine(plan, 1)
    other.state = type(other.state)(other.state.run_id, 9.0, other.state.root, other.state.ledger)
    assert state_key(plan, one.state) == state_key(plan, other.state)
    assert state_key(plan, one.state) != state_key(plan, Machine(plan, 2).state)


def test_every_class_has_a_name_of_its_own() -> None:
    """An event and an end state are both called `UndoFailed`: what is stored has to tell them apart."""
    assert len(KINDS) == len(ALL)


def test_a_part_that_is_nested_too_deep_is_refused() -> None:
    """S37: damage is told, whatever it looks like."""
    data: Any = 1
    for _ in range(100_000):
        data = [data]
    with pytest.raises(InvalidDocument, match="nested too deep"):
        from_data(Workflow[int]("flow").step(increase).compile(), data, "record 1")


def test_what_is_of_an_unknown_kind_is_refused_where_it_stands() -> None:
    """S37: also inside of a part, where it would be taken for a value."""
    with pytest.raises(InvalidDocument, match=r"part: found an object of kind 'Unheard'"):
        from_data(PLAN, {"is": "Unheard"}, "part")


def test_effects_and_events_with_values_of_any_type_survive_json() -> None:
    """S12: a snapshot holds what is under way, questions to gates included; values go through the plan's codec."""
    value = Basket(Decimal("1.5"))
    flow = Workflow[Basket]("flow").cleanup(sealed_away).step(unchanged, hooks=[gate(allow)]).compensate(undone)
    run = Machine(flow.step(refused).compile(), value)
    run.give(HooksAnswered("flow/unchanged", 0.0))
    run.succeed("flow/unchanged", value)
    run.fail("flow/refused")
    run.succeed("flow/unchanged")
    run.succeed("flow/sealed_away")
    assert {type(effect).__name__ for effect in run.log} >= {"AskHooks", "RunStep", "RunUndo", "RunCleanup"}
    for part in (*run.log, *run.events):
        if type(part) in ALL:
            stored = json.loads(json.dumps(to_data(run.plan, part, "part")))
            assert from_data(run.plan, stored, "part") == part


def test_the_items_of_a_map_go_through_the_codec() -> None:
    """S12: those that wait for their turn are in the state as they came."""
    flow = Workflow[list[Basket]]("flow").map(unchanged, concurrency=1)
    run = Machine(flow.compile(), [Basket(Decimal(1)), Basket(Decimal(2))])
    assert run.stored() == run.state


def test_other_data_than_a_state_is_told_by_its_place() -> None:
    """S37: the message begins with what is wrong."""
    with pytest.raises(InvalidDocument, match=r"^state: found other data; expected a state"):
        state_from_data(PLAN, 3)


def test_a_signal_that_nobody_has_waited_for_yet_keeps_its_payload() -> None:
    """S12, S21: it queues in the state; the payload goes through the codec, as does that of the event."""
    flow = Workflow[Basket]("flow").step(unchanged).wait_for(Signal("basket", Basket))
    run = Machine(flow.compile(), Basket(Decimal(1)))
    event = SignalReceived("flow", 0.0, "basket", "s1", Basket(Decimal(2)))
    run.give(event)
    assert run.stored() == run.state
    assert from_data(run.plan, json.loads(json.dumps(to_data(run.plan, event, "event"))), "event") == event


def test_the_first_event_keeps_the_value_of_the_run() -> None:
    """S12, S34: a journal begins with it; the value goes through the codec."""
    plan = Workflow[Basket]("flow").step(unchanged).compile()
    event = Started("flow", 0.0, "run", Basket(Decimal(1)), 5.0, ("after",))
    assert from_data(plan, json.loads(json.dumps(to_data(plan, event, "event"))), "event") == event


def test_what_waits_for_a_signal_keeps_its_value() -> None:
    """S12, S21: what is combined with the payload goes through the codec meanwhile."""
    flow = Workflow[Basket]("flow").wait_for(Signal("basket", Basket), lambda one, other: [one, other])
    run = Machine(flow.compile(), Basket(Decimal(1)))
    assert run.stored() == run.state
    run.state = run.stored()
    run.signal("basket", Basket(Decimal(2)))
    assert run.outcome == Succeeded([Basket(Decimal(1)), Basket(Decimal(2))], "run")


@dataclass(frozen=True)
class Feed:
    """A stream that JSON has no form for."""

    first: Decimal

    def __iter__(self) -> Iterator[Decimal]:
        """Give the first, and no more."""
        yield self.first


def test_a_stream_keeps_where_its_items_come_from() -> None:
    """S12, S16: in the state and in the effect that pulls, so that it is opened anew after a crash."""
    run = Machine(Workflow[Feed]("flow").map(double).compile(), Feed(Decimal(1)))
    [pull] = run.log
    assert isinstance(pull, Pull)
    assert from_data(run.plan, json.loads(json.dumps(to_data(run.plan, pull, "pull"))), "pull") == pull
    run.pull("flow/double", Decimal(1))
    assert run.stored() == run.state


def test_the_key_of_a_state_forgets_a_backoff_that_is_over() -> None:
    """S2, S9: when it was due changes nothing that follows, for a step and a composite alike."""
    retry = Retry(max_attempts=2, jitter="none")
    inner = Workflow[int]("inner").step(increase).step(double)
    for flow, path in (
        (Workflow[int]("flow").step(increase, retry=retry), "flow/increase"),
        (Workflow[int]("flow").step(inner, retry=retry), "flow/inner/increase"),
    ):
        plan = flow.compile()
        keys = set()
        for failed_at in (0.0, 7.0):
            run = Machine(plan, 1)
            run.wait(failed_at)
            run.fail(path)
            [waiting] = run.pending
            run.fire(waiting)
            keys.add(state_key(plan, run.state))
        assert len(keys) == 1


def test_the_two_kinds_of_an_undo_that_failed_have_names_of_their_own() -> None:
    """S12: an event and an end state; both are written in journals, so neither name changes."""
    assert KINDS["UndoFailed"] is UndoFailed
    assert KINDS["NotUndone"] is outcomes.UndoFailed
