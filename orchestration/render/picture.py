"""`svg`: the picture of a plan, or of a run over its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.render import signs
from orchestration.render.cards import Label, pill
from orchestration.render.drawing import Drawer, takes_of
from orchestration.render.naming import kind_of
from orchestration.render.scene import Block, Words, number, stack
from orchestration.render.text import markup, width_of
from orchestration.render.theme import style

if TYPE_CHECKING:
    from orchestration.plan.compile import Plan
    from orchestration.plan.nodes import Scope
    from orchestration.render.theme import Theme

SCOPE = "plan"
MARGIN, TITLE = 24.0, 34.0


def svg(plan: Plan, *, theme: Theme = "auto") -> str:
    """Return a picture of a plan as SVG."""
    return document(SCOPE, plan.name, f"The plan of {plan.name}", planned(plan.root, Drawer()), theme)


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
