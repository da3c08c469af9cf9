"""What the command tells of a journal without the code of its workflows: `runs` and `show`."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.cli.words import clock, span, standing
from orchestration.frozen import evolve
from orchestration.journal.protocol import Head, Snapshot
from orchestration.journal.records import chained, first_link
from orchestration.journal.sqlite import SqliteJournal

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder

J = ("--journal", "runs.db")
HEAD = Head("r", "w", "f" * 20, "unfinished", 1, "c", 0.0, 0.0, epoch=1)
STANDINGS = {
    "succeeded": evolve(HEAD, status="succeeded"),
    "failed": evolve(HEAD, status="failed"),
    "cancelled": evolve(HEAD, status="cancelled"),
    "running by p": evolve(HEAD, owner="p", until=101.0),
    "left by p": evolve(HEAD, owner="p", until=99.0),
    "submitted": evolve(HEAD, epoch=0),
    "due": HEAD,
    "waiting for a signal": evolve(HEAD, wake=float("inf")),
    "waiting until 1970-01-01 00:05:00Z": evolve(HEAD, wake=300.0),
}


@pytest.fixture
def some(claims: Folder, command: Command) -> Folder:
    """Give a folder with a journal: a run that has ended, one that waits, one that sleeps, one that nobody began."""
    command("run", "claims.py:paid", "--input", "9", "--run-id", "ended", *J)
    for name in ("claim", "nap"):
        command("submit", f"claims.py:{name}", "--input", "9", "--run-id", name, *J)
    command("worker", "claims.py:claim", "claims.py:nap", "--once", *J)
    command("submit", "claims.py:paid", "--input", "9", "--run-id", "new", *J)
    return claims


# --- words


@pytest.mark.parametrize("words", STANDINGS)
def test_where_a_run_stands_is_told_in_words(words: str) -> None:
    """S38: who has it, who has left it, or what it waits for."""
    assert standing(STANDINGS[words], now=100.0) == words


def test_a_letter_makes_a_waiting_run_due() -> None:
    """S38: only what comes into its inbox matters while it waits."""
    assert standing(evolve(HEAD, wake=300.0, letters=1), now=100.0) == "due"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (59.9, "59 s"), (60, "1 min"), (7200, "2 h"), (90_000_000, "1,041 d"), (float("inf"), "ever")],
)
def test_ages_are_told_in_the_largest_unit(seconds: float, text: str) -> None:
    """Nobody counts seconds by the million."""
    assert span(seconds) == text


def test_a_time_that_is_none_is_shown_all_the_same() -> None:
    """A clock of a test, or damage, breaks no listing."""
    assert clock(1e30) == "1e+30 s"


# --- runs


def test_runs_are_listed_with_their_standing(command: Command, some: Folder) -> None:
    """The oldest first, a line for each."""
    result = command("runs", *J)
    assert result.code == 0
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[0] == ["run", "workflow", "status", "records", "age"]
    assert [line[:3] for line in lines[1:]] == [
        ["ended", "paid", "succeeded"],
        ["claim", "claim", "waiting"],
        ["nap", "nap", "waiting"],
        ["new", "paid", "submitted"],
    ]
    assert command("runs", "--status", "failed", *J).out == "no runs\n"
    assert command("runs", "--status", "succeeded", *J).out.count("\n") == 2


def test_runs_as_json(command: Command, some: Folder) -> None:
    """With `--json` the same for a program; what waits for ever has no time to wake."""
    found = {run["run"]: run for run in json.loads(command("runs", "--json", *J).out)}
    assert {run_id: run["status"] for run_id, run in found.items()} == {
        "ended": "succeeded",
        "claim": "unfinished",
        "nap": "unfinished",
        "new": "unfinished",
    }
    assert found["claim"]["wake"] is None
    assert found["nap"]["wake"] > time.time() + 3000
    assert (found["new"]["owners"], found["claim"]["owners"], found["claim"]["owner"]) == (0, 1, None)


def test_names_in_a_journal_are_escaped(command: Command, folder: Folder) -> None:
    """A journal may be anybody's: nothing in it reaches the terminal."""
    journal = SqliteJournal(folder.path / "runs.db")
    (record,) = chained(first_link("e\x1b[2J"), 0, ["\x1b"])
    journal.create(evolve(HEAD, run_id="e\x1b[2J", plan="\x9b", checksum=record.checksum), "{}", record)
    journal.post("e\x1b[2J", '{"v": 1, "cancel": "\\u001b[2J"}')
    journal.close()
    for arguments in (("runs",), ("runs", "--json"), ("show", "e\x1b[2J"), ("show", "e\x1b[2J", "--json")):
        result = command(*arguments, *J)
        assert "\x1b" not in result.out + result.err
        assert "\x9b" not in result.out + result.err


READING = (
    ("runs",),
    ("show", "r"),
    ("resume", "claims.py:paid", "r"),
    ("signal", "r", "approval", "1"),
    ("cancel", "r"),
    ("replay", "claims.py:paid", "r"),
    ("repair", "r"),
    ("delete", "r"),
    ("prune", "--older-than", "1"),
)


@pytest.mark.parametrize("arguments", READING, ids=lambda arguments: arguments[0])
def test_a_journal_that_is_not_there(command: Command, claims: Folder, arguments: tuple[str, ...]) -> None:
    """It is not made by who only reads: exit 2, in one line; so without any, and with one that is none."""
    missing = command(*arguments, *J)
    assert (missing.code, missing.out) == (2, "")
    assert missing.err.startswith("error: runs.db: found no such file; expected a journal.")
    assert not (claims.path / "runs.db").exists()
    assert command(*arguments).err.startswith("error: --journal: found no journal; expected the file that keeps")
    claims.write("runs.db", "no database, but text, of some length, so that it is looked at\n" * 100)
    other = command(*arguments, *J)
    assert other.code == 2
    assert other.err.count("\n") == 1


@pytest.mark.parametrize("arguments", READING[1:-1], ids=lambda arguments: arguments[0])
def test_a_run_that_is_not_there(command: Command, some: Folder, arguments: tuple[str, ...]) -> None:
    """It is told in one line, with the way to find the right id."""
    result = command(*arguments, *J)
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: r: found no run of this id in the journal; expected one that was begun or submitted. "
        "Look for its id with `orchestration runs`.\n"
    )


# --- show


def test_a_run_is_shown_without_its_code_and_its_values(command: Command, some: Folder) -> None:
    """S33: its head, what is pending, its inbox and its last events; values only on request."""
    command("signal", "claim", "approval", '{"by": "Kim"}', "--id", "mail-17", *J)
    (some.path / "claims.py").unlink()
    result = command("show", "claim", *J)
    assert result.code == 0
    assert "status      due\n" in result.out
    assert "  1 signal name=approval id=mail-17\n" in result.out
    assert "claim/file_claim  StepSucceeded attempt=1\n" in result.out
    assert "claim over 9" not in result.out
    assert "Kim" not in result.out
    told = command("show", "claim", "--values", *J).out
    assert "output=claim over 9" in told
    assert 'payload={"by": "Kim"}' in told


def test_what_is_pending_is_shown(command: Command, some: Folder) -> None:
    """What waits is told by its path; `--events 0` leaves the events out."""
    result = command("show", "nap", "--events", "0", *J)
    assert "pending\n  nap/sleep  sleeps\n" in result.out
    assert "events" not in result.out


def test_how_a_run_ended_is_shown(command: Command, some: Folder) -> None:
    """The last record has the outcome, and nothing is pending behind it."""
    data = json.loads(command("show", "ended", "--json", "--events", *J).out)
    assert (data["status"], data["pending"], data["sound"]) == ("succeeded", [], True)
    assert [event["is"] for event in data["events"]] == ["Started", "StepSucceeded", "StepSucceeded"]
    assert data["events"][-1]["outcome"]["is"] == "Succeeded"
    assert "claim over" not in json.dumps(data)
    assert json.loads(command("show", "ended", "--json", "--values", *J).out)["events"][-1]["output"] == (
        "paid claim over 9"
    )


def test_failures_and_cancels_are_shown(command: Command, claims: Folder) -> None:
    """Failures by kind and message, letters by what they ask for, owners by their number."""
    claims.write("error", "")
    command("run", "claims.py:paid", "--input", "9", "--run-id", "f", *J)
    shown = command("show", "f", *J).out
    assert "paid/pay         StepFailed attempt=1 ValueError: error\n" in shown
    assert "outcome=Failed ValueError: error" in shown
    claims.write("quit", "")
    command("run", "claims.py:paid", "--input", "9", "--run-id", "c", *J)
    claims.write("quit", "")
    command("run", "claims.py:paid", "--input", "9", "--run-id", "c", *J)
    command("cancel", "c", "--reason", "enough", *J)
    shown = command("show", "c", *J).out
    assert "due, 2 owners so far\n" in shown
    assert "paid/pay  attempt 1 of its step\n" in shown
    assert "  1 cancel reason=enough\n" in shown


def test_letters_and_records_of_other_versions(command: Command, folder: Folder) -> None:
    """What this version cannot read is told as such."""
    journal = SqliteJournal(folder.path / "runs.db")
    records = list(chained(first_link("r"), 0, ["no JSON", '{"v": 2}']))
    journal.create(evolve(HEAD, position=1, checksum=records[0].checksum, epoch=0), "{}", records[0])
    lease = journal.acquire("r", "p", now=0.0, until=1.0)
    journal.append(lease, records[1:], at=1.0)
    journal.post("r", '{"v": 9}')
    journal.close()
    result = command("show", "r", *J)
    assert result.code == 1
    assert "  1 a letter of another version\n" in result.out
    assert result.out.count("damaged\n") == 2
    assert "the log is damaged; `orchestration repair` tells" in result.err


def test_damage_is_told(command: Command, some: Folder) -> None:
    """S37: what can be read is shown, and the exit code is 1."""
    database = sqlite3.connect(some.path / "runs.db")
    with database:
        database.execute("UPDATE records SET text = replace(text, 'over 9', 'over 8') WHERE position = 1")
    database.close()
    result = command("show", "ended", *J)
    assert result.code == 1
    assert result.err == "error: ended: the log is damaged; `orchestration repair` tells what is left of it\n"


def test_a_long_log_is_read_from_its_end(command: Command, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A glance at a run costs what is behind its last snapshot, however long its log is."""
    journal = SqliteJournal(folder.path / "runs.db")
    event = {"is": "Continued", "path": "w", "at": 1.0}
    started = {"v": 1, "event": {"is": "Started", "path": "w", "at": 0.0}, "effects": ["Continue w"]}
    texts = [json.dumps(started), *[json.dumps({"v": 1, "event": event, "effects": ["Continue w"]})] * 999]
    records = list(chained(first_link("r"), 0, texts))
    journal.create(evolve(HEAD, checksum=records[0].checksum), "{}", records[0])
    lease = journal.acquire("r", "p", now=0.0, until=1.0)
    journal.append(lease, records[1:], at=1.0)
    text = json.dumps({"last": records[899].checksum, "pending": [["w", "continue", {"is": "Continue"}, False]]})
    journal.save(lease, Snapshot(900, text, next(chained(records[899].checksum, 0, [text])).checksum))
    journal.close()
    starts: list[int] = []
    read = SqliteJournal.read

    def noted(self: SqliteJournal, run_id: str, start: int = 0) -> Any:
        starts.append(start)
        return read(self, run_id, start)

    monkeypatch.setattr(SqliteJournal, "read", noted)
    result = command("show", "r", "--events", "5", *J)
    assert (result.code, starts) == (0, [899])
    assert "pending\n  w  goes on\n" in result.out
    assert "  995  " in result.out
    assert "  994  " not in result.out


def test_many_pending_things_are_counted(command: Command, folder: Folder) -> None:
    """Not more are listed than fit a screen."""
    journal = SqliteJournal(folder.path / "runs.db")
    effects = [f"RunStep w/s[{index}]#1 s 00" for index in range(25)]
    started = {"v": 1, "event": {"is": "Started", "path": "w", "at": 0.0}, "effects": effects}
    (record,) = chained(first_link("r"), 0, [json.dumps(started)])
    journal.create(evolve(HEAD, checksum=record.checksum), "{}", record)
    journal.close()
    result = command("show", "r", *J)
    assert result.out.count("attempt 1 of its step\n") == 20
    assert "  and 5 more\n" in result.out
