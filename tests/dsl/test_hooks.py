"""`gate` and `observer` as values in the builder, and in stored plans (S31, S32)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Registry, Veto, Workflow, gate, observer
from orchestration.errors import InvalidDocument, UnresolvedReference
from orchestration.plan.compile import Plan
from orchestration.plan.hooks import POINTS, Hook, asks_of
from orchestration.plan.nodes import Step
from tests.bodies import double, increase, undo

if TYPE_CHECKING:
    from orchestration.plan.moments import Asked, Moment


def allow(asked: Asked) -> Veto | None:
    """Allow everything."""


async def note(moment: Moment) -> None:
    """Note a moment."""


class Guard:
    """A class with a method."""

    def check(self, asked: Asked) -> None:
        """Allow everything."""


numbers: Any = Workflow[int]("f")
ALL = [
    gate(allow, timeout=1, expose=True),
    observer(note),
    observer(note, at="undo", timeout=2.5),
    observer(note, at="step", strict=True, expose=True),
]


def test_hooks_are_values() -> None:
    """S31: equal when they say the same, hashable, and frozen."""
    assert gate(allow) == gate(allow)
    assert gate(allow) != gate(allow, expose=True)
    assert len({gate(allow), gate(allow), observer(note)}) == 2
    assert observer(note).at == POINTS
    assert (gate(allow).name, gate(lambda _: None).name) == ("allow", "a lambda")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: gate(allow, timeout=0), ValueError, "timeout must be above 0, found 0"),
        (lambda: observer(note, timeout=float("nan")), ValueError, "timeout must be above 0, found nan"),
        (lambda: observer(note, at="stop"), ValueError, r"at takes points of workflow, step, .*, found \('stop',\)"),
        (lambda: observer(note, at=()), ValueError, r"found \(\)"),
        (lambda: observer(note, strict=True), ValueError, r'write at="step", found at=\(\'workflow\''),
        (lambda: gate(5), TypeError, "gate takes a function of one value, found 5"),
        (lambda: gate(Guard.check), TypeError, "gate takes a function of one value, found <function Guard.check"),
        (lambda: observer(lambda: None), TypeError, "observer takes a function of one value"),
        (lambda: Hook(gate(allow).body, "gat"), ValueError, "kind"),
        (lambda: Hook(gate(allow).body, "gate", ("step",)), ValueError, "takes no points"),
        (lambda: Veto(5), TypeError, "reason"),
        (lambda: numbers.step(double, hooks=[allow]), TypeError, r"gate\(...\) and observer\(...\), found <function"),
        (lambda: Workflow("f", hooks=["gate"]), TypeError, "found 'gate'"),
    ],
)
def test_what_is_wrong_with_a_hook_is_said_where_it_is_made(make: Any, error: type[Exception], message: str) -> None:
    """S6: with what was found."""
    with pytest.raises(error, match=message):
        make()


def test_a_step_asks_what_hooks_around_it_have_a_say() -> None:
    """S31, S32: found out when the plan is compiled; observers without a say ask nothing."""
    assert asks_of(()) == asks_of([observer(note)]) == ()
    assert asks_of([gate(allow)]) == ("before",)
    assert asks_of([gate(allow), observer(note, at="step", strict=True)]) == ("before", "after")
    inner = Workflow[int]("inner", hooks=[gate(allow)]).step(double)
    plan = numbers.step(inner).step(increase, hooks=[observer(note)]).compile()
    assert {node.name: node.asks for node in plan.nodes if isinstance(node, Step)} == {
        "double": ("before",),
        "increase": (),
    }


def everything() -> Any:
    """Return a workflow with hooks on it, inside it and on a step."""
    inner = Workflow[int]("inner", hooks=ALL[:1]).step(double)
    return Workflow[int]("f", hooks=ALL).step(inner).step(increase, hooks=ALL[1:]).compensate(undo)


REGISTRY = Registry(allow, note, double, increase, undo)


def test_a_plan_with_hooks_is_stored_and_read_back() -> None:
    """S1, S37: functions by reference; the fingerprint covers all that hooks say."""
    plan = everything().compile()
    again = Plan.from_json(plan.to_json(), REGISTRY)
    assert again == plan == everything().compile()
    assert again.root == plan.root
    assert [hook.body.call for hook in again.root.hooks] == [allow, note, note, note]
    fingerprints = {numbers.step(double, hooks=[hook]).compile().fingerprint for hook in ALL}
    assert len(fingerprints | {numbers.step(double).compile().fingerprint}) == 5


def test_a_lambda_as_a_hook_has_no_reference() -> None:
    """S37: as everywhere, a plan with one cannot be read back, and the message says where."""
    text = numbers.step(double, hooks=[gate(lambda _: None)]).compile().to_json()
    with pytest.raises(UnresolvedReference, match=r"plan\.children\[0\]\.hooks\[0\]\.body"):
        Plan.from_json(text, REGISTRY)


@pytest.mark.parametrize(
    ("name", "value"),
    [("kind", "none"), ("at", ["elsewhere"]), ("timeout", -1), ("timeout", "soon"), ("strict", True), ("extra", 1)],
)
def test_a_stored_hook_that_is_none_is_refused(name: str, value: object) -> None:
    """S37: what could not be made cannot be read."""
    data = json.loads(numbers.step(double, hooks=[observer(note)]).compile().to_json())
    data["plan"]["children"][0]["hooks"][0][name] = value
    with pytest.raises(InvalidDocument, match=r"hooks\[0\]"):
        Plan.from_json(json.dumps(data), REGISTRY)


def test_a_stored_step_asks_no_hooks_that_it_has_not() -> None:
    """S37: what a step asks is found out anew."""
    data = json.loads(numbers.step(double).compile().to_json())
    data["plan"]["children"][0]["asks"] = ["before"]
    plan = Plan.from_json(json.dumps(data), REGISTRY)
    assert [node.asks for node in plan.nodes if isinstance(node, Step)] == [()]
