"""Durable runs: how an engine begins them, takes them up again and keeps them (S34, S35, S38)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from orchestration.errors import InvalidInput, JournalError, RunExists, RunHeld
from orchestration.frozen import evolve
from orchestration.interpreter.state import Ledger, State
from orchestration.journal.opening import Owner, create, look_equal, outcome_of, take_over
from orchestration.outcomes import Cancelled
from orchestration.plan.durable import check_durable
from orchestration.runtime.beginning import Beginning
from orchestration.runtime.desk import Desk, finished
from orchestration.runtime.driver import Driver
from orchestration.runtime.inbox import Keeper, cancel_text
from orchestration.runtime.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.events import Started
    from orchestration.journal.opening import Opened
    from orchestration.journal.protocol import Head, Journal, Lease
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.plan.sealing import Cipher
    from orchestration.runtime.beginning import Home
    from orchestration.runtime.context import Clock
    from orchestration.runtime.handle import Handle
    from orchestration.runtime.tokens import CancelToken

T = TypeVar("T")


class Kept(NamedTuple):
    """What belongs to a durable run under way, which began with `value`."""

    value: object
    durable: Durable
    log: Log
    keeper: Keeper


class Durable:
    """A journal, and this process as an owner of runs in it. `lease` and `poll` are in seconds."""

    def __init__(self, journal: Journal, clock: Clock, *, lease: float, poll: float) -> None:
        """Own nothing yet.

        Raises:
            InvalidInput: if one of the times is not above 0, or the journal is read less often than the lease asks for.
        """
        if not 0 < poll < lease / 3:
            raise InvalidInput(
                "the engine",
                found=f"lease={lease!r}, poll={poll!r}",
                expected=f"a poll above 0 s, and a lease of more than three of them: {poll * 3:g} s",
                mend="Leave them out, or give a longer lease.",
            )
        self.journal = journal
        self.poll = poll
        self._clock = clock
        self._lease = lease
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._desk = Desk(blocks=journal.blocks)

    async def call(self, function: Callable[..., T], *arguments: Any, **options: Any) -> T:  # noqa: ANN401 - of any function
        """Call a function that uses the journal, without blocking the event loop."""
        with self._desk:
            return await self._desk.call(function, *arguments, **options)

    def _owner(self) -> Owner:
        now = self._clock()
        return Owner(self._name, now, now + self._lease)

    # --- from the journal to a driver

    async def submit(self, plan: Plan, event: Started) -> None:
        """Begin a run that waits for an owner."""
        await self.call(create, self.journal, plan, event, None)

    async def begin(self, plan: Plan, event: Started, home: Home) -> tuple[Driver, Kept | None]:
        """Begin a run.

        Raises:
            Unserialisable: if the input has no form in JSON.
            RunExists: if the journal has a run of this id.
        """
        opened = await self._open(create, plan, event)
        return self._driver(plan, home, opened, Beginning(opened.turns, opened.turns[0].effects, opened.replay.state))

    async def take_over(self, plan: Plan, run_id: str, home: Home) -> tuple[Driver, Kept | None]:
        """Go on with a run. One that has ended has its outcome at once.

        Raises:
            RunNotFound: if the journal has no such run.
            RunHeld: if another process has it.
            JournalCorrupt: if the log is damaged.
            ReplayMismatch: if the plan as it is now does something else than the log says.
        """
        outcome = await self.call(outcome_of, self.journal, plan, run_id)
        if outcome is not None:
            state = State(run_id, self._clock(), None, Ledger(), outcome)
            return Driver(plan, home, Beginning([], [], state)), None
        opened = await self._open(take_over, plan, run_id)
        effects = [waiting.effect for waiting in opened.replay.pending.values()]
        return self._driver(plan, home, opened, Beginning(opened.turns, effects, opened.replay.state))

    async def begin_or_attach(
        self, plan: Plan, event: Started, home: Home, token: CancelToken | None, *, wait: bool
    ) -> tuple[Driver, Kept | None]:
        """Begin a run, or go on with the one of this id (S5). Raises what both do."""
        with contextlib.suppress(RunExists):
            return await self.begin(plan, event, home)
        return await self.attach(
            plan, event, home, token, wait=wait
        )  # not while an error is handled: it would be a context

    async def attach(
        self, plan: Plan, event: Started, home: Home, token: CancelToken | None, *, wait: bool
    ) -> tuple[Driver, Kept | None]:
        """Go on with a run that was begun with the same input; one that another process has is waited for, or refused.

        While it is waited for, its owner is told when the token is cancelled.

        Raises:
            RunExists: if it was begun with another workflow or input (S5).
        """
        await self.call(look_equal, self.journal, plan, event)
        while True:
            try:
                return await self.take_over(plan, event.run_id, home)
            except RunHeld:
                if not wait:
                    raise
                if token is not None and token.reason is not None:
                    await self.call(self.journal.post, event.run_id, cancel_text(token.reason))
                    token = None
                await asyncio.sleep(self.poll)

    async def _open(self, function: Callable[..., Opened], *arguments: object) -> Opened:
        """Come to own a run. Who was cancelled meanwhile gives it up again: nobody would drive it."""
        with self._desk:
            opened = await self._desk.call(function, self.journal, *arguments, self._owner())
            try:
                await asyncio.sleep(0)  # a cancel that came meanwhile is met here
            except asyncio.CancelledError:
                await self._release(opened.lease)
                raise
        return opened

    def _driver(self, plan: Plan, home: Home, opened: Opened, beginning: Beginning) -> tuple[Driver, Kept]:
        log = Log(plan, self.journal, opened.lease, opened.replay, self._desk)
        driver = Driver(plan, home, beginning, log)
        keeper = Keeper(self.journal, self._desk, driver, log, lease=self._lease, poll=self.poll)
        keeper.take(opened.letters)  # before the run begins: a cancel among them lets no step begin (S28)
        return driver, Kept(opened.began.value, self, log, keeper)

    # --- a run under way

    async def run(self, driver: Driver, kept: Kept) -> Outcome:
        """Drive a run to its outcome, or until it is stopped; then it has no owner any more."""
        log, keeper = kept.log, kept.keeper
        with self._desk:
            tasks = [asyncio.create_task(log.write(driver)), asyncio.create_task(keeper.keep())]
            try:
                return await driver.run()
            finally:
                keeper.close()
                log.close()
                for task in tasks:
                    with contextlib.suppress(asyncio.CancelledError):  # its own: it was cancelled with all of the loop
                        await finished(task)
                orderly = driver.suspended or driver.state.outcome is not None
                await self._release(log.lease, wake=driver.wake, orderly=orderly)

    async def _release(self, lease: Lease, *, wake: float = 0.0, orderly: bool = True) -> None:
        with contextlib.suppress(JournalError):  # then the lease ends by itself
            await self._desk.call(self.journal.release, lease, wake=wake, orderly=orderly)

    def let_go(self, kept: Kept) -> None:
        """Give a run up that nobody has begun to drive; it is too late to wait for this."""
        with contextlib.suppress(JournalError):
            self.journal.release(kept.log.lease)

    async def heads(self) -> list[Head]:
        """Return what the journal knows of the runs that have not ended."""
        return [*await self.call(self.journal.heads, "unfinished")]


def durable_plan(plan: Plan, cipher: Cipher | None) -> Plan:
    """Return a plan as it is run with a journal, its secrets sealed.

    Raises:
        PlanErrors: if it cannot be durable (S37).
    """
    check_durable(plan, sealed=cipher is not None)
    return plan if cipher is None else evolve(plan, codec=plan.codec.with_cipher(cipher))


def state_of(head: Head) -> State:
    """Return as much of a run's state as can be known without its log: whether it has ended."""
    outcome = None if head.status == "unfinished" else Cancelled(head.status, head.run_id)
    return State(head.run_id, head.updated, None, Ledger(), outcome)


class Recovery(NamedTuple):
    """What became of the runs that were left: those that go on, and why others cannot."""

    handles: list[Handle[Any]]
    refused: list[tuple[Head, JournalError]]
