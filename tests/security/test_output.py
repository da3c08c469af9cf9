"""What is written for people: no control character or markup of somebody else's gets through (S33)."""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import LocalEngine, Workflow
from orchestration.cli import main
from orchestration.interpreter.engine import Turned, begin
from orchestration.interpreter.events import CancelRequested, Started
from orchestration.observe.lines import Lines

if TYPE_CHECKING:
    from pathlib import Path

ESCAPES = "\x1b]0;title\x07\x1b[2J\r\b\x7f\x9b31m\x85\u2028\u202egnp.exe\u2066"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

EVIL = r"""
    from orchestration import Signal, Workflow

    ESCAPES = "\x1b]0;title\x07\x1b[2J\r\b\x7f\x9b31m\x85\u2028\u202egnp.exe\u2066"


    async def say(n: int) -> list[str]:
        return [ESCAPES]


    async def fail(n: int) -> int:
        raise type(f"Error{ESCAPES}", (ValueError,), {})(f"{ESCAPES}\nrollback complete") from KeyError(ESCAPES)


    async def take_back(n: int) -> None:
        raise ValueError(ESCAPES)


    async def plus(n: int) -> int:
        return n + 1


    async def odd(n: int) -> int:
        return n


    odd.__name__ = f"odd{ESCAPES}"

    says = Workflow[int]("says").step(say)
    fails = Workflow[int]("fails").step(plus).compensate(take_back).step(fail)
    misnamed = Workflow[int]("misnamed").step(plus, name=ESCAPES)
    waits = Workflow[int]("waits").wait_for(Signal(ESCAPES, str))
    strange = Workflow[int]("strange").step(odd)
"""

COMMANDS: dict[str, tuple[int, list[str]]] = {
    "a result": (0, ["run", "evil.py:says", "--input", "1"]),
    "a failure": (1, ["run", "evil.py:fails", "--input", "1"]),
    "a traceback": (1, ["run", "evil.py:fails", "--input", "1", "--debug"]),
    "a wrong name": (2, ["check", "evil.py:misnamed"]),
    "a wrong signal": (2, ["check", "evil.py:waits"]),
    "a strange function": (0, ["check", "evil.py:strange"]),
    "a picture": (0, ["graph", "evil.py:strange"]),
    "a plan": (0, ["graph", "evil.py:strange", "--format", "json"]),
    "a reference": (2, ["run", f"evil.py:{ESCAPES}"]),
    "a file": (2, ["run", f"{ESCAPES}.py:flow"]),
    "a module": (2, ["check", f"{ESCAPES}:flow"]),
    "an input": (2, ["run", "evil.py:says", "--input", ESCAPES]),
    "an input's file": (2, ["run", "evil.py:says", "--input", f"@{ESCAPES}"]),
    "a run id": (2, ["run", "evil.py:says", "--input", "1", "--run-id", ESCAPES]),
    "services": (2, ["run", "evil.py:says", "--input", "1", "--services", ESCAPES]),
    "an option": (2, ["run", "evil.py:says", f"--{ESCAPES}"]),
}


@pytest.mark.parametrize(("code", "arguments"), COMMANDS.values(), ids=COMMANDS)
def test_no_escape_reaches_the_terminal(
    code: int, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """S33: neither on stdout nor on stderr, whoever wrote the text: a step, a name, an exception, an argument."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "evil.py").write_text(dedent(EVIL), encoding="utf-8")
    try:
        ended = main(arguments)
    except SystemExit as stop:  # argparse ends so
        ended = int(str(stop.code))
    finally:
        sys.modules.pop("evil", None)
    written = capsys.readouterr()
    assert ended == code
    assert written.out + written.err
    assert UNSAFE.findall(written.out + written.err) == []
    assert "\nrollback complete" not in written.err
    if arguments[1] == "evil.py:says" and code == 0:
        assert json.loads(written.out) == [ESCAPES]


def test_progress_is_escaped() -> None:
    """S28, S33: the reason of a cancel comes from whoever cancels."""
    written: list[str] = []
    view = Lines(written.append)
    plan = Workflow[int]("flow").step(lambda n: n).compile()
    turned = begin(plan, Started("flow", 0.0, f"run {ESCAPES}", 1))
    view.take(turned)
    cancel = CancelRequested("flow", 1.0, f"{ESCAPES}\nflow: 1 done")
    view.take(Turned(cancel, [], turned.state))
    assert len(written) == 2
    assert UNSAFE.findall("".join(written)) == []
    assert not any("\n" in line for line in written)


MARKUP = [
    '"]; click n1 "javascript:alert(1)"',
    "<img src=x onerror=alert(1)>",
    "`**a**`",
    "end\nn1 --> n2",
    "%%{init: {}}%%",
    "&lt;b&gt;",
]


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_in_a_picture_is_text(markup: str) -> None:
    """S33: a function may be called anything; in Mermaid and in the page around it that is no markup."""

    def odd(n: int) -> int:
        return n

    odd.__name__ = odd.__qualname__ = markup

    def plain(n: int) -> int:
        return n

    def drawn(test: Any) -> str:
        return Workflow[int]("flow").loop(plain, until=test, max_iterations=2).compile().to_mermaid()

    def test(_: int, __: int) -> bool:
        return True

    expected = drawn(test)
    test.__name__ = markup
    hostile = drawn(test)
    assert len(hostile.splitlines()) == len(expected.splitlines())
    assert not set("<>`%;&") & set(re.sub(r"#\d+;|-->", "", hostile))
    assert markup in html.unescape(hostile.replace("#", "&#"))


def test_what_a_step_prints_itself_is_its_own_affair(capsys: pytest.CaptureFixture[str]) -> None:
    """S33: the library escapes what it writes; the output of a step is not filtered (a stated non-guarantee)."""

    async def shout(n: int) -> int:
        print("\x1b[1m")  # noqa: T201 - that is the case
        return n

    assert asyncio.run(LocalEngine().execute(Workflow[int]("flow").step(shout), 1)).ok
    assert "\x1b" in capsys.readouterr().out
