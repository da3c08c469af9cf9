"""The laws of handlers, and of middleware: what the driver relies on (S5, S7, S8, S11, S22, S28)."""

# ruff: noqa: D401 - the docstring of a law is what it says

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestration.dsl.workflow import Workflow
from orchestration.interpreter.effects import RunCleanup, RunStep, RunUndo
from orchestration.plan.nodes import Cleanup, Step
from orchestration.runtime.context import StepContext, current, step_context
from orchestration.testing.laws import PATIENCE, Law, check_laws, expect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestration.interpreter.effects import Attempted
    from orchestration.plan.compile import Plan
    from orchestration.runtime.handler import Handler

NOTES: list[object] = []
FALSY: tuple[object, ...] = (None, 0, "", [], False)


class Raised(Exception):
    """What a body raises."""


async def give(value: Any) -> Any:  # noqa: ANN401 - of any type
    """Give the value back, after a turn."""
    NOTES.append(("give", value))
    await asyncio.sleep(0)
    return value


def give_at_once(value: Any) -> Any:  # noqa: ANN401 - as above
    """Give the value back, in the event loop."""
    return value


async def fail(error: Exception) -> None:
    """Raise the value."""
    raise error


async def wait(_: object) -> None:
    """Wait for ever."""
    NOTES.append("began")
    try:
        await asyncio.Event().wait()
    finally:
        NOTES.append("ended")


async def tell(_: object) -> Any:  # noqa: ANN401 - as above
    """Tell who is asking."""
    context = step_context()
    return context.path, context.attempt, context.idempotency_key


async def undo(value: Any) -> None:  # noqa: ANN401 - as above
    """Undo."""
    NOTES.append(("undo", value))


async def look(value: Any) -> None:  # noqa: ANN401 - as above
    """Settle a doubt."""
    NOTES.append(("look", value))


PLAN: Plan = (
    Workflow[object]("law")
    .cleanup(undo, name="tidy")
    .step(give)
    .compensate(undo, in_doubt=look)
    .step(give_at_once, run_in="loop")
    .step(fail)  # pyright: ignore[reportArgumentType]  # its input is what a law says
    .step(wait)
    .step(tell)
    .compile()
)
NODES = {node.name: node for node in PLAN.nodes}


def step_of(name: str, value: object, attempt: int = 1) -> RunStep:
    """Return the effect of a step of the plan."""
    node = NODES[name]
    if not isinstance(node, Step):
        raise TypeError(f"{name} is no step")
    return RunStep(f"law/{name}", attempt, node, value)


async def perform(handler: Handler, effect: Attempted) -> Any:  # noqa: ANN401 - of any body
    """Perform an effect as a driver does: in a context of its own."""
    context = copy_context()
    context.run(current.set, StepContext(effect, "run"))
    return await asyncio.create_task(_awaited(handler, effect), context=context)


async def _awaited(handler: Handler, effect: Attempted) -> object:
    return await handler(effect)


async def _begun(attempt: asyncio.Task[Any]) -> None:
    while not NOTES:
        if attempt.done():
            raise AssertionError("the attempt ended, and its body was not called")
        await asyncio.sleep(0)


async def an_output_is_returned(handler: Handler) -> None:
    """It returns what the body returned, falsy or not, the very object."""
    for name in ("give", "give_at_once"):
        for value in (*FALSY, object()):
            found = await perform(handler, step_of(name, value))
            expect(found is value, True, f"{name} gave {found!r} for {value!r}")  # noqa: FBT003 - an expectation


async def an_error_is_raised(handler: Handler) -> None:
    """It raises what the body raised, the very object."""
    error = Raised("no")
    try:
        found = await perform(handler, step_of("fail", error))
    except Raised as raised:
        expect(raised is error, True, "the same exception")  # noqa: FBT003 - as above
        return
    raise AssertionError(f"nothing was raised, but {found!r} returned")


async def an_attempt_is_one_call(handler: Handler) -> None:
    """It calls the body once: to call again is the interpreter's to decide."""
    await perform(handler, step_of("give", 1))
    expect(NOTES, [("give", 1)], "calls")


async def the_body_sees_its_step(handler: Handler) -> None:
    """The body runs in the context of its step."""
    expect(await perform(handler, step_of("tell", 1, 2)), ("law/tell", 2, "run:law/tell"), "what the body sees")


async def a_cancel_reaches_the_body(handler: Handler) -> None:
    """A cancel ends the body, and is passed on when it has ended."""
    task = asyncio.create_task(perform(handler, step_of("wait", 1)))
    await _begun(task)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        expect(NOTES, ["began", "ended"], "what the body did")
        return
    raise AssertionError("the cancel was swallowed")


async def attempts_run_side_by_side(handler: Handler) -> None:
    """An attempt that waits keeps no other from its work."""
    task = asyncio.create_task(perform(handler, step_of("wait", 1)))
    await _begun(task)
    expect(await perform(handler, step_of("give", 2)), 2, "the output of another")
    task.cancel()
    await asyncio.wait([task])


async def undos_are_called(handler: Handler) -> None:
    """An undo gets the output, an in-doubt handler the input, a cleanup its value."""
    give_, tidy = NODES["give"], NODES["tidy"]
    if not isinstance(give_, Step) or not isinstance(tidy, Cleanup):
        raise TypeError("the plan is another")
    await perform(handler, RunUndo("law/give", 1, give_, "undo", "output"))
    await perform(handler, RunUndo("law/give", 1, give_, "in_doubt", "input"))
    await perform(handler, RunCleanup("law/tidy", 1, tidy, "value"))
    expect(NOTES, [("undo", "output"), ("look", "input"), ("undo", "value")], "calls")


def check_handler(make: Callable[[Plan], Handler]) -> None:
    """Try all laws on this kind of handler, or of middleware around one: `make` returns it for the plan of the laws.

    ```python
    from orchestration.runtime.executors import Executors
    from orchestration.runtime.handler import BodyHandler, wrap
    from orchestration.runtime.threads import Threads

    async def unchanged(effect, following):
        return await following(effect)

    check_handler(lambda plan: wrap(BodyHandler(plan, Services(), Executors(Threads(), {})), [unchanged]))
    ```

    It is called in a running event loop, once for each law.

    Raises:
        LawsBroken: if some do not hold, with all of them.
    """
    check_laws(f"the handler of {getattr(make, '__qualname__', make)}", HANDLER_LAWS, lambda: nullcontext(make))


def _tried(holds: Callable[[Handler], Awaitable[None]], make: Callable[[Plan], Handler]) -> None:
    async def main() -> None:
        await asyncio.wait_for(holds(make(PLAN)), PATIENCE)

    NOTES.clear()
    asyncio.run(main())


def _law(rule: str, holds: Callable[[Handler], Awaitable[None]]) -> Law[Callable[[Plan], Handler]]:
    return Law(holds.__name__, rule, (holds.__doc__ or "").partition("\n")[0], partial(_tried, holds))


HANDLER_LAWS: tuple[Law[Callable[[Plan], Handler]], ...] = (
    _law("S8", an_output_is_returned),
    _law("S8", an_error_is_raised),
    _law("S9", an_attempt_is_one_call),
    _law("S5", the_body_sees_its_step),
    _law("S28", a_cancel_reaches_the_body),
    _law("S11", attempts_run_side_by_side),
    _law("S22", undos_are_called),
)
