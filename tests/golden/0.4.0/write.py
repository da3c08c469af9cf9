"""Wrote `runs.db`, once: PYTHONPATH=. python tests/golden/0.4.0/write.py.

Kept to tell how it came about. It refuses to write it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import LocalEngine, SqliteJournal
from orchestration.runtime import log
from tests.golden.load import workflows_of

if TYPE_CHECKING:
    from orchestration.journal.protocol import Journal

FILE = Path(__file__).parent / "runs.db"
SNAPSHOT = 1_000  # letters of log behind a snapshot: so little that there is one


async def begin(journal: Journal, name: str, workflow: Any) -> None:
    """Begin a run, and stop its process when nothing comes any more."""
    engine: LocalEngine[Any] = LocalEngine(journal=journal, grace=0.05)
    task = asyncio.ensure_future(engine.execute(workflow, 1, run_id=name))
    done, _ = await asyncio.wait([task], timeout=0.5)
    if not done:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def main() -> None:
    """Write the file."""
    if FILE.exists():
        sys.exit(f"{FILE.name} is there: it is never written again, or it would prove nothing.")
    module = workflows_of(FILE.parent.name)
    module.HOLD[0] = True
    log.SNAPSHOT = SNAPSHOT
    journal = SqliteJournal(FILE)
    for name, workflow in module.WORKFLOWS.items():
        asyncio.run(begin(journal, name, workflow))
        if name in module.LOST:
            head = journal.head(name)
            journal.acquire(name, "a process that has died", now=head.updated, until=head.updated + 30.0)
    assert journal.snapshot("counting") is not None
    journal.close()


if __name__ == "__main__":
    main()
