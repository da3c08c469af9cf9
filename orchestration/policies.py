"""Policies: how often and how long something is tried. Values only; the interpreter decides by them."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from orchestration.failures import kind_name

Jitter = Literal["full", "equal", "none"]
Kinds = type[BaseException] | tuple[type[BaseException], ...]
OnUndoFailure = Literal["hold", "continue", "halt"]
OnPartial = Literal["fail", "continue"]


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

    ```python
    patient = Retry(max_attempts=5, initial_delay=0.5, max_delay=10, retry_on=(ConnectionError, TimeoutError))
    sale = Workflow[Order]("sale").step(find_user, retry=patient)
    ```

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


def _at_least_zero(_: object, field: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value >= 0:
        message = f"{field.name} must not be below 0, found {value!r}"
        raise ValueError(message)


@attrs.frozen  # not `frozen`: it has validators
class Tolerate:
    """A group goes on in spite of failed members, up to `count` of them or a `ratio` of all (S18); see `tolerate`."""

    count: int | None = attrs.field(default=None, validator=_at_least_zero)
    ratio: float | None = attrs.field(default=None, validator=_at_least_zero)

    def allows(self, failed: int, total: int | None) -> bool:
        """Tell whether so many failures are tolerated; `total` is not known of a stream that has not ended."""
        if self.count is not None:
            return failed <= self.count
        return total is None or failed <= (self.ratio or 0.0) * total

    def __str__(self) -> str:
        """Say how much is tolerated."""
        return f"{self.count}" if self.count is not None else f"{self.ratio:.0%}"


Mode = Literal["fail_fast", "collect", "race"] | Tolerate


def tolerate(*, count: int | None = None, ratio: float | None = None) -> Tolerate:
    """Return the failure mode that fails as soon as strictly more than `count`, or than `ratio` of all, failed (S18).

    ```python
    most = Workflow[list[int]]("weights").map(weigh, on_error=tolerate(ratio=0.1))
    ```

    Raises:
        ValueError: if neither or both are given, or one is negative.
    """
    if (count is None) == (ratio is None):
        message = f"tolerate takes one of count and ratio, found count={count!r}, ratio={ratio!r}"
        raise ValueError(message)
    return Tolerate(count, ratio)
