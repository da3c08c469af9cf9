"""From a reference, `shop.py:checkout` or `shop.flows:checkout`, to what it names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli.misuse import Misuse, whereabouts
from orchestration.dsl.workflow import Workflow
from orchestration.plan.origin import stem

if TYPE_CHECKING:
    from types import ModuleType

    from typing_extensions import TypeIs

FORM = "FILE.py:NAME or MODULE:NAME"
NAMES_SHOWN = 8


def load_workflow(reference: str) -> tuple[Workflow[Any, Any, Any], ModuleType]:
    """Return the workflow that a reference names, and the module in which it stands.

    Raises:
        Misuse: if there is no such thing, or its module cannot be imported.
    """
    source, name = split(reference)
    module = load_module(source)
    value = lookup(module, name, reference)
    if not is_workflow(value):
        found = f"a value of type {type(value).__name__}"
        raise Misuse(reference, found=found, expected="a workflow", mend=_workflows_in(module))
    return value, module


def split(reference: str) -> tuple[str, str]:
    """Return the two halves of a reference: the file or module, and the name in it.

    Raises:
        Misuse: if one is missing.
    """
    source, _, name = reference.rpartition(":")  # the last colon: a Windows path has one of its own
    if not source or not name:
        mend = "Add the name of the workflow: its variable in that file or module."
        raise Misuse(reference or "reference", found=f"{reference!r}", expected=FORM, mend=mend)
    return source, name


def load_module(source: str) -> ModuleType:
    """Import a file, under the name that it would have as a module, or an importable module.

    What its code prints on the way goes to stderr: stdout is for results.

    Raises:
        Misuse: if it is not there, or raises; the message names file and line.
    """
    with redirect_stdout(sys.stderr):
        if source.endswith(".py"):
            return _load_file(source)
        _prepend_to_path(Path.cwd())  # `python -m` does so, a console script does not
        return _import(source)


def lookup(module: ModuleType, name: str, reference: str) -> object:
    """Return what a dotted name stands for in a module.

    Raises:
        Misuse: if there is no such name.
    """
    value: object = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            owner = "the module" if value is module else f"the {type(value).__name__} before it"
            found = f"no {part!r} in {owner}"
            raise Misuse(reference, found=found, expected="a name that is there", mend=_workflows_in(module)) from None
    return value


def is_workflow(value: object) -> TypeIs[Workflow[Any, Any, Any]]:
    """Tell whether a value is a workflow, of whatever types."""
    return isinstance(value, Workflow)


def _load_file(source: str) -> ModuleType:
    file = Path(source).resolve()
    name = stem(file.name)
    if not file.is_file():
        raise Misuse(
            source, found="no such file", expected=FORM, mend="Look at the path; it starts from the current folder."
        )
    known = sys.modules.get(name)
    if known is not None:
        if _file_of(known) == file:
            return known
        found = f"a file whose name is that of {_file_of(known) or 'a built-in module'}, which is imported already"
        raise Misuse(source, found=found, expected=f"one module {name!r}", mend="Rename the file.")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None  # noqa: S101 - Python knows how to load what ends in .py
    assert spec.loader is not None  # noqa: S101 - as above
    _prepend_to_path(file.parent)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _broken(source, error) from error
    return module


def _import(source: str) -> ModuleType:
    try:
        return importlib.import_module(source)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{source}.".startswith(f"{error.name}."):
            raise _broken(source, error) from error
        mend = "Look at the spelling; a file is named by its path, with its ending .py."
        raise Misuse(source, found=f"no module named {error.name!r}", expected=FORM, mend=mend) from error
    except (TypeError, ValueError) as error:
        if source.strip(".") == source and all(source.split(".")):
            raise _broken(source, error) from error
        raise Misuse(source, found="no name of a module", expected=FORM, mend="Name a module in full.") from error
    except (Exception, SystemExit) as error:
        raise _broken(source, error) from error


def _broken(source: str, error: BaseException) -> Misuse:
    mend = "Mend it there; --debug shows the traceback."
    return Misuse(source, found=whereabouts(error), expected="a module that can be imported", mend=mend)


def _file_of(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return None if file is None else Path(file).resolve()


def _prepend_to_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _workflows_in(module: ModuleType) -> str:
    names = [name for name, value in vars(module).items() if not name.startswith("_") and is_workflow(value)]
    shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    return f"Workflows there: {shown}." if names else "There is no workflow in that module."
