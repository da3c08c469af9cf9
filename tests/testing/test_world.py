"""What comes from outside of the steps: signals, streams, hooks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Signal, Veto, Workflow, gate, observer, step_context
from orchestration.errors import SignalRefused
from orchestration.failures import kind_name
from orchestration.plan.moments import Asked, Moment, StepEnded, WorkflowBegan, WorkflowEnded
from orchestration.runtime.context import NotInAStep
from orchestration.testing import FakeHandler, RealWait, Unanswered, WaitsForEver
from tests.bodies import Numbers, double, increase, pair_total
from tests.ids import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

APPROVAL = Signal("approval", int)
approved = Workflow[str]("approved").wait_for(APPROVAL, timeout=60)
patient = Workflow[str]("patient").wait_for(APPROVAL)

# --- signals


def test_a_signal_comes_when_it_is_sent() -> None:
    """S21: on the virtual clock, validated as a handle would."""
    trace = FakeHandler().send(APPROVAL, 7, at=30).run(approved, "please")
    assert (trace.value, trace.seconds) == (7, 30)
    wrong: Any = "seven"
    with pytest.raises(SignalRefused, match="valid integer"):
        FakeHandler().send(APPROVAL, wrong).run(approved, "please")


def test_a_signal_at_the_timeout_beats_it() -> None:
    """S21: and one after it does not."""
    assert FakeHandler().send(APPROVAL, 7, at=60).run(approved, "please").value == 7
    assert FakeHandler().send(APPROVAL, 7, at=61).run(approved, "please").failure.path == "approved/approval"


def test_signals_are_kept_in_their_order_and_what_nobody_takes_is_listed() -> None:
    """S21: each goes to one wait."""
    twice = Workflow[str]("twice").wait_for(APPROVAL).sleep(10).wait_for(APPROVAL)
    trace = FakeHandler().send(APPROVAL, 1).send(APPROVAL, 2).send(APPROVAL, 3).run(twice, "please")
    assert trace.value == 2
    assert trace.outcome.unused_signals == ("approval:signal-2",)
    assert "nobody took the signal approval:signal-2" in str(trace)


def test_a_signal_that_never_comes_is_named() -> None:
    """The test fails at once, and says which wait is in the way."""
    with pytest.raises(WaitsForEver, match=r"patient/approval waits for the signal 'approval': \.send\(\.\.\.\) one"):
        FakeHandler().run(patient, "please")


# --- streams


class Source:
    """A source that says when it is closed, and may break."""

    def __init__(self, broken: int = 99) -> None:
        """Be open."""
        self.broken = broken
        self.given = 0
        self.closed = 0

    def __next__(self) -> int:
        """Give the next number, up to five."""
        self.given += 1
        if self.given == self.broken:
            raise OSError(self.given)
        if self.given > 5:
            raise StopIteration
        return self.given

    def __iter__(self) -> Iterator[int]:
        """Be its own iterator."""
        return self

    def close(self) -> None:
        """Take note."""
        self.closed += 1


class Loudly(Source):
    """The same, asynchronous."""

    def __aiter__(self) -> AsyncIterator[int]:
        """Be its own iterator."""
        return self  # type: ignore[return-value]  # it is one

    async def __anext__(self) -> int:
        """Give the next number."""
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        """Take note."""
        self.close()


async def slow() -> AsyncIterator[int]:
    """Wait for the clock."""
    await asyncio.sleep(1)
    yield 1


streamed = Workflow[Any]("streamed").map(increase, concurrency=2)


@pytest.mark.parametrize("source", [Numbers(3), iter(range(3)), (n for n in range(3))], ids=shown)
def test_a_stream_is_pulled(source: Any) -> None:
    """S16: synchronous or not, as places come free."""
    trace = FakeHandler().on(increase, does=increase, takes=10).run(streamed, source)
    assert (trace.value, trace.seconds) == ([1, 2, 3], 20)
    assert "gave all items, 3 of them" in str(trace)


@pytest.mark.parametrize("kind", [Source, Loudly])
def test_a_stream_is_closed_at_its_end_after_a_failure_and_with_its_run(kind: type[Source]) -> None:
    """S29: nothing of the run is left open."""
    whole, broken, left, cancelled = kind(), kind(broken=3), kind(), kind()
    assert FakeHandler(real=True).run(streamed, whole).value == [2, 3, 4, 5, 6]
    failure = FakeHandler(real=True).run(streamed, broken).failure
    assert (failure.path, failure.kind) == ("streamed/increase", "OSError")
    FakeHandler().on(increase, OSError, takes=1).run(streamed, left)
    FakeHandler().on(increase, hangs=True).run(streamed, cancelled, cancel_at=1)
    assert [source.closed for source in (whole, broken, left, cancelled)] == [1, 1, 1, 1]


def test_a_stream_is_closed_also_when_the_test_fails() -> None:
    """S29: here for a step without an answer."""
    source = Source()
    with pytest.raises(Unanswered):
        FakeHandler().run(streamed, source)
    assert source.closed == 1


def test_a_pull_is_given_up_when_its_stream_is_closed() -> None:
    """S16: at the instant at which a place comes free, another item fails; nothing more is pulled."""
    source = Source()
    fake = FakeHandler().on("streamed/increase[0]", 1).on("streamed/increase[1]", OSError).on("streamed/increase[]", 1)
    assert fake.run(streamed, source).failure.kind == "OSError"
    assert source.given < 5


def test_a_source_that_is_spent_is_not_read_again() -> None:
    """S16: it would seem to be empty."""
    twice = Workflow[Any]("twice").fork(Workflow[Any]("a").map(increase)).fork(Workflow[Any]("b").map(increase))
    joined = twice.join(lambda *lists: lists)
    assert FakeHandler(real=True).run(joined, iter([1])).failure.kind == "orchestration.errors.SourceSpent"
    assert FakeHandler(real=True).run(joined, Numbers(1)).value == ([1], [1])


def test_a_source_that_waits_for_something_real_fails_the_test() -> None:
    """As a body that does."""
    with pytest.raises(RealWait):
        FakeHandler().on(increase, 1).run(streamed, slow())


# --- hooks


def test_a_gate_is_asked() -> None:
    """S31: a veto fails the step before its first attempt."""

    async def small(asked: Asked) -> Veto | None:
        return Veto("too large") if asked.value == 8 else None

    guarded = Workflow[int]("guarded", hooks=[gate(small, expose=True)]).step(increase)
    assert FakeHandler(real=True).run(guarded, 3).value == 4
    trace = FakeHandler().on(increase, 1).run(guarded, 8)
    assert trace.failure.kind == "orchestration.errors.Vetoed"
    assert not trace.ran(increase)
    assert "increase  refused: orchestration.errors.Vetoed" in str(trace)


def test_a_strict_observer_has_a_say() -> None:
    """S32: it fails the step when it fails itself."""

    def fussy(moment: Moment) -> None:
        if isinstance(moment, StepEnded):
            raise OSError("full")

    audited = Workflow[int]("audited").step(increase, hooks=[observer(fussy, at="step", strict=True)])
    assert FakeHandler(real=True).run(audited, 3).failure.kind == "orchestration.errors.GateFailed"


def test_observers_are_told_and_change_nothing() -> None:
    """S32: all moments in their order; what one raises is listed in the outcome."""
    told: list[str] = []

    async def tell(moment: Moment) -> None:
        told.append(type(moment).__name__)
        if isinstance(moment, WorkflowBegan):
            raise OSError("full")
        if isinstance(moment, WorkflowEnded):
            step_context()

    inner = Workflow[int]("inner", hooks=[observer(tell, at="workflow")]).step(increase)
    watched = Workflow[int]("watched", hooks=[observer(tell)]).step(inner)
    trace = FakeHandler(real=True).run(watched, 3)
    assert trace.value == 4
    assert told == [
        *("WorkflowBegan", "WorkflowBegan", "WorkflowBegan", "StepBegan", "AttemptBegan"),
        *("AttemptEnded", "StepEnded", "WorkflowEnded", "WorkflowEnded", "WorkflowEnded"),
    ]
    failed = [(hook.hook, hook.failure.kind) for hook in trace.outcome.hook_failures]
    assert failed == [("tell", "OSError")] * 3 + [("tell", kind_name(NotInAStep))] * 3
    assert "watched         tell failed: OSError: full" in str(trace)


def test_a_hook_that_waits_for_something_real_fails_the_test() -> None:
    """As a body that does."""

    async def slow_hook(asked: Asked) -> None:
        await asyncio.sleep(1)

    guarded = Workflow[int]("guarded").step(increase, hooks=[gate(slow_hook)])
    with pytest.raises(RealWait, match="slow_hook waits"):
        FakeHandler(real=True).run(guarded, 3)


def test_a_step_that_is_cancelled_while_its_hooks_are_asked_does_not_begin() -> None:
    """S31: the other arm has failed before; the answer does not matter any more."""
    guarded = Workflow[int]("guarded").step(double, hooks=[gate(lambda _: None)])
    forked = Workflow[int]("forked").fork(increase).fork(guarded).join(pair_total)
    trace = FakeHandler().on(increase, OSError).on(double, 1).on(pair_total, 1).run(forked, 3)
    assert trace.failure.path == "forked/fork/increase"
    assert not trace.ran(double)
