"""The interpreter against a model of the language, over random plans in random worlds."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, given, settings

from tests.model.draws import cases
from tests.model.drive import perform
from tests.model.model import foretell

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "600"))  # some take many more
# shrinking a plan takes minutes: in CI the difference is told as it was found
PHASES = tuple(phase for phase in Phase if phase is not Phase.shrink or "CI" not in os.environ)


@settings(max_examples=EXAMPLES, phases=PHASES)
@given(cases())
def test_a_run_comes_to_what_the_model_foretells(case) -> None:
    """S7-S28: outcome, value, failures, rollback, effects and their times are those of the rules."""
    differences = foretell(case).differences(perform(case))
    if differences:
        pytest.fail(f"{case}\n{differences}", pytrace=False)
