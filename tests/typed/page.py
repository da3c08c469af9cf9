"""The tables of the pages about types, from what was measured: `python -m tests.typed.page` writes them anew."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.typed.compiled import judged
from typecheck.cases import all_cases, count

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "typecheck"
PEERS = ROOT / "benchmarks" / "peers"
PAGES = (ROOT / "docs" / "typing.md", ROOT / "docs" / "typing-others.md")
NOTHING = "\N{EN DASH}"
WIDEST = 300  # letters of a message; some list every overload in one line
# Of the mistakes in `typecheck/messages`, those on the page.
SHOWN = (1, 3, 9, 12, 14, 16, 18, 25, 26, 29)
NAMES = {
    "next": "A step does not take what the one before it gives",
    "input": "A run is given something else than the workflow takes",
    "service": "A service is not given",
    "value": "What a run gives is taken for something else",
    "undo": "An undo does not take what its step gave",
    "arm": "A branch has no arm for what may come",
    "join": "A join does not take what the bodies give",
    "items": "A map over what has no items",
    "misspelt": "An option is misspelt",
    "option": "An option has a value of the wrong type",
}


def written(page: str) -> str:
    """Return the text of a page with all its tables as they are now."""
    for name, table in TABLES.items():
        marked = re.compile(f"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        if marked.search(page):
            text = table()
            page = marked.sub(lambda found, text=text: f"{found[1]}\n{text}\n{found[2]}", page)  # type: ignore[misc]
    return page


def messages() -> str:
    """Return some mistakes, each with what mypy and pyright say: the line that says most."""
    blocks = (CASES / "messages" / "golden.txt").read_text(encoding="utf-8").split("\n\n")
    return "\n\n".join(_message(block) for number, block in enumerate(blocks, start=1) if number in SHOWN)


def _message(block: str) -> str:
    title, _, rest = block.removeprefix("# ").partition("\n")
    code, mypy, pyright = re.split(r"\n(?:mypy|pyright):\n", rest)
    told = (("mypy", _telling(mypy)), ("pyright", _telling(pyright)))
    said = "\n".join(f"{checker + ':':<9}{_cut(text)}" for checker, text in told)
    return f"**{title.partition('. ')[2]}.** `{code}`\n\n```text\n{said}\n```"


def _telling(said: str) -> str:
    """Return the line of a message that names most: pyright begins with that no overload fits."""
    lines = [line.removeprefix("    ") for line in said.splitlines()]
    heads = [line for line in lines if not line.startswith((" ", "No overloads for"))]
    return re.sub(r"  \[[\w-]+\]$", "", (heads or lines)[0])


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}…"


def checkers() -> str:
    """Return which of the cases each checker judges as it has to."""
    counted = count(all_cases(CASES))
    table = json.loads((CASES / "cannot_follow.json").read_text(encoding="utf-8"))
    rows = [f"| {pin.replace('==', ' ')} | all | all |" for pin in _measured()["checkers"]]
    for checker, files in table.items():
        told = Counter(verdict.partition(":")[0] for cases in files.values() for verdict in cases.values())
        refused, accepted = told["refused, though right"], told["accepted, though wrong"]
        rows.append(f"| {checker} | all but {refused} | all but {accepted} |")
    head = f"| | accepts {counted['accepted']} types and contracts | refuses {counted['refused']} mistakes |"
    return "\n".join([head, "|---|---|---|", *rows])


def _measured() -> dict[str, Any]:
    measured: dict[str, Any] = json.loads((PEERS / "messages.json").read_text(encoding="utf-8"))
    return measured


def others() -> str:
    """Return which of the ten mistakes the checkers find with each library."""
    libraries = _measured()["libraries"]
    head = ["mistake", *(f"{name} {found['version']}".strip() for name, found in libraries.items())]
    rows = [head, ["---"] * len(head)]
    for key, name in NAMES.items():
        rows.append([name.lower(), *(_verdict(found["mistakes"][key]) for found in libraries.values())])
    rows.append(["*alarms where nothing is wrong*", *(_alarms(found["false_alarms"]) for found in libraries.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _verdict(mistake: dict[str, Any]) -> str:
    if "none" in mistake:
        return "(none)"
    found = [checker for checker in ("mypy", "pyright") if mistake[checker]]
    return {0: NOTHING, 1: f"{found[0]} only" if found else "", 2: "found"}[len(found)]


def _alarms(alarms: dict[str, int]) -> str:
    return ", ".join(f"{checker}: {number}" for checker, number in alarms.items() if number) or NOTHING


def told_of_others() -> str:
    """Return what the checkers say of each mistake, library by library."""
    libraries = _measured()["libraries"]
    parts = []
    for key, name in NAMES.items():
        parts.append(f"## {name}")
        for library, found in libraries.items():
            parts.append(_said(library, found["mistakes"][key]))
    return "\n\n".join(parts)


def _said(library: str, mistake: dict[str, Any]) -> str:
    if "none" in mistake:
        return f"**{library}**: there is no such mistake; {mistake['none']}."
    texts = []
    for checker in ("mypy", "pyright"):
        first = [said.splitlines()[0] for said in mistake[checker]] or ["(nothing)"]
        telling = [line for line in first if not line.startswith("No overloads for")] or first
        texts.append(f"{checker + ':':<9}{_cut(re.sub(r'  .[a-zA-Z-]+.$', '', telling[0]))}")
    return "\n".join([f"**{library}**: `{mistake['code']}`", "", "```text", *texts, "```"])


def compiled() -> str:
    """Return the share of the mistakes that is found without a checker, by what they are about."""
    wrong = [case for case in judged("reject") if case.wrong]
    rows = [
        "| about | mistakes | refused by `compile()` | already where it is written | not found |",
        "|---|---|---|---|---|",
    ]
    for file in sorted({case.file for case in wrong}):
        rows += [_share(Path(file).stem, Counter(case.found for case in wrong if case.file == file))]
    rows += [_share("**all**", Counter(case.found for case in wrong))]
    return "\n".join(rows)


def _share(name: str, found: Counter[str]) -> str:
    total = sum(found.values())
    return f"| {name} | {total} | {found['compiled']} | {found['built']} | {found['missed']} |"


TABLES: dict[str, Callable[[], str]] = {
    "messages": messages,
    "checkers": checkers,
    "others": others,
    "told of others": told_of_others,
    "compiled": compiled,
}


def main() -> None:
    """Write the pages."""
    for path in PAGES:
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
