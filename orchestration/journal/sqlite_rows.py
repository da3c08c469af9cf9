"""The rows of a SQLite journal: how a head is one, and how damage to a row, or its loss, is seen (S37).

SQLite looks after the form of its pages, not after what they hold. So a row has a *seal*, a hash of the rest of it;
only a record has none, since its reader looks into the checksum that it has. Against the loss of rows, there is
a *mark* for each status, and one for plans: the sum of the numbers of all ids that are there. A run that one index
does not find any more is found by another.
"""

from __future__ import annotations

import hashlib
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_args

from orchestration.journal.protocol import Head, Letter, Record, Snapshot, Status
from orchestration.journal.refused import lost, not_found
from orchestration.journal.sqlite_faults import FAULTS, corrupt, is_damage

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from orchestration.journal.protocol import Lease

Row: TypeAlias = "dict[str, Any]"  # of a head, by column

STATUSES: tuple[Status, ...] = get_args(Status)
PLANS = "plans"  # the name of their mark
SCHEMA = "schema"  # and that of the tables' own
SEAL_BYTES = 8  # against accidents: nobody forges one
LARGEST = 1 << 63  # that SQLite keeps, and one more
_as_text = json.JSONEncoder(default=repr).encode  # made once: `json.dumps` makes one each time


def _real(value: float) -> float:
    return float(value) + 0.0  # SQLite keeps no -0.0


def _same(value: Any) -> Any:  # noqa: ANN401 - text, or none
    return value


# The columns of a head, each with how its values are kept: as they are read, or no seal would hold.
OF_HEAD: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "run_id": _same,
        "plan": _same,
        "fingerprint": _same,
        "status": _same,
        "position": int,
        "checksum": _same,
        "created": _real,
        "updated": _real,
        "epoch": int,
        "owner": _same,
        "until": _real,
        "wake": _real,
        "orderly": int,
        "letters": int,
    }
)
COLUMNS = (*OF_HEAD, "posted", "mark", "run")  # `run` is the number of the row, by which records and letters know it
SELECT = f"SELECT {', '.join(COLUMNS)}, seal FROM runs"  # noqa: S608 - the names above
INSERT = f"INSERT INTO runs ({', '.join(COLUMNS)}, seal) VALUES (?{', ?' * len(COLUMNS)})"  # noqa: S608 - as above


def number(text: str) -> int:
    """Return a number for a text, as large as SQLite keeps one."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def seal(*values: object) -> str:
    """Return the seal of a row; a value of a type that is never stored gives another one."""
    return hashlib.blake2b(_as_text(values).encode(), digest_size=SEAL_BYTES).hexdigest()


# --- marks


def mark_of(connection: sqlite3.Connection, name: str) -> int | None:
    """Return a mark, `None` if it is lost."""
    found = connection.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
    return cast("int", found[0]) if found else None


def total(numbers: Iterable[int]) -> int:
    """Return what the mark of these is."""
    return sum(numbers) % LARGEST


def shift(connection: sqlite3.Connection, name: str, by: int) -> None:
    """Note what has come or, if it is negative, gone."""
    before = mark_of(connection, name)
    if not isinstance(before, int):
        raise corrupt(name, "no mark")
    connection.execute("UPDATE marks SET value = ? WHERE name = ?", (total((before, by)), name))


# --- heads


def head_of(row: Row) -> Head:
    """Return the head that a row keeps."""
    fields: dict[str, Any] = {name: row[name] for name in OF_HEAD}
    fields["orderly"] = bool(row["orderly"])
    return Head(**fields)


def insert(connection: sqlite3.Connection, head: Head) -> int:
    """Store the head of a new run, and return the number of its row."""
    kept = [keep(getattr(head, name)) for name, keep in OF_HEAD.items()]
    kept[-1] = 0  # letters
    (run,) = connection.execute("SELECT coalesce(max(run), 0) + 1 FROM runs").fetchone()
    mark = number(head.run_id)
    values = (*kept, 0, mark, run)
    connection.execute(INSERT, (*values, seal(*values)))
    shift(connection, head.status, mark)
    return cast("int", run)


def change(connection: sqlite3.Connection, row: Row, **new: object) -> tuple[Row, str] | None:
    """Store new values in a row: only what is another value, since each column with an index costs a page.

    Returns the row as it is then, with its seal, if it has changed.
    """
    kept = {name: OF_HEAD.get(name, int)(value) for name, value in new.items()}
    changed = {name: value for name, value in kept.items() if value != row[name]}
    if not changed:
        return None
    columns = ", ".join(f"{name} = ?" for name in changed)
    after = {**row, **changed}
    sealed = seal(*after.values())
    connection.execute(
        f"UPDATE runs SET {columns}, seal = ? WHERE run = ?",  # noqa: S608 - the names are ours
        (*changed.values(), sealed, row["run"]),
    )
    if "status" in changed:
        shift(connection, row["status"], -row["mark"])
        shift(connection, changed["status"], row["mark"])
    return after, sealed


def has_seal(connection: sqlite3.Connection, row: Row, sealed: str) -> bool:
    """Tell whether a row that was stored with this seal has not been changed since."""
    there = connection.execute("SELECT seal FROM runs WHERE run = ?", (row["run"],)).fetchone()
    return cast("bool", there == (sealed,))


def found(connection: sqlite3.Connection, run_id: str) -> Row | None:
    """Return the row of a run, if there is one.

    Raises:
        JournalCorrupt: if it is damaged, or one of two indices has lost it.
    """
    values = connection.execute(f"{SELECT} WHERE run_id = ?", (run_id,)).fetchone()
    if values is not None:
        return _whole(values, run_id)
    if connection.execute("SELECT run FROM runs WHERE mark = ?", (number(run_id),)).fetchone():
        raise corrupt(run_id, "a run whose id is damaged")
    return None


def known(connection: sqlite3.Connection, run_id: str) -> Row:
    """Return the row of a run.

    Raises:
        RunNotFound: if there is none.
    """
    row = found(connection, run_id)
    if row is None:
        raise not_found(run_id)
    return row


def owned(connection: sqlite3.Connection, lease: Lease) -> Row:
    """Return the row of a run that nobody has taken over from this lease.

    Raises:
        LeaseLost: if somebody has.
    """
    row = known(connection, lease.run_id)
    if row["epoch"] != lease.epoch:
        raise lost(lease, f"epoch {row['epoch']}, not {lease.epoch}")
    return row


def rows(connection: sqlite3.Connection, status: Status) -> list[Row]:
    """Return the rows of all runs of a status.

    Raises:
        JournalCorrupt: if one is damaged or lost.
    """
    all_of_them = connection.execute(f"{SELECT} WHERE status = ?", (status,)).fetchall()
    whole = [_whole(values, str(values[0])) for values in all_of_them]
    if total(row["mark"] for row in whole) != mark_of(connection, status):
        raise corrupt("journal", f"other runs that are {status} than there were")
    return whole


def _whole(values: Sequence[Any], run_id: str) -> Row:
    *kept, sealed = values
    if seal(*kept) != sealed:
        raise corrupt(run_id, "a damaged head")
    return dict(zip(COLUMNS, kept, strict=True))


# --- what belongs to a run


def records_of(connection: sqlite3.Connection, row: Row, start: int, stop: int | None) -> Iterator[Record]:
    """Yield the records from `start` to `stop`, up to the first that cannot be read."""
    end = row["position"] if stop is None else min(stop, row["position"])
    query = "SELECT position, text, checksum FROM records WHERE run = ? AND position BETWEEN ? AND ? ORDER BY position"
    rows_there = connection.execute(query, (row["run"], start, end - 1))
    position = start
    while (values := _next(rows_there)) and [*map(type, values)] == [int, str, str] and values[0] == position:
        yield Record(*values)
        position += 1


def _next(rows_there: Iterator[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    try:
        return next(rows_there, None)
    except FAULTS as error:
        if not is_damage(error):
            raise
        return None


def letters_of(connection: sqlite3.Connection, row: Row) -> list[Letter]:
    """Return the inbox of a run.

    Raises:
        JournalCorrupt: if a letter is damaged or lost.
    """
    there = connection.execute("SELECT number, text, seal FROM letters WHERE run = ? ORDER BY number", (row["run"],))
    inbox: list[Letter] = []
    for place, text, sealed in there:
        if seal(row["run"], place, text) != sealed:
            raise corrupt(row["run_id"], f"a damaged letter {place}")
        inbox.append(Letter(place, text))
    if len(inbox) != row["letters"]:
        raise corrupt(row["run_id"], f"{len(inbox)} letters in place of {row['letters']}")
    return inbox


def snapshot_of(connection: sqlite3.Connection, row: Row) -> Snapshot | None:
    """Return the snapshot of a run, if there is one that is whole."""
    query = "SELECT run, position, text, checksum, seal FROM snapshots WHERE run = ?"
    *kept, sealed = connection.execute(query, (row["run"],)).fetchone() or (None,)
    return Snapshot(*kept[1:]) if kept and seal(*kept) == sealed else None


def plan_of(connection: sqlite3.Connection, fingerprint: str) -> str | None:
    """Return the JSON of a plan, if there is one.

    Raises:
        JournalCorrupt: if it is damaged or lost.
    """
    found_plan = connection.execute("SELECT plan, seal FROM plans WHERE fingerprint = ?", (fingerprint,)).fetchone()
    if found_plan is None:
        there = [str(name) for (name,) in connection.execute("SELECT fingerprint FROM plans NOT INDEXED")]
        if fingerprint in there or total(map(number, there)) != mark_of(connection, PLANS):
            raise corrupt("journal", "other plans than there were")
        return None
    text, sealed = found_plan
    if seal(fingerprint, text) != sealed:
        raise corrupt("journal", f"a damaged plan {fingerprint}")
    return cast("str", text)


def keep_plan(connection: sqlite3.Connection, fingerprint: str, plan: str) -> None:
    """Store a plan, unless there is one of this fingerprint."""
    values = (fingerprint, plan, seal(fingerprint, plan))
    if connection.execute("INSERT OR IGNORE INTO plans VALUES (?, ?, ?)", values).rowcount:
        shift(connection, PLANS, number(fingerprint))
