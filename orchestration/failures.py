"""`Failure`: what a failed step leaves behind, the same in every process (S8)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from orchestration.frozen import evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable


def kind_name(kind: type) -> str:
    """Return the name by which an exception class is matched: `ValueError`, `shop.errors.Declined` (S8)."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


@frozen
class Failure:
    """Why something failed, as data: comparable, storable, and matched by kind instead of by class (S8).

    `kind` is the qualified name of the exception's class, `bases` those of all its base classes, `cause` the failure
    that it was raised from, `attached` later failures of the same run part (the first stays primary), `retry_after`
    the seconds that the exception asks to be left alone for (S9). `exception` is there only in the process where it
    was raised, and takes no part in comparisons.
    """

    kind: str
    message: str
    path: str
    bases: tuple[str, ...] = ()
    cause: Failure | None = None
    attached: tuple[Failure, ...] = ()
    retry_after: float | None = None
    exception: BaseException | None = attrs.field(default=None, eq=False, repr=False)

    @staticmethod
    def of(exception: BaseException, path: str) -> Failure:
        """Describe an exception that was raised at `path`."""
        return _describe(exception, path, frozenset())

    def matches(self, kinds: Iterable[str]) -> bool:
        """Tell whether this failure is of one of `kinds`, subclasses included."""
        return any(kind == self.kind or kind in self.bases for kind in kinds)

    def attach(self, later: Iterable[Failure]) -> Failure:
        """Return this failure with later ones attached; this one stays primary (S8)."""
        more = tuple(later)
        return evolve(self, attached=self.attached + more) if more else self

    def __str__(self) -> str:
        """Say where, what and why in one line."""
        return f"{self.path}: {self.kind}: {self.message}" if self.message else f"{self.path}: {self.kind}"


def _describe(exception: BaseException, path: str, seen: frozenset[int]) -> Failure:
    cause: Any = exception.__cause__
    if cause is None and not exception.__suppress_context__:
        cause = exception.__context__
    known = seen | {id(exception)}
    return Failure(
        kind=kind_name(type(exception)),
        message=_message(exception),
        path=path,
        bases=tuple(kind_name(base) for base in type(exception).__mro__[1:] if base is not object),
        cause=None if cause is None or id(cause) in known else _describe(cause, path, known),
        retry_after=_retry_after(exception),
        exception=exception,
    )


def _retry_after(exception: BaseException) -> float | None:
    seconds = getattr(exception, "retry_after", None)
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        return None
    return float(seconds)


def _message(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception as broken:  # noqa: BLE001 - a foreign __str__ may raise anything; the failure must survive it
        return f"<no message: {type(broken).__name__} in __str__>"
