"""Without a type checker: what `compile()` finds of the same mistakes (S6)."""

from __future__ import annotations

import re

import pytest

from tests.typed.compiled import Judged, judged

MISFIT = re.compile(r"expected [^;]*, which \w+ takes\.")


@pytest.fixture(scope="module")
def wrong() -> list[Judged]:
    """Return the mistakes of `typecheck/reject` that can be run alone."""
    return [case for case in judged("reject") if case.wrong]


def test_most_mistakes_are_found_before_anything_runs(wrong: list[Judged]) -> None:
    """S6: what annotations tell is compared; three of four mistakes need no type checker to be found."""
    assert len(wrong) > 200
    assert sum(case.found != "missed" for case in wrong) > 0.75 * len(wrong)


def test_a_misfit_is_told_with_both_types_and_where_they_come_from(wrong: list[Judged]) -> None:
    """S6: the message names the path, what was found and what was expected."""
    (case,) = [it for it in wrong if it.code == "start.step(receipt)"]
    assert case.found == "compiled"
    assert "checkout/receipt: found typecheck.shop:Order from the input of workflow 'checkout'; " in case.told
    assert "expected typecheck.shop:Charge, which receipt takes." in case.told


def test_what_the_checkers_accept_is_no_misfit() -> None:
    """S6: only a misfit is refused; where compile() is stricter than the checkers, it is not about what flows."""
    misfits = [case for case in judged("accept") if MISFIT.search(case.told)]
    # To a checker a function of two values is the method of a service: a limit of theirs, told in `limits.py`.
    assert {(case.file, "scaled" in case.code) for case in misfits} == {("accept/limits.py", True)}
