"""Audit Python code: measure every file under a folder, store a report, hold the code to a standard.

    orchestration run examples/audit.py:audit --input '{"root": "stdlib"}'
    orchestration run examples/audit.py:audit --input '{"root": ".", "database": "audit.db"}'
    orchestration run examples/audit.py:audit --input '{"root": "stdlib", "limit": 200, "minimum_docstrings": 0.9}'

The last one fails: its report is stored, found wanting and removed again.

What it teaches: a workflow as the body of another, a capped `map`, a `branch` by type that is known to be complete,
`enrich` to keep the input beside a result, and a compensation. Steps are plain functions, so they run in threads.
They pass on data that a journal could hold: a syntax tree never leaves the step that parsed it.
"""

import ast
import linecache
import sqlite3
import sysconfig
import tempfile
import warnings
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from pydantic import PositiveInt

from orchestration import Workflow, step_context

STDLIB = Path("stdlib")
DATABASE = Path(tempfile.gettempdir(), "audit.db")
SCHEMA = """
    create table if not exists reports (id text primary key, root text, docstrings real);
    create table if not exists files (report text, path text, lines integer);
"""
PARSER = Lock()  # CPython before 3.11.9 and 3.12.2 counts the depth of a tree wrongly if threads parse side by side
DECISIONS = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.comprehension, ast.ExceptHandler, ast.match_case)

# The parser warns of odd escapes in the code that it reads. They concern whoever runs that code.
warnings.filterwarnings("ignore", module="<unknown>")


@dataclass(frozen=True)
class Audit:
    """What to audit: `root` is a folder or `stdlib`, `minimum_docstrings` a share from 0 to 1."""

    root: Path = STDLIB
    database: Path = DATABASE
    limit: PositiveInt | None = None
    minimum_docstrings: float = 0.0


@dataclass(frozen=True)
class Metrics:
    """A file in figures. Functions are known by place and name."""

    path: Path
    totals: dict[str, int]
    complexity: dict[str, int]
    length: dict[str, int]
    imports: list[str]


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be parsed; `line` is 0 where none is to blame."""

    path: Path
    line: int
    reason: str


@dataclass(frozen=True)
class Summary:
    """An audit on one page; `docstrings` is the share of modules, classes and functions that have one."""

    root: Path
    database: Path
    totals: dict[str, int]
    docstrings: float
    most_complex: dict[str, int]
    longest: dict[str, int]
    most_imported: dict[str, int]
    unreadable: list[str]


@dataclass(frozen=True)
class Report:
    """An audit with the figures of each file."""

    audit: Audit
    files: list[Metrics]
    summary: Summary


class Rejected(Exception):
    """The stored report is not one to keep."""


def find(audit: Audit) -> list[Path]:
    """List the Python files under the root, without those of installed packages."""
    root = Path(sysconfig.get_path("stdlib")) if audit.root == STDLIB else audit.root
    if not root.is_dir():
        raise NotADirectoryError(root)
    found = (path for path in root.rglob("*.py") if "site-packages" not in path.relative_to(root).parts)
    return sorted(found)[: audit.limit]


def measure(path: Path) -> Metrics | Unreadable:
    """Read, parse and measure a file."""
    try:
        source = path.read_bytes()
        with PARSER:
            tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = f"{type(error).__name__}: {getattr(error, 'msg', error)}"
        return Unreadable(path, getattr(error, "lineno", None) or 0, reason)
    nodes = list(ast.walk(tree))
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    documented = [ast.get_docstring(scope) is not None for scope in (tree, *classes, *functions)]
    totals = {"files": 1, "lines": len(source.splitlines()), "classes": len(classes), "functions": len(functions)}
    named = {f"{path}:{function.lineno} {function.name}": function for function in functions}
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    other = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return Metrics(
        path,
        totals | {"docstrings": sum(documented), "docstrings possible": len(documented)},
        complexity={name: complexity_of(function) for name, function in named.items()},
        length={name: (function.end_lineno or 0) - function.lineno + 1 for name, function in named.items()},
        imports=sorted({name.partition(".")[0] for name in plain | other}),
    )


def complexity_of(function: ast.AST) -> int:
    """Count the decisions in a function, in those inside it too, plus one."""
    inside = list(ast.walk(function))
    operators = sum(len(node.values) - 1 for node in inside if isinstance(node, ast.BoolOp))
    return 1 + operators + sum(isinstance(node, DECISIONS) for node in inside)


def condense(metrics: Metrics) -> Metrics:
    """Keep only the worst functions of a file: no others can be the worst of all."""
    return replace(metrics, complexity=top_ten(metrics.complexity), length=top_ten(metrics.length))


def top_ten(*figures: Mapping[str, int]) -> dict[str, int]:
    """Return the ten largest figures of all, the largest first."""
    return dict(Counter({name: some[name] for some in figures for name in some}).most_common(10))


def note(unreadable: Unreadable) -> str:
    """Say why a file cannot be read, with the line that the parser stumbled over."""
    line = linecache.getline(str(unreadable.path), unreadable.line).strip()
    return f"{unreadable.path}:{unreadable.line} {unreadable.reason}" + (f": {line}" if line else "")


def report(audit: Audit, files: list[Metrics | str]) -> Report:
    """Add up the figures of all files."""
    measured = [file for file in files if isinstance(file, Metrics)]
    totals = sum((Counter(file.totals) for file in measured), Counter[str]())
    summary = Summary(
        root=audit.root,
        database=audit.database,
        totals=dict(totals),
        docstrings=round(totals["docstrings"] / max(totals["docstrings possible"], 1), 3),
        most_complex=top_ten(*(file.complexity for file in measured)),
        longest=top_ten(*(file.length for file in measured)),
        most_imported=top_ten(Counter(name for file in measured for name in file.imports)),
        unreadable=[file for file in files if isinstance(file, str)],
    )
    return Report(audit, measured, summary)


@contextmanager
def opened(path: Path) -> Generator[sqlite3.Connection, None, None]:
    """Open the database for one transaction."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(SCHEMA)
        yield database


def write(report: Report) -> Report:
    """Store a report under the id of its run: written once more, it is still there once."""
    remove(report)
    run_id = step_context().run_id
    files = [(run_id, str(file.path), file.totals["lines"]) for file in report.files]
    with opened(report.audit.database) as database:
        row = (run_id, str(report.audit.root), report.summary.docstrings)
        database.execute("insert into reports values (?, ?, ?)", row)
        database.executemany("insert into files values (?, ?, ?)", files)
    return report


def remove(report: Report) -> None:
    """Remove what is stored of a report, be it all, a part or nothing."""
    with opened(report.audit.database) as database:
        database.execute("delete from reports where id = ?", (step_context().run_id,))
        database.execute("delete from files where report = ?", (step_context().run_id,))


def verify(report: Report) -> Summary:
    """Read back what is stored, and hold it to the standard."""
    query = "select docstrings, (select count(*) from files where report = id) from reports where id = ?"
    with opened(report.audit.database) as database:
        docstrings, files = database.execute(query, (step_context().run_id,)).fetchone()
    if files != len(report.files):
        message = f"{files} files are stored, {len(report.files)} were measured"
        raise Rejected(message)
    if docstrings < report.audit.minimum_docstrings:
        message = f"{docstrings:.1%} have a docstring, the standard is {report.audit.minimum_docstrings:.1%}"
        raise Rejected(message)
    return report.summary


inspect = Workflow[Path]("inspect").step(measure).branch().case(Metrics, condense).case(Unreadable, note).exhaustive()

survey = Workflow[Audit]("survey").step(find).map(inspect, concurrency=8)

audit = (
    Workflow[Audit]("audit")
    .enrich(survey)
    .into(report)
    .step(write)
    .compensate(remove, in_doubt=remove)  # the same for both: it goes by the id, which is known before
    .step(verify)
)
