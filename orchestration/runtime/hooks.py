"""Calling hooks: gates that are asked, observers that are told, isolated from the run and from each other (S31-S33)."""

from __future__ import annotations

import asyncio
import copy
import inspect
from contextvars import Context
from typing import TYPE_CHECKING, Any, overload

import attrs

from orchestration.errors import GateFailed, Vetoed
from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.outcomes import HookFailure
from orchestration.plan.hooks import Veto, asks_of
from orchestration.plan.moments import REDACTED, Asked, StepBegan, StepEnded
from orchestration.plan.nodes import Retried, Step
from orchestration.plan.secrets import masked
from orchestration.plan.tree import child_path, children_of, static_path
from orchestration.runtime.context import current
from orchestration.runtime.tasks import leak

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

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
        self.asks: tuple[When, ...] = asks_of(engine)  # when every step asks the hooks of the engine
        self.of: dict[int, tuple[Hook, ...]] = {}
        self._steps: dict[str, tuple[Hook, ...]] = {}
        self._retried: dict[str, tuple[Hook, ...]] = {}
        for node, path, hooks in _inherited(plan.root, plan.name, engine):
            self.of[node.number] = hooks
            if isinstance(node, Step):
                self._steps[path] = hooks
            if isinstance(node, Retried):
                self._retried[path] = hooks
        self._any = any(self.of.values())

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return self._any

    def of_step(self, path: str) -> tuple[Hook, ...]:
        """Return the hooks of the step at a path of a run; none if there is no such."""
        return self._steps.get(static_path(path), ())

    def of_retried(self, path: str) -> tuple[Hook, ...]:
        """Return the hooks of the composite that is retried at a path of a run; none if there is no such."""
        return self._retried.get(static_path(path), ())


def _inherited(node: Node, path: str, hooks: tuple[Hook, ...]) -> Iterator[tuple[Node, str, tuple[Hook, ...]]]:
    mine = (*hooks, *getattr(node, "hooks", ()))
    yield node, path, mine
    for how, child in children_of(node):
        yield from _inherited(child, child_path(path, how, child.name), mine)


def outside(context: Context) -> Context:
    """Return a copy of a context in which no step runs: what a hook can ask there is no handle on the run (S33)."""
    copied = Context()
    variables: Mapping[Any, Any] = context
    for variable, value in variables.items():
        if variable is not current:
            copied.run(variable.set, value)
    return copied


class HookCaller:
    """Calls the hooks of one run, in its `context` and, if they are plain functions, in `threads`.

    `failures` are those of observers: they change nothing. `leaked` names the calls that did not end when they were
    told to, in the `grace` that they have for it (S24); `when_ended` is called after each that was told to.
    """

    def __init__(
        self, run_id: str, context: Context, threads: Threads, grace: float, when_ended: Callable[[], None]
    ) -> None:
        """Call nothing yet."""
        self.context = context
        self.failures: list[HookFailure] = []
        self.leaked: list[str] = []
        self._run_id = run_id
        self._threads = threads
        self._grace = grace
        self._when_ended = when_ended
        self._ending: dict[asyncio.Task[object], asyncio.TimerHandle] = {}

    @property
    def waiting(self) -> bool:
        """Whether a call that was told to end has not done so yet."""
        return bool(self._ending)

    # --- what hooks are called for

    async def ask(self, question: AskHooks, hooks: tuple[Hook, ...], at: float) -> Failure | None:
        """Return why a step must fail, if a hook says so (S31, S32).

        Before it, gates are asked in their order, then strict observers told, up to the first that objects. After it,
        all strict observers are told.
        """
        path, value = question.path, question.value
        strict = [hook for hook in hooks if hook.strict]
        if question.when == "after":
            return await self._ask_after(StepEnded(self._run_id, path, at, "succeeded"), value, strict[::-1])
        key = f"{self._run_id}:{path}"
        asked = Asked(self._run_id, path, question.step.name, key, at)
        for hook in hooks:
            failure = await self._gate(hook, asked, value) if hook.kind == "gate" else None
            if failure is not None:
                return failure
        began = StepBegan(self._run_id, path, at, key)
        for hook in strict:
            failure = await self._strict(hook, began, value)
            if failure is not None:
                return failure
        return None

    async def tell(self, hook: Hook, moment: Moment, value: object) -> None:
        """Tell an observer; what it raises is listed."""
        try:
            await self._call(hook, moment.path, _shown(moment, value, hook))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever happened: the run does not care
            self._list(hook, moment, Failure.of(error, moment.path))

    async def _ask_after(self, ended: StepEnded, value: object, strict: list[Hook]) -> Failure | None:
        failures: list[tuple[Hook, Failure]] = []
        try:
            for hook in strict:
                failure = await self._strict(hook, ended, value)
                if failure is not None:
                    failures.append((hook, failure))
        except asyncio.CancelledError:  # given up: the step does not fail any more
            for hook, failure in failures:
                self._list(hook, ended, failure)
            raise
        found = [failure for _, failure in failures]
        return found[0].attach(found[1:]) if found else None

    async def _strict(self, hook: Hook, moment: StepBegan | StepEnded, value: object) -> Failure | None:
        try:
            await self._call(hook, moment.path, _shown(moment, value, hook))
        except Exception as error:  # noqa: BLE001 - a foreign function may raise anything; the step fails for it
            return _failed(hook, moment.path, error)
        return None

    async def _gate(self, hook: Hook, asked: Asked, value: object) -> Failure | None:
        try:
            answer = await self._call(hook, asked.path, _shown(asked, value, hook))
        except Exception as error:  # noqa: BLE001 - a foreign function may raise anything; the step fails for it
            return _failed(hook, asked.path, error)
        if answer is None:
            return None
        if isinstance(answer, Veto):
            veto = Vetoed(asked.path, found=f"a veto of {hook.name}: {answer.reason}", expected="none", mend=_VETO)
            return Failure.of(veto, asked.path)
        return _failed(hook, asked.path, TypeError(f"expected None or a Veto, found {type(answer).__name__}"))

    def _list(self, hook: Hook, moment: Moment, failure: Failure) -> None:
        self.failures.append(HookFailure(hook.name, type(moment).__name__, moment.path, bare(failure)))

    # --- one call

    async def _call(self, hook: Hook, path: str, shown: object) -> object:
        """Call a hook, for as long as it may take from when it begins; then it is told to end (S32).

        Raises:
            TimeoutError: if it has not answered by then.
            RuntimeError: if it raised what would end a task or the process.
        """
        call = _Call()
        task = asyncio.create_task(_contained(self._calling(call, hook, shown)), context=self.context.copy())
        task.add_done_callback(_see)
        try:
            either: list[asyncio.Future[Any]] = [task, call.begun]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([task], timeout=hook.timeout)
        finally:
            call.begun.cancel()
            if not task.done():
                self._end(task, call, f"{path}:{hook.name}")
        if not task.done():
            raise TimeoutError(f"no answer in {hook.timeout:g} s")
        if task.cancelled():
            raise RuntimeError("the hook raised CancelledError, or was cancelled by another task")
        return task.result()

    async def _calling(self, call: _Call, hook: Hook, shown: object) -> object:
        function = hook.body.call
        if inspect.iscoroutinefunction(function):
            call.begin()
            return await function(shown)
        answer = await self._threads.call_for(call, function, shown)
        return await answer if inspect.isawaitable(answer) else answer

    def _end(self, task: asyncio.Task[object], call: _Call, name: str) -> None:
        """Tell a call to end. Nothing waits for that but the end of the run."""
        task.cancel()
        self._ending[task] = asyncio.get_running_loop().call_later(self._grace, self._leak, task, call, name)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        timer = self._ending.pop(task, None)
        if timer is not None:
            timer.cancel()
            self._when_ended()

    def _leak(self, task: asyncio.Task[object], call: _Call, name: str) -> None:
        del self._ending[task]
        self.leaked.append(name)
        call.when_leaked()
        leak(task)
        self._when_ended()


class _Call:
    """One call of a hook, as a thread sees it. `begun` is done when the hook begins: its time counts from there."""

    def __init__(self) -> None:
        self.when_leaked: Callable[[], object] = int
        self._loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = self._loop.create_future()

    def note_queued(self, when_leaked: Callable[[], None]) -> None:
        self.when_leaked = when_leaked

    def note_started(self) -> None:
        self._loop.call_soon_threadsafe(self.begin)

    def begin(self) -> None:
        if not self.begun.done():
            self.begun.set_result(None)


_VETO = "Let the gate allow it, or recover from orchestration.errors.Vetoed."


async def _contained(calling: Awaitable[object]) -> object:
    """Let what would end the task of the caller, or the process, end only the hook."""
    try:
        return await calling
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException as error:
        raise RuntimeError(f"the hook raised {type(error).__name__}") from error


def _see(task: asyncio.Task[object]) -> None:
    """Take note of what a hook raised, also if nobody waits for it any more: asyncio would complain."""
    if not task.cancelled():
        task.exception()


def _failed(hook: Hook, path: str, error: Exception) -> Failure:
    cause = Failure.of(error, path)
    what = f"{cause.kind}: {cause.message}" if cause.message else cause.kind
    failed = GateFailed(
        path,
        found=f"{hook.name}, which failed with {what}",
        expected="an answer",
        mend="Mend the hook, or recover from orchestration.errors.GateFailed.",
    )
    failed.__cause__ = error
    return Failure.of(failed, path)


def unanswered(path: str) -> Failure:
    """Return the failure of a step whose hooks nobody can ask any more: what is not allowed does not begin."""
    error = GateFailed(
        path,
        found="no answer: the task that asked the hooks was cancelled",
        expected="an answer",
        mend="Cancel runs by their handle or token, not their tasks.",
    )
    return Failure.of(error, path)


def _shown(moment: Any, value: object, hook: Hook) -> object:  # noqa: ANN401 - any moment, or what a gate is asked
    """Return what a hook is shown: a copy of the value if it exposes it, so that it cannot reach into the run."""
    if not hook.expose or not hasattr(moment, "value"):
        return moment
    return attrs.evolve(moment, value=_copied(value))


def _copied(value: object) -> object:
    try:
        return copy.deepcopy(masked(value))
    except BaseException:  # noqa: BLE001 - a foreign __deepcopy__ may raise anything; what cannot be copied is not shown
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
