"""What mutants there are, and that the list of survivors is one."""

from __future__ import annotations

import pytest

from tests.mutation.__main__ import LISTED, listed, table, wrong
from tests.mutation.mutants import functions_of, mutants_of, named
from tests.mutation.run import Fate, Order, sampled
from tests.mutation.survey import Survey
from tests.mutation.trial import held_functions, replace_function

CHANGES = {
    "a < b": {"a <= b", "None"},
    "a is not b": {"a is b", "None"},
    "a not in b": {"a in b", "None"},
    "a and b": {"a or b", "None"},
    "not a": {"a", "None"},
    "a + b": {"a - b", "None"},
    "min(a, b)": {"max(a, b)", "None"},
    "f(a, key=b)": {"f(a, )", "None"},
    "[one for one in a if b]": {"[one for one in a if (not (b))]", "None"},
    "a if b else 1": {"a if (not (b)) else 1", "a if b else 2", "None"},
    "lambda: a": {"lambda: None", "None"},
    "True": {"False"},
    "'word'": {"'wordXX'"},
    "'some prose'": set(),
    "f'{a} and {b}'": {"None"},
    "isinstance(a, int | str)": {"None"},
    "a.é < b": {"a.é <= b", "None"},
}
"""What takes the place of an expression that a function returns."""

STATEMENTS = {
    "f(a)": {"pass"},
    "a = f": {"a = None"},
    "a += b": {"a -= b"},
    "raise a": {"pass"},
    "if a:\n  pass": {"if (not (a)):\n  pass"},
    "if a == b:\n  pass": {"if a != b:\n  pass"},
    "while a:\n  break": {"while (not (a)):\n  break", "while a:\n  continue"},
    "match a:\n  case 1:\n   pass\n  case _:\n   pass": {
        "match a:\n  case 2:\n   pass\n  case _:\n   pass",
        "match a:\n  case 1 if False:\n   pass\n  case _:\n   pass",
    },
    "a: int | None = None": set(),
    "if TYPE_CHECKING:\n  f(a)": set(),
    '"""Say so."""': set(),
}


def changed(source: str) -> set[str]:
    """Return a module's mutants as texts."""
    return {mutant.applied_to(source) for mutant in mutants_of("plan/x.py", source, frozenset())}


@pytest.mark.parametrize("expression", CHANGES)
def test_what_takes_the_place_of_an_expression(expression: str) -> None:
    """Each operator is turned round, each constant is another; prose and classes to ask for stay."""
    source = f"def f(a, b):\n return {expression}\n"
    assert changed(source) == {f"def f(a, b):\n return {other}\n" for other in CHANGES[expression]}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_takes_the_place_of_a_statement(statement: str) -> None:
    """Calls are left out, conditions turned round, cases never come to; annotations stay."""
    source = f"def g(a, b):\n {statement.replace(chr(10), chr(10) + ' ')}\n"
    expected = {other.replace("\n", "\n ") for other in STATEMENTS[statement]}
    assert changed(source) == {f"def g(a, b):\n {other}\n" for other in expected}


def test_lines_that_coverage_leaves_out_have_no_mutants() -> None:
    """What no test can reach cannot be killed."""
    source = "def f(a):\n if a:\n  return 1\n raise AssertionError(a)\n"
    assert {mutant.line for mutant in mutants_of("x.py", source, frozenset({4}))} == {2, 3}


def test_a_name_stays_when_lines_move() -> None:
    """The list of survivors does not change with what stands above; the same change twice has a number."""
    source = "class A:\n def f(self):\n  g(1)\n  g(1)\n"
    names = list(named(mutants_of("x.py", source, frozenset()), source))
    assert names == list(named(mutants_of("x.py", f"\n\n{source}", frozenset()), f"\n\n{source}"))
    assert "x.py A.f: g(1) → pass" in names
    assert "x.py A.f: g(1) → g(2) #2" in names


HELD = """\
def f(a):
    return a < 1

def made(b):
    def inside(a):
        return a > b
    return inside

class A:
    def g(self):
        return 1

held = [f, made(1)]
"""


def test_a_function_is_replaced_wherever_it_is_held(tmp_path) -> None:
    """A registry that holds the function calls its mutant; so does one that holds what it has made before."""
    path = tmp_path / "module.py"
    space: dict = {}
    exec(compile(HELD, str(path), "exec"), space)  # noqa: S102 - a module of this test
    assert [code.co_name for code in functions_of(compile(HELD, "x", "exec"))] == ["f", "made", "g"]
    assert (space["held"][0](1), space["held"][1](1)) == (False, False)
    for mutant in mutants_of("module.py", HELD, frozenset()):
        if "=" in mutant.new:
            assert replace_function(held_functions(), path, HELD, mutant.applied_to(HELD), mutant.function)
            assert (space["held"][0](1), space["held"][1](1)) == (mutant.place == "f", mutant.place == "made.inside")
            assert replace_function(held_functions(), path, HELD, HELD, mutant.function)
    assert space["A"]().g() == 1


def test_a_function_that_was_made_before_and_is_gone_cannot_be_replaced(tmp_path) -> None:
    """Then another process has to begin with the mutant."""
    path = tmp_path / "module.py"
    space: dict = {}
    exec(compile(HELD, str(path), "exec"), space)  # noqa: S102 - a module of this test
    [gone] = [
        one for one in mutants_of("module.py", HELD, frozenset()) if one.place == "made.inside" and one.new == "None"
    ]
    without = HELD.replace("    def inside(a):\n        return a > b\n    return inside", "    return None")
    assert not replace_function(held_functions(), path, HELD, without, gone.function)
    assert not replace_function({}, path, HELD, gone.applied_to(HELD), gone.function)


def test_a_sample_is_the_same_for_the_same_seed_and_has_all_that_are_known() -> None:
    """The seed decides, and nothing else."""
    order = Order(3, 1, ["n9"], [], [], 1.0, 2, "", "")
    names = [f"n{number}" for number in range(10)]
    assert sampled(names, order) == sampled(names, order)
    assert "n9" in sampled(names, order)
    assert len({tuple(sampled(names, order._replace(seed=seed, known=[]))) for seed in range(20)}) > 10
    assert sampled(names, order._replace(number=None)) == names


def test_the_tests_that_reach_a_line_come_soon_to_different_ones() -> None:
    """All tests come on at the same pace, as long as the budget lasts: a slow case keeps no fast ones waiting."""
    seconds = {"a[1]": 0.1, "a[2]": 0.2, "b": 0.3, "slow": 9.0, "elsewhere": 0.1}
    seen = Survey(seconds, {"x.py": {1: ["a[1]", "a[2]", ""], 2: ["b", "slow"], 3: ["elsewhere"]}}, {})
    assert list(seen.chosen("x.py", [1, 2], 1.0)) == ["a[1]", "b", "a[2]"]
    assert list(seen.chosen("x.py", [1, 2], 20.0)) == ["a[1]", "b", "a[2]", "slow"]
    assert list(seen.chosen("x.py", [1, 2], 0.35)) == ["a[1]", "a[2]"]
    assert "elsewhere" in seen.paced(seen.seconds, 1.0)
    assert seen.before_all("x.py", [1])
    assert not seen.before_all("x.py", [2])


def fate(name: str, end: str) -> Fate:
    """Return what became of a mutant."""
    return Fate(name, "plan/x.py", 1, "", end, "a test", afresh=False, tests=1)


def test_the_list_and_the_aim_are_held() -> None:
    """Wrong are a listed survivor that is killed or gone, and too many survivors; a listed one still counts as one."""
    good = [fate(f"k{number}", "killed") for number in range(9)]
    assert wrong([*good, fate("s", "survived")], [*good, fate("s", "survived")], [], {"s": "why"}) == []
    assert "listed" in wrong(good, good, [], {"k1": "why"})[0]
    assert "not made" in wrong(good, good, ["gone"], {"gone": "why"})[0]
    assert "expected 90 %" in wrong([], [*good, fate("s", "survived"), fate("t", "survived")], [], {})[0]
    assert "| all | 2 | 1 | 0 | 1 | 50.0 % |" in table([good[0], fate("s", "survived")])


def test_each_listed_survivor_stands_once_and_has_a_reason() -> None:
    """Reasons are sentences."""
    text = LISTED.read_text(encoding="utf-8")
    assert all(text.count(f'"{name}"') + text.count(f"'{name}'") == 1 for name in listed())
    assert all(reason.endswith(".") for reason in listed().values())
