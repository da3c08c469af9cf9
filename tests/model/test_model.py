"""The interpreter against a model of the language, over random plans in random worlds."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings

from tests.model.draws import cases
from tests.model.drive import perform
from tests.model.model import foretell

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "600"))  # some take many more


@settings(max_examples=EXAMPLES)
@given(cases())
def test_a_run_comes_to_what_the_model_foretells(case) -> None:
    """S7-S28: outcome, value, failures, rollback, effects and their times are those of the rules."""
    differences = foretell(case).differences(perform(case))
    if differences:
        pytest.fail(f"{case}\n{differences}", pytrace=False)
