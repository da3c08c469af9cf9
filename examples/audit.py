"""Audit Python code: parse every file under a folder, store a report, hold the code to a standard.

    orchestration run examples/audit.py:audit --input '{"root": "stdlib"}'
    orchestration run examples/audit.py:audit --input '{"root": ".", "database": "audit.db"}'
    orchestration run examples/audit.py:audit --input '{"root": "stdlib", "limit": 200, "minimum_docstrings": 0.9}'

The last one fails: its report is stored, found wanting and removed again.

What it teaches: a workflow as the body of another, a capped `map`, a `branch` by type that the compiler knows to be
complete, `enrich` to keep the input beside a result, and a compensation. Steps are plain functions in worker threads.
What they pass on is data that a journal could hold, so a syntax tree never leaves the step that parsed it.
"""

import ast
import heapq
import linecache
import sqlite3
import sysconfig
import tempfile
import warnings
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from orchestration import Workflow, step_context

STDLIB = Path("stdlib")
DATABASE = Path(tempfile.gettempdir(), "audit.db")
TOP = 10
SCHEMA = """
    create table if not exists reports (id text primary key, root text, docstrings real);
    create table if not exists files (report text, path text, lines integer, complexity integer, unreadable text);
"""
DECISIONS = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.comprehension, ast.ExceptHandler, ast.match_case)
DOCUMENTABLE = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

# The parser warns of invalid escapes in what it reads; they are the business of whoever runs that code.
warnings.filterwarnings("ignore", module="<unknown>")


@dataclass(frozen=True)
class Audit:
    """What to audit: `root` is a folder or `stdlib`, `minimum_docstrings` a share from 0 to 1."""

    root: Path = STDLIB
    database: Path = DATABASE
    limit: int | None = None
    minimum_docstrings: float = 0.0


@dataclass(frozen=True)
class Function:
    """A function; `complexity` is one more than the decisions that are taken in it."""

    place: str
    name: str
    lines: int
    complexity: int


@dataclass(frozen=True)
class Module:
    """What a file says of itself, once it is parsed."""

    path: Path
    lines: int
    functions: list[Function]
    documented: list[bool]
    imports: list[str]


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be parsed; `line` is 0 where none is to blame."""

    path: Path
    line: int
    reason: str


@dataclass(frozen=True)
class Metrics:
    """A file in figures, with its most complex functions. `documentable` counts what can have a docstring."""

    path: Path
    lines: int
    functions: int
    classes: int
    documentable: int
    documented: int
    imports: list[str]
    complexity: int
    longest: int
    most_complex: list[Function]


@dataclass(frozen=True)
class Note:
    """Why a file could not be read, and the line to blame."""

    path: Path
    reason: str
    excerpt: str


@dataclass(frozen=True)
class Summary:
    """The audit on one page."""

    root: Path
    database: Path
    files: int
    lines: int
    functions: int
    classes: int
    docstrings: float
    longest_function: int
    most_imported: dict[str, int]
    most_complex: list[Function]
    unreadable: list[Note]


@dataclass(frozen=True)
class Report:
    """The summary with all that it rests on."""

    audit: Audit
    summary: Summary
    files: list[Metrics]


class BelowStandard(Exception):
    """The code does not meet the standard that it was audited against."""


def find(audit: Audit) -> list[Path]:
    """List the Python files under the root, without those of installed packages."""
    root = Path(sysconfig.get_path("stdlib")) if audit.root == STDLIB else audit.root
    if not root.is_dir():
        message = f"{root} is no folder"
        raise NotADirectoryError(message)
    found = sorted(path for path in root.rglob("*.py") if "site-packages" not in path.relative_to(root).parts)
    return found[: audit.limit]


def parse(path: Path) -> Module | Unreadable:
    """Read and parse one file."""
    try:
        source = path.read_bytes()
        nodes = list(ast.walk(ast.parse(source)))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Unreadable(path, getattr(error, "lineno", None) or 0, f"{type(error).__name__}: {error}")
    return Module(
        path,
        lines=len(source.splitlines()),
        functions=[
            Function(f"{path}:{node.lineno}", node.name, 1 + (node.end_lineno or 0) - node.lineno, complexity_of(node))
            for node in nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ],
        documented=[ast.get_docstring(node) is not None for node in nodes if isinstance(node, DOCUMENTABLE)],
        imports=sorted({name.partition(".")[0] for node in nodes for name in imported_by(node)}),
    )


def complexity_of(function: ast.AST) -> int:
    """Count the ways through a function, those of functions inside it included."""
    inside = list(ast.walk(function))
    operators = sum(len(node.values) - 1 for node in inside if isinstance(node, ast.BoolOp))
    return 1 + operators + sum(isinstance(node, DECISIONS) for node in inside)


def imported_by(node: ast.AST) -> list[str]:
    """Name the modules that a statement imports, those of the own package excepted."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
        case _:
            return []
