"""What an import loads: who defines workflows does not pay for an engine, and all names are there all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

import orchestration


def loaded_by(code: str) -> set[str]:
    """Return the parts of the library that a fresh process has loaded after `code`."""
    command = [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"]
    modules = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return {name.split(".")[1] for name in modules if name.startswith("orchestration.")}


def test_who_defines_a_workflow_loads_no_engine() -> None:
    """Neither what runs it, nor what it is written to."""
    code = "from orchestration import Workflow; Workflow[int]('flow').pure(abs).compile()"
    assert loaded_by(code).isdisjoint({"runtime", "interpreter", "journal"})
    assert "runtime" in loaded_by("from orchestration import LocalEngine")


@pytest.mark.parametrize("name", [name for name in orchestration.__all__ if name in orchestration._LATER])
def test_each_name_is_there(name: str) -> None:
    """It is found, and told of before it was asked for."""
    code = f"import sys, orchestration; assert {name!r} in dir(orchestration); assert orchestration.{name} is not None"
    subprocess.run([sys.executable, "-c", code], check=True)
