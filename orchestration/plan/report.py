"""`Report`: where the passes over a plan put what they find wrong, so that all of it is told at once (S6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from orchestration.errors import PlanError, PlanErrors
from orchestration.plan.typenames import type_name
from orchestration.plan.types import Fit, fits

if TYPE_CHECKING:
    from orchestration.plan.body import Body


def said(body: Body) -> str:
    """Name a body as a person would: `charge`, `a lambda`."""
    return body.name or f"a {body.kind}"


class Report:
    """A list of problems that grows."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self.problems: list[PlanError] = []
        self.warnings: list[str] = []

    def add(self, path: str, *, found: str, expected: str, mend: str) -> None:
        """Note one problem."""
        self.problems.append(PlanError(path, found=found, expected=expected, mend=mend))

    def warn(self, path: str, *, found: str, expected: str, mend: str) -> None:
        """Note what is allowed, but hardly meant."""
        self.warnings.append(f"{path}: found {found}; expected {expected}. {mend}")

    def fit(
        self, path: str, produced: object, expected: object, *, source: str, body: Body, gets: str | None = None
    ) -> None:
        """Note a problem if a value of type `produced`, from `source`, cannot go into `body` (S6: only a misfit).

        `gets` says what such a body is called with, where nothing can be put before it.
        """
        if fits(produced, expected) is Fit.MISFITS:
            self.add(
                path,
                found=f"{type_name(produced)} from {source}",
                expected=f"{type_name(expected)}, which {said(body)} takes",
                mend=f"{gets}: change one of the two."
                if gets
                else f"Change one of the two, or convert the value with .pure(...) before {said(body)}.",
            )

    def callable(self, path: str, body: Body, *, role: str) -> None:
        """Note a problem if a body cannot be called with the values that its role gives it (S7)."""
        values = f"{body.arity} value{'' if body.arity == 1 else 's'}"
        expected = f"{role} that takes {values}"
        if not callable(cast("object", body.call)):
            mend = "Pass a function, a service's method or a workflow."
            self.add(path, found=f"{body.call!r}, which cannot be called", expected=expected, mend=mend)
        elif not body.accepts(body.arity + (body.kind == "method")):
            self.add(
                path,
                found=f"{said(body)}, which cannot be called with {values}",
                expected=expected,
                mend=_arity_mend(body),
            )

    def synchronous(self, path: str, body: Body, *, role: str) -> None:
        """Note a problem if a function that the interpreter evaluates is async or a service's method (S7)."""
        if body.asynchronous or body.kind == "method":
            self.add(
                path,
                found=f"{said(body)}, {'an async function' if body.asynchronous else 'a method of a service'}",
                expected=f"a plain, deterministic function as {role}: the interpreter calls it itself",
                mend="Use .step(...) for an effect, and let this function read its result.",
            )

    def close(self, name: str) -> None:
        """Raise all problems.

        Raises:
            PlanErrors: if there are any.
        """
        if self.problems:
            count = len(self.problems)
            raise PlanErrors(f"workflow {name!r} has {count} problem{'' if count == 1 else 's'}", self.problems)


def _arity_mend(body: Body) -> str:
    if body.arity == 1 and body.accepts(2):
        return "Only a method of a class may take a second value (its service); fold, join and enrich take combiners."
    return "Give it that many positional parameters, or defaults for the others."
