"""Which tests reach which line, and how long each takes: measured once for a state of the sources.

`python -m tests.mutation.survey PART PARTS FOLDER` measures a part of the files; the others run beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import coverage
import pytest

from tests.mutation.trial import OPTIONS, Profile

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

MUTATED = ("plan", "interpreter")
TESTS = (  # what is pure, or on a clock of its own; `nesting` would find more, but takes as long as all these
    "plan/test_*.py",
    "interpreter/test_*.py",
    "dsl/test_*.py",
    "patterns/test_*.py",
    "golden/test_*.py",
    "model/test_*.py",
    "durable/test_records.py",
)
PARTS = 2


class Survey(NamedTuple):
    """What was measured: the seconds of each test, and by module and line which tests reach it.

    What was reached while modules were imported and tests collected is in the line's list as well, as an empty name.
    `left_out` are the lines by module that coverage leaves out.
    """

    seconds: dict[str, float]
    reached: dict[str, dict[int, list[str]]]
    left_out: dict[str, frozenset[int]]

    def chosen(self, module: str, lines: Iterable[int], budget: float) -> dict[str, float]:
        """Return the tests that reach some lines with their seconds, in an order that soon comes to different ones.

        What a test and its cases before have taken decides who is next, so that all come on at the same pace. Those for
        which the budget, in seconds, is spent are left out.
        """
        return self.paced({name for line in lines for name in self.reached[module].get(line, ())}, budget)

    def paced(self, among: Iterable[str], budget: float) -> dict[str, float]:
        """Return tests with their seconds, in that order."""
        names = self.seconds.keys() & set(among)
        taken: dict[str, float] = {}
        order: list[tuple[float, str]] = []
        for name in sorted(names, key=lambda name: (self.seconds[name], name)):
            test = name.partition("[")[0]
            taken[test] = taken.get(test, 0.0) + self.seconds[name]
            order.append((taken[test], name))
        chosen: dict[str, float] = {}
        for _, name in sorted(order):
            seconds = self.seconds[name]
            if seconds <= budget:
                chosen[name] = seconds
                budget -= seconds
        return chosen

    def before_all(self, module: str, lines: Iterable[int]) -> bool:
        """Tell whether some of the lines were reached before the first test began."""
        return any("" in self.reached[module].get(line, ()) for line in lines)


def spent() -> float:
    """Return the processor's seconds that this process and those it has waited for have taken: load does not matter."""
    return time.process_time() + sum(os.times()[2:4])


class Clock:
    """The plugin that measures tests, each as a context of its own."""

    def __init__(self, measured: coverage.Coverage) -> None:
        """Begin with no test."""
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []
        self.skipped: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Measure one."""
        self.measured.switch_context(item.nodeid)
        began = spent()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = round(spent() - began, 4)
            self.measured.switch_context("after")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which fail, and which are skipped: these can try nothing."""
        if report.failed:
            self.failed.append(report.nodeid)
        if report.skipped:
            self.skipped.append(report.nodeid)


def files() -> list[str]:
    """Return the files with tests."""
    return sorted(str(path) for pattern in TESTS for path in Path("tests").glob(pattern))


def measure(part: int, parts: int, folder: Path) -> int:
    """Run a part of the tests under coverage, and write down what it says."""
    measured = coverage.Coverage(
        data_file=str(folder / f"part{part}"), config_file=False, source_pkgs=["orchestration"]
    )
    measured.start()
    clock = Clock(measured)
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main([*OPTIONS, *files()[part::parts]], plugins=[clock, Profile()])
    measured.stop()
    measured.save()
    told = {"seconds": clock.seconds, "failed": clock.failed, "skipped": clock.skipped}
    (folder / f"part{part}.json").write_text(json.dumps(told), encoding="utf-8")
    return 0 if clock.seconds else int(code)


def digest() -> str:
    """Return what is the same for the same sources and tests."""
    text = hashlib.sha256(sys.version.encode())
    folders = {Path("tests"), *(Path(file).parent for file in files())}
    tests = [path for folder in folders for path in folder.glob("*.py")]
    for path in sorted([*Path("orchestration").rglob("*.py"), *tests]):
        text.update(str(path).encode() + path.read_bytes())
    return text.hexdigest()[:16]


def survey(cache: Path) -> Survey:
    """Measure, unless that was done for these sources.

    Raises:
        RuntimeError: if a test fails that is to try mutants.
    """
    folder = cache / digest()
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.mutation.survey"]
        running = [
            subprocess.Popen([*command, str(part), str(PARTS), str(folder)], stderr=(folder / f"{part}.txt").open("wb"))
            for part in range(PARTS)
        ]
        if any(one.wait() for one in running):
            raise RuntimeError(f"the tests cannot be measured: see {folder}")
        (folder / "done").touch()
    return read(folder)


def read(folder: Path) -> Survey:
    """Return what was measured.

    Raises:
        RuntimeError: if a test failed.
    """
    seconds: dict[str, float] = {}
    reached: dict[str, dict[int, list[str]]] = {}
    for part in range(PARTS):
        told = json.loads((folder / f"part{part}.json").read_text(encoding="utf-8"))
        if told["failed"]:
            raise RuntimeError(f"these fail without any mutant: {told['failed']}; see {folder}")
        seconds.update({name: took for name, took in told["seconds"].items() if name not in told["skipped"]})
        data = coverage.CoverageData(str(folder / f"part{part}"))
        data.read()
        for file in data.measured_files():
            module = module_of(file)
            if module.partition("/")[0] in MUTATED:
                lines = reached.setdefault(module, {})
                for line, names in data.contexts_by_lineno(file).items():
                    lines.setdefault(line, []).extend(names)
    analysed = coverage.Coverage(data_file=None, config_file="pyproject.toml")
    left_out = {
        module: frozenset(analysed.analysis2(os.path.join("orchestration", module))[2])  # noqa: PTH118 - a text
        for module in reached
    }
    return Survey(seconds, reached, left_out)


def module_of(file: str) -> str:
    """Return how a file of the library is called here."""
    return file.replace(os.sep, "/").rpartition("orchestration/")[2]


if __name__ == "__main__":
    sys.exit(measure(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
