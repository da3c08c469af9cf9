"""What hooks may say (S31)."""

from __future__ import annotations

import pytest

from orchestration import Veto


@pytest.mark.parametrize("reason", [None, 5, b"no"], ids=repr)
def test_the_reason_of_a_veto_is_a_text(reason) -> None:
    """S31: it goes into a failure and a journal; what it is instead is refused where the gate makes it."""
    with pytest.raises(TypeError, match="reason"):
        Veto(reason)
    assert Veto("no").reason == "no"
