"""What `compile()` finds of the mistakes that the type checkers have to refuse, and whether it lets pass what is right.

The cases of `typecheck/` are taken statement by statement: the right ones of a module are run in their order, each
wrong one in the names that it finds at its place. What a statement gives is used as a reader would go on: an open
branch, fork or enrichment is closed, a policy is given to a step, a workflow is compiled.
"""

from __future__ import annotations

import ast
import gc
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from orchestration import PlanErrors, Retry, Workflow
from orchestration.dsl.open import Open

if TYPE_CHECKING:
    from collections.abc import Iterator

Found = Literal["built", "compiled", "missed"]
CASES = Path(__file__).resolve().parents[2] / "typecheck"
IGNORES = ("# type: ignore", "# pyright: ignore")


@dataclass(frozen=True)
class Judged:
    """A statement, and when it was refused: while it was built, when it was compiled, or not at all."""

    file: str
    line: int
    code: str
    wrong: bool
    found: Found
    told: str


def judged(folder: str) -> list[Judged]:
    """Return the statements of all modules in a folder of the cases, but not those within functions and classes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is allowed, and of coroutines that nobody awaits
        found = [case for path in sorted((CASES / folder).glob("*.py")) for case in _judged_in(path)]
        gc.collect()  # such a coroutine warns when it is collected
    return found


def _judged_in(path: Path) -> Iterator[Judged]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    module = ModuleType(f"typecheck.{path.parent.name}.{path.stem}")
    sys.modules[module.__name__] = module  # dataclasses and annotations look there
    try:
        for node in ast.parse(text, str(path)).body:
            code = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            wrong = any(ignore in code for ignore in IGNORES)
            found, told = _tried(node, path, dict(vars(module)) if wrong else vars(module))
            if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign):
                yield Judged(f"{path.parent.name}/{path.name}", node.lineno, ast.unparse(node), wrong, found, told)
    finally:
        del sys.modules[module.__name__]


def _tried(node: ast.stmt, path: Path, names: dict[str, Any]) -> tuple[Found, str]:
    """Run a statement, and compile what it gives."""
    try:
        given = _given(node, path, names)
    except NotImplementedError:  # the cases are only read by checkers: their functions do nothing
        return "missed", ""
    except Exception as error:  # noqa: BLE001 - whatever a reader would see
        return "built", f"{type(error).__name__}: {error}"
    try:
        _compile(given)
    except PlanErrors as errors:
        return "compiled", "; ".join(str(error) for error in errors.exceptions)
    except Exception as error:  # noqa: BLE001 - as above: it is taken for something that it is not
        return "built", f"{type(error).__name__}: {error}"
    return "missed", ""


def _given(node: ast.stmt, path: Path, names: dict[str, Any]) -> object:
    """Return what an expression gives, closed if it is open, or what a variable is set to."""
    if isinstance(node, ast.Expr):
        value = eval(compile(ast.Expression(node.value), str(path), "eval"), names)  # noqa: S307 - the project's own
        return _closed(value)
    exec(compile(ast.Module([node], []), str(path), "exec"), names)  # noqa: S102 - the project's own
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return names[node.target.id]
    return None


def _closed(value: Any) -> object:
    """Return a workflow in which a value takes effect, as far as it is meant for one."""
    if isinstance(value, Retry):
        return Workflow[Any]("used").step(print, retry=value)
    if not isinstance(value, Open):
        return value
    if hasattr(value, "otherwise"):
        return value.otherwise(lambda value: value)
    return value.join() if hasattr(value, "join") else value.into(lambda value, _: value)  # type: ignore[attr-defined]  # a fork, or else an enrichment


def _compile(value: object) -> None:
    if isinstance(value, Workflow | Open):
        value.compile()  # type: ignore[union-attr]  # what is open says that it is
