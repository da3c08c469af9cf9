"""Hooks of durable runs: what observers are told in all, and when gates are asked again (S31, S32)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Failed, Retry, Signal, Succeeded, Workflow, gate, observer
from orchestration.errors import JournalFailed
from orchestration.interpreter.step import MOST_LOSSES
from orchestration.journal.memory import MemoryJournal
from orchestration.outcomes import Cancelled
from orchestration.plan.moments import RunCancelled, RunResumed
from tests.bodies import increase
from tests.durable.crashing import (
    LATER,
    LONG,
    Points,
    Severed,
    add,
    crashed,
    die,
    double,
    ended_by_its_loop,
    engine,
    fail,
    here,
    stopped,
    subtract,
    went_on,
)
from tests.runtime.diary import NOW, Diary

if TYPE_CHECKING:
    from orchestration.plan.hooks import Hook
    from orchestration.plan.moments import Asked, Moment

SLOW = Retry(max_attempts=2, initial_delay=10.0, jitter="none")
WAS_LOST = {"AttemptEnded": "AttemptBegan", "UndoEnded": "UndoBegan"}


class Watched:
    """A workflow that has it all (retries, gates, observers of all sorts, a part of its own, undos), and its diary."""

    def __init__(self, points: Points) -> None:
        """Let each hook and each step be a point."""
        self.points = points
        self.diary = Diary()
        part = Workflow[int]("part", hooks=[self.watch("part", at="workflow")]).step(double)
        hooks = [self.watch("all"), self.watch("strict", at="step", strict=True), self.gate()]
        flow = Workflow[int]("flow", hooks=hooks).step(add, retry=NOW).compensate(subtract, retry=NOW)
        self.flow: Any = flow.step(part).step(fail)

    def watch(self, name: str, **options: Any) -> Hook:
        """Return an observer that can be the last that is called."""

        async def note(moment: Moment) -> None:
            self.diary.moments.append((name, moment))
            await self.points.pass_by()

        return observer(note, **options)

    def gate(self) -> Hook:
        """Return a gate that can be the last that is called."""

        async def let_pass(asked: Asked) -> None:
            self.diary.moments.append(("gate", asked))
            await self.points.pass_by()

        return gate(let_pass)

    def lines(self, name: str) -> list[str]:
        """Return what a hook was called with."""
        return [line.removeprefix(f"{name} ") for line in self.diary.lines if line.startswith(f"{name} ")]


UNDISTURBED = Watched(Points())
went_on(MemoryJournal(), UNDISTURBED.flow)
PASSED = UNDISTURBED.points.count
Points()  # others from here on: no test adds to these
POINTS, RECORDS = 41, 14


def without_losses(lines: list[str]) -> list[str]:
    """Return lines without what a resumption tells: that the run goes on, and attempts that begin again."""
    left = [line for line in lines if line != "RunResumed"]
    for line in [line for line in left if " lost" in line]:
        kind, path, _, attempt = line.split()
        begin = WAS_LOST[kind]
        at = left.index(line)
        again = next(
            index
            for index, later in enumerate(left)
            if index > at and later.startswith(f"{begin} {path} ") and later.endswith(f" {attempt}")
        )
        del left[again], left[at]
    return left


def test_all_points_are_there() -> None:
    """The workflow has retries, undos, gates and observers at every point but a cancel and a resumption."""
    kinds = {line.split()[0] for line in UNDISTURBED.lines("all")}
    ends, begins = {"WorkflowEnded", "StepEnded", "AttemptEnded", "UndoEnded"}, {"WorkflowBegan", "StepBegan"}
    assert kinds == ends | begins | {"AttemptBegan", "UndoBegan", "RetryPlanned"}
    assert PASSED == POINTS


@pytest.mark.parametrize("hangs", [False, True], ids=["ends", "hangs"])
@pytest.mark.parametrize("point", range(1, POINTS + 1))
def test_a_run_that_is_stopped_anywhere_shows_each_moment_once(point: int, *, hangs: bool) -> None:
    """S32: before and after together, observers see what they would have seen, and what had to begin again."""
    journal, watched = MemoryJournal(), Watched(Points(point, hangs=hangs))
    asyncio.run(stopped(engine(journal).execute(watched.flow, 1, run_id="r"), watched.points.reached))
    before = len(watched.lines("all"))
    has_ended = journal.head("r").status != "unfinished"
    outcome = went_on(journal, watched.flow)
    assert isinstance(outcome, Failed)
    assert outcome.rollback.undone == ("flow/add",)
    assert (watched.lines("all")[before:][:1] == ["RunResumed"]) is not has_ended
    assert without_losses(watched.lines("all")) == UNDISTURBED.lines("all")
    assert watched.lines("part") == UNDISTURBED.lines("part")
    for name in ("gate", "strict"):  # a question without a durable answer is asked again, once
        twice = Counter(watched.lines(name)) - Counter(UNDISTURBED.lines(name))
        assert sum(twice.values()) <= 1
        assert set(watched.lines(name)) == set(UNDISTURBED.lines(name))


@pytest.mark.parametrize("after", range(1, RECORDS))
def test_a_run_whose_process_is_killed_shows_each_moment_at_most_once(after: int) -> None:
    """S32: what was to be told is lost with the process, and nothing is told again."""
    journal, watched = MemoryJournal(), Watched(Points())
    assert crashed(journal, watched.flow, 1, after)
    assert isinstance(went_on(journal, watched.flow, later=LATER), Failed)
    seen = without_losses(watched.lines("all"))
    expected = iter(UNDISTURBED.lines("all"))
    assert all(line in expected for line in seen), "each once, in the order of the run"
    assert seen[-1] == "WorkflowEnded failed"
    assert watched.diary.moments[-1][1].path == "flow"


def test_the_number_of_records_is_known() -> None:
    """So that the process above is killed at each of them."""
    journal = MemoryJournal()
    assert not crashed(journal, Watched(Points()).flow, 1, RECORDS)
    assert journal.head("r").position == RECORDS


def test_a_resumption_is_told_of_by_who_goes_on() -> None:
    """S32, S38: with how many processes have had the run."""
    journal, diary = MemoryJournal(), Diary()
    flow = Workflow[int]("flow", hooks=[diary.watch("flow", at="resume")]).step(double)
    for _ in range(2):
        points = Points(1, hangs=True)
        asyncio.run(stopped(engine(journal).execute(flow, 1, run_id="r"), points.reached))
    ((_, moment),) = diary.moments
    assert isinstance(moment, RunResumed)
    assert (moment.run_id, moment.path, moment.epoch) == ("r", "flow", 2)


def test_a_verdict_that_is_durable_is_not_asked_for_again() -> None:
    """S31: the step begins again without its gates, and without a second StepBegan."""
    journal, points = MemoryJournal(), Points(1, hangs=True)
    diary = Diary()
    hooks = [diary.allow("gate"), diary.watch("o", at=("step", "attempt"))]
    flow = Workflow[int]("flow").step(double, hooks=hooks)
    asyncio.run(stopped(engine(journal).execute(flow, 1, run_id="r"), points.reached))
    assert diary.lines == ["gate Asked double", "o StepBegan double", "o AttemptBegan double 1"]
    diary.moments.clear()
    assert went_on(journal, flow) == Succeeded(2, "r")
    ends = ["o AttemptEnded double succeeded 1", "o StepEnded double succeeded"]
    assert diary.lines == ["o AttemptEnded double lost 1", "o AttemptBegan double 1", *ends]


def test_the_end_of_the_event_loop_is_no_answer_of_a_gate() -> None:
    """S30: asyncio cancels the asking as well; the step does not fail for that, and its gates are asked again."""
    journal, diary, points = MemoryJournal(), Diary(), Points(1, hangs=True)

    async def ponder(asked: Asked) -> None:
        diary.moments.append(("gate", asked))
        await points.pass_by(may_hang=True)

    flow = Workflow[int]("flow").step(increase, hooks=[gate(ponder)])
    run = engine(journal).start(flow, 1, run_id="r")
    asyncio.run(ended_by_its_loop(run, points.reached, "HookedRun._ask"))
    assert journal.head("r").position == 1
    assert went_on(journal, flow) == Succeeded(2, "r")
    assert diary.lines == ["gate Asked increase", "gate Asked increase"]


def test_a_submitted_run_shows_its_beginning_to_who_begins_it() -> None:
    """S32: nobody has seen it before."""
    journal, watched = MemoryJournal(), Watched(Points())

    async def begin() -> Any:
        await engine(journal).submit(watched.flow, 1, run_id="r")
        (handle,) = (await engine(journal, workflows=[watched.flow], grace=LONG).recover()).handles
        return await handle.result()

    assert isinstance(asyncio.run(begin()), Failed)
    assert watched.diary.lines == UNDISTURBED.diary.lines


def test_an_engine_without_hooks_goes_on_with_questions_to_those_of_another() -> None:
    """S31: the hooks of an engine are those of who has the run; who has none objects to nothing."""
    journal, reached = MemoryJournal(), asyncio.Event()

    async def ponder(_: Asked) -> None:
        reached.set()
        await asyncio.Event().wait()

    flow = Workflow[int]("flow").step(increase).step(double)
    asyncio.run(stopped(engine(journal, hooks=[gate(ponder)]).execute(flow, 1, run_id="r"), reached))
    assert went_on(journal, flow) == Succeeded(4, "r")


def test_a_step_that_is_lost_too_often_has_ended() -> None:
    """S32, S35: its end is told of, after its last attempt."""
    journal, diary = MemoryJournal(), Diary()
    hooks = [diary.watch(at=("workflow", "step", "attempt"))]
    flow = Workflow[int]("flow", hooks=hooks).step(die)
    for number in range(MOST_LOSSES):
        line = Points().line = Severed(journal)
        with pytest.raises(JournalFailed):
            asyncio.run(engine(line, later=number * LATER).execute(flow, 1, run_id="r"))
    diary.moments.clear()
    assert isinstance(went_on(journal, flow, later=MOST_LOSSES * LATER), Failed)
    assert diary.lines == ["AttemptEnded die lost 1", "StepEnded die lost", "WorkflowEnded failed"]


def test_a_backoff_that_nobody_waited_for_ends_its_step() -> None:
    """S32, S10: the timeout passed while no process had the run."""
    journal, diary, points = MemoryJournal(), Diary(), Points(1)
    flow = Workflow[int]("flow", hooks=[diary.watch()]).step(add, retry=SLOW, timeout=20.0)
    asyncio.run(stopped(engine(journal).execute(flow, 1, run_id="r"), points.reached))
    assert diary.lines[-1] == "RetryPlanned add"
    diary.moments.clear()
    assert isinstance(went_on(journal, flow, later=LATER), Failed)
    assert diary.lines == ["RunResumed", "StepEnded add cancelled", "WorkflowEnded failed"]


def test_a_backoff_goes_on_in_another_process() -> None:
    """S32: the next attempt is no second beginning of its step."""
    journal, diary, points = MemoryJournal(), Diary(), Points(1)
    flow = Workflow[int]("flow").step(add, retry=SLOW, hooks=[diary.watch(at=("step", "attempt"))])
    asyncio.run(stopped(engine(journal).execute(flow, 1, run_id="r"), points.reached))
    diary.moments.clear()
    assert went_on(journal, flow, later=LATER) == Succeeded(2, "r")
    assert diary.lines == ["AttemptBegan add 2", "AttemptEnded add succeeded 2", "StepEnded add succeeded"]


async def _cancelled(journal: MemoryJournal, flow: Any, reason: str) -> Any:
    """Cancel a run, whether it was before or not; return its outcome, or `None` if its undo hangs."""
    points = here.get()
    handle = await engine(journal).start(flow, 1, run_id="r")
    while journal.head("r").position < 2:
        await asyncio.sleep(0)
    handle.cancel(reason)
    task = asyncio.ensure_future(handle.result())
    await asyncio.wait([task, asyncio.ensure_future(points.reached.wait())], return_when=asyncio.FIRST_COMPLETED)
    return task.result() if task.done() else None


def test_a_cancel_that_has_decided_before_has_not_again() -> None:
    """S28, S32: a second one, told to who goes on, did not decide."""
    journal, diary = MemoryJournal(), Diary()
    flow: Any = Workflow[int]("flow", hooks=[diary.watch(at="cancel")]).step(increase)
    flow = flow.compensate(subtract, retry=NOW).wait_for(Signal("never", int))
    Points(1, hangs=True)
    assert asyncio.run(_cancelled(journal, flow, "one")) is None
    Points()
    outcome = asyncio.run(_cancelled(journal, flow, "two"))
    assert isinstance(outcome, Cancelled)
    assert outcome.reason == "one"
    told = [moment for _, moment in diary.moments if isinstance(moment, RunCancelled)]
    assert [(moment.reason, moment.decided) for moment in told] == [("one", True), ("two", False)]


def test_failures_of_observers_stay_out_of_the_log() -> None:
    """S32, S39: they are in the outcome of the process that had them, and nowhere else."""
    journal = MemoryJournal()

    def careless(_: Moment) -> None:
        raise LookupError("no such metric")

    flow = Workflow[int]("flow", hooks=[observer(careless)]).step(increase)
    outcome = went_on(journal, flow)
    assert outcome.ok
    assert {failure.failure.message for failure in outcome.hook_failures} == {"no such metric"}
    assert not any("no such metric" in record.text for record in journal.read("r"))
    assert went_on(journal, flow) == Succeeded(2, "r")
