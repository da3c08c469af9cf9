"""The handler: performs one effect. Middleware wraps it for what cuts across (tracing, limits, fault injection)."""

from __future__ import annotations

import functools
import inspect
from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Protocol

from orchestration.errors import PlanError
from orchestration.interpreter.effects import Attempted, RunCleanup, RunStep
from orchestration.plan.nodes import Cleanup, Compensated, Step
from orchestration.runtime.context import current

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from orchestration.plan.body import Body
    from orchestration.plan.compile import Plan
    from orchestration.runtime.executors import Executors, Place
    from orchestration.runtime.services import Services


class Handler(Protocol):
    """Performs one attempt and returns its output, or raises what the body raised.

    The driver awaits what it returns in a context of its own, in which `step_context()` answers.
    """

    def __call__(self, effect: Attempted, /) -> Coroutine[Any, Any, object]:
        """Return the coroutine that performs `effect`."""
        ...


class Middleware(Protocol):
    """Wraps a handler: `async def timed(effect, following): ...; return await following(effect)`."""

    def __call__(self, effect: Attempted, following: Handler, /) -> Coroutine[Any, Any, object]:
        """Perform `effect`, usually by `await following(effect)`."""
        ...


def wrap(handler: Handler, middleware: tuple[Middleware, ...]) -> Handler:
    """Return the handler with middleware around it, the first one outermost."""
    handler = handler.__call__  # a method is called faster than an object
    for layer in reversed(middleware):
        handler = _layer(layer, handler)
    return handler


def _layer(layer: Middleware, following: Handler) -> Handler:
    return lambda effect: layer(effect, following)


class BodyHandler:
    """Calls the bodies of a plan: functions as they are, methods on the services that are bound (S11)."""

    def __init__(self, plan: Plan, services: Services[Any], executors: Executors) -> None:
        """Find out once for each body what there is to call, and where.

        Raises:
            MissingService: if a method's class is not bound.
            AmbiguousService: if two bound classes share a method.
            MissingExecutor: if a step runs in an executor that there is not.
            PlanError: if a step that is to run in one turns out to be bound to an `async def`.
        """
        self._executors = executors
        self.needs_places: bool = False  # whether there is a step that runs elsewhere than in the event loop
        self._steps: dict[int, Callable[[Any], Coroutine[Any, Any, object]]] = {}
        self._undos: dict[tuple[int, str], Callable[[Any], Coroutine[Any, Any, object]]] = {}
        for node in plan.nodes:
            if isinstance(node, Step):
                self._steps[node.number] = self._runner(node.body, node.run_in, services, plan.name, spread=node.spread)
                self.needs_places |= getattr(self._steps[node.number], "func", None) is _in_place
            if isinstance(node, Cleanup):
                self._steps[node.number] = self._runner(node.body, None, services, plan.name)
            if isinstance(node, Step | Compensated) and node.compensation is not None:
                undo, in_doubt = node.compensation.undo, node.compensation.in_doubt
                self._undos[node.number, "undo"] = self._runner(undo, None, services, plan.name)
                if in_doubt is not None:
                    self._undos[node.number, "in_doubt"] = self._runner(in_doubt, None, services, plan.name)

    def __call__(self, effect: Attempted, /) -> Coroutine[Any, Any, object]:
        """Begin the body of an effect."""
        if isinstance(effect, RunStep):
            return self._steps[effect.step.number](effect.value)
        if isinstance(effect, RunCleanup):
            return self._steps[effect.cleanup.number](effect.value)
        return self._undos[effect.step.number, effect.by](effect.value)

    def _runner(
        self, body: Body, run_in: str | None, services: Services[Any], path: str, *, spread: bool = False
    ) -> Callable[[Any], Coroutine[Any, Any, object]]:
        call = services.resolve(body, path)
        asynchronous = _asynchronous(call)
        if asynchronous and run_in not in (None, "loop"):
            raise PlanError(
                f"{path}: {body.name}",
                found=f"an async def that is to run in {run_in!r}",
                expected="a plain def, or the loop",
                mend="Leave out run_in, or bind a service whose method is a plain def.",
            )
        if asynchronous or run_in == "loop":
            call = _spread(call) if spread else call
            return call if asynchronous else functools.partial(_in_loop, call)
        return functools.partial(_in_place, self._executors.find(run_in, path), call, spread)


def _asynchronous(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004 - not whether, but how it is called


def _spread(call: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda values: call(*values)


async def _in_loop(call: Callable[[Any], Any], value: object) -> object:
    output = call(value)
    return await output if hasattr(output, "__await__") else output


async def _in_place(place: Place, call: Callable[..., Any], spread: bool, value: Any) -> object:  # noqa: ANN401, FBT001 - a plan's
    output = await (place(call, *value) if spread else place(call, value))
    if not hasattr(output, "__await__"):
        return output
    if current.get().cancelled:  # while it ran there; the wait that begins only now is not begun
        close = getattr(output, "close", None)
        if close is not None:
            close()
        raise CancelledError
    return await output
