"""Measure all contenders and write `results/`: what `docs/performance.md` shows is rendered from there.

    python -m benchmarks                        all, a quarter of an hour; environments are made in `.nox/peers`
    python -m benchmarks here tasks by_hand     some; the results of the others stay as they are
    python -m benchmarks --render               no measuring, only the page

The contenders take turns, several rounds, and the least of all counts: a machine is not the same from minute to minute.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import costs, render

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).with_name("results")
ENVIRONMENTS = ROOT / ".nox" / "peers"
ROUNDS = 2
PATIENCE = 600  # seconds for one contender


class Contender(NamedTuple):
    """Who is measured: the module in `contenders/` has its name; without pins it runs in this interpreter."""

    title: str
    pins: tuple[str, ...] = ()
    imports: str = ""  # what a user of it imports, for the time that this takes


CONTENDERS = {
    "here": Contender("orchestration", imports="orchestration.runtime.local"),
    "tasks": Contender("asyncio, a task each", imports="asyncio"),
    "by_hand": Contender("asyncio, bare", imports="asyncio"),
    "pydantic_graph_nodes": Contender(
        "pydantic-graph 1, nodes", ("pydantic-graph==1.107.10",), imports="pydantic_graph"
    ),
    "pydantic_graph_builder": Contender(
        "pydantic-graph 2, builder", ("pydantic-graph==2.68.0",), imports="pydantic_graph"
    ),
    "burr": Contender("Burr", ("burr==0.42.0",), imports="burr.core"),
    "hamilton": Contender("Hamilton", ("sf-hamilton==1.90.0",), imports="hamilton.async_driver"),
    "langgraph": Contender("LangGraph", ("langgraph==1.2.22",), imports="langgraph.graph"),
    "llama_index": Contender("llama-index-workflows", ("llama-index-workflows==2.26.1",), imports="workflows"),
    "here_sqlite": Contender(
        "orchestration, SQLite", imports="orchestration.runtime.local, orchestration.journal.sqlite"
    ),
    "langgraph_sqlite": Contender(
        "LangGraph, SQLite", ("langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2"), imports="langgraph.graph"
    ),
    "dbos": Contender("DBOS, SQLite", ("dbos==3.4.0",), imports="dbos"),
    # what it asks for allows versions of these two that it does not work with
    "prefect": Contender("Prefect", ("prefect==3.8.8", "fastapi==0.139.0", "starlette==1.0.1"), imports="prefect"),
}


def interpreter(name: str, contender: Contender) -> str:
    """Return the Python of a contender, in an environment that is made the first time."""
    if not contender.pins:
        return sys.executable
    home = ENVIRONMENTS / name
    python, installed = home / "bin" / "python", home / "installed.txt"
    if not installed.exists() or installed.read_text() != str(contender.pins):
        venv.create(home, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *contender.pins], check=True)  # noqa: S603 - our pins
        installed.write_text(str(contender.pins))
    return str(python)


def measured(name: str, python: str) -> list[dict[str, Any]]:
    """Return the rows of one contender, none if it fails: its own words are shown, and the others go on."""
    command = [python, "-m", "benchmarks.measure", name]
    try:
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=PATIENCE)  # noqa: S603
    except subprocess.CalledProcessError as error:
        print(f"{name} failed:\n{error.stderr[-600:]}", file=sys.stderr)
        return []
    except subprocess.TimeoutExpired:
        print(f"{name} took longer than {PATIENCE} s", file=sys.stderr)
        return []
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def least(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each workload and size: the least of each figure."""
    best: dict[tuple[str, int], dict[str, Any]] = {}
    for row in rows:
        known = best.setdefault((row["workload"], row["size"]), row)
        for figure in ("processor", "wall", "peak"):
            if figure in row and figure in known:
                known[figure] = min(known[figure], row[figure])
    return list(best.values())


def machine() -> dict[str, str]:
    """Return what the figures depend on besides the code."""
    return {"python": platform.python_version(), "machine": f"{platform.machine()}, {os.cpu_count()} cores"}


def main(names: list[str]) -> None:
    """Measure, write, render."""
    RESULTS.mkdir(exist_ok=True)
    chosen = {name: CONTENDERS[name] for name in names or CONTENDERS}
    pythons = {name: interpreter(name, contender) for name, contender in chosen.items()}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen}
    for number in range(ROUNDS):
        for name, python in pythons.items():
            print(f"round {number + 1} of {ROUNDS}: {name}", file=sys.stderr, flush=True)
            rows[name] += measured(name, python)
    for name, contender in chosen.items():
        if rows[name]:
            entry = {"title": contender.title, "pins": contender.pins, **machine(), "rows": least(rows[name])}
            entry["import"] = costs.importing(pythons[name], contender.imports)
            entry["size"] = costs.installed(pythons[name], contender.pins)
            RESULTS.joinpath(f"{name}.json").write_text(json.dumps(entry, indent=1) + "\n")
    if "here" in chosen:
        RESULTS.joinpath("costs.json").write_text(json.dumps(costs.all_of_them(), indent=1) + "\n")


if __name__ == "__main__":
    if "--render" not in sys.argv:
        main(sys.argv[1:])
    render.main()
