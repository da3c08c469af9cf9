"""Where Temporal's client is not installed."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.util import find_spec

import pytest

from orchestration.cli import main

MISSING = find_spec("temporalio") is None


@pytest.mark.skipif(MISSING, reason="the extra `temporal` is not installed: `python3 noxfile.py temporal` has it")
def test_the_engine_is_there() -> None:
    """The names of the engine are those of the page; where the extra is missing, this skip stands for all its tests."""
    temporal = importlib.import_module("orchestration.engines.temporal")
    assert temporal.__all__ == ["TemporalEngine", "TemporalHandle", "TemporalWorker", "connected", "replayed"]


def test_nothing_else_needs_it() -> None:
    """The client is imported by the engine only: the rest of the library does without, the command line as well."""
    code = "import sys, orchestration, orchestration.testing, orchestration.cli; sys.exit('temporalio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_who_lacks_it_is_told_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the extra, and so does the command."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in [name for name in sys.modules if name.startswith(("orchestration.engines", "orchestration.cli.temp"))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match=r"pip install 'orchestration\[temporal\]'") as raised:
        importlib.import_module("orchestration.engines.temporal")
    assert raised.value.name == "temporalio"
    assert main(["runs", "--temporal", "localhost:1"]) == 2
    assert "pip install 'orchestration[temporal]'" in capsys.readouterr().err
