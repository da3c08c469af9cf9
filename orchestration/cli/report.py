"""`orchestration report`: the report of a durable run; and `--report` of the commands that run one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.exits import Exit
from orchestration.cli.files import add_output, check_place, save, write
from orchestration.cli.journals import add_journal, opened

if TYPE_CHECKING:
    import argparse

    from orchestration.cli.view import View
    from orchestration.interpreter.engine import Turned
    from orchestration.journal.protocol import Journal
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.render.sources import Chronicler

VALUES = "show inputs and outputs in the report; secrets stay hidden"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("run_id", metavar="RUN", help="the id of the run")
    add_journal(parser)
    parser.add_argument("--values", action="store_true", help=VALUES)
    add_output(parser)


def report(options: argparse.Namespace) -> Exit:
    """Print the report of a run in a journal, as a page of HTML."""
    with opened(options) as journal:
        text = _of_journal(journal, options.run_id, values=options.values)
    return write(text, options.output)


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a command that runs something, and may write a report of it."""
    parser.add_argument("--report", metavar="FILE", help="write a report of the run to this file, as a page of HTML")
    parser.add_argument("--values", action="store_true", help=VALUES)


def report_kept(options: argparse.Namespace, journal: Journal, run_id: str, code: Exit) -> Exit:
    """Write the report of a durable run if one is wanted; return the exit code, which was `code` so far."""
    if options.report is None:
        return code
    saved = save(_of_journal(journal, run_id, values=options.values), options.report)
    return code if saved is Exit.SUCCESS or code is not Exit.SUCCESS else saved


def _of_journal(journal: Journal, run_id: str, *, values: bool) -> str:
    from orchestration.render import chronicle_in, html  # noqa: PLC0415 - other commands do without

    return html(chronicle_in(journal, run_id, values=values))


class Reporter:
    """Takes note of a run beside how it is shown, if a report of it is wanted."""

    def __init__(self, options: argparse.Namespace, plan: Plan) -> None:
        """Prepare for a run of a plan.

        Raises:
            Misuse: if the report has no place.
        """
        check_place("--report", options.report)
        self._file: str | None = options.report
        self._chronicler: Chronicler | None = None
        self._view: View | None = None
        if self._file is not None:
            from orchestration.render import Chronicler  # noqa: PLC0415 - as above

            self._chronicler = Chronicler(plan, values=options.values)

    def beside(self, view: View | None) -> View | None:
        """Return what shows the run and takes note of it, `view` alone if no report is wanted."""
        self._view = view
        return view if self._chronicler is None else self

    def take(self, turned: Turned) -> None:
        """Take the next turn of the run."""
        if self._chronicler is not None:
            self._chronicler.take(turned)
        if self._view is not None:
            self._view.take(turned)

    def __enter__(self) -> object:
        """Begin to show the run."""
        return self if self._view is None else self._view.__enter__()

    def __exit__(self, *error: object) -> None:
        """End."""
        if self._view is not None:
            self._view.__exit__(*error)

    def write(self, outcome: Outcome[object] | None, code: Exit) -> Exit:
        """Write the report if one is wanted; return the exit code, which was `code` so far."""
        if self._file is None or self._chronicler is None:
            return code
        from orchestration.render import html  # noqa: PLC0415 - as above

        saved = save(html(self._chronicler.chronicle(outcome)), self._file)
        return code if saved is Exit.SUCCESS or code is not Exit.SUCCESS else saved
