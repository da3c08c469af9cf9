"""Who has a run, how it is stopped and taken over, and what reaches it through its inbox (S5, S30, S35, S38)."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Succeeded, Workflow, gate
from orchestration.errors import (
    InvalidInput,
    ReplayMismatch,
    RunExists,
)
from orchestration.frozen import evolve
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.opening import Owner, take_over
from orchestration.journal.protocol import Record
from orchestration.journal.records import chained, first_link, linked
from orchestration.journal.replay import Replay, folded
from tests.durable.virtual import LEASE, RUN, Faulty, SlowDesk, Stage
from tests.durable.workflows import ALL, inc, never, unmake
from tests.runtime.support import no_new_threads

if TYPE_CHECKING:
    from orchestration.plan.moments import Asked

nothing_lives_on = pytest.fixture(autouse=True)(no_new_threads)
CHAIN = ALL["chain"]


def executing(stage: Stage, workflow: Any, **options: Any) -> Any:
    """Return what executes a workflow on a stage."""
    return lambda: stage.engine(**options).execute(workflow, 1, run_id=RUN)


async def stop(task: asyncio.Task[Any]) -> None:
    """Stop the process of a run, in order."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# --- the desk


def test_calls_of_a_journal_that_blocks_are_made_in_one_thread_beside_the_loop() -> None:
    """S29, S34: which ends with the last run; the outcome is the same."""
    journal = MemoryJournal()
    journal.blocks = True  # type: ignore[misc]  # as that of a file is
    threads: set[str] = set()

    def append(*arguments: Any, **options: Any) -> None:
        threads.add(threading.current_thread().name)
        MemoryJournal.append(journal, *arguments, **options)

    journal.append = append  # type: ignore[method-assign]

    async def main() -> None:
        engine: LocalEngine[Any] = LocalEngine(journal=journal, poll=0.01)
        outcomes = await asyncio.gather(*(engine.execute(CHAIN, number, run_id=f"{number}") for number in range(3)))
        assert outcomes == [Succeeded(number + 3, f"{number}") for number in range(3)]

    asyncio.run(main())
    assert len(threads) == 1
    assert next(iter(threads)).startswith("orchestration-journal")


@pytest.mark.parametrize("error", [StopIteration("full"), KeyboardInterrupt()], ids=lambda error: type(error).__name__)
def test_whatever_a_call_raises_comes_to_who_waits_for_it(error: BaseException) -> None:
    """S29, S34: no error keeps a run waiting; one that a future refuses comes as another."""

    def fail(*_arguments: Any) -> None:
        raise error

    journal = MemoryJournal()
    journal.blocks = True  # type: ignore[misc]
    journal.create = fail  # type: ignore[method-assign]

    async def main() -> str:
        engine: LocalEngine[Any] = LocalEngine(journal=journal, poll=0.01)
        with pytest.raises((RuntimeError, KeyboardInterrupt)) as caught:
            await engine.execute(CHAIN, 1, run_id=RUN)
        return repr(caught.value)

    assert repr(error) in asyncio.run(main())


def test_a_desk_serves_several_event_loops() -> None:
    """S29: each gets its answers, and the thread of one is not ended by another's end."""
    journal = MemoryJournal()
    journal.blocks = True  # type: ignore[misc]
    engine: LocalEngine[Any] = LocalEngine(journal=journal, poll=0.01)

    def run(number: int) -> list[Any]:
        return [asyncio.run(engine.execute(CHAIN, number, run_id=f"{number}-{turn}")) for turn in range(5)]

    with ThreadPoolExecutor(3) as pool:
        outcomes = [*pool.map(run, range(3))]
    assert outcomes == [[Succeeded(number + 3, f"{number}-{turn}") for turn in range(5)] for number in range(3)]


def test_a_cancel_does_not_leave_a_call_of_the_journal_half_made() -> None:
    """S30, S34: it comes when the call is over, so that what was written is known; and it is not lost."""
    journal, begun, go_on = MemoryJournal(), threading.Event(), threading.Event()
    journal.blocks = True  # type: ignore[misc]

    def create(*arguments: Any) -> None:
        begun.set()
        go_on.wait(10)
        MemoryJournal.create(journal, *arguments)

    journal.create = create  # type: ignore[method-assign]

    async def main() -> None:
        engine: LocalEngine[Any] = LocalEngine(journal=journal, poll=0.01)
        task = asyncio.ensure_future(engine.submit(CHAIN, 1, run_id=RUN))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        await asyncio.wait([task])
        assert task.cancelled() or task.result() == RUN  # it was done: there was nothing more to wait for

    asyncio.run(main())
    assert journal.head(RUN).position == 1


def test_a_timeout_around_a_run_is_one_although_it_comes_while_the_run_is_created() -> None:
    """S30: the run is stopped, in order, and another process can go on with it."""
    journal = MemoryJournal()
    journal.blocks = True  # type: ignore[misc]

    def create(*arguments: Any) -> None:
        time.sleep(0.1)
        MemoryJournal.create(journal, *arguments)

    journal.create = create  # type: ignore[method-assign]

    async def main() -> None:
        engine: LocalEngine[Any] = LocalEngine(journal=journal, poll=0.01, grace=0.01)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await engine.execute(ALL["late"], 1, run_id=RUN)

    asyncio.run(main())
    head = journal.head(RUN)
    assert (head.status, head.owner, head.orderly) == ("unfinished", None, True)


@pytest.mark.parametrize(("lease", "poll"), [(30.0, 0.0), (3.0, 1.0), (0.0, -1.0)])
def test_times_that_do_not_fit_are_refused(lease: float, poll: float) -> None:
    """S38: who reads its journal too rarely would lose its runs."""
    with pytest.raises(InvalidInput, match="poll"):
        LocalEngine(journal=MemoryJournal(), lease=lease, poll=poll)


# --- stopping


def test_a_run_that_is_stopped_takes_nothing_any_more() -> None:
    """S30: a cancel is for who goes on with it; what its hooks say as well."""
    stage = Stage()
    told: list[bool] = []

    async def hang(asked: Asked) -> None:
        if asked.step.endswith("inc"):
            await asyncio.Event().wait()

    async def main() -> None:
        forked = Workflow[int]("flow").fork(never).fork(inc).join(max)
        handle = await stage.engine(hooks=[gate(hang)]).start(forked, 1, run_id=RUN)
        await asyncio.sleep(1.0)
        assert handle.task is not None
        handle.task.cancel()
        await asyncio.sleep(0)
        told.append(handle.cancel("too late"))
        with pytest.raises(asyncio.CancelledError):
            await handle.result()

    stage.play(main)
    assert told == [False]
    head = stage.journal.head(RUN)
    assert (head.status, head.position, head.orderly) == ("unfinished", 2, True)


def test_a_run_that_is_not_asked_by_now_stops_when_the_grace_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """S30, S34: although its journal takes longer; what is written then is there for who goes on with it."""
    monkeypatch.setattr("orchestration.runtime.durable.Desk", lambda *, blocks: SlowDesk(3, 5.0))
    for at in range(40):
        stage = Stage()

        async def main(stage: Stage = stage, at: int = at) -> None:
            task = asyncio.ensure_future(executing(stage, CHAIN)())
            done, _ = await asyncio.wait([task], timeout=at / 2)
            if not done:
                await stop(task)

        stage.play(main)
        stage.look()
        if any(head.position for head in stage.journal.heads()):
            assert stage.play(executing(stage, CHAIN), later=2 * LEASE) == Succeeded(4, RUN)
            stage.look()


async def interrupt(n: int) -> int:
    """Be where Ctrl-C hits."""
    raise KeyboardInterrupt


async def note_and_pass(n: int) -> int:
    """Return the number."""
    return n


def test_an_interrupt_in_a_step_stops_a_durable_run() -> None:
    """S30: it is no failure of the step, and nothing is undone."""
    stage = Stage()
    workflow = Workflow[int]("flow").step(inc).compensate(unmake).step(interrupt)
    with pytest.raises(KeyboardInterrupt):
        stage.play(executing(stage, workflow))
    head = stage.journal.head(RUN)
    assert (head.status, head.owner) == ("unfinished", None)
    assert not any("RunUndo" in line for line in stage.performed)


# --- taking over


def owner(stage: Stage) -> Owner:
    """Return somebody who would like to have the run."""
    return Owner("another", stage.time + 2 * LEASE, stage.time + 3 * LEASE)


def half_done(stage: Stage, workflow: Any) -> list[Record]:
    """Begin a run, let its process die after a second, and return the records that it wrote in its last half."""

    async def main() -> list[Record]:
        task = asyncio.ensure_future(executing(stage, workflow)())
        await asyncio.sleep(1.0)
        await stop(task)
        return stage.journal.read(RUN)

    return stage.play(main)


class Late(Faulty):
    """A journal to which the former owner adds records right before another acquires the run."""

    def __init__(self, stage: Stage, texts: list[str], status: Any = "unfinished") -> None:
        """Add records with these texts."""
        super().__init__(stage.journal, 0, bool)
        self._texts = texts
        self._status = status

    def acquire(self, *arguments: Any, **options: Any) -> Any:
        """Take over, a little too early."""
        head = self._journal.head(RUN)
        former = self._journal.acquire(RUN, "former", now=options["now"] - 1, until=options["now"])
        records = [*chained(head.checksum, head.position, self._texts)]
        self._journal.append(former, records, at=head.updated, status=self._status)
        return self._journal.acquire(*arguments, **options)


def test_what_the_former_owner_still_wrote_is_taken_in() -> None:
    """S38: between the folding of the log and the taking over of the run."""
    other, stage = Stage(), Stage()
    other.play(executing(other, ALL["looping"]))
    texts = [record.text for record in other.journal.read(RUN)]
    written = half_done(stage, ALL["looping"])
    opened = take_over(Late(stage, texts[len(written) : 5]), ALL["looping"].compile(), RUN, owner(stage))  # type: ignore[arg-type]
    assert len(written) < 5 < opened.replay.position
    assert folded(ALL["looping"].compile(), stage.journal, RUN).state == opened.replay.state


def test_a_run_that_ended_meanwhile_has_ended() -> None:
    """S38: it is not resumed."""
    other, stage = Stage(), Stage()
    other.play(executing(other, ALL["looping"]))
    texts = [record.text for record in other.journal.read(RUN)]
    written = half_done(stage, ALL["looping"])
    late = Late(stage, texts[len(written) :], "succeeded")
    opened = take_over(late, ALL["looping"].compile(), RUN, owner(stage))  # type: ignore[arg-type]
    assert opened.turns == []
    assert opened.replay.state.outcome == Succeeded(10, RUN)
    assert take_over(stage.journal, ALL["looping"].compile(), RUN, owner(stage)).replay.state.outcome is not None


def test_who_cannot_go_on_gives_the_run_back() -> None:
    """S36, S38: it is as free as it was before."""
    stage = Stage()
    half_done(stage, ALL["looping"])
    before = stage.journal.head(RUN)
    late = Late(stage, [stage.journal.read(RUN)[0].text])
    with pytest.raises(ReplayMismatch):
        take_over(late, ALL["looping"].compile(), RUN, owner(stage))  # type: ignore[arg-type]
    head = stage.journal.head(RUN)
    assert (head.owner, head.wake, head.orderly) == (None, before.wake, before.orderly)
    assert head.epoch == before.epoch + 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"attempt":1', '"attempt":7', "no place for it"),
        ('"is":"StepSucceeded"', '"is":"StepRefused"', "by the plan as it is now"),
    ],
    ids=["illegal", "unknown"],
)
def test_a_record_that_cannot_be_here_is_a_mismatch(old: str, new: str, said: str) -> None:
    """S3, S36, S37: although its checksum fits: it is never believed, and never another exception."""
    stage = Stage()
    stage.play(executing(stage, CHAIN))
    first, second, *_ = stage.journal.read(RUN)
    replay = Replay(CHAIN.compile(), RUN)
    replay.take(first)
    assert old in second.text
    text = second.text.replace(old, new)
    with pytest.raises(ReplayMismatch, match=said):
        replay.take(evolve(second, text=text, checksum=linked(first.checksum, text)))


@pytest.mark.parametrize("number", [1, -1])
def test_a_log_ends_where_its_run_does(number: int) -> None:
    """S36: a plan that ends earlier or later is another."""
    stage = Stage()
    stage.play(executing(stage, Workflow[int]("flow").step(inc)))
    first, last = stage.journal.read(RUN)
    data = json.loads(last.text)
    if number == 1:
        del data["outcome"]
    else:
        data = json.loads(first.text) | {"outcome": None}
    replay = Replay(Workflow[int]("flow").step(inc).compile(), RUN)
    if number == 1:
        replay.take(first)
    with pytest.raises(ReplayMismatch, match="end of the run"):
        replay.take(Record(max(number, 0), json.dumps(data), ""))


def test_a_run_of_which_the_start_cannot_be_read_is_another() -> None:
    """S5, S37: an id is in use all the same."""
    stage = Stage()
    stage.play(executing(stage, CHAIN))
    records = stage.journal._runs[RUN].records
    records[0] = evolve(records[0], text="{}", checksum=linked(first_link(RUN), "{}"))
    with pytest.raises(RunExists):
        stage.play(executing(stage, CHAIN))
