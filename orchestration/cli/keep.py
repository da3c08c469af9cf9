"""`orchestration repair`, `delete` and `prune`: what loses something, and so is asked before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestration.cli.exits import Exit
from orchestration.cli.journals import add_journal, opened
from orchestration.cli.misuse import Misuse
from orchestration.cli.telling import say, show
from orchestration.journal import repair as repairing
from orchestration.observe.terminal import escape

if TYPE_CHECKING:
    import argparse

    from orchestration.journal.protocol import Head, Journal

DAY = 86_400.0  # seconds


def configure_run(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a command for one run."""
    parser.add_argument("run_id", metavar="RUN", help="the id of the run")
    add_journal(parser)
    _add_yes(parser)


def configure_prune(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--older-than", metavar="DAYS", type=float, required=True, help="how long ago they ended")
    add_journal(parser)
    _add_yes(parser)


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def repair(options: argparse.Namespace) -> Exit:
    """Go back to the sound part of a damaged log."""
    with opened(options) as journal:
        damage = repairing.look_for_damage(journal, options.run_id)
        run = escape(options.run_id)
        if damage is None:
            show(f"{run}: the log is whole, there is nothing to repair")
            return Exit.SUCCESS
        _look_free(journal.head(options.run_id))
        say(f"{run}: records that are sound: {damage.clean:,}; lost behind them: {damage.lost:,}")
        if damage.clean == 0:
            say("error: nothing is left to go on from; `orchestration delete` forgets the run")
            return Exit.FAILED
        say("what the lost ones tell of has happened: their steps may be done again, with the same keys")
        if not _agreed(options, f"Go back to record {damage.clean:,}?"):
            return Exit.FAILED
        repairing.repair(journal, options.run_id)
        show(f"{run}: repaired, it goes on from record {damage.clean:,} when it is taken up")
    return Exit.SUCCESS


def delete(options: argparse.Namespace) -> Exit:
    """Forget a run."""
    with opened(options) as journal:
        head = journal.head(options.run_id)
        if head.status == "unfinished":
            _look_free(head)
            say(f"{escape(head.run_id)} is not finished: what it has done stays done, and nothing is undone")
            if not _agreed(options, "Delete it?"):
                return Exit.FAILED
        journal.delete(head.run_id)
    show(f"{escape(head.run_id)}: deleted")
    return Exit.SUCCESS


def prune(options: argparse.Namespace) -> Exit:
    """Forget the runs that ended long ago."""
    before = time.time() - options.older_than * DAY
    with opened(options) as journal:
        old = _old(journal, before)
        if old and not _agreed(options, f"Delete {old:,} {'run' if old == 1 else 'runs'}?"):
            return Exit.FAILED
        gone = repairing.prune(journal, before=before)
    show(f"{len(gone):,} deleted")
    return Exit.SUCCESS


def _old(journal: Journal, before: float) -> int:
    return sum(head.status != "unfinished" and head.updated < before for head in journal.heads())


def _look_free(head: Head) -> None:
    """See that nobody drives a run.

    Raises:
        Misuse: if somebody does.
    """
    if not head.is_free(time.time()):
        mend = "Stop that process first, or wait until its lease is over."
        raise Misuse(head.run_id, found=f"a run that {head.owner} has", expected="one that nobody has", mend=mend)


def _agreed(options: argparse.Namespace, question: str) -> bool:
    if options.yes:
        return True
    say(f"{question} [y/N]")
    try:
        agreed = input().strip().lower() in ("y", "yes")
    except EOFError:
        agreed = False
    if not agreed:
        say("nothing was changed")
    return agreed
