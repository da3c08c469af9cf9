"""Streams: sources that a run pulls from, item by item, and closes (S16, S24, S29)."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Cancelled, Failed, LocalEngine, Retry, Succeeded, Workflow, step_context
from orchestration.runtime import streams, tasks
from orchestration.runtime.context import NotInAStep
from tests.runtime.support import GRACE, Crowd, Gate, go, others, turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


async def increase(n: int) -> int:
    """Return the next number."""
    return n + 1


def mapped(body: Any = increase, concurrency: int | None = 2) -> Workflow[Any, Any, Any]:
    """Return a map over whatever comes."""
    return Workflow[Any]("flow").map(body, concurrency=concurrency)  # type: ignore[no-any-return]  # any body


class Source:
    """An asynchronous iterator that notes what is done with it."""

    def __init__(self, count: int = 3) -> None:
        """Have so many items."""
        self.count = count
        self.given = 0
        self.closed = 0

    def __aiter__(self) -> Source:
        """Return itself."""
        return self

    async def __anext__(self) -> int:
        """Return the next number."""
        await asyncio.sleep(0)
        if self.given == self.count:
            raise StopAsyncIteration
        self.given += 1
        return self.given

    async def aclose(self) -> None:
        """Note it."""
        await asyncio.sleep(0)
        self.closed += 1


async def noted(seen: list[str], hold: asyncio.Event) -> AsyncIterator[int]:
    """Yield a number, then wait for ever, and note how it ends."""
    try:
        yield 1
        await hold.wait()
    finally:
        await asyncio.sleep(0)
        seen.append("closed")


@pytest.mark.parametrize("count", [0, 1, 3, 450])
def test_an_asynchronous_source_is_pulled_to_its_end_and_closed(count) -> None:
    """S16: results are in the order of the items; an empty stream gives an empty result."""

    async def main() -> None:
        source = Source(count)
        assert await mapped().run(source) == [n + 1 for n in range(1, count + 1)]
        assert source.closed == 1

    go(main)


def test_no_more_is_pulled_than_the_map_takes() -> None:
    """S16: memory is bounded by results and items in flight."""

    async def main() -> None:
        source, crowd = Source(1_000), Crowd(2)
        handle = await LocalEngine().start(mapped(Gate()), source)
        await turns(50)
        assert source.given <= 3
        handle.cancel()
        await handle.result()
        assert source.closed == 1
        assert (await LocalEngine().execute(mapped(crowd), Source(9))).ok
        assert crowd.most == 2

    go(main)


def test_a_source_that_never_waits_leaves_the_loop_its_turns() -> None:
    """S7: an endless one does not starve what else the loop has to do."""

    async def endless() -> AsyncIterator[int]:
        while True:
            yield 1

    async def main() -> None:
        handle = await LocalEngine().start(mapped(Gate(), concurrency=None), endless())
        await turns(20)
        handle.cancel("enough")
        assert (await handle.result()) == Cancelled("enough", handle.run_id)

    go(main)


def test_a_source_runs_in_one_task_with_the_context_of_the_caller() -> None:
    """S11, S16: so timeouts and context variables inside of a generator work; it is no step."""
    color = contextvars.ContextVar("color", default="none")
    seen: list[object] = []

    async def source() -> AsyncIterator[int]:
        seen.append(color.get())
        color.set("source")
        async with asyncio.timeout(60):
            for n in range(3):
                seen.append(asyncio.current_task())
                with pytest.raises(NotInAStep):
                    step_context()
                yield n
        seen.append(color.get())

    async def main() -> None:
        color.set("caller")
        flow = Workflow[Any]("flow").step(increase_all).map(increase, concurrency=1)
        assert await flow.run(source()) == [1, 2, 3]
        assert color.get() == "caller"

    async def increase_all(items: Any) -> Any:
        await asyncio.sleep(0)
        return items

    go(main)
    assert seen[0] == "caller"
    assert len({id(task) for task in seen[1:4]}) == 1
    assert seen[4] == "source"


def test_an_iterator_is_advanced_and_closed_in_a_thread() -> None:
    """S16: it may block; what can be read twice, like a list, needs no thread."""
    here = threading.current_thread()
    seen: list[object] = []

    def blocking() -> Iterator[int]:
        try:
            for n in range(3):
                assert threading.current_thread() is not here
                with pytest.raises(NotInAStep):
                    step_context()
                yield n
        finally:
            seen.append(threading.current_thread() is here)

    async def main() -> None:
        assert await mapped().run(blocking()) == [1, 2, 3]
        assert await mapped().run(iter([1, 2])) == [2, 3]

    go(main)
    assert seen == [False]


def test_a_file_is_closed_with_its_run(tmp_path) -> None:
    """S29: after the outcome no file is open, also when the run failed in the middle of it."""
    path = tmp_path / "lines"
    path.write_text("1\n2\nx\n4\n")

    async def parse(line: str) -> int:
        return int(line)

    async def main() -> None:
        lines = path.open()
        outcome = await LocalEngine().execute(mapped(parse, concurrency=1), lines)
        assert isinstance(outcome, Failed)
        assert outcome.failure.path == "flow/parse[2]"
        assert lines.closed

    go(main)


@pytest.mark.parametrize("where", ["open", "pull", "later", "thread"])
def test_a_source_that_raises_fails_the_map(where) -> None:
    """S8, S16: what was done is undone; the failure names the stream."""
    undone: list[object] = []

    class Broken:
        def __aiter__(self) -> Any:
            raise OSError

    async def asynchronous() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0)
        if where == "later":
            await turns(20)
        raise OSError

    def blocking() -> Iterator[int]:
        yield 1
        raise OSError

    async def main() -> None:
        source = {"open": Broken, "thread": blocking}.get(where, asynchronous)()
        flow = Workflow[Any]("flow").step(lambda _: 1, run_in="loop").compensate(undone.append)
        flow = flow.pure(lambda _: source).map(increase)
        outcome = await LocalEngine().execute(flow, 0)
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "OSError"
        assert outcome.failure.path == "flow/increase"

    go(main)
    assert undone == [1]


def test_a_source_that_cancels_itself_has_failed() -> None:
    """S8: nobody has cancelled the run."""

    async def odd() -> AsyncIterator[int]:
        yield 1
        raise asyncio.CancelledError

    async def main() -> None:
        outcome = await LocalEngine().execute(mapped(), odd())
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "asyncio.exceptions.CancelledError"

    go(main)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("where", ["pull", "close"])
def test_an_interrupt_from_a_source_stops_the_run_and_is_raised(kind, where, caplog) -> None:
    """S30: as from a step."""

    class Interrupted(Source):
        async def __anext__(self) -> int:
            if where == "pull":
                raise kind
            return await super().__anext__()

        async def aclose(self) -> None:
            if where == "close":
                raise kind

    async def main() -> None:
        flow = mapped().step(lambda _: 1)
        with pytest.raises(kind):
            await LocalEngine().execute(flow, Interrupted())

    go(main)


def test_a_cancel_interrupts_a_pull_and_waits_for_the_end_of_the_source() -> None:
    """S28, S29: when there is an outcome the generator has run its `finally`; nothing more is reported."""
    seen: list[str] = []

    async def main() -> None:
        handle = await LocalEngine().start(mapped(), noted(seen, asyncio.Event()))
        await turns(10)
        handle.cancel("enough")
        assert await handle.result() == Cancelled("enough", handle.run_id)
        assert seen == ["closed"]

    go(main)


def test_a_failed_item_closes_the_source_whether_it_is_pulled_or_waits() -> None:
    """S18: fail fast admits nothing new."""
    seen: list[str] = []

    async def fail(n: int) -> int:
        await turns(n * 10)
        raise ValueError

    async def main() -> None:
        for source, concurrency in ((noted(seen, asyncio.Event()), 2), (Source(9), 1)):
            outcome = await LocalEngine().execute(mapped(fail, concurrency), source)
            assert isinstance(outcome, Failed)
            assert outcome.failure.kind == "ValueError"

    go(main)
    assert seen == ["closed"]


def test_an_item_that_comes_after_the_cancel_is_dropped() -> None:
    """S16: a source that swallows its cancel and yields all the same is closed then."""
    seen: list[object] = []

    async def swallowing() -> AsyncIterator[int]:
        try:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield 7
        finally:
            seen.append("closed")

    async def note(n: int) -> int:
        seen.append(n)
        return n

    async def main() -> None:
        handle = await LocalEngine().start(mapped(note), swallowing())
        await turns()
        handle.cancel("enough")
        assert await handle.result() == Cancelled("enough", handle.run_id)

    go(main)
    assert seen == ["closed"]


def test_a_stray_cancel_of_the_task_of_a_stream_is_not_the_runs() -> None:
    """S30: while it waits to be asked it goes on; the run decides when it ends."""

    async def main() -> None:
        gate, source = Gate(), Source(2)
        handle = await LocalEngine().start(mapped(gate, concurrency=1), source)
        await gate.begun.wait()
        [stream] = [task for task in others() if task.get_name() == "stream flow/Gate"]
        stream.cancel()
        await turns()
        gate.opened.set()
        assert await handle.result() == Succeeded([2, 3], handle.run_id)
        assert source.closed == 1

    go(main)


def test_a_source_that_raises_when_it_is_closed_does_not_lose_the_outcome() -> None:
    """S29: the loop's exception handler is told."""
    told: list[dict[str, Any]] = []

    class Rude(Source):
        async def aclose(self) -> None:
            raise OSError

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        assert await mapped().run(Rude()) == [2, 3, 4]

    go(main)
    [context] = told
    assert context["message"] == "the source of the stream flow/increase raised when it was closed"
    assert isinstance(context["exception"], OSError)


def test_a_source_without_a_close_needs_none() -> None:
    """S16: an iterator that cannot be closed is let go."""

    class Bare:
        def __init__(self) -> None:
            self.items = iter([1, 2])

        def __aiter__(self) -> Bare:
            return self

        async def __anext__(self) -> int:
            for item in self.items:
                return item
            raise StopAsyncIteration

    async def main() -> None:
        assert await mapped().run(Bare()) == [2, 3]

    go(main)


def test_a_source_that_does_not_close_leaks_by_name() -> None:
    """S24, S29: the outcome is there after the grace, and the state has the same one."""

    async def main() -> None:
        free = asyncio.Event()

        class Slow(Source):
            async def aclose(self) -> None:
                await free.wait()

        handle = await LocalEngine(grace=GRACE).start(mapped(), Slow(1))
        outcome = await handle.result()
        assert outcome == Succeeded([2], handle.run_id, leaked=("flow/increase:stream",))
        assert handle.state.outcome == outcome
        [left] = others()
        assert left in tasks.LEAKED
        free.set()
        await asyncio.wait([left])

    go(main)
    assert set() == tasks.LEAKED


@pytest.mark.parametrize("closed_by", ["source", "loop"])
def test_a_thread_that_hangs_in_a_source_leaks_and_its_place_is_filled(closed_by) -> None:
    """S24: the source is closed when the thread comes back; if the loop has ended before, nobody waits for that."""
    begun, free = threading.Event(), threading.Event()
    seen: list[str] = []

    def blocking() -> Iterator[int]:
        try:
            begun.set()
            free.wait(10)
            yield 1
        finally:
            seen.append("closed")

    source = blocking()

    async def main() -> None:
        engine = LocalEngine(grace=GRACE, max_threads=1)
        handle = await engine.start(mapped(), source)
        while not begun.is_set():
            await asyncio.sleep(0)
        handle.cancel("enough")
        assert await handle.result() == Cancelled("enough", handle.run_id, leaked=("flow/increase:stream",))
        assert await Workflow[int]("flow").step(lambda n: n + 1).run(1) == 2
        if closed_by == "source":
            free.set()
            await asyncio.wait(others())
            assert seen == ["closed"]

    asyncio.run(main())
    free.set()
    assert set() == tasks.LEAKED


def test_a_pull_that_waits_for_a_thread_is_withdrawn() -> None:
    """S16: it has not begun, so there is nothing to wait for."""
    begun, free = threading.Event(), threading.Event()

    def hold(n: int) -> int:
        begun.set()
        free.wait(10)
        return n

    def items() -> Iterator[int]:
        yield from (1, 2)

    async def main() -> None:
        source = items()
        flow = Workflow[int]("flow").fork(hold).fork(Workflow[int]("inner").pure(lambda _: source).map(increase)).join()
        handle = await LocalEngine(max_threads=1).start(flow, 1)
        while not begun.is_set():
            await asyncio.sleep(0)
        handle.cancel("enough")
        await turns()
        free.set()
        assert (await handle.result()).leaked == ()
        assert next(source, "closed") == "closed"

    go(main)


def test_a_run_that_is_stopped_closes_its_streams(monkeypatch) -> None:
    """S29: also without an outcome."""
    source = Source(3)

    async def main() -> None:
        gate = Gate()
        running = asyncio.create_task(LocalEngine(grace=GRACE).execute(mapped(gate, concurrency=1), source))
        await gate.begun.wait()
        monkeypatch.setattr("orchestration.runtime.position.advance", lambda *_: 1 // 0)
        gate.opened.set()
        with pytest.raises(ZeroDivisionError):
            await running
        assert source.closed == 1

    go(main)


def test_two_streams_of_a_run_are_apart() -> None:
    """S16: each has its path; both give turns after so many items."""

    async def main() -> None:
        flow = Workflow[Any]("flow").fork(mapped_by("one")).fork(mapped_by("two")).join()

        class Twice:
            def __aiter__(self) -> Source:
                return Source(streams.STREAK * 2)

        expected = [n + 1 for n in range(1, streams.STREAK * 2 + 1)]
        assert await flow.run(Twice()) == (expected, expected)

    def mapped_by(name: str) -> Workflow[Any, Any, Any]:
        return Workflow[Any](name).map(increase)  # type: ignore[no-any-return]  # of anything

    go(main)


@pytest.mark.parametrize("once", [True, False], ids=["a generator", "an object that begins anew"])
def test_a_source_that_can_be_read_only_once_is_not_read_again(once) -> None:
    """S16, S20: the second attempt of a map would otherwise find it empty, and succeed with nothing."""

    class Numbers:
        """Begins anew each time."""

        async def __aiter__(self) -> AsyncIterator[int]:
            yield 1
            yield 2

    tries = []

    async def fails_at_first(n: int) -> int:
        tries.append(n)
        if len(tries) == 1:
            raise ConnectionError
        return n

    again = Retry(max_attempts=2, initial_delay=0)
    flow = Workflow[Any]("flow").map(fails_at_first, concurrency=1, retry=again)
    numbers = Numbers()
    outcome = asyncio.run(LocalEngine().execute(flow, aiter(numbers) if once else numbers))
    if once:
        assert isinstance(outcome, Failed)
        assert outcome.failure.kind == "orchestration.errors.SourceSpent"
    else:
        assert isinstance(outcome, Succeeded)
        assert outcome.value == [1, 2]
