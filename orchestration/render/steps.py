"""The table of a report: each step of a run, with its attempts and their times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.render.page import state, table
from orchestration.render.telling import brief, said_of
from orchestration.render.text import markup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestration.render.chronicle import Chronicle, Span
    from orchestration.render.places import Thing

MOST = 300  # rows; of more things those that went well are left out first
COLUMNS = ("step", "what became of it", "attempts", "began after", "took", "result")
WELL = ("done", "skipped", "unreached")


def steps(chronicle: Chronicle, things: Mapping[str, Thing]) -> str:
    """Return the table of all that was done."""
    chosen = _chosen(things)
    spans: dict[str, list[Span]] = {path: [] for path in chosen}
    for span in chronicle.spans:
        if span.path in spans:
            spans[span.path].append(span)
    rows = [_row(thing, spans[thing.path], chronicle) for thing in chosen.values()]
    left = len(things) - len(chosen)
    caption = f"{left:,} more that went well are left out." if left else ""
    return table(caption, COLUMNS, rows, numbers=(2, 3, 4)) if rows else "<p>No step has begun.</p>"


def _chosen(things: Mapping[str, Thing]) -> dict[str, Thing]:
    """Return what is shown, in the order in which it began: all that did not go well, and the first of the rest."""
    room = MOST - sum(thing.final not in WELL for thing in things.values())
    chosen: dict[str, Thing] = {}
    for path, thing in things.items():
        well = thing.final in WELL
        if well and room <= 0:
            continue
        room -= well
        chosen[path] = thing
        if len(chosen) == MOST:
            break
    return chosen


def _row(thing: Thing, spans: list[Span], chronicle: Chronicle) -> tuple[str, ...]:
    path = thing.path.removeprefix(f"{chronicle.root.name}/")
    end = chronicle.at if thing.end is None else thing.end
    told = state(thing.final, said_of(thing))
    if thing.because:
        told += f'<br><span class="muted">{markup(thing.because)}</span>'
    many = len(spans) > 1 or any(span.failure is not None for span in spans)
    if many:
        items = "".join(f"<li>{_said(span, chronicle)}</li>" for span in spans)
        told += f"<details><summary>attempts and waits</summary><ol>{items}</ol></details>"
    attempts = f"{thing.attempts}" if thing.attempts else ""
    took = brief(end - thing.begin) if spans else ""
    value = f"<code>{markup(thing.value)}</code>" if thing.value and thing.value != "…" else ""
    failure = thing.failure
    if failure is not None:
        value = markup(f"{failure.kind}: {failure.message}" if failure.message else failure.kind)
    return (f"<code>{markup(path)}</code>", told, attempts, brief(thing.begin - chronicle.begun), took, value)


def _said(span: Span, chronicle: Chronicle) -> str:
    what = f"{span.what}, attempt {span.attempt}" if span.attempt else span.what
    begun, lasted = brief(span.begin - chronicle.begun), brief(span.lasted(chronicle.at))
    failure = "" if span.failure is None else f": {span.failure.kind}: {span.failure.message}"
    return markup(f"{what}: {span.how}, {begun} after the start, for {lasted}{failure}")
