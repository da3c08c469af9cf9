"""The metrics of runs. Their attributes are names of the plan and ends, so that there are few series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.plan.tree import static_path

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from orchestration.failures import Failure


class Metrics:
    """What is counted and measured; durations are in seconds."""

    def __init__(self, meter: Meter) -> None:
        """Make the instruments."""
        self._active = meter.create_up_down_counter("orchestration.run.active", "{run}", "runs under way here")
        self._runs = meter.create_counter("orchestration.runs", "{run}", "runs that have ended")
        self._run = meter.create_histogram("orchestration.run.duration", "s", "how long a run took")
        self._step = meter.create_histogram("orchestration.step.duration", "s", "how long a step took, all attempts")
        self._steps = meter.create_counter("orchestration.steps", "{step}", "steps that have ended")
        self._attempts = meter.create_counter("orchestration.attempts", "{attempt}", "attempts that have ended")
        self._retries = meter.create_counter("orchestration.retries", "{retry}", "attempts that were planned again")
        self._undos = meter.create_counter("orchestration.undos", "{undo}", "attempts to undo that have ended")

    def run_began(self, path: str) -> None:
        """Count a run that is under way."""
        self._active.add(1, {"orchestration.workflow": path})

    def run_left(self, path: str) -> None:
        """Count a run no more that is not under way here any more."""
        self._active.add(-1, {"orchestration.workflow": path})

    def run_ended(self, path: str, how: str, failure: Failure | None, seconds: float | None) -> None:
        """Count the end of a run."""
        attributes = _attributes(path, how, failure)
        self._runs.add(1, attributes)
        if seconds is not None:
            self._run.record(seconds, attributes)

    def step_ended(self, path: str, how: str, failure: Failure | None, seconds: float | None) -> None:
        """Count the end of a step."""
        attributes = _attributes(path, how, failure)
        self._steps.add(1, attributes)
        if seconds is not None:
            self._step.record(seconds, attributes)

    def attempt_ended(self, path: str, how: str, failure: Failure | None) -> None:
        """Count the end of an attempt."""
        self._attempts.add(1, _attributes(path, how, failure))

    def retry_planned(self, path: str) -> None:
        """Count a next attempt: of a step, an undo or a composite."""
        self._retries.add(1, _place(path))

    def undo_ended(self, path: str, how: str, failure: Failure | None) -> None:
        """Count the end of an attempt to undo."""
        self._undos.add(1, _attributes(path, how, failure))


def _place(path: str) -> dict[str, str]:
    return {"orchestration.workflow": path.partition("/")[0], "orchestration.place": static_path(path)}


def _attributes(path: str, how: str, failure: Failure | None) -> dict[str, str]:
    error = {} if failure is None else {"error.type": failure.kind}
    return {**_place(path), "orchestration.outcome": how, **error}
