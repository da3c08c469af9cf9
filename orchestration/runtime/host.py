"""What a local engine is made of: its settings, and how a run of a plan comes to have a driver."""

from __future__ import annotations

import asyncio
import math
import os
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from orchestration.errors import InvalidInput, JournalFailed, RunExists, UnknownWorkflow
from orchestration.interpreter.ahead import Route
from orchestration.runtime.admission import lines_of
from orchestration.runtime.beginning import Home, beginning_of, started
from orchestration.runtime.driver import Driver
from orchestration.runtime.durable import durable_plan
from orchestration.runtime.handle import Handle
from orchestration.runtime.handler import BodyHandler, wrap
from orchestration.runtime.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

    from orchestration.interpreter.events import Started
    from orchestration.journal.protocol import Head
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import Hook
    from orchestration.plan.sealing import Cipher
    from orchestration.runtime.admission import Gate, Limits
    from orchestration.runtime.context import Clock
    from orchestration.runtime.durable import Durable, Kept
    from orchestration.runtime.executors import Executors
    from orchestration.runtime.handler import Middleware
    from orchestration.runtime.services import Services
    from orchestration.runtime.tokens import CancelToken

NOBODY_ELSE: AbstractAsyncContextManager[None] = nullcontext()  # a run without an id is found by nobody
KEPT = 64  # plans whose home an engine keeps ready


class Host:
    """The settings of an engine, its runs under way, and the plans that it knows."""

    _services: Services[Any]
    _hooks: tuple[Hook, ...]
    _middleware: tuple[Middleware, ...]
    _grace: float
    _clock: Clock
    _gate: Gate | None
    _limits: Limits
    _executors: Executors
    _durable: Durable | None
    _cipher: Cipher | None

    def __init__(self) -> None:
        """Have nothing under way; the engine keeps its settings itself."""
        self._homes: dict[int, tuple[Plan, Home]] = {}  # by identity: equal plans may hold other lambdas
        self._runs: dict[str, Handle[Any]] = {}
        self._opening: dict[str, asyncio.Event] = {}
        self._plans: dict[str, Plan] = {}

    def _alone(self, run_id: str | None) -> AbstractAsyncContextManager[None]:
        """Let tasks of this process open a run one after the other, so that the second finds it under way."""
        return NOBODY_ELSE if run_id is None else self._one_by_one(run_id)

    @asynccontextmanager
    async def _one_by_one(self, run_id: str) -> AsyncGenerator[None]:
        while run_id in self._opening:
            await self._opening[run_id].wait()
        opened = self._opening[run_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._opening[run_id]
            opened.set()

    def _attach(self, plan: Plan, value: object, run_id: str | None, token: CancelToken | None) -> Handle[Any] | None:
        if run_id is None:
            return None
        _look_at(run_id, plan)
        known = self._runs.get(run_id)
        if known is not None and (known.plan != plan or known.value != value):
            raise RunExists(
                plan.name,
                found=f"run {run_id!r} under way with another plan or input",
                expected="a new run id, or the same plan and input",
                mend="Choose another run_id, or wait for the outcome of that run.",
            )
        if known is not None and token is not None:
            known.obey(token)
        return known

    async def _open(
        self,
        plan: Plan,
        value: object,
        run_id: str | None,
        deadline: float | None,
        token: CancelToken | None,
        *,
        wait: bool = False,
    ) -> Handle[Any]:
        event, home = self._first(plan, value, run_id, deadline), self._home_of(plan)
        kept: Kept | None = None
        if self._durable is None:
            driver = Driver(plan, home, beginning_of(plan, event))
        else:
            driver, kept = await self._durable.begin_or_attach(plan, event, home, token, wait=wait)
        return self._handle(driver, value, kept, token, listed=run_id is not None or kept is not None)

    def _first(self, plan: Plan, value: object, run_id: str | None, deadline: float | None) -> Started:
        if deadline is not None and not 0 < deadline < math.inf:
            raise InvalidInput(
                plan.name,
                found=f"deadline={deadline!r}",
                expected="a finite number of seconds above 0",
                mend="Leave it out for a run without a deadline.",
            )
        if run_id is not None:
            _look_at(run_id, plan)
        return started(plan, value, self._home_of(plan), run_id=run_id or os.urandom(16).hex(), deadline=deadline)

    def _handle(
        self, driver: Driver, value: object, kept: Kept | None, token: CancelToken | None, *, listed: bool
    ) -> Handle[Any]:
        handle: Handle[Any] = Handle(driver, value, kept)
        if token is not None:
            handle.obey(token)
        if listed:
            self._runs[driver.run_id] = handle
            handle.when_done(lambda: self._runs.pop(driver.run_id))
        return handle

    def _home_of(self, plan: Plan) -> Home:
        """Return what a run of a plan needs: what there is to call and to pass is found out once, for all its runs."""
        known = self._homes.get(id(plan))
        if known is None:
            bodies, route = BodyHandler(plan, self._services, self._executors), Route(plan)
            lines, hooks = lines_of(plan, self._gate, self._limits), Hooks(plan, self._hooks)
            is_quiet = route.is_row and not (bodies.needs_places or lines or hooks or self._durable)
            handler, threads = wrap(bodies, self._middleware), self._executors.threads
            home = Home(handler, threads, self._grace, lines, hooks, self._clock, route, is_quiet)
            if len(self._homes) >= KEPT:
                self._homes.clear()
            self._homes[id(plan)] = (plan, home)
            return home
        home = known[1]
        if plan.root.max_concurrency is None:
            return home
        return home._replace(lines=lines_of(plan, self._gate, self._limits))  # each run has a gate of its own

    # --- durable runs

    def _known(self, plan: Plan) -> Plan:
        """Return a plan as this engine runs it; in a journal, its secrets are sealed."""
        if self._durable is None:
            return plan
        known = self._plans.get(plan.name)
        if known is None or known.fingerprint != plan.fingerprint or known.root is not plan.root:
            known = durable_plan(plan, self._cipher)
            self._plans[plan.name] = known
        return known

    @property
    def _durably(self) -> Durable:
        if self._durable is None:
            raise JournalFailed(
                "the engine",
                found="no journal",
                expected="one that keeps its runs",
                mend="Give it one: LocalEngine(journal=SqliteJournal('runs.db')).",
            )
        return self._durable

    def _plan_of(self, head: Head) -> Plan:
        plan = self._plans.get(head.plan)
        if plan is None:
            raise UnknownWorkflow(
                head.run_id,
                found=f"a run of {head.plan!r}; workflows of the engine: {', '.join(self._plans) or 'none'}",
                expected="a workflow of that name",
                mend="Give it to the engine: LocalEngine(workflows=[...]).",
            )
        return plan


def _look_at(run_id: object, plan: Plan) -> None:
    """See that something can be the id of a run (S4).

    Raises:
        InvalidInput: if not.
    """
    if not isinstance(run_id, str) or not run_id or ":" in run_id or not run_id.isprintable():
        raise InvalidInput(
            plan.name,
            found=f"run id {run_id!r}",
            expected="a text of printable characters without a colon",
            mend="Choose another run_id.",
        )
