"""`orchestration show`: a durable run, as far as it can be read without the code of its workflow."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from orchestration.cli.distant import add_temporal, on_temporal
from orchestration.cli.exits import Exit
from orchestration.cli.glance import VALUES, Glance, glance
from orchestration.cli.journals import add_journal, opened
from orchestration.cli.paint import by_column, marked, painted, style_of_event, style_of_standing
from orchestration.cli.runs import data_of
from orchestration.cli.telling import say, show_json
from orchestration.cli.telling import show as show_text
from orchestration.cli.words import clock, span, standing, table
from orchestration.observe.terminal import escape

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from orchestration.journal.protocol import Head, Letter

EVENTS = 10
MANY = 20  # pending things that are listed; of more the number is told
SHORT = 12  # characters of a fingerprint
HIDDEN = "…"
NOT_TOLD = ("is", "path", "at", "bases", "exception")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("run_id", metavar="RUN", help="the id of the run")
    add_journal(parser)
    add_temporal(parser)
    parser.add_argument(
        "--events",
        metavar="N",
        nargs="?",
        type=int,
        default=EVENTS,
        help="how many of the last events to show (default: %(default)d; all without a number)",
    )
    parser.add_argument("--values", action="store_true", help="show values too; sealed secrets stay sealed")
    parser.add_argument("--json", action="store_true", help="print JSON")


def show(options: argparse.Namespace) -> Exit:
    """Print what is known of a run."""
    there = on_temporal(options)
    if there is not None:
        return there(options)
    with opened(options) as journal:
        head = journal.head(options.run_id)
        last = head.position if options.events is None else max(options.events, 0)
        seen = glance(journal, head, last)
        letters = [_letter(letter, values=options.values) for letter in journal.letters(head.run_id)]
    events = [(position, _told(data, values=options.values)) for position, data in seen.last]
    now = time.time()
    if options.json:
        data = data_of(head, now) | {
            "sound": seen.sound,
            "pending": [{"path": wait.path, "what": wait.what} for wait in seen.waits],
            "inbox": letters,
            "events": [{"position": position, **event} for position, event in events],
        }
        show_json(data)
    else:
        show_text("\n".join(_lines(head, seen, letters, events, now)))
    if not seen.sound:
        say(f"error: {escape(head.run_id)}: the log is damaged; `orchestration repair` tells what is left of it")
        return Exit.FAILED
    return Exit.SUCCESS


def _lines(
    head: Head,
    seen: Glance,
    letters: Sequence[dict[str, Any]],
    events: Sequence[tuple[int, dict[str, Any]]],
    now: float,
) -> Iterator[str]:
    owners = f", {head.epoch} owners so far" if head.epoch > 1 else ""
    yield from table(
        [
            ("run", head.run_id),
            ("workflow", f"{head.plan}, fingerprint {head.fingerprint[:SHORT]}"),
            ("status", f"{marked(standing(head, now))}{owners}"),
            ("begun", f"{clock(head.created)}, {span(now - head.created)} ago"),
            ("last event", f"{clock(head.updated)}, {span(now - head.updated)} ago"),
            ("records", f"{head.position:,}"),
        ],
        by_column("dim", style_of_standing),
    )
    if seen.waits:
        yield painted("pending", "bold")
        yield from table([(f"  {wait.path}", wait.what) for wait in seen.waits[:MANY]], by_column("", "yellow"))
        if len(seen.waits) > MANY:
            yield f"  and {len(seen.waits) - MANY:,} more"
    if letters:
        yield painted("inbox", "bold")
        yield from (f"  {escape(_text(letter))}" for letter in letters)
    if events:
        yield painted("events", "bold")
        yield from table(
            [
                (
                    f"  {position:,}",
                    clock(event.get("at", 0.0)),
                    event.get("path", ""),
                    _text(
                        {name: part for name, part in event.items() if name not in NOT_TOLD}, event.get("is", "damaged")
                    ),
                )
                for position, event in events
            ],
            by_column("dim", "dim", "", style_of_event),
        )


def _told(data: dict[str, Any], *, values: bool) -> dict[str, Any]:
    """Return the event of a record, and with the last one the outcome, without values unless they are wanted (S33)."""
    if not data:
        return {"is": "damaged"}
    event = _redacted(data["event"], values=values)
    outcome = data.get("outcome")
    return event | ({"outcome": _redacted(outcome, values=values)} if isinstance(outcome, dict) else {})


def _redacted(part: dict[str, Any], *, values: bool) -> dict[str, Any]:
    name = VALUES.get(str(part.get("is")))
    return {key: HIDDEN if key == name and not values else _sealed(content) for key, content in part.items()}


def _sealed(content: Any) -> Any:  # noqa: ANN401 - JSON data
    """Return data without the texts of its seals, which tell nobody anything."""
    if isinstance(content, list):
        return [_sealed(item) for item in content]
    if not isinstance(content, dict):
        return content
    return {key: HIDDEN if key == "$sealed" else _sealed(item) for key, item in content.items()}


def _letter(letter: Letter, *, values: bool) -> dict[str, Any]:
    match json.loads(letter.text):
        case {"v": 1, "cancel": str(reason)}:
            return {"number": letter.number, "is": "cancel", "reason": reason}
        case {"v": 1, "signal": str(name), "id": str(signal_id), "payload": payload}:
            shown = _sealed(payload) if values else HIDDEN
            return {"number": letter.number, "is": "signal", "name": name, "id": signal_id, "payload": shown}
        case _:
            return {"number": letter.number, "is": "a letter of another version"}


def _text(fields: dict[str, Any], kind: str | None = None) -> str:
    """Return what is told of an event in a line."""
    own = fields if kind is None else {"is": kind, **fields}
    return " ".join(
        _part(name, content) for name, content in own.items() if content not in (None, [], HIDDEN) or name == "value"
    )


def _part(name: str, content: Any) -> str:  # noqa: ANN401 - JSON data
    if name in ("is", "number"):
        return str(content)
    if isinstance(content, dict) and content.get("is") == "Failure":
        return f"{content.get('kind')}: {content.get('message')}"
    if isinstance(content, dict) and "is" in content:
        inner = {key: part for key, part in content.items() if key not in ("is", "run_id")}
        return f"{name}={_text(inner, content['is'])}"
    return f"{name}={content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)}"
