"""Commands that act on durable runs from outside: signals, cancels, replays, checks, and housekeeping."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
import time
from typing import TYPE_CHECKING

import pytest

from orchestration import Workflow
from orchestration.cli.against import check_runs
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.protocol import Head
from orchestration.journal.records import chained, first_link
from orchestration.journal.sqlite import SqliteJournal

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder

pytestmark = pytest.mark.usefixtures("claims")
J = ("--journal", "runs.db")
WORK = ("worker", "claims.py:claim", "--once", *J)


@pytest.fixture
def waiting(command: Command, claims: Folder) -> Folder:
    """Give a folder with a journal in which the run `r` waits for an approval."""
    command("submit", "claims.py:claim", "--input", "9", "--run-id", "r", *J)
    assert "waiting for a signal" in command(*WORK).err
    return claims


@pytest.fixture
def left(command: Command, claims: Folder) -> Folder:
    """Give a folder with a journal in which the run `r` was stopped during its second step."""
    claims.write("quit", "")
    command("run", "claims.py:paid", "--input", "9", "--run-id", "r", *J)
    return claims


def change(folder: Folder, statement: str) -> None:
    """Do something to the file of the journal that no journal does."""
    database = sqlite3.connect(folder.path / "runs.db")
    with database:
        database.execute(statement)
    database.close()


# --- signal and cancel


@pytest.mark.parametrize("more", [(), ("--workflow", "claims.py:claim")], ids=["by the plan", "by the workflow"])
def test_a_signal_reaches_a_run_that_nobody_has(command: Command, waiting: Folder, more: tuple[str, ...]) -> None:
    """S38: it lies in the inbox until the run is taken up; with the workflow its type is looked at before."""
    sent = command("signal", "r", "approval", '{"by": "Kim"}', *more, *J)
    assert (sent.code, sent.err) == (0, "")
    assert sent.out.startswith("r: the signal 'approval' is in its inbox; nobody has the run: it takes effect when it ")
    assert ("its type claims:Approval was not looked at" in sent.out) is (not more)
    assert command(*WORK).err.endswith("claim r: succeeded\n")
    assert command("resume", "claims.py:claim", "r", *J).out == '"paid claim over 9: Kim"\n'


def test_the_same_signal_counts_once(command: Command, claims: Folder) -> None:
    """S21: by its id."""
    claims.write(
        "two.py",
        """
        from orchestration import Signal, Workflow

        N = Signal("n", int)

        def add(value: int, more: int) -> int:
            return value + more

        two = Workflow[int]("two").wait_for(N, add).wait_for(N, add)
        """,
    )
    command("submit", "two.py:two", "--input", "0", "--run-id", "t", *J)
    for number, signal_id in (("1", "a"), ("1", "a"), ("20", "b")):
        assert command("signal", "t", "n", number, "--id", signal_id, *J).code == 0
    assert command("resume", "two.py:two", "t", "--quiet", *J).out == "21\n"


REFUSED = {
    "another name": (("approvl", "{}"), "a plan of claim that waits for 'approval'; expected one of those"),
    "no JSON": (("approval", "yes"), "Expecting value: line 1 column 1 (char 0); expected JSON"),
    "another name, by the workflow": (
        ("approvl", "{}", "--workflow", "claims.py:claim"),
        "the signal 'approvl', which no step waits for; expected one of 'approval'",
    ),
    "another type": (
        ("approval", '{"granted": 3}', "--workflow", "claims.py:claim"),
        "by: Field required; granted: Input should be a valid boolean",
    ),
    "no JSON, by the workflow": (("approval", "yes", "--workflow", "claims.py:claim"), "value: Invalid JSON"),
    "another workflow": (("approval", "{}", "--workflow", "claims.py:paid"), "found paid; expected claim"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_signals_that_cannot_be_sent(command: Command, waiting: Folder, case: str) -> None:
    """S21: they are refused where they are sent, in one line, and the inbox stays empty."""
    arguments, said = REFUSED[case]
    result = command("signal", "r", *arguments, *J)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert result.err.count("\n") == 1
    assert json.loads(command("show", "r", "--json", *J).out)["letters"] == 0


def test_data_that_looks_like_a_tag_stays_data(command: Command, claims: Folder) -> None:
    """S37: a payload that is not looked at names no class."""
    claims.write(
        "anything.py",
        """
        from orchestration import Signal, Workflow

        anything = Workflow[int]("anything").wait_for(Signal("n", object), lambda value, payload: payload)
        """,
    )
    command("submit", "anything.py:anything", "--input", "0", "--run-id", "t", *J)
    sent = command("signal", "t", "n", '{"$type": "claims:Login", "fields": {}}', *J)
    assert "was not looked at" not in sent.out
    result = command("resume", "anything.py:anything", "t", "--quiet", *J)
    assert json.loads(result.out) == {"$type": "claims:Login", "fields": {}}


def test_a_run_that_waits_for_nothing_takes_no_signal(command: Command, left: Folder) -> None:
    """S21: that is told by the plan in the journal."""
    result = command("signal", "r", "approval", "1", *J)
    assert result.code == 2
    assert "waits for no signal at all; expected a run that waits for one" in result.err


def test_a_cancel_reaches_a_run_that_nobody_has(command: Command, waiting: Folder) -> None:
    """S28: it is durable at once, and undoes what was done when the run is taken up."""
    sent = command("cancel", "r", "--reason", "enough", *J)
    assert sent.out.startswith("r: the cancel is in its inbox; nobody has the run")
    assert "claim r: cancelled: enough; rollback complete\n" in command(*WORK).err
    result = command("resume", "claims.py:claim", "r", *J)
    assert result.code == 130
    assert "claim was cancelled (run r): enough\n" in result.err
    for arguments in (("cancel", "r"), ("signal", "r", "approval", "{}")):
        late = command(*arguments, *J)
        assert late.code == 2
        assert "found a run that has ended (cancelled); expected one that goes on" in late.err


def test_who_reads_a_letter_is_told(command: Command, waiting: Folder) -> None:
    """S38: a run that somebody has takes it soon; nobody can tell whether that process is alive."""
    journal = SqliteJournal(waiting.path / "runs.db")
    journal.acquire("r", "somebody", now=time.time(), until=4102444800.0)
    journal.close()
    assert command("cancel", "r", *J).out == (
        "r: the cancel is in its inbox, which somebody reads or, if that is dead, "
        "whoever takes the run over after 2100-01-01 00:00:00Z\n"
    )


# --- replay and check --against


def test_the_story_of_a_run(command: Command, waiting: Folder) -> None:
    """S36: it is told by the code as it is, with times from the start of the run."""
    command("signal", "r", "approval", '{"by": "Kim"}', *J)
    command(*WORK)
    result = command("replay", "claims.py:claim", "r", *J)
    assert result.code == 0
    told = [line.split(" s ", 1)[1].split() for line in result.out.splitlines()]
    assert ["file_claim", "succeeded:", "'claim", "over", "9'"] in told
    assert ["claim", "taken", "up", "again,", "by", "owner", "number", "2"] in told
    assert told[-1][:2] == ["claim", "succeeded:"]
    assert all(float(line.split()[0]) < 1000 for line in result.out.splitlines())
    assert result.err == "r: no difference up to record 5\n"


def test_the_story_counts_timers_from_the_start(command: Command) -> None:
    """What a run sleeps until is told as its other times are."""
    command("submit", "claims.py:nap", "--input", "9", "--run-id", "n", *J)
    command("worker", "claims.py:nap", "--once", *J)
    told = command("replay", "claims.py:nap", "n", *J).out
    assert "sleep sleeps until 36" in told


def test_a_replay_shows_the_first_difference(command: Command, left: Folder) -> None:
    """S36: recorded against attempted, with the path; what was the same before it is told."""
    result = command("replay", "claims.py:again", "r", *J)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: r: record 0: paid/file_claim#1: found RunStep paid/pay#1 pay ")
    left.write("shorter.py", "from claims import *\nshorter = Workflow[int]('paid').step(file_claim).step(withdraw)\n")
    result = command("replay", "shorter.py:shorter", "r", *J)
    assert result.code == 1
    assert "began with 9; began file_claim" in result.out
    assert result.err.startswith("error: r: record 1: paid/pay#1: found RunStep paid/withdraw#1 withdraw ")


def test_a_damaged_log_is_not_replayed(command: Command, left: Folder) -> None:
    """S37: it is told as damage, and how much is sound."""
    change(left, "UPDATE records SET text = text || ' ' WHERE position = 1")
    result = command("replay", "claims.py:paid", "r", *J)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: r: found 1 sound records, then damage; expected 2 records.")


def test_a_check_against_a_journal(command: Command, left: Folder) -> None:
    """S36: a workflow that is the same, or compatible, can take its runs on; runs of others are named."""
    command("submit", "claims.py:nap", "--input", "9", "--run-id", "n", *J)
    result = command("check", "claims.py:paid", "--against", "runs.db")
    assert result.code == 0
    assert result.out.splitlines()[1:] == ["OK r: can go on, no difference up to record 2"]
    assert result.err == "not looked at: unfinished runs of nap\n"
    left.write(
        "longer.py",
        "from claims import *\n"
        "longer = Workflow[int]('paid').step(file_claim).compensate(withdraw).step(pay).step(withdraw)\n",
    )
    result = command("check", "longer.py:longer", "claims.py:nap", "--against", "runs.db")
    assert result.code == 0
    assert "OK r: can go on, no difference up to record 2\n   paid since " in result.out
    assert "     paid/withdraw: added after pay, " in result.out
    assert result.err == ""


def test_a_check_that_finds_a_run_that_cannot_go_on(command: Command, left: Folder) -> None:
    """S36: recorded against attempted, path and mend, how the plans differ, and exit 1; problems of a plan are 2."""
    result = command("check", "claims.py:again", "--against", "runs.db")
    assert result.code == 1
    assert result.err.startswith("error: r: record 0: paid/file_claim#1: found RunStep paid/pay#1 pay ")
    assert "Go on with the code that it was begun with" in result.err
    assert "     paid/file_claim: removed, " in result.out
    assert command("check", "claims.py:again", "claims.py:lambdas", "--against", "runs.db").code == 2
    change(left, "UPDATE records SET text = text || ' ' WHERE position = 1")
    damaged = command("check", "claims.py:paid", "--against", "runs.db")
    assert damaged.code == 1
    assert "1 sound records, then damage" in damaged.err


def test_a_check_without_a_journal_asks_for_none(command: Command) -> None:
    """A workflow that cannot be durable compiles all the same."""
    assert command("check", "claims.py:lambdas").code == 0
    assert command("check", "claims.py:paid", "--against", "runs.db").code == 2


@pytest.mark.parametrize(("plan", "said"), [("{}", "plan: found "), (None, "the journal does not have that plan")])
def test_a_plan_that_cannot_be_compared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, plan: str | None, said: str
) -> None:
    """How plans differ is only a help: whether a run can go on is told without it."""
    journal = MemoryJournal()
    compiled = Workflow[int]("flow").pure(abs).compile()
    (record,) = chained(first_link("r"), 0, ["?"])
    journal.create(Head("r", "flow", "other", "unfinished", 1, record.checksum, 0.0, 0.0), plan or "", record)
    monkeypatch.setattr(journal, "plan", lambda fingerprint: plan)
    assert check_runs(journal, journal.heads(), compiled, debug=False) == 1
    told = capsys.readouterr()
    assert "flow since other:\n     " in told.out
    assert said in told.out
    assert told.err.startswith("error: r: record 0: ")


# --- repair, delete, prune


@pytest.mark.parametrize(
    ("arguments", "answer", "code"),
    [((), "y\n", 0), ((), "n\n", 1), ((), "", 1), (("--yes",), "", 0)],
    ids=["yes", "no", "nobody", "--yes"],
)
def test_a_repair_is_asked_before(
    command: Command,
    left: Folder,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    answer: str,
    code: int,
) -> None:
    """S37: what is lost is told, and nothing happens without somebody's wish; then the run goes on from there."""
    assert command("repair", "r", *J) == (0, "r: the log is whole, there is nothing to repair\n", "")
    change(left, "UPDATE records SET text = text || ' ' WHERE position = 1")
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    result = command("repair", "r", *arguments, *J)
    assert result.code == code
    assert result.err.startswith("r: records that are sound: 1; lost behind them: 1\nwhat the lost ones tell of has ")
    assert ("Go back to record 1? [y/N]\n" in result.err) is (not arguments)
    again = command("resume", "claims.py:paid", "r", *J)
    if code:
        assert result.err.endswith("nothing was changed\n")
        assert (again.code, again.out) == (2, "")
    else:
        assert result.out == "r: repaired, it goes on from record 1 when it is taken up\n"
        assert (again.code, again.out) == (0, '"paid claim over 9"\n')
        assert "filing\n" in again.err


def test_a_log_of_which_nothing_is_left(command: Command, left: Folder) -> None:
    """S37: it cannot be repaired, only deleted."""
    change(left, "UPDATE records SET text = text || ' '")
    result = command("repair", "r", "--yes", *J)
    assert result.code == 1
    assert "error: nothing is left to go on from; `orchestration delete` forgets the run\n" in result.err
    assert command("delete", "r", "--yes", *J).code == 0
    assert command("runs", *J).out == "no runs\n"


@pytest.mark.parametrize("name", ["repair", "delete"])
def test_a_run_that_somebody_has_is_left_alone(command: Command, left: Folder, name: str) -> None:
    """S38: it is its owner's."""
    change(left, "UPDATE records SET text = text || ' ' WHERE position = 1")
    journal = SqliteJournal(left.path / "runs.db")
    journal.acquire("r", "somebody", now=time.time(), until=time.time() + 1000)
    journal.close()
    result = command(name, "r", "--yes", *J)
    assert (result.code, result.out) == (2, "")
    assert "found a run that somebody has; expected one that nobody has" in result.err


def test_to_delete_a_run_that_is_not_finished_is_asked_before(
    command: Command, left: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the last trace of what is not undone; of one that has ended there is no question."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("no\n"))
    kept = command("delete", "r", *J)
    assert (kept.code, kept.out) == (1, "")
    assert "r is not finished: what it has done stays done, and nothing is undone\nDelete it? [y/N]\n" in kept.err
    assert command("resume", "claims.py:paid", "r", *J).code == 0
    assert command("delete", "r", *J) == (0, "r: deleted\n", "")


def test_what_ended_long_ago_is_pruned(command: Command, left: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unfinished runs are never; the number is told, and asked about."""
    for run_id in ("a", "b"):
        command("run", "claims.py:paid", "--input", "9", "--run-id", run_id, *J)
    assert command("prune", "--older-than", "1", *J) == (0, "0 deleted\n", "")
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert command("prune", "--older-than", "0", *J) == (1, "", "Delete 2 runs? [y/N]\nnothing was changed\n")
    assert command("prune", "--older-than", "0", "--yes", *J) == (0, "2 deleted\n", "")
    assert [line.split()[0] for line in command("runs", *J).out.splitlines()] == ["run", "r"]
