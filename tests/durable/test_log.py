"""The log of a durable run: what is held back until it is durable, and what the machine does meanwhile (S34, S39)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orchestration import Failed, LocalEngine, Succeeded, Workflow, gate, observer, step
from orchestration.errors import LeaseLost
from orchestration.interpreter.effects import RunCleanup, RunStep
from orchestration.journal.replay import folded
from orchestration.runtime import log
from orchestration.signals import Signal
from tests.durable.virtual import LEASE, RUN, Faulty, SlowDesk, Stage, outcome_of
from tests.durable.workflows import ALL, WORD, Refused, inc, unmake
from tests.model.bodies import Declined
from tests.model.draws import ALL as KINDS
from tests.model.draws import cases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from orchestration import Handle
    from orchestration.interpreter.effects import Attempted
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.runtime.handler import Handler
    from tests.model.draws import Case
    from tests.model.script import End

NAMES = list(ALL)
NO_STREAMS = tuple(kind for kind in KINDS if kind != "stream")
PHASES = (Phase.explicit, Phase.generate)
EXAMPLES = int(os.environ.get("LOG_EXAMPLES", "40"))
SEEDS = st.integers(0, 2**16)


class Compiled:
    """What an engine takes, of a plan that is compiled already."""

    def __init__(self, plan: Plan) -> None:
        """Hold it."""
        self.plan = plan

    def compile(self) -> Plan:
        """Return it."""
        return self.plan


class Performer:
    """Performs attempts as a script says, in virtual time."""

    def __init__(self, case: Case, grace: float) -> None:
        """Read the script of a case; what leaks outlives the `grace`."""
        self.script = case.script
        self.grace = grace

    async def __call__(self, effect: Attempted, following: Handler) -> object:
        """Perform an attempt; the body stands for it and is never called."""
        if isinstance(effect, RunStep):
            end = self.script.attempt(effect.path, effect.attempt, may_time_out=effect.timeout is not None)
        else:
            kind = "cleanup" if isinstance(effect, RunCleanup) else effect.by
            end = self.script.shielded(kind, effect.path, effect.attempt)
        try:
            return await self._end(end)
        except asyncio.CancelledError:
            if not isinstance(effect, RunStep):
                raise
            other = self.script.cancelled(effect.path, effect.attempt)
            if other.how in ("end", "never start"):
                raise
            return await self._end(replace(other, after=min(other.after, self.grace / 2)))

    async def _end(self, end: End) -> object:
        if end.how in ("time out", "leak"):
            await asyncio.Event().wait()
        await asyncio.sleep(end.after)
        match end.how:
            case "succeed":
                return end.output
            case "fail":
                raise Declined("no")
            case _:
                raise ConnectionError("gone")


async def outside(handle: Handle[Any], case: Case) -> Outcome[Any]:
    """Do to a run what the script says, signals and a cancel; return its outcome."""
    loop = asyncio.get_running_loop()
    timers = [loop.call_later(signal.at, _send, handle, signal) for signal in case.script.signals]
    if case.script.cancel_at is not None:
        timers.append(loop.call_later(case.script.cancel_at, handle.cancel, "enough"))
    try:
        return await handle.result()
    finally:
        for timer in timers:
            timer.cancel()


def _send(handle: Handle[Any], signal: Any) -> None:
    if handle.state.root is not None and handle.state.ledger.cancel is None:
        handle.signal(Signal(signal.name, int), signal.payload, signal_id=signal.signal_id)


async def note(_: object) -> None:
    """Be an observer that takes a while."""
    await asyncio.sleep(1 / 64)


async def allow(_: object) -> None:
    """Be a gate that lets everything pass, but not at once."""
    await asyncio.sleep(1 / 32)


HOOKS = [observer(note), observer(note, at="step", strict=True), gate(allow)]


def slowed(monkeypatch: Any, seed: int, longest: float) -> None:
    """Let the journals of all engines be slow."""
    monkeypatch.setattr("orchestration.runtime.durable.Desk", lambda *, blocks: SlowDesk(seed, longest))


def acted(stage: Stage, case: Case, *, hooks: bool = False, take_over: float | None = None, **options: Any) -> Any:
    """Perform a case, and hold that its log, folded anew, gives the same outcome (S39); return the outcome."""
    compiled: Any = Compiled(case.plan)
    given_hooks = HOOKS if hooks else []

    async def main() -> Any:
        performer = Performer(case, 0.05)
        settings_ = {"middleware": (stage.work, performer), "hooks": given_hooks} | options
        first = await stage.engine(**settings_).start(compiled, case.value, run_id=RUN, deadline=case.script.deadline)
        if take_over is None:
            return await outside(first, case)
        ended = asyncio.ensure_future(outside(first, case))
        await asyncio.sleep(take_over)
        second = await stage.engine(ahead=2 * LEASE, **settings_).resume(RUN)
        with contextlib.suppress(LeaseLost):
            await ended
        return await outside(second, case)

    outcome = stage.play(main)
    stage.look()
    replay = folded(case.plan, stage.journal, RUN, whole=True)
    assert replay.state.outcome is not None
    assert outcome_of(replay.state.outcome) == outcome_of(outcome)
    assert all(kind.startswith("leaked") for _, kind in replay.pending)
    return outcome


def in_memory(case: Case) -> Any:
    """Perform a case without a journal; return the outcome."""
    stage, compiled = Stage(), cast("Any", Compiled(case.plan))

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        engine: LocalEngine[Any] = LocalEngine(middleware=(Performer(case, 0.05),), grace=0.05, clock=loop.time)
        return await outside(await engine.start(compiled, case.value, run_id=RUN, deadline=case.script.deadline), case)

    return stage.play(main)


@settings(max_examples=EXAMPLES, phases=PHASES, derandomize=True)
@given(cases(kinds=NO_STREAMS))
def test_a_durable_run_comes_to_what_the_same_run_in_memory_comes_to(case: Case) -> None:
    """S39: the same completions at the same times give the same outcome, and its log gives it once more."""
    durable = acted(Stage(Compiled(case.plan)), case)
    assert outcome_of(durable) == outcome_of(in_memory(case))


@settings(max_examples=EXAMPLES, phases=PHASES, derandomize=True)
@given(cases(kinds=NO_STREAMS), SEEDS, st.booleans())
def test_a_machine_that_is_ahead_of_its_log_never_meets_what_it_has_taken_back(
    case: Case,
    seed: int,
    hooks: bool,  # noqa: FBT001 - a case
) -> None:
    """S3, S34, S39: however long each write takes, no stale timer, answer or cancel reaches the machine."""
    with pytest.MonkeyPatch.context() as patch:
        slowed(patch, seed, 0.5)
        acted(Stage(Compiled(case.plan)), case, hooks=hooks)


@settings(max_examples=EXAMPLES, phases=PHASES, derandomize=True)
@given(cases(kinds=NO_STREAMS), SEEDS, st.floats(0, 6))
def test_a_run_that_is_taken_over_at_any_time_ends_once(case: Case, seed: int, after: float) -> None:
    """S35, S38, S39: by whichever owner; nothing that is done is done again, and the log gives the outcome."""
    with pytest.MonkeyPatch.context() as patch:
        slowed(patch, seed, 0.1)
        acted(Stage(Compiled(case.plan)), case, take_over=after)


@dataclass(frozen=True)
class Numbers:
    """A source that takes a while for each number."""

    count: int

    async def __aiter__(self) -> AsyncIterator[int]:
        """Begin anew."""
        for number in range(self.count):
            await asyncio.sleep(0.25)
            yield number


def numbers(n: int) -> Numbers:
    """Return a source."""
    return Numbers(n)


async def refuse_two(n: int) -> int:
    """Fail at 2."""
    await asyncio.sleep(0.3)
    if n == 2:
        raise Refused(n)
    return n


def list_of(n: int) -> list[int]:
    """Return some numbers."""
    return [n * place for place in range(20)]


async def wander(n: int) -> int:
    """Take longer for more."""
    await asyncio.sleep(n / 8)
    return n


async def pair(one: int, numbers: list[int]) -> tuple[int, int]:
    """Return a number, and how many others there are."""
    return one, len(numbers)


STREAMED = Workflow[int]("streamed").pure(numbers).map(step(refuse_two).compensate(unmake), concurrency=3)


@pytest.mark.parametrize("seed", range(20))
def test_an_item_that_comes_after_its_stream_was_closed_is_not_taken(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S16, S34: the machine has closed it, but the source hears of that only when the failure is durable."""
    slowed(monkeypatch, seed, 1.0)
    stage = Stage(STREAMED)
    outcome = stage.play(lambda: stage.engine().execute(STREAMED, 9, run_id=RUN))
    assert isinstance(outcome, Failed)
    assert outcome.failure.path == "streamed/refuse_two[2]"
    assert outcome.rollback.undone[-2:] == ("streamed/refuse_two[1]", "streamed/refuse_two[0]")
    replay = folded(STREAMED.compile(), stage.journal, RUN, whole=True)
    assert outcome_of(replay.state.outcome) == outcome_of(outcome)
    stage.look()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["mapped", "waiting", "looping"])
def test_more_events_than_fit_in_a_batch_make_several(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """S34, S38: in their order; a letter leaves the inbox with the last of what it has said."""
    slowed(monkeypatch, seed, 1.0)
    monkeypatch.setattr(log, "MOST", 1)
    stage = Stage(ALL[name])

    async def main() -> Any:
        handle = await stage.engine().start(ALL[name], 1, run_id=RUN)
        if name == "waiting":
            handle.signal(WORD, 5)
        return await handle.result()

    outcome = stage.play(main)
    assert outcome == Succeeded({"mapped": [2, 3, 4], "waiting": 6, "looping": 10}[name], RUN)
    assert outcome_of(folded(ALL[name].compile(), stage.journal, RUN, whole=True).state.outcome) == outcome_of(outcome)
    assert stage.journal.letters(RUN) == []
    stage.look()


BUSY = (
    Workflow[int]("busy")
    .fork(Workflow[int]("asking").wait_for(WORD))
    .fork(Workflow[int]("many").pure(list_of).map(wander).map(inc))
    .join(pair)
)


class Looked(Faulty):
    """A journal that is looked at after each call of some methods."""

    def __init__(self, stage: Stage, **looks: Callable[..., None]) -> None:
        """Call the look that has the name of a method with what that was called with."""
        super().__init__(stage.journal, 0, bool)
        self._looks = looks

    def __getattr__(self, name: str) -> Any:
        """Return a method of the journal."""
        method = super().__getattr__(name)
        if name not in self._looks:
            return method

        def call(*arguments: Any, **options: Any) -> Any:
            answer = method(*arguments, **options)
            self._looks[name](*arguments, **options)
            return answer

        return call


def busy(stage: Stage, **looks: Callable[..., None]) -> Any:
    """Perform a run of which many events and a signal come at once."""

    async def main() -> Any:
        handle = await stage.engine(Looked(stage, **looks)).start(BUSY, 1, run_id=RUN)
        handle.signal(WORD, 5)
        return await handle.result()

    outcome = stage.play(main)
    assert outcome == Succeeded((5, 20), RUN)
    stage.look()


@pytest.mark.parametrize("seed", range(10))
def test_a_letter_leaves_the_inbox_no_earlier_than_what_it_has_said_is_durable(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S38: or it would be lost with its process."""
    slowed(monkeypatch, seed, 1.0)
    monkeypatch.setattr(log, "MOST", 1)
    stage, taken = Stage(BUSY), list[int]()

    def look(*_: Any, **options: Any) -> None:
        taken.extend(options["taken"])
        if taken:
            assert any("SignalReceived" in record.text for record in stage.journal.read(RUN))

    busy(stage, append=look)
    assert taken == [1]


@pytest.mark.parametrize("seed", range(10))
def test_each_snapshot_is_where_its_log_leads(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """S36: also while the machine is ahead of the log."""
    slowed(monkeypatch, seed, 1.0)
    monkeypatch.setattr(log, "SNAPSHOT", 100)
    stage, plan = Stage(BUSY), BUSY.compile()
    saved: list[int] = []

    def look(_: Any, snapshot: Any) -> None:
        saved.append(snapshot.position)
        short, whole = (folded(plan, stage.journal, RUN, whole=whole) for whole in (False, True))
        assert (short.position, short.state) == (whole.position, whole.state)
        assert short.pending == whole.pending

    busy(stage, save=look)
    assert saved
