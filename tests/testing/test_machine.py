"""The interpreter as a state machine of Hypothesis: what it does on our own example, and what it finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from examples.checkout import Inventory, checkout
from orchestration import Retry, Signal, Workflow, gate, step
from orchestration.interpreter import saga
from orchestration.interpreter.trail import in_reverse
from orchestration.testing import READY, TIMES_OUT, Unasked
from orchestration.testing.explore_ready import settled_once, undone_in_reverse
from orchestration.testing.machine import KINDS, InterpreterMachine, machine_for
from orchestration.testing.strategies import inputs
from tests.bodies import Numbers, same, undo
from tests.testing.test_explore import CHECKOUT, ORDER, SHOP, naive_shop, never_charged_for_nothing

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.plan.moments import Asked

BRIEF = settings(max_examples=40, stateful_step_count=25, database=None, print_blob=False)
go = Signal("go", int)
ENDS = [1, TIMES_OUT, OSError("no")]


def run(machine: type[InterpreterMachine]) -> None:
    """Let Hypothesis drive a machine."""
    run_state_machine_as_test(machine, settings=BRIEF)


TestCheckout = machine_for(checkout, inputs(checkout), outcomes=CHECKOUT, leaks=True).TestCase
TestCheckout.settings = BRIEF


def test_a_planted_bug_of_a_workflow_is_found_with_its_story() -> None:
    """A workflow that forgets its compensation is found out, and told as the shortest run and as the rules it took."""
    with pytest.raises(AssertionError) as caught:
        run(machine_for(naive_shop, 5, outcomes=SHOP, invariants=[*READY, never_charged_for_nothing], cancel=False))
    assert str(caught.value).startswith(
        "never_charged_for_nothing is broken: it returned False\n\n      0.0 s  naive_shop"
    )
    assert "naive_shop/ship: ConnectionError: gone; nothing to undo" in str(caught.value)
    told = [re.sub(r"\(.*", "", line) for line in "\n".join(caught.value.__notes__).splitlines() if "state." in line]
    assert told == ["state.a_run_begins", "state.an_attempt_ends", "state.an_attempt_ends", "state.teardown"]


@pytest.mark.parametrize(
    ("defect", "invariant"),
    [
        (lambda trail: list(in_reverse(trail))[1:], settled_once),
        (lambda trail: list(in_reverse(trail))[::-1], undone_in_reverse),
    ],
    ids=["an undo is skipped", "undos in plan order"],
)
def test_a_planted_defect_of_the_interpreter_is_found(monkeypatch, defect, invariant) -> None:
    """S23, S25: an interpreter that skips an undo, or undoes in the order of the plan, breaks what is ready."""
    machine = machine_for(checkout, ORDER, outcomes=CHECKOUT, invariants=[invariant])
    run(machine)
    monkeypatch.setattr(saga, "in_reverse", defect)
    with pytest.raises(AssertionError, match=f"^{invariant.name} is broken: "):
        run_state_machine_as_test(machine, settings=settings(BRIEF, max_examples=200, phases=[Phase.generate]))


def allow(asked: Asked) -> None:
    """Let a step begin."""


def test_every_kind_of_event_has_its_rule() -> None:
    """Hooks, streams, timers, signals, what was put off: all that may come to a run is offered by one of the rules."""
    taken: set[str] = set()
    busy = (
        Workflow[int]("busy")
        .pure(Numbers)
        .map(step(same, hooks=[gate(allow)], attempt_timeout=2, retry=Retry(max_attempts=2)))
        .sleep(1)
        .wait_for(go)
        .loop(Workflow[int]("count").pure(abs), until=lambda _, index: index > 1_000, max_iterations=2_000)
        .step(same, name="last")
        .compensate(undo)
    )
    made = machine_for(busy, 1, default=1, signals=[(go, 1)], outcomes={"same": ENDS}, crash=True)

    class Watched(made):  # type: ignore[misc, valid-type]  # a class that is made
        def _take(self, event: Event) -> None:
            taken.update(kind for kind, events in self.may.items() if event in events)
            super()._take(event)

    run_state_machine_as_test(Watched, settings=settings(BRIEF, max_examples=150))
    assert taken == {*KINDS}


def test_a_machine_is_checked_when_it_is_made() -> None:
    """A mistake is told at once; a machine has the name of its workflow, and what it is about."""
    with pytest.raises(Unasked, match=r"Inventory\.reserve, which is not in naive_shop"):
        machine_for(naive_shop, 5, outcomes={Inventory.reserve: [1]})
    made: Any = machine_for(naive_shop, 5, outcomes=SHOP)
    assert (made.__name__, made.__doc__) == ("NaiveShopMachine", "The runs of naive_shop.")
