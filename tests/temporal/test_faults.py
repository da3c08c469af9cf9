"""Workers and servers are killed: nothing that was completed runs again, and the run comes to its end (S35)."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Cancelled, Succeeded
from orchestration.engines.temporal import TemporalEngine, connected
from tests.temporal.servers import binary
from tests.temporal.shift import CARRYING, EVERYTHING, LINGERING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.temporal.servers import Server

ROOT = Path(__file__).parents[2]
QUEUES = count()
KILLS = int(os.environ.get("TEMPORAL_KILLS", "1"))  # of workers that share a run; the session `temporal` has more


class Shift:
    """Workers in processes of their own, and what they have noted."""

    def __init__(self, folder: Path, target: str) -> None:
        """Have no worker yet."""
        self.notes_path = folder / "notes"
        self.notes_path.touch()
        self.target = target
        self.queue = f"shift-{os.getpid()}-{next(QUEUES)}"
        self.processes: list[subprocess.Popen[bytes]] = []

    async def begin(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until it works."""
        env = {**os.environ, "SHIFT_NOTES": str(self.notes_path), "SHIFT_NAME": name}
        command = [sys.executable, "-m", "tests.temporal.shift", self.target, self.queue]
        process = subprocess.Popen(command, env=env, cwd=ROOT)  # noqa: ASYNC220 - it returns at once
        self.processes.append(process)
        await until(lambda: f"up {name}" in self.notes)
        return process

    @property
    def notes(self) -> list[str]:
        """What the bodies have done."""
        return self.notes_path.read_text().splitlines()

    def allow(self) -> None:
        """Let who lingers end."""
        self.notes_path.with_name("allowed").touch()

    def kill(self) -> None:
        """Kill all workers."""
        for process in self.processes:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process without a word."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; a test that never comes there is stopped by pytest."""
    while not holds():
        await asyncio.sleep(0.05)


@contextmanager
def shift_at(folder: Path, target: str) -> Iterator[Shift]:
    """Yield a shift, and end it."""
    shift = Shift(folder, target)
    try:
        yield shift
    finally:
        shift.kill()


def lingerers(shift: Shift) -> list[str]:
    """Return the attempts of the step that takes for ever."""
    return [line for line in shift.notes if line.startswith("linger ")]


def test_a_killed_worker_is_replaced(real: Server, tmp_path: Path) -> None:
    """S35: what it had completed is not run again; what was under way is, with the same key."""

    async def main(shift: Shift) -> Any:
        engine = TemporalEngine(real.client, task_queue=shift.queue, heartbeat=1.0)
        first = await shift.begin("first")
        handle = await engine.start(LINGERING, 1, run_id="killed")
        await until(lambda: len(lingerers(shift)) == 1)
        kill(first)
        shift.allow()
        await shift.begin("second")
        return await handle.result()

    with shift_at(tmp_path, real.target) as shift:
        assert real.run(main(shift)) == Succeeded(3, "killed")
        assert [line for line in shift.notes if not line.startswith("up")] == [
            "begin 1",
            "linger 2 killed:lingering/linger",
            "linger 2 killed:lingering/linger",
            "lingered 2",
        ]


def test_a_run_whose_worker_was_killed_is_cancelled(real: Server, tmp_path: Path) -> None:
    """S28, S35: the lost attempt is in doubt; what had been done is undone by another worker."""

    async def main(shift: Shift) -> Any:
        engine = TemporalEngine(real.client, task_queue=shift.queue, heartbeat=1.0)
        first = await shift.begin("first")
        handle = await engine.start(LINGERING, 1, run_id="cancelled")
        await until(lambda: len(lingerers(shift)) == 1)
        kill(first)
        await handle.cancel("enough")
        await shift.begin("second")
        return await handle.result()

    with shift_at(tmp_path, real.target) as shift:
        outcome = real.run(main(shift))
        assert isinstance(outcome, Cancelled)
        assert [str(step) for step in outcome.rollback.steps] == [
            "lingering/linger: IN DOUBT, nobody knows whether its effect landed",
            "lingering/begin: undone",
        ]
        assert shift.notes[-1] == "give back 2"


def test_two_workers_share_the_steps_of_a_run_and_one_dies(real: Server, tmp_path: Path) -> None:
    """S35: the other does the rest, and nothing that was completed again; a killed one is replaced, and so on."""

    async def main(shift: Shift) -> Any:
        engine = TemporalEngine(real.client, task_queue=shift.queue, heartbeat=1.0)
        for number in range(2):
            await shift.begin(f"number-{number}")
        handle = await engine.start(CARRYING, 60 * KILLS, run_id="shared")
        for number in range(KILLS):
            await until(lambda number=number: any(f"by number-{number}" in line for line in shift.notes))
            await until(lambda number=number: any(f"by number-{number + 1}" in line for line in shift.notes))
            kill(shift.processes[number])
            if number < KILLS - 1:
                await shift.begin(f"number-{number + 2}")
        outcome = await handle.result()
        return outcome, [event async for event in handle.events()]

    with shift_at(tmp_path, real.target) as shift:
        outcome, events = real.run(main(shift), 60 * KILLS)
        assert outcome == Succeeded(list(range(60 * KILLS)), "shared")
        lost = [event for event in events if type(event).__name__ == "StepLost"]
        carried = [line.split()[1] for line in shift.notes if line.startswith("carried")]
        assert len(lost) <= 3 * KILLS  # as many as a worker had under way
        assert len(carried) - len(set(carried)) <= len(lost)  # these may have noted it before they were killed


@pytest.mark.parametrize("loses", [False, True], ids=["both live", "one dies"])
def test_a_cancel_in_the_middle_of_everything(*, loses: bool, real: Server, tmp_path: Path) -> None:
    """S23, S28, S29: attempts, threads, items, a sleep, a backoff, a wait end; what was done is undone, once."""

    def in_the_middle(shift: Shift) -> bool:
        return (len(lingerers(shift)), *(shift.notes.count(line) for line in ("in a thread", "fail"))) == (
            4,
            1,
            1,
        )

    async def main(shift: Shift) -> Any:
        engine = TemporalEngine(real.client, task_queue=shift.queue, heartbeat=1.0)
        workers = [await shift.begin(name) for name in ("first", "second")]
        handle = await engine.start(EVERYTHING, 1, run_id=f"everything-{loses}")
        await until(lambda: in_the_middle(shift))
        while not {"(sleep)", "(backoff)"} <= {line.split()[-1] for line in await handle.progress()}:
            await asyncio.sleep(0.05)
        if loses:
            kill(workers[0])
        await handle.cancel("enough")
        return await handle.result()

    with shift_at(tmp_path, real.target) as shift:
        outcome = real.run(main(shift))
        assert isinstance(outcome, Cancelled)
        notes = [line.rpartition(" ")[::2] for line in shift.notes]
        begun = sorted(int(number) for what, number in notes if what == "begin")
        assert begun == [0, 1, 1, 2, 2, 2, 2, 2, 2, 2]
        assert sorted(int(number) - 1 for what, number in notes if what == "give back") == begun
        assert sorted(int(number) - 1 for what, number in notes if what == "tidy") == begun
        assert {str(step).partition(": ")[2] for step in outcome.rollback.steps} == {"undone"}
        assert len(outcome.rollback.steps) == len(begun)
        assert shift.notes.count("fail") == 1
        assert not any(what == "lingered" for what, _ in notes)


def test_a_stopped_worker_loses_its_attempts_in_order(real: Server, tmp_path: Path) -> None:
    """S30, S35: who is told to stop gives back what is under way at once, uncounted, and the run goes on elsewhere."""

    async def main(shift: Shift) -> Any:
        engine = TemporalEngine(real.client, task_queue=shift.queue, heartbeat=30.0)
        first = await shift.begin("first")
        handle = await engine.start(LINGERING, 1, run_id="stopped")
        await until(lambda: len(lingerers(shift)) == 1)
        first.send_signal(signal.SIGINT)
        await until(lambda: first.poll() is not None)
        shift.allow()
        await shift.begin("second")
        outcome = await handle.result()
        return outcome, [event async for event in handle.events()]

    with shift_at(tmp_path, real.target) as shift:
        outcome, events = real.run(main(shift))
        assert outcome == Succeeded(3, "stopped")
        assert [event.counted for event in events if type(event).__name__ == "StepLost"] == [False]


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[bytes], str]]]:
    """Give what starts a server that keeps its runs in a file, always at the same port."""
    path = binary("temporal")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    begun: list[subprocess.Popen[bytes]] = []
    command = [path, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", port, "--log-level", "never"]

    def start() -> tuple[subprocess.Popen[bytes], str]:
        begun.append(subprocess.Popen([*command, "--db-filename", str(tmp_path / "temporal.db")]))
        return begun[-1], f"127.0.0.1:{port}"

    yield start
    for process in begun:
        kill(process)


def test_a_killed_server_comes_back(mortal: Any, tmp_path: Path, real: Server) -> None:
    """The server and the worker are killed in the middle of a run: with the file of the server it goes on."""

    async def main(shift: Shift, server: subprocess.Popen[bytes]) -> Any:
        engine = TemporalEngine(await connected(shift.target, pause=0.1), task_queue=shift.queue, heartbeat=1.0)
        first = await shift.begin("first")
        await engine.start(LINGERING, 1, run_id="twice")
        await until(lambda: len(lingerers(shift)) == 1)
        kill(server)
        kill(first)
        mortal()
        engine = TemporalEngine(
            await connected(shift.target, pause=0.1), task_queue=shift.queue, heartbeat=1.0, workflows=[LINGERING]
        )
        shift.allow()
        await shift.begin("second")
        return await (await engine.handle("twice")).result()

    server, target = mortal()
    with shift_at(tmp_path, target) as shift:
        assert real.run(main(shift, server)) == Succeeded(3, "twice")
        assert shift.notes.count("begin 1") == 1


def test_a_server_that_was_killed_finds_its_workers_again(mortal: Any, tmp_path: Path, real: Server) -> None:
    """S35: a worker outlives its server, and goes on when that is back; what it had completed is not run again."""

    async def main(shift: Shift, server: subprocess.Popen[bytes]) -> Any:
        engine = TemporalEngine(
            await connected(shift.target, pause=0.1), task_queue=shift.queue, heartbeat=1.0, workflows=[LINGERING]
        )
        await shift.begin("only")
        handle = await engine.start(LINGERING, 1, run_id="alone")
        await until(lambda: len(lingerers(shift)) == 1)
        kill(server)
        mortal()
        shift.allow()
        await connected(shift.target, pause=0.1)
        return await handle.result()

    server, target = mortal()
    with shift_at(tmp_path, target) as shift:
        assert real.run(main(shift, server)) == Succeeded(3, "alone")
        assert shift.notes.count("begin 1") == 1
        assert len({line.split()[-1] for line in lingerers(shift)}) == 1  # the same key, however often
        assert shift.processes[0].poll() is None


def test_a_worker_waits_for_its_server(mortal: Any, real: Server) -> None:
    """A server that is not up yet is waited for, and that is said once."""
    said: list[str] = []

    async def main(target: str) -> None:
        waiting = asyncio.create_task(connected(target, waits=said.append, pause=0.05))
        await until(lambda: bool(said))
        await asyncio.to_thread(mortal)
        await waiting

    server, target = mortal()
    kill(server)
    real.run(main(target))
    assert len(said) == 1
    assert target in said[0]
