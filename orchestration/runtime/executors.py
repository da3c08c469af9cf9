"""Where the bodies of plain functions run: threads, processes, or executors that the engine was given (S11)."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self, final

from orchestration.errors import MissingExecutor
from orchestration.runtime.context import current
from orchestration.runtime.processes import Processes, call_elsewhere, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from orchestration.runtime.context import StepContext
    from orchestration.runtime.threads import Threads

OURS = ("loop", "thread", "process")


class Place(Protocol):
    """Somewhere to call a plain function."""

    def __call__(self, function: Callable[..., Any], /, *arguments: object) -> Coroutine[Any, Any, Any]:
        """Call it there, for the attempt that runs here."""
        ...


@final
class Executors:
    """The places that an engine has, by the `run_in` of a step. A context manager: each run keeps them while it lasts.

    Executors that were given are the giver's to shut down.
    """

    def __init__(self, threads: Threads, given: Mapping[str, Executor]) -> None:
        """Start nothing.

        Raises:
            ValueError: if an executor is given a name that has a meaning already.
        """
        taken = [name for name in OURS if name in given]
        if taken:
            message = f"an executor cannot be named {taken[0]!r}, which is where steps run without one"
            raise ValueError(message)
        self.threads = threads
        self._processes = Processes()
        self._given = dict(given)

    def find(self, run_in: str | None, path: str) -> Place:
        """Return where to call a plain function.

        Raises:
            MissingExecutor: if there is no executor of that name.
        """
        if run_in is None or run_in == "thread":
            return self.threads.call
        if run_in == "process":
            return self._processes.call
        if run_in not in self._given:
            names = ", ".join(sorted(self._given)) or "none"
            raise MissingExecutor(
                path,
                found=f"run_in={run_in!r}; executors of the engine: {names}",
                expected="an executor of that name",
                mend=f"Give the engine one: LocalEngine(executors={{{run_in!r}: ...}}).",
            )
        return partial(call_in, self._given[run_in])

    def __enter__(self) -> Self:
        """Keep threads and processes for a run."""
        self.threads.__enter__()
        self._processes.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """End threads and processes with the last run (S29)."""
        self._processes.__exit__()
        self.threads.__exit__()


async def call_in(executor: Executor, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - of any function
    """Call a function in an executor, for the attempt that runs here.

    In a thread pool it runs in a copy of the present context, and its timeout counts from its start; any other executor
    pickles what it likes and tells nothing of a start, so there it counts from now. A cancel is as for `Threads.call`.
    """
    attempt = current.get()
    if isinstance(executor, ThreadPoolExecutor):
        attempt.note_queued(_keep)
        future = executor.submit(copy_context().run, _begin, attempt, function, arguments)
    else:
        future = executor.submit(call_elsewhere, seen(), function, arguments)
    waiting = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        if future.cancel():
            attempt.note_queued(_keep)  # it has not begun, and never will
            raise
    return await waiting


def _begin(attempt: StepContext, function: Callable[..., Any], arguments: tuple[object, ...]) -> Any:  # noqa: ANN401 - as above
    attempt.note_started()
    try:
        return function(*arguments)
    except StopIteration as error:  # a future refuses it, and a coroutine would turn it into this as well
        raise RuntimeError(f"the step raised {error!r}") from error


def _keep() -> None:
    """Do nothing when an attempt leaks: the size of a given executor is not ours to change."""
