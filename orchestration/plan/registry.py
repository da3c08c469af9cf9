"""`Registry`: the functions and types that a stored plan may name. Loading looks things up and never imports (S37)."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any, final

from orchestration.errors import UnresolvedReference
from orchestration.plan.body import Body
from orchestration.plan.typenames import type_name

BUILTINS = (bool, int, float, str, bytes, list, dict, set, frozenset, tuple, object)


@final
class Registry:
    """Functions by `module:qualname`, types by their canonical name.

    `Registry(reserve, Payments, list[Order], shop)` takes functions, classes (with their methods), type forms and
    modules (with all that they hold).
    """

    def __init__(self, *things: object) -> None:
        """Register each of `things`."""
        self._functions: dict[str, Any] = {}
        self._types: dict[str, Any] = {type_name(kind): kind for kind in (*BUILTINS, None, Any)}
        for thing in things:
            self._add(thing)

    def _add(self, thing: object) -> None:
        if isinstance(thing, ModuleType):
            for name, member in sorted(vars(thing).items()):
                if not name.startswith("__") and not isinstance(member, ModuleType):
                    self._add(member)
        elif inspect.isclass(thing):
            self._types[type_name(thing)] = thing
            for member in vars(thing).values():
                if inspect.isfunction(member):
                    self._functions[Body.of(member).ref] = member
        elif inspect.isroutine(thing):
            self._functions[Body.of(thing).ref] = thing
        else:
            self._types[type_name(thing)] = thing

    def function(self, ref: str, path: str) -> Any:  # noqa: ANN401 - any callable
        """Return a function by its reference.

        Raises:
            UnresolvedReference: if it is not registered.
        """
        return self._look_up(self._functions, ref, path, "function")

    def type(self, name: str, path: str) -> Any:  # noqa: ANN401 - any type form
        """Return a type by its canonical name.

        Raises:
            UnresolvedReference: if it is not registered.
        """
        return self._look_up(self._types, name, path, "type")

    @staticmethod
    def _look_up(table: dict[str, Any], name: str, path: str, what: str) -> Any:  # noqa: ANN401 - as registered
        if name not in table:
            raise UnresolvedReference(
                path,
                found=f"the {what} {name!r}",
                expected=f"a {what} of the registry",
                mend=f"Give it to the registry: Registry({name.rpartition(':')[2]}, ...). Nothing is imported for you.",
            )
        return table[name]
