"""Plans as JSON: written, read back and run; loading executes and imports nothing (S1, S37)."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import sys
import types
from typing import Any, Literal
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration import Retry, Services, Workflow, method, step
from orchestration.errors import InvalidDocument, PlanErrors, UnresolvedReference
from orchestration.outcomes import Succeeded
from orchestration.plan.body import Body
from orchestration.plan.compile import Plan, compile_plan
from orchestration.plan.nodes import Arm, Branch, Scope, Step
from orchestration.plan.registry import Registry
from orchestration.runtime.local import LocalEngine
from tests import bodies
from tests.bodies import Order, Receipt, double, increase, is_even, pair_total, settle, spread, total, undo, void
from tests.machine import Machine
from tests.plan.everything import GIVEN, Cache, Color, Store, everything, tally
from tests.plans import workflows

flow: Any = Workflow[int]("f")
FULL = Registry(bodies, *GIVEN, Order | Receipt)
DATA: dict[str, Any] = json.loads(everything.compile().to_json())


def read(text: Any, registry: Registry = FULL) -> Plan:
    """Read a plan from a text or from JSON data."""
    return Plan.from_json(text if isinstance(text, str) else json.dumps(text), registry)


def runnable() -> Any:
    """Return `everything` without the services' methods: the machine of the tests has no services."""
    item = Workflow[int]("item").step(increase, retry=Retry()).pure(double)
    return (
        Workflow[int]("f")
        .step(increase, attempt_timeout=1)
        .compensate(undo, in_doubt=settle)
        .tap(double)
        .enrich(item)
        .into(pair_total)
        .branch()
        .when(is_even, item)
        .otherwise(double)
        .branch()
        .case(int, double)
        .exhaustive()
        .fork(increase)
        .fork(item)
        .join(pair_total, concurrency=1)
        .fork(double)
        .join()
        .compensate(void)
        .pure(bodies.sum_of)
        .step(spread)
        .map(step(item), concurrency=2)
        .step(total)
    )


def test_every_construct_is_read_back_as_it_was() -> None:
    """S1: an equal plan with the same fingerprint, the same nodes, types and services."""
    plan = everything.compile()
    again = read(plan.to_json())
    assert again == plan
    assert again.fingerprint == plan.fingerprint
    assert again.nodes == plan.nodes
    assert (again.takes, again.gives, again.services) == (plan.takes, plan.gives, plan.services)
    assert again.to_json() == plan.to_json()
    assert again.to_mermaid() == plan.to_mermaid()
    assert [body.call for body in map(body_of, again.nodes)] == [body.call for body in map(body_of, plan.nodes)]


def body_of(node: Any) -> Any:
    """Return something with a `call` for each node."""
    body = getattr(node, "body", None)
    return body if hasattr(body, "call") else types.SimpleNamespace(call=None)


def test_a_plan_that_was_read_runs() -> None:
    """S37: the same steps, the same outcome."""
    plan = runnable().compile()
    for value in (1, 2, 5):
        run, again = Machine(plan, value), Machine(read(plan.to_json()), value)
        assert again.run() == run.run()
        assert isinstance(run.outcome, Succeeded)
        assert again.log == run.log


def test_a_plan_with_services_that_was_read_runs() -> None:
    """S37: a method is found by its class, also where two services share the function."""
    written = flow.step(method(Store, Store.put)).step(method(Cache, Cache.put)).compile().to_json()
    plan = read(written)

    class Kept:
        """A workflow that is a stored plan."""

        def compile(self) -> Plan:
            """Return the plan."""
            return plan

    assert plan.services == ("tests.plan.everything:Cache", "tests.plan.everything:Store")
    kept: Any = Kept()

    class Counting(Cache):
        """A cache that changes what it gets."""

        def put(self, number: int) -> int:
            """Return another number."""
            return number + 100

    services = Services().bind(Store).to(Store()).bind(Cache).to(Counting())
    assert asyncio.run(LocalEngine(services).execute(kept, 3)) == Succeeded(103, ANY)


@given(workflows())
def test_any_plan_is_read_back_as_it_was(workflow) -> None:
    """S1: whatever the builder makes of registered functions."""
    plan = workflow.compile()
    again = read(plan.to_json())
    assert again == plan
    assert again.nodes == plan.nodes


@given(workflows(), st.integers(-3, 9))
@settings(max_examples=30)
def test_any_plan_that_was_read_runs_as_before(workflow, value) -> None:
    """S37: the same effects in the same order."""
    plan = workflow.compile()
    run, again = Machine(plan, value), Machine(read(plan.to_json()), value)
    assert again.run() == run.run()
    assert again.log == run.log


def test_first_accumulators_are_read_by_the_types_of_the_registry() -> None:
    """S16, S37: a record comes back as its class, and one that is not registered is named."""
    plan = Workflow[list[int]]("f").fold(Receipt(3), tally).compile()
    [fold] = read(plan.to_json(), Registry(tally, Receipt, list[int])).root.children
    assert fold.initial == Receipt(3)  # type: ignore[union-attr]
    with pytest.raises(UnresolvedReference) as caught:
        read(plan.to_json(), Registry(tally, list[int]))
    assert str(caught.value).startswith("plan.children[0].initial: found the class 'tests.bodies:Receipt'")


def test_a_value_that_is_only_its_class_is_read_back() -> None:
    """S16: a function without annotations may begin with any record."""
    plan = Workflow[list[int]]("f").map(double).into(Receipt(3), max).compile()
    [node] = read(plan.to_json(), Registry(double, max, Receipt, list[int])).root.children
    assert node.into.initial == Receipt(3)  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [type(None), Order, Literal["a", "b"], Literal[Color.RED], Literal[1, 2]])
def test_what_an_arm_takes_is_read_back(kind) -> None:
    """S13, S37: classes, None, values and members of enums."""
    arms = (Arm(Step("len", Body.of(len)), kind=kind),)
    plan = compile_plan(Scope("f", (Branch("b", arms, Step("other", Body.of(len))),), Any))
    again = read(plan.to_json(), Registry(len, Order, Color))
    assert again == plan
    assert again.nodes == plan.nodes


def test_nothing_is_imported() -> None:
    """S37: a plan that names a module is no reason to import it."""
    text = flow.step(double).compile().to_json().replace("tests.bodies:double", "this:x")
    before = set(sys.modules)
    with pytest.raises(UnresolvedReference):
        read(text)
    assert set(sys.modules) == before
    assert "this" not in sys.modules
    read(everything.compile().to_json())
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (
            flow.step(double),
            (
                "plan.children[0].body: found the function 'tests.bodies:double'; expected a function of the registry. "
                "Give it to the registry: Registry(double, ...). Nothing is imported for you."
            ),
        ),
        (
            flow.tap(Store.put),
            (
                "plan.children[0].body.body: found the function 'tests.plan.everything:Store.put'; expected a function "
                "of the registry. Give it to the registry: Registry(Store.put, ...). Nothing is imported for you."
            ),
        ),
        (
            Workflow[list[Order]]("f"),
            (
                "plan.takes: found the type 'list[tests.bodies:Order]'; expected a type of the registry. "
                "Give it to the registry: Registry(list[Order], ...). Nothing is imported for you."
            ),
        ),
        (
            flow.branch().case(Order, len).otherwise(len),
            (
                "plan.children[0].arms[0].kind: found the type 'tests.bodies:Order'; expected a type of the registry. "
                "Give it to the registry: Registry(Order, ...). Nothing is imported for you."
            ),
        ),
        (
            flow.step(lambda n: n),
            (
                "plan.children[0].body: found a lambda; expected a function of the registry. It has no name to be "
                "found by: define it with def in a module, and write the plan again."
            ),
        ),
        (
            flow.pure(functools.partial(double)),
            (
                "plan.children[0].body: found a partial; expected a function of the registry. It has no name to be "
                "found by: define it with def in a module, and write the plan again."
            ),
        ),
    ],
)
def test_what_is_not_registered_is_named_with_its_place_and_the_mend(workflow, message) -> None:
    """S37: functions and types come from the registry alone; what has no name cannot come from it."""
    with pytest.raises(UnresolvedReference) as caught:
        read(workflow.compile().to_json(), Registry(len))
    assert str(caught.value) == message


def test_a_service_that_is_not_registered_is_named() -> None:
    """S37: for `method(kind, function)` both are needed."""
    text = flow.step(method(Cache, Cache.put)).compile().to_json()
    with pytest.raises(UnresolvedReference, match=r"the type 'tests.plan.everything:Cache'"):
        read(text, Registry(Store.put))
    assert read(text, Registry(Store.put, Cache))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "plan: found text that is no JSON"),
        ("{", "plan: found text that is no JSON"),
        ("[" * 100_000, "plan: found text that is no JSON"),
        ("null", "plan: found other data"),
        ("[]", "plan: found other data"),
        ({**DATA, "format": 2}, "plan: found other data"),
        ({**DATA, "fingerprint": None}, "plan: found other data"),
        ({**DATA, "plan": {"is": "Step"}}, "plan: found other data"),
        ({**DATA, "fingerprint": "0"}, "everything: found fingerprint 0; expected "),
        ({**DATA, "plan": {**DATA["plan"], "version": "8"}}, "everything: found fingerprint "),
        ({**DATA, "plan": {**DATA["plan"], "more": 1}}, "plan.more: found a field of this name"),
        ({**DATA, "plan": {**DATA["plan"], "number": 1}}, "plan.number: found a field of this name"),
        ({**DATA, "plan": {**DATA["plan"], "takes": ["int"]}}, "plan.takes: found ['int']; expected a reference"),
        ({**DATA, "plan": {**DATA["plan"], "children": 5}}, "plan: found Scope with "),
        ({**DATA, "plan": {**DATA["plan"], "name": 5}}, "plan: found nodes that make no plan"),
        (
            {**DATA, "plan": {**DATA["plan"], "name": "n" * 256}},
            "plan.name: found a name of 256 letters; expected at most",
        ),
        ({**DATA, "plan": {**DATA["plan"], "name": "n" * 255}}, f"{'n' * 255}: found fingerprint "),
        ({**DATA, "plan": {**DATA["plan"], "version": "8" * 256}}, "everything: found fingerprint "),
        ({**DATA, "plan": {"is": "Scope"}}, "plan: found Scope with ; expected the fields of a Scope"),
        (
            {**DATA, "plan": {**DATA["plan"], "children": [{"is": "Nothing"}]}},
            "plan.children[0]: found an object of kind",
        ),
        (
            {**DATA, "plan": {**DATA["plan"], "children": [{"is": ["Step"]}]}},
            "plan.children[0]: found an object of kind",
        ),
        ({**DATA, "plan": {**DATA["plan"], "children": [{}]}}, "plan.children[0]: found an object of kind None"),
        (
            {**DATA, "plan": {**DATA["plan"], "children": [{"is": "Graph", "name": "g", "vertices": [1]}]}},
            "plan.children[0]: found Graph with name, vertices",
        ),
        (
            {**DATA, "plan": {**DATA["plan"], "children": [{"is": "Retry", "max_attempts": 0}]}},
            "plan.children[0]: found Retry with max_attempts",
        ),
        (
            {**DATA, "plan": {**DATA["plan"], "children": [{"is": "Retry"}]}},
            "plan: found nodes that make no plan",
        ),
    ],
)
def test_what_is_no_plan_is_an_invalid_document(text, found) -> None:
    """S37: never another exception, and the message says where."""
    with pytest.raises(InvalidDocument) as caught:
        read(text)
    assert str(caught.value).startswith(found)


def test_a_document_that_is_nested_too_deep_is_invalid() -> None:
    """S37: also where the parser of the Python at hand takes it."""
    data: Any = 5
    for _ in range(200):
        data = [data]
    limit = sys.getrecursionlimit()
    frames = len(inspect.stack())
    text = json.dumps({**DATA, "plan": {**DATA["plan"], "children": data}})
    sys.setrecursionlimit(frames + 300)
    try:
        with pytest.raises(InvalidDocument, match="nested too deep"):
            read(text)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"ref": "tests.bodies:double", "kind": "lambda"}, "plan.children[0].body: found Body("),
        ({"ref": "tests.bodies:double", "kind": "function", "arity": 0}, "plan.children[0].body.arity: found 0"),
        ({"ref": "tests.bodies:double", "kind": "function", "arity": 1e9}, "plan.children[0].body.arity: found 10"),
        ({"ref": "tests.bodies:double", "kind": "function", "arity": 10**12}, "plan.children[0].body.arity: found 1"),
        (
            {"ref": "tests.bodies:double", "kind": "function", "stated": True, "service": "int"},
            "plan.children[0].body: ",
        ),
        ({"ref": 5, "kind": "function"}, "plan.children[0].body.ref: found 5"),
        ({"ref": "tests.bodies:double", "kind": "function", "service": 5}, "plan.children[0].body.service: found 5"),
        ({"ref": "tests.bodies:double", "kind": "function", "call": 5}, "plan.children[0].body.call: found a field"),
    ],
)
def test_a_body_that_is_another_than_it_was_is_refused(body, found) -> None:
    """S37: a registered function must be what the plan says of it."""
    data = json.loads(flow.step(double).compile().to_json())
    data["plan"]["children"][0]["body"] = {"is": "Body", **body}
    with pytest.raises(InvalidDocument) as caught:
        read(data)
    assert str(caught.value).startswith(found)


def test_a_body_without_a_reference_is_unresolved() -> None:
    """S37: nothing stands for nothing."""
    data = json.loads(flow.step(double).compile().to_json())
    data["plan"]["children"][0]["body"] = {"is": "Body"}
    with pytest.raises(UnresolvedReference, match="a function without a reference"):
        read(data)


def test_a_function_with_other_types_is_another_plan() -> None:
    """S1, S37: the fingerprint covers the type at the end."""

    def other(number: int) -> str:
        return str(number)

    other.__module__, other.__qualname__ = "tests.bodies", "double"
    with pytest.raises(InvalidDocument, match="the registered functions are others"):
        read(flow.step(double).compile().to_json(), Registry(other))


def test_a_plan_that_has_become_wrong_says_what_is_wrong() -> None:
    """S6: a stored plan is checked as a new one is."""
    data = json.loads(flow.step(double).compile().to_json())
    data["plan"]["children"][0] |= {"attempt_timeout": 0, "retry": 5, "run_in": [1]}
    with pytest.raises(PlanErrors) as caught:
        read(data)
    assert len(caught.value.exceptions) == 3


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all parts of JSON data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


PLACES = places(DATA)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def part(data: Any, path: tuple[Any, ...]) -> Any:
    """Return the part of JSON data at a path."""
    return functools.reduce(lambda here, key: here[key], path, data)


@st.composite
def mutated(draw) -> Any:
    """Draw the document of `everything` with a few parts replaced, removed, doubled or swapped."""
    data: Any = json.loads(json.dumps(DATA))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PLACES[1:]))
        try:
            holder, key = part(data, path[:-1]), path[-1]
            match draw(st.sampled_from(["replace", "move", "remove", "add", "name"])):
                case "replace":
                    holder[key] = draw(JSON)
                case "move":
                    holder[key] = json.loads(json.dumps(part(DATA, draw(st.sampled_from(PLACES)))))
                case "remove":
                    del holder[key]
                case "add" if isinstance(holder, dict):
                    holder[draw(st.sampled_from(["name", "body", "number", "is", "takes", "arity", "x"]))] = draw(JSON)
                case _:
                    holder[key] = draw(
                        st.sampled_from(["Scope", "Step", "Body", "int", "tests.bodies:double", "lambda"])
                    )
        except (LookupError, TypeError):  # an earlier change has removed this place
            continue
    return data


@pytest.mark.filterwarnings("ignore::orchestration.errors.PlanWarning")
@given(mutated())
@settings(max_examples=400)
def test_a_damaged_document_is_refused_and_never_crashes(data) -> None:
    """S37: it is equal to the plan that was written, or one of three exceptions says what is wrong with it."""
    try:
        assert read(data) == everything.compile()
    except (InvalidDocument, UnresolvedReference, PlanErrors) as error:
        assert str(error)  # noqa: PT017 - one of three, or none


@given(st.text() | JSON.map(json.dumps))
def test_any_text_is_refused(text) -> None:
    """S37: what is no plan is an invalid document."""
    with pytest.raises(InvalidDocument):
        read(text)
