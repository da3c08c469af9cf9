"""How a run is taken up: the events of a resumption, one by one and by the thousand (S35)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import (
    Workflow,
)
from orchestration.journal.replay import Replay
from orchestration.journal.resumption import following, resume, under_way, without
from tests.durable.virtual import RUN, Stage
from tests.durable.workflows import ALL, WORD, never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import AnyEvent, Event
    from orchestration.interpreter.pending import Pending

HURRIED = (
    Workflow[int]("hurried")
    .fork(Workflow[int]("one").wait_for(WORD, timeout=1.0))
    .fork(Workflow[int]("two").wait_for(WORD, timeout=1.5))
    .fork(Workflow[int]("three").step(never, timeout=2.0))
    .join()
)


def many(n: int) -> list[int]:
    """Return so many numbers."""
    return list(range(n))


class Counted(dict[Any, Any]):
    """A dict that counts how often somebody looks at all of it."""

    looks = 0

    def values(self) -> Any:
        """Look at all values."""
        self.looks += 1
        return super().values()


def replays_of(workflow: Any, value: object) -> Iterator[Callable[[], Replay]]:
    """Yield what folds each prefix of the log of a run anew."""
    stage = Stage(workflow)
    plan = workflow.compile()

    async def main() -> None:
        handle = await stage.engine().start(workflow, value, run_id=RUN)
        assert handle.task is not None
        await asyncio.wait([handle.task], timeout=5.0)
        handle.task.cancel()
        await asyncio.gather(handle.task, return_exceptions=True)

    stage.play(main)
    records = stage.journal.read(RUN)

    for length in range(1, len(records) + 1):

        def replay(length: int = length) -> Replay:
            found = Replay(plan, RUN)
            for record in records[:length]:
                found.take(record)
            return found

        if replay().state.outcome is None:
            yield replay


@pytest.mark.parametrize("workflow", [*ALL.values(), HURRIED], ids=[*ALL, "hurried"])
def test_a_resumption_is_what_follows_event_by_event(workflow: Any) -> None:
    """S35: whoever takes a run up and whoever explores it fold the same."""
    for replay in replays_of(workflow, 1):
        for later in (0.0, 1.25, 100.0):
            one, other = replay(), replay()
            at = one.state.at + later
            events: list[AnyEvent] = []

            def fold(event: Event, one: Replay = one, events: list[AnyEvent] = events) -> list[Effect]:
                events.append(event)
                return one.add(event)[0].effects

            resume(RUN, one.pending, at, fold, epoch=2, counted=True)
            lost = under_way(other.pending)
            other.add(events[0])
            expected = events[:1]
            while (event := following(other.pending, lost, at, counted=True)) is not None:
                lost = without(lost, event)
                other.add(event)
                expected.append(event)
            assert events == expected
            assert one.checksum == other.checksum


def test_a_resumption_of_many_attempts_does_not_look_at_all_for_each() -> None:
    """S35: ten thousand attempts may be under way when a process ends."""
    wide = Workflow[int]("wide").pure(many).map(never)
    *_, last = replays_of(wide, 100)
    replay = last()
    pending: Pending = Counted(replay.pending)
    replay.pending = pending
    assert len(pending) == 100
    resume(RUN, pending, replay.state.at, lambda event: replay.add(event)[0].effects, epoch=2, counted=True)
    assert len(pending) == 100
    assert isinstance(pending, Counted)
    assert pending.looks == 1
