"""Which services a run gets: those of `--services`, or those that stand beside the workflow."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from orchestration.cli.loading import load_module, lookup
from orchestration.cli.misuse import Misuse, whereabouts
from orchestration.runtime.services import Services

if TYPE_CHECKING:
    from types import ModuleType

    from typing_extensions import TypeIs

DEFAULT = "services"
EXPECTED = "a Services, or a function without parameters that returns one"


def find_services(reference: str | None, beside: ModuleType) -> object:
    """Return what `--services` names, or else what is called `services` in the module of the workflow, or `None`.

    Raises:
        Misuse: if there is no such thing.
    """
    if reference is None:
        value: object = getattr(beside, DEFAULT, None)
        # some other thing of that name, an imported module say, is not meant
        return value if _is_services(value) or inspect.isroutine(value) else None
    source, _, name = reference.rpartition(":")
    if not name:
        mend = "Add the name, or leave out the file: then it is looked up beside the workflow."
        raise Misuse("--services", found=repr(reference), expected="FILE.py:NAME, MODULE:NAME or NAME", mend=mend)
    return lookup(load_module(source) if source else beside, name, f"--services {reference}")


def provide(found: object) -> Services[Any] | None:
    """Return the services: what was found, or what it returns. To be called where an event loop runs.

    Raises:
        Misuse: if it is nothing of the kind, or raises.
    """
    value = found
    if callable(found) and not _is_services(found):
        try:
            value = found()
        except (Exception, SystemExit) as error:
            mend = "Mend it there; --debug shows the traceback."
            raise Misuse("--services", found=whereabouts(error), expected=EXPECTED, mend=mend) from error
    if inspect.iscoroutine(value):
        value.close()
    if value is None and found is None:
        return None
    if _is_services(value):
        return value
    mend = "Bind them with Services().bind(Kind).to(implementation)."
    raise Misuse("--services", found=f"a {type(value).__name__}", expected=EXPECTED, mend=mend)


def _is_services(value: object) -> TypeIs[Services[Any]]:
    return isinstance(value, Services)
