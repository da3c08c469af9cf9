"""`submit` and `worker`, in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from orchestration import LocalEngine, Workflow
from orchestration.cli.performing import STOPPING
from orchestration.journal.memory import MemoryJournal
from orchestration.runtime.worker import Worker
from tests.cli.test_durable import THIEF, head
from tests.durable.workflows import inc, refuse

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder

pytestmark = pytest.mark.usefixtures("claims")
PAID = ("run", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
HOW = "go on with it: orchestration resume claims.py:paid r --journal runs.db\n"


def test_a_submitted_run_waits_for_a_worker(command: Command, claims: Folder) -> None:
    """S34: it is durable when its id is printed; the worker runs it, and says when it begins and ends."""
    submitted = command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
    assert submitted == (0, "r\n", "")
    assert "submitted" in command("runs", "--journal", "runs.db").out
    worked = command("worker", "claims.py:paid", "--journal", "runs.db", "--drain")
    assert worked == (0, "", "paid r: begun\nfiling\npaid r: succeeded\n")
    assert head(claims).position == 3


def test_a_submitted_run_can_be_begun_at_once(command: Command) -> None:
    """`resume` takes up what nobody has begun as well."""
    command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
    result = command("resume", "claims.py:paid", "r", "--journal", "runs.db")
    assert (result.code, result.out) == (0, '"paid claim over 9"\n')
    assert result.err.startswith("r: submitted before, begins now\n")


def test_to_submit_twice(command: Command) -> None:
    """S5: the same id and input is the same run; another input is refused."""
    for _ in range(2):
        assert command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r").code == 0
    taken = command("submit", "claims.py:paid", "--input", "8", "--journal", "runs.db", "--run-id", "r")
    assert taken.code == 2
    assert "with another workflow or input" in taken.err
    assert len(command("submit", "claims.py:paid", "--input", "8", "--journal", "runs.db").out) == 33


@pytest.mark.parametrize("run_id", ["a:b", "a\n", ""])
def test_ids_that_cannot_be(command: Command, run_id: str) -> None:
    """S4: a run id is printable and holds no colon."""
    result = command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", run_id)
    assert result.code == 2
    assert "a text of printable characters without a colon" in result.err


@pytest.mark.parametrize("until", ["--once", "--drain"])
def test_a_worker_puts_down_what_waits(command: Command, until: str) -> None:
    """A run that waits is no run under way; a signal makes it due again, and a cancel as well."""
    for name in ("claim", "nap"):
        command("submit", f"claims.py:{name}", "--input", "9", "--journal", "runs.db", "--run-id", name)
    work = ("worker", "claims.py:claim", "claims.py:nap", "--journal", "runs.db", until)
    first = command(*work)
    assert "claim claim: waiting for a signal\n" in first.err
    assert "nap nap: waiting until 2" in first.err
    assert command(*work) == (0, "", "")
    assert command("signal", "claim", "approval", '{"by": "Kim"}', "--journal", "runs.db").code == 0
    assert command("cancel", "nap", "--journal", "runs.db", "--reason", "enough").code == 0
    second = command(*work)
    assert "claim claim: taken up again\n" in second.err
    assert "claim claim: succeeded\n" in second.err
    assert "nap nap: cancelled: enough; nothing to undo\n" in second.err


def test_a_worker_says_how_runs_fail(command: Command, claims: Folder) -> None:
    """A run that fails is a line, and no reason for the worker to end otherwise."""
    claims.write("error", "")
    command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
    result = command("worker", "claims.py:paid", "--journal", "runs.db", "--once")
    assert result.code == 0
    assert result.err.endswith("paid r: failed: paid/pay: ValueError: error; rollback complete\n")


def test_a_worker_leaves_what_it_cannot_take_on(command: Command) -> None:
    """S36: it says so once, with the difference, and goes on with the others, and does not end as if all was well."""
    for run_id in ("a", "b"):
        command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", run_id)
    command("submit", "claims.py:nap", "--input", "9", "--journal", "runs.db", "--run-id", "c")
    work = ("worker", "claims.py:again", "claims.py:nap", "--journal", "runs.db", "--max-runs", "1")
    result = command(*work, "--drain", "--debug")
    assert result.code == 1
    assert "nap c: begun\n" in result.err
    assert result.err.count("error: a: record 0: ") == 1
    assert result.err.count("error: b: record 0: ") == 1
    assert "paid a" not in result.err


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_stops_a_worker(command: Command, claims: Folder, number: str) -> None:
    """S30: its runs are left to whoever takes them up; it exits 0."""
    claims.write(number, "")
    command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
    result = command("worker", "claims.py:paid", "--journal", "runs.db")
    assert (result.code, result.out) == (0, "")
    assert result.err == (
        f"paid r: begun\nfiling\n{STOPPING}\npaid r: stopped\n"
        "stopped: what was under way is left to whoever takes it up\n"
    )
    assert (head(claims).status, head(claims).owner) == ("unfinished", None)


def test_a_step_that_ends_the_worker(command: Command, claims: Folder) -> None:
    """S30: the worker ends with 1, and the run is left."""
    claims.write("quit", "")
    command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
    result = command("worker", "claims.py:paid", "--journal", "runs.db", "--drain")
    assert result.code == 1
    assert "a step ended the worker by SystemExit('quit')\n" in result.err
    assert head(claims).status == "unfinished"


def test_a_worker_drives_so_many_runs_at_a_time(command: Command) -> None:
    """`--max-runs` bounds what is under way, and `--drain` takes up all in the end."""
    for number in range(3):
        command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", f"r{number}")
    work = ("worker", "claims.py:paid", "--journal", "runs.db", "--max-runs", "1")
    assert command(*work, "--once").err.count("succeeded") == 1
    assert command(*work, "--drain").err.count("succeeded") == 2
    assert command("worker", "claims.py:paid", "--journal", "runs.db", "--max-runs", "0").code == 2


def test_workflows_of_one_worker_are_told_apart(command: Command, claims: Folder) -> None:
    """A journal knows workflows by name; and services come from one place."""
    twice = command("worker", "claims.py:paid", "claims.py:again", "--journal", "runs.db")
    assert twice.code == 2
    assert "two workflows called 'paid'" in twice.err
    claims.write("left.py", SERVED)
    claims.write("right.py", SERVED.replace("served", "other"))
    places = command("worker", "left.py:served", "right.py:other", "--journal", "runs.db")
    assert places.code == 2
    assert "services in several files" in places.err
    assert command("worker", "left.py:served", "claims.py:paid", "--journal", "runs.db", "--once").code == 0


SERVED = """
    from orchestration import Services, Workflow


    class Till:
        async def charge(self, value: int) -> int:
            return value


    served = Workflow[int]("served").step(Till.charge)
    services = Services().bind(Till).to(Till())
"""


def test_a_worker_whose_journal_fails(command: Command, claims: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says why, and exits 1: a run may have been under way."""
    command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
    look = Worker.look

    async def closed(self: Worker) -> int:
        self._journal.close()
        return await look(self)

    monkeypatch.setattr(Worker, "look", closed)
    result = command("worker", "claims.py:paid", "--journal", "runs.db", "--drain")
    assert result.code == 1
    assert "found a closed journal" in result.err


def test_what_breaks_a_run_of_a_worker_is_told(command: Command, claims: Folder) -> None:
    """S38: a run that another takes over is a line; the worker goes on."""
    claims.write("thief.py", THIEF)
    command("submit", "thief.py:stolen", "--input", "1", "--journal", "runs.db", "--run-id", "r")
    result = command("worker", "thief.py:stolen", "--journal", "runs.db", "--once")
    assert result.code == 0
    assert "stolen r: broken off: r: found epoch 2, not 1" in result.err


def test_a_worker_that_nobody_listens_to() -> None:
    """S36: it leaves what it cannot take on, and drives the rest."""
    journal = MemoryJournal()
    old, new = (Workflow[int]("flow").step(body) for body in (inc, refuse))

    async def work() -> None:
        await LocalEngine(journal=journal).submit(old, 1, run_id="old")
        engine = LocalEngine(journal=journal)
        await engine.submit(new, 1, run_id="new")
        await Worker(engine, poll=0.01, max_runs=1).drain()

    asyncio.run(work())
    assert (journal.head("old").status, journal.head("new").status) == ("unfinished", "failed")
