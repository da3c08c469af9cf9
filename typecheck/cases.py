"""The cases: statements that have to be accepted, and statements that have to be refused."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

IGNORE = re.compile(r"# (type|pyright): ignore")
INNER = (ast.stmt, ast.match_case, ast.ExceptHandler)
GOLDEN = ("messages", "display")  # folders whose lines are compared with what was said of them before


@dataclass(frozen=True)
class Case:
    """A statement of a file: its lines, its code without layout and comments, and whether it has to be refused."""

    file: str
    first: int
    last: int
    code: str
    refused: bool


def cases_in(folder: Path, file: str) -> list[Case]:
    """Return the statements of a file in the folder of the cases; a compound one stands for its first line only."""
    source = (folder / file).read_text()
    lines = source.splitlines()
    found: list[Case] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt):
            continue
        inner = [_line(part) for part in ast.iter_child_nodes(node) if isinstance(part, INNER)]
        last = min(inner) - 1 if inner else node.end_lineno or node.lineno
        refused = file.startswith("reject/") and any(IGNORE.search(line) for line in lines[node.lineno - 1 : last])
        code = ast.unparse(node).splitlines()[0] if inner else ast.unparse(node)
        found.append(Case(file, node.lineno, max(last, node.lineno), code, refused))
    return sorted(found, key=lambda case: case.first)


def _line(node: ast.AST) -> int:
    return node.pattern.lineno if isinstance(node, ast.match_case) else getattr(node, "lineno", 0)


def all_cases(folder: Path) -> list[Case]:
    """Return all that has to be accepted or refused."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
    return [case for file in files if not file.startswith(GOLDEN) for case in cases_in(folder, file)]


def count(cases: list[Case]) -> Counter[str]:
    """Count the types that are stated and the contracts that hold, and the mistakes."""
    return Counter(
        "refused" if case.refused else "accepted"
        for case in cases
        if case.refused or (case.file.startswith("accept/") and _states(case.code))
    )


def _states(code: str) -> bool:
    return code.startswith("assert_type(") or re.match(r"\w+: Workflow\[", code) is not None
