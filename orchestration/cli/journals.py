"""The journal that a command works on, and what the engines of commands are told about it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orchestration.cli.loading import load_module, lookup
from orchestration.cli.misuse import Misuse, whereabouts
from orchestration.errors import RunNotFound
from orchestration.journal.sqlite import SqliteJournal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator
    from types import ModuleType

    from orchestration.journal.protocol import Head, Journal
    from orchestration.plan.sealing import Cipher

VARIABLE = "ORCHESTRATION_JOURNAL"
LEASE = 10.0  # seconds; whoever goes on after a crash waits no longer than that


def add_journal(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the journal."""
    parser.add_argument(
        "--journal",
        metavar="FILE",
        default=os.environ.get(VARIABLE) or None,
        help=f"the file that keeps durable runs (default: that of the environment variable {VARIABLE})",
    )


def add_cipher(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names what seals secrets."""
    parser.add_argument(
        "--cipher",
        metavar="REF",
        help="what seals secrets in the journal, or a function that returns it: named like --services",
    )


def add_ownership(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of commands that drive durable runs."""
    add_journal(parser)
    add_cipher(parser)
    parser.add_argument(
        "--lease",
        metavar="SECONDS",
        type=float,
        default=LEASE,
        help="after how many seconds without a sign of life another process may take a run over (default: %(default)g)",
    )


@contextmanager
def opened(options: argparse.Namespace, *, new: bool = False) -> Generator[Journal]:
    """Have the journal open; one that is not there is made only if it may be `new`.

    Raises:
        Misuse: if none is named, or it is not there.
        JournalError: if it cannot be opened, or is none.
    """
    given: str | None = options.journal
    if given is None:
        mend = f"Give --journal FILE, or set {VARIABLE}."
        raise Misuse("--journal", found="no journal", expected="the file that keeps the runs", mend=mend)
    if not new and not Path(given).exists():
        mend = "Look at the path; `run`, `submit` and `worker` make a new one."
        raise Misuse(given, found="no such file", expected="a journal", mend=mend)
    journal = SqliteJournal(given)
    try:
        yield journal
    finally:
        journal.close()


def head_of(journal: Journal, run_id: str) -> Head | None:
    """Return what is known of a run, `None` if there is none of this id."""
    try:
        return journal.head(run_id)
    except RunNotFound:
        return None


def find_cipher(reference: str | None, beside: ModuleType) -> Cipher | None:
    """Return what `--cipher` names, or what it returns.

    Raises:
        Misuse: if it is no cipher.
    """
    if reference is None:
        return None
    source, _, name = reference.rpartition(":")
    value: Any = lookup(load_module(source) if source else beside, name, f"--cipher {reference}")
    if callable(value) and not _is_cipher(value):
        try:
            value = value()
        except (Exception, SystemExit) as error:
            mend = "Mend it there; --debug shows the traceback."
            raise Misuse("--cipher", found=whereabouts(error), expected="a cipher", mend=mend) from error
    if not _is_cipher(value):
        mend = "Name one that encrypts and decrypts bytes, like cryptography.fernet.Fernet(key)."
        raise Misuse("--cipher", found=f"a {type(value).__name__}", expected="a cipher", mend=mend)
    return cast("Cipher", value)


def _is_cipher(value: object) -> bool:
    methods = (getattr(value, name, None) for name in ("encrypt", "decrypt"))
    return not isinstance(value, type) and all(map(callable, methods))
