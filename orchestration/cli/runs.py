"""`orchestration runs`: the durable runs of a journal, by their heads alone."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, get_args

from orchestration.cli.distant import add_temporal, on_temporal
from orchestration.cli.exits import Exit
from orchestration.cli.journals import add_journal, opened
from orchestration.cli.paint import by_column, marked, style_of_standing
from orchestration.cli.telling import show, show_json
from orchestration.cli.words import span, standing, table
from orchestration.journal.protocol import Status

if TYPE_CHECKING:
    import argparse

    from orchestration.journal.protocol import Head

COLUMNS = ("run", "workflow", "status", "records", "age")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_journal(parser)
    add_temporal(parser)
    parser.add_argument("--status", choices=get_args(Status), help="only the runs of this status")
    parser.add_argument("--json", action="store_true", help="print JSON")


def runs(options: argparse.Namespace) -> Exit:
    """List the runs of a journal, the oldest first."""
    there = on_temporal(options)
    if there is not None:
        return there(options)
    with opened(options) as journal:
        heads = journal.heads(options.status)
    now = time.time()
    if options.json:
        show_json([data_of(head, now) for head in heads])
    elif heads:
        rows = [
            (head.run_id, head.plan, marked(standing(head, now)), f"{head.position:,}", span(now - head.created))
            for head in heads
        ]
        lines = table([COLUMNS, *rows], by_column("bold", "", style_of_standing, "dim", "dim"))
        show("\n".join(lines))
    else:
        show("no runs")
    return Exit.SUCCESS


def data_of(head: Head, now: float) -> dict[str, Any]:
    """Return what a head says, as JSON data; times are in seconds since the epoch."""
    return {
        "run": head.run_id,
        "workflow": head.plan,
        "fingerprint": head.fingerprint,
        "status": head.status,
        "standing": standing(head, now),
        "records": head.position,
        "created": head.created,
        "updated": head.updated,
        "owner": None if head.is_free(now) else head.owner,
        "owners": head.epoch,
        "wake": head.wake if math.isfinite(head.wake) else None,
        "letters": head.letters,
    }
