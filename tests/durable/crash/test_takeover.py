"""S38: a process that was suspended, and awakes when another has its run, stops and does nothing more."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from orchestration.journal.sqlite import SqliteJournal
from tests.durable.crash.client import durable, lines
from tests.durable.crash.server import LEASE, LOST, RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.durable.crash.client import Play

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, which this system cannot")
SCENES = ["approval-silent", "approval-overdrawn", "release-nobody"]  # they wait, for an answer or before a retry


@pytest.mark.parametrize("scene", SCENES)
def test_a_suspended_owner_that_awakes_does_nothing_more(
    scene: str, play: Callable[[str], Play], undisturbed: Callable[[str], object]
) -> None:
    """S38: its next append fails, and it ends without an outcome; the second's is right.

    What it had appended and not begun yet is under way: that may still land, and nothing else.
    """
    expected = undisturbed(scene)
    run = play(scene)
    first, _ = run.server.ask("spawn", scene, run.folder)
    while len(durable(run.folder).records) < 3:
        time.sleep(0.001)
    run.server.ask("kill", scene, run.folder, pid=first, number=signal.SIGSTOP)
    while _holds_the_lock(run):  # then nobody could take over: it was stopped in the midst of writing
        run.server.ask("kill", scene, run.folder, pid=first, number=signal.SIGCONT)
        run.server.ask("kill", scene, run.folder, pid=first, number=signal.SIGSTOP)
    epoch, emitted = _epoch(run), durable(run.folder).emitted
    run.deaths = 1  # as good as dead
    assert run.end() == expected
    records, work = durable(run.folder).checksums, lines(run.folder / "performed")
    (run.folder / "outcome").unlink()
    run.server.ask("kill", scene, run.folder, pid=first, number=signal.SIGCONT)
    code, _ = run.server.ask("wait", scene, run.folder, pid=first, ahead=LEASE)
    assert code == LOST
    assert durable(run.folder).checksums == records
    late = map(str.split, lines(run.folder / "performed")[len(work) :])
    assert {f"{kind} {attempt}" for _, kind, attempt, _ in late} <= {*emitted}
    assert not (run.folder / "outcome").exists()
    assert _epoch(run) == epoch + 1


def _holds_the_lock(run: Play) -> bool:
    with closing(sqlite3.connect(run.folder / "runs.db", timeout=0.0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


def _epoch(run: Play) -> int:
    with closing(SqliteJournal(run.folder / "runs.db")) as journal:
        return journal.head(RUN).epoch
