"""Policies: how often and how long something is tried. Values only; the interpreter decides by them."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from orchestration.failures import kind_name

Jitter = Literal["full", "equal", "none"]
Kinds = type[BaseException] | tuple[type[BaseException], ...]
OnUndoFailure = Literal["hold", "continue", "halt"]


def names_of(kinds: Kinds | tuple[str, ...]) -> tuple[str, ...]:
    """Return exception classes as the names that failures are matched by (S8).

    Raises:
        TypeError: if something else is among them.
    """
    given = kinds if isinstance(kinds, tuple) else (kinds,)
    return tuple(kind if isinstance(kind, str) else _exception_name(kind) for kind in given)


def _exception_name(kind: object) -> str:
    if not isinstance(kind, type) or not issubclass(kind, BaseException):
        raise TypeError(f"expected exception classes, found {kind!r}")
    return kind_name(kind)


def _positive(_: object, field: attrs.Attribute[Any], value: float) -> None:
    if not value > 0:
        message = f"{field.name} must be above 0, found {value!r}"
        raise ValueError(message)


def _not_negative(_: object, field: attrs.Attribute[Any], value: float) -> None:
    if not value >= 0:
        message = f"{field.name} must not be below 0, found {value!r}"
        raise ValueError(message)


@attrs.frozen  # not `frozen`: mypy knows only attrs' own classes to have converters
class Retry:
    """How often something is tried and how long the waits between are (S9).

    `max_attempts` counts the first attempt. Delays are in seconds: the one after the n-th failed attempt is
    `min(max_delay, initial_delay * factor ** (n - 1))`, then jitter: `full` draws from [0, d], `equal` from
    [d/2, d], `none` takes d. The draw is a hash of run id, path and attempt, hence the same when replayed.
    """

    max_attempts: int = attrs.field(default=3, validator=_positive)
    initial_delay: float = attrs.field(default=1.0, validator=_not_negative)
    factor: float = attrs.field(default=2.0, validator=_positive)
    max_delay: float = attrs.field(default=60.0, validator=_not_negative)
    jitter: Jitter = "full"
    retry_on: tuple[str, ...] = attrs.field(default=("Exception",), converter=names_of)
    give_up_on: tuple[str, ...] = attrs.field(default=(), converter=names_of)

    def delay(self, attempt: int, draw: float) -> float:
        """Return the seconds to wait after failed attempt number `attempt` (1 for the first), for a draw in [0, 1)."""
        try:
            bound = min(self.max_delay, self.initial_delay * self.factor ** (attempt - 1))
        except OverflowError:  # a float power past 1e308: the bound is the maximum
            bound = self.max_delay
        if self.jitter == "full":
            return bound * draw
        return bound / 2 + bound / 2 * draw if self.jitter == "equal" else bound
