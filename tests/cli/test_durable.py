"""Durable runs from the command line, in this process: `run --journal` and `resume`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from orchestration import LocalEngine, Workflow
from orchestration.cli.durably import durable_outcome
from orchestration.cli.performing import STOPPING, Performance
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.sqlite import SqliteJournal
from tests.durable.workflows import inc

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder

pytestmark = pytest.mark.usefixtures("claims")
PAID = ("run", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
HOW = "go on with it: orchestration resume claims.py:paid r --journal runs.db\n"


THIEF = """
    import time

    from orchestration import Workflow
    from orchestration.journal.sqlite import SqliteJournal


    async def steal(value: int) -> int:
        journal = SqliteJournal("runs.db")
        journal.acquire("r", "thief", now=time.time() + 1000, until=time.time() + 2000)
        journal.close()
        return value


    stolen = Workflow[int]("stolen").step(steal)
"""


def head(folder: Folder, run_id: str = "r"):
    """Return what the journal knows of a run."""
    journal = SqliteJournal(folder.path / "runs.db")
    try:
        return journal.head(run_id)
    finally:
        journal.close()


# --- run and resume


def test_a_run_that_has_ended_gives_its_recorded_result(command: Command) -> None:
    """S5: the same command once more prints the same and runs nothing."""
    first = command(*PAID)
    assert (first.code, first.out) == (0, '"paid claim over 9"\n')
    assert "filing\n" in first.err
    assert command(*PAID) == (0, first.out, "r: ended before, this is what was recorded\n")
    assert command("resume", "claims.py:paid", "r", "--journal", "runs.db", "--quiet") == (0, first.out, "")


def test_the_journal_of_the_environment(command: Command, claims: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable ORCHESTRATION_JOURNAL stands for `--journal`."""
    monkeypatch.setenv("ORCHESTRATION_JOURNAL", "runs.db")
    assert command("run", "claims.py:paid", "--input", "9", "--run-id", "r", "--quiet").code == 0
    assert head(claims).status == "succeeded"


def test_a_run_without_an_id_gets_one(command: Command) -> None:
    """Two runs without an id are two runs."""
    for _ in range(2):
        assert command(*PAID[:-2], "--quiet").code == 0
    assert command("runs", "--journal", "runs.db").out.count("succeeded") == 2


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_stops_a_durable_run(command: Command, claims: Folder, number: str) -> None:
    """S30: it undoes nothing, says how to go on, and exits 130; what was done is not done again (S35)."""
    claims.write(number, "")
    stopped = command(*PAID)
    assert (stopped.code, stopped.out) == (130, "")
    assert stopped.err.endswith(f"paid was stopped (run r): nothing is undone\n{HOW}")
    assert "withdrawing" not in stopped.err
    assert (head(claims).status, head(claims).owner) == ("unfinished", None)
    position = head(claims).position
    again = command("resume", "claims.py:paid", "r", "--journal", "runs.db")
    assert (again.code, again.out) == (0, '"paid claim over 9"\n')
    assert again.err.startswith(f"r: taken up again at record {position}\n")
    assert "filing" not in again.err


def test_a_run_that_ends_while_it_is_stopped(command: Command, claims: Folder) -> None:
    """S30: what ends within the grace is recorded, be it the last step; then the run has ended, and is told as such."""
    claims.write("SIGTERM", "and end")
    assert command(*PAID, "--quiet") == (0, '"paid claim over 9"\n', f"filing\n{STOPPING}\n")
    claims.write("SIGTERM", "and end")
    command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "s")
    assert "paid s: succeeded\n" in command("worker", "claims.py:paid", "--journal", "runs.db").err


@pytest.mark.parametrize(
    ("what", "code", "said"), [("quit", 1, "SystemExit('quit')"), ("interrupt", 130, "KeyboardInterrupt('interrupt')")]
)
def test_a_step_that_ends_the_process_stops_a_durable_run(
    command: Command, claims: Folder, what: str, code: int, said: str
) -> None:
    """S30: it is no failure, and the run can be gone on with, which the counts of what was done before show."""
    claims.write(what, "")
    stopped = command(*PAID)
    assert stopped.code == code
    assert stopped.err.endswith(f"paid was stopped by {said}\n{HOW}")
    again = command(*PAID)
    assert (again.code, again.out) == (0, '"paid claim over 9"\n')
    assert "r: taken up again at record 2\n" in again.err
    assert "filing" not in again.err


def test_a_durable_run_that_fails(command: Command, claims: Folder) -> None:
    """A failure is told as ever, and once more from the journal."""
    claims.write("error", "")
    first, second = command(*PAID, "--quiet"), command(*PAID, "--quiet")
    assert (first.code, second.code) == (1, 1)
    assert first.err == f"filing\nwithdrawing\n{second.err}"
    assert second.err == (
        "paid failed (run r)\n  paid/pay: ValueError: error\nrollback complete\n  paid/file_claim: undone\n"
    )


def test_an_id_of_another_run(command: Command) -> None:
    """S5: an id is for one workflow and input."""
    command(*PAID)
    taken = command("run", "claims.py:paid", "--input", "8", "--journal", "runs.db", "--run-id", "r")
    assert taken.code == 2
    assert taken.err.startswith("error: r: found a run of this id in the journal")


def test_a_run_of_another_process_is_waited_for(
    command: Command, claims: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S38: a run has one owner; whoever comes second says whom it waits for, and takes over when the lease is over."""
    command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
    journal = SqliteJournal(claims.path / "runs.db")
    lease = journal.acquire("r", "somebody", now=time.time(), until=time.time() + 1000)
    waited: list[float] = []

    async def let_go(seconds: float) -> None:
        waited.extend([seconds] if seconds else [])  # a turn of the loop is no wait
        if len(waited) == 2:
            journal.release(lease)

    monkeypatch.setattr("orchestration.cli.durably.asyncio.sleep", let_go)
    result = command("resume", "claims.py:paid", "r", "--journal", "runs.db")
    journal.close()
    assert (result.code, result.out, len(waited)) == (0, '"paid claim over 9"\n', 2)
    assert result.err.count("r: waiting for a lease of somebody for ") == 1


def test_a_run_that_another_process_takes_over(command: Command, claims: Folder) -> None:
    """S38: who has lost it stops, without undoing anything, and exits 1."""
    claims.write("thief.py", THIEF)
    result = command("run", "thief.py:stolen", "--input", "1", "--journal", "runs.db", "--run-id", "r", "--quiet")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: r: found epoch 2, not 1")
    assert result.err.endswith("go on with it: orchestration resume thief.py:stolen r --journal runs.db\n")


def test_a_plan_that_cannot_be_durable(command: Command) -> None:
    """S37: it is refused before anything runs."""
    result = command("run", "claims.py:lambdas", "--input", "1", "--journal", "runs.db")
    assert result.code == 2
    assert "found a lambda as a step" in result.err


@pytest.mark.parametrize("name", ["resume", "replay"])
def test_a_run_of_another_workflow(command: Command, name: str) -> None:
    """S36: a journal holds no code; the workflow that is named has to be the run's."""
    command(*PAID)
    result = command(name, "claims.py:claim", "r", "--journal", "runs.db")
    assert result.code == 2
    assert "paid" in result.err
    assert result.err.count("\n") == 1


def test_a_changed_workflow_is_not_gone_on_with(command: Command, claims: Folder) -> None:
    """S36: the first difference is told, as recorded and as attempted."""
    claims.write("quit", "")
    command(*PAID)
    result = command("resume", "claims.py:again", "r", "--journal", "runs.db")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: r: record 0: paid/file_claim#1: found RunStep paid/pay#1 pay ")
    assert "; expected RunStep paid/file_claim#1 file_claim " in result.err
    assert head(claims).epoch == 1


def test_an_outcome_that_is_not_durable_is_none() -> None:
    """S34: the machine goes ahead of the log; what a stopped process has not written did not happen."""
    journal = MemoryJournal()

    async def work() -> None:
        engine = LocalEngine(journal=journal)
        handle = await engine.start(Workflow[int]("flow").step(inc), 1, run_id="r")
        assert durable_outcome(journal, handle) is None
        outcome = await handle.result()
        assert durable_outcome(journal, handle) == outcome
        journal.truncate("r", 1, journal.read("r")[0].checksum)
        assert durable_outcome(journal, handle) is None

    asyncio.run(work())


def test_to_interrupt_a_wait_leaves_the_run_alone(
    command: Command, claims: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S38: it is another process's, which goes on with it."""
    command("submit", "claims.py:paid", "--input", "9", "--journal", "runs.db", "--run-id", "r")
    journal = SqliteJournal(claims.path / "runs.db")
    journal.acquire("r", "somebody", now=time.time(), until=time.time() + 1000)
    journal.close()

    async def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestration.cli.durably.asyncio.sleep", interrupted)
    result = command("resume", "claims.py:paid", "r", "--journal", "runs.db")
    assert (result.code, result.out) == (130, "")
    assert result.err.endswith("paid was stopped by KeyboardInterrupt()\n")
    assert head(claims).owner == "somebody"


def test_a_performance_that_never_began_has_no_outcome() -> None:
    """What stopped it came before there was a run."""

    async def begin() -> None:
        raise SystemExit

    performance = Performance(begin)  # type: ignore[arg-type]  # it does not get as far as to return a handle
    with pytest.raises(SystemExit):
        performance.outcome(lambda: None)
    assert performance.stopped() is None


# --- secrets


LOGIN = ("run", "claims.py:login", "--input", '{"name": "kim", "password": "hush"}', "--journal", "runs.db")


@pytest.mark.parametrize("reference", ["rot", "cipher", "claims.py:rot"])
def test_a_cipher_seals_secrets(command: Command, claims: Folder, reference: str) -> None:
    """S33: what the journal holds of a secret is sealed, and a resumed run opens it again."""
    claims.write("quit", "")
    stopped = command(*LOGIN, "--run-id", "r", "--cipher", reference)
    assert f"resume claims.py:login r --journal runs.db --cipher {reference}\n" in stopped.err
    assert b"hush" not in b"".join(file.read_bytes() for file in claims.path.glob("runs.db*"))
    result = command("resume", "claims.py:login", "r", "--journal", "runs.db", "--cipher", reference)
    assert (result.code, result.out) == (0, '"paid kim"\n')
    shown = command("show", "r", "--journal", "runs.db", "--values", "--events")
    assert "hush" not in shown.out
    assert '{"$sealed": "…"}' in shown.out
    assert command("replay", "claims.py:login", "r", "--journal", "runs.db", "--cipher", reference).code == 0


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("nope", "--cipher nope: found no 'nope' in the module"),
        ("Rot.encrypt", "--cipher: found {folder}/claims.py:"),
        ("broken", "--cipher: found {folder}/claims.py:"),
        ("paid", "--cipher: found a "),
    ],
)
def test_a_cipher_that_is_none(command: Command, claims: Folder, reference: str, said: str) -> None:
    """A cipher that is not there, is none or raises is told in one message."""
    result = command(*LOGIN, "--cipher", reference)
    assert result.code == 2
    assert said.format(folder=claims.path.resolve()) in result.err or "TypeError" in result.err
    assert result.err.count("\n") == 1


def test_secrets_without_a_cipher(command: Command) -> None:
    """S33: they are refused before anything runs."""
    assert command(*LOGIN).code == 2
