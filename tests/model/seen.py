"""What one sees of a run from outside: the same for the model and for the interpreter, so that they can be compared."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from orchestration.failures import Failure
from orchestration.results import Err, NotStarted, Ok
from tests.model.run import Done, Failed, Stopped

if TYPE_CHECKING:
    from tests.model.run import Ended, Fail, Run


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


def told(run: Run, end: Ended) -> Seen:
    """Tell what one sees of a run of the model that has ended."""
    fails = end.fails if isinstance(end, Stopped) else [end.fail] if isinstance(end, Failed) else []
    how = "cancelled" if run.cancelled else "succeeded" if isinstance(end, Done) else "failed"
    flat = [(fail.path, fail.kind) for one in fails for fail in one.flat()]
    return Seen(
        outcome=how,
        value=plain(end.value) if isinstance(end, Done) else None,
        primary=flat[0] if how == "failed" else None,
        attached=tuple(sorted(flat[1:] if how == "failed" else flat)),
        rollback=tuple(run.rollback),
        cleanup_failures=tuple((fail.path, fail.kind) for fail in run.cleanup_failures),
        leaked=tuple(sorted(run.leaked)),
        unused_signals=tuple(sorted(f"{name}:{signal_id}" for name, signal_id, _ in run.letters)),
        trace=tuple(sorted(run.trace)),
        ended_at=run.now,
    )


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
