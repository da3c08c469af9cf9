"""Places: what stands at each path of a stored plan (S4, S36)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration import Signal, Workflow
from orchestration.plan.body import Body
from orchestration.plan.compile import compile_plan
from orchestration.plan.nodes import Map, Scope, Step
from orchestration.plan.places import read
from tests.bodies import double, increase

if TYPE_CHECKING:
    from orchestration.plan.places import Place

numbers: Any = Workflow[list[int]]("shop")


def places(flow: Any) -> dict[str, Place]:
    """Return the places of a workflow, as its document tells them."""
    root, _ = read(flow.compile().to_json())
    return {place.path: place for place in root.walk()}


def test_a_place_has_a_name_unless_it_is_an_item_of_that_name() -> None:
    """S4: an item says something with a name of its own only; a step may be called as what it is in."""
    named, alike = Map("all", Step("one", Body.of(double))), Map("each", Step("each", Body.of(double)))
    flow = Scope("shop", (named, alike, Step("shop", Body.of(len))), list[int])
    root, _ = read(compile_plan(flow).to_json())
    assert {place.path: place.name for place in root.walk()} == {
        "shop": "shop",
        "shop/all": "all",
        "shop/all[]": "one",
        "shop/each": "each",
        "shop/each[]": "",
        "shop/shop": "shop",
    }


def test_what_stands_at_a_place_is_said_in_words() -> None:
    """S36: as a person would write the construct."""
    waiting = places(numbers.wait_for(Signal("go", int)))
    assert waiting["shop/go"].kind == "wait for"
    assert places(numbers.map(double))["shop/double"].kind == "map"


def test_places_of_one_shape_differ_in_nothing_but_path_and_name() -> None:
    """S36: what was renamed is known again by its shape, so that it tells functions and options apart."""
    flow: Any = Workflow[int]("shop")
    steps = (
        flow.step(double, name="a").step(double, name="b").step(increase, name="c").step(double, name="d", limit="x")
    )
    shapes = {path.rpartition("/")[2]: place.shape for path, place in places(steps).items()}
    assert shapes["a"] == shapes["b"]
    assert len({shapes[name] for name in "acd"}) == 3
