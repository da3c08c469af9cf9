"""How the command ends."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes, as `--help` and docs/cli.md list them."""

    SUCCESS = 0
    FAILED = 1
    USAGE = 2
    CANCELLED = 130
