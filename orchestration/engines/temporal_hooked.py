"""The hooks of a run inside its Temporal workflow: what is to be asked and told, and when (S31, S32).

As in every engine, observers are told of one thing after the other, a step is asked for when they have been told of
what was before, and attempts begin then, too. The calls themselves are local activities.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any, cast, final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from orchestration.engines import temporal_wire as wire
from orchestration.engines.temporal_calls import here
from orchestration.engines.temporal_hooks import moment_to_data, numbered, standing_in
from orchestration.engines.temporal_local import WorkerStopped
from orchestration.errors import Unserialisable
from orchestration.failures import Failure
from orchestration.frozen import evolve
from orchestration.interpreter.events import HooksAnswered
from orchestration.interpreter.serial import from_data, to_data
from orchestration.runtime.hooks import Hooks
from orchestration.runtime.watch import Moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.engines.temporal_wire import Data
    from orchestration.interpreter.effects import AskHooks, Effect
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.state import State
    from orchestration.outcomes import HookFailure, Outcome
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import Hook, When
    from orchestration.plan.moments import Moment


def hooked(plan: Plan, order: Data, report: Callable[[Callable[[], Event | None]], None]) -> HookedRun | None:
    """Return the hooks of a run, if it has any."""
    engine = standing_in(order.get("hooks", []))
    hooks = Hooks(plan, engine)
    return HookedRun(plan, order, hooks, report) if hooks else None


@final
class HookedRun(Moments):
    """Asks and tells the hooks of one run. What they say comes to `report`, as what makes an event."""

    def __init__(
        self, plan: Plan, order: Data, hooks: Hooks, report: Callable[[Callable[[], Event | None]], None]
    ) -> None:
        """Ask and tell nothing yet."""
        super().__init__(hooks, order["run"])
        self._plan = plan
        self._order: Data = {
            name: order[name] for name in ("v", "plan", "fingerprint", "run", "hooks") if name in order
        }
        self._report = report
        numbers = enumerate(numbered(plan, hooks.engine))
        self._numbers = {id(hook): number for number, hook in numbers}
        self._moments: list[Any] = []  # that are still to be told of
        self._telling: asyncio.Task[Any] | None = None
        self._tellings = 0
        self._to_ask: OrderedDict[str, AskHooks] = OrderedDict()  # by path
        self._asking: dict[str, asyncio.Task[Any]] = {}
        self._given_up: set[str] = set()
        self.listed: Data = {"failures": [], "leaked": []}

    # --- what is to be done

    @property
    def asks(self) -> tuple[When, ...]:
        """When every step asks the hooks of the engine."""
        return self._hooks.asks

    def take_up(self, pending: list[Effect], state: State, listed: Data) -> None:
        """Go on in a new history: of what waits, the observers know that it has begun."""
        self.listed = listed
        self._root, self._cancelled = self._plan.name, state.ledger.cancel is not None
        for effect in pending:
            self._before(effect, state.at)
        self._moments.clear()

    def add(self, moment: Moment, value: object, hooks: tuple[Hook, ...]) -> None:
        """Let observers be told, all of what has come up together by one activity."""
        data = moment_to_data(self._plan, moment, value, exposed=any(hook.expose for hook in hooks))
        self._moments.append([data, [self._numbers[id(hook)] for hook in hooks]])

    def ask(self, question: AskHooks) -> None:
        """Let the hooks of a step be asked."""
        self._to_ask[question.path] = question

    def give_up(self, path: str) -> None:
        """Give up asking for a step: the answer does not matter any more, but there is one."""
        if self._to_ask.pop(path, None) is not None:
            self._report(lambda: HooksAnswered(path, 0.0))
        elif path in self._asking:
            self._given_up.add(path)
            self._asking[path].cancel()

    # --- doing it

    @property
    def telling(self) -> bool:
        """Whether observers are being told."""
        return self._telling is not None

    @property
    def busy(self) -> bool:
        """Whether a hook is under way."""
        return self.telling or bool(self._asking)

    def go_on(self, *, draining: bool) -> None:
        """Let be told what has come up; when that is done, and the run is not about to move, let be asked."""
        if self._moments and self._telling is None:
            moments, self._moments = self._moments, []
            self._tellings += 1
            self._tell({**self._order, "number": self._tellings, "moments": moments})
        while self._to_ask and self._telling is None and not draining:
            self._ask(self._to_ask.popitem(last=False)[1])

    def _tell(self, order: Data) -> None:
        self._telling = here(wire.TELL, [order], called=f"tell of {len(order['moments'])}")
        self._telling.add_done_callback(lambda task: self._report(partial(self._told, order, task)))

    def _told(self, order: Data, task: asyncio.Task[Any]) -> None:
        self._telling = None
        error = _error_of(task)
        if error is None:
            self._list(task.result())
        elif _is_stopped(error):
            raise WorkerStopped(order["run"])
        else:
            workflow.logger.warning("observers were not told: %s", error)

    def _ask(self, question: AskHooks) -> None:
        path = question.path
        try:
            data = to_data(self._plan, question, path)
        except Unserialisable as error:  # made by a pure function: the step could not be given it either
            failure = Failure.of(error, path)
            self._report(lambda: HooksAnswered(path, 0.0, failure))
            return
        order = {**self._order, "question": data, "at": workflow.time()}
        self._asking[path] = here(wire.ASK, [order], called=f"ask for {path}")
        self._asking[path].add_done_callback(lambda task: self._report(partial(self._heard, question, task)))

    def _heard(self, question: AskHooks, task: asyncio.Task[Any]) -> Event | None:
        path = question.path
        given_up = path in self._given_up
        self._given_up.discard(path)
        del self._asking[path]
        error = _error_of(task)
        if error is None:
            self._list(task.result())
            failure = None if given_up else from_data(self._plan, task.result()["failure"], path)
            return HooksAnswered(path, 0.0, cast("Failure | None", failure))
        if given_up:
            return HooksAnswered(path, 0.0)
        if _is_stopped(error):
            raise WorkerStopped(path)
        return HooksAnswered(path, 0.0, Failure.of(error, path))

    def _list(self, said: Data) -> None:
        for name, items in self.listed.items():
            items.extend(said[name])

    def completed(self, outcome: Outcome | None) -> Outcome | None:
        """Return an outcome that names the hooks that have failed (S32), or have not ended (S24), as well."""
        if outcome is None or not any(self.listed.values()):
            return outcome
        failures = cast("list[HookFailure]", [from_data(self._plan, data, "hook") for data in self.listed["failures"]])
        leaked = (*outcome.leaked, *self.listed["leaked"])
        return evolve(outcome, leaked=leaked, hook_failures=tuple(failures))


def _error_of(task: asyncio.Task[Any]) -> BaseException | None:
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    return error.cause if isinstance(error, ActivityError) and error.cause is not None else error


def _is_stopped(error: BaseException) -> bool:
    """Tell whether the worker was stopped in the middle of it."""
    match error:
        case asyncio.CancelledError() | CancelledError() | ApplicationError(type=wire.STOPPED):
            return True
        case _:
            return False
