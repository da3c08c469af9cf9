"""`Keys`: a short key for any value, equal for what goes on equally. It is how `explore` knows a state again.

A state shares most of its parts with the one before, as nothing in it ever changes. So each part is looked at once, and
stands from then on as a number; the key of a state costs as much as what is new in it.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast, final

import attrs
from pydantic import BaseModel
from rpds import HashTrieMap, List

from orchestration.interpreter.effects import OUTPUTS
from orchestration.plan.nodes import NODES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Key: TypeAlias = "int | str"
Parts: TypeAlias = "Callable[[Any], Hashable]"
KNOWN = 500_000  # objects that are known by their identity, which keeps them alive, before all are forgotten
HOME = "orchestration."
PLAIN = {"str", "int", "bool", "float", "str | None", "int | None", "float | None"}  # a field's: it stands for itself


@final
class Keys:
    """Equal keys mean equal values, types included; the other way round it may fail, and then less is known again.

    Functions, nodes and what cannot be compared are equal to themselves alone. Of what is ours, only what takes part in
    comparisons counts; of a user's class, every field does, as a pure function may look at any.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[int, int] = {}
        self._alive: list[object] = []  # what is known by its identity: nothing else gets it
        self._held: list[object] = []  # what is told apart by its identity lives on, so that none is given twice
        self._parts: dict[type, Parts] = {
            tuple: self._in_order,
            list: self._in_order,
            List: self._in_order,
            set: self._in_any_order,
            frozenset: self._in_any_order,
            dict: lambda value: tuple((self.of(key), self.of(item)) for key, item in value.items()),
            HashTrieMap: self._by_key,
            range: lambda value: (value.start, value.stop, value.step),
            **dict.fromkeys(NODES, attrgetter("number")),
        }

    def of(self, value: object) -> Key:
        """Return the key of a value."""
        known = self._known.get(id(value))
        if known is not None:
            return known
        kind = type(value)
        if kind is str or (kind is int and value >= 0):  # type: ignore[operator]  # an int
            return cast("Key", value)
        parts = self._parts.get(kind)
        if parts is None:
            parts = self._parts[kind] = self._parts_of(kind)
        number = self.number((kind, parts(value)))
        if len(self._alive) >= KNOWN:
            self._known.clear()
            self._alive.clear()
        self._known[id(value)] = number
        self._alive.append(value)
        return number

    def number(self, parts: Hashable) -> int:
        """Return the number that stands for some parts."""
        numbers = self._numbers
        number = numbers.get(parts)
        if number is None:
            number = numbers[parts] = ~len(numbers)  # negative: no int of a value is taken for it
        return number

    def without_time(self, event: Any) -> int:  # noqa: ANN401 - an event
        """Return the key of an event, whenever it happened."""
        fields = (field.name for field in attrs.fields(type(event)) if field.name != "at")
        return self.number((type(event), tuple(self.of(getattr(event, name)) for name in fields)))

    # --- what a value consists of

    def _parts_of(self, kind: type) -> Parts:
        if attrs.has(kind):
            return self._fields_of(kind)
        if issubclass(kind, BaseException):
            return lambda value: (self.of(value.args), self.of(vars(value)))
        if dataclasses.is_dataclass(kind):
            return self._named([field.name for field in dataclasses.fields(kind)])
        if issubclass(kind, BaseModel):
            return lambda value: (self.of(vars(value)), self.of(value.model_extra))
        return self._as_it_is

    def _fields_of(self, kind: type) -> Parts:
        fields = attrs.fields(kind)
        if not kind.__module__.startswith(HOME):
            return self._named([field.name for field in fields])
        compared = [field for field in fields if field.eq or field.name == "exception"]
        plain = _reader([field.name for field in compared if field.type in PLAIN])
        rest = self._named([field.name for field in compared if field.type not in PLAIN and field.metadata != OUTPUTS])
        for field in compared:
            if field.metadata == OUTPUTS:
                outputs = attrgetter(field.name)
                return lambda value: (*plain(value), *rest(value), self._outputs(outputs(value)))
        return lambda value: plain(value) + rest(value)

    def _named(self, names: list[str]) -> Callable[[Any], tuple[Key, ...]]:
        read, of, known = _reader(names), self.of, self._known.get
        return lambda value: tuple([known(id(part)) or of(part) for part in read(value)])  # mostly it is known

    def _outputs(self, outputs: object) -> Hashable:
        """Return the parts of a group's outputs: in which order they came changes nothing."""
        return self._in_any_order(outputs) if isinstance(outputs, List) else self.of(outputs)

    def _in_order(self, value: Any) -> Hashable:  # noqa: ANN401 - a sequence
        of, known = self.of, self._known.get
        return tuple([known(id(item)) or of(item) for item in value])

    def _in_any_order(self, value: Any) -> Hashable:  # noqa: ANN401 - a set
        of = self.of
        return frozenset([of(item) for item in value])

    def _by_key(self, value: HashTrieMap[Any, Any]) -> Hashable:
        of, known = self.of, self._known.get
        return frozenset([(key, known(id(item)) or of(item)) for key, item in value.items()])

    def _as_it_is(self, value: Any) -> Hashable:  # noqa: ANN401 - anything else
        try:
            hash(value)
        except TypeError:
            self._held.append(value)
            return id(value)
        return value, repr(value)  # equal and yet not the same: Decimal("1.0") and Decimal("1.00")


def _reader(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what reads these attributes; `attrgetter` gives no tuple of one."""
    if len(names) == 1:
        read = attrgetter(names[0])
        return lambda value: (read(value),)
    return attrgetter(*names) if names else lambda _: ()
