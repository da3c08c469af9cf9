"""`orchestration replay`: fold the log of a run anew by the code as it is, and tell its story (S36)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration.cli.exits import Exit
from orchestration.cli.journals import add_cipher, add_journal, find_cipher, opened
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.misuse import Misuse
from orchestration.cli.telling import complain, say
from orchestration.cli.telling import show as show_text
from orchestration.errors import ReplayMismatch
from orchestration.frozen import evolve
from orchestration.interpreter.effects import StartTimer
from orchestration.interpreter.engine import Turned, advance, begin
from orchestration.interpreter.events import Started
from orchestration.journal.records import first_link
from orchestration.journal.replay import Replay, look_whole
from orchestration.observe.terminal import escape
from orchestration.runtime.durable import durable_plan
from orchestration.testing.story import Line, story, written

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from orchestration.interpreter.effects import Effect
    from orchestration.journal.protocol import Record
    from orchestration.plan.compile import Plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("reference", metavar="WORKFLOW", help=FORM)
    parser.add_argument("run_id", metavar="RUN", help="the id of the run")
    add_journal(parser)
    add_cipher(parser)


def replay(options: argparse.Namespace) -> Exit:
    """Fold a log anew and tell the story of the run, up to the first thing that the code would do otherwise now."""
    workflow, module = load_workflow(options.reference)
    plan = durable_plan(workflow.compile(), find_cipher(options.cipher, module))
    with opened(options) as journal:
        head = journal.head(options.run_id)
        records = journal.read(head.run_id)
    if head.plan != plan.name:
        mend = "Name the workflow that the run was begun with."
        raise Misuse(options.reference, found=plan.name, expected=f"{head.plan}, of which the run is", mend=mend)
    look_whole(head, first_link(head.run_id), 0, records)
    told = _fold(plan, head.run_id, records)
    if told.lines:
        show_text("\n".join(escape(line) for line in written(told.lines).splitlines()))
    if told.mismatch is not None:
        complain(told.mismatch, debug=options.debug)
        return Exit.FAILED
    say(f"{escape(head.run_id)}: no difference up to record {len(records):,}")
    return Exit.SUCCESS


class Told(NamedTuple):
    """The story of a run, as far as the code as it is now tells the same."""

    lines: list[Line]
    mismatch: ReplayMismatch | None


def _fold(plan: Plan, run_id: str, records: Sequence[Record]) -> Told:
    replayed, lines, start = Replay(plan, run_id), list[Line](), 0.0
    for record in records:
        before = None if record.position == 0 else replayed.state
        try:
            event = replayed.take(record).event
        except ReplayMismatch as mismatch:
            return Told(lines, mismatch)
        if isinstance(event, Started):
            start, turned = event.at, begin(plan, event)
        else:
            assert before is not None  # noqa: S101 - only the first record is the start of a run
            state, effects = advance(plan, before, event)
            turned = Turned(event, effects, state)
        lines += story(*_since(start, turned))
    return Told(lines, None)


def _since(start: float, turned: Turned) -> tuple[Any, list[Effect], Any]:
    """Return a turn with times that are counted from the start of the run."""
    effects = [
        evolve(effect, due=effect.due - start) if isinstance(effect, StartTimer) else effect
        for effect in turned.effects
    ]
    event: Any = turned.event
    return evolve(event, at=event.at - start), effects, evolve(turned.state, at=turned.state.at - start)
