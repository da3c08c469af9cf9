"""The hooks of one run: what is asked, what is told, and what is left of both when the run is over (S31, S32)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.interpreter.events import HooksAnswered
from orchestration.runtime.hooks import HookCaller, outside, unanswered
from orchestration.runtime.threads import Threads
from orchestration.runtime.watch import Watch

if TYPE_CHECKING:
    from orchestration.interpreter.effects import AskHooks, Effect
    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.state import State
    from orchestration.outcomes import HookFailure
    from orchestration.runtime.driver import Driver
    from orchestration.runtime.hooks import Hooks


def completed(state: State, streams: list[str], hooks: HookedRun | None) -> State:
    """Return a state whose outcome names the streams and hooks that did not end (S24) or failed (S32) as well."""
    outcome = state.outcome
    failures, leaked = ((), ()) if hooks is None else (hooks.failures, hooks.leaked)
    if outcome is None or not (streams or failures or leaked):
        return state
    all_leaked = (*outcome.leaked, *streams, *leaked)
    return evolve(state, outcome=evolve(outcome, leaked=all_leaked, hook_failures=failures))


class HookedRun:
    """Asks the hooks that have a say, and lets the watch tell the others.

    Their threads are their own: a step that fills those of the engine would otherwise wait for an observer that waits
    for a thread.
    """

    def __init__(self, hooks: Hooks, driver: Driver) -> None:
        """Belong to the run of `driver`."""
        self._hooks = hooks
        self._driver = driver
        self._threads = Threads().__enter__()
        context = outside(driver.context)
        self._caller = HookCaller(driver.run_id, context, self._threads, driver.grace, driver.wake_up)
        self._watch = Watch(hooks, self._caller, driver.run_id, driver.wake_up)
        self._asking: dict[str, asyncio.Task[Failure | None]] = {}
        self._given_up: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether a hook is under way."""
        return bool(self._asking) or self._watch.telling or self._caller.waiting

    @property
    def failures(self) -> tuple[HookFailure, ...]:
        """The observers that have failed."""
        return tuple(self._caller.failures)

    @property
    def leaked(self) -> tuple[str, ...]:
        """The names of the hooks that did not end when they were told to."""
        return tuple(self._caller.leaked)

    def see(self, event: AnyEvent, effects: list[Effect], state: State) -> None:
        """Take an event, with what came of it."""
        self._watch.see(event, effects, state)

    async def all_told(self) -> None:
        """Wait until the observers have been told of all that was seen."""
        await self._watch.all_told()

    def ask(self, question: AskHooks) -> None:
        """Ask the hooks of a step, and report what they say."""
        self._watch.note_asked(question)  # the watch has not seen what waits since before the run was taken up again
        task = asyncio.create_task(self._ask(question), context=self._caller.context.copy())
        self._asking[question.path] = task
        task.add_done_callback(partial(self._answered, question.path))

    def give_up(self, path: str | None = None) -> None:
        """Give up asking for the step at `path`, or for all: the answer does not matter any more."""
        for asked, task in self._asking.items():
            if path in (asked, None):
                self._given_up.add(asked)
                task.cancel()

    def close(self) -> None:
        """End the threads: the run is over (S29)."""
        self._threads.__exit__()

    async def _ask(self, question: AskHooks) -> Failure | None:
        await self._watch.all_told()
        return await self._caller.ask(question, self._hooks.of[question.step.number], self._driver.now())

    def _answered(self, path: str, task: asyncio.Task[Failure | None]) -> None:
        """Report an answer. It is a callback, since a task that is cancelled early enough does not even begin."""
        del self._asking[path]
        given_up = path in self._given_up
        self._given_up.discard(path)
        if task.cancelled() and given_up:
            failure = None
        elif task.cancelled():  # with all of the event loop: a durable run is stopped by that, and asks again (S30)
            self._driver.shut_down(asyncio.CancelledError())
            failure = unanswered(path)
        else:
            error = task.exception()
            failure = task.result() if error is None else Failure.of(error, path)
        if self._driver.over:
            self._driver.wake_up()
        else:
            self._driver.report(HooksAnswered(path, self._driver.now(), failure))
