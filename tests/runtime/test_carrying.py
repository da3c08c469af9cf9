"""What middleware sends with a body that runs in another process."""

from __future__ import annotations

import asyncio
import pickle
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestration import LocalEngine, Workflow, step_context

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from orchestration.interpreter.effects import Attempted
    from orchestration.runtime.handler import Handler

USER: ContextVar[str] = ContextVar("user", default="nobody")


class As(NamedTuple):
    """Something that can be pickled, and has a context variable set."""

    user: str

    def __call__(self) -> Any:
        """Return what sets it."""
        return _as(self.user)


@contextmanager
def _as(user: str) -> Generator[None]:
    token = USER.set(user)
    yield
    USER.reset(token)


class Elsewhere(Executor):
    """Calls what was pickled and read again, with no context variables: as another process would."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call it at once."""
        future: Future[Any] = Future()
        copied, values = pickle.loads(pickle.dumps((function, args)))  # noqa: S301 - of this very line
        future.set_result(copied(*values))
        return future


def who(value: int) -> str:
    """Tell what the body sees."""
    return USER.get()


async def carrying(effect: Attempted, following: Handler) -> object:
    """Send the user along."""
    step_context().carry(As(f"user of {effect.path}"))
    return await following(effect)


async def run(*middleware: Callable[[Attempted, Handler], Coroutine[Any, Any, object]]) -> object:
    """Return what the body has seen."""
    engine: LocalEngine[Any] = LocalEngine(middleware=middleware, executors={"far": Elsewhere()})
    outcome = await engine.execute(Workflow[int]("w").step(who, run_in="far"), 1)
    assert outcome.ok
    return outcome.value


def test_what_middleware_carries_is_there_in_the_body() -> None:
    """S11: context variables stay behind; what middleware carries is entered around the body, in the other process."""
    assert asyncio.run(run()) == "nobody"
    assert asyncio.run(run(carrying)) == "user of w/who"
    assert USER.get() == "nobody"
