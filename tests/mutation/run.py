"""Try mutants, each in a process of its own: `python -m tests.mutation.run`, with an `Order` as JSON on its input.

The process has imported the library and collected the tests; for each mutant it forks, and the child replaces one
function and tries tests. What is not in a function begins afresh in another process, and so does what survives but had
run before the fork, because something may have kept what it gave.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.mutation.mutants import Mutant, mutants_of, named
from tests.mutation.survey import MUTATED, Survey, files, survey
from tests.mutation.trial import BROKEN, OPTIONS, Job, Profile, Trial, held_functions, limited, replace_function

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FunctionType

PACKAGE = Path("orchestration").resolve()
WIDER = 4  # how many times the budget for what runs at import: no line of a test's own leads to it
FRESH = 15.0  # seconds that a process may take to begin afresh, and to collect tests
SLACK = 5  # how many times the tests' own time all of them together may take by the clock, however loaded


ENDS = {
    0: "survived",
    pytest.ExitCode.NO_TESTS_COLLECTED: "survived",
    -signal.SIGPROF: "timed out",
    -signal.SIGALRM: "timed out",
}


class Order(NamedTuple):
    """What is to be tried: how many mutants (none for all) by which seed, those known, and with what."""

    number: int | None
    seed: int
    known: list[str]
    only: list[str]  # texts of which a mutant's name has one; none for all
    without: list[str]  # tests whose name has one of these are left out
    budget: float
    processes: int
    cache: str
    answer: str


class Fate(NamedTuple):
    """What became of a mutant: `killed`, `survived` or `timed out`, with the test that found it."""

    name: str
    module: str
    line: int
    diff: str
    end: str
    by: str
    afresh: bool
    tests: int


class Under(NamedTuple):
    """A trial under way."""

    name: str
    notes: Path
    seconds: Mapping[str, float]
    afresh: bool
    until: float


def all_mutants(left_out: Mapping[str, frozenset[int]]) -> tuple[dict[str, Mutant], dict[str, str]]:
    """Return all mutants by name, and the modules' texts."""
    mutants: dict[str, Mutant] = {}
    sources: dict[str, str] = {}
    for path in sorted(path for folder in MUTATED for path in (PACKAGE / folder).rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        sources[module] = path.read_text(encoding="utf-8")
        mutants |= named(mutants_of(module, sources[module], left_out.get(module, frozenset())), sources[module])
    return mutants, sources


def sampled(names: Iterable[str], order: Order) -> list[str]:
    """Return the names to try: a sample by the seed, and all that are known."""
    allowed = [name for name in names if not order.only or any(text in name for text in order.only)]
    number = len(allowed) if order.number is None else min(order.number, len(allowed))
    chosen = set(random.Random(order.seed).sample(allowed, number))  # noqa: S311 - a sample, no secret
    known = set(order.known)
    return [name for name in allowed if name in chosen or name in known]


class Tries:
    """The plugin that, instead of running the tests, tries all mutants by them."""

    def __init__(self, order: Order, seen: Survey, names: list[str], mutants: Mapping[str, Mutant]) -> None:
        """Try these mutants."""
        self.order = order
        self.seen = seen
        self.names = names
        self.mutants = mutants
        self.sources: Mapping[str, str] = {}
        self.fates: list[Fate] = []
        self.under: dict[int, Under] = {}
        self.items: dict[str, pytest.Item] = {}
        self.held: dict[tuple[str, str, int], list[FunctionType]] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="mutation-"))

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try all, some at a time."""
        if session.testsfailed:
            raise session.Failed("the tests cannot be collected")
        self.items = {item.nodeid: item for item in session.items}
        gc.collect()
        self.held = held_functions()
        gc.freeze()  # what is shared with the children is not written to by their collector
        for name in self.names:
            while len(self.under) >= self.order.processes:
                self.one_ended()
            self.begin(name, afresh=self.mutants[name].function is None)
        while self.under:
            self.one_ended()
        return True

    def begin(self, name: str, *, afresh: bool) -> None:
        """Fork a process that tries a mutant."""
        mutant = self.mutants[name]
        lines = range(mutant.lines[0], max(mutant.lines[1], mutant.line) + 1)
        if mutant.function is None:
            seconds = self.seen.paced(self.seen.seconds, WIDER * self.order.budget)
        else:
            seconds = self.seen.chosen(mutant.module, lines, self.order.budget)
        seconds = {name: took for name, took in seconds.items() if not any(one in name for one in self.order.without)}
        notes = self.folder / f"{len(self.fates)}-{len(self.under)}-{time.monotonic_ns()}"
        child = os.fork()
        if not child:
            self.child(mutant, seconds, notes, afresh=afresh)
        until = time.monotonic() + FRESH + SLACK * WIDER * self.order.budget
        self.under[child] = Under(name, notes, seconds, afresh, until)

    def child(self, mutant: Mutant, seconds: dict[str, float], notes: Path, *, afresh: bool) -> None:
        """Try a mutant in this process, which ends with it."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        source = self.sources[mutant.module]
        path, mutated = PACKAGE / mutant.module, mutant.applied_to(source)
        module = "orchestration." + mutant.module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        try:
            number = None if afresh else mutant.function
            if number is not None and replace_function(self.held, path, source, mutated, number):
                limited()
                self.try_all(seconds, notes)
                os._exit(0)
            job = notes.with_suffix(".json")
            job.write_text(json.dumps(Job(module, str(path), mutated, seconds, str(notes))._asdict()), encoding="utf-8")
            os.execv(sys.executable, [sys.executable, "-m", "tests.mutation.fresh", str(job)])  # noqa: S606 - itself
        except BaseException as error:  # noqa: BLE001 - whatever it is: no child may go on as its parent
            notes.write_text(repr(error), encoding="utf-8")
            os._exit(BROKEN)

    def try_all(self, seconds: Mapping[str, float], notes: Path) -> None:
        """Run the tests in this process."""
        items = [self.items[name] for name in seconds]
        if not items:
            return
        items[0].config.pluginmanager.register(Trial(seconds, notes))
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def one_ended(self) -> None:
        """Wait for a child that has ended, and note what became of its mutant."""
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            for overdue in [child for child, under in self.under.items() if time.monotonic() > under.until]:
                os.kill(overdue, signal.SIGALRM)
            time.sleep(0.005)
            return
        under = self.under.pop(child)
        mutant = self.mutants[under.name]
        code = os.waitstatus_to_exitcode(status)
        if code in (BROKEN, pytest.ExitCode.TESTS_FAILED):  # of a test that fails another code tells
            raise RuntimeError(f"{under.name} could not be tried: {under.notes.read_text(encoding='utf-8')}")
        end = ENDS.get(code, "killed")
        lines = range(mutant.lines[0], max(mutant.lines[1], mutant.line) + 1)
        if end == "survived" and not under.afresh and self.seen.before_all(mutant.module, lines):
            self.begin(under.name, afresh=True)
            return
        by = under.notes.read_text(encoding="utf-8") if under.notes.exists() else f"exit code {code}"
        diff = mutant.diff(self.sources[mutant.module])
        by = "" if end == "survived" else by
        fate = Fate(under.name, mutant.module, mutant.line, diff, end, by, under.afresh, len(under.seconds))
        self.fates.append(fate)
        if len(self.fates) % 50 == 0 or end == "survived":
            sys.stderr.write(f"{len(self.fates)} of {len(self.names)}: {end}: {under.name}\n")
            sys.stderr.flush()


def main() -> int:
    """Try what the order says, and write down what became of each."""
    told: dict[str, Any] = json.load(sys.stdin)
    order = Order(**told)
    seen = survey(Path(order.cache))
    mutants, sources = all_mutants(seen.left_out)
    names = sampled(mutants, order)
    tries = Tries(order, seen, names, mutants)
    tries.sources = sources
    code = pytest.main([*OPTIONS, *files()], plugins=[tries, Profile()])
    answer = {
        "fates": [fate._asdict() for fate in tries.fates],
        "all": len(mutants),
        "sample": sampled(mutants, order._replace(known=[])),
        "vanished": sorted(set(order.known) - set(mutants)),
    }
    Path(order.answer).write_text(json.dumps(answer), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
