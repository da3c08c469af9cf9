"""The command `orchestration`: run, draw and check workflows. `orchestration --help` tells how."""

from orchestration.cli.command import main

__all__ = ["main"]
