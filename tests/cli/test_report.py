"""`graph` in its formats, `report`, and `--report` of the commands that run something."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from orchestration.cli.exits import Exit
from orchestration.render import raster
from orchestration.render.theme import DARK, LIGHT

if TYPE_CHECKING:
    from tests.cli.conftest import Command, Folder

ORDER = '{"id": "17", "lines": [1]}'


@pytest.mark.parametrize(
    ("form", "begins"), [("mermaid", "flowchart TD"), ("svg", "<svg "), ("html", "<!doctype html>"), ("json", "{")]
)
def test_a_plan_is_drawn_in_each_format(shop: Folder, command: Command, form: str, begins: str) -> None:
    """On stdout, or into a file."""
    assert command("graph", "shop.py:checkout", "--format", form).out.startswith(begins)
    assert command("graph", "shop.py:checkout", "--format", form, "--output", "plan.txt") == (0, "", "")
    assert (shop.path / "plan.txt").read_text(encoding="utf-8").startswith(begins)


class Renderer(ModuleType):
    """Stands for `resvg_py`."""

    def svg_to_bytes(self, svg_string: str, zoom: float = 1.0) -> bytes:
        """Return what was given."""
        return svg_string.encode()


def test_a_plan_is_drawn_as_png(shop: Folder, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a file or a pipe, in the light unless it is told otherwise; never onto a terminal."""
    raster._has_fonts.cache_clear()
    monkeypatch.setitem(sys.modules, "resvg_py", Renderer("resvg_py"))
    drawn = ("graph", "shop.py:checkout", "--format", "png")
    assert command(*drawn, "--output", "plan.png", "--theme", "dark").code == Exit.SUCCESS
    assert DARK.page in (shop.path / "plan.png").read_text(encoding="utf-8")
    assert LIGHT.text in command(*drawn).out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    told = command(*drawn)
    assert (told.code, told.out) == (Exit.USAGE, "")
    assert "found a terminal" in told.err
    raster._has_fonts.cache_clear()


def test_png_needs_the_extra(shop: Folder, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the command says how to get it."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    raster._has_fonts.cache_clear()
    told = command("graph", "shop.py:checkout", "--format", "png", "--output", "plan.png")
    assert told.code == Exit.USAGE
    assert "pip install 'orchestration[png]'" in told.err


def test_a_run_in_memory_has_a_report(shop: Folder, command: Command) -> None:
    """`--report` writes it, also of a run that fails; the exit code is that of the run."""
    ran = command("run", "shop.py:checkout", "--input", ORDER, "--report", "run.html", "--quiet")
    assert ran == (0, '"charge of 17"\n', ran.err)
    page = (shop.path / "run.html").read_text(encoding="utf-8")
    assert "All went well." in page
    assert "Values are hidden." in page
    failed = command("run", "shop.py:checkout", "--input", '{"id": "1"}', "--report", "run.html", "--values")
    assert failed.code == Exit.FAILED
    page = (shop.path / "run.html").read_text(encoding="utf-8")
    assert "<b>charge</b> failed with ValueError: nothing to charge." in page
    assert "KeyError" in page
    assert "Order(id=&#39;1&#39;" in page


def test_a_durable_run_has_a_report(shop: Folder, command: Command) -> None:
    """As it runs, and afterwards from the journal alone, without the code of its workflow."""
    kept = ("--journal", "runs.db")
    ran = command("run", "shop.py:checkout", "--input", ORDER, *kept, "--run-id", "r", "--report", "run.html")
    assert ran.code == 0
    (shop.path / "shop.py").rename(shop.path / "gone.py")
    assert command("report", "r", *kept, "--output", "again.html").code == 0
    again = (shop.path / "again.html").read_text(encoding="utf-8")
    assert again == (shop.path / "run.html").read_text(encoding="utf-8")
    with_values = command("report", "r", *kept, "--values").out
    assert "Order(id=&quot;17&quot;" in with_values
    assert "Order(id" not in again


def test_a_run_that_is_taken_up_again_has_a_report(claims: Folder, command: Command) -> None:
    """`resume` writes one as well."""
    kept = ("--journal", "runs.db")
    command("submit", "claims.py:paid", "--input", "1", *kept, "--run-id", "r")
    assert command("resume", "claims.py:paid", "r", *kept, "--report", "run.html", "--quiet").code == 0
    assert "All went well." in (claims.path / "run.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", ["nowhere/run.html", "."])
def test_a_report_without_a_place_is_refused_before_anything_runs(shop: Folder, command: Command, file: str) -> None:
    """With 2 nothing has been run."""
    for more in ((), ("--journal", "runs.db")):
        told = command("run", "shop.py:checkout", "--input", ORDER, "--report", file, *more)
        assert (told.code, told.out) == (Exit.USAGE, "")
        assert f"--report {file}: found" in told.err
    assert not (shop.path / "runs.db").exists()


def test_a_report_that_cannot_be_written_is_told(
    shop: Folder, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has happened: its result is printed, and the exit code says that something went wrong."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    for more in ((), ("--journal", "runs.db")):
        told = command("run", "shop.py:checkout", "--input", ORDER, "--report", "run.html", "--quiet", *more)
        assert (told.code, told.out) == (Exit.FAILED, '"charge of 17"\n')
        assert "error: run.html: [Errno 28] No space left on device" in told.err


def test_a_run_that_a_step_stops_has_a_report(claims: Folder, command: Command) -> None:
    """A `SystemExit` of a step ends the command, and the report tells what became of the run."""
    claims.write("quit", "now")
    told = command("run", "claims.py:paid", "--input", "1", "--report", "run.html", "--quiet")
    assert told.code == Exit.FAILED
    assert "cancelled" in (claims.path / "run.html").read_text(encoding="utf-8")
