"""A journal that fails, and an owner that is replaced, at every call: never half a state (S34, S35, S38)."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import observer
from orchestration.errors import JournalFailed, LeaseLost, RunNotFound, SignalRefused
from orchestration.runtime.desk import Desk
from tests.durable.virtual import LEASE, RUN, Faulty, Stage, outcome_of
from tests.durable.workflows import ALL, WORD
from tests.runtime.support import no_new_threads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestration import Handle
    from orchestration.plan.moments import Moment

nothing_lives_on = pytest.fixture(autouse=True)(no_new_threads)
NAMES = list(ALL)


@pytest.fixture(params=["at once", "by its task"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let batches be written in either of the two ways."""
    monkeypatch.setattr(Desk, "is_at_hand", property(lambda _: request.param == "at once"))


SIGNALLED = {"waiting"}


def fail() -> None:
    """Be a journal whose disk is full."""
    raise JournalFailed("journal", found="a full disk", expected="room for a record", mend="Make room.")


def performing(stage: Stage, name: str, journal: Any = None, **options: Any) -> Callable[[], Any]:
    """Return what executes the workflow of this name, and sends it what it waits for."""

    async def main() -> Any:
        engine = stage.engine(journal, **options)
        handle = await engine.start(ALL[name], 1, run_id=RUN)
        if name in SIGNALLED:
            send(handle)
        assert handle.task is not None
        return await handle.task

    return main


def send(handle: Handle[Any]) -> None:
    """Send a signal; again if it may not have been kept: it counts once."""
    for _ in range(2):
        with contextlib.suppress(SignalRefused, JournalFailed):  # refused if the run is over
            handle.signal(WORD, 5, signal_id="one")
            return


def undisturbed(name: str) -> tuple[Any, ...]:
    """Return what a run comes to if nothing goes wrong."""
    stage = Stage(ALL[name])
    expected = outcome_of(stage.play(performing(stage, name)))
    stage.look()
    return expected


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", NAMES)
def test_a_run_goes_on_after_any_call_of_its_journal_has_failed(name: str, late: bool) -> None:  # noqa: FBT001 - a case
    """S34, S35: the run stops with `JournalFailed` or ends as ever; by a healthy journal it comes to the same."""
    expected = undisturbed(name)
    stopped = 0
    for at in count(1):
        stage = Stage(ALL[name])
        faulty = Faulty(stage.journal, at, fail, late=late)
        try:
            assert outcome_of(stage.play(performing(stage, name, faulty))) == expected
        except JournalFailed:
            stopped += 1
        stage.look()
        if len(faulty.calls) < at:
            break
        assert outcome_of(stage.play(performing(stage, name), later=2 * LEASE)) == expected
        stage.look()
    assert stopped > 0


@pytest.mark.parametrize("name", NAMES)
def test_who_has_lost_a_run_does_nothing_more(name: str) -> None:
    """S38: at every call that looks at the lease; no undo, cleanup or outcome; and the next owner comes to the same."""
    expected = undisturbed(name)
    lost = 0
    for at in count(1):
        stage = Stage(ALL[name])
        told: list[Any] = []
        owned = Owned(stage, at, told)
        try:
            outcome = stage.play(performing(stage, name, owned, hooks=[observer(notes(told))]))
        except LeaseLost:
            lost += 1
            performed, seen = owned.before
            assert [line for line in stage.performed[performed:] if line.startswith("began")] == []
            assert all(moment.at <= stage.journal.head(RUN).updated for moment in told[seen:])  # was durable before
        else:
            assert outcome_of(outcome) == expected
        stage.look()
        if len(owned.calls) < at:
            break
        assert outcome_of(stage.play(performing(stage, name), later=20 * LEASE)) == expected
        stage.look()
    assert lost > 1


class Owned(Faulty):
    """A journal of which somebody else takes the run over, right before call number `at` of those that need a lease."""

    def __init__(self, stage: Stage, at: int, told: list[Any]) -> None:
        """Note then how much was done before, and how much was `told`."""
        super().__init__(stage.journal, at, self._take_over)
        self.before = (0, 0)
        self._stage = stage
        self._told = told

    def _take_over(self) -> None:
        later = self._stage.time + 10 * LEASE
        self._journal.acquire(RUN, "another", now=later, until=later + LEASE)
        self.before = len(self._stage.performed), len(self._told)

    def __getattr__(self, name: str) -> Any:
        """Return a method of the journal, counted if it needs a lease."""
        if name in {"append", "adopt", "renew"}:
            return super().__getattr__(name)
        return getattr(self._journal, name)


def notes(told: list[Any]) -> Callable[[Moment], Awaitable[None]]:
    """Return an observer that takes a while."""

    async def note(moment: Moment) -> None:
        told.append(moment)
        await asyncio.sleep(0.01)

    return note


def test_a_run_that_was_never_begun_is_not_there() -> None:
    """S34: a run of which the first record could not be written does nothing."""
    stage = Stage(ALL["chain"])
    with pytest.raises(JournalFailed):
        stage.play(performing(stage, "chain", Faulty(stage.journal, 1, fail)))
    with pytest.raises(RunNotFound):
        stage.journal.head(RUN)
    assert stage.performed == []


def test_a_run_whose_log_could_not_be_written_did_not_end_in_order() -> None:
    """S35: what was under way counts as lost, as if its process had died."""
    stage = Stage(ALL["looping"])

    async def main() -> Any:
        faulty = Faulty(stage.journal, 0, fail)
        handle = await stage.engine(faulty).start(ALL["looping"], 1, run_id=RUN)
        await asyncio.sleep(1.25)
        faulty.append = lambda *_, **__: fail()  # type: ignore[attr-defined]
        return await handle.result()

    with pytest.raises(JournalFailed):
        stage.play(main)
    head = stage.journal.head(RUN)
    assert (head.owner, head.orderly) == (None, False)


def test_two_engines_of_one_loop_drive_a_run_one_after_the_other() -> None:
    """S38: an owner whose lease was taken over stops at its next append; the outcome is the second's."""
    stage = Stage(ALL["looping"])
    expected = undisturbed("looping")

    async def both() -> None:
        first = await stage.engine().start(ALL["looping"], 1, run_id=RUN)
        await asyncio.sleep(1.75)
        second = await stage.engine(ahead=2 * LEASE).resume(RUN)
        with pytest.raises(LeaseLost):
            await first.result()
        assert outcome_of(await second.result()) == expected

    stage.play(both)
    assert stage.journal.head(RUN).epoch == 2
