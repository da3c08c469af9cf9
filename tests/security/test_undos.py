"""What a hostile or broken undo can and cannot cause (S22 to S26)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Retry, Workflow
from orchestration.outcomes import Failed, UndoFailed, Undone
from tests.ids import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.outcomes import Outcome


class Foreign(BaseException):
    """No `Exception`."""


class Chain:
    """Two steps with an undo each, the second a given one, and a third step that fails."""

    def __init__(self) -> None:
        """Have undone nothing."""
        self.undone: list[int] = []

    async def run(self, undo: Callable[[int], Any]) -> Outcome:
        """Run to the outcome."""

        async def add(n: int) -> int:
            return n + 1

        async def subtract(n: int) -> None:
            self.undone.append(n)

        async def fail(_: int) -> int:
            raise ValueError("declined")

        flow = (
            Workflow[int]("flow", on_undo_failure="continue")
            .step(add, name="first")
            .compensate(subtract)
            .step(add, name="second")
            .compensate(undo, timeout=0.05, retry=Retry(max_attempts=1))
            .step(fail)
        )
        return await LocalEngine(grace=0.05).execute(flow, 0)


@pytest.mark.parametrize("error", [ValueError, Foreign, GeneratorExit, asyncio.CancelledError])
def test_an_undo_that_raises_anything_is_told_of_and_the_failure_stays(error: type[BaseException]) -> None:
    """S25, S26: the step ends as `UndoFailed`, the other is undone, the first failure stays the failure."""
    chain = Chain()

    async def undo(_: int) -> None:
        raise error

    outcome = asyncio.run(chain.run(undo))
    assert isinstance(outcome, Failed)
    assert outcome.failure.message == "declined"
    assert [type(step) for step in outcome.rollback.steps] == [UndoFailed, Undone]
    assert chain.undone == [1]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_an_undo_that_would_end_the_process_ends_it_after_the_unwinding(error: type[BaseException]) -> None:
    """S24, S30: the undo of the other step has run when the exception comes out."""
    chain = Chain()

    async def undo(_: int) -> None:
        raise error

    with pytest.raises(error):
        asyncio.run(chain.run(undo))
    assert chain.undone == [1]


def test_an_undo_that_hangs_has_its_timeout() -> None:
    """S24: then it is told to end, and has failed."""
    chain = Chain()

    async def undo(_: int) -> None:
        await asyncio.Event().wait()

    outcome = asyncio.run(chain.run(undo))
    assert [type(step) for step in outcome.rollback.steps] == [UndoFailed, Undone]
    assert outcome.leaked == ()


def test_an_undo_that_refuses_to_end_is_named_and_left_behind() -> None:
    """S24: the grace over, the outcome comes without it, and names it as leaked."""
    chain = Chain()

    async def main() -> Outcome:
        let_go = asyncio.Event()

        async def undo(_: int) -> None:
            while not let_go.is_set():
                try:
                    await let_go.wait()
                except asyncio.CancelledError:
                    continue

        outcome = await chain.run(undo)
        let_go.set()
        return outcome

    outcome = asyncio.run(main())
    assert [type(step) for step in outcome.rollback.steps] == [UndoFailed, Undone]
    assert "flow/second" in " ".join(outcome.leaked)
    assert chain.undone == [1]


@pytest.mark.parametrize("rubbish", [False, None, ValueError("not raised"), object(), float("nan")], ids=shown)
def test_what_an_undo_returns_is_not_looked_at(rubbish: object) -> None:
    """S25: an undo that ends has undone; only raising says otherwise."""
    chain = Chain()

    async def undo(_: int) -> object:
        return rubbish

    outcome = asyncio.run(chain.run(undo))
    assert [type(step) for step in outcome.rollback.steps] == [Undone, Undone]
