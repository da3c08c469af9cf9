"""`html`: the report of a run, one page for a person who has never seen its workflow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.plan.nodes import Compensated, Step
from orchestration.plan.tree import child_path, children_of, static_path
from orchestration.render.naming import body_name
from orchestration.render.page import badge, facts, page, scrolled, section, state, table
from orchestration.render.picture import run_block, standing
from orchestration.render.places import things_of
from orchestration.render.steps import steps
from orchestration.render.telling import brief, short_kind
from orchestration.render.text import markup
from orchestration.render.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestration.failures import Failure
    from orchestration.outcomes import EndState, Outcome
    from orchestration.plan.nodes import Node
    from orchestration.render.chronicle import Chronicle
    from orchestration.render.places import Thing
    from orchestration.render.signs import Status

EPOCH_YEAR = 86_400 * 365  # what is earlier is no date, but the clock of a test or of a process
UNITS = {"Undone": "undone", "UndoFailed": "undo-failed", "Held": "held", "InDoubt": "in-doubt", "Kept": "kept"}


def html(chronicle: Chronicle) -> str:
    """Return the report of a run as one page of HTML, which needs nothing else: no network, no scripts.

    What it shows is escaped, whoever wrote it; values are hidden unless the chronicle was made with them (S33).
    """
    things = things_of(chronicle)
    name = chronicle.root.name
    undos = dict(_undos(chronicle.root, name))
    sections = (
        _remarks(chronicle),
        _failure(chronicle, things),
        _rollback(chronicle, undos),
        _left(chronicle),
        section("plan", "The plan, and what happened", scrolled("The plan", standing(run_block(chronicle, things)))),
        section("timeline", "When", scrolled("The timeline", standing(timeline(chronicle)))),
        section("steps", "Each step", steps(chronicle, things)),
        section("values", "What went in, what came out", _values(chronicle)),
    )
    status, word = _verdict(chronicle)
    title = f"{name}: {word} ({chronicle.run_id})"
    return page(title, _header(chronicle, status, word), sections, "Written by orchestration.")


def _verdict(chronicle: Chronicle) -> tuple[Status, str]:
    match chronicle.outcome:
        case Succeeded():
            return "done", "succeeded"
        case Failed():
            return "failed", "failed"
        case Cancelled():
            return "cancelled", "cancelled"
        case _ if chronicle.ended:
            return "lost", "ended"
        case _:
            busy = any(span.end is None and span.what in ("step", "undo", "cleanup") for span in chronicle.spans)
            return ("running", "unfinished") if busy else ("waiting", "unfinished, waiting")


def _header(chronicle: Chronicle, status: Status, word: str) -> str:
    name = chronicle.root.name
    pairs = [("run", f"<code>{markup(chronicle.run_id)}</code>")]
    if chronicle.begun > EPOCH_YEAR:
        pairs.append(("began", datetime.fromtimestamp(chronicle.begun, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")))
    pairs.append(("took" if chronicle.ended else "so far", brief(chronicle.seconds)))
    if chronicle.resumed:
        after = ", ".join(brief(at - chronicle.begun) for at in chronicle.resumed)
        pairs.append(("taken up again", f"after {after}"))
    links = [("failure", "failure"), ("rollback", "undone"), ("plan", "plan"), ("timeline", "timeline")]
    links += [("steps", "steps"), ("values", "values")]
    shown = [(to, text) for to, text in links if to != "failure" or isinstance(chronicle.outcome, Failed | Cancelled)]
    nav = "".join(f'<a href="#{to}">{text}</a>' for to, text in shown)
    return (
        f"<h1>{markup(name)} {badge(status, word)}</h1>\n{_lead(chronicle)}\n{facts(pairs)}\n"
        f'<nav aria-label="Parts of the report">{nav}</nav>'
    )


def _lead(chronicle: Chronicle) -> str:
    """Return what happened, in two sentences."""
    outcome = chronicle.outcome
    match outcome:
        case Succeeded():
            told = "All went well."
        case Failed():
            failure = outcome.failure
            what = f"<b>{markup(_last(failure.path))}</b> failed with {markup(short_kind(failure))}"
            told = f"{what}: {markup(failure.message)}" if failure.message else what
            told += "" if told.endswith((".", "!", "?")) else "."
        case Cancelled():
            told = f"It was cancelled: {markup(outcome.reason)}."
        case _ if chronicle.ended:
            told = "It has ended, with an outcome that could not be kept."
        case _:
            told = "It has not ended."
    return f'<p class="lead">{told} {_undone_said(outcome)}</p>'


def _undone_said(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    steps = outcome.rollback.steps
    undone = len(outcome.rollback.undone)
    count = f"{undone} step{'' if undone == 1 else 's'}"
    match outcome.rollback.verdict:
        case "not needed":
            return "" if outcome.ok else "There was nothing to undo."
        case "complete" if undone == len(steps):
            return f"What had been done is undone: {count}."
        case "complete":
            return f"{count.capitalize()} undone, {len(steps) - undone} kept on purpose."
        case _:
            were = "was" if undone == 1 else "were"
            return f"<b>Not all could be undone</b>: {count} of {len(steps)} {were}; the rest stands, or is in doubt."


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _undos(node: Node, path: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the names of what undoes, and of what settles a doubt, by the path of its step in the plan."""
    if isinstance(node, Step | Compensated) and node.compensation is not None:
        doubt = node.compensation.in_doubt
        yield path, (body_name(node.compensation.undo), "" if doubt is None else body_name(doubt))
    for how, child in children_of(node):
        yield from _undos(child, child_path(path, how, child.name))


def _remarks(chronicle: Chronicle) -> str:
    if not chronicle.remarks:
        return ""
    return section("remarks", "This report is not whole", *(f"<p>{markup(text)}</p>" for text in chronicle.remarks))


# --- what failed


def _failure(chronicle: Chronicle, things: Mapping[str, Thing]) -> str:
    outcome = chronicle.outcome
    if isinstance(outcome, Failed):
        thing = things.get(outcome.failure.path)
        tried = "" if thing is None or thing.attempts < 2 else f"<p>It was tried {thing.attempts} times.</p>"  # noqa: PLR2004
        return section("failure", "What failed", _told(outcome.failure), tried, _later(outcome.failure.attached))
    if isinstance(outcome, Cancelled):
        reason = f'<p class="said tone-cancelled">{markup(outcome.reason)}</p>'
        return section("failure", "Why it was cancelled", reason, _later(outcome.attached))
    return ""


def _told(failure: Failure) -> str:
    where = f"<p><code>{markup(failure.path)}</code></p>"
    return f"{where}{_chain(failure)}"


def _chain(failure: Failure) -> str:
    lines = []
    cause: Failure | None = failure
    while cause is not None:
        lead = "" if cause is failure else '<p class="muted">caused by</p>'
        text = f"{cause.kind}: {cause.message}" if cause.message else cause.kind
        lines.append(f'{lead}<p class="said tone-failed">{"".join(map(_line, text.splitlines(keepends=True)))}</p>')
        cause = cause.cause
    return "".join(lines)


def _line(text: str) -> str:
    """Return a line of a message as markup, its end kept."""
    return markup(text.rstrip("\r\n")) + ("\n" if text.endswith(("\n", "\r")) else "")


def _later(failures: tuple[Failure, ...]) -> str:
    if not failures:
        return ""
    items = "".join(f"<li>{_told(failure)}{_later(failure.attached)}</li>" for failure in failures)
    return f"<p>Failures that came later:</p><ol>{items}</ol>"


# --- what was undone


def _rollback(chronicle: Chronicle, undos: Mapping[str, tuple[str, str]]) -> str:
    outcome = chronicle.outcome
    if outcome is None:
        return ""
    steps = outcome.rollback.steps
    if not steps:
        none = "Nothing was undone." if outcome.ok else "There was nothing to undo."
        return section("rollback", "What was undone", f"<p>{none}</p>")
    head = {"complete": "What had been done is undone.", "partial": "Not all that had been done could be undone."}
    rows = [(str(number), *_row(step, undos)) for number, step in enumerate(steps, start=1)]
    shown = table("In this order.", ("", "step", "what became of it", "how"), rows)
    return section("rollback", "What was undone", f"<p>{head[outcome.rollback.verdict]}</p>", shown)


def _row(step: EndState, undos: Mapping[str, tuple[str, str]]) -> tuple[str, str, str]:
    status: Status = UNITS[type(step).__name__]  # type: ignore[assignment]  # the table holds no other words
    undo, doubt = undos.get(static_path(step.path), ("", ""))
    told = {
        "undone": ("undone", f"by {undo}" if undo else ""),
        "undo-failed": ("NOT undone", f"its undo {undo} failed"),
        "held": ("NOT undone", f"held because {getattr(step, 'because_of', '')} could not be undone"),
        "in-doubt": ("IN DOUBT", "nobody knows whether its effect landed"),
        "kept": ("kept", "on purpose: compensation is off here"),
    }
    words, how = told[status]
    if getattr(step, "by", "") == "in_doubt":
        words, how = "in doubt, settled", f"by {doubt}"
    failure: Failure | None = getattr(step, "failure", None)
    more = "" if failure is None else _chain(failure)
    return f"<code>{markup(step.path)}</code>", state(status, words), f"{markup(how)}{more}"


def _left(chronicle: Chronicle) -> str:
    """Return what else is left of a run that somebody may have to look after."""
    outcome = chronicle.outcome
    if outcome is None:
        return ""
    lines = [f"<b>{markup(path)}</b> was still at work when the run ended: it may yet land." for path in outcome.leaked]
    lines += [f"A cleanup failed: {_told(failure)}" for failure in outcome.cleanup_failures]
    lines += [f"A hook failed: {markup(str(failure))}" for failure in outcome.hook_failures]
    lines += [f"Nobody took the signal {markup(name)}." for name in outcome.unused_signals]
    return section("left", "What is left", f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>") if lines else ""


def _values(chronicle: Chronicle) -> str:
    pairs = [
        ("input", f"<code>{markup(chronicle.input)}</code>"),
        ("output", f"<code>{markup(chronicle.output)}</code>"),
    ]
    hidden = chronicle.input == chronicle.output == "…"
    return ("<p class=muted>Values are hidden.</p>" if hidden else "") + facts(pairs)
