"""The approvals example: each way that a claim may go, and the example as its reader runs it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import orchestration
from examples import approvals
from examples.approvals import ANSWER, Answer, Claim, Desk, Verdict, approval
from orchestration import Cancelled, Failed, Handle, LocalEngine, Outcome, Services, Succeeded
from orchestration.errors import SignalRefused
from orchestration.interpreter.events import StepSucceeded
from tests.docs.snippets import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

GRANTED = Answer(granted=True, by="Kim")
REFUSED = Answer(granted=False, by="Kim")


def decided(desk: Desk, meanwhile: Callable[[Handle[Verdict]], object], cents: int = 100) -> Outcome[Verdict]:
    """File a claim, do something `meanwhile`, and return how it ended."""

    async def file() -> Outcome[Verdict]:
        engine = LocalEngine(Services().bind(Desk).to(desk), validate="all")
        handle = await engine.start(approval, Claim("Ann", cents))
        meanwhile(handle)
        return await handle.result()

    return asyncio.run(file())


def test_a_claim_that_is_granted_is_paid() -> None:
    """S21: the answer was sent before anybody waited for it, and is kept until then."""
    desk = Desk(cents=1000)
    outcome = decided(desk, lambda handle: handle.signal(ANSWER, GRANTED))
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.value == Verdict("Ann gets 100 cents", paid=100)
    assert (desk.cents, desk.open) == (900, [])


def test_a_claim_that_is_refused_is_not_paid() -> None:
    """S13: the other answer takes the other arm."""
    desk = Desk(cents=1000)
    outcome = decided(desk, lambda handle: handle.signal(ANSWER, REFUSED))
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.value == Verdict("Ann gets nothing, says Kim")
    assert desk.cents == 1000


def test_nobody_is_asked_for_ever() -> None:
    """S17, S20: past the last reminder the loop fails, and the claim is set aside; its case is closed in any case."""
    desk = Desk(cents=1000)
    outcome = decided(desk, lambda handle: None)
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.value == Verdict("set aside: nobody answers")
    assert desk.log == ["an answer to Ann, please"] * approvals.REMINDERS + ["the case of Ann is closed"]


def test_a_payment_that_overdraws_the_box_is_taken_back() -> None:
    """S22: the payment is undone, and then the case closed."""
    desk = Desk(cents=10)
    outcome = decided(desk, lambda handle: handle.signal(ANSWER, GRANTED))
    assert isinstance(outcome, Failed)
    assert outcome.failure.message == "90 cents are missing"
    assert outcome.rollback.undone == ("approval/branch/payment/pay",)
    assert (desk.cents, desk.log[-1]) == (10, "the case of Ann is closed")


def test_a_claim_that_is_cancelled_has_its_case_closed() -> None:
    """S21, S28: a cancel ends the wait, and the cleanup runs; from then on no answer is taken."""
    desk = Desk()

    async def withdraw() -> Outcome[Verdict]:
        engine = LocalEngine(Services().bind(Desk).to(desk))
        handle = await engine.start(approval, Claim("Ann", 100))
        async for event in handle.events():
            if isinstance(event, StepSucceeded) and event.path == "approval/asking[0]/ask":
                handle.cancel("withdrawn")
                with pytest.raises(SignalRefused, match="was cancelled"):
                    handle.signal(ANSWER, GRANTED)
        return await handle.result()

    outcome = asyncio.run(withdraw())
    assert isinstance(outcome, Cancelled)
    assert outcome.reason == "withdrawn"
    assert desk.log[-1] == "the case of Ann is closed"


def test_the_example_runs_as_its_docstring_says() -> None:
    """S21: one is answered at once, one after a reminder, one never; what they print is this."""
    ended = subprocess.run(
        [sys.executable, "examples/approvals.py"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(Path(orchestration.__file__).parents[1])},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [
        "Ann gets 4200 cents",
        "Ben gets nothing, says Kim",
        "set aside: nobody answers",
        "95800 cents left, 0 cases open",
    ]


def test_the_plan_shows_what_it_waits_for() -> None:
    """S17, S21: the picture has the loop with its bound, the signal with its timeout, the recover and the cleanup."""
    picture = approval.compile().to_mermaid()
    for text in ("ask", "answer", "within 0.1 s", "3", "set_aside", "LoopLimitExceeded", "cleanup", "0.05 s"):
        assert text in picture, text
