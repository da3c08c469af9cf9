"""`Failure`: what a failed step leaves behind, the same in every process (S8)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import attrs

from orchestration.frozen import evolve, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_CAUSES = 50  # of one exception: more come from raising again in a loop, and nobody reads them


def kind_name(kind: type) -> str:
    """Return the name by which an exception class is matched: `ValueError`, `shop.errors.Declined` (S8)."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


@frozen
class Failure:
    """Why something failed, as data: comparable, storable, and matched by kind instead of by class (S8).

    ```python
    async def refuse(failure: Failure) -> str: return f"no: {failure.message}"

    polite = Workflow[Order]("polite").step(find_user).pure(lambda user: user.name).recover(refuse, on=LookupError)
    ```

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
        described: Failure | None = None
        for link in reversed(_chain(exception)):
            described = _describe(link, path, described)
        return cast("Failure", described)

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


def _chain(exception: BaseException) -> list[BaseException]:
    """Return an exception and its causes."""
    chain = [exception]
    while len(chain) <= MOST_CAUSES:
        last = chain[-1]
        cause = _read(last, "__cause__")
        if cause is None and not _read(last, "__suppress_context__"):
            cause = _read(last, "__context__")
        if not issubclass(type(cause), BaseException) or any(cause is link for link in chain):
            break
        chain.append(cast("BaseException", cause))
    return chain


def _describe(exception: BaseException, path: str, cause: Failure | None) -> Failure:
    return Failure(
        kind=kind_name(type(exception)),
        message=_message(exception),
        path=path,
        bases=tuple(kind_name(base) for base in type(exception).__mro__[1:] if base is not object),
        cause=cause,
        retry_after=_retry_after(exception),
        exception=exception,
    )


# What follows runs foreign code, which may raise anything, `SystemExit` too: the failure must survive it, or else
# nobody would hear of the end of the step.


def _read(exception: BaseException, name: str) -> object:
    try:
        return getattr(exception, name, None)
    except BaseException:  # noqa: BLE001 - as said above
        return None


def _retry_after(exception: BaseException) -> float | None:
    given = _read(exception, "retry_after")
    try:
        seconds = float(given) if isinstance(given, int | float) else math.nan
    except BaseException:  # noqa: BLE001 - as said above; an int may be too large for a float
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _message(exception: BaseException) -> str:
    try:
        return str(exception)
    except BaseException as broken:  # noqa: BLE001 - as said above
        return f"<no message: {type(broken).__name__} in __str__>"
