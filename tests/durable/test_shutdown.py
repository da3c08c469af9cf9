"""The end of an event loop, at any turn: what was a run of this process is for others to go on with (S29, S30, S38)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import (
    LocalEngine,
    Worker,
    Workflow,
)
from tests.durable.virtual import RUN, SlowDesk, Stage
from tests.durable.workflows import inc, slowly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


TURNS = 200  # more than any of the runs takes where the journal takes time
INSTANT = 30  # more than any takes where it takes none, up to the step that takes time itself


async def breathe(n: int) -> int:
    """Add one, and let the loop have a turn."""
    await asyncio.sleep(0)
    return n + 1


async def grumble(n: int) -> int:
    """Wait for ever, and say something else when cancelled."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise ConnectionError("the line was cut") from None
    return n


class Line:
    """A source that says something else when cancelled."""

    async def __aiter__(self) -> AsyncIterator[int]:
        """Yield one item, then wait for ever."""
        yield 1
        await grumble(2)


def line_of(_: int) -> Line:
    """Return a source."""
    return Line()


CHAIN = Workflow[int]("chain").step(inc).step(breathe).step(slowly).step(inc)
GRUMBLING = Workflow[int]("grumbling").step(inc).step(grumble)
STREAMING = Workflow[int]("streaming").pure(line_of).map(inc)


async def end_of_the_loop() -> None:
    """Cancel all other tasks, as `asyncio.run` does at its end; what a desk does is done by a thread elsewhere."""
    this = asyncio.current_task()
    tasks = [task for task in asyncio.all_tasks() if task is not this and "SlowDesk" not in repr(task.get_coro())]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def starting(engine: LocalEngine[Any]) -> object:
    """Start a run and wait for it."""
    return await (await engine.start(CHAIN, 1, run_id=RUN)).result()


async def executing(engine: LocalEngine[Any]) -> object:
    """Execute a run."""
    return await engine.execute(CHAIN, 1, run_id=RUN)


async def working(engine: LocalEngine[Any]) -> None:
    """Submit a run, and let a worker drive it."""
    await engine.submit(CHAIN, 1, run_id=RUN)
    await Worker(engine).drain()


async def resuming(engine: LocalEngine[Any]) -> object:
    """Submit a run, and take it up."""
    await engine.submit(CHAIN, 1, run_id=RUN)
    return await (await engine.resume(RUN)).result()


@pytest.mark.parametrize("seed", [None, 1, 2, 5])
@pytest.mark.parametrize("act", [starting, executing, working, resuming])
def test_a_loop_that_ends_at_any_turn_leaves_the_run_to_others(act: Any, seed: int | None) -> None:
    """S29, S30, S38: nobody has it then, nothing of it is left, and it goes on at once and to the same end."""
    for turn in range(TURNS):
        stage, done = Stage(CHAIN), list[bool]()

        async def main(stage: Stage = stage, turn: int = turn, done: list[bool] = done) -> None:
            engine = stage.engine()
            assert engine._durable is not None
            if seed is not None:
                engine._durable._desk = SlowDesk(seed, 0.2)
            run = asyncio.ensure_future(act(engine))
            for _ in range(turn):
                await asyncio.sleep(0 if seed is None else 0.02)
            done.append(run.done())
            await end_of_the_loop()

        async def again(stage: Stage = stage) -> Any:
            return await stage.engine().execute(CHAIN, 1, run_id=RUN)

        stage.play(main)
        if done[0]:
            return
        for head in stage.journal.heads():
            assert (head.owner, head.orderly) == (None, True), turn
            assert head.status in {"unfinished", "succeeded"}
        before = stage.time
        assert stage.play(again).value == 5
        assert stage.time - before < 10.0
        if seed is None and turn > INSTANT:
            return
    pytest.fail(f"the run does not end within {TURNS} turns")


def test_a_run_whose_task_was_cancelled_before_it_began_has_an_end() -> None:
    """S29: who waits for it is told."""

    async def main() -> None:
        handle = await LocalEngine().start(CHAIN, 1)
        assert handle.task is not None
        handle.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handle.result()

    Stage().play(main)


@pytest.mark.parametrize("workflow", [GRUMBLING, STREAMING], ids=["step", "source"])
def test_what_a_body_says_when_the_loop_ends_is_no_failure(workflow: Any) -> None:
    """S30: it was not the step that failed."""
    stage = Stage(workflow)

    async def main() -> None:
        await stage.engine().start(workflow, 1, run_id=RUN)
        await asyncio.sleep(1.0)
        await end_of_the_loop()

    stage.play(main)
    assert stage.journal.head(RUN).status == "unfinished"
    assert not any("line was cut" in record.text for record in stage.journal.read(RUN))
