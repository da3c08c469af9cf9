"""`Registry`: the functions and types that a stored plan may name. Loading looks things up and never imports (S37)."""

from __future__ import annotations

import ast
import contextlib
import inspect
import re
from enum import EnumMeta
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any, Literal, cast, final

from orchestration.errors import UnresolvedReference
from orchestration.plan.body import reference
from orchestration.plan.codec import Codec
from orchestration.plan.library import numbered
from orchestration.plan.typenames import type_name

BUILTINS = (bool, int, float, str, bytes, list, dict, set, frozenset, tuple, object)
LIBRARY = (numbered,)
_VALUE = r"""b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*"|[^\s,|'"\[\]]+"""
VALUE = re.compile(_VALUE)
MODULE = re.compile(r"(?<![\w.])[\w.]+:")  # begins at the beginning of a word only: linear in any text
LITERAL = re.compile(rf"Literal\[((?:{_VALUE})(?:, (?:{_VALUE}))*)\]")


@final
class Registry:
    """Functions by `module:qualname`, types by their canonical name.

    ```python
    registry = Registry(reserve, Order, Reserved)
    text = Workflow[Order]("sale").step(reserve).compile().to_json()
    assert Plan.from_json(text, registry).name == "sale"
    ```

    `Registry(reserve, Payments, list[Order], shop)` takes functions, classes (with their methods), type forms and
    modules: the functions and classes that they define, and, as types only, the classes that they import. Whatever is
    registered as a function can be called by a plan that names it: what a module happens to import is not.
    """

    def __init__(self, *things: object) -> None:
        """Register each of `things`.

        Raises:
            TypeError: if one is neither a type nor has a name to be found by, as a lambda has none.
        """
        self._functions: dict[str, Any] = {}
        self._types: dict[str, Any] = {"None": None, "Any": Any}
        for thing in (*BUILTINS, *LIBRARY, *things):
            if isinstance(thing, ModuleType):
                self._add_all(thing)
            elif not self._add(thing):
                raise TypeError(f"a registry holds functions, classes, type forms and modules, not {thing!r}")

    def _add_all(self, module: ModuleType) -> None:
        """Register what of a module can be: it holds other things as well."""
        for name, member in sorted(vars(module).items()):
            if not name.startswith("__"):
                home = str(getattr(member, "__module__", None))
                self._add(member, to_call=home == module.__name__ or home.startswith(f"{module.__name__}."))

    def _add(self, thing: object, *, to_call: bool = True) -> bool:
        """Register one thing, as a body only if it is `to_call`; return whether it can be."""
        if inspect.isclass(thing):
            self._types[type_name(thing)] = thing
            if not to_call:
                return True
            self._function(thing)  # as a body it makes an instance
            for base in reversed(inspect.getmro(thing)[:-1]):
                for name, member in vars(base).items():
                    if isinstance(member, FunctionType | staticmethod | classmethod):
                        self._function(getattr(base, name))
            return True
        if not inspect.isroutine(thing) and (name := type_name(thing)) != "Any":
            self._types[name] = thing
            return True
        return thing is Any or (to_call and callable(thing) and self._function(thing))

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
        literal = LITERAL.fullmatch(name)
        if literal is not None and name not in self._types:
            values = tuple(self._value(text, name, path) for text in VALUE.findall(literal[1]))
            return cast("Any", Literal)[values]
        return self._look_up(self._types, name, path, "type")

    def _value(self, text: str, name: str, path: str) -> Any:  # noqa: ANN401 - a literal's value
        """Return one value of a literal: plain data, or a member of an enum that is registered."""
        if ":" not in text or text.endswith(("'", '"')):
            with contextlib.suppress(ValueError, SyntaxError, MemoryError):
                return ast.literal_eval(text)
        owner, _, member = text.rpartition(".")
        kind = self._look_up(self._types, owner, path, "type")
        if not isinstance(kind, EnumMeta) or member not in kind.__members__:
            raise UnresolvedReference(
                path,
                found=f"the value {text!r} of {name}",
                expected="a str, int, bool, bytes or a member of an enum of the registry",
                mend="The enum has changed: register the one that has this member, or write the plan again.",
            )
        return kind[member]

    @cached_property
    def codec(self) -> Codec:
        """What reads the values in a plan: it knows the types that are registered."""
        return Codec(tuple(self._types.values()))

    @staticmethod
    def _look_up(table: dict[str, Any], name: str, path: str, what: str) -> Any:  # noqa: ANN401 - as registered
        if name not in table:
            spelled = MODULE.sub("", name)
            raise UnresolvedReference(
                path,
                found=f"the {what} {name!r}",
                expected=f"a {what} of the registry",
                mend=f"Give it to the registry: Registry({spelled}, ...). Nothing is imported for you.",
            )
        return table[name]
