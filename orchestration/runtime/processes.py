"""Worker processes for plain functions, each behind a thread of ours that talks with it (S11)."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from contextlib import nullcontext
from threading import local
from typing import TYPE_CHECKING, Any, NamedTuple, Self, final

from orchestration.errors import NotPicklable, ProcessDied
from orchestration.failures import MOST_CAUSES
from orchestration.runtime.context import StepContext, current, step_context
from orchestration.runtime.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from orchestration.runtime.context import Around

DEFAULT_PROCESSES = os.cpu_count() or 1
PATIENCE = 5.0  # seconds that a process has to end after its last call, before it is killed


class Seen(NamedTuple):
    """What a process is told of the attempt that it works for; to `StepContext` it is the effect."""

    path: str
    attempt: int
    idempotency_key: str
    timeout: float | None = None
    around: Around | None = None

    def key(self, _: str) -> str:
        """Return the key: it holds the run's id already."""
        return self.idempotency_key


def seen() -> tuple[Seen, str, float | None]:
    """Describe the attempt that runs here, for `call_elsewhere`."""
    here = step_context()
    attempt = Seen(here.path, here.attempt, here.idempotency_key, around=here.around)
    return attempt, here.run_id, here.deadline


def call_elsewhere(
    attempt: tuple[Seen, str, float | None],
    function: Callable[..., Any],
    arguments: tuple[object, ...],
) -> Any:  # noqa: ANN401 - of any function
    """Call a function in another process, where `step_context()` then tells of the attempt."""
    effect, run_id, deadline = attempt
    context = StepContext(effect, run_id)  # type: ignore[arg-type]  # has what the context asks for
    if deadline is not None:
        context.note_deadline(deadline)
    token = current.set(context)
    try:
        with nullcontext() if effect.around is None else effect.around():
            return function(*arguments)
    except StopIteration as error:  # a future refuses it, and a coroutine would turn it into this as well
        raise RuntimeError(f"the step raised {error!r}") from error
    finally:
        current.reset(token)


class _Child:
    """A process and the pipe to it."""

    def __init__(self) -> None:
        from multiprocessing import get_context  # noqa: PLC0415 - few need it, and it takes a tenth of our import

        spawning = get_context("spawn")  # a fork would copy the locks of this process's threads
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=main, args=(theirs,), name="orchestration-step", daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, request: bytes) -> bytes:
        """Send a request and return its answer."""
        self._pipe.send_bytes(request)
        return self._pipe.recv_bytes()

    def end(self) -> int | None:
        """End the process, which is idle or dead, and wait for it; return its exit code."""
        self._pipe.close()
        self._process.join(PATIENCE)
        self._process.kill()  # nothing where it has ended
        self._process.join()
        return self._process.exitcode


@final
class Processes:
    """At most `limit` processes, started when they are needed and kept while any run uses them.

    A body is named by reference and its values are pickled, so it is a function of a module. It sees `step_context()`,
    but no other context variable, and is never told to end. It can start no processes by `multiprocessing`.
    """

    def __init__(self, limit: int = DEFAULT_PROCESSES) -> None:
        """Start no process yet."""
        self._mine = local()  # each thread has its process
        self._threads = Threads(limit, at_end=self._end)

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - of any function
        """Call a function in a process; a cancel does what it does to a call in a thread."""
        return await self._threads.call(self._ask, function, arguments)

    def __enter__(self) -> Self:
        """Keep the processes for a run."""
        self._threads.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes with the last run, and wait for them; one at work ends when its work does (S29)."""
        self._threads.__exit__()

    def _ask(self, function: Callable[..., Any], arguments: tuple[object, ...]) -> Any:  # noqa: ANN401 - as above
        path = step_context().path
        try:
            request = pickle.dumps((seen(), function, arguments))
        except Exception as error:
            raise _not_picklable(path, f"a body or value that cannot be pickled ({error})") from error
        child: _Child | None = getattr(self._mine, "child", None)
        if child is None:
            child = self._mine.child = _Child()
        try:
            answer = child.ask(request)
        except (EOFError, OSError) as error:
            raise _died(path, self._end()) from error
        chain: list[BaseException]
        output, chain = pickle.loads(answer)  # noqa: S301 - from a process of our own
        if chain:
            raise _linked(chain)
        return output

    def _end(self) -> int | None:
        """End the process of this thread, if it has one."""
        child: _Child | None = self._mine.__dict__.pop("child", None)
        return None if child is None else child.end()


# --- in the process


def main(pipe: Connection) -> None:  # pragma: no cover - runs in the process only
    """Serve until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the run decides (S30)
    serve(pipe)


def serve(pipe: Connection) -> None:
    """Answer requests until the other end of the pipe is closed."""
    while True:
        try:
            request = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send_bytes(answer_to(request))


def answer_to(request: bytes) -> bytes:
    """Perform a request; return the output, or the exception and its causes."""
    path = "process"
    try:
        attempt, function, arguments = pickle.loads(request)  # noqa: S301 - from the process that started this one
        path = attempt[0].path
        output = call_elsewhere(attempt, function, arguments)
    except BaseException as error:  # noqa: BLE001 - the driver decides what each means (S8, S30)
        return pickle.dumps((None, [_picklable(link, path) for link in _chain(error)]))
    try:
        return pickle.dumps((output, []))
    except Exception as error:  # noqa: BLE001 - pickling runs foreign code
        return pickle.dumps((None, [_not_picklable(path, f"an output that cannot be pickled ({error})")]))


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception and its causes: pickling it would lose them. Its traceback becomes a note."""
    error.add_note("".join(traceback.format_exception(error)))
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and len(chain) <= MOST_CAUSES and not any(link is known for known in chain):
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return chain


def _linked(chain: list[BaseException]) -> BaseException:
    """Return the first of the exceptions, each caused by the next."""
    for error, cause in zip(chain, [*chain[1:], None], strict=True):
        error.__cause__ = cause
    return chain[0]


def _picklable(error: BaseException, path: str) -> BaseException:
    """Return an exception that goes through a pipe: itself, or what tells of it."""
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - what was pickled just now
    except Exception:  # noqa: BLE001 - pickling runs foreign code
        copy = None
    if type(copy) is type(error):
        return error
    return _not_picklable(path, f"an exception that cannot be pickled ({type(error).__qualname__}: {error})")


def _not_picklable(path: str, found: str) -> NotPicklable:
    return NotPicklable(
        path,
        found=found,
        expected="a function of a module, and values and exceptions that pickle can copy, for run_in='process'",
        mend="Move the function to the top of a module, pass plain data, or leave out run_in.",
    )


def _died(path: str, code: int | None) -> ProcessDied:
    return ProcessDied(
        path,
        found=f"that the process of the step ended with exit code {code}",
        expected="an output or an exception",
        mend="See what ended it: a crash, a kill, or a script without `if __name__ == '__main__':` around its start.",
    )
