"""What a step can ask about itself (S28)."""

from __future__ import annotations

from typing import cast

from orchestration.interpreter.effects import RunStep
from orchestration.plan.body import Body
from orchestration.plan.nodes import Step
from orchestration.runtime.context import ENDING, StepContext
from tests.bodies import increase


def context_of(*, cancelled: bool) -> StepContext:
    """Return the context of an attempt."""
    context = StepContext(RunStep("flow/increase", 1, Step("increase", Body.of(increase)), 1), "run")
    context._cancelled = cancelled
    return context


def test_a_token_that_is_asked_for_after_the_cancel_is_cancelled() -> None:
    """S28: a step in a thread may look only then."""
    assert context_of(cancelled=True).token.reason == ENDING


def test_an_attempt_has_one_token() -> None:
    """S28: whoever asks for it waits for the same."""
    context = context_of(cancelled=False)
    token = context.token
    assert not token.cancelled
    assert cast("object", context.token) is token
