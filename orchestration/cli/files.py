"""Where a command writes what it makes: to a file, or to stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.cli.exits import Exit
from orchestration.cli.misuse import Misuse
from orchestration.cli.telling import say, show
from orchestration.observe.terminal import escape

if TYPE_CHECKING:
    import argparse


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the file."""
    parser.add_argument("--output", "-o", metavar="FILE", help="the file to write to (default: stdout)")


def check_place(option: str, file: str | None) -> None:
    """See to it that a file can be made, before anything is done that is worth to be written.

    Raises:
        Misuse: if it cannot.
    """
    if file is None:
        return
    path = Path(file)
    if path.is_dir() or not path.parent.is_dir():
        found = "a folder" if path.is_dir() else "no such folder"
        raise Misuse(
            f"{option} {file}", found=found, expected="a file in a folder that is there", mend="Look at the path."
        )


def write(content: str | bytes, file: str | None, option: str = "--output") -> Exit:
    """Write to a file, or to stdout.

    Raises:
        Misuse: if there is no such place, or bytes would go to a terminal.
    """
    if file is not None:
        check_place(option, file)
        return save(content, file)
    if isinstance(content, bytes):
        if sys.stdout.isatty():
            mend = f"Give {option} FILE."
            raise Misuse(option, found="a terminal", expected="a file for a picture of pixels", mend=mend)
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        show(content.rstrip("\n"))
    return Exit.SUCCESS


def save(content: str | bytes, file: str) -> Exit:
    """Write a file; say so if that fails, as what it tells of has happened."""
    try:
        Path(file).write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        say(f"error: {escape(file)}: {escape(str(error))}")
        return Exit.FAILED
    return Exit.SUCCESS
