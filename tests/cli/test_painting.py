"""Results on a terminal: `runs` and `show` with the marks and colours of the live tree."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from orchestration.cli.paint import STANDINGS, style_of_event, style_of_standing

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder


@pytest.fixture
def journal(claims: Folder, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a journal with a run that has succeeded and one that is submitted."""
    monkeypatch.setenv("ORCHESTRATION_JOURNAL", "runs.db")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert command("submit", "claims.py:claim", "--input", "100", "--run-id", "one").code == 0
    assert command("run", "claims.py:paid", "--input", "100", "--run-id", "three", "--quiet").code == 0


@pytest.mark.usefixtures("journal")
def test_runs_in_colours(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal each run has a mark and a colour for where it stands; the columns stay below each other."""
    plain = command("runs").out
    assert "\x1b" not in plain
    assert "✓" not in plain
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    colourful = command("runs").out
    assert "\x1b[32m✓ succeeded\x1b[0m" in colourful
    assert "\x1b[2m· submitted\x1b[0m" in colourful
    lines = re.sub(r"\x1b\[\d+m", "", colourful).splitlines()
    assert len({line.index(word) for line, word in zip(lines, ("records", "1 ", "3 "), strict=True)}) == 1
    monkeypatch.setenv("NO_COLOR", "1")
    assert command("runs").out == plain


@pytest.mark.usefixtures("journal")
def test_show_in_colours(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the kinds of events are told apart by colour; without it `show` says the same."""
    plain = command("show", "three").out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    colourful = command("show", "three").out
    assert "\x1b[32mStepSucceeded attempt=1" in colourful
    assert "\x1b[1mevents\x1b[0m" in colourful
    assert re.sub(r"\x1b\[\d+m", "", colourful).replace("✓ ", "") == plain


def test_every_standing_and_trouble_has_a_colour() -> None:
    """Where a run stands is found with its mark and without; what went wrong is not shown as if it had not."""
    for word, (glyph, style) in STANDINGS.items():
        assert style_of_standing(f"{glyph} {word} for a signal") == style_of_standing(word) == style
    kinds = ("StepFailed", "UndoFailed", "StepSucceeded", "StepLost x", "CancelRequested", "Started")
    assert [style_of_event(kind) for kind in kinds] == ["red", "magenta", "green", "yellow", "yellow", ""]
