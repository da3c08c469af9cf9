"""The hooks of a plan, asked and told as in a real run (S31-S33), but at once: no task, no thread, no timeout."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, cast

from orchestration.runtime.hooks import HookCaller, Hooks, outside
from orchestration.runtime.threads import Threads
from orchestration.runtime.watch import Watch
from orchestration.testing.answers import settled

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.effects import AskHooks, Effect
    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.state import State
    from orchestration.outcomes import HookFailure
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import Hook


class PlayedHooks:
    """The hooks of one run on a virtual clock."""

    def __init__(self, plan: Plan, run_id: str) -> None:
        """Ask and tell nobody yet."""
        self._hooks = Hooks(plan, ())
        self._caller = _Caller(run_id, outside(copy_context()), Threads(), 0.0, _nothing)
        self._watch = _Watch(self._hooks, self._caller, run_id, _nothing)

    @property
    def failures(self) -> tuple[HookFailure, ...]:
        """The observers that have failed."""
        return tuple(self._caller.failures)

    def see(self, event: AnyEvent, effects: list[Effect], state: State) -> None:
        """Tell observers of an event, and of what came of it."""
        self._watch.see(event, effects, state)

    def ask(self, question: AskHooks, at: float) -> Failure | None:
        """Return why a step must fail, if a hook says so."""
        asking = self._caller.ask(question, self._hooks.of[question.step.number], at)
        return cast("Failure | None", settled(asking))


def _nothing() -> None:
    """Do nothing: nobody waits for the end of a call."""


class _Caller(HookCaller):
    """Calls a hook here and now."""

    async def _call(self, hook: Hook, path: str, shown: object) -> object:  # noqa: ARG002 - as where it is inherited from
        return self.context.copy().run(lambda: settled(hook.body.call(shown)))


class _Watch(Watch):
    """Tells all moments as soon as they are there."""

    def _begin_to_tell(self) -> None:
        settled(self._tell_all())
