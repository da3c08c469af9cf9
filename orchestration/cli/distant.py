"""`--temporal`: the commands that can talk to a server of Temporal instead of a journal. Its client is an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli.misuse import Misuse

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from orchestration.cli.exits import Exit

QUEUE = "orchestration"
REFUSED: dict[str, tuple[str, ...]] = {  # options that say nothing there, by command
    "run": ("services", "report"),
    "worker": ("once", "drain", "max_runs", "lease"),
    "runs": ("status",),
    "show": ("events", "values"),
}


def add_temporal(parser: argparse.ArgumentParser, *, queue: bool = False) -> None:
    """Add the arguments that name a server; and with `queue` whose workers are meant."""
    parser.add_argument("--temporal", metavar="HOST:PORT", help="the Temporal server that keeps the runs")
    parser.add_argument("--namespace", metavar="NAME", help="the namespace on that server")
    if queue:
        parser.add_argument("--task-queue", metavar="NAME", help=f"that of its workers (default: {QUEUE})")
    parser.set_defaults(unset=parser.get_default)


def on_temporal(options: argparse.Namespace) -> Callable[[argparse.Namespace], Exit] | None:
    """Return what does the command on Temporal, if that is meant.

    Raises:
        Misuse: if an option says nothing there, or the client is not installed.
    """
    command: str = options.command.__name__
    if options.temporal is None:
        idle = [name for name in ("namespace", "task_queue") if getattr(options, name, None) is not None]
        if idle:
            option = f"--{idle[0].replace('_', '-')}"
            raise Misuse(option, found="no --temporal", expected="a server", mend="Add --temporal HOST:PORT.")
        return None
    for name in REFUSED.get(command, ()):
        if getattr(options, name) != options.unset(name):
            option = f"--{name.replace('_', '-')}"
            raise Misuse(option, found="--temporal beside it", expected="one of the two", mend=f"Leave {option} out.")
    try:
        from orchestration.cli.temporal import COMMANDS  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        mend = "pip install 'orchestration[temporal]'"
        raise Misuse("--temporal", found=str(error), expected="Temporal's client", mend=mend) from error
    return COMMANDS[command]
