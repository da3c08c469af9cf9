"""What the tests of durable runs share: engines with a journal, ways to end one, and runs that others go on with."""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from orchestration import LocalEngine, step_context
from orchestration.errors import JournalFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from orchestration.journal.memory import MemoryJournal
    from orchestration.journal.protocol import Journal, Lease, Record
    from orchestration.outcomes import Outcome
    from orchestration.runtime.handle import Handle

LATER = 100.0  # seconds: longer than a lease
SHORT = 0.02  # seconds of grace, for what hangs when its process is stopped
LONG = 10.0  # for all else


class Severed:
    """A journal that one process cannot reach any more after so many records: to the others that process is dead."""

    def __init__(self, journal: MemoryJournal, after: int | None = None) -> None:
        """Reach `journal`."""
        self.blocks = False
        self.is_cut = False
        self._journal = journal
        self._after = after

    def append(self, lease: Lease, records: Sequence[Record], **options: Any) -> None:
        """Add records, or none of them."""
        last = records[-1].position + 1 if records else 0
        self.is_cut = self.is_cut or (self._after is not None and last > self._after)
        self._reached().append(lease, records, **options)

    def __getattr__(self, name: str) -> Any:
        """Do what the journal does."""
        return getattr(self._reached(), name)

    def _reached(self) -> MemoryJournal:
        if self.is_cut:
            raise JournalFailed("journal", found="nobody", expected="a journal", mend="Mend the line.")
        return self._journal


def engine(
    journal: MemoryJournal | Severed, *, later: float = 0.0, grace: float = SHORT, **options: Any
) -> LocalEngine[Any]:
    """Return an engine with a journal, whose clock is so many seconds ahead."""
    clock = lambda: time.time() + later  # noqa: E731 - a clock is a function
    return LocalEngine(journal=cast("Journal", journal), grace=grace, poll=0.01, clock=clock, **options)


async def stopped(run: Awaitable[Outcome[Any]], when: asyncio.Event) -> None:
    """Run until something has happened, then stop the process in order (S30)."""
    task = asyncio.ensure_future(run)
    await when.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def ended_by_its_loop(run: Awaitable[Handle[Any]], when: asyncio.Event, of: str) -> None:
    """Begin a run; when something has happened, cancel the task of it that runs `of`, as its event loop would.

    asyncio cancels all that lives when `run` ends, in no order: this is the order in which nobody else knows of it yet.
    """
    handle = await run
    await when.wait()
    (task,) = (task for task in asyncio.all_tasks() if of in str(task.get_coro()))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await handle.result()


def went_on(journal: MemoryJournal, workflow: Any, value: object = 1, **options: Any) -> Outcome[Any]:
    """Go on with the run `r` in another process."""
    return asyncio.run(engine(journal, grace=LONG, **options).execute(workflow, value, run_id="r"))


def crashed(journal: MemoryJournal, workflow: Any, value: object, after: int, **options: Any) -> bool:
    """Run until so many records are written; tell whether the process ended there, or the run before."""
    line = Severed(journal, after)
    with contextlib.suppress(JournalFailed):
        asyncio.run(engine(line, **options).execute(workflow, value, run_id="r"))
    return line.is_cut


class Points:
    """Counts what is called in a run, and ends its process at one of these calls."""

    def __init__(self, last: int = 0, *, hangs: bool = False) -> None:
        """Stop at call number `last`, if there is one; a step that `hangs` does not end any more."""
        self.count = 0
        self.reached = asyncio.Event()
        self.line: Severed | None = None  # what a step cuts that ends its process
        self._last = last
        self._hangs = hangs
        here.set(self)

    async def pass_by(self, *, may_hang: bool = False) -> None:
        """Be called."""
        self.count += 1
        if self.count == self._last:
            self.reached.set()
            for _ in range(3):  # turns of the loop, so that who waits for this hears of it
                await asyncio.sleep(0)
            if may_hang and self._hangs:
                await asyncio.Event().wait()


here: ContextVar[Points] = ContextVar("here")  # of the test: steps of a durable run capture nothing


async def add(n: int) -> int:
    """Fail in the first attempt."""
    await here.get().pass_by(may_hang=True)
    if step_context().attempt == 1:
        raise ConnectionError
    return n + 1


async def subtract(_: int) -> None:
    """Fail in the first attempt as well."""
    await here.get().pass_by(may_hang=True)
    if step_context().attempt == 1:
        raise ConnectionError


async def double(n: int) -> int:
    """Double it."""
    await here.get().pass_by(may_hang=True)
    return 2 * n


async def fail(n: int) -> int:
    """Fail for good."""
    await here.get().pass_by(may_hang=True)
    raise LookupError(n)


async def die(n: int) -> int:
    """End the process."""
    line = here.get().line
    assert line is not None
    line.is_cut = True
    return n
