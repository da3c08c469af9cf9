"""Large runs: what Temporal keeps of them stays bounded, and nothing waits for what takes long."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Cancelled, Succeeded, Workflow
from orchestration.engines.temporal_replay import histories
from tests.temporal.bodies import NOTES, add, increase, is_far, lengthen, spread

if TYPE_CHECKING:
    from tests.temporal.servers import Server

ITEMS = int(os.environ.get("TEMPORAL_ITEMS", "1100"))  # above the 1,000 that begin at a stretch; the session has more
WIDE = 1_100
WINDOW = 50
LONGEST = min(ITEMS // 2, 4_000)  # events, so that there are a few histories
PATIENCE = 60 + ITEMS / 10  # seconds
AROUND = 6 * WINDOW + 10  # events of what is under way while a run drains: of an activity three, of a task three
HEXES = 3_000  # texts of 128 letters, as random as any: nothing makes them much smaller
FREE = asyncio.Event()  # belongs to the loop that waits first, that of the worker


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    global FREE  # noqa: PLW0603 - what the bodies wait for
    NOTES.clear()
    FREE = asyncio.Event()


async def double(number: int) -> int:
    """Double, and note it."""
    NOTES.append(str(number))
    return 2 * number


async def when_free(number: int) -> int:
    """Wait until it is free."""
    NOTES.append("waits")
    await FREE.wait()
    return number


async def release_at_last(number: int) -> int:
    """Let the others go on when all numbers are through."""
    NOTES.append(str(number))
    if len(NOTES) > 40:
        FREE.set()
    return number


async def write(number: int) -> str:
    """Return a text that cannot be packed."""
    return "".join(hashlib.sha512(f"{number} {index}".encode()).hexdigest() for index in range(HEXES // 4))


LARGE = Workflow[int]("large").pure(spread).map(double)
WAITING = Workflow[int]("waiting").pure(spread).map(when_free).pure(len)
LOOPING = (
    Workflow[int]("looping")
    .loop(Workflow[int]("one").pure(lengthen), until=is_far, max_iterations=3_000)
    .step(increase)
)
BESIDE = Workflow[int]("beside").pure(spread).map(release_at_last, concurrency=5).pure(len)
HEAVY = Workflow[int]("heavy").pure(spread).map(write, concurrency=4).pure(len)


async def lengths(server: Server, handle: Any) -> list[tuple[int, int]]:
    """Return how many events each history of a run has, and how many of them are of a local activity."""
    return [
        (len(history.events), sum(event.HasField("marker_recorded_event_attributes") for event in history.events))
        async for history in histories(server.client, handle.workflow)
    ]


def test_a_large_map_has_bounded_histories(real: Server) -> None:
    """S16, S35: each item is done once, and no history grows with their number."""

    async def main() -> tuple[Any, list[tuple[int, int]]]:
        handle = await real.near(window=WINDOW, longest=LONGEST).start(LARGE, ITEMS, run_id="large")
        return await handle.result(), await lengths(real, handle)

    outcome, found = real.run(main(), PATIENCE)
    assert outcome == Succeeded([2 * number for number in range(ITEMS)], "large")
    assert sorted(map(int, NOTES)) == list(range(ITEMS))
    assert len(found) >= 3
    assert max(events for events, _ in found) <= LONGEST + AROUND
    assert sum(markers for _, markers in found) <= (ITEMS - 1_000) / 50 + 2 * len(found)  # few pauses for many items


def test_a_large_map_is_cancelled_in_the_middle(real: Server) -> None:
    """S7, S28: some of the items have not been looked at; what has not begun never does, and the run ends."""

    async def main() -> Any:
        handle = await real.near(window=WINDOW).start(WAITING, WIDE, run_id="wide")
        while len(NOTES) < WINDOW:
            await asyncio.sleep(0.05)
        assert len(await handle.progress()) < WIDE
        await handle.cancel("enough")
        return await handle.result()

    assert isinstance(real.run(main()), Cancelled)
    assert NOTES == ["waits"] * WINDOW


def test_what_evaluates_does_not_wait_for_a_large_map(real: Server) -> None:
    """S7: a long stretch of evaluations goes on while many items wait for room."""
    both = Workflow[int]("both").fork(WAITING).fork(LOOPING).join(add)

    async def main() -> Any:
        handle = await real.near(window=5).start(both, WIDE, run_id="both")
        while "both/fork/looping/increase (attempt)" not in await handle.progress():  # the loop is over
            await asyncio.sleep(0.05)
        await handle.cancel("enough")
        return await handle.result()

    assert isinstance(real.run(main()), Cancelled)
    assert set(NOTES) <= {"waits"}


def test_an_attempt_that_takes_long_holds_up_nothing(real: Server) -> None:
    """A run that is to move, but waits for one attempt, goes on with the others after a while, and moves later."""
    flow = Workflow[int]("flow").fork(when_free).fork(BESIDE).join(add)

    async def main() -> tuple[Any, list[tuple[int, int]]]:
        handle = await real.near(longest=40, patience=0.2).start(flow, 40, run_id="held")
        return await handle.result(), await lengths(real, handle)

    outcome, found = real.run(main())
    assert outcome == Succeeded(80, "held")
    assert found[0][0] > 80  # it was given up once at least


def test_a_state_that_is_too_large_to_move_stays(real: Server) -> None:
    """A history grows for as long as Temporal would not take what the run would move with."""

    async def main() -> tuple[Any, list[tuple[int, int]]]:
        handle = await real.near(longest=40, patience=1_000.0).start(HEAVY, 60, run_id="heavy")
        return await handle.result(), await lengths(real, handle)

    outcome, found = real.run(main())
    assert outcome == Succeeded(60, "heavy")
    assert len(found) > 1
    assert found[-1][0] > 80
