"""What only this library is measured for.

Compiling (W8), importing and what is installed for it (W9, of all contenders), steps that block or compute (W11),
durable runs and their resumes (W12, W13), and how fast the test kit looks (W14).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZES = (10, 100, 1_000, 10_000)
REPEAT = 5
BLOCKED, BLOCKS = 0.02, 40  # seconds, and how often
SPUN, SPINS = 300_000, 8  # turns of a loop, and how often
SIZE = """
import re, sys
from importlib.metadata import PackageNotFoundError, distribution
names, known, size = sys.argv[1:], set(), 0
for name in names:
    try:
        found = distribution(name)
    except PackageNotFoundError:  # for another machine or Python
        continue
    if found.metadata["Name"] not in known:
        known.add(found.metadata["Name"])
        files = [file.locate() for file in found.files if file.suffix != ".pyc"]
        size += sum(file.stat().st_size for file in files if file.exists())
        names += [re.match("[A-Za-z0-9._-]+", one)[0] for one in found.requires or () if "extra ==" not in one]
print(size)
"""
ROOT = Path(__file__).resolve().parents[1]
OURS = "orchestration"
BENEATH = {  # what this library imports, and as much of it as no engine is needed for
    "pydantic and attrs, of which pydantic loads most when it is used": "pydantic, attrs",
    "pydantic in use, attrs, asyncio": "pydantic.main, pydantic.type_adapter, attrs, asyncio",
    "orchestration, to define workflows": "orchestration",
}
IMPORT = "import time; a = time.process_time(); import {module}; print(time.process_time() - a)"


def importing(python: str, module: str) -> float:
    """Return the least of the processor's seconds that an import takes in a fresh process, modules being compiled."""
    command = [python, "-c", IMPORT.format(module=module)]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    runs = [subprocess.run(command, check=True, capture_output=True, text=True, env=variables) for _ in range(REPEAT)]  # noqa: S603 - our own command
    return min(float(run.stdout) for run in runs)


def installed(python: str, pins: Sequence[str]) -> int:
    """Return the bytes of distributions and all that they require, as they were installed, without compiled modules."""
    command = [python, "-c", SIZE, *(pin.partition("==")[0] for pin in pins or [OURS])]
    size = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - our own command
    if not pins:  # ours is a link to the sources
        size += sum(file.stat().st_size for file in (ROOT / OURS).rglob("*.py"))
    return size


def compiling() -> list[dict[str, float]]:
    """Return the seconds for building and for compiling chains."""
    from benchmarks.contenders.here import steps  # noqa: PLC0415 - what renders results needs no library

    rows = []
    for size in SIZES:
        built, compiled = [], []
        for _ in range(REPEAT):
            begun = time.process_time()
            flow = steps(size)
            between = time.process_time()
            flow.compile()
            built.append(between - begun)
            compiled.append(time.process_time() - between)
        rows.append({"size": size, "build": min(built), "compile": min(compiled)})
    return rows


def block(seconds: float) -> float:
    """Wait in a thread, as a driver of a database does."""
    time.sleep(seconds)
    return seconds


async def wait(seconds: float) -> float:
    """Wait on the event loop."""
    await asyncio.sleep(seconds)
    return seconds


def spin(turns: int) -> int:
    """Compute."""
    total = 0
    for number in range(turns):
        total += number * number
    return total


async def overlap() -> list[dict[str, Any]]:
    """Return the seconds on the wall that maps take one after the other, and side by side."""
    from orchestration import LocalEngine, Workflow  # noqa: PLC0415 - as above

    kinds: list[tuple[str, Callable[[Any], Any], str | None, Any, int]] = [
        ("waits on the loop", wait, None, BLOCKED, BLOCKS),
        ("blocks in threads", block, "thread", BLOCKED, BLOCKS),
        ("computes in processes", spin, "process", SPUN, SPINS),
    ]
    rows = []
    for title, body, place, item, count in kinds:
        taken: dict[int, float] = {}
        for cap in (1, count):
            body_flow: Any = Workflow[Any]("one").step(body, **({"run_in": place} if place else {}))
            flow: Any = Workflow[list[Any]]("overlap").map(body_flow, concurrency=cap)
            engine = LocalEngine()
            begun = time.perf_counter()
            outcome = await engine.execute(flow, [item] * count)
            taken[cap] = time.perf_counter() - begun
            assert outcome.value is not None  # type: ignore[union-attr]  # noqa: S101 - it has succeeded
        rows.append({"title": title, "count": count, "sequential": taken[1], "parallel": taken[count]})
    return rows


def all_of_them() -> dict[str, Any]:
    """Measure all of it."""
    from benchmarks import durable, exploring  # noqa: PLC0415 - as above

    return {
        "durable": durable.figures(),
        "looking": exploring.figures(exploring.SEEDS),
        "compiling": compiling(),
        "overlap": asyncio.run(overlap()),
        "imports": {what: importing(sys.executable, modules) for what, modules in BENEATH.items()},
    }
