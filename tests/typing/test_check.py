"""The check of the type checkers notices each way in which one of them can judge a case otherwise than before."""

from __future__ import annotations

import pytest

from typecheck.cases import all_cases, cases_in, count
from typecheck.check import ACCEPTED, golden, misjudged, unexpected
from typecheck.checkers import CASES, MYPY, PYREFLY, PYRIGHT, TY, Said

REJECT = """\
start.step(receipt)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue]
start.step(
    reserve,
)
match outcome:
    case Failed():
        failed.value  # type: ignore[attr-defined]
    case _:
        pass
"""
ACCEPT = """\
assert_type(
    start,
    Workflow[Order],
)
contract: Workflow[Order] = start
"""
MISTAKES = """\
def priced(g):
    # 1. A mistake
    return g.node(
        price,
    )
"""


@pytest.fixture
def folder(tmp_path):
    """Make a folder of a few cases."""
    for file, text in {"reject/a.py": REJECT, "accept/b.py": ACCEPT, "messages/c.py": MISTAKES}.items():
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text(text)
    return tmp_path


def judged(folder, *said):
    """Return what is misjudged if a checker says only this."""
    return misjudged(all_cases(folder), [Said(*one, "wrong", "It is wrong.") for one in said])


RIGHT = (("reject/a.py", 1), ("reject/a.py", 7))


def test_the_cases_of_a_file_are_its_statements(folder):
    """A compound statement stands for its first lines; only what carries an ignore has to be refused."""
    found = [(case.first, case.last, case.refused) for case in cases_in(folder, "reject/a.py")]
    assert found == [(1, 1, True), (2, 4, False), (5, 5, False), (7, 7, True), (9, 9, False)]


def test_what_is_judged_rightly_is_not_listed(folder):
    """A checker that refuses just what it has to refuse misjudges nothing."""
    assert judged(folder, *RIGHT) == {}


def test_a_mistake_that_is_not_seen_is_listed(folder):
    """A checker that says nothing of a mistake accepts it."""
    assert judged(folder, RIGHT[1]) == {"reject/a.py": {"start.step(receipt)": ACCEPTED}}


def test_a_false_alarm_is_listed(folder):
    """Whatever line of a statement is complained of, it is the statement that is refused."""
    assert judged(folder, *RIGHT, ("accept/b.py", 3), ("reject/a.py", 3)) == {
        "accept/b.py": {"assert_type(start, Workflow[Order])": "refused, though right: wrong"},
        "reject/a.py": {"start.step(reserve)": "refused, though right: wrong"},
    }


def test_what_is_said_of_no_statement_is_listed(folder):
    """A complaint about a line that belongs to no case is not lost, nor one about a file that holds none."""
    assert judged(folder, *RIGHT, ("reject/a.py", 8), ("../orchestration/x.py", 3)) == {
        "../orchestration/x.py": {"line 3": "refused, though right: wrong"},
        "reject/a.py": {"line 8": "refused, though right: wrong"},
    }


def test_mistakes_whose_messages_are_golden_are_no_cases(folder):
    """What is said of `messages` and `display` is compared word for word, and is nowhere else an error."""
    of_a_message = Said("messages/c.py", 3, "wrong", "It is wrong.")
    assert unexpected([of_a_message, Said("reject/a.py", 2, "x", "It is.")]) == ["typecheck/reject/a.py:2: It is.  [x]"]
    assert misjudged(all_cases(folder), [*(Said(*one, "w", "") for one in RIGHT), of_a_message]) == {}


def test_golden_text_shows_the_mistake_and_all_that_is_said(folder):
    """A case has its title, its code without indent and every line of each checker; silence is shown as such."""
    said = {"mypy": [Said("messages/c.py", 4, "arg-type", "It is\n  wrong.")], "pyright": []}
    code = "return g.node(\n    price,\n)"
    said_of_it = "mypy:\n    It is\n      wrong.  [arg-type]\npyright:\n    (nothing)\n"
    assert golden(folder, "messages", said) == f"# 1. A mistake\n{code}\n{said_of_it}"


def test_reports_are_read():
    """Each checker's report is read: the file, the line, the code and all of the text."""
    of_mypy = (
        '{"file": "typecheck/a.py", "line": 3, "message": "M", "hint": "H", "code": "c", "severity": "error"}\n'
        '{"file": "typecheck/a.py", "line": 4, "message": "N", "hint": null, "code": "misc", "severity": "note"}'
    )
    assert list(MYPY.read(of_mypy)) == [Said("a.py", 3, "c", "M\nH"), Said("a.py", 4, "note", "N")]
    at = '"range": {"start": {"line": 2}}'
    path = CASES / "a.py"
    told = '"message": "M\xa0 x", "severity": "error", "rule": "r"'
    of_pyright = f'{{"generalDiagnostics": [{{"file": "{path}", {at}, {told}}}]}}'
    assert list(PYRIGHT.read(of_pyright)) == [Said("a.py", 3, "r", "M  x")]
    of_pyrefly = '{"errors": [{"path": "orchestration/x.py", "line": 3, "name": "n", "description": "M"}]}'
    assert list(PYREFLY.read(of_pyrefly)) == [Said("../orchestration/x.py", 3, "n", "M")]
    positions = '"positions": {"begin": {"line": 3}}'
    of_ty = f'[{{"check_name": "n", "description": "n: M", "location": {{"path": "typecheck/a.py", {positions}}}}}]'
    assert list(TY.read(of_ty)) == [Said("a.py", 3, "n", "M")]


def test_there_are_enough_cases():
    """What is promised of the number of cases holds: two hundred to accept, 120 to refuse, 25 messages."""
    counted = count(all_cases(CASES))
    titles = [line for line in (CASES / "messages" / "golden.txt").read_text().splitlines() if line.startswith("# ")]
    assert counted["accepted"] >= 200
    assert counted["refused"] >= 120
    assert len(titles) == len(set(titles)) >= 25
