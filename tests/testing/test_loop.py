"""`VirtualLoop` is asyncio's loop in all but this: its time costs nothing, and nothing comes from outside."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import TYPE_CHECKING

import pytest

from orchestration.testing import loop as loops
from orchestration.testing.loop import NothingToCome, NotVirtual, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    """Return a new loop, and close it."""
    made = VirtualLoop()
    yield made
    made.close()


def test_a_day_takes_no_time(loop: VirtualLoop) -> None:
    """Time jumps to the next timer when nothing is ready."""
    loop.run_until_complete(asyncio.sleep(86_400))
    assert loop.time() == 86_400


def test_it_begins_when_it_is_told(loop: VirtualLoop) -> None:
    """A second loop can go on where the first has ended."""
    loop.run_until_complete(asyncio.sleep(5))
    later = VirtualLoop(loop.time() + 1)
    later.run_until_complete(asyncio.sleep(1))
    later.close()
    assert later.time() == 7


def test_timers_of_one_time_come_in_the_order_in_which_they_were_started(loop: VirtualLoop) -> None:
    """Asyncio leaves that open: a heap is not stable."""
    seen: list[int] = []
    for number in range(50):
        loop.call_later(1, seen.append, number)
    loop.run_dry()
    assert seen == list(range(50))


def test_a_timer_without_delay_comes_in_the_next_turn(loop: VirtualLoop) -> None:
    """It stands behind what is ready, as it does in asyncio."""
    seen: list[str] = []
    loop.call_later(0, seen.append, "timer")
    loop.call_soon(lambda: loop.call_soon(seen.append, "later"))
    loop.call_soon(seen.append, "soon")
    loop.run_dry()
    assert seen == ["soon", "timer", "later"]


def test_a_timer_that_was_cancelled_costs_no_time(loop: VirtualLoop) -> None:
    """Time does not go on for it, and it does not count among the timers."""
    timer = loop.call_later(10, pytest.fail)
    loop.call_later(3, int)
    timer.cancel()
    assert len(loop.timers) == 1
    loop.run_dry()
    assert loop.time() == 3


def test_what_is_due_after_infinite_seconds_never_comes(loop: VirtualLoop) -> None:
    """It is no reason to wait, either."""
    with pytest.raises(NothingToCome, match="these wait: sleep"):
        loop.run_until_complete(asyncio.sleep(math.inf))


async def for_ever() -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


async def restless() -> None:
    """Never wait, and never end."""
    while True:
        await asyncio.sleep(0)


def test_who_waits_for_nothing_is_named(loop: VirtualLoop) -> None:
    """A wait that nothing can end is an error, not a test that hangs."""
    with pytest.raises(NothingToCome, match="nothing will ever happen, and these wait: for_ever"):
        loop.run_until_complete(for_ever())
    assert [task.done() for task in loop.waiting] == [False]
    loop.waiting[0].cancel()
    loop.run_dry()
    assert not loop.waiting


def test_time_that_stands_still_is_an_error(loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is always ready would keep the loop for ever."""
    monkeypatch.setattr(loops, "TURNS", 100)
    with pytest.raises(NothingToCome, match="time stands still: at 0 s there is no end to restless"):
        loop.run_until_complete(restless())
    loop.waiting[0].cancel()
    loop.run_until_complete(asyncio.sleep(1))


def test_a_timeout_is_kept(loop: VirtualLoop) -> None:
    """What asyncio builds on timers works as it does on other loops."""

    async def late() -> None:
        async with asyncio.timeout(5):
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        loop.run_until_complete(late())
    assert loop.time() == 5


def test_there_are_no_threads(loop: VirtualLoop) -> None:
    """A thread would come when it likes: an executor is refused, and so is a callback from outside."""
    with pytest.raises(NotVirtual, match="in an executor"):
        loop.run_in_executor(None, for_ever)
    caught: list[BaseException] = []

    def call() -> None:
        try:
            loop.call_soon_threadsafe(int)
        except NotVirtual as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert "a callback from another thread" in str(caught[0])
    loop.call_soon_threadsafe(int)


def test_a_closed_loop_takes_nothing(loop: VirtualLoop) -> None:
    """As asyncio has it."""
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1, int)
