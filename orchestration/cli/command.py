"""`main`: from arguments to an exit code. A new command is one function and one row in `COMMANDS`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Never, TypedDict

from orchestration import __version__
from orchestration.cli import (
    check,
    completion,
    graph,
    keep,
    replay,
    report,
    resume,
    run,
    runs,
    send,
    show,
    submit,
    worker,
)
from orchestration.cli.exits import Exit
from orchestration.cli.telling import complain, say
from orchestration.errors import OrchestrationError
from orchestration.observe.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Layout(TypedDict):
    """How every parser is laid out."""

    epilog: str
    formatter_class: type[argparse.HelpFormatter]
    allow_abbrev: bool


COMMANDS: tuple[tuple[Callable[[argparse.Namespace], Exit], Callable[[argparse.ArgumentParser], None], str], ...] = (
    (run.run, run.configure, "run a workflow and print its result as JSON"),
    (graph.graph, graph.configure, "print a workflow's plan as a picture"),
    (check.check, check.configure, "tell whether workflows compile, and whether durable runs can go on with them"),
    (submit.submit, submit.configure, "begin a durable run that a worker is to drive, and print its id"),
    (worker.worker, worker.configure, "drive the durable runs that are submitted, due or left by others"),
    (resume.resume, resume.configure, "go on with a durable run and print its result as JSON"),
    (runs.runs, runs.configure, "list the durable runs of a journal"),
    (show.show, show.configure, "tell what is known of a durable run"),
    (report.report, report.configure, "print a report of a durable run as a page of HTML"),
    (send.signal, send.configure_signal, "send a signal to a durable run"),
    (send.cancel, send.configure_cancel, "cancel a durable run"),
    (replay.replay, replay.configure, "fold a durable run anew by the code as it is, and tell its story"),
    (keep.repair, keep.configure_run, "go back to the sound part of a durable run that is damaged"),
    (keep.delete, keep.configure_run, "forget a durable run"),
    (keep.prune, keep.configure_prune, "forget the durable runs that ended long ago"),
    (completion.completion, completion.configure, "print what lets a shell complete this command"),
)
EPILOG = """\
A WORKFLOW is FILE.py:NAME or MODULE:NAME; NAME is a variable there, and may be dotted.

exit codes:
  0    success
  1    the run failed, or its journal did; what was asked about is not so (check --against, replay, show, repair)
  2    usage: a wrong reference, problems of a plan, an input that does not fit, a missing service, no such run
  130  the run was cancelled (Ctrl-C), or, if it is durable, stopped
"""
LAYOUT = Layout(epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments (by default the process's) say, and return the exit code.

    Raises:
        SystemExit: for `--help` and `--version`, and with 2 for arguments that cannot be understood.
    """
    options = parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except OrchestrationError as error:
        complain(error, debug=options.debug)
        return Exit.USAGE
    except KeyboardInterrupt:
        say("interrupted")
        return Exit.CANCELLED


def parser() -> argparse.ArgumentParser:
    """Return what understands the arguments."""
    top = Parser(prog="orchestration", description="Run, draw and check workflows; look after durable runs.", **LAYOUT)
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    top.set_defaults(parser=top)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command, configure, purpose in COMMANDS:
        description = f"{purpose[0].upper()}{purpose[1:]}."
        below = commands.add_parser(command.__name__, help=purpose, description=description, **LAYOUT)
        configure(below)
        below.add_argument("--debug", action="store_true", help="show the tracebacks of errors")
        below.set_defaults(command=command)
    return top


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are safe for a terminal."""

    def error(self, message: str) -> Never:
        """Say what is wrong with the arguments, and exit."""
        super().error(escape(message))
