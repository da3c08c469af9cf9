"""The hooks of one run: what is asked, what is told, and what is left of both when the run is over (S31, S32)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from orchestration.interpreter.events import HooksAnswered
from orchestration.runtime.hooks import HookCaller
from orchestration.runtime.watch import Watch

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.effects import AskHooks, Effect
    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.state import State
    from orchestration.outcomes import HookFailure
    from orchestration.runtime.driver import Driver
    from orchestration.runtime.hooks import Hooks
    from orchestration.runtime.threads import Threads


class HookedRun:
    """Asks the hooks that have a say, and lets the watch tell the others."""

    def __init__(self, hooks: Hooks, threads: Threads, driver: Driver) -> None:
        """Belong to the run of `driver`."""
        self._hooks = hooks
        self._driver = driver
        self._caller = HookCaller(driver.run_id, threads)
        self._watch = Watch(hooks, self._caller, driver.run_id, driver.wake_up)
        self._asking: dict[str, asyncio.Task[None]] = {}

    @property
    def busy(self) -> bool:
        """Whether a hook is under way."""
        return bool(self._asking) or self._watch.telling

    @property
    def failures(self) -> tuple[HookFailure, ...]:
        """The observers that have failed."""
        return tuple(self._caller.failures)

    def see(self, event: AnyEvent, effects: list[Effect], state: State) -> None:
        """Take an event, with what came of it."""
        self._watch.see(event, effects, state)

    async def all_told(self) -> None:
        """Wait until the observers have been told of all that was seen."""
        await self._watch.all_told()

    def ask(self, question: AskHooks) -> None:
        """Ask the hooks of a step, and report what they say."""
        self._asking[question.path] = asyncio.create_task(self._ask(question))

    def give_up(self, path: str | None = None) -> None:
        """Give up asking for the step at `path`, or for all: the answer does not matter any more."""
        for asked, task in self._asking.items():
            if path in (asked, None):
                task.cancel()

    async def _ask(self, question: AskHooks) -> None:
        failure: Failure | None = None
        try:
            await self._watch.all_told()
            hooks = self._hooks.of[question.step.number]
            failure = await self._caller.ask(question, hooks, self._driver.now())
        except asyncio.CancelledError:
            pass  # given up: a step that is being cancelled takes any answer
        del self._asking[question.path]
        if self._driver.over:
            self._driver.wake_up()
        else:
            self._driver.report(HooksAnswered(question.path, self._driver.now(), failure))
