"""Durable runs in virtual time: a journal that fails where it is told, a desk that takes its time, notes of work."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any, cast

from orchestration import LocalEngine, step_context
from orchestration.journal.memory import MemoryJournal
from orchestration.runtime.desk import Desk, finished
from orchestration.runtime.tasks import LEAKED
from orchestration.testing.loop import VirtualLoop
from tests.durable.witness import Witness, Written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from orchestration.interpreter.effects import Attempted
    from orchestration.journal.protocol import Journal
    from orchestration.runtime.handler import Handler

RUN = "run"
LEASE = 30.0
CALLS = {"create", "append", "adopt", "acquire", "renew", "release", "post", "save"} | {
    "read",
    "head",
    "heads",
    "plan",
    "letters",
    "snapshot",
}


class Faulty:
    """A journal of which call number `at`, from 1 on, does `fault` instead, or, if it is `late`, afterwards."""

    blocks = False

    def __init__(self, journal: Journal, at: int, fault: Callable[[], object], *, late: bool = False) -> None:
        """Pass all other calls on to `journal`."""
        self._journal = journal
        self._at = at
        self._fault = fault
        self._late = late
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        """Return a method of the journal, counted."""
        method = getattr(self._journal, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) == self._at and not self._late:
                self._fault()
            answer = method(*arguments, **options)
            if len(self.calls) == self._at and self._late:
                self._fault()
            return answer

        return call if name in CALLS else method


class SlowDesk(Desk):
    """A desk whose calls take a random time: meanwhile the machine goes ahead of the log."""

    def __init__(self, seed: int, longest: float) -> None:
        """Draw how long each call takes, in seconds of virtual time, at most `longest`."""
        super().__init__(blocks=False)
        self._chance = random.Random(seed)  # noqa: S311 - to find a schedule
        self._longest = longest
        self._turn = asyncio.Lock()

    @property
    def is_at_hand(self) -> bool:
        """Nothing is done at once."""
        return False

    async def call(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """Call a function, one at a time as a thread does."""
        return await finished(asyncio.ensure_future(self._slowly(function, arguments, options)))

    async def _slowly(self, function: Any, arguments: Any, options: Any) -> Any:
        async with self._turn:
            await asyncio.sleep(self._chance.choice([0.0, self._chance.uniform(0, self._longest)]))
            return function(*arguments, **options)


class Stage:
    """Where runs of one workflow with one run id are performed, in one engine after the other."""

    def __init__(self, *workflows: Any, services: Any = None) -> None:
        """Have an empty journal."""
        self.workflows = workflows
        self.journal = MemoryJournal()
        self.performed: list[str] = []
        self.time = 0.0
        self._services = services
        self._witness = Witness()

    def engine(self, journal: Any = None, *, ahead: float = 0.0, **options: Any) -> LocalEngine[Any]:
        """Return an engine with the journal, or one around it; its clock is the loop's."""
        loop = asyncio.get_running_loop()
        options = {"grace": 0.05, "poll": 0.25, "lease": LEASE, "middleware": (self.work,)} | options
        return LocalEngine(
            self._services,
            journal=cast("Journal", journal or self.journal),
            workflows=self.workflows,
            clock=lambda: loop.time() + ahead,
            **options,
        )

    async def work(self, effect: Attempted, following: Handler) -> object:
        """Note an attempt before it begins and when it has succeeded."""
        words = f"{type(effect).__name__} {effect.path}#{effect.attempt} {step_context().idempotency_key}"
        self.performed.append(f"began {words}")
        output = await following(effect)
        self.performed.append(f"ended {words}")
        return output

    def play(self, main: Callable[[], Awaitable[Any]], *, later: float = 0.0) -> Any:
        """Run something in a loop that begins `later` than the last one ended; nothing may be left but what leaked."""

        async def checked() -> Any:
            try:
                return await main()
            finally:
                left = asyncio.all_tasks() - {asyncio.current_task()}
                assert left <= LEAKED, left
                for task in left:
                    task.cancel()
                await asyncio.gather(*left, return_exceptions=True)

        loop = VirtualLoop(self.time + later)
        try:
            return loop.run_until_complete(checked())
        finally:
            self.time = loop.time()
            left = [timer for timer in loop.timers if not timer.cancelled()]
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            assert left == []

    @property
    def written(self) -> Written:
        """What the journal holds of the run."""
        records = [*self.journal.read(RUN)] if any(head.run_id == RUN for head in self.journal.heads()) else []
        return Written([json.loads(record.text) for record in records], [record.checksum for record in records])

    def look(self) -> None:
        """Hold what is there against the rules."""
        self._witness.look(self.written, self.performed)


def outcome_of(outcome: Any) -> tuple[Any, ...]:
    """Return what can be compared of an outcome, whatever time it took and whichever process it ended in."""
    return (
        type(outcome).__name__,
        getattr(outcome, "value", None),
        _flat(getattr(outcome, "failure", None)),
        [(type(end).__name__, end.path) for end in outcome.rollback.steps],
        sorted(failure.kind for failure in outcome.cleanup_failures),
    )


def _flat(failure: Any) -> Iterator[Any] | None:
    return None if failure is None else (failure.kind, failure.path)
