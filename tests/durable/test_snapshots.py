"""How far a log is folded when a run goes on, and what of a run that has ended is read from its end (S34, S36, S37)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.errors import JournalCorrupt, ReplayMismatch
from orchestration.frozen import evolve
from orchestration.journal.opening import outcome_of as stored_outcome
from orchestration.journal.protocol import Snapshot
from orchestration.journal.records import linked
from orchestration.journal.replay import Replay, folded
from orchestration.outcomes import Failed, Succeeded
from orchestration.runtime import log
from tests.durable.virtual import RUN, Stage
from tests.durable.workflows import Refused, inc, is_ten, never, refuse, slowly, unmake

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.journal.protocol import Record

from tests.durable.test_replay import flow, resumed, stopped

LOOP = flow().loop(slowly, until=is_ten, max_iterations=20).step(never)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each record that is folded adds its position."""
    folds: list[int] = []
    take = Replay.take

    def note(self: Replay, record: Record) -> Any:
        folds.append(record.position)
        return take(self, record)

    monkeypatch.setattr(Replay, "take", note)
    return folds


def snapped(monkeypatch: pytest.MonkeyPatch, workflow: Any = LOOP) -> Stage:
    """Return a stage whose run was stopped and has a snapshot of somewhere on its way."""
    monkeypatch.setattr(log, "SNAPSHOT", 400)
    stage = Stage(workflow)
    stopped(stage, workflow, after=20.0)
    return stage


def test_a_resume_folds_only_what_came_after_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """S36: and comes to the same state as folding all of it."""
    stage = snapped(monkeypatch)
    snapshot = stage.journal.snapshot(RUN)
    assert snapshot is not None
    folds = counted(monkeypatch)
    short = folded(LOOP.compile(), stage.journal, RUN)
    assert folds == [*range(snapshot.position, stage.journal.head(RUN).position)]
    whole = folded(LOOP.compile(), stage.journal, RUN, whole=True)
    assert (short.state, short.pending, short.position) == (whole.state, whole.pending, whole.position)
    assert short.checksum == whole.checksum
    assert len(folds) > whole.position


DAMAGED: dict[str, Callable[[Snapshot], Snapshot]] = {
    "checksum": lambda one: evolve(one, checksum="0" * 32),
    "cut": lambda one: evolve(one, text=one.text[:-5]),
    "empty": lambda one: evolve(one, text=""),
    "list": lambda one: evolve(one, text="[]"),
    "other data": lambda one: evolve(one, text="{}"),
    "ahead": lambda one: evolve(one, position=999),
    "version": lambda one: rewritten(one, '"v":1', '"v":9'),
    "plan": lambda one: rewritten(one, LOOP.compile().fingerprint, "f" * 64),
    "state": lambda one: rewritten(one, '"is":"State"', '"is":"Stat"'),
    "pending": lambda one: rewritten(one, '"is":"RunStep"', '"is":"RunStop"'),
}


def rewritten(snapshot: Snapshot, old: str, new: str) -> Snapshot:
    """Return a snapshot with another text, and a checksum that fits it."""
    assert old in snapshot.text
    text = snapshot.text.replace(old, new)
    before = text.partition('"last":"')[2].partition('"')[0]
    return Snapshot(snapshot.position, text, linked(before, text))


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_snapshot_that_cannot_be_used_is_ignored(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S36: it is a shortcut only; the log has it all."""
    stage = snapped(monkeypatch)
    snapshot = stage.journal.snapshot(RUN)
    assert snapshot is not None
    lease = stage.journal.acquire(RUN, "me", now=0.0, until=0.0)
    stage.journal.save(lease, DAMAGED[damage](snapshot))
    folds = counted(monkeypatch)
    folded(LOOP.compile(), stage.journal, RUN)
    assert folds == [*range(stage.journal.head(RUN).position)]


def test_a_plan_that_was_not_there_when_it_was_taken_does_not_use_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """S36: it has to prove itself by all of the log; so a change of the past is found."""
    stage = snapped(monkeypatch)
    with pytest.raises(ReplayMismatch, match="record 0"):
        folded(flow().loop(inc, until=is_ten, max_iterations=20).step(never).compile(), stage.journal, RUN)


@pytest.mark.parametrize("length", [100, 200])
def test_a_log_is_folded_once_and_linearly(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """S36: so many records, so many folds."""
    workflow = flow().loop(inc, until=far(length), max_iterations=length)
    stage = Stage(workflow)

    async def main() -> Any:
        return await stage.engine().execute(workflow, 1, run_id=RUN)

    stage.play(main)
    folds = counted(monkeypatch)
    folded(workflow.compile(), stage.journal, RUN, whole=True)
    assert folds == [*range(length)]


def far(length: int) -> Callable[[int, int], bool]:
    """Return what tells when a loop has gone far enough."""

    def is_far(n: int, _: int) -> bool:
        return n >= length

    return is_far


class Odd:
    """What has no form in JSON."""

    def __init__(self, n: int) -> None:
        """Hold a number."""
        self.n = n


def odd(n: int) -> Odd:
    """Make one."""
    return Odd(n)


async def even(one: Odd) -> int:
    """Take it apart, some time later."""
    await asyncio.sleep(30.0)
    return one.n


def test_a_state_that_cannot_be_kept_has_no_snapshot_and_is_durable_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """S34, S36: a pure function makes its value again when the log is folded."""
    workflow = flow().step(inc).pure(odd).step(even)
    monkeypatch.setattr(log, "SNAPSHOT", 1)
    stage = Stage(workflow)
    stopped(stage, workflow, after=1.0)
    assert stage.journal.head(RUN).position == 2
    snapshot = stage.journal.snapshot(RUN)
    assert snapshot is None or snapshot.position < 2
    assert resumed(stage, workflow) == Succeeded(2, RUN)


def test_an_outcome_that_cannot_be_kept_is_computed_anew() -> None:
    """S34: the last record has none; who wants it folds the log."""
    workflow = flow().step(inc).pure(odd)
    stage = Stage(workflow)

    async def main() -> Any:
        return await stage.engine().execute(workflow, 1, run_id=RUN)

    first, again = stage.play(main), stage.play(main)
    assert (first.value.n, again.value.n) == (2, 2)
    assert stored_outcome(stage.journal, workflow.compile(), RUN).value.n == 2  # type: ignore[union-attr]
    assert [line for line in stage.performed if line.startswith("began")] == ["began RunStep flow/inc#1 run:flow/inc"]


def test_a_failure_is_read_back_by_its_kind() -> None:
    """S8, S36: the outcome of a run that has ended is read, not computed."""
    workflow = flow().step(inc).compensate(unmake).step(refuse)
    stage = Stage(workflow)

    async def main() -> Any:
        return await stage.engine().execute(workflow, 1, run_id=RUN)

    first, again = stage.play(main), stage.play(main)
    assert isinstance(first, Failed)
    assert isinstance(again, Failed)
    assert isinstance(first.failure.exception, Refused)
    assert again.failure.exception is None
    assert again.failure.kind == first.failure.kind
    assert again.rollback == first.rollback


def test_a_log_without_its_last_record_has_no_outcome_to_read() -> None:
    """S37: it is damaged, and says so."""
    workflow = flow().step(inc)
    stage = Stage(workflow)

    async def main() -> Any:
        return await stage.engine().execute(workflow, 1, run_id=RUN)

    stage.play(main)
    stage.journal._runs[RUN].records.pop()
    with pytest.raises(JournalCorrupt) as error:
        stored_outcome(stage.journal, workflow.compile(), RUN)
    assert error.value.clean == 1
