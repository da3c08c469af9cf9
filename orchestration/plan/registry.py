"""`Registry`: the functions and types that a stored plan may name. Loading looks things up and never imports (S37)."""

from __future__ import annotations

import inspect
import re
from types import FunctionType, ModuleType
from typing import Any, final

from orchestration.errors import UnresolvedReference
from orchestration.plan.body import reference
from orchestration.plan.typenames import type_name

BUILTINS = (bool, int, float, str, bytes, list, dict, set, frozenset, tuple, object)


@final
class Registry:
    """Functions by `module:qualname`, types by their canonical name.

    `Registry(reserve, Payments, list[Order], shop)` takes functions, classes (with their methods), type forms and
    modules (with all that they hold).
    """

    def __init__(self, *things: object) -> None:
        """Register each of `things`.

        Raises:
            TypeError: if one is neither a type nor has a name to be found by, as a lambda has none.
        """
        self._functions: dict[str, Any] = {}
        self._types: dict[str, Any] = {"None": None, "Any": Any}
        for thing in (*BUILTINS, *things):
            if isinstance(thing, ModuleType):
                for name, member in sorted(vars(thing).items()):
                    if not name.startswith("__"):
                        self._add(member)  # if it can be: a module holds other things as well
            elif not self._add(thing):
                raise TypeError(f"a registry holds functions, classes, type forms and modules, not {thing!r}")

    def _add(self, thing: object) -> bool:
        """Register one thing; return whether it can be."""
        if inspect.isclass(thing):
            self._types[type_name(thing)] = thing
            self._function(thing)  # as a body it makes an instance
            for base in reversed(inspect.getmro(thing)[:-1]):
                for name, member in vars(base).items():
                    if isinstance(member, FunctionType | staticmethod | classmethod):
                        self._function(getattr(base, name))
            return True
        if not inspect.isroutine(thing) and (name := type_name(thing)) != "Any":
            self._types[name] = thing
            return True
        return thing is Any or (callable(thing) and self._function(thing))

    def _function(self, thing: Any) -> bool:  # noqa: ANN401 - any callable
        ref = reference(thing)
        if ref is not None:
            self._functions[ref] = thing
        return ref is not None

    def function(self, ref: str, path: str) -> Any:  # noqa: ANN401 - any callable
        """Return a function by its reference.

        Raises:
            UnresolvedReference: if it is not registered.
        """
        if ":" not in ref:
            raise UnresolvedReference(
                path,
                found=f"a {ref}" if ref else "a function without a reference",
                expected="a function of the registry",
                mend="It has no name to be found by: define it with def in a module, and write the plan again.",
            )
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
            spelled = re.sub(r"[\w.]+:", "", name)  # without modules
            raise UnresolvedReference(
                path,
                found=f"the {what} {name!r}",
                expected=f"a {what} of the registry",
                mend=f"Give it to the registry: Registry({spelled}, ...). Nothing is imported for you.",
            )
        return table[name]
