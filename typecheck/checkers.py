"""The four type checkers: how each is run over all cases at once, and what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "typecheck"


@dataclass(frozen=True)
class Said:
    """What a checker says of a line; `file` is relative to the folder of the cases."""

    file: str
    line: int
    code: str
    text: str

    def __str__(self) -> str:
        return f"{os.path.normpath(f'typecheck/{self.file}')}:{self.line}: {self.text}  [{self.code}]"


@dataclass(frozen=True)
class Checker:
    """A checker: its command, and how its report is read."""

    name: str
    command: tuple[str, ...]
    read: Callable[[str], Iterator[Said]]

    def version(self) -> str:
        """Return its name and version."""
        told = _run([_program(self.name), "--version"]).stdout
        found = re.search(r"\d+\.\d+[\w.]*", told)
        if found is None:
            raise RuntimeError(f"{self.name} does not tell its version: {told!r}")
        return f"{self.name} {found.group()}"

    def look(self) -> list[Said]:
        """Return what it says of all cases.

        Raises:
            RuntimeError: if it broke off.
        """
        done = _run([_program(self.name), *(part.format(python=sys.executable) for part in self.command)])
        if done.returncode not in (0, 1):  # 1: there was something to say
            raise RuntimeError(f"{self.name} broke off with {done.returncode}\n{done.stdout}{done.stderr}")
        return sorted(self.read(done.stdout), key=lambda said: (said.file, said.line))  # of a line, in its own order


def _program(name: str) -> str:
    """Return the path of a program: the one beside this Python before any other."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        raise RuntimeError(f"{name} is not installed: python3 noxfile.py typecheck installs it")
    return found


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own


def _file(path: str) -> str:
    """Return a path as seen from the folder of the cases."""
    return Path(os.path.relpath(ROOT / path, CASES)).as_posix()


def _of_mypy(report: str) -> Iterator[Said]:
    for line in report.splitlines():
        said: dict[str, Any] = json.loads(line)
        text = "\n".join(filter(None, [said["message"], said["hint"]]))
        code = said["code"] if said["severity"] == "error" else said["severity"]
        yield Said(_file(said["file"]), said["line"], code, text)


def _of_pyright(report: str) -> Iterator[Said]:
    for said in json.loads(report)["generalDiagnostics"]:
        line = said["range"]["start"]["line"] + 1
        text = said["message"].replace("\N{NO-BREAK SPACE}", " ")  # its indent
        yield Said(_file(said["file"]), line, said.get("rule", said["severity"]), text)


def _of_pyrefly(report: str) -> Iterator[Said]:
    for said in json.loads(report)["errors"]:
        yield Said(_file(said["path"]), said["line"], said["name"], said["description"])


def _of_ty(report: str) -> Iterator[Said]:
    for said in json.loads(report):
        line = said["location"]["positions"]["begin"]["line"]
        code = said["check_name"]
        yield Said(_file(said["location"]["path"]), line, code, said["description"].removeprefix(f"{code}: "))


MYPY = Checker(
    "mypy",
    (
        *("--output=json", "--no-error-summary", "--warn-unused-ignores"),
        f"--cache-dir={os.devnull}",  # what comes from a cache is shown with its options in another order
        "typecheck",
    ),
    _of_mypy,
)
PYRIGHT = Checker("pyright", ("--project", "typecheck", "--pythonpath", "{python}", "--outputjson"), _of_pyright)
PYREFLY = Checker(
    "pyrefly",
    (
        *("check", "--config", "typecheck/pyrefly.toml", "--python-interpreter-path", "{python}"),
        *("--output-format", "json", "--summary=none"),
    ),
    _of_pyrefly,
)
TY = Checker(
    "ty",
    (
        *("check", "--config-file", "typecheck/ty.toml", "--python", "{python}"),
        *("--output-format", "gitlab", "typecheck"),
    ),
    _of_ty,
)
