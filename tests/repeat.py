"""Repeat the fast tests in random order, up to the first failure: `python -m tests.repeat`.

REPETITIONS says how often (50), REPEAT_SEED from which seed on (a new one each time). A repetition is one process, so
that its order, and what Hypothesis draws, follow from its seed alone; as many run at a time as there are cores.
As a plugin of pytest, `-p tests.repeat --order=SEED`, it shuffles whatever tests are asked for.
"""

from __future__ import annotations

import hashlib
import os
import random
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

ROOT = Path(__file__).parents[1]
LEFT_OUT = (  # what takes long, or starts processes: it runs once with every change
    "tests/cli",
    "tests/docs",
    "tests/durable/crash",
    "tests/examples",
    "tests/interpreter/test_random_plans.py",
    "tests/model",
    "tests/mutation",
    "tests/nesting",
    "tests/plan/test_document.py",
    "tests/render/test_browser.py",
    "tests/sabotage",
    "tests/temporal",
    "tests/testing",
    "tests/typed",
    "tests/typing",
)
OPTIONS = ("-q", "-x", "-p", "tests.repeat", *(f"--ignore={path}" for path in LEFT_OUT))
FIRST_TELLS = 5_000  # characters at the end of what the first failure has said


class Ended(NamedTuple):
    """A repetition that has ended: by which seed, how, and what it said."""

    seed: int
    code: int
    said: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that gives the seed."""
    parser.addoption("--order", metavar="SEED", type=int, help="run the tests in the random order of this seed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle all tests among each other: a test's place follows from the seed and its name, in every process."""
    seed = config.getoption("--order")
    if seed is not None:
        items.sort(key=lambda item: place(seed, item.nodeid))


def place(seed: int, name: str) -> bytes:
    """Return where a test stands in the order of a seed."""
    return hashlib.sha256(f"{seed} {name}".encode()).digest()


def command_of(seed: int) -> list[str]:
    """Return what runs a repetition, for a process and for whoever wants to see it again."""
    return ["python", "-m", "pytest", *OPTIONS, f"--order={seed}", f"--hypothesis-seed={seed}"]


class Repetitions:
    """Repetitions under way, which end together when one fails."""

    def __init__(self) -> None:
        """Begin with none."""
        self.running: dict[int, subprocess.Popen[str]] = {}
        self.stopped = False

    def run(self, seed: int) -> Ended | None:
        """Run the tests in the order of a seed; not if another repetition has failed."""
        if self.stopped:
            return None
        command = [sys.executable, *command_of(seed)[1:], "-p", "no:cacheprovider"]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            self.running[seed] = process
            if self.stopped:  # while it began
                process.terminate()
            said, _ = process.communicate()
            del self.running[seed]
        return Ended(seed, process.returncode, said)

    def stop(self) -> None:
        """End those that run, and begin no other."""
        self.stopped = True
        for process in list(self.running.values()):
            process.terminate()

    def each(self, seeds: list[int], processes: int) -> Iterator[Ended]:
        """Yield those that have ended, as they end, up to the first that fails."""
        with ThreadPoolExecutor(processes) as pool:
            for future in as_completed([pool.submit(self.run, seed) for seed in seeds]):
                ended = future.result()
                if ended is None or self.stopped:
                    continue
                if ended.code:
                    self.stop()
                yield ended


def say(text: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Repeat; the exit code says whether all repetitions have passed."""
    number = int(os.environ.get("REPETITIONS", "50"))
    first = int(os.environ.get("REPEAT_SEED", random.randrange(1_000_000)))  # noqa: S311 - an order, no secret
    began = time.monotonic()
    for count, ended in enumerate(Repetitions().each(list(range(first, first + number)), os.cpu_count() or 1), start=1):
        if ended.code:
            again = shlex.join(command_of(ended.seed))
            say(ended.said[-FIRST_TELLS:])
            say(f"The order of seed {ended.seed} fails, after {count - 1} that passed. To see it again:\n{again}")
            return 1
        say(f"{count} of {number}: seed {ended.seed}: {ended.said.strip().rpartition(chr(10))[2]}")
    say(f"{number} repetitions in random order passed, in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
