"""Repetitions: the order follows from the seed, and the first failure ends all and is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import repeat

FILES = {
    "test_one.py": "def test_a(): ...\ndef test_b(): ...\n",
    "test_two.py": "def test_c(): ...\ndef test_d(): ...\n",
}


def collected(folder, seed: int) -> list[str]:
    """Return the names of some tests in the order of a seed."""
    options = ["-q", "--collect-only", "-p", "tests.repeat", f"--order={seed}", f"--rootdir={folder}", str(folder)]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=repeat.ROOT, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_the_order_follows_from_the_seed(tmp_path) -> None:
    """The same seed gives the same order again, another one another; files are mixed, and no test is lost."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    first = collected(tmp_path, 1)
    assert first == collected(tmp_path, 1)
    assert first != sorted(first)
    assert len(set(first)) == 4
    orders = {tuple(sorted(first, key=lambda name, seed=seed: repeat.place(seed, name))) for seed in range(100)}
    assert len(orders) == 24, "all orders of four tests come up"


def outcomes_of(monkeypatch, capsys, script: str) -> tuple[int, str]:
    """Return the exit code, and what is said, when each repetition is this script, which knows its `seed`."""
    monkeypatch.setattr(repeat, "command_of", lambda seed: ["python", "-c", f"seed = {seed}\n{script}"])
    monkeypatch.setenv("REPETITIONS", "4")
    monkeypatch.setenv("REPEAT_SEED", "10")
    code = repeat.main()
    return code, capsys.readouterr().out


def test_all_that_pass_are_counted(monkeypatch, capsys) -> None:
    """Each is told with its seed."""
    code, said = outcomes_of(monkeypatch, capsys, "print('7 passed')")
    assert code == 0
    assert all(f"seed {seed}: 7 passed" in said for seed in (10, 11, 12, 13))
    assert "4 repetitions in random order passed" in said


def test_the_first_failure_ends_all(monkeypatch, capsys) -> None:
    """It is told with its seed and the command that shows it again; what runs beside it is ended."""
    script = "import time\nif seed == 10:\n raise SystemExit('test_x failed')\ntime.sleep(60)"
    monkeypatch.setattr(repeat.os, "cpu_count", lambda: 2)
    code, said = outcomes_of(monkeypatch, capsys, script)
    assert code == 1
    assert "test_x failed" in said
    assert "The order of seed 10 fails, after 0 that passed" in said
    assert "seed = 10" in said.rpartition("To see it again:")[2]


@pytest.mark.parametrize("path", repeat.LEFT_OUT)
def test_what_is_left_out_is_there(path: str) -> None:
    """A name that has moved would be repeated unnoticed."""
    assert (repeat.ROOT / path).exists()
