"""The builder: which nodes stand around a body, and what is refused at the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Retry, Signal, Workflow, graph, step, tolerate
from orchestration.plan.nodes import (
    Beside,
    Cleanup,
    Compensated,
    Graph,
    Map,
    Node,
    Pivot,
    Recover,
    Retried,
    Scope,
    Sleep,
    Step,
    Timed,
    WaitFor,
)
from tests.bodies import double, increase, pair_total, settle, spread, total, undo, void

if TYPE_CHECKING:
    from orchestration.policies import OnPartial

flow: Any = Workflow[int]("f")
inner: Any = Workflow[int]("inner").step(double).step(increase)
two: Any = flow.fork(double).fork(increase)
lines: Any = flow.step(spread)
RETRY = Retry(max_attempts=2)


def last(workflow: Any) -> Node:
    """Return the node that was added last."""
    return workflow._last


def layers(node: Node) -> list[str]:
    """Return what stands around what, from outside."""
    names = [type(node).__name__]
    body = getattr(node, "body", None)
    return [*names, *layers(body)] if isinstance(body, Timed | Retried | Compensated | Step | Scope | Graph) else names


def partial(node: Any) -> OnPartial:
    """Return what a node does past what could not be undone."""
    return node.on_partial


def test_a_steps_options_are_its_own_but_the_timeout() -> None:
    """S9, S10, S11, S14: `timeout` bounds the step with its retries, hence stands around it."""
    node: Any = last(
        flow.step(double, name="x", retry=RETRY, attempt_timeout=1, timeout=9, run_in="gpu", limit="stripe")
    )
    assert layers(node) == ["Timed", "Step"]
    assert (node.name, node.body.name, node.timeout) == ("x", "x", 9)
    assert (node.body.retry, node.body.attempt_timeout, node.body.run_in, node.body.limit) == (
        RETRY,
        1,
        "gpu",
        "stripe",
    )
    assert layers(last(flow.step(double))) == ["Step"]


@pytest.mark.parametrize(
    "given",
    [
        lambda **options: flow.step(inner, **options),
        lambda **options: flow.fork(inner, **options).join(),
        lambda **options: flow.branch().otherwise(inner, **options),
        lambda **options: flow.branch().when(bool, inner, **options).otherwise(inner),
        lambda **options: flow.branch().case(int, inner, **options).otherwise(inner),
        lambda **options: flow.tap(inner, **options),
        lambda **options: flow.enrich(inner, **options).into(pair_total),
        lambda **options: step(inner, **options),
        lambda **options: two.join(inner, **options),
        lambda **options: flow.recover(inner, on=OSError, **options),
        lambda **options: graph(lambda g: g.node(inner, g.input, **options)),
    ],
)
def test_a_workflow_that_is_a_body_has_policies_around_it(given) -> None:
    """S9, S10, S19: from outside the timeout, then the retry."""
    node: Any = last(given(name="x", retry=RETRY, timeout=9))
    match node:
        case Graph():
            node = node.vertices[0].node
        case Beside() | Recover():
            node = node.body
        case Timed():
            pass
        case _:
            node = node.arms[0].node if node.arms else node.otherwise
    assert layers(node) == ["Timed", "Retried", "Scope"]
    assert (node.name, node.body.name, node.body.body.name) == ("x", "x", "x")
    assert (node.timeout, node.body.retry, node.body.on_partial) == (9, RETRY, "fail")


def test_a_workflows_retry_may_go_on_past_a_partial_rollback() -> None:
    """S20: `on_partial` stands where it is asked."""
    node = last(flow.step(inner, retry=RETRY, on_partial="continue"))
    assert layers(node) == ["Retried", "Scope"]
    assert partial(node) == "continue"


def test_a_step_that_is_given_as_a_workflow_keeps_its_retry_in_it() -> None:
    """S9: a nameless workflow of one step is the step."""
    node: Any = last(flow.step(step(double), retry=RETRY, timeout=3))
    assert layers(node) == ["Timed", "Step"]
    assert node.body.retry == RETRY
    node = last(flow.step(step(double, timeout=3), name="x"))
    assert (layers(node), node.name, node.body.name) == (["Timed", "Step"], "x", "x")


def test_policies_of_what_can_be_undone_stand_inside_of_its_undo() -> None:
    """S27: an undo is armed when all of it has succeeded, and no timeout reaches it."""
    node: Any = last(flow.step(step(inner).compensate(undo), retry=RETRY, timeout=3, name="x"))
    assert layers(node) == ["Compensated", "Timed", "Retried", "Scope"]
    assert (node.name, node.body.body.body.name) == ("x", "x")


@pytest.mark.parametrize(
    "call",
    [
        lambda: step(step(double, timeout=1), timeout=2),
        lambda: step(step(double, retry=RETRY), retry=RETRY),
        lambda: step(step(inner, retry=RETRY), retry=RETRY),
        lambda: step(step(inner, timeout=1), timeout=2),
        lambda: step(step(inner, timeout=1).compensate(undo), timeout=2),
        lambda: step(step(double, timeout=2), retry=RETRY),
        lambda: step(step(inner, timeout=2), retry=RETRY),
        lambda: step(graph(lambda g: g.node(double, g.input), timeout=1), timeout=1),
    ],
)
def test_a_policy_is_given_once(call) -> None:
    """S6: neither of two is ignored silently."""
    with pytest.raises(TypeError, match=r"has a (timeout|retry) of its own|has a timeout, which bounds its retries"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: flow.step(inner, on_partial="continue"),
        lambda: flow.step(step(double), retry=RETRY, on_partial="continue"),
        lambda: flow.step(inner, attempt_timeout=1),
        lambda: flow.step(inner, run_in="thread"),
        lambda: flow.step(inner, limit="stock"),
        lambda: flow.step(double, on_partial="continue"),
        lambda: flow.step(double, spread=True),
        lambda: flow.tap(double, concurrency=3),
        lambda: flow.fork(double, concurrency=3),
        lambda: two.join(attempt_timeout=3),
        lambda: two.join(pair_total, spread=False),
        lambda: two.join(on_error="race"),
        lambda: two.race(on_error="collect"),
        lambda: lines.map(double, attempt_timeout=3),
        lambda: lines.map(double, on_error="race"),
        lambda: lines.map(double, into=(0, pair_total)),
        lambda: lines.fold(0, pair_total, concurrency=1),
        lambda: flow.recover(void),
        lambda: flow.recover(void, on=3),
        lambda: flow.recover(void, on=OSError, concurrency=3),
        lambda: flow.cleanup(void, attempt_timeout=3),
        lambda: flow.pivot(retry=RETRY),
        lambda: flow.sleep(1, timeout=3),
        lambda: flow.wait_for("go"),
        lambda: flow.wait_for(Signal("go", int), retry=RETRY),
        lambda: flow.step(double).compensate(undo, doubt=settle),
        lambda: flow.step(double, name=5),
        lambda: flow.cleanup(void, name=5),
        lambda: flow.enumerate(name="x"),
        lambda: Workflow[int]("f", timeout=3),
    ],
)
def test_an_option_that_cannot_take_effect_is_a_type_error_at_the_call(call) -> None:
    """S6: nothing that a caller wrote is ignored silently."""
    with pytest.raises(TypeError, match=r"expected|unexpected|must be a str|there is none|missing 1|no failure mode"):
        call()


def test_a_workflows_options_are_its_scopes() -> None:
    """S9, S14, S26, S28: the default of its steps, the cap on attempts, and what becomes of undos."""
    scope: Any = Workflow[int]("f", version="2", max_concurrency=3, retry=RETRY).step(double).as_node()
    assert (scope.version, scope.max_concurrency, scope.retry) == ("2", 3, RETRY)
    scope = Workflow[int]("f", on_undo_failure="halt", compensate_on_cancel=False).step(double).as_node()
    assert (scope.on_undo_failure, scope.compensate_on_cancel) == ("halt", False)


# --- undo


def test_the_undo_of_a_timed_step_is_the_steps() -> None:
    """S22: the timeout does not make a composite of it."""
    node: Any = last(flow.step(double, timeout=3).compensate(undo))
    assert layers(node) == ["Timed", "Step"]
    assert node.body.compensation.undo.call is undo
    again = last(step(step(double, timeout=3).compensate(undo)).compensate(settle))
    assert layers(again) == ["Compensated", "Timed", "Step"]


@pytest.mark.parametrize(
    "composite",
    [
        flow.step(inner, timeout=3),
        flow.step(inner, retry=RETRY),
        two.race(),
        lines.map(double).into(0, pair_total),
        lines.fold(0, pair_total),
        flow.loop(double, until=lambda value, _: value > 3, max_iterations=3),
        graph(lambda g: g.node(double, g.input)),
    ],
)
def test_the_undo_of_a_composite_stands_around_it(composite) -> None:
    """S27: one undo for all of it."""
    node: Any = last(composite.compensate(undo))
    assert isinstance(node, Compensated)
    assert node.body == last(composite)
    assert node.name == node.body.name


# --- groups


@pytest.mark.parametrize(
    ("options", "mode", "partials"),
    [
        ({}, "fail_fast", ["fail"]),
        ({"on_error": "fail_fast", "retry": RETRY}, "fail_fast", ["fail", "fail"]),
        ({"on_error": "collect", "on_partial": "continue"}, "collect", ["continue"]),
        ({"on_error": tolerate(count=1), "on_partial": "continue"}, tolerate(count=1), ["continue"]),
        ({"on_error": tolerate(ratio=0.5), "retry": RETRY}, tolerate(ratio=0.5), ["fail", "fail"]),
        ({"on_error": "collect", "retry": RETRY, "on_partial": "continue"}, "collect", ["continue", "continue"]),
        ({"retry": RETRY, "on_partial": "continue"}, "fail_fast", ["continue", "fail"]),
        ({"on_partial": "continue"}, "fail_fast", ["continue"]),  # which compiling refuses
    ],
)
@pytest.mark.parametrize(
    "close", [two.join, lambda **given: lines.map(double, **given), lambda **given: graph(build, **given)]
)
def test_a_group_has_its_mode_and_its_policies(close, options, mode, partials) -> None:
    """S18, S20: `on_partial` concerns the retry and the mode, each where it can take effect."""
    node: Any = last(close(concurrency=2, timeout=9, **options))
    assert isinstance(node, Timed)
    assert node.timeout == 9
    inside: list[Any] = [node.body, node.body.body] if isinstance(node.body, Retried) else [node.body]
    assert [partial(layer) for layer in inside] == partials
    assert isinstance(inside[-1], Graph | Map)
    assert (inside[-1].mode, inside[-1].concurrency) == (mode, 2)


def build(g: Any) -> Any:
    """Build a graph of one node."""
    return g.node(double, g.input)


def test_of_a_join_by_a_body_some_options_concern_the_fork() -> None:
    """S14, S18: the others are those of the body."""
    joined: Any = two.join(
        pair_total, concurrency=1, on_error="collect", on_partial="continue", retry=RETRY, timeout=3, name="both"
    )
    fork: Any = joined._before._last
    assert (fork.concurrency, fork.mode, fork.on_partial, fork.name) == (1, "collect", "continue", "\0fork")
    step_of: Any = last(joined)
    assert layers(step_of) == ["Timed", "Step"]
    assert (step_of.name, step_of.body.spread, step_of.body.retry) == ("both", True, RETRY)
    assert layers(last(two.join(inner, timeout=3, on_error=tolerate(count=1)))) == ["Timed", "Scope"]


def test_a_race_is_a_group_of_another_mode() -> None:
    """S18: of all members of a fork, or of the items of a map."""
    node: Any = last(two.race(concurrency=1, on_partial="continue", timeout=3, retry=RETRY, name="first"))
    assert layers(node) == ["Timed", "Retried", "Graph"]
    group = node.body.body
    assert (group.name, group.mode, group.concurrency, group.on_partial) == ("first", "race", 1, "continue")
    assert len(group.vertices) == 2
    node = last(lines.map(double, retry=RETRY, on_partial="continue", concurrency=3, name="each").race())
    assert (node.name, node.on_partial) == ("each", "continue")
    assert (node.body.mode, node.body.on_partial, node.body.concurrency) == ("race", "continue", 3)


def test_a_map_that_collects_cannot_race() -> None:
    """S18: it has a value for each item already."""
    assert not hasattr(lines.map(double, on_error="collect"), "race")
    assert not hasattr(lines.map(double).race(), "into")


@pytest.mark.parametrize("options", [{}, {"on_error": "collect"}, {"timeout": 3, "retry": RETRY}])
def test_a_map_folds_its_results_into_one_value(options) -> None:
    """S16: `into` is the map's; its policies stay around it."""
    mapped = lines.map(double, **options)
    folded: Any = last(mapped.into(0, pair_total))
    assert layers(folded) == layers(last(mapped))
    group = folded.body.body if options.get("timeout") else folded
    assert (group.into.initial, group.into.combine.call, group.into.combine.arity) == (0, pair_total, 2)


# --- what concerns the chain, and waiting


def test_recover_cleanup_and_pivot_stand_in_the_chain() -> None:
    """S20, S21, S27: they pass the value on."""
    recovering: Any = last(flow.recover(void, on=(OSError, KeyError), on_partial="continue", name="x", timeout=3))
    assert isinstance(recovering, Recover)
    assert layers(recovering.body) == ["Timed", "Step"]
    assert (recovering.name, recovering.on, recovering.on_partial) == ("x", ("OSError", "KeyError"), "continue")
    cleaning: Any = last(flow.cleanup(void, retry=RETRY, timeout=3, limit="stock"))
    assert isinstance(cleaning, Cleanup)
    assert (cleaning.name, cleaning.body.call, cleaning.retry) == ("\0void", void, RETRY)
    assert (cleaning.timeout, cleaning.limit) == (3, "stock")
    assert last(flow.cleanup(lambda _: None, name="tidy")).name == "tidy"
    assert last(flow.cleanup(lambda _: None)).name == "\0cleanup"
    assert last(flow.pivot(name="paid")) == Pivot("paid")


@pytest.mark.parametrize(
    ("nameless", "kind"),
    [
        (lambda: Workflow("").recover(void, on=OSError), Scope),
        (lambda: Workflow("").cleanup(void), Scope),
        (lambda: Workflow("").pivot(), Scope),
        (lambda: Workflow("").sleep(1), Sleep),
        (lambda: Workflow("").wait_for(Signal("go", int)), WaitFor),
        (lambda: step(double), Step),
        (lambda: Workflow("", retry=RETRY).step(double), Scope),
        (lambda: step(double).pivot(), Scope),
    ],
)
def test_a_nameless_workflow_stands_for_its_node_where_that_may_stand_alone(nameless, kind) -> None:
    """S19: what concerns the chain before it needs a chain."""
    assert isinstance(nameless().as_node(), kind)


def test_a_sleep_and_a_wait_for_a_signal() -> None:
    """S21: a signal's name is the node's, unless it is given."""
    assert last(flow.sleep(1.5)) == Sleep("\0sleep", 1.5)
    plain: Any = last(flow.wait_for(Signal("go on", int)))
    assert plain == WaitFor("\0go_on", "go on", int)
    timed: Any = last(flow.wait_for(Signal("go", int), pair_total, timeout=3, name="x"))
    assert layers(timed) == ["Timed"]
    assert (timed.name, timed.body.name, timed.timeout) == ("x", "x", 3)
    assert (timed.body.combine.call, timed.body.combine.arity) == (pair_total, 2)
    assert last(lines.pure(total)).name == "\0total"
