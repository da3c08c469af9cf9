"""Graphs: order, needs, caps, what they give, what a failure leaves undone (S14, S15, S18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Workflow
from orchestration.dsl.graph import graph
from orchestration.errors import IllegalEvent
from orchestration.interpreter.effects import RunStep
from orchestration.interpreter.events import StepSucceeded
from orchestration.outcomes import Cancelled, Succeeded
from orchestration.plan.body import Body
from orchestration.plan.compile import Plan, compile_plan
from orchestration.plan.nodes import Compensation, Graph, Scope, Step, Vertex
from orchestration.results import Err, NotStarted, Ok
from tests.bodies import both, same, void
from tests.interpreter.parts import ONCE, chain, failure_of, undone
from tests.machine import Declined, Machine

if TYPE_CHECKING:
    from orchestration.policies import OnPartial

UNDO = Compensation(Body.of(void), retry=ONCE)
DIAMOND = {"d": ("b", "c"), "b": ("a",), "c": ("a",), "a": (), "e": ()}


def plan_of(needs: dict[str, tuple[str, ...]], **options: Any) -> Plan:
    """Return a plan of one graph `g` of compensated steps, each with what it needs."""
    vertices = tuple(
        Vertex(
            Step(name, Body.of(both if len(before) > 1 else same, len(before) or 1), UNDO, spread=len(before) > 1),
            before,
        )
        for name, before in needs.items()
    )
    return compile_plan(Scope("flow", (Graph("g", vertices, **options),)))


def started(run: Machine) -> list[str]:
    """Return the names of the members that have begun, in order."""
    return [effect.path.removeprefix("flow/g/") for effect in run.log if isinstance(effect, RunStep)]


def test_a_member_starts_as_soon_as_all_that_it_needs_is_done() -> None:
    """S14: not earlier, and not later because something that it does not need still runs."""
    run = Machine(plan_of(DIAMOND), 1)
    assert run.running == ["flow/g/a", "flow/g/e"]
    run.succeed("flow/g/a", 2)
    assert run.running == ["flow/g/e", "flow/g/b", "flow/g/c"]
    run.succeed("flow/g/c", "c")
    assert "flow/g/d" not in run.pending
    run.succeed("flow/g/b", "b")
    assert run.pending["flow/g/d"].value == ("b", "c")


def test_ready_members_start_in_topological_order_ties_by_declaration() -> None:
    """S14, S15: with room for one at a time, the order is that of `graphlib`, whatever was unlocked when."""
    run = Machine(plan_of(DIAMOND, concurrency=1), 1)
    run.run()
    assert started(run) == ["a", "e", "b", "c", "d"]


@pytest.mark.parametrize("cap", [1, 2, None])
def test_a_cap_is_held_and_used(cap) -> None:
    """S14: no more members under way than the cap, and no fewer while there are some that are ready."""
    run = Machine(plan_of({"a": (), **dict.fromkeys("bcde", ("a",))}, concurrency=cap), 1)
    run.succeed("flow/g/a", 1)
    for left in (4, 3, 2, 1):
        assert len(run.running) == min(cap or 9, left)
        run.succeed(run.running[-1], 1)
    assert isinstance(run.outcome, Succeeded)


def test_one_need_is_taken_as_it_is_and_several_as_a_tuple() -> None:
    """S14: the graph's own value is a need as well, and what no needs stand for."""

    def build(g: Any) -> Any:
        first = g.node(same, g.input, name="first")
        flow = g.node(chain("inner", Workflow[Any]("").step(same, name="x")), first, name="inner")
        return g.node(both, g.input, flow, name="last")

    run = Machine(Workflow[Any]("flow").step(graph(build, name="g")).compile(), 7)
    assert run.pending["flow/g/first"].value == 7
    run.succeed("flow/g/first", 8)
    assert run.pending["flow/g/inner/x"].value == 8
    run.succeed("flow/g/inner/x", 9)
    assert run.pending["flow/g/last"].value == (7, 9)
    assert run.run() == Succeeded([7, 9], "run")


@pytest.mark.parametrize(
    ("gives", "value"),
    [(None, ("d", "b", "c", "a", "e")), ("b", "b"), (("e", "d"), ("e", "d"))],
    ids=["all", "one", "several"],
)
def test_a_graph_gives_one_output_or_several(gives, value) -> None:
    """S14: those that are asked for, in that order; else all in the order of declaration."""
    run = Machine(plan_of(DIAMOND, gives=gives), 1)
    while run.outcome is None:
        run.succeed(run.running[-1], run.running[-1][-1])
    assert run.outcome == Succeeded(value, "run")


def test_a_failure_cancels_what_runs_and_starts_nothing_more() -> None:
    """S18: what needed the failed member never begins, what had succeeded is undone in reverse plan order (S4)."""
    run = Machine(plan_of(DIAMOND), 1)
    run.succeed("flow/g/a", 2)
    run.fail("flow/g/b")
    assert run.cancelling == {"flow/g/c", "flow/g/e"}
    run.succeed("flow/g/c", 3)
    run.succeed("flow/g/e", 4)
    run.run()
    assert "d" not in started(run)
    assert undone(run) == ("flow/g/c", "flow/g/e", "flow/g/a"), "by rank: a, e, b, c, d"


def test_collect_tells_what_never_began_and_because_of_which() -> None:
    """S18: `Ok`, `Err` and `NotStarted` are different things; each names the need that did not succeed itself."""
    run = Machine(plan_of({**DIAMOND, "f": ("d",)}, mode="collect", gives=("a", "b", "c", "d", "f")), 1)
    run.succeed("flow/g/a", 2)
    run.fail("flow/g/b", Declined("b"))
    assert run.cancelling == set()
    run.succeed("flow/g/c", 3)
    run.succeed("flow/g/e", 4)
    assert isinstance(run.outcome, Succeeded)
    a, b, c, d, f = run.outcome.value
    assert (a, c, d, f) == (Ok(2), Ok(3), NotStarted("b"), NotStarted("d"))
    assert isinstance(b, Err)
    assert b.failure.message == "b"


def test_collect_hands_on_plain_values_inside_and_one_result_outside() -> None:
    """S18: a member that needs another gets its value, not an `Ok`."""
    run = Machine(plan_of({"a": (), "b": ("a",)}, mode="collect", gives="b"), 1)
    run.succeed("flow/g/a", 2)
    assert run.pending["flow/g/b"].value == 2
    run.succeed("flow/g/b", 3)
    assert run.outcome == Succeeded(Ok(3), "run")


RACE = {"a": (), "b": ("a",), "c": (), "d": ("c",), "e": ()}


def test_a_race_keeps_what_the_winner_needed_and_undoes_all_else() -> None:
    """S18, S20: the ancestors of the winner count; they are undone when something later fails."""
    plan = plan_of(RACE, mode="race", gives=("b", "d"))
    flow = compile_plan(Scope("flow", (*plan.root.children, Step("last", Body.of(same)))))
    run = Machine(flow, 1)
    for name in "ac":
        run.succeed(f"flow/g/{name}", name)
    run.succeed("flow/g/b", "won")
    assert run.cancelling == {"flow/g/d", "flow/g/e"}
    run.succeed("flow/g/d", "too late")
    run.end_cancelled("flow/g/e", started=False)
    for loser in ("d", "c"):
        assert run.running == [f"flow/g/{loser}"]
        run.succeed(f"flow/g/{loser}")
    assert run.pending["flow/last"].value == "won"
    run.fail("flow/last")
    run.run()
    assert undone(run) == ("flow/g/d", "flow/g/c", "flow/g/b", "flow/g/a")


def test_only_what_the_graph_gives_can_win() -> None:
    """S18: a member beside them succeeds without ending the race; it fails when all of them have failed."""
    run = Machine(plan_of(RACE, mode="race", gives=("b", "d")), 1)
    run.succeed("flow/g/e", "beside")
    assert run.cancelling == set()
    run.fail("flow/g/c", Declined("c"))
    run.succeed("flow/g/a", "a")
    run.fail("flow/g/b", Declined("b"))
    run.run()
    failure = failure_of(run)
    assert [failure.message, *(later.message for later in failure.attached)] == ["c", "b"]
    assert undone(run) == ("flow/g/e", "flow/g/a")


def test_a_diamond_of_needs_is_kept_once() -> None:
    """S20: the winner's ancestors are found by every way that leads to them."""
    run = Machine(plan_of(DIAMOND, mode="race", gives="d"), 1)
    for name in "abc":
        run.succeed(f"flow/g/{name}", name)
    run.succeed("flow/g/d", "won")
    run.end_cancelled("flow/g/e", started=False)
    assert run.outcome == Succeeded("won", "run")


@pytest.mark.parametrize("mode", ["fail_fast", "collect", "race"])
def test_a_cancelled_graph_starts_nothing_and_is_undone(mode) -> None:
    """S28: also when all that was in flight has succeeded in the grace."""
    run = Machine(plan_of({"a": (), "b": ("a",)}, mode=mode, gives="b"), 1)
    run.cancel()
    run.succeed("flow/g/a", 2)
    run.run()
    assert isinstance(run.outcome, Cancelled)
    assert undone(run) == ("flow/g/a",)


def test_a_race_that_is_cancelled_has_no_winner() -> None:
    """S28: a member that succeeds after the cancel is undone like the others."""
    run = Machine(plan_of({"a": (), "b": ()}, mode="race", gives=("a", "b")), 1)
    run.cancel()
    run.succeed("flow/g/a", 2)
    run.end_cancelled("flow/g/b", started=False)
    run.run()
    assert isinstance(run.outcome, Cancelled)
    assert undone(run) == ("flow/g/a",)


@pytest.mark.parametrize("path", ["flow/g/nobody", "flow/g/d", "flow/g", "flow/g[0]", "flow/x/a"])
def test_an_event_for_no_member_is_refused(path) -> None:
    """S3: there is no such member under way."""
    run = Machine(plan_of(DIAMOND), 1)
    before = run.state
    with pytest.raises(IllegalEvent):
        run.give(StepSucceeded(path, 0.0, 1, 1))
    assert run.state == before


@pytest.mark.parametrize(("on_partial", "value"), [("fail", None), ("continue", Ok("a"))])
def test_a_member_in_doubt_stops_a_collecting_graph_unless_told_otherwise(on_partial: OnPartial, value) -> None:
    """S20: it goes on past a failed member only if nothing of it is left standing."""
    run = Machine(plan_of({"a": (), "b": ()}, mode="collect", gives="a", on_partial=on_partial), 1)
    run.succeed("flow/g/a", "a")
    run.fail("flow/g/b", TimeoutError("gone"))
    if on_partial == "fail":
        run.run()
        assert failure_of(run).message == "gone"
        assert undone(run) == ("flow/g/a",)
    else:
        assert isinstance(run.outcome, Succeeded)
        assert run.outcome.value == value
    assert run.outcome is not None
    assert run.outcome.rollback.verdict == "partial"
