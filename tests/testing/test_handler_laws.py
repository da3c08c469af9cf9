"""Handlers and middleware obey the laws of handlers, and the laws see what is broken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Services
from orchestration.runtime.boundary import check_outputs
from orchestration.runtime.executors import Executors
from orchestration.runtime.handler import BodyHandler, wrap
from orchestration.runtime.threads import Threads
from orchestration.testing import LawsBroken, check_handler, laws_handler

if TYPE_CHECKING:
    from orchestration.plan.compile import Plan
    from orchestration.runtime.handler import Handler, Middleware


def around(*middleware: Middleware) -> Any:
    """Return what makes a handler with middleware around the bodies."""

    def make(plan: Plan) -> Handler:
        return wrap(BodyHandler(plan, Services(), Executors(Threads(), {})), middleware)

    return make


def test_the_bodies_of_a_plan_are_handled_lawfully() -> None:
    """S7, S8, S11: by the handler of every engine, and by its own middleware."""
    check_handler(around())
    check_handler(around(check_outputs))


async def truthy(effect: Any, following: Any) -> Any:
    """Drop what is falsy."""
    return await following(effect) or "nothing"


async def wrapping(effect: Any, following: Any) -> Any:
    """Raise something else."""
    try:
        return await following(effect)
    except Exception as error:
        raise RuntimeError("wrapped") from error


async def twice(effect: Any, following: Any) -> Any:
    """Call again."""
    await following(effect)
    return await following(effect)


async def deaf(effect: Any, following: Any) -> Any:
    """Swallow a cancel."""
    try:
        return await following(effect)
    except asyncio.CancelledError:
        return None


async def uninterrupted(effect: Any, following: Any) -> Any:
    """Keep the cancel from the body."""
    return await asyncio.shield(following(effect))


async def outside(effect: Any, following: Any) -> Any:
    """Run the body in a context that is not its own."""
    from contextvars import Context

    return await asyncio.create_task(following(effect), context=Context())


def one_by_one() -> Any:
    """Return middleware that lets one attempt run at a time."""
    locks: dict[Any, asyncio.Semaphore] = {}

    async def queue(effect: Any, following: Any) -> Any:
        lock = locks.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(1))
        if lock.locked():
            raise RuntimeError("busy")
        async with lock:
            return await following(effect)

    return queue


async def idle(effect: Any, following: Any) -> Any:
    """Call nothing."""


async def stuck(effect: Any, following: Any) -> Any:
    """Wait for nothing, without an end."""
    await asyncio.Event().wait()


async def steps_only(effect: Any, following: Any) -> Any:
    """Forget undos and cleanups."""
    return await following(effect) if hasattr(effect, "deadline") else None


@pytest.mark.parametrize(
    ("middleware", "law"),
    [
        (truthy, "an_output_is_returned"),
        (wrapping, "an_error_is_raised"),
        (twice, "an_attempt_is_one_call"),
        (deaf, "a_cancel_reaches_the_body"),
        (uninterrupted, "a_cancel_reaches_the_body"),
        (outside, "the_body_sees_its_step"),
        (one_by_one(), "attempts_run_side_by_side"),
        (steps_only, "undos_are_called"),
        (idle, "attempts_run_side_by_side"),
    ],
    ids=["truthy", "wrapping", "twice", "deaf", "uninterrupted", "outside", "one_by_one", "steps_only", "idle"],
)
def test_middleware_that_breaks_a_law_is_found_out(middleware: Any, law: str) -> None:
    """Each law is there for a defect."""
    with pytest.raises(LawsBroken) as raised:
        check_handler(around(middleware))
    assert law in {broken.name for broken, _ in raised.value.broken}


def test_a_handler_that_gets_stuck_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """S29: each law is given up after a while."""
    monkeypatch.setattr(laws_handler, "PATIENCE", 0.01)
    with pytest.raises(LawsBroken) as raised:
        check_handler(around(stuck))
    assert {type(error) for _, error in raised.value.broken} == {TimeoutError}
