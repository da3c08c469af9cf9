"""Every construct in every other: whatever goes wrong at whichever step, the end states are those of the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestration.errors import PlanErrors
from orchestration.frozen import evolve
from orchestration.outcomes import Succeeded
from orchestration.plan.compile import compile_plan
from orchestration.plan.nodes import Node, Scope
from orchestration.plan.tree import children_of, with_children
from tests.machine import Machine
from tests.nesting.atlas import Atlas
from tests.nesting.constructs import INNER, NO_PIVOT_INSIDE, OUTER, nested, places
from tests.nesting.facts import Facts
from tests.nesting.invariants import all_is_kept, check, nothing_is_left
from tests.nesting.world import World, worlds

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.plan.compile import Plan

SOME = 307  # of so many runs one goes through JSON: a prime, so that it is a different point in each pair
FEW = ("sub-workflow", "fork", "graph")
PAIRS = [(outer, inner) for outer in OUTER for inner in INNER if not (inner == "pivot" and outer in NO_PIVOT_INSIDE)]
pairs = pytest.mark.parametrize(("outer", "inner"), PAIRS, ids=lambda name: name.replace(" ", "_"))
outers = pytest.mark.parametrize("outer", OUTER, ids=lambda name: name.replace(" ", "_"))


def hold(run: World, what: str, rules: Callable[[], None]) -> None:
    """Hold a run to some rules; what breaks one is named with all that went wrong in the run."""
    broken = ""
    try:
        rules()
    except AssertionError as error:
        broken = str(error)
    if broken:
        troubles = ", then ".join(f"{how} at {place}" for how, place in run.troubles) or "nothing"
        rollback = "" if run.outcome is None else f"\n{run.outcome.rollback}"
        pytest.fail(f"{broken}\n{what}, with this going wrong: {troubles}{rollback}", pytrace=False)


@pairs
def test_a_pair_keeps_the_rules_whatever_goes_wrong_at_whichever_step(outer, inner) -> None:
    """S5, S18, S20, S21, S22, S23, S25, S26, S27, S28, S29: whatever fails, hangs, leaks or is cancelled, undos too."""
    count = 0
    for place in places(outer):
        plan = nested(outer, inner, place).compile()
        atlas = Atlas(plan)
        for run in worlds(plan, "ab", deep=place == places(outer)[len(places(outer)) // 2]):
            count += 1
            what = f"{inner} in {outer}, at place {place}"
            hold(run, what, lambda run=run, atlas=atlas: check(Facts(run), atlas))
            if not run.troubles:
                assert isinstance(run.outcome, Succeeded), f"{what}: without trouble it succeeds"
            if not run.troubles or count % SOME == 0:
                hold(run, what, lambda run=run: folds_anew(run))
    assert count > 30


def folds_anew(run: World) -> None:
    """S12, S39: the log of the run gives its effects and outcome again, through JSON at each of its points."""
    again = Machine(run.plan, run.value)
    for event in run.events:
        stored = again.stored()
        assert stored == again.state, "S12: the state does not survive JSON"
        again.state = stored
        again.give(event)
    assert again.log == run.log, "S39: the log gives other effects"
    assert again.outcome == run.outcome, "S39: the log gives another outcome"


@pytest.mark.parametrize("outer", sorted(NO_PIVOT_INSIDE))
def test_a_pivot_is_refused_where_its_steps_may_have_to_be_undone(outer) -> None:
    """S27: in a race, or in what is retried as a whole."""
    with pytest.raises(PlanErrors) as caught:
        nested(outer, "pivot", 0).compile()
    assert all(problem.found.startswith("a pivot inside") for problem in caught.value.exceptions)


def with_options(node: Any, **options: Any) -> Any:
    """Return a plan's root with these options on all of its workflows."""
    children: tuple[Node, ...] = tuple(with_options(child, **options) for _, child in children_of(node))
    changed = with_children(node, children)
    return evolve(changed, **options) if isinstance(changed, Scope) else changed


def variants(outer: str, **options: Any) -> list[tuple[str, Plan]]:
    """Return plans of some pairs with these options on all workflows, each with what it is."""
    roots = [(inner, with_options(nested(outer, inner, 1).as_node(), **options)) for inner in FEW]
    return [(f"{inner} in {outer}, with {options}", compile_plan(root)) for inner, root in roots]


@outers
@pytest.mark.parametrize("policy", ["continue", "halt"])
def test_what_a_failed_undo_holds_is_as_the_workflow_says(outer, policy) -> None:
    """S26: nothing, or all that remains in its unwinding and those around it; every other rule stands."""
    for what, plan in variants(outer, on_undo_failure=policy):
        atlas = Atlas(plan)
        for run in worlds(plan, "ab"):
            hold(run, what, lambda run=run, atlas=atlas: check(Facts(run), atlas, policy))


@outers
def test_a_cancel_keeps_all_where_the_workflows_say_so(outer) -> None:
    """S25, S28: what it finds done is kept; cleanups run all the same, and nothing is left."""
    cancelled = 0
    for what, plan in variants(outer, compensate_on_cancel=False):
        for run in worlds(plan, "ab", deep=False):
            hold(run, what, lambda run=run: nothing_is_left(Facts(run)))
            if run.troubles and run.troubles[0][0] == "cancel":
                cancelled += 1
                hold(run, what, lambda run=run: all_is_kept(Facts(run)))
    assert cancelled > 10
