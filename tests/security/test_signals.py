"""What a sender of signals can and cannot do (S21)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestration import LocalEngine, Signal, Workflow
from orchestration.errors import SignalRefused
from orchestration.outcomes import Succeeded

APPROVAL = Signal("approval", int)
WAITING = Workflow[str]("flow").wait_for(APPROVAL)


@pytest.mark.parametrize(
    ("signal", "payload"),
    [
        (APPROVAL, "\x1b[2Jyes"),
        (APPROVAL, {"$type": "builtins:int"}),
        (Signal("approval", str), "yes"),
        (Signal("aproval", int), 1),
        (Signal("flow/wait_for", int), 1),
        (Signal("", int), 1),
    ],
    ids=["a wrong value", "a stored form", "another type", "another name", "a path", "no name"],
)
def test_a_signal_that_the_run_does_not_wait_for_is_refused(signal: Signal[Any], payload: object) -> None:
    """S21: the payload is validated against the type of the signal; the run does not notice."""

    async def main() -> None:
        engine = LocalEngine[Any]()
        handle = await engine.start(WAITING, "x", run_id="r")
        with pytest.raises(SignalRefused):
            engine.signal("r", signal, payload)
        assert handle.state.outcome is None
        engine.signal("r", APPROVAL, 5)
        outcome = await handle.result()
        assert isinstance(outcome, Succeeded)
        assert outcome.value == 5

    asyncio.run(main())


def test_a_sender_reaches_only_runs_under_way_that_it_can_name() -> None:
    """S21: no run answers to a part of its id, and none after its end."""

    async def main() -> None:
        engine = LocalEngine[Any]()
        handle = await engine.start(WAITING, "x", run_id="run-1")
        for run_id in ("run-", "", "run-1 ", "*", "RUN-1"):
            with pytest.raises(SignalRefused):
                engine.signal(run_id, APPROVAL, 1)
        engine.signal("run-1", APPROVAL, 1)
        assert (await handle.result()).ok
        with pytest.raises(SignalRefused):
            engine.signal("run-1", APPROVAL, 1)

    asyncio.run(main())


def test_a_signal_that_is_sent_again_counts_once() -> None:
    """S21: a repeated message with the same id cannot serve a second waiter."""

    async def main() -> None:
        flow = Workflow[str]("flow").wait_for(APPROVAL).wait_for(APPROVAL, name="second")
        handle = await LocalEngine[Any]().start(flow, "x")
        for payload in (1, 2, 3):
            handle.signal(APPROVAL, payload, signal_id="same")
        await asyncio.sleep(0)
        assert handle.state.outcome is None
        handle.signal(APPROVAL, 4)
        outcome = await handle.result()
        assert isinstance(outcome, Succeeded)
        assert outcome.value == 4

    asyncio.run(main())
