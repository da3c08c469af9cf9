"""`main`: from arguments to an exit code. A new command is one module and one row in `COMMANDS`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Never, TypedDict

from orchestration import __version__
from orchestration.cli import check, graph, run
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
    (check.check, check.configure, "tell whether workflows compile, and all that is wrong with them"),
)
EPILOG = """\
A WORKFLOW is FILE.py:NAME or MODULE:NAME; NAME is a variable there, and may be dotted.

exit codes:
  0    success
  1    the run failed
  2    usage: a wrong reference, problems of a plan, an input that does not fit, a missing service
  130  the run was cancelled (Ctrl-C)
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
    top = Parser(prog="orchestration", description="Run, draw and check workflows.", **LAYOUT)
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
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
