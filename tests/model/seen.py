"""What one sees of a run from outside: the same for the model and for the interpreter, so that they can be compared."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from orchestration.failures import Failure
from orchestration.results import Err, NotStarted, Ok

if TYPE_CHECKING:
    from tests.model.run import Fail


@dataclass(frozen=True)
class Seen:
    """A run, seen from outside. `trace` are the effects with their times; failures are pairs of path and kind."""

    outcome: str
    value: object
    primary: tuple[str, str] | None
    attached: tuple[tuple[str, str], ...]
    rollback: tuple[tuple[str, str], ...]
    cleanup_failures: tuple[tuple[str, str], ...]
    leaked: tuple[str, ...]
    unused_signals: tuple[str, ...]
    trace: tuple[tuple[float, str, str, int], ...]
    ended_at: float

    def differences(self, other: Seen) -> str:
        """Tell field by field where two differ; empty if they do not."""
        lines = []
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if mine != theirs:
                lines.append(f"{field.name}:\n    model:       {mine}\n    interpreter: {theirs}")
        return "\n".join(lines)


def failure_of(fail: Fail) -> Failure:
    """Return what a recovering body gets and an `Err` holds."""
    return Failure(fail.kind, "", fail.path)


def plain(value: Any) -> object:
    """Return a value with each failure in it as a pair of path and kind."""
    match value:
        case Ok():
            return ("ok", plain(value.value))
        case Err():
            return ("err", plain(value.failure))
        case NotStarted():
            return ("not started", value.because_of)
        case Failure():
            return (value.path, value.kind)
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value
