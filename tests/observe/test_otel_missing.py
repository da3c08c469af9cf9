"""Where OpenTelemetry is not installed."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest


def test_nothing_else_needs_it() -> None:
    """It is imported by the telemetry only: the rest of the library does without, logging and the command as well."""
    code = "import sys, orchestration.observe.logs, orchestration.cli; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_who_lacks_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in [name for name in sys.modules if name.startswith("orchestration.observe.otel")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match=r"pip install 'orchestration\[otel\]'") as raised:
        importlib.import_module("orchestration.observe.otel")
    assert raised.value.name == "opentelemetry"
