"""The input of a run, from the command line, a file or stdin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.cli.misuse import Misuse
from orchestration.errors import InvalidInput
from orchestration.runtime.boundary import parse_input

if TYPE_CHECKING:
    from orchestration.plan.compile import Plan


def read_input(plan: Plan, given: str) -> object:
    """Return the input for a plan: `given` is JSON, `@` and the path of a file that holds it, or `-` for stdin.

    Raises:
        Misuse: if it cannot be read, is no JSON (the message names line and column) or does not fit the plan (S12).
    """
    try:
        return parse_input(plan, _text(given))
    except InvalidInput as error:
        raise Misuse(_source(given), found=error.found, expected=error.expected, mend=error.mend) from error
    except OSError as error:
        found = f"{error.strerror or error} ({given[1:]})"
        raise Misuse(_source(given), found=found, expected="a file", mend="Look at the path.") from error
    except UnicodeDecodeError as error:
        mend = "Store it as UTF-8."
        raise Misuse(_source(given), found=f"byte {error.start} wrong", expected="UTF-8", mend=mend) from error


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if given.startswith("@"):
        return Path(given[1:]).read_text(encoding="utf-8-sig")
    return given


def _source(given: str) -> str:
    return f"--input {given}" if given == "-" or given.startswith("@") else "--input"
