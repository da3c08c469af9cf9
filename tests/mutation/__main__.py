"""Change one thing in `plan` or `interpreter` at a time, and see whether a test fails: `python -m tests.mutation`.

MUTANTS says how many (500, by MUTATION_SEED; `all`). What follows as arguments restricts it to mutants whose name has
one of these texts (`interpreter/group.py`); `--without=TEXT` leaves out tests whose name has it, to see what they are
for. All happens in a copy. A survivor is shown as a diff unless `survivors.toml` has it, with the reason. It fails when
fewer than nine in ten are caught, and when one that is listed there is killed or not made any more.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from tests.mutation.run import Fate, Order

ROOT = Path(__file__).parents[2]
LISTED = Path(__file__).with_name("survivors.toml")
CACHE = ROOT / ".nox" / ".cache" / "mutation"
COPIED = ("orchestration", "tests", "examples", "docs", "pyproject.toml", "pytest_orchestration.py", "README.md")
NUMBER = "500"
SEED = "1"
SECONDS = "10"  # of tests, as the survey measures them, that a mutant has to survive
AIM = 90  # of a hundred that are killed


def listed() -> dict[str, str]:
    """Return the survivors that are known, each with the reason."""
    groups = tomllib.loads(LISTED.read_text(encoding="utf-8"))["because"]
    return {name: group["reason"] for group in groups for name in group["mutants"]}


def order_of(arguments: list[str], answer: Path) -> Order:
    """Return what is asked for, by the environment and the arguments."""
    without = [one.removeprefix("--without=") for one in arguments if one.startswith("--without=")]
    number = os.environ.get("MUTANTS", NUMBER)
    return Order(
        number=None if number == "all" else int(number),
        seed=int(os.environ.get("MUTATION_SEED", SEED)),
        known=list(listed()),
        only=[one for one in arguments if not one.startswith("--")],
        without=without,
        budget=float(os.environ.get("MUTATION_SECONDS", SECONDS)),
        processes=int(os.environ.get("MUTATION_PROCESSES", os.cpu_count() or 1)),
        cache=str(CACHE),
        answer=str(answer),
    )


def tried(order: Order, folder: Path) -> dict[str, Any]:
    """Try what is asked for in a copy of the project, and return the answer.

    Raises:
        RuntimeError: if that breaks off.
    """
    copy = folder / "copy"
    copy.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COVERAGE_CORE": "ctrace",  # the others know no contexts
        "CI": "1",
        "MODEL_EXAMPLES": "150",
    }
    command = [sys.executable, "-P", "-m", "tests.mutation.run"]
    told = json.dumps(order._asdict())
    ended = subprocess.run(
        command, cwd=copy, env=environment, input=told, text=True, stdout=subprocess.PIPE, check=False
    )
    if not Path(order.answer).exists():
        raise RuntimeError(f"the trials broke off\n{ended.stdout}")
    answer: dict[str, Any] = json.loads(Path(order.answer).read_text(encoding="utf-8"))
    return answer


def say(text: str) -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def row(name: str, fates: list[Fate]) -> str:
    """Return a row of the table."""
    ends = [sum(fate.end == end for fate in fates) for end in ("killed", "timed out", "survived")]
    caught = 100 * (len(fates) - ends[2]) / max(1, len(fates))
    return f"| {name} | {len(fates)} | {ends[0]} | {ends[1]} | {ends[2]} | {caught:.1f} % |"


def table(fates: list[Fate]) -> str:
    """Return what became of the mutants, by module."""
    modules = sorted({fate.module for fate in fates})
    rows = [row(f"`{module}`", [fate for fate in fates if fate.module == module]) for module in modules]
    head = "| module | mutants | killed | timed out | survived | caught |\n|---|---|---|---|---|---|"
    return "\n".join([head, *rows, row("all", fates)])


def wrong(fates: list[Fate], sample: list[Fate], vanished: list[str], known: dict[str, str]) -> list[str]:
    """Return what is wrong, a line each."""
    caught = 100 * sum(fate.end != "survived" for fate in sample) / max(1, len(sample))
    killed = [fate for fate in fates if fate.name in known and fate.end != "survived"]
    return [
        *(f"listed as a survivor, but {fate.end} by {fate.by}: {fate.name}" for fate in killed),
        *(f"listed as a survivor, but not made any more: {name}" for name in vanished),
        *([f"{caught:.1f} % are caught, expected {AIM} %"] if caught < AIM else []),
    ]


def main() -> int:
    """Try, and tell; the exit code says whether anything is wrong."""
    began = time.monotonic()
    known = listed()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        order = order_of(sys.argv[1:], folder / "answer.json")
        answer = tried(order, folder)
    fates = sorted((Fate(**fate) for fate in answer["fates"]), key=lambda fate: (fate.module, fate.line, fate.name))
    sample = [fate for fate in fates if fate.name in answer["sample"]]
    for fate in fates:
        if fate.end == "survived" and fate.name not in known:
            say(f"\n{fate.module}:{fate.line}: survived {fate.tests} tests: {fate.name}\n{fate.diff}")
    say(f"\n{table(sample)}\n")
    survived = [fate for fate in sample if fate.end == "survived"]
    judged = sum(fate.name in known for fate in survived)
    say(
        f"{len(sample)} of {answer['all']} mutants by seed {order.seed}: {len(survived)} survived, {judged} of them "
        f"listed with a reason; in {time.monotonic() - began:.0f} s"
    )
    problems = wrong(fates, sample, answer["vanished"], known)
    for problem in problems:
        say(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
