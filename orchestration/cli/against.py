"""Whether the unfinished runs of a journal can go on under a plan as it is now (S36)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.exits import Exit
from orchestration.cli.telling import complain, show
from orchestration.errors import InvalidDocument, JournalError
from orchestration.journal.replay import folded
from orchestration.observe.terminal import block, escape
from orchestration.plan.diff import diff_documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.journal.protocol import Head, Journal
    from orchestration.plan.compile import Plan


def check_runs(journal: Journal, heads: Sequence[Head], plan: Plan, *, debug: bool) -> Exit:
    """Fold the runs of a plan anew, and report on each; then tell in what the plans of some differ from this one."""
    result = Exit.SUCCESS
    changed: dict[str, None] = {}
    for head in heads:
        if head.plan != plan.name:
            continue
        if head.fingerprint != plan.fingerprint:
            changed[head.fingerprint] = None
        try:
            folded(plan, journal, head.run_id, whole=True)
        except JournalError as error:
            complain(error, debug=debug)
            result = Exit.FAILED
        else:
            show(escape(f"OK {head.run_id}: can go on, no difference up to record {head.position:,}"))
    for fingerprint in changed:
        show(_difference(journal.plan(fingerprint), fingerprint, plan))
    return result


def _difference(before: str | None, fingerprint: str, plan: Plan) -> str:
    try:
        told = "the journal does not have that plan" if before is None else str(diff_documents(before, plan.to_json()))
    except InvalidDocument as error:
        told = str(error)
    return f"   {escape(plan.name)} since {escape(fingerprint[:12])}:\n     {block(told, '     ')}"
