"""What hooks may say and see (S31, S32, S33)."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration import Veto, gate, observer
from orchestration.plan.moments import REDACTED, StepBegan


@pytest.mark.parametrize("reason", [None, 5, b"no"], ids=repr)
def test_the_reason_of_a_veto_is_a_text(reason) -> None:
    """S31: it goes into a failure and a journal; what it is instead is refused where the gate makes it."""
    with pytest.raises(TypeError, match="reason"):
        Veto(reason)
    assert Veto("no").reason == "no"


def nothing(told: object) -> Any:
    """Have no objection."""


def test_a_hook_sees_no_secret_unless_it_is_asked_to() -> None:
    """S33: values are redacted by default, for gates and observers alike."""
    for hook in (gate(nothing), observer(nothing)):
        assert hook.expose is False
    for hook in (gate(nothing, expose=True), observer(nothing, expose=True)):
        assert hook.expose is True


def test_a_moment_hides_its_value_unless_it_is_given_one() -> None:
    """S33: what is not told of is hidden, and not nothing."""
    assert StepBegan("run", "flow/step", 0.0, "run:flow/step").value is REDACTED
