"""The list of defects still fits the library, and the documentation shows what finds them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import orchestration
from tests.sabotage.__main__ import DAYS, chosen_by
from tests.sabotage.defects import DEFECTS, Defect
from tests.sabotage.find import Found
from tests.sabotage.table import HEAD, PAGE, rows_of, with_rows

PACKAGE = Path(orchestration.__file__).parent
LEAST = 30


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_still_applies(defect: Defect) -> None:
    """Its text stands in its module once, and with the defect that is another module, and still Python."""
    source = (PACKAGE / defect.module).read_text(encoding="utf-8")
    damaged = defect.applied_to(source)
    assert ast.dump(ast.parse(damaged)) != ast.dump(ast.parse(source))
    compile(damaged, defect.module, "exec")


def test_a_defect_whose_text_is_gone_is_refused() -> None:
    """A row can hit nothing but what it means: no other place, and no second one."""
    lost = Defect("lost", "S1", "frozen.py", "not there", "")
    for source in ("", "not there, not there"):
        with pytest.raises(ValueError, match="expected once"):
            lost.applied_to(source)


def test_there_are_enough_defects_and_each_has_a_name() -> None:
    """They are many, and no two are called the same or do the same."""
    assert len(DEFECTS) >= LEAST
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)
    assert len({(defect.module, defect.old, defect.new) for defect in DEFECTS}) == len(DEFECTS)
    assert {defect.module.partition("/")[0] for defect in DEFECTS} == {"interpreter", "runtime"}


def test_some_are_looked_at_each_day_and_all_in_time() -> None:
    """About a dozen defects a day, and after some days none is left out; names mean themselves."""
    days = [chosen_by(["--some"], today) for today in range(700_000, 700_000 + DAYS)]
    assert all(10 <= len(day) <= 15 for day in days)
    assert {defect.name for day in days for defect in day} == {defect.name for defect in DEFECTS}
    assert chosen_by(["--write"], 700_000) == list(DEFECTS)
    assert chosen_by([DEFECTS[3].name], 700_000) == [DEFECTS[3]]


def test_the_documentation_shows_each_defect_with_what_found_it() -> None:
    """The table has the rows of the list in its order, and none that nobody found."""
    rows = rows_of(PAGE.read_text(encoding="utf-8"))
    assert [row[:2] for row in rows] == [[defect.name, defect.rule] for defect in DEFECTS]
    assert all(len(row) == 4 and all(row) for row in rows)


def test_the_table_takes_the_place_of_the_one_before() -> None:
    """What stands around the table on the page stays as it is."""
    page = f"before\n\n{HEAD}| old | S1 | x | y |\n\nbehind\n"
    found = Found("explore", "chain", "settled_once", "a message", 1234)
    written = with_rows(page, DEFECTS[:1], [found])
    first = DEFECTS[0]
    assert rows_of(written) == [[first.name, first.rule, "`explore`, `chain`: `settled_once`", "1,234 states"]]
    assert written.startswith(f"before\n\n{HEAD}")
    assert written.endswith("\n\nbehind\n")
