"""Ten mistakes with this library and with five others: what mypy and pyright say of each, or that they say nothing.

    python benchmarks/peers/measure.py FOLDER    install all into FOLDER, run the checkers, write `messages.json`

Each file here is one program in the terms of one library. A line that ends in `# mistake: …` is wrong, every other line
is right: what a checker says there counts against it. mypy runs with `--strict`, pyright as it is; both outside of this
project, so that no setting of ours is read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MESSAGES = HERE / "messages.json"
PINNED = ("mypy==2.4.1", "pyright[nodejs]==1.1.414")
LIBRARIES = {  # the newest that can be installed side by side
    "orchestration": ("here", str(HERE.parents[1])),
    "pydantic-graph": ("pydantic_graph_", "pydantic-graph==2.68.0"),
    "LangGraph": ("langgraph_", "langgraph==1.2.22"),
    "Prefect": ("prefect_", "prefect==3.8.8"),
    "Temporal": ("temporal_", "temporalio==1.35.0"),
    "DBOS": ("dbos_", "dbos==3.4.0"),
}
MISTAKE = re.compile(r"(.*?)  # mistake: (\w+)$")
NONE = re.compile(r"# none: (\w+) - (.+)")

Said = dict[int, list[str]]


def installed(folder: Path) -> Path:
    """Return the programs of an environment that holds all libraries and both checkers."""
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not programs.exists():
        venv.create(folder, with_pip=True)
    wanted = (*PINNED, *(requirement for _, requirement in LIBRARIES.values()))
    subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", *wanted], check=True)  # noqa: S603 - pinned above
    return programs


def of_mypy(programs: Path, folder: Path, file: str) -> Said:
    """Return what mypy says of a file, by line; what it adds in notes is left out."""
    options = ("--strict", "--disable-error-code=empty-body", "--output=json", "--no-error-summary")
    told = _run([programs / "mypy", *options, file], folder)
    said: Said = {}
    for line in told.splitlines():
        one: dict[str, Any] = json.loads(line)
        if one["severity"] == "error":
            said.setdefault(one["line"], []).append(f"{one['message']}  [{one['code']}]")
    return said


def of_pyright(programs: Path, folder: Path, file: str) -> Said:
    """Return what pyright says of a file, by line."""
    told = _run([programs / "pyright", "--outputjson", "--pythonpath", programs / "python", file], folder)
    said: Said = {}
    for one in json.loads(told)["generalDiagnostics"]:
        if one["severity"] == "error":
            text = one["message"].replace("\N{NO-BREAK SPACE}", " ")
            said.setdefault(one["range"]["start"]["line"] + 1, []).append(f"{text}  [{one.get('rule', 'error')}]")
    return said


def _run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode not in (0, 1):  # 1: there was something to say
        raise RuntimeError(f"{command[0]} broke off with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def mistakes_in(text: str) -> dict[str, dict[str, Any]]:
    """Return the mistakes of a program: line and code of each, or why there is none."""
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if (mistake := MISTAKE.match(line)) is not None:
            found[mistake[2]] = {"line": number, "code": mistake[1].strip()}
        elif (none := NONE.match(line)) is not None:
            found[none[1]] = {"none": none[2]}
    return found


def measured(programs: Path, folder: Path, name: str) -> dict[str, Any]:
    """Return what both checkers say of a program."""
    file, requirement = LIBRARIES[name]
    mistakes = mistakes_in((HERE / f"{file}.py").read_text(encoding="utf-8"))
    wrong_lines = {mistake.get("line") for mistake in mistakes.values()}
    alarms: dict[str, int] = {}
    for checker, look in (("mypy", of_mypy), ("pyright", of_pyright)):
        said = look(programs, folder, f"{file}.py")
        for mistake in mistakes.values():
            if "line" in mistake:
                mistake[checker] = said.get(mistake["line"], [])
        alarms[checker] = sum(len(texts) for line, texts in said.items() if line not in wrong_lines)
    version = requirement.partition("==")[2]
    return {"version": version, "false_alarms": alarms, "mistakes": {key: mistakes[key] for key in sorted(mistakes)}}


def main(arguments: list[str]) -> None:
    """Install, measure, write."""
    programs = installed(Path(arguments[0]).absolute())
    os.environ["PATH"] = os.pathsep.join([str(programs), os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in HERE.glob("*.py"):
            if file != Path(__file__).resolve():
                shutil.copy(file, folder)
        libraries = {name: measured(programs, folder, name) for name in LIBRARIES}
    document = {"checkers": [pin.replace("[nodejs]", "") for pin in PINNED], "libraries": libraries}
    MESSAGES.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for library, found in libraries.items():
        told = {
            checker: sum(bool(one.get(checker)) for one in found["mistakes"].values())
            for checker in ("mypy", "pyright")
        }
        print(library, told, "false alarms", found["false_alarms"])


if __name__ == "__main__":
    main(sys.argv[1:]) if sys.argv[1:] else sys.exit(__doc__)
