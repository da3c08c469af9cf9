"""The command line on Temporal: `--temporal HOST:PORT`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from orchestration.cli import main
from tests.temporal.test_faults import kill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.temporal.servers import Server

ROOT = Path(__file__).parents[2]
FLOWS = '''
    """Claims, as a user writes them."""

    import asyncio

    from orchestration import Signal, Workflow

    PAID = Signal("paid", int)


    async def file(cents: int) -> int:
        print("filing")
        return cents


    async def refuse(cents: int) -> int:
        raise ValueError("not paid")


    async def hang(cents: int) -> None:
        await asyncio.Event().wait()


    def both(one: int, other: int) -> int:
        return one + other


    claim = Workflow[int]("claim").step(file)
    waiting = Workflow[int]("waiting").wait_for(PAID, both).step(file)
    refused = Workflow[int]("refused").step(refuse)
    endless = Workflow[int]("endless").step(hang)
'''


class Said(NamedTuple):
    """What a command has said."""

    code: int
    out: str
    err: str


class Command:
    """The command, in a folder with workflows, for a server and a queue of its own."""

    def __init__(self, folder: Path, target: str, capture: pytest.CaptureFixture[str]) -> None:
        """Have no worker yet."""
        self.folder = folder
        self.place = ("--temporal", target, "--task-queue", f"cli-{folder.name}")
        self.capture = capture

    def __call__(self, *arguments: str, queue: bool = True) -> Said:
        """Do what the arguments say."""
        self.capture.readouterr()
        code = main([*arguments, *self.place[: 4 if queue else 2]])
        return Said(code, *self.capture.readouterr())

    def worker(self, *references: str, target: str | None = None) -> subprocess.Popen[str]:
        """Start a worker."""
        place = self.place if target is None else ("--temporal", target, *self.place[2:])
        command = [sys.executable, "-m", "orchestration", "worker", *references, *place]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, cwd=self.folder, env=env, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def command(
    tmp_path: Path, real: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Give the command."""
    from textwrap import dedent

    (tmp_path / "flows.py").write_text(dedent(FLOWS))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "flows", raising=False)
    return Command(tmp_path, real.target, capsys)


@pytest.fixture
def worker(command: Command) -> Iterator[subprocess.Popen[str]]:
    """Give a worker that is at work."""
    process = command.worker("flows.py:claim", "flows.py:waiting", "flows.py:refused", "flows.py:endless")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("at work for claim, waiting, refused, endless, on the task queue cli-")
    yield process
    kill(process)
    process.stderr.close()


def test_a_worker_runs_what_is_submitted(command: Command, worker: subprocess.Popen[str]) -> None:
    """A run is begun, signalled, looked at, and waited for, from other processes."""
    name = command.folder.name
    assert command("run", "flows.py:claim", "--input", "9", "--quiet") == (0, "9\n", "")
    assert command("submit", "flows.py:waiting", "--input", "1", "--run-id", name) == (0, f"{name}\n", "")
    shown = command("show", name, queue=False)
    assert (shown.code, "running" in shown.out, "waiting, fingerprint" in shown.out) == (0, True, True)
    sent = command("signal", name, "paid", "10", "--workflow", "flows.py:waiting")
    assert sent == (0, f"{name}: the signal 'paid' is on its way\n", "")
    assert command("run", "flows.py:waiting", "--input", "1", "--run-id", name) == (
        0,
        "11\n",
        f"waiting: run {name} started, for workers on cli-{name}\n",
    )
    ended = json.loads(command("show", name, "--json", queue=False).out)
    assert (ended["status"], ended["workflow"], ended["pending"]) == ("succeeded", "waiting", [])
    worker.send_signal(signal.SIGTERM)
    _, err = worker.communicate(timeout=30)
    assert (worker.returncode, err.splitlines()[-1]) == (0, "stopped: what was under way is left to other workers")


def test_how_runs_end(command: Command, worker: subprocess.Popen[str]) -> None:
    """A run that fails or is cancelled says why, by its own exit code and in `show`."""
    name = command.folder.name
    failed = command("run", "flows.py:refused", "--input", "1", "--run-id", f"{name}-f", "--quiet")
    assert (failed.code, "not paid" in failed.err) == (1, True)
    command("submit", "flows.py:waiting", "--input", "1", "--run-id", f"{name}-c")
    cancelled = command("cancel", f"{name}-c", "--reason", "enough", queue=False)
    assert cancelled == (0, f"{name}-c: the cancel is on its way\n", "")
    assert command("run", "flows.py:waiting", "--input", "1", "--run-id", f"{name}-c", "--quiet").code == 130
    why = [json.loads(command("show", f"{name}-{which}", "--json", queue=False).out) for which in "fc"]
    assert [(run["status"], run["why"]) for run in why] == [
        ("failed", "refused/refuse: ValueError: not paid"),
        ("cancelled", "enough"),
    ]
    while f"{name}-c" not in (listed := command("runs", queue=False).out):  # a server lists a moment later
        time.sleep(0.05)
    assert listed.splitlines()[0].split() == ["run", "workflow", "status", "events", "age"]


@pytest.mark.usefixtures("worker")
def test_an_attempt_under_way_is_shown(command: Command) -> None:
    """By the id of its activity, and with who has it."""
    name = command.folder.name
    command("submit", "flows.py:endless", "--input", "1", "--run-id", name)
    while "pending\n  endless/hang#1  by " not in command("show", name, queue=False).out:
        time.sleep(0.05)
    assert command("cancel", name, queue=False).code == 0
    assert command("run", "flows.py:endless", "--input", "1", "--run-id", name, "--quiet").code == 130


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("worker", "flows.py:claim", "--drain", "--temporal", "localhost:1"), "--drain: found --temporal beside it"),
        (("submit", "flows.py:claim", "--task-queue", "shop"), "--task-queue: found no --temporal"),
        (("submit", "flows.py:claim", "--input", "1", "--temporal", "localhost:1"), "--temporal: found "),
        (("signal", "r", "paid", "1", "--temporal", "SERVER"), "--workflow: found none"),
        (
            ("signal", "r", "paid", '"x"', "--temporal", "SERVER", "--workflow", "flows.py:waiting"),
            "expected int",
        ),
        (("cancel", "no-such-run", "--temporal", "SERVER"), "no-such-run: found no such run on this server"),
        (("show", "no-such-run", "--temporal", "SERVER"), "no-such-run: found no such run on this server"),
    ],
    ids=["drain", "queue", "no server", "unknown signal", "payload", "cancel", "show"],
)
def test_what_cannot_be_done_is_told(arguments: tuple[str, ...], said: str, command: Command, real: Server) -> None:
    """Nothing that was written is ignored, and each error says how to mend it."""
    code = main([real.target if argument == "SERVER" else argument for argument in arguments])
    assert (code, said in command.capture.readouterr().err) == (2, True)


def test_a_worker_waits_for_a_server(command: Command) -> None:
    """One that is not up yet is waited for, and the worker says so; a signal ends it, and is no reason to wait."""
    process = command.worker("flows.py:claim", target="localhost:1")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("waiting for a Temporal server at localhost:1: ")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0
