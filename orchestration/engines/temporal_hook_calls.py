"""The local activities of a worker that call hooks (S31-S33)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast, final

from temporalio import activity

from orchestration.engines import temporal_wire as wire
from orchestration.engines.temporal_hooks import moment_from_data, numbered
from orchestration.engines.temporal_local import stopped
from orchestration.engines.temporal_plans import found
from orchestration.errors import UnknownWorkflow
from orchestration.interpreter.serial import from_data, to_data
from orchestration.runtime.hooks import HookCaller, Hooks, bare, outside
from orchestration.runtime.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from orchestration.engines.temporal_local import Local
    from orchestration.engines.temporal_wire import Data
    from orchestration.failures import Failure
    from orchestration.interpreter.effects import AskHooks
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import Hook

REMEMBERED = 1_000  # tellings of a worker


@final
class HookCalls:
    """Calls hooks for the runs of one worker. `grace` is in seconds."""

    def __init__(self, local: Local, *, grace: float) -> None:
        """Call nothing yet."""
        self._local = local
        self._grace = grace
        self.threads: Threads = Threads()  # of their own: steps may fill those of the worker
        self._told: OrderedDict[tuple[str, int], Data] = OrderedDict()

    @activity.defn(name=wire.ASK)
    async def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Ask the hooks of a step; return why it must fail, if it must."""
        plan, engine = _found(order)
        question = cast("AskHooks", from_data(plan, order["question"], "question"))
        hooks = Hooks(plan, engine).of[question.step.number]
        answer: Failure | None = None

        async def call(caller: HookCaller) -> None:
            nonlocal answer
            answer = await caller.ask(question, hooks, order["at"])

        listed = await self._called(plan, order, call)
        return {**listed, "failure": to_data(plan, bare(answer), question.path)}

    @activity.defn(name=wire.TELL)
    async def tell(self, order: dict[str, Any]) -> dict[str, Any]:
        """Tell observers, once: what was told already, in a task that came to nothing, is not repeated."""
        plan, engine = _found(order)
        hooks = numbered(plan, engine)
        key = (activity.info().workflow_run_id or "", order["number"])

        async def call(caller: HookCaller) -> None:
            for data, numbers in order["moments"]:
                moment, value = moment_from_data(plan, data)
                for number in numbers:
                    await caller.tell(hooks[number], moment, value)

        if key not in self._told:
            self._told[key] = await self._called(plan, order, call)
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
        return self._told[key]

    async def _called(self, plan: Plan, order: Data, call: Callable[[HookCaller], Coroutine[Any, Any, None]]) -> Data:
        """Let hooks be called, and wait until those that were told to end have, or have leaked (S24)."""
        quiet = asyncio.Event()
        run = order["run"]
        caller = HookCaller(run, outside(copy_context()), self.threads, self._grace, quiet.set)
        with self._local.one(run):
            with suppress(asyncio.CancelledError):  # given up: what it would have said does not matter any more
                await call(caller)
            while caller.waiting and not self._local.stopped:
                quiet.clear()
                await quiet.wait()
        if self._local.stopped:
            raise stopped(run)
        failures = [to_data(plan, failure, failure.path) for failure in caller.failures]
        return {"failures": failures, "leaked": caller.leaked}


def _found(order: Data) -> tuple[Plan, tuple[Hook, ...]]:
    """Return the plan of a run, and the hooks of its engine that can be called."""
    info = activity.info()
    try:
        plan, hooks, _ = found(info.workflow_namespace or "", info.task_queue, order)
    except UnknownWorkflow as error:  # a moment ago it was there
        raise stopped(order["run"]) from error
    return plan, hooks
