"""Signals from outside, and cleanups at the end (S21, S24)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from orchestration import Failed, LocalEngine, Retry, Signal, Succeeded, Workflow, step_context
from orchestration.errors import SignalRefused
from tests.runtime.support import GRACE, Gate, go, others, turns


@dataclass(frozen=True)
class Approval:
    """What is sent."""

    by: str
    level: int = 1


class Plain:
    """A class that pydantic does not know."""


@dataclass
class Holder:
    """What it has no schema for, because of its field."""

    plain: Plain


APPROVAL = Signal("approval", Approval)
NUMBER = Signal("number", int)


async def fail(n: object) -> int:
    """Fail."""
    raise ValueError


def waiting() -> Workflow[int, tuple[int, Approval]]:
    """Return a workflow that waits for an approval."""
    return Workflow[int]("flow").wait_for(APPROVAL, lambda n, approval: (n, approval))


def test_a_signal_reaches_the_step_that_waits_for_it() -> None:
    """S21: now or, sent early, when it is waited for; the payload is validated to its type."""

    async def main() -> None:
        handle = await LocalEngine().start(waiting(), 1)
        await turns()
        handle.signal(APPROVAL, Approval("me"))
        assert (await handle.result()) == Succeeded((1, Approval("me")), handle.run_id)
        gate = Gate()
        flow = Workflow[int]("flow").step(gate).wait_for(NUMBER)
        early = await LocalEngine().start(flow, 1)
        await gate.begun.wait()
        early.signal(NUMBER, "7")  # type: ignore[misc]  # data from elsewhere
        gate.opened.set()
        assert (await early.result()) == Succeeded(7, early.run_id)

    go(main)


def test_a_signal_of_the_same_id_counts_once_and_others_are_left_over() -> None:
    """S21: what nobody took is named in the outcome; without an id each is a new one."""

    async def main() -> None:
        gate = Gate()
        flow = Workflow[int]("flow").wait_for(NUMBER).step(gate).wait_for(NUMBER, name="again")
        handle = await LocalEngine().start(flow, 1)
        await turns()
        for payload in (1, 2):
            handle.signal(NUMBER, payload, signal_id="same")
        await gate.begun.wait()
        handle.signal(NUMBER, 3)
        handle.signal(NUMBER, 4, signal_id="late")
        gate.opened.set()
        outcome = await handle.result()
        assert outcome == Succeeded(3, handle.run_id, unused_signals=("number:late",))

    go(main)


def test_a_signal_that_the_run_cannot_take_is_refused() -> None:
    """S21: the error names what was sent, what is waited for, and the mend; the run goes on."""

    async def main() -> None:
        handle = await LocalEngine().start(waiting(), 1)
        refused: list[tuple[Signal[Any], Any, str]] = [
            (NUMBER, 1, "flow: found the signal 'number', which no step waits for; expected one of 'approval'. "),
            (Signal("approval", int), 1, "flow: found the signal 'approval' of int; expected 'approval' of "),
            (APPROVAL, {"level": 1}, "flow: the signal 'approval': found by: Field required; expected "),
        ]
        for signal, payload, message in refused:
            with pytest.raises(SignalRefused) as caught:
                handle.signal(signal, payload)
            assert str(caught.value).startswith(message)
        handle.signal(APPROVAL, Approval("me"))
        await handle.result()
        with pytest.raises(SignalRefused, match="found the signal 'approval' to a run that is over; "):
            handle.signal(APPROVAL, Approval("me"))

    go(main)


def test_a_signal_after_a_cancel_is_refused() -> None:
    """S21: also while the run still unwinds; a workflow that waits for none takes none."""

    async def main() -> None:
        undoing = Gate()
        flow = Workflow[int]("flow").step(lambda n: n, run_in="loop").compensate(undoing).wait_for(NUMBER)
        handle = await LocalEngine().start(flow, 1)
        await turns()
        handle.cancel("enough")
        await undoing.begun.wait()
        with pytest.raises(SignalRefused, match="to a run that was cancelled"):
            handle.signal(NUMBER, 1)
        undoing.opened.set()
        await handle.result()
        gate = Gate()
        handle = await LocalEngine().start(Workflow[int]("flow").step(gate), 1)
        with pytest.raises(SignalRefused, match="expected no signal at all"):
            handle.signal(NUMBER, 1)
        gate.opened.set()
        await handle.result()

    go(main)


def test_a_payload_of_a_type_that_pydantic_does_not_know_is_taken_as_it_is() -> None:
    """S21: there is nothing to check it by."""

    async def main() -> None:
        signal = Signal("odd", Holder)
        handle = await LocalEngine().start(Workflow[int]("flow").wait_for(signal), 1)
        payload = Holder(Plain())
        handle.signal(signal, payload)
        assert (await handle.result()) == Succeeded(payload, handle.run_id)

    go(main)


def test_a_cleanup_runs_once_when_its_scope_has_ended() -> None:
    """S5, S21: in any way; it has a key of its own, and sees no deadline but its timeout."""
    seen: list[object] = []

    async def clean(n: int) -> None:
        here = step_context()
        assert here.deadline is not None
        seen.append((n, here.path, here.idempotency_key))

    async def main() -> None:
        flow = Workflow[int]("flow").cleanup(clean)
        assert (await LocalEngine().execute(flow.pure(lambda n: n + 1), 1, run_id="r")).ok
        assert not (await LocalEngine().execute(flow.step(fail), 2, run_id="r", deadline=60)).ok
        gate = Gate()
        handle = await LocalEngine().start(flow.step(gate), 3, run_id="r")
        await gate.begun.wait()
        handle.cancel()
        await handle.result()

    go(main)
    assert seen == [(n, "flow/clean", "r:flow/clean:cleanup") for n in (1, 2, 3)]


def test_a_cleanup_that_fails_takes_too_long_or_never_ends_is_told() -> None:
    """S24: the value stays; a cleanup that never ends is named as leaked."""

    async def slow(n: int) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        free = asyncio.Event()

        async def stubborn(n: int) -> None:
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    continue

        once = Retry(max_attempts=1)
        for body, kind, leaked in (
            (fail, "ValueError", ()),
            (slow, "TimeoutError", ()),
            (stubborn, "TimeoutError", ("flow/stubborn:cleanup#1",)),
        ):
            flow = Workflow[int]("flow").cleanup(body, retry=once, timeout=0.01)
            outcome = await LocalEngine(grace=GRACE).execute(flow, 1)
            assert isinstance(outcome, Succeeded)
            assert [failure.kind for failure in outcome.cleanup_failures] == [kind]
            assert outcome.leaked == leaked
        free.set()
        await asyncio.wait(others())

    go(main)


def test_a_failed_run_cleans_up_after_it_has_unwound() -> None:
    """S21, S28: the cleanup comes last, with the value that was there."""
    seen: list[object] = []

    async def main() -> None:
        flow = Workflow[int]("flow").step(lambda n: n + 1).compensate(lambda n: seen.append(("undo", n)))
        flow = flow.cleanup(lambda n: seen.append(("clean", n)))
        assert isinstance(await LocalEngine().execute(flow.step(fail), 1), Failed)

    go(main)
    assert seen == [("undo", 2), ("clean", 2)]
