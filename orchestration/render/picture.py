"""`svg`: the picture of a plan, or of a run over its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.frozen import evolve
from orchestration.render import signs
from orchestration.render.cards import Label, legend, pill
from orchestration.render.drawing import Drawer, takes_of
from orchestration.render.naming import kind_of
from orchestration.render.places import things_of
from orchestration.render.scene import Block, Placed, Words, number, stack
from orchestration.render.signs import WORDS
from orchestration.render.telling import brief, drawer_of
from orchestration.render.text import markup, width_of
from orchestration.render.theme import style
from orchestration.render.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Scope
    from orchestration.render.chronicle import Chronicle
    from orchestration.render.places import Thing
    from orchestration.render.theme import Theme

SCOPE = "plan"
MARGIN, TITLE = 24.0, 34.0
EDGE = 6.0  # around a picture in a page
LEGEND = 420.0  # how wide a legend may be below a narrow picture


def svg(plan: Plan, *, theme: Theme = "auto") -> str:
    """Return a picture of a plan as SVG."""
    return document(SCOPE, plan.name, f"The plan of {plan.name}", planned(plan.root, Drawer()), theme)


def run_svg(chronicle: Chronicle, *, theme: Theme = "auto") -> str:
    """Return a picture of a run over its plan as SVG: each place coloured by what happened there."""
    name, told = chronicle.root.name, f"The run {chronicle.run_id} of {chronicle.root.name}"
    return document(SCOPE, f"{name} · {chronicle.run_id}", told, run_block(chronicle, things_of(chronicle)), theme)


def run_block(chronicle: Chronicle, things: Mapping[str, Thing]) -> Block:
    """Return the picture of a run over its plan, and below it what its signs mean."""
    drawer = drawer_of(chronicle, things)
    block = planned(chronicle.root, drawer)
    seen = {told.status for told in (*drawer.places.values(), *drawer.undos.values())}
    words = legend([(status, text) for status, text in WORDS.items() if status in seen], max(block.width, LEGEND))
    y = block.height + 24
    parts = (*block.parts, Placed(0, y, words))
    return evolve(block, width=max(block.width, words.width), height=y + words.height, parts=parts)


def planned(root: Scope, drawer: Drawer) -> Block:
    """Return the picture of a plan from its start to its end."""
    takes = kind_of(takes_of(root)).strip()
    start = pill(Label("choice", f"start · {takes}" if takes else "start", sign=signs.PLAY))
    return stack(
        [start, *drawer.chain(root.children, root.name), pill(Label("choice", "end", sign=signs.STOP))], ends=False
    )


def document(scope: str, title: str, told: str, block: Block, theme: Theme) -> str:
    """Return a block as a document of its own, under a title; `told` is what it is for who cannot see it."""
    width = max(block.width, width_of(title, 16, bold=True)) + 2 * MARGIN
    height = block.height + 2 * MARGIN + TITLE
    size = f'viewBox="0 0 {number(width)} {number(height)}" width="{number(width)}" height="{number(height)}"'
    whole = (
        '<rect class="page" width="100%" height="100%"/>',
        *Words(title, "title").drawn(MARGIN, MARGIN + 12),
        *block.drawn(MARGIN + (width - 2 * MARGIN - block.width) / 2, MARGIN + TITLE),
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" role="img" aria-label="{markup(told)}" {size}>'
    return "\n".join([head, f"<style>{style(theme, scope)}</style>", *whole, "</svg>", ""])


def timeline_svg(chronicle: Chronicle, *, theme: Theme = "auto") -> str:
    """Return the timeline of a run as SVG: attempts, waits and undos of each step, along a common axis."""
    name = chronicle.root.name
    told = f"The timeline of the run {chronicle.run_id} of {name}"
    return document(SCOPE, f"{name} · {brief(chronicle.seconds)}", told, timeline(chronicle), theme)


def standing(block: Block) -> str:
    """Return a block as SVG that stands in a page which says itself what it is of."""
    width, height = number(block.width + 2 * EDGE), number(block.height + 2 * EDGE)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    inner = "\n".join(block.drawn(EDGE, EDGE))
    return f'<svg class="{SCOPE}" role="group" {size}><style>{style("auto", SCOPE)}</style>\n{inner}</svg>'
