"""Where bodies run: processes, and executors that an engine was given (S11)."""

from __future__ import annotations

import asyncio
import contextvars
import multiprocessing
import os
import pickle
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Cancelled, Failed, LocalEngine, Retry, Services, Workflow, step, step_context
from orchestration.errors import MissingExecutor, NotPicklable, PlanError, ProcessDied
from orchestration.runtime import processes
from orchestration.runtime.executors import Executors
from orchestration.runtime.processes import answer_to, serve
from orchestration.runtime.threads import Threads
from tests.runtime import elsewhere
from tests.runtime.elsewhere import Vault
from tests.runtime.support import GRACE, go, turns

if TYPE_CHECKING:
    from collections.abc import Callable


class Inline(Executor):
    """An executor that is no thread pool: it runs what it is given at once, or keeps it to itself."""

    def __init__(self, *, keeps: bool = False) -> None:
        """Have been given nothing."""
        self.keeps = keeps
        self.given: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it, unless it is to be kept."""
        future: Future[Any] = Future()
        self.given.append(future)
        if not self.keeps:
            future.set_running_or_notify_cancel()
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - as every executor does
                future.set_exception(error)
        return future


def exists(*parts: str | Path) -> bool:
    """Tell whether there is such a file, by which a process says something."""
    return Path(*parts).exists()


def touch(*parts: str | Path) -> None:
    """Make a file, by which a process is told something."""
    Path(*parts).touch()


def flow(body: Any, run_in: str = "process", **options: Any) -> Workflow[Any, Any, Any]:
    """Return a workflow of one step."""
    return Workflow[Any]("flow").step(step(body, run_in=run_in, **options))  # type: ignore[no-any-return]  # any body


def test_a_step_runs_in_a_process_that_ends_with_the_last_run() -> None:
    """S11, S29: made at the first need, used again, gone with the outcome."""

    async def main() -> None:
        twice = flow(elsewhere.where).step(elsewhere.where, name="again", run_in="process")
        two = twice.pure(lambda number: number)
        first = await two.run(1)
        assert first != os.getpid()
        assert multiprocessing.active_children() == []
        doubled = Workflow[int]("flow").enrich(step(elsewhere.where, run_in="process")).into(lambda _, number: number)
        same = doubled.enrich(step(elsewhere.where, name="again", run_in="process")).into(lambda one, two: one == two)
        assert await same.run(1)

    go(main)


def test_a_body_in_a_process_can_ask_where_it_is() -> None:
    """S5: path, attempt, run id, keys and deadline; arguments are spread there as here."""

    async def main() -> None:
        asked = flow(elsewhere.about, attempt_timeout=60)
        begun = time.time()
        outcome = await LocalEngine().execute(asked, 1, run_id="r")
        *known, deadline, cancelled = outcome.value  # type: ignore[union-attr]  # it succeeds
        assert known == ["flow/about", 1, "r", "r:flow/about", "r:flow/about"]
        assert begun + 60 <= deadline <= time.time() + 60
        assert cancelled is False
        joined = Workflow[int]("flow").fork(step(lambda n: n)).fork(step(lambda n: n))
        assert await joined.join(elsewhere.pair, run_in="process").run(2) == 4

    go(main)


def test_an_exception_comes_back_from_a_process_with_its_causes() -> None:
    """S8: kind, message and causes are as they were; its traceback is a note."""

    async def main() -> None:
        engine = LocalEngine()
        for body, cause in ((elsewhere.decline, "KeyError"), (elsewhere.decline_bare, None)):
            outcome = await engine.execute(flow(body), 1)
            assert isinstance(outcome, Failed)
            assert str(outcome.failure).endswith("elsewhere.Declined: no")
            assert (outcome.failure.cause.kind if outcome.failure.cause else None) == cause
            assert "in decline" in outcome.failure.exception.__notes__[0]  # type: ignore[union-attr]  # there is one

    go(main)


def test_a_process_that_dies_fails_its_step_only_and_leaves_it_in_doubt() -> None:
    """S22: nobody knows whether its effect landed; another process is there for the next step."""
    seen: list[object] = []

    async def main() -> None:
        dying = step(elsewhere.die, run_in="process").compensate(seen.append, in_doubt=seen.append)
        outcome = await LocalEngine().execute(Workflow[int]("flow").fork(dying).fork(flow(elsewhere.where)).join(), 3)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "orchestration.errors.ProcessDied"
        assert "the process of the step ended with exit code 3" in outcome.failure.message
        assert outcome.failure.matches(("ConnectionError",))
        recovered = flow(elsewhere.die).recover(lambda _: 7, on=ProcessDied).step(elsewhere.where, run_in="process")
        assert await recovered.run(1) != os.getpid()

    go(main)
    assert seen == [3]


@pytest.mark.parametrize(
    ("body", "value", "found"),
    [
        (elsewhere.awkward, 1, "an exception that cannot be pickled (Awkward: 1 no)"),
        (elsewhere.locked, 1, "an output that cannot be pickled (cannot pickle '_thread.lock' object)"),
        (elsewhere.where, threading.Lock(), "a body or value that cannot be pickled (cannot pickle '_thread.lock'"),
    ],
)
def test_what_cannot_go_through_a_pipe_is_told(body, value, found) -> None:
    """S11: as a failure of the step that names the mend."""
    outcome = asyncio.run(LocalEngine().execute(flow(body), value))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure.exception, NotPicklable)
    assert found in outcome.failure.exception.found
    assert outcome.failure.exception.mend.startswith("Move the function to the top of a module")


def test_a_method_runs_in_a_process_if_its_object_can_go_there() -> None:
    """S11: the object is copied with the call."""

    async def main() -> None:
        added = Workflow[int]("flow").step(Vault.add, run_in="process")
        assert await added.run(1, Services().bind(Vault).to(Vault(5))) == 6
        outcome = await LocalEngine(Services().bind(Vault).to(elsewhere.LockedVault(5))).execute(added, 1)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "orchestration.errors.NotPicklable"

    go(main)


@pytest.mark.parametrize("run_in", ["process", "pool", "inline"])
def test_what_a_future_refuses_is_told_otherwise(run_in) -> None:
    """S8, S30: a `StopIteration` becomes a `RuntimeError`, a `SystemExit` stops the run."""

    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            engine = LocalEngine(executors={"pool": pool, "inline": Inline()})
            outcome = await engine.execute(flow(elsewhere.stop, run_in), 1)
            assert isinstance(outcome, Failed)
            assert str(outcome.failure) == "flow/stop: RuntimeError: the step raised StopIteration(1)"
            with pytest.raises(SystemExit):
                await engine.execute(flow(elsewhere.exit_by, run_in), 3)

    go(main)


def test_a_call_in_a_process_cannot_be_interrupted_but_withdrawn(tmp_path) -> None:
    """S22, S28: one that waits for a process has not started; one that has begun is waited for."""

    async def main() -> None:
        (tmp_path / "other").mkdir()
        body = step(elsewhere.touch_and_wait, run_in="process").compensate(lambda _: None)
        engine = LocalEngine()
        engine._executors._processes = processes.Processes(1)
        handle = await engine.start(Workflow[list[str]]("flow").map(body), [str(tmp_path), str(tmp_path / "other")])
        while not exists(tmp_path, "begun"):
            await asyncio.sleep(0.001)
        handle.cancel("stop")
        await turns()
        touch(tmp_path, "free")
        outcome = await handle.result()
        assert outcome.rollback.undone == ("flow/touch_and_wait[0]",)
        assert len(outcome.rollback.steps) == 1
        assert not exists(tmp_path, "other", "begun")

    go(main)


def test_a_process_that_does_not_end_leaks_and_its_place_is_filled(tmp_path) -> None:
    """S24: after the grace; it ends when its work does."""

    async def main() -> None:
        engine = LocalEngine(grace=GRACE)
        engine._executors._processes = processes.Processes(1)
        handle = await engine.start(flow(elsewhere.touch_and_wait).step(elsewhere.where), str(tmp_path))
        while not exists(tmp_path, "begun"):
            await asyncio.sleep(0.001)
        handle.cancel("stop")
        outcome = await handle.result()
        assert outcome == Cancelled("stop", handle.run_id, leaked=("flow/touch_and_wait#1",))
        assert (await engine.execute(flow(elsewhere.where), 1)).ok
        touch(tmp_path, "free")
        while multiprocessing.active_children():
            await asyncio.sleep(0.001)

    asyncio.run(main())


def test_a_process_answers_until_its_pipe_is_closed() -> None:
    """S11: what a process does, here in a thread."""
    here, there = multiprocessing.Pipe()
    thread = threading.Thread(target=serve, args=(there,))
    thread.start()
    attempt = (processes.Seen("flow/pair", 1, "r:flow/pair"), "r", None)
    for function, arguments in ((elsewhere.pair, (1, 2)), (elsewhere.about, (1,))):
        here.send_bytes(pickle.dumps((attempt, function, arguments)))
        assert pickle.loads(here.recv_bytes())[1] == []  # noqa: S301 - our own
    here.send_bytes(b"no pickle")
    output, [error] = pickle.loads(here.recv_bytes())  # noqa: S301 - our own
    assert output is None
    assert isinstance(error, pickle.UnpicklingError)
    here.close()
    thread.join()
    there.close()
    for function, kind in ((elsewhere.awkward, NotPicklable), (elsewhere.locked, NotPicklable)):
        _, [error] = pickle.loads(answer_to(pickle.dumps((attempt, function, (1,)))))  # noqa: S301 - our own
        assert type(error) is kind
        assert error.path == "flow/pair"


def test_a_thread_pool_of_the_users_runs_steps_in_their_context() -> None:
    """S11: with context variables and `step_context`; the pool stays its giver's."""
    color = contextvars.ContextVar("color", default="none")
    seen: list[object] = []

    def look(n: int) -> int:
        here = step_context()
        seen.append((color.get(), here.path, here.started, threading.current_thread().name[:4]))
        return n + 1

    def later(n: int) -> object:
        return asyncio.sleep(0, n + 1)

    async def main() -> None:
        color.set("caller")
        with ThreadPoolExecutor(1, "pool") as pool:
            engine = LocalEngine(executors={"gpu": pool})
            assert (await engine.execute(flow(look, "gpu").step(later, run_in="gpu"), 1)).value == 3  # type: ignore[union-attr]  # it succeeds
            assert pool.submit(int).result() == 0

    go(main)
    assert seen == [("caller", "flow/look", True, "pool")]


def test_a_call_that_waits_for_a_given_executor_is_withdrawn() -> None:
    """S22: nothing has started, in a thread pool or any other executor."""
    begun, free = threading.Event(), threading.Event()

    def hold(n: int) -> int:
        begun.set()
        free.wait(10)
        return n

    async def main() -> None:
        keeping = Inline(keeps=True)
        with ThreadPoolExecutor(1) as pool:
            engine = LocalEngine(executors={"pool": pool, "keeping": keeping})
            holding = pool.submit(hold, 1)
            while not begun.is_set():
                await asyncio.sleep(0)
            for name in ("pool", "keeping"):
                armed = step(elsewhere.where, run_in=name).compensate(lambda _: None)
                handle = await engine.start(Workflow[int]("flow").step(armed), 1)
                await turns()
                handle.cancel("stop")
                outcome = await handle.result()
                assert outcome.rollback.verdict == "not needed"
            free.set()
            holding.result()
        assert keeping.given[0].cancelled()

    go(main)


def test_a_timeout_of_a_thread_pool_counts_from_the_start_and_that_of_another_from_the_call() -> None:
    """S10: only of a thread pool is it known when a body begins."""

    async def main() -> None:
        engine = LocalEngine(executors={"keeping": Inline(keeps=True)})
        outcome = await engine.execute(flow(elsewhere.where, "keeping", attempt_timeout=0.01), 1)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "TimeoutError"

    go(main)


def test_a_call_under_way_in_a_given_executor_is_waited_for_then_leaks() -> None:
    """S24: a pool that was given cannot be made larger, so nobody fills the place."""
    begun, free = threading.Event(), threading.Event()

    def hold(n: int) -> int:
        begun.set()
        free.wait(10)
        return n

    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            engine = LocalEngine(executors={"pool": pool}, grace=GRACE)
            for opens in (False, True):
                handle = await engine.start(flow(hold, "pool"), 1)
                while not begun.is_set():
                    await asyncio.sleep(0)
                handle.cancel("stop")
                await turns()
                if opens:
                    free.set()
                outcome = await handle.result()
                assert outcome.leaked == (() if opens else ("flow/hold#1",))
                begun.clear()
                free.set()
                await asyncio.wait({asyncio.ensure_future(asyncio.wrap_future(pool.submit(int)))})
                free.clear()

    asyncio.run(main())


def test_an_executor_that_drops_its_calls_fails_them() -> None:
    """S8: nobody cancelled the run."""

    async def main() -> None:
        keeping = Inline(keeps=True)
        running = asyncio.create_task(LocalEngine(executors={"gpu": keeping}).execute(flow(elsewhere.where, "gpu"), 1))
        while not keeping.given:
            await asyncio.sleep(0)
        keeping.given[0].cancel()
        outcome = await running
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "asyncio.exceptions.CancelledError"

    go(main)


def test_an_executor_that_the_engine_lacks_is_missed_before_anything_runs() -> None:
    """S11: the error names it, those that there are, and the mend."""
    with pytest.raises(MissingExecutor) as caught:
        asyncio.run(LocalEngine(executors={"gpu": Inline()}).execute(flow(elsewhere.where, "tpu"), 1))
    assert str(caught.value) == (
        "flow: found run_in='tpu'; executors of the engine: gpu; expected an executor of that name. "
        "Give the engine one: LocalEngine(executors={'tpu': ...})."
    )
    with pytest.raises(MissingExecutor, match="executors of the engine: none"):
        asyncio.run(LocalEngine().execute(flow(elsewhere.where, "tpu"), 1))


def test_an_executor_cannot_take_the_name_of_a_place_of_ours() -> None:
    """S11: `run_in="thread"` means the same in every engine."""
    with pytest.raises(ValueError, match="an executor cannot be named 'thread'"):
        Executors(Threads(), {"thread": Inline()})


def test_a_bound_async_method_runs_in_no_executor() -> None:
    """S6: the plan cannot know; it is said before anything runs."""

    class Quick(Vault):
        async def add(self, n: int) -> int:  # type: ignore[override]  # the point of the test
            return n

    services = Services().bind(Vault).to(Quick(1))
    with pytest.raises(PlanError, match="flow: add: found an async def that is to run in 'process'"):
        Workflow[int]("flow").step(Vault.add, run_in="process").run_sync(1, services)
    assert Workflow[int]("flow").step(Vault.add).run_sync(1, services) == 1


def test_a_step_in_a_process_is_retried_as_any_other() -> None:
    """S9: kinds are the same on both sides."""
    retry = Retry(max_attempts=2, initial_delay=0, retry_on=(elsewhere.Declined,))
    outcome = asyncio.run(LocalEngine().execute(flow(elsewhere.decline, retry=retry), 1))
    assert isinstance(outcome, Failed)
    assert "Declined" in outcome.failure.kind
