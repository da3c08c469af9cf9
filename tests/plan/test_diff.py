"""How plans differ: `Plan.diff`, and the same from stored plans alone."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings

from orchestration import Retry, Signal, Workflow, gate, graph, step, tolerate
from orchestration.errors import InvalidDocument
from orchestration.plan.diff import Change, PlanDiff, diff_documents
from tests.bodies import Order, Receipt, double, increase, is_even, pair_total, settle, undo, void
from tests.model.draws import plans
from tests.plan.everything import everything
from tests.plan.test_fingerprint import VARIANTS

flow: Any = Workflow[int]("shop")
numbers: Any = Workflow[list[int]]("shop")
SUB: Any = Workflow[int]("sub")
three = flow.step(increase, name="a").step(double, name="b").step(increase, name="c")


def allow(_: object) -> None:
    """Let a step begin."""


def mend(failure: Any) -> int:
    """Go on after a failure."""
    return 0


def typed(kind: type) -> Any:
    """Return a function called `work` that gives a type."""
    space: dict[str, Any] = {"__name__": "shop", "kind": kind}
    exec("def work(n: int) -> kind: return n", space)  # noqa: S102 - functions of one name
    return space["work"]


def members(*needs: Any) -> Any:
    """Return a graph of three members, the last of which needs some."""

    def build(g: Any) -> Any:
        one, two = g.node(increase, g.input, name="one"), g.node(double, g.input, name="two")
        last = [{"one": one, "two": two}[need] for need in needs]
        return g.node(pair_total if len(needs) > 1 else double, *last, name="last")

    return flow.step(graph(build, name="g"))


def branch(first: Any, second: Any) -> Any:
    """Return a branch with two arms."""
    return flow.branch(name="way").when(is_even, first).when(bool, second).otherwise(double, name="else")


LAST = Workflow[Any]("sub").step(mend)
CHANGES: dict[str, tuple[Any, Any, str]] = {
    "step added": (three, three.step(double, name="d"), "shop/d: added after c, step of tests.bodies:double"),
    "step added first": (
        flow.step(double),
        flow.pure(increase).step(double),
        "shop/increase: added first, pure of tests.bodies:increase",
    ),
    "step removed": (three.step(double, name="d"), three, "shop/d: removed, step of tests.bodies:double"),
    "step renamed": (flow.step(double), flow.step(double, name="twice"), "shop/double -> shop/twice: renamed"),
    "workflow renamed": (flow.step(double), Workflow[int]("store").step(double), "shop -> store: renamed"),
    "step moved": (
        three,
        flow.step(double, name="b").step(increase, name="c").step(increase, name="a"),
        "shop/a: moved, now after c",
    ),
    "step moved first": (
        three,
        flow.step(increase, name="c").step(increase, name="a").step(double, name="b"),
        "shop/c: moved, now first",
    ),
    "steps moved into a workflow": (
        three,
        flow.step(increase, name="a").step(SUB.step(double, name="b").step(increase, name="c")),
        "shop/sub: added after a, scope with b, c\nshop/b -> shop/sub/b: moved\nshop/c -> shop/sub/c: moved",
    ),
    "equal steps moved": (
        flow.step(double, name="a").step(double, name="b"),
        flow.step(SUB.step(double, name="b").step(double, name="a")),
        "shop/sub: added first, scope with b, a\nshop/b -> shop/sub/b: moved\nshop/a -> shop/sub/a: moved",
    ),
    "step to tap with a timeout": (
        flow.step(double),
        flow.tap(step(double, timeout=5)),
        "shop/double: construct step -> beside timed step\nshop/double: timeout None -> 5",
    ),
    "workflow dissolved": (
        flow.step(SUB.step(double, name="b")),
        flow.step(double, name="b"),
        "shop/sub/b -> shop/b: moved\nshop/sub: removed, scope with b",
    ),
    "workflow moved as a whole": (
        flow.step(SUB.step(SUB.step(double))).step(increase),
        flow.step(SUB.step(increase)).step(SUB.step(double), name="last"),
        "shop/increase -> shop/sub/increase: moved\nshop/sub/sub -> shop/last: moved",
    ),
    "step moved and changed": (
        flow.step(double).step(SUB.step(increase)),
        flow.step(SUB.step(increase).step(double, limit="bank")),
        "shop/double -> shop/sub/double: moved\nshop/sub/double: limit None -> 'bank'",
    ),
    "body": (
        flow.step(double, name="a"),
        flow.step(increase, name="a"),
        "shop/a: body tests.bodies:double -> tests.bodies:increase",
    ),
    "body without a name": (
        flow.step(double, name="a"),
        flow.step(lambda n: n, name="a"),
        "shop/a: body tests.bodies:double -> lambda",
    ),
    "what a body gives": (
        flow.step(typed(int)).step(void),
        flow.step(typed(str)).step(void),
        "shop/work: body.gives int -> str",
    ),
    "attempts": (
        flow.step(double, retry=Retry()),
        flow.step(double, retry=Retry(max_attempts=5, jitter="none", retry_on=OSError)),
        (
            "shop/double: retry.max_attempts 3 -> 5\n"
            "shop/double: retry.jitter 'full' -> 'none'\n"
            "shop/double: retry.retry_on ['Exception'] -> ['OSError']"
        ),
    ),
    "retry added": (
        flow.step(double),
        flow.step(double, retry=Retry(max_attempts=5)),
        "shop/double: retry None -> Retry(max_attempts=5)",
    ),
    "timeout added": (flow.step(double), flow.step(double, timeout=5), "shop/double: timeout None -> 5"),
    "timeout": (
        flow.step(double, timeout=5),
        flow.step(double, timeout=5.5, attempt_timeout=2),
        "shop/double: timeout 5 -> 5.5\nshop/double: attempt_timeout None -> 2",
    ),
    "timeout removed": (flow.step(double, timeout=5), flow.step(double), "shop/double: timeout 5 -> None"),
    "undo added": (
        flow.step(double),
        flow.step(double).compensate(undo, in_doubt=settle, timeout=9),
        (
            "shop/double: compensation None -> "
            "Compensation(undo=tests.bodies:undo, in_doubt=tests.bodies:settle, timeout=9)"
        ),
    ),
    "undo": (
        flow.step(double).compensate(undo),
        flow.step(double).compensate(settle, retry=Retry(max_attempts=1)),
        (
            "shop/double: compensation.undo tests.bodies:undo -> tests.bodies:settle\n"
            "shop/double: compensation.retry.max_attempts 3 -> 1"
        ),
    ),
    "retry of a workflow": (
        flow.step(SUB.step(double)),
        flow.step(SUB.step(double), retry=Retry(), timeout=60, on_partial="continue"),
        (
            "shop/sub: retried.retry None -> Retry()\n"
            "shop/sub: on_partial None -> 'continue'\n"
            "shop/sub: timeout None -> 60"
        ),
    ),
    "retry and recover": (
        flow.step(double).recover(LAST, on=OSError),
        flow.step(double).recover(step(LAST, retry=Retry(), on_partial="continue"), on=OSError),
        "shop/sub: retried.retry None -> Retry()\nshop/sub: retried.on_partial None -> 'continue'",
    ),
    "input": (
        Workflow[Order]("shop").step(void),
        Workflow[Receipt]("shop").step(void),
        "shop: takes tests.bodies:Order -> tests.bodies:Receipt",
    ),
    "version": (
        Workflow[int]("shop").step(double),
        Workflow[int]("shop", version="2", max_concurrency=4).step(double),
        "shop: version '1' -> '2'\nshop: max_concurrency None -> 4",
    ),
    "defaults of a workflow": (
        Workflow[int]("shop").step(double),
        Workflow[int]("shop", retry=Retry(factor=3), hooks=[gate(allow)]).step(double),
        (
            "shop: retry None -> Retry(factor=3)\n"
            "shop: hooks [] -> [Hook(body=tests.plan.test_diff:allow, kind='gate')]\n"
            "shop/double: retry None -> Retry(factor=3)\n"
            "shop/double: asks [] -> ['before']"
        ),
    ),
    "hook": (
        flow.step(double, hooks=[gate(allow)]),
        flow.step(double, hooks=[gate(allow, timeout=9)]),
        "shop/double: hooks[0].timeout 5.0 -> 9",
    ),
    "another construct": (flow.step(double), flow.pure(double), "shop/double: construct step -> pure"),
    "step to tap": (flow.step(double), flow.tap(double), "shop/double: construct step -> beside step"),
    "tap to enrichment": (
        flow.tap(double),
        flow.enrich(double).into(pair_total),
        "shop/double: combine None -> tests.bodies:pair_total",
    ),
    "step to workflow": (
        flow.step(double),
        flow.step(Workflow[int]("double").step(double)),
        "shop/double: construct step -> scope\nshop/double/double: added first, step of tests.bodies:double",
    ),
    "item of a map": (
        numbers.map(double, name="all"),
        numbers.map(increase, name="all", on_error="collect", concurrency=3),
        (
            "shop/all: concurrency None -> 3\n"
            "shop/all: mode 'fail_fast' -> 'collect'\n"
            "shop/all[]: body tests.bodies:double -> tests.bodies:increase"
        ),
    ),
    "map renamed": (numbers.map(double), numbers.map(double, name="all"), "shop/double -> shop/all: renamed"),
    "deep inside": (
        numbers.map(SUB.fork(double).fork(increase, limit="a").join(), name="all"),
        numbers.map(SUB.fork(double).fork(increase, limit="b").join(), name="all"),
        "shop/all[]/fork/increase: limit 'a' -> 'b'",
    ),
    "tolerance": (
        numbers.map(double, on_error=tolerate(count=1)),
        numbers.map(double, on_error=tolerate(count=2)),
        "shop/double: mode.count 1 -> 2",
    ),
    "accumulator": (
        numbers.map(double).into(0, pair_total),
        numbers.map(double).into(1, pair_total),
        "shop/double: into.initial 0 -> 1",
    ),
    "accumulator of another type": (
        numbers.fold(1, pair_total),
        numbers.fold(True, pair_total),  # noqa: FBT003 - a value
        "shop/pair_total: initial 1 -> true",
    ),
    "needs": (members("one"), members("two"), "shop/g/last: needs ['one'] -> ['two']"),
    "predicate": (
        branch(double, increase),
        flow.branch(name="way").when(is_even, double).when(callable, increase).otherwise(double, name="else"),
        "shop/way/increase: test builtins:bool -> builtins:callable",
    ),
    "order of arms": (
        branch(double, increase),
        flow.branch(name="way").when(bool, increase).when(is_even, double).otherwise(double, name="else"),
        "shop/way/increase: moved, now first",
    ),
    "class of a case": (
        flow.branch(name="way").case(bool, double).otherwise(increase),
        flow.branch(name="way").case(object, double).otherwise(increase),
        "shop/way/double: kind bool -> object",
    ),
    "recover": (
        flow.step(double).recover(mend, on=OSError),
        flow.step(double).recover(mend, on=(OSError, ValueError)),
        "shop/mend: on ['OSError'] -> ['OSError', 'ValueError']",
    ),
    "signal": (
        flow.wait_for(Signal("go", int)),
        flow.wait_for(Signal("go", str), timeout=5),
        "shop/go: timeout None -> 5\nshop/go: kind int -> str",
    ),
    "sleep": (flow.sleep(5), flow.sleep(7), "shop/sleep: seconds 5 -> 7"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_said_as_a_person_would(name) -> None:
    """S36: by path, what it was and what it is; and the way back is a difference as well."""
    old, new, text = CHANGES[name]
    diff = old.compile().diff(new.compile())
    assert str(diff) == text
    assert len(diff.changes) == len(text.splitlines())
    assert new.compile().diff(old.compile())


def test_a_change_is_data() -> None:
    """S36: what a line says can be asked for."""
    diff = flow.step(double, retry=Retry()).compile().diff(flow.step(double, retry=Retry(max_attempts=5)).compile())
    assert diff == PlanDiff((Change("changed", "shop/double", "retry.max_attempts", "3", "5"),))


def test_equal_plans_do_not_differ() -> None:
    """S1: nothing to say, and false."""
    diff = everything.compile().diff(everything.compile())
    assert not diff
    assert str(diff) == "no difference"
    assert diff.changes == ()


def test_plans_differ_if_and_only_if_their_fingerprints_do() -> None:
    """S1: every two variants, each difference with a place."""
    found = {name: workflow.compile() for name, workflow in VARIANTS.items()}
    unsaid = [
        (one, other)
        for one, other in combinations(found, 2)
        if not (diff := found[one].diff(found[other])) or "fingerprint" in str(diff)
    ]
    assert unsaid == []


def forged(text: str) -> str:
    """Return a stored plan under another fingerprint."""
    return json.dumps({**json.loads(text), "fingerprint": "other"})


@settings(max_examples=60, deadline=None)
@given(plans(), plans())
def test_any_two_plans(one, other) -> None:
    """S1, S36: a plan does not differ from itself; of two, each place is added, removed, moved or the same."""
    assert not one.diff(one)
    [line] = diff_documents(one.to_json(), forged(one.to_json())).changes
    assert line.what.startswith("fingerprint")
    diff = one.diff(other)
    assert bool(diff) == (one.fingerprint != other.fingerprint)
    assert not [change for change in diff.changes if change.kind == "changed" and change.before == change.after]


def test_stored_plans_need_no_functions() -> None:
    """S36, S37: a journal keeps the old plan as JSON; what it names may be gone."""
    old = flow.step(double, name="a").step(increase).compile().to_json().replace("tests.bodies:double", "gone:double")
    new = flow.step(double, name="a").step(increase, retry=Retry()).compile()
    assert str(diff_documents(old, new.to_json())) == (
        "shop/a: body gone:double -> tests.bodies:double\nshop/increase: retry None -> Retry()"
    )


def test_types_that_are_not_stored_show_in_the_fingerprint() -> None:
    """S1: a stored plan does not say what functions take; that something differs is said all the same."""
    old, new = (flow.step(typed(kind)).step(void).compile() for kind in (int, str))
    assert str(old.diff(new)) == "shop/work: body.gives int -> str"
    prints = f"{old.fingerprint[:12]}… -> {new.fingerprint[:12]}…"
    assert str(diff_documents(old.to_json(), new.to_json())) == f"shop: fingerprint, hence types or library, {prints}"


def test_types_are_compared_where_both_tell() -> None:
    """S36: a document without them says nothing about what functions take."""
    old, new = flow.step(double).compile().to_json(), flow.step(double, limit="a").compile().to_json()
    told = json.dumps({**json.loads(new), "types": [[["int"], "str"]]})
    for pair in ((old, told), (json.dumps({**json.loads(old), "types": [[["int"], "int"]]}), new)):
        assert str(diff_documents(*pair)) == "shop/double: limit None -> 'a'"


PLAN: dict[str, Any] = json.loads(flow.step(double, retry=Retry(factor=3)).compile().to_json())
STEP: dict[str, Any] = PLAN["plan"]["children"][0]


def with_step(**fields: object) -> str:
    """Return a stored plan with another step."""
    return json.dumps({**PLAN, "plan": {**PLAN["plan"], "children": [{**STEP, **fields}]}})


DAMAGED: list[tuple[str, str]] = [
    ("{", "found other data"),
    ("[" * 100_000, "found other data"),
    ("{}", "found other data"),
    (json.dumps({**PLAN, "format": 2}), "found other data"),
    (json.dumps({**PLAN, "plan": STEP}), "found other data"),
    (with_step(**{"is": "Stop"}), r"plan\.children\[0\]: found an object of kind 'Stop'; expected a plan of format 1"),
    (with_step(more=1), r"plan\.children\[0\]\.more: found a field of this name"),
    (with_step(retry={"is": "Retry", "factor": -1}), r"found nodes that make no plan \(ValueError"),
    (with_step(body={"is": "Body"}), r"found nodes that make no plan \(KeyError"),
    (json.dumps({**PLAN, "types": [["int"]]}), r"found nodes that make no plan \(ValueError"),
    (json.dumps({**PLAN, "types": 5}), r"found nodes that make no plan \(TypeError"),
    (json.dumps({**PLAN, "plan": {"is": "Scope"}}), r"found nodes that make no plan \(TypeError"),
]


@pytest.mark.parametrize(("text", "message"), DAMAGED, ids=[f"{number}" for number in range(len(DAMAGED))])
def test_what_is_no_plan_is_refused(text, message) -> None:
    """S37: a damaged document is a typed error, on either side."""
    for pair in ((text, json.dumps(PLAN)), (json.dumps(PLAN), text)):
        with pytest.raises(InvalidDocument, match=message):
            diff_documents(*pair)
