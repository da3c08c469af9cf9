"""How workflows, plans and outcomes are shown in a notebook: as MIME bundles, of which it takes what it can show.

A plan is a picture. An outcome is a piece of HTML without scripts or style sheets, in which all is escaped and secrets
are masked (S33).
"""

from __future__ import annotations

from reprlib import Repr
from typing import TYPE_CHECKING

from orchestration.errors import PlanErrors
from orchestration.outcomes import Failed, Outcome, Succeeded
from orchestration.plan.secrets import masked
from orchestration.render.picture import svg
from orchestration.render.text import markup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orchestration.failures import Failure
    from orchestration.plan.compile import Plan

COLOURS = {"succeeded": "#1a7f37", "failed": "#cf222e", "cancelled": "#9a6700"}  # readable on white and on black
SHORT = Repr()
SHORT.maxlevel, SHORT.maxstring, SHORT.maxother = 4, 400, 400
SHORT.maxlist = SHORT.maxtuple = SHORT.maxdict = SHORT.maxset = 20


def plan_bundle(plan: Plan) -> dict[str, str]:
    """Return a plan as a picture."""
    return {"image/svg+xml": svg(plan)}


def workflow_bundle(compiled: Callable[[], Plan]) -> dict[str, str]:
    """Return the plan of a workflow as a picture, or all that is wrong with it (S6)."""
    try:
        return plan_bundle(compiled())
    except PlanErrors as error:
        problems = "".join(f"<li>{markup(str(problem))}</li>" for problem in error.exceptions)
        return {"text/html": f"{_line(markup(error.message), COLOURS['failed'])}<ul>{problems}</ul>"}


def outcome_bundle(outcome: Outcome[object]) -> dict[str, str]:
    """Return an outcome as HTML: how the run ended, with what value or failure, and what became of what it had done."""
    how = type(outcome).__name__.lower()
    return {"text/html": f"<div>{_line(markup(how), COLOURS[how], outcome.run_id)}{''.join(_parts(outcome))}</div>"}


def _parts(outcome: Outcome[object]) -> Iterator[str]:
    if isinstance(outcome, Succeeded):
        yield f"<pre>{markup(_shown(outcome.value))}</pre>"
    elif isinstance(outcome, Failed):
        yield _failure(outcome.failure)
    else:
        yield f"<p>{markup(outcome.reason)}</p>"
        yield from map(_failure, outcome.attached)
    if outcome.rollback.steps:
        head, *steps = str(outcome.rollback).splitlines()
        yield f"<p>{markup(head)}</p>{_list(step.strip() for step in steps)}"
    yield from _told("still at work when the run ended, may yet land", outcome.leaked)
    yield from _told("signals that nobody took", outcome.unused_signals)
    yield from _told("cleanups that failed", map(str, outcome.cleanup_failures))
    yield from _told("hooks that failed", map(str, outcome.hook_failures))


def _failure(failure: Failure) -> str:
    lines, cause = [str(failure)], failure.cause
    while cause is not None:
        lines.append(f"caused by {cause.kind}: {cause.message}")
        cause = cause.cause
    lines += [f"also {later}" for later in failure.attached]
    return f"<pre>{chr(10).join(map(markup, lines))}</pre>"


def _told(what: str, things: Iterable[str]) -> Iterator[str]:
    known = list(things)
    if known:
        yield f"<p>{markup(what)}</p>{_list(known)}"


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{markup(line)}</li>' for line in lines)}</ul>"


def _line(text: str, colour: str, run_id: str = "") -> str:
    told = f" <code>{markup(run_id)}</code>" if run_id else ""
    return f'<p><strong style="color: {colour}">{text}</strong>{told}</p>'


def _shown(value: object) -> str:
    """Return a value as a text that is not too long, without its secrets."""
    try:
        return SHORT.repr(masked(value))
    except Exception:  # noqa: BLE001 - what cannot be masked is not shown, and a foreign class may raise anything
        return f"a {type(value).__qualname__}"
