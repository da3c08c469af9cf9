"""The pytest plugin: there when it is asked for, and not in the way when it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USED = """
from orchestration import Workflow

def increase(n: int) -> int:
    raise NotImplementedError

def test_used(fake):
    fake.on(increase, 5)
    assert fake.run(Workflow[int]("flow").step(increase), 3).value == 5
"""
UNUSED = """
import sys

def test_unused():
    assert "orchestration" not in sys.modules
"""


def run(path: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Run a test with the plugin, in a process of its own."""
    (path / "test_it.py").write_text(test, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--noconftest",
        "-p",
        "pytest_orchestration",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [*command, "--rootdir", str(path), str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_test_asks_for_a_fake(tmp_path: Path) -> None:
    """The fixture is a fake that answers nothing yet."""
    ended = run(tmp_path, USED)
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_a_test_that_does_not_is_not_held_up(tmp_path: Path) -> None:
    """The library is not even imported."""
    ended = run(tmp_path, UNUSED)
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr
