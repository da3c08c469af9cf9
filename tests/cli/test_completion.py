"""`orchestration completion`: a shell that has read its script completes the command."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder

BASH = shutil.which("bash")
ASK = (
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _orchestration; for reply in "${COMPREPLY[@]}"; do echo "$reply"; done'
)


@pytest.mark.skipif(BASH is None, reason="needs a bash")
@pytest.mark.parametrize(
    ("line", "replies"),
    [
        (["repl"], ["replay"]),
        (["--v"], ["--version"]),
        (["run", "--q"], ["--quiet"]),
        (["run", "shop.py:x", "--j"], ["--journal", "--json"]),
        (["run", "sh"], ["shop.py"]),
        (["run", "my"], ["my flow.py"]),
        (["run", "shop.py:x", "--journal", "r"], ["runs.db"]),
        (["runs", "--status", "s"], ["succeeded"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["run", "shop.py:x", "--run-id", ""], []),
    ],
    ids=" ".join,
)
def test_bash_completes(command: Command, folder: Folder, line: list[str], replies: list[str]) -> None:
    """Commands, options, the values of options and files are completed, files with spaces in their names as well."""
    for name in ("shop.py", "my flow.py", "runs.db"):
        folder.write(name, "")
    script = command("completion", "bash").out
    asked = [str(BASH), "-c", f"{script}{ASK}", "bash", "orchestration", *line]
    result = subprocess.run(asked, cwd=folder.path, capture_output=True, text=True, check=False, timeout=30)
    told = [reply for reply in result.stdout.splitlines() if reply]
    assert (sorted(told), result.returncode, result.stderr) == (replies, 0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_option_is_in_the_script(command: Command, shell: str) -> None:
    """A script is made from the parser itself: what the help tells of, it completes."""
    script = command("completion", shell).out
    for word in ("worker", "completion", "--max-runs", "--older-than", "--against", "mermaid"):
        assert (word.removeprefix("--") if shell == "fish" else word) in script


def test_help_texts_are_quoted_for_zsh(command: Command) -> None:
    """In zsh, colons and brackets in a description would end it."""
    script = command("completion", "zsh").out
    assert r"--services[a Services, or a function that returns one\: FILE.py\:NAME" in script
