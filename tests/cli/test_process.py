"""The command as a process of its own: signals, pipes, and ends that only a process has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import orchestration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Folder

    Launch = Callable[..., subprocess.Popen[str]]

WAITING = """
    import asyncio
    import sys

    from orchestration import Workflow


    async def reserve(order: str) -> str:
        return order


    async def release(order: str) -> None:
        print("releasing", file=sys.stderr, flush=True)
        await asyncio.to_thread(sys.stdin.readline)


    async def wait(order: str) -> str:
        print("waiting", file=sys.stderr, flush=True)
        await asyncio.Event().wait()
        return order


    async def refuse(order: str) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass


    waiting = Workflow[str]("waiting").step(reserve).compensate(release).step(wait)
    stubborn = Workflow[str]("stubborn").step(reserve).compensate(release).step(refuse, attempt_timeout=0.01)
"""


@pytest.fixture
def launch(folder: Folder) -> Iterator[Launch]:
    """Start the command in the folder; it is killed if the test leaves it behind."""
    folder.write("flows.py", WAITING)
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestration", *arguments],
            cwd=folder.path,
            env={**os.environ, "PYTHONPATH": str(Path(orchestration.__file__).parent.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Read stderr up to a line."""
    assert process.stderr is not None
    seen = []
    for text in process.stderr:
        seen.append(text)
        if text == f"{line}\n":
            return
    pytest.fail(f"the command ended without saying {line!r}; it said {seen}")


def test_python_m_orchestration(launch: Launch) -> None:
    """`python -m orchestration` is the command."""
    process = launch("check", "flows.py:waiting")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("OK waiting: 3 nodes, needs no services, fingerprint ")


@pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot send these signals to another")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_signal_cancels_and_undoes(launch: Launch, number: signal.Signals, options: list[str]) -> None:
    """S28: Ctrl-C (or SIGTERM) cancels the run, what it has done is undone, and the command exits 130."""
    process = launch("run", "flows.py:waiting", "--input", '"order"', "--run-id", "r", *options)
    wait_for(process, "waiting")
    process.send_signal(number)
    out, err = process.communicate("\n", timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.endswith("waiting was cancelled (run r): interrupted\nrollback complete\n  waiting/reserve: undone\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot send these signals to another")
def test_second_signal_does_not_abort_the_unwinding(launch: Launch) -> None:
    """S24: a second Ctrl-C while the run is being unwound changes nothing."""
    process = launch("run", "flows.py:waiting", "--input", '"order"')
    wait_for(process, "waiting")
    process.send_signal(signal.SIGINT)
    wait_for(process, "releasing")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate("\n", timeout=60)
    assert process.returncode == 130
    assert err.endswith("rollback complete\n  waiting/reserve: undone\n")


def test_leaked_step_does_not_hold_the_command(launch: Launch) -> None:
    """S24: a step that refuses to end is named, and the command ends all the same."""
    process = launch("run", "flows.py:stubborn", "--input", '"order"', "--quiet")
    _, err = process.communicate("\n", timeout=60)
    assert process.returncode == 1
    assert err.endswith("stubborn/refuse#1: still at work when the run ended, its effect may yet land\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there a pipe that nobody reads is another error")
def test_reader_that_goes_away(launch: Launch) -> None:
    """A reader that has read enough, as `head` does, is no error."""
    process = launch("graph", "flows.py:waiting")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 0
