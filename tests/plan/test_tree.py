"""Paths in a plan and in its runs (S4)."""

from __future__ import annotations

import pytest

from orchestration.plan.tree import static_path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("audit/parse[3]/read", "audit/parse[]/read"),
        ("audit/parse[3]/line[12]", "audit/parse[]/line[]"),
        ("checkout/sub#2/reserve", "checkout/sub/reserve"),
        ("checkout/sub#2/parse[3]#4/read", "checkout/sub/parse[]/read"),
        ("checkout/reserve", "checkout/reserve"),
    ],
)
def test_the_path_in_the_plan_has_no_numbers_of_items_and_attempts(path: str, expected: str) -> None:
    """S4: what was said of a step holds for it in each item and each attempt."""
    assert static_path(path) == expected
