"""Calling hooks: gates that are asked, observers that are told, isolated from the run and from each other (S31-S33)."""

from __future__ import annotations

import asyncio
import copy
import inspect
from typing import TYPE_CHECKING, Any, overload

import attrs

from orchestration.errors import GateFailed, Vetoed
from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.outcomes import HookFailure
from orchestration.plan.hooks import Veto, asks_of
from orchestration.plan.moments import REDACTED, Asked, StepBegan, StepEnded
from orchestration.plan.secrets import masked
from orchestration.plan.tree import children_of
from orchestration.runtime.tasks import leak

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from orchestration.interpreter.effects import AskHooks
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import Hook, When
    from orchestration.plan.moments import Moment
    from orchestration.plan.nodes import Node
    from orchestration.runtime.threads import Threads


class Hooks:
    """Which hooks concern which node of a plan: those of the engine, of the workflows around it, and its own."""

    def __init__(self, plan: Plan, engine: tuple[Hook, ...]) -> None:
        """Find out once for each node."""
        self.engine = engine
        self.of: Mapping[int, tuple[Hook, ...]] = dict(_inherited(plan.root, engine))

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return any(self.of.values())

    @property
    def asks(self) -> tuple[When, ...]:
        """When every step asks the hooks of the engine."""
        return asks_of(self.engine)


def _inherited(node: Node, hooks: tuple[Hook, ...]) -> Iterable[tuple[int, tuple[Hook, ...]]]:
    mine = (*hooks, *getattr(node, "hooks", ()))
    yield node.number, mine
    for _, child in children_of(node):
        yield from _inherited(child, mine)


class HookCaller:
    """Calls the hooks of one run. `failures` are those of observers: they change nothing."""

    def __init__(self, run_id: str, threads: Threads) -> None:
        """Call plain functions in `threads`."""
        self.failures: list[HookFailure] = []
        self._run_id = run_id
        self._threads = threads

    async def ask(self, question: AskHooks, hooks: tuple[Hook, ...], at: float) -> Failure | None:
        """Return why a step must fail, if a hook says so: gates in order, then strict observers (S31, S32)."""
        path, step, key = question.path, question.step, f"{self._run_id}:{question.path}"
        if question.when == "before":
            asked = Asked(self._run_id, path, step.name, key, at)
            for hook in hooks:
                failure = await self._gate(hook, asked, question.value) if hook.kind == "gate" else None
                if failure is not None:
                    return failure
            moment: Moment = StepBegan(self._run_id, path, at, key)
        else:
            moment = StepEnded(self._run_id, path, at, "succeeded")
        strict = [hook for hook in hooks if hook.strict]
        for hook in strict if question.when == "before" else reversed(strict):
            try:
                await self._call(hook, _shown(moment, question.value, hook))
            except Exception as error:  # noqa: BLE001 - a foreign function may raise anything; the step fails for it
                return _failed(hook, path, error)
        return None

    async def tell(self, hook: Hook, moment: Moment, value: object) -> None:
        """Tell an observer; what it raises is listed."""
        try:
            await self._call(hook, _shown(moment, value, hook))
        except Exception as error:  # noqa: BLE001 - a foreign function may raise anything; the run does not care
            self.failures.append(
                HookFailure(hook.name, type(moment).__name__, moment.path, bare(Failure.of(error, moment.path)))
            )

    async def _gate(self, hook: Hook, asked: Asked, value: object) -> Failure | None:
        try:
            answer = await self._call(hook, _shown(asked, value, hook))
        except Exception as error:  # noqa: BLE001 - a foreign function may raise anything; the step fails for it
            return _failed(hook, asked.path, error)
        if answer is None:
            return None
        if isinstance(answer, Veto):
            veto = Vetoed(asked.path, found=f"a veto of {hook.name}: {answer.reason}", expected="none", mend=_VETO)
            return Failure.of(veto, asked.path)
        return _failed(hook, asked.path, TypeError(f"expected None or a Veto, found {type(answer).__name__}"))

    async def _call(self, hook: Hook, shown: object) -> object:
        """Call a hook, for as long as it may take; one that does not end then is left alone (S32)."""
        call = _Call()
        task = asyncio.ensure_future(_contained(self._calling(call, hook, shown)))
        try:
            done, _ = await asyncio.wait([task], timeout=hook.timeout)
        finally:
            task.cancel()
        if done:
            return task.result()
        call.when_leaked()
        leak(task)
        message = f"no answer in {hook.timeout:g} s"
        raise TimeoutError(message)

    async def _calling(self, call: _Call, hook: Hook, shown: object) -> object:
        function = hook.body.call
        if inspect.iscoroutinefunction(function):
            return await function(shown)
        answer = await self._threads.call_for(call, function, shown)
        return await answer if inspect.isawaitable(answer) else answer


class _Call:
    """One call of a hook, as a thread sees it."""

    def __init__(self) -> None:
        self.when_leaked: Callable[[], object] = int

    def note_queued(self, when_leaked: Callable[[], None]) -> None:
        self.when_leaked = when_leaked

    def note_started(self) -> None:
        """Nothing waits for the beginning."""


_VETO = "Let the gate allow it, or recover from orchestration.errors.Vetoed."


async def _contained(calling: Awaitable[object]) -> object:
    """Let what would end the process end only the hook."""
    try:
        return await calling
    except (KeyboardInterrupt, SystemExit) as error:
        message = f"the hook raised {type(error).__name__}"
        raise RuntimeError(message) from error


def _failed(hook: Hook, path: str, error: Exception) -> Failure:
    failed = GateFailed(
        path,
        found=f"{hook.name}, which failed with {type(error).__name__}: {error}",
        expected="an answer",
        mend="Mend the hook, or recover from orchestration.errors.GateFailed.",
    )
    failed.__cause__ = error
    return Failure.of(failed, path)


def _shown(moment: Any, value: object, hook: Hook) -> object:  # noqa: ANN401 - any moment, or what a gate is asked
    """Return what a hook is shown: a copy of the value if it exposes it, so that it cannot reach into the run."""
    if not hook.expose or not hasattr(moment, "value"):
        return moment
    return attrs.evolve(moment, value=_copied(value))


def _copied(value: object) -> object:
    try:
        return masked(copy.deepcopy(value))
    except Exception:  # noqa: BLE001 - a foreign __deepcopy__ may raise anything; what cannot be copied is not shown
        return REDACTED


@overload
def bare(failure: Failure) -> Failure: ...
@overload
def bare(failure: Failure | None) -> Failure | None: ...
def bare(failure: Failure | None) -> Failure | None:
    """Return a failure without its exception, which leads to the frames of the run (S33)."""
    if failure is None:
        return None
    return evolve(
        failure,
        exception=None,
        cause=bare(failure.cause),
        attached=tuple(bare(later) for later in failure.attached),
    )
