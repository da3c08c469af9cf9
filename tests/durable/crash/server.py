"""A warm process that forks one for each run: what costs most, to import everything, is paid once.

    python -m tests.durable.crash.server

It reads requests, a line of JSON each, and answers each with a line of JSON. A child performs a scene in its folder, by
`execute` with always the same run id, until it has an outcome or is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
import traceback
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import LocalEngine, step_context
from orchestration.errors import LeaseLost
from orchestration.journal.sqlite import SqliteJournal
from orchestration.outcomes import Failed, Succeeded
from tests.durable.crash.points import Deadly, note
from tests.durable.crash.scenes import SCENES

if TYPE_CHECKING:
    from orchestration.interpreter.effects import Attempted
    from orchestration.outcomes import Outcome
    from orchestration.runtime.handler import Handler

RUN = "run"
LEASE = 0.3  # seconds: so short that it is renewed while a scene is performed
PATIENCE = 30  # seconds for a child, which then hangs
LOST = 3  # the exit code of a child that has lost its run to another


@dataclass(frozen=True)
class Request:
    """What to do: `run` a child to its end, `spawn` one, `kill` it, or `wait` for it; `warm` performs a scene here.

    The child dies at the write point `fatal`, or after `delay` seconds. Its clock is `ahead` by so many seconds, so
    that it need not wait for the lease of one that has died.
    """

    do: str
    scene: str = ""
    folder: str = ""
    ahead: float = 0.0
    fatal: int | str | None = None
    delay: float | None = None
    pid: int = 0
    number: int = 0


def told(outcome: Outcome[Any], folder: Path) -> dict[str, object]:
    """Return what an outcome comes to, whichever folder it was in, whatever time it took."""
    failure = outcome.failure if isinstance(outcome, Failed) else None
    return {
        "outcome": type(outcome).__name__,
        "value": repr(outcome.value).replace(str(folder), "") if isinstance(outcome, Succeeded) else None,
        "failure": None if failure is None else [failure.kind, failure.path],
        "rollback": [[type(end).__name__, end.path] for end in outcome.rollback.steps],
        "leaked": [*outcome.leaked],
        "cleanup_failures": [failure.kind for failure in outcome.cleanup_failures],
    }


async def perform(request: Request) -> None:
    """Perform a scene, or go on with it, and write down what it comes to."""
    folder = Path(request.folder)
    with closing(SqliteJournal(folder / "runs.db")) as journal:
        outcome = await execute(request, Deadly(journal, folder, request.fatal), folder)
    text = json.dumps({**told(outcome, folder), "world": SCENES[request.scene].world(folder)})
    (folder / "outcome").write_text(text)


async def execute(request: Request, journal: Any, folder: Path) -> Outcome[Any]:
    """Begin a scene, or go on with it; note each attempt, before it begins and when it has succeeded."""
    scene = SCENES[request.scene]

    async def work(effect: Attempted, following: Handler) -> object:
        words = f"{type(effect).__name__} {effect.path}#{effect.attempt} {step_context().idempotency_key}"
        note(folder / "performed", f"began {words}")
        output = await following(effect)
        note(folder / "performed", f"ended {words}")
        return output

    engine: LocalEngine[Any] = LocalEngine(
        scene.services(folder),
        journal=journal,
        middleware=(work,),
        grace=0.05,
        lease=LEASE,
        poll=0.02,
        clock=lambda: time.time() + request.ahead,
    )
    handle = await engine.start(scene.workflow, scene.given(folder), run_id=RUN)
    scene.meanwhile(handle)
    return await handle.result()


def child(request: Request) -> int:
    """Be the child; return its exit code."""
    signal.alarm(PATIENCE)
    try:
        asyncio.run(perform(request))
    except LeaseLost:
        return LOST
    except BaseException:  # noqa: BLE001 - whatever it is, the test is to show it
        Path(request.folder, "error").write_text(traceback.format_exc())
        return 1
    finally:
        signal.alarm(0)
    return 0


def spawn(request: Request) -> int:
    """Fork a child that performs a scene; return its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = child(request)
    finally:
        os._exit(code)  # whatever happens, the child never reads requests


def answer(request: Request) -> int:
    """Do what a request asks for; return the number of the child, or its exit code, negative for a signal."""
    match request.do:
        case "spawn":
            return spawn(request)
        case "kill":
            os.kill(request.pid, request.number)
            return request.pid
        case "warm":
            return child(request)
        case "wait":
            pid = request.pid
        case _:
            pid = spawn(request)
            if request.delay is not None:
                time.sleep(request.delay)
                os.kill(pid, signal.SIGKILL)  # one that has ended is there until it is waited for
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        began = time.monotonic()
        code = answer(Request(**json.loads(line)))
        print(json.dumps([code, time.monotonic() - began]), flush=True)  # noqa: T201 - that is how it answers
