"""What durability costs: a durable chain beside what the disk gives for one commit a step, and maps, resumes, looks.

    python benchmarks/durable.py [FOLDER]    half a minute; the journals are written to FOLDER (default: here)

Chain and bare commits take turns, and the median of several is shown: a disk is not the same from second to second.
"""

from __future__ import annotations

import asyncio
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import LocalEngine, SqliteJournal, Workflow
from orchestration.journal.replay import folded

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS, ITEMS, CAP, ROUNDS = 100, 1_000, 64, 21
EVENTS = 50_000
TEXT = "x" * 250  # about what a record of the chain holds


async def increase(n: int) -> int:
    """Add one."""
    return n + 1


def chain(length: int) -> Workflow[int, int]:
    """Return a chain of steps that do next to nothing."""
    flow: Workflow[int, int] = Workflow[int]("chain")
    for _ in range(length):
        flow = flow.step(increase)
    flow.compile()
    return flow


MANY = Workflow[list[int]]("many").map(increase, concurrency=CAP)


def opened(path: Path) -> sqlite3.Connection:
    """Open a file of SQLite that writes ahead and waits for the disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS log (position INTEGER PRIMARY KEY, text TEXT) WITHOUT ROWID")
    return connection


def commits(connection: sqlite3.Connection, count: int) -> float:
    """Return the seconds of so many bare commits."""
    (start,) = connection.execute("SELECT coalesce(max(position) + 1, 0) FROM log").fetchone()
    began = time.perf_counter()
    for position in range(start, start + count):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO log VALUES (?, ?)", (position, TEXT))
        connection.execute("COMMIT")
    return time.perf_counter() - began


def timed(act: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


async def rates(folder: Path) -> dict[str, float]:
    """Return steps, commits and items a second, and what they are of each other."""
    engine: LocalEngine = LocalEngine(journal=SqliteJournal(folder / "runs.db"))
    flow = chain(STEPS)
    steps, bare, again, items = list[float](), list[float](), list[float](), list[float]()
    grown = opened(folder / "grown.db")
    for turn in range(ROUNDS):
        with closing(opened(folder / "bare.db")) as fresh:  # the last to close it takes away what was written ahead
            bare.append(STEPS / commits(fresh, STEPS))
        again.append(STEPS / commits(grown, STEPS))
        began = time.perf_counter()
        await engine.execute(flow, 0, run_id=f"chain-{turn}")
        steps.append(STEPS / (time.perf_counter() - began))
        began = time.perf_counter()
        await engine.execute(MANY, list(range(ITEMS)), run_id=f"many-{turn}")
        items.append(ITEMS / (time.perf_counter() - began))
    grown.close()
    return {
        "commits": statistics.median(bare),
        "commits again": statistics.median(again),
        "steps": statistics.median(steps),
        "items": statistics.median(items),
        "steps a commit": statistics.median(one / other for one, other in zip(steps, bare, strict=True)),
        "steps a commit again": statistics.median(one / other for one, other in zip(steps, again, strict=True)),
        "items a step": statistics.median(one / other for one, other in zip(items, steps, strict=True)),
    }


async def resumes(folder: Path) -> list[dict[str, float]]:
    """Return the seconds that it takes to look at a long run, and to go on with it."""
    journal = SqliteJournal(folder / "long.db")
    engine: LocalEngine = LocalEngine(journal=journal)
    rows = []
    for events in (EVENTS // 5, EVENTS):
        run_id = f"long-{events}"
        await engine.execute(MANY, list(range(events)), run_id=run_id)
        row: dict[str, float] = {"events": events}
        row["fold"] = timed(lambda run=run_id: folded(MANY.compile(), journal, run, whole=True))
        row["snapshot"] = timed(lambda run=run_id: folded(MANY.compile(), journal, run))
        row["head"] = timed(lambda run=run_id: journal.head(run))
        rows.append(row)
    return rows


def figures(folder: str = ".") -> dict[str, Any]:
    """Return all figures; the journals are written to a folder in this one."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        return {"rates": asyncio.run(rates(Path(name))), "resumes": asyncio.run(resumes(Path(name)))}


def main() -> None:
    """Print all figures."""
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    found = figures(*sys.argv[1:2])
    rate = found["rates"]
    print(f"bare commits, new file    {rate['commits']:8,.0f} /s")
    print(f"the same, a grown file    {rate['commits again']:8,.0f} /s")
    print(
        f"durable chain             {rate['steps']:8,.0f} steps/s   {rate['steps a commit']:.2f} of the first, ", end=""
    )
    print(f"{rate['steps a commit again']:.2f} of the second")
    print(f"durable map, cap {CAP}       {rate['items']:8,.0f} items/s   {rate['items a step']:.1f} times the chain")
    for row in found["resumes"]:
        print(f"a run of {row['events']:,} events: folded in {row['fold']:.2f} s, ", end="")
        print(f"from its snapshot in {row['snapshot']:.2f} s, its head in {row['head'] * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
