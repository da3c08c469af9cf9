"""`plan_html`: a plan as one page, for a person who has never seen the workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.render.drawing import Drawer, takes_of
from orchestration.render.naming import kind_of
from orchestration.render.page import facts, page, scrolled, section
from orchestration.render.picture import planned, standing
from orchestration.render.text import markup

if TYPE_CHECKING:
    from orchestration.plan.compile import Plan

SHORT = 12  # characters of a fingerprint


def plan_html(plan: Plan) -> str:
    """Return a plan as one page of HTML, which needs nothing else: no network, no scripts."""
    takes, gives = kind_of(takes_of(plan.root)), kind_of(plan.gives)
    services = ", ".join(name.rpartition(":")[2] for name in plan.services)
    told = [
        ("takes", markup(takes.strip() or "anything")),
        ("gives", markup(gives.strip() or "anything")),
        ("needs", markup(services or "no services")),
        ("nodes", f"{len(plan.nodes):,}"),
        ("fingerprint", f"<code>{markup(plan.fingerprint[:SHORT])}</code>"),
    ]
    header = f"<h1>{markup(plan.name)}</h1>\n{facts(told)}"
    picture = section("plan", "The plan", scrolled("The plan", standing(planned(plan.root, Drawer()))))
    return page(f"The plan of {plan.name}", header, [picture], "Written by orchestration.")
