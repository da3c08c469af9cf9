"""Secrets in values: fields that are marked as such, masked wherever a value is shown (S33).

They are those of type `SecretStr`, `SecretBytes` or `Secret` of pydantic, and those of any class that are marked by
their annotation: `number: Annotated[str, Secret]`, or an alias or union that has the mark somewhere in it.
"""

from __future__ import annotations

import copy
import re
import reprlib
import types
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NewType, cast, final, get_args, get_origin

import pydantic

from orchestration.plan.typenames import hint_of
from orchestration.plan.types import is_alias, module_names, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = "**********"
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_STATED: dict[type, object] = {
    pydantic.SecretStr: pydantic.SecretStr(MASK),
    pydantic.SecretBytes: pydantic.SecretBytes(MASK.encode()),
    pydantic.Secret: pydantic.Secret(MASK),
}
_PLAIN = (
    *(type(None), str, bytes, int, float, type),
    *(types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType),
)


@final
class Secret:
    """Marks a field whose value is not shown: `Annotated[str, Secret]` (S33).

    ```python
    from typing import Annotated

    @dataclass(frozen=True)
    class Login:
        name: str
        password: Annotated[str, Secret]

    flow = Workflow[Login]("login").pure(lambda login: login.name)
    ```
    """


def masked(value: object) -> object:
    """Return a value without its secrets: a copy as far as there are some in it, and else the value itself.

    What is looked into are records, the attributes of other objects, and the standard containers.

    Raises:
        ValueError: if something that holds a secret cannot be copied, or is nested too deep to be looked into.
    """
    try:
        return _Masking().of(value)
    except RecursionError:
        raise ValueError("a value nested too deep to be looked into for secrets") from None


def text_of(value: object) -> str:
    """Return a short text of a value for a message, without its secrets and without addresses in memory (S2)."""
    try:
        return _ADDRESS.sub("", reprlib.repr(masked(value)))
    except Exception:  # noqa: BLE001 - a foreign __copy__ may raise anything; the message can do without
        return f"a {type(value).__qualname__}"


class _Masking:
    """One call of `masked`: what became of each object, and those that contain themselves."""

    def __init__(self) -> None:
        self.done: dict[int, object] = {}
        self.cyclic: set[int] = set()
        self.alive: list[object] = []  # as long as an id stands for an object

    def of(self, value: object) -> object:
        if isinstance(value, _PLAIN):
            return value
        for kind, mask in _STATED.items():
            if isinstance(value, kind):
                return mask
        key = id(value)
        if key in self.done:
            if self.done[key] is self:  # it is being looked at
                self.cyclic.add(key)
                return value
            return self.done[key]
        self.alive.append(value)
        self.done[key] = self
        result = self.done[key] = self.contents(value)
        if result is not value and key in self.cyclic:
            raise ValueError(f"a {type(value).__qualname__} that contains itself cannot be masked")
        return result

    def contents(self, value: object) -> object:
        kind: Any = type(value)
        items: list[object] | None
        match value:
            case dict():
                flat = [item for pair in cast("dict[object, object]", value).items() for item in pair]
                items = self.changed(flat)
                pairs = [] if items is None else zip(items[::2], items[1::2], strict=True)
                result: Any = value if items is None else _refilled(value, pairs, "update")
            case tuple():
                secret = secret_fields(kind)
                names = getattr(kind, "_fields", ())
                items = self.changed(value, [index for index, name in enumerate(names) if name in secret])
                result = value if items is None else tuple.__new__(kind, items)
            case frozenset():
                items = self.changed(cast("frozenset[object]", value))
                result = value if items is None else kind(items)
            case list() | deque() | set():
                items = self.changed(cast("Iterable[object]", value))
                result = value if items is None else _refilled(value, items, "extend", "update")
            case _:
                result = value
        return self.attributes(result)

    def changed(self, items: Iterable[object], secret: Iterable[int] = ()) -> list[object] | None:
        """Return what becomes of items, `None` if nothing does."""
        before = list(items)
        after = [MASK if index in secret else self.of(item) for index, item in enumerate(before)]
        return None if all(one is other for one, other in zip(before, after, strict=True)) else after

    def attributes(self, value: object) -> object:
        """Mask what hangs on an object by name: the fields of a record, or whatever an object has."""
        kind: Any = type(value)
        secret, changes = secret_fields(kind), {}
        for name, item in _attributes(value):
            after = MASK if name in secret else self.of(item)
            if name == "__pydantic_private__" and item is not None:
                after = {key: MASK if key in secret else self.of(part) for key, part in cast("Any", item).items()}
                after = item if after == item else after
            if after is not item:
                changes[name] = after
        if not changes:
            return value
        twin = _twin(value)
        for name, item in changes.items():
            object.__setattr__(twin, name, item)  # a frozen record is no less a secret
        return twin


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    yield from list(getattr(value, "__dict__", {}).items())
    for base in type(value).__mro__:
        slots = vars(base).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            name = f"_{base.__name__.lstrip('_')}{slot}" if slot.startswith("__") and not slot.endswith("__") else slot
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)


def _twin(value: object) -> object:
    """Return a shallow copy; some classes return the object itself, which must not be changed."""
    twin = copy.copy(value)
    if twin is value or type(twin) is not type(value):
        raise ValueError(f"a {type(value).__qualname__} with a secret in it cannot be copied")
    return twin


def _refilled(value: object, items: Iterable[object], *methods: str) -> object:
    """Return a copy of a container with other items."""
    twin: Any = _twin(value)
    twin.clear()
    next(getattr(twin, method) for method in methods if hasattr(twin, method))(items)
    return twin


@lru_cache(maxsize=1024)
def secret_fields(kind: type) -> frozenset[str]:
    """Return the names of the fields of a class that are marked as secret.

    Where an annotation cannot be resolved (a name under `TYPE_CHECKING`), one that says `Secret` counts as marked.
    """
    marked: set[str] = set()
    for base in reversed(kind.__mro__):
        for name, text in vars(base).get("__annotations__", {}).items():
            hint = hint_of(kind, name)
            if is_marked(hint) or (hint is Any and "Secret" in str(text)):
                marked.add(name)
    fields: dict[str, Any] = getattr(kind, "__pydantic_fields__", {})
    marked.update(name for name, field in fields.items() if any(map(is_marked, (field.annotation, *field.metadata))))
    return frozenset(marked)


def is_marked(hint: object, within: tuple[object, ...] = ()) -> bool:
    """Tell whether an annotation has the mark somewhere in it."""
    if hint is Secret or isinstance(hint, Secret):
        return True
    if is_alias(hint):
        alias: Any = get_origin(hint) or hint
        if alias in within:  # an alias that names itself
            return False
        within = (*within, alias)
        hint = resolve(alias.__value__, module_names(alias))
    if isinstance(hint, NewType):
        return is_marked(hint.__supertype__, within)
    return any(is_marked(part, within) for part in get_args(hint))
