"""The Temporal engine obeys the laws of engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestration.testing import ENGINE_LAWS

if TYPE_CHECKING:
    from orchestration.testing import Law
    from tests.temporal.servers import Server


@pytest.mark.parametrize("law", ENGINE_LAWS, ids=lambda law: law.name)
def test_the_temporal_engine_obeys(law: Law, real: Server) -> None:
    """S39: on Temporal a workflow does what it does here."""
    law.holds(real.engine)
