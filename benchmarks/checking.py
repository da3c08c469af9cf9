"""What it costs a type checker to follow long workflows: time and memory of each, cold, at several sizes.

    python benchmarks/checking.py            the whole table, some minutes
    python benchmarks/checking.py --quick    the smallest sizes only

Times are the processor's, in seconds, of a fresh process without a cache, the least of several; memory is the most that
it held, in MB. The row `import` is a file that does nothing but import: what the others cost beside it is theirs. The
last column is what one more step or arm costs in the upper half of the largest size, against the lower half: about 1
where the cost grows in a straight line, 3 where it grows with the square.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK = "--quick" in sys.argv
REPEAT = 1 if QUICK else 2
NOISE = 0.1  # seconds; a difference below says nothing
CHECKERS = {
    "mypy": ("mypy", "--strict", "--cache-dir", os.devnull, "--python-executable", sys.executable),
    "pyright": ("pyright", "--pythonpath", sys.executable),
    "pyrefly": ("pyrefly", "check", "--python-interpreter-path", sys.executable),
    "ty": ("ty", "check", "--python", sys.prefix),
}
HEAD = """\
from orchestration import Workflow


class A: ...
class B: ...


async def forth(value: A) -> B: raise NotImplementedError
def back(value: B) -> A: raise NotImplementedError
def test(value: A) -> bool: raise NotImplementedError


start = Workflow[A]("long")
"""


def nothing(_: int) -> str:
    """Return a file without a workflow."""
    return ""


def named(calls: list[str]) -> str:
    """Return calls in a row, with a name for every 100: pyright reads at most 127 in one expression."""
    parts = ["".join(calls[at : at + 100]) for at in range(0, len(calls), 100)]
    return "\n".join(
        ["part0 = start", *(f"part{number + 1} = part{number}{part}" for number, part in enumerate(parts))]
    )


def chain(size: int) -> str:
    """Return a chain."""
    return named([".step(back)" if number % 2 else ".step(forth)" for number in range(size)])


def services(size: int) -> str:
    """Return a chain in which every step needs a service of its own."""
    kinds = "\n".join(
        f"class S{number}:\n    async def do(self, value: A) -> A: raise NotImplementedError" for number in range(size)
    )
    return f"{kinds}\n{named([f'.step(S{number}.do)' for number in range(size)])}"


def several(size: int) -> str:
    """Return as many types, and a function that gives each."""
    return "\n".join(
        f"class T{number}: ...\nasync def f{number}(value: A) -> T{number}: raise NotImplementedError"
        for number in range(size)
    )


def branch(size: int) -> str:
    """Return a branch, each arm of which gives another type."""
    arms = [f".when(test, f{number})" for number in range(size)]
    return f"{several(size)}\n{named(['.branch()', *arms, '.otherwise(forth)'])}"


def fork(size: int) -> str:
    """Return a fork, each body of which gives another type, joined by a function of all."""
    bodies = [f".fork(f{number})" for number in range(size)]
    taken = ", ".join(f"t{number}: T{number}" for number in range(size))
    joined = f"def joined({taken}) -> A: raise NotImplementedError"
    return f"{several(size)}\n{joined}\n{named([*bodies, '.join(joined)'])}"


SHAPES: dict[Callable[[int], str], tuple[int, ...]] = {
    nothing: (0,),
    chain: (200, 400, 800),
    services: (40, 80, 160),
    branch: (50, 100, 200),
    fork: (20, 40, 80),
}


def measured(command: tuple[str, ...], program: str, text: str) -> tuple[float, float]:
    """Return the processor's seconds and the MB that a checker needs for a file.

    Raises:
        RuntimeError: if it finds something wrong: it has not followed the workflow to its end.
    """
    with tempfile.TemporaryDirectory() as name, (Path(name) / "told.txt").open("w+") as told:
        (Path(name) / "long.py").write_text(text)
        begun = subprocess.Popen(  # noqa: S603 - one of the checkers
            [program, *command[1:], "long.py"], cwd=name, stdout=told, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(begun.pid, 0)
        begun.returncode = status
        if status != 0:
            told.seek(0)
            raise RuntimeError(f"{command[0]} finds fault with what is right:\n{told.read()[-2000:]}\n{text}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def least(command: tuple[str, ...], program: str, text: str) -> tuple[float, float]:
    """Return the least of several measures."""
    seconds, megabytes = zip(*(measured(command, program, text) for _ in range(REPEAT)), strict=True)
    return min(seconds), min(megabytes)


def main() -> None:
    """Measure and print."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    for name, command in CHECKERS.items():
        program = shutil.which(name, path=path)
        if program is None:
            print(f"{name} is not installed")
            continue
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - as above
        print(version.stdout.splitlines()[0])
        alone = 0.0
        for shape, sizes in SHAPES.items():
            found = [(size, *least(command, program, HEAD + shape(size))) for size in (sizes[:1] if QUICK else sizes)]
            if shape is nothing:
                alone = found[0][1]
            row = "   ".join(f"{size:>3}: {seconds:5.2f} s {megabytes:4.0f} MB" for size, seconds, megabytes in found)
            print(f"  {'import' if shape is nothing else shape.__name__:<10}{row}{growth(alone, found)}")


def growth(alone: float, found: list[tuple[int, float, float]]) -> str:
    """Return what one more costs in the upper half of the sizes, against the lower."""
    if len(found) < 2:  # noqa: PLR2004 - with one there is nothing to compare
        return ""
    (size, seconds, _), (largest, most, _) = found[-2:]
    lower, upper = (seconds - alone) / size, (most - seconds) / (largest - size)
    return "   -" if most - alone < NOISE else f"   {upper / max(lower, 1e-9):4.1f}"


if __name__ == "__main__":
    main()
