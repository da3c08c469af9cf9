"""Whether a body leaves its input as it was: values are passed, not copied (S11)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from orchestration.testing.story import value_text

if TYPE_CHECKING:
    from orchestration.interpreter.effects import Attempted

UNKNOWN: Any = object()  # stands for a value that cannot be copied, or is not equal to its copy


class MutatedInput(AssertionError):
    """A body has changed the value that it was given; another step may hold the same one (S11).

    ```python
    def forget(order: Order) -> Order:
        order.lines.clear()
        return order

    try:
        FakeHandler(real=True).run(Workflow[Order]("sale").step(forget), Order())
    except MutatedInput as error:
        print(error)  # the body at sale/forget changed its input
    ```
    """


class Input:
    """What the body of an effect is given, as it was before."""

    def __init__(self, effect: Attempted) -> None:
        """Copy the value, if that can be done."""
        self._effect = effect
        self._before = _copied(effect.value)

    def check(self) -> None:
        """See to it that the value is as it was.

        Raises:
            MutatedInput: if it is not.
        """
        path, value = self._effect.path, self._effect.value
        if self._before is not UNKNOWN and not _equal(self._before, value):
            before, after = value_text(self._before), value_text(value)
            raise MutatedInput(f"the body at {path} changed its input from {before} to {after}; return a new value")


def _copied(value: object) -> object:
    try:
        copied = copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - a foreign __deepcopy__ may raise anything; what cannot be copied is not checked
        return UNKNOWN
    return copied if _equal(copied, value) else UNKNOWN


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - a foreign __eq__ may raise anything; then nothing is known
        return False
