"""How tests try a mutant: those that are chosen, in their order, up to the first that fails.

The process ends with `KILLED`, and has written which test it was. A test that takes far longer than without the mutant
is ended by the system, and the process with it.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.mutants import functions_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

KILLED = 33  # exit codes that neither Python nor pytest has: a test has failed …
BROKEN = 34  # … or trying it has
MEMORY = 3_000_000_000  # bytes that a process may take: a mutant may count without end
SLOWER = 20  # how many times as long a test may take, and some seconds more
SECONDS = 5
FIRST = (Phase.explicit, Phase.generate)  # the first example that fails will do


class Trial:
    """The plugin that tries the chosen tests, each with the seconds that it may take, and notes which one fails."""

    def __init__(self, seconds: Mapping[str, float], notes: Path) -> None:
        """Try these tests."""
        self.seconds = seconds
        self.notes = notes

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out, and go in the order that was asked for."""
        by_name = {item.nodeid: item for item in items}
        items[:] = [by_name[name] for name in self.seconds if name in by_name]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Give a test its time, on the clock of the processor: how much else goes on does not matter."""
        signal.setitimer(signal.ITIMER_PROF, SECONDS + SLOWER * self.seconds[item.nodeid])
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """End at the first test that fails, without ado: what it has left behind is of no interest."""
        if report.failed:
            self.notes.write_text(report.nodeid, encoding="utf-8")
            os._exit(KILLED)


def same_each_time() -> None:
    """Let Hypothesis try the same examples each time, and stop at the first that fails."""
    settings.register_profile(
        "mutation",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
        derandomize=True,
        database=None,
        phases=FIRST,
        report_multiple_bugs=False,
    )
    settings.load_profile("mutation")


def held_functions() -> dict[tuple[str, str, int], list[FunctionType]]:
    """Return all functions there are by file, name and first line: attrs and others make several of one."""
    held: dict[tuple[str, str, int], list[FunctionType]] = {}
    for function in gc.get_objects():
        if type(function) is FunctionType:
            held.setdefault(_place_of(function.__code__), []).append(function)
    return held


def _place_of(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_name, code.co_firstlineno


def replace_function(
    held: Mapping[tuple[str, str, int], list[FunctionType]], path: Path, source: str, mutated: str, number: int
) -> bool:
    """Give the functions that were made of one in a module the code of its mutant, if that can be done.

    What holds them holds them still: registries, other modules, classes that attrs made anew.
    """
    old = functions_of(compile(source, str(path), "exec", dont_inherit=True))[number]
    new = functions_of(compile(mutated, str(path), "exec", dont_inherit=True))[number]
    if not held.get(_place_of(old)):
        return False
    pairs = [(function, other) for code, other in _paired(old, new) for function in held.get(_place_of(code), ())]
    if any(other is None or function.__code__.co_freevars != other.co_freevars for function, other in pairs):
        return False
    for function, other in pairs:
        function.__code__ = cast("CodeType", other)
    return True


def _paired(old: CodeType, new: CodeType | None) -> Iterator[tuple[CodeType, CodeType | None]]:
    """Yield a function with its mutant, and the functions inside of it, which may have been made before."""
    yield old, new
    inside = [code for code in old.co_consts if isinstance(code, CodeType)]
    others = [code for code in (() if new is None else new.co_consts) if isinstance(code, CodeType)]
    for code, other in zip(inside, others if len(others) == len(inside) else [None] * len(inside), strict=True):
        yield from _paired(code, other)


class Instead(importlib.abc.MetaPathFinder):
    """Finds one module with another text than its file has."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        """Find this module."""
        self.name = name
        self.path = path
        self.source = source

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find it, and no other."""
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=Loader(name, str(self.path), self.source))


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from a text."""

    def __init__(self, name: str, path: str, source: str) -> None:
        """Load this text."""
        super().__init__(name, path)
        self.text = source

    def get_code(self, fullname: str) -> CodeType:
        """Compile the text; what is kept beside the file is not asked."""
        return compile(self.text, self.path, "exec", dont_inherit=True)


def limited() -> None:
    """Take no more memory than a test needs."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def afresh(module: str, path: Path, mutated: str, trial: Trial) -> int:
    """Import a mutant in a process that has imported nothing of the library, and try the tests."""
    assert not any(name.partition(".")[0] == "orchestration" for name in sys.modules), "it was imported before"
    limited()
    sys.meta_path.insert(0, Instead(module, path, mutated))
    files = dict.fromkeys(name.partition("::")[0] for name in trial.seconds)
    return pytest.main([*OPTIONS, *files], plugins=[trial, Profile()])


class Profile:
    """The plugin that sets Hypothesis up, after `conftest.py` has set it up and before the tests are read."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Set it up."""
        same_each_time()


OPTIONS = ("-q", "-s", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0", "-p", "no:xdist", "-o", "addopts=")
OPTIONS = (*OPTIONS, "--import-mode=importlib", "--no-header", "-W", "ignore::pytest.PytestAssertRewriteWarning")


class Job(NamedTuple):
    """What a process that begins afresh is told: as JSON, on its standard input."""

    module: str
    path: str
    mutated: str
    seconds: dict[str, float]
    notes: str
