"""`Handle`: a run under way, as who started it sees it."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Generic, TypeVar, cast, final

from orchestration.runtime.boundary import validate_signal
from orchestration.runtime.inbox import cancel_text, signal_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.engine import Turned
    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.runtime.driver import Driver
    from orchestration.runtime.durable import Kept
    from orchestration.runtime.executors import Executors
    from orchestration.runtime.tokens import CancelToken
    from orchestration.signals import Signal

T = TypeVar("T")
Payload = TypeVar("Payload")
E = TypeVar("E")


@final
class Handle(Generic[T]):
    """A run under way.

    ```python
    handle = await LocalEngine().start(Workflow[Order]("slow").sleep(3600), order)
    assert handle.cancel("changed my mind")
    assert (await handle.result()).reason == "changed my mind"
    ```
    """

    def __init__(self, driver: Driver, value: object, kept: Kept | None = None) -> None:
        """Belong to the run that `driver` drives with `value`, `kept` by a journal if it is durable."""
        self.value = value
        self._kept = kept
        self.task: asyncio.Task[Outcome[T]] | None = None  # keeps the supervisor alive where it has a task of its own
        self._driver = driver
        self._ends: list[Callable[[], object]] = []
        self._begun = False
        self._awaited = 0  # how many wait for the outcome
        self._done: asyncio.Future[Outcome[T]] = asyncio.get_running_loop().create_future()

    def when_done(self, callback: Callable[[], object]) -> None:
        """Call `callback` as soon as the run is over. For engines."""
        self._ends.append(callback)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._driver.run_id

    @property
    def plan(self) -> Plan:
        """The plan that is run."""
        return self._driver.plan

    @property
    def state(self) -> State:
        """Where the run is."""
        return self._driver.state

    async def result(self) -> Outcome[T]:
        """Wait for the outcome. Cancelling this wait does not cancel the run; `cancel` does."""
        self._awaited += 1
        try:
            return await asyncio.shield(self._done)
        finally:
            self._awaited -= 1

    def cancel(self, reason: str = "cancelled by its handle") -> bool:
        """Cancel the run; tell whether this decided its outcome (S28).

        A durable run that was stopped here is cancelled as soon as somebody goes on with it.
        """
        if self._kept is not None and self._driver.stopped:
            self._kept.durable.journal.post(self.run_id, cancel_text(reason))
            return False
        return self._driver.cancel(reason)

    def obey(self, token: CancelToken) -> None:
        """Cancel the run when a token is cancelled, from any thread (S28). For engines."""
        loop = asyncio.get_running_loop()
        forget = token.when_cancelled(lambda reason: loop.call_soon_threadsafe(self.cancel, reason))
        self.when_done(forget)

    def signal(self, signal: Signal[Payload], payload: Payload, /, *, signal_id: str | None = None) -> None:
        """Send a signal to the run, which takes it now or keeps it for the next step that waits for it (S21).

        Signals of the same `signal_id` count once, so a sender who is not sure may send again. To a durable run it is
        durable when this returns, which takes as long as the journal does.

        Raises:
            SignalRefused: if the run is over or cancelled or never waits for this signal, or the payload is of another
                type.
            Unserialisable: if the run is durable, and the payload has no form in JSON.
        """
        plan = self._driver.plan
        checked = validate_signal(plan, self._driver.state, signal, payload)
        known = signal_id or uuid.uuid4().hex
        if self._kept is None:
            self._driver.signal(signal.name, known, checked)
            return
        self._kept.durable.journal.post(self.run_id, signal_text(plan, signal.name, known, checked))
        self._kept.keeper.look()

    async def supervise(self, executors: Executors) -> Outcome[T]:
        """Drive the run to its outcome, in the task that calls this. For engines."""
        self._begun = True
        try:
            with executors:
                outcome = await self._run()
        except BaseException as error:
            self._break(error)
            raise
        finally:
            for end in self._ends:
                end()
        checked = cast("Outcome[T]", outcome)  # what the plan gives is what the workflow's type says
        self._done.set_result(checked)
        return checked

    def close(self, task: asyncio.Task[Outcome[T]]) -> None:
        """Take note that the task of the run has ended, maybe before it began. For engines."""
        if not self._begun:
            self._break(asyncio.CancelledError())
            for end in self._ends:
                end()
            if self._kept is not None:
                self._kept.durable.let_go(self._kept)
        elif not task.cancelled():
            task.exception()  # seen, as below

    def _break(self, error: BaseException) -> None:
        self._done.set_exception(error)
        self._done.exception()  # seen: who awaits the run gets it from here, and maybe nobody else does

    async def _run(self) -> Outcome[object]:
        if self._kept is None:
            return await self._driver.run()
        return await self._kept.durable.run(self._driver, self._kept)

    def park(self, until: float) -> None:
        """Stop a durable run that does nothing but wait, at least until then. For workers.

        Not if somebody here waits for its outcome, or if it would be due at once: a letter lies there that it leaves.
        """
        kept = self._kept
        wake = None if kept is None or kept.keeper.leaves_some or self._awaited else kept.log.wake
        if wake is not None and wake >= until:
            self._driver.park(wake)

    def look(self) -> None:
        """Look into the inbox of a durable run: something was put there. For engines."""
        if self._kept is not None:
            self._kept.keeper.look()

    @property
    def waits_for(self) -> tuple[Effect, ...]:
        """What the run had to perform when it began here: of one that was taken up again, all that it waited for."""
        return tuple(self._driver.waits_for)

    def events(self) -> AsyncIterator[AnyEvent]:
        """Iterate over the events of the run, from this call on and up to its outcome."""
        return _until_none(self._queue(lambda turned: turned.event))

    def turns(self) -> AsyncIterator[Turned]:
        """Iterate over the events of the run as `events` does, each with its effects and the state after it."""
        return _until_none(self._queue(lambda turned: turned))

    def _queue(self, wanted: Callable[[Turned], E]) -> asyncio.Queue[E | None]:
        queue: asyncio.Queue[E | None] = asyncio.Queue()
        self._driver.listen(lambda turned: queue.put_nowait(wanted(turned)))
        self._done.add_done_callback(lambda _: queue.put_nowait(None))
        return queue


async def _until_none(queue: asyncio.Queue[E | None]) -> AsyncIterator[E]:
    while (item := await queue.get()) is not None:
        yield item
