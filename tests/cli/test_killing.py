"""Durable runs in processes of their own: what only an end of a process shows."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from orchestration.cli.performing import STOPPING
from tests.cli.test_process import launch, wait_for

if TYPE_CHECKING:
    from tests.cli.conftest import Folder
    from tests.cli.test_process import Launch

__all__ = ["launch"]  # a fixture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there a process cannot send these signals to another")

STEADY = """
    import asyncio
    import sys
    from pathlib import Path

    from orchestration import Workflow


    async def reserve(order: str) -> str:
        print("reserving", file=sys.stderr, flush=True)
        return order


    async def release(order: str) -> None:
        print("releasing", file=sys.stderr, flush=True)


    async def wait(order: str) -> str:
        print("waiting", file=sys.stderr, flush=True)
        while not Path("go").exists():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                if not Path("stubborn").exists():
                    raise
        return order


    steady = Workflow[str]("steady").step(reserve).compensate(release).step(wait)
"""
RUN = ("run", "steady.py:steady", "--input", '"tea"', "--journal", "runs.db", "--run-id", "r", "--lease", "2")


@pytest.fixture
def steady(folder: Folder) -> Folder:
    """Give a folder with `steady.py`, whose run waits for the file `go`."""
    folder.write("steady.py", STEADY)
    return folder


def test_a_killed_run_goes_on_where_it_was(launch: Launch, steady: Folder) -> None:
    """S35: the same command once more waits for the lease, says so, and does nothing twice that was done."""
    process = launch(*RUN)
    wait_for(process, "waiting")
    process.kill()
    process.communicate()
    steady.write("go", "")
    out, err = launch(*RUN).communicate(timeout=60)
    assert out == '"tea"\n'
    assert "r: taken up again at record 2\n" in err
    assert "steady/wait: 1 done, 1 lost\n" in err
    assert "reserving" not in err


def test_a_worker_that_is_told_to_end_leaves_its_runs_in_order(launch: Launch, steady: Folder) -> None:
    """S30: SIGTERM stops it; it exits 0, undoes nothing, and the next one need not wait."""
    submit = launch("submit", *RUN[1:-2])
    assert submit.communicate(timeout=60) == ("r\n", "")
    worker = launch("worker", "steady.py:steady", "--journal", "runs.db")
    wait_for(worker, "waiting")
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=60)
    assert (worker.returncode, out) == (0, "")
    assert err == f"{STOPPING}\nsteady r: stopped\nstopped: what was under way is left to whoever takes it up\n"
    steady.write("go", "")
    _, err = launch("worker", "steady.py:steady", "--journal", "runs.db", "--drain").communicate(timeout=60)
    assert err == "steady r: taken up again\nwaiting\nsteady r: succeeded\n"


def test_a_second_signal_ends_a_durable_run_at_once(launch: Launch, steady: Folder) -> None:
    """S30: whoever cannot wait for the grace need not; nothing is undone."""
    steady.write("stubborn", "")
    process = launch(*RUN)
    wait_for(process, "waiting")
    process.send_signal(signal.SIGINT)
    wait_for(process, STOPPING)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "ended at once: what was under way counts as lost\n"
