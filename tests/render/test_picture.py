"""The picture of a plan."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.approvals import approval
from examples.audit import audit
from examples.checkout import checkout
from examples.release import release
from orchestration import Graph, Workflow, graph
from orchestration.plan.nodes import Cleanup, Pure, Step, WaitFor
from orchestration.render import Theme, svg
from orchestration.render.theme import DARK, LIGHT, Scheme
from tests.plan.everything import everything
from tests.plans import workflows
from tests.render.drawn import boxes, canvas, ends, groups, parsed, titles, words
from tests.render.runs import HOSTILE

FLOWS: dict[str, Any] = {
    "everything": everything,
    "checkout": checkout,
    "release": release,
    "approval": approval,
    "audit": audit,
    "empty": Workflow[int]("empty"),
}


def named(name: str) -> Any:
    """Return a function of a name."""

    def body(*values: int) -> int:
        return sum(values)

    body.__name__ = body.__qualname__ = name
    return body


def many(g: Graph[int]) -> Any:
    """Describe a graph of 120 nodes."""
    first = [g.node(named(f"a{number}"), g.input) for number in range(60)]
    second = [g.node(named(f"b{number}"), *first[number : number + 2]) for number in range(59)]
    return g.node(named("last"), *second[::7], first[0])


chain: Any = Workflow[int]("chain")
wide: Any = Workflow[int]("wide")
for index in range(300):
    chain = chain.step(named(f"step_{index}"))
for index in range(100):
    wide = wide.fork(named(f"check_{index}"))
LARGE: dict[str, Any] = {"chain": chain, "wide": wide.join(name="all"), "graph": Workflow[int]("g").step(graph(many))}


def check(picture: str) -> None:
    """Hold that nothing covers anything else, and nothing lies outside."""
    root = parsed(picture)
    whole, cards, nests = canvas(root), boxes(root, "card"), boxes(root, "nest")
    for one, other in combinations(cards, 2):
        assert not one.overlaps(other), (one, other)
    for one in (*cards, *nests):
        assert whole.holds(one), one
    for one in nests:
        for other in cards:
            assert one.holds(other) or not one.overlaps(other), (one, other)
    for x, y in ends(root):
        assert whole.left <= x <= whole.right
        assert whole.top <= y <= whole.bottom


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_nothing_covers_anything_else(flow: Any) -> None:
    """Cards lie apart, inside of the boxes that they belong to, and inside of the picture."""
    check(svg(flow.compile()))


@settings(max_examples=40)
@given(workflows())
def test_random_plans_are_drawn_without_overlaps(flow: Any) -> None:
    """That holds for any nesting of constructs."""
    check(svg(flow.compile()))


@pytest.mark.parametrize("flow", LARGE.values(), ids=LARGE)
def test_a_large_plan_has_a_shape_that_can_be_looked_at(flow: Any) -> None:
    """A picture of hundreds of nodes is no stripe: it is at most three times as wide as high, or as high as wide."""
    picture = svg(flow.compile())
    whole = canvas(parsed(picture))
    assert 1 / 3 < whole.right / whole.bottom < 3
    check(picture)


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_every_step_is_in_the_picture_by_its_name(flow: Any) -> None:
    """Whatever the nesting, no node is left out; what is shortened is said in full to who points at it."""
    root = parsed(svg(flow.compile()))
    said = "\n".join([*words(root), *titles(root)])
    for node in flow.compile().nodes:
        if isinstance(node, Step | Pure | Cleanup):
            assert node.name in said
        if isinstance(node, WaitFor):
            assert node.signal in said
        if isinstance(node, Step) and node.compensation is not None:
            assert node.compensation.undo.name is not None
            assert node.compensation.undo.name in said


def test_policies_and_services_are_said() -> None:
    """What holds for a step stands on its card: its service, its attempts, its timeout."""
    said = "\n".join(words(parsed(svg(checkout.compile()))))
    assert "Payments · up to 3 attempts · 10 s each" in said
    assert "when is_express" in said
    assert "in doubt: void" in "\n".join(titles(parsed(svg(checkout.compile()))))


def test_what_stands_for_several_is_drawn_as_several() -> None:
    """The box of a map has two more behind it, that of a fork has none."""
    root = parsed(svg(audit.compile()))
    assert len(boxes(root, "nest")) == 4  # survey, and three of the map
    assert "for each item · 8 at a time" in words(root)


def test_a_name_may_hold_anything() -> None:
    """S33: what looks like markup is text, and control characters and marks of direction are shown as such."""
    flow = (
        Workflow[int]("f").step(named(HOSTILE), name="safe").compensate(named(HOSTILE)).step(named("x" * 500), name="y")
    )
    picture = svg(flow.branch().when(named(HOSTILE), named("a")).otherwise(named("b")).compile())
    root = parsed(picture)
    assert "<script" not in picture
    assert not any(char in picture for char in "\x1b\u202e")
    assert r"\x1b" in "".join(titles(root))
    assert list(root.iter("{http://www.w3.org/2000/svg}script")) == []


@given(st.text(min_size=1, max_size=80))
def test_any_text_leaves_a_picture_that_is_xml(text: str) -> None:
    """No text at all breaks out of its place."""
    flow = Workflow[int]("f").step(named(text), name="step").compensate(named(text))
    check(svg(flow.compile()))


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_a_picture_adapts_to_light_and_dark(theme: Theme) -> None:
    """By itself it follows who looks at it; on demand it has one scheme."""
    picture = svg(checkout.compile(), theme=theme)
    assert ("prefers-color-scheme" in picture) == (theme == "auto")
    assert (LIGHT.page in picture) == (theme != "dark")
    assert (DARK.text in picture) == (theme != "light")


def test_a_picture_is_the_same_each_time() -> None:
    """S1: equal plans have equal pictures, to the last character; none has an id that another could have too."""
    assert svg(everything.compile()) == svg(everything.compile())
    assert " id=" not in svg(everything.compile())


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_can_be_read(scheme: Scheme) -> None:
    """Every colour of words has a contrast of 4.5 to 1 to what is behind it, as the guidelines for the web want."""
    pairs = [(scheme.text, scheme.card), (scheme.muted, scheme.card), (scheme.muted, scheme.nest)]
    pairs += [(tone.strong, tone.soft) for tone in scheme.tones.values()]
    pairs += [(tone.strong, scheme.nest) for tone in scheme.tones.values()]
    pairs += [(scheme.muted, tone.soft) for tone in scheme.tones.values()]
    for one, other in pairs:
        assert contrast(one, other) >= 4.5, (one, other, contrast(one, other))


def test_each_step_is_one_group_with_its_words() -> None:
    """What is drawn of a step belongs together, and says its name to who points at it."""
    root = parsed(svg(checkout.compile()))
    assert len(list(groups(root, "step"))) == 7
