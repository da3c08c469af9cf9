"""Which services a run gets: those of `--services`, or those that stand beside the workflow."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from orchestration.cli.loading import load_module, lookup
from orchestration.cli.misuse import Misuse, whereabouts
from orchestration.runtime.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from typing_extensions import TypeIs

    from orchestration.plan.compile import Plan

DEFAULT = "services"
EXPECTED = "a Services, or a function without parameters that returns one"


def find_services(reference: str | None, beside: ModuleType, plan: Plan) -> object:
    """Return what `--services` names, or else, if the plan needs services, what is called so beside the workflow.

    Raises:
        Misuse: if there is no such thing.
    """
    if reference is not None:
        return _named(reference, beside)
    if not plan.services:
        return None
    value: object = getattr(beside, DEFAULT, None)
    if _is_services(value) or inspect.isroutine(value):  # another thing of that name, a module say, is not meant
        return value
    found = f"no services, and nothing usable called {DEFAULT!r} beside it"
    expected = f"an implementation of {', '.join(plan.services)}"
    mend = f"Give --services, or define {DEFAULT} in {beside.__name__}."
    raise Misuse(plan.name, found=found, expected=expected, mend=mend)


def provide(found: object) -> Services[Any] | None:
    """Return the services: what was found, or what it returns. Called where an event loop runs: clients may need it.

    Raises:
        Misuse: if it is nothing of the kind, or raises.
    """
    if found is None or _is_services(found):
        return found
    value = _called(found) if callable(found) else found
    if _is_services(value):
        return value
    if inspect.iscoroutine(value):
        value.close()  # or else Python warns that nobody has awaited it
    mend = "Bind them with Services().bind(Kind).to(implementation)."
    raise Misuse("--services", found=f"a {type(value).__name__}", expected=EXPECTED, mend=mend)


def _named(reference: str, beside: ModuleType) -> object:
    source, _, name = reference.rpartition(":")
    if not name:
        mend = "Add the name, or leave out the file: then it is looked up beside the workflow."
        raise Misuse("--services", found=repr(reference), expected="FILE.py:NAME, MODULE:NAME or NAME", mend=mend)
    return lookup(load_module(source) if source else beside, name, f"--services {reference}")


def _called(factory: Callable[[], object]) -> object:
    try:
        return factory()
    except (Exception, SystemExit) as error:
        mend = "Mend it there; --debug shows the traceback."
        raise Misuse("--services", found=whereabouts(error), expected=EXPECTED, mend=mend) from error


def _is_services(value: object) -> TypeIs[Services[Any]]:
    return isinstance(value, Services)
