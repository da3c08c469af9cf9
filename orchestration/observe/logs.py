"""Logging: runs as records of the standard library's `logging`, and records of steps with the step that they are from.

Every record has a sentence for people and the same as attributes (`run_id`, `path`, `attempt`, `how`, …), which JSON
formatters and structlog take from it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import attrs

from orchestration.observe.terminal import escape
from orchestration.plan.hooks import POINTS, observer
from orchestration.plan.moments import (
    REDACTED,
    AttemptBegan,
    AttemptEnded,
    RetryPlanned,
    RunCancelled,
    RunResumed,
    StepBegan,
    StepEnded,
    UndoBegan,
    UndoEnded,
    WorkflowBegan,
    WorkflowEnded,
)
from orchestration.runtime.context import NotInAStep, step_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from orchestration.failures import Failure
    from orchestration.plan.hooks import Hook, Point
    from orchestration.plan.moments import Moment

LOGGER = logging.getLogger("orchestration")
LEVELS: dict[type, dict[str, int]] = {  # by how it ended; what only begins has no end
    WorkflowBegan: {"": logging.INFO},
    WorkflowEnded: {"succeeded": logging.INFO, "cancelled": logging.WARNING, "failed": logging.ERROR},
    StepBegan: {"": logging.DEBUG},
    StepEnded: {"succeeded": logging.INFO, "cancelled": logging.INFO, "": logging.WARNING},
    AttemptBegan: {"": logging.DEBUG},
    AttemptEnded: {"succeeded": logging.DEBUG, "cancelled": logging.DEBUG, "": logging.WARNING},
    RetryPlanned: {"": logging.INFO},
    UndoBegan: {"": logging.INFO},
    UndoEnded: {"succeeded": logging.INFO, "": logging.ERROR},
    RunCancelled: {"": logging.WARNING},
    RunResumed: {"": logging.WARNING},
}


def _ended(moment: Any) -> str:  # noqa: ANN401 - whatever has ended
    failure: Failure | None = moment.failure
    return moment.how if failure is None else f"{moment.how}: {f'{failure.kind}: {failure.message}'.removesuffix(': ')}"


SENTENCES: dict[type, Callable[[Any], str]] = {
    WorkflowBegan: lambda _: "began",
    WorkflowEnded: lambda m: f"{_ended(m)}{'' if m.rollback in (None, 'not needed') else f'; rollback {m.rollback}'}",
    StepBegan: lambda _: "begins",
    StepEnded: _ended,
    AttemptBegan: lambda m: f"attempt {m.attempt} begins",
    AttemptEnded: lambda m: f"attempt {m.attempt} {_ended(m)}",
    RetryPlanned: lambda m: f"next attempt in {m.due - m.at:.3g} s",
    UndoBegan: lambda m: f"{'its undo' if m.by == 'undo' else 'its in-doubt handler'} begins, attempt {m.attempt}",
    UndoEnded: lambda m: f"attempt {m.attempt} to undo {_ended(m)}",
    RunCancelled: lambda m: f"cancelled: {m.reason}" + ("" if m.decided else " (too late to decide anything)"),
    RunResumed: lambda m: f"taken up again, by owner number {m.epoch}",
}


def log_hook(
    logger: logging.Logger | logging.LoggerAdapter[Any] = LOGGER,
    *,
    at: Point | tuple[Point, ...] = POINTS,
    levels: Mapping[type, int] | None = None,
    expose: bool = False,
) -> Hook:
    """Return an observer that logs what happens, for an engine, a workflow or a step.

    `at` are the points that are logged. `levels` gives another level for a kind of moment, however it ended:
    `{StepBegan: logging.INFO}`. With `expose` records have values, their secrets masked (S33).
    """
    given = dict(levels or {})

    async def log(moment: Moment) -> None:  # `async`: a record is made in the loop, as by any other code there
        level = given.get(type(moment), level_of(moment))
        if logger.isEnabledFor(level):
            logger.log(level, "%s", sentence(moment), extra=fields(moment))

    return observer(log, at=at, expose=expose)


def level_of(moment: Moment) -> int:
    """Return how important a moment is."""
    levels = LEVELS[type(moment)]
    return levels.get(getattr(moment, "how", ""), levels.get("", logging.INFO))


def sentence(moment: Moment) -> str:
    """Return what happened as one line, without control characters: nothing in it can pose as a line of its own."""
    return escape(f"{moment.path}: {SENTENCES[type(moment)](moment)}")


def fields(moment: Moment) -> dict[str, object]:
    """Return what happened as attributes of a record; `failure` becomes two texts, what is not shown is left out."""
    known: Any = moment
    told = {field.name: getattr(moment, field.name) for field in attrs.fields(type(known))}
    failure: Failure | None = told.pop("failure", None)
    if failure is not None:
        told |= {"failure_kind": failure.kind, "failure_message": failure.message}
    shown = {name: value for name, value in told.items() if value is not None and value is not REDACTED}
    return {"moment": type(moment).__name__, "workflow": moment.path.partition("/")[0], **shown}


class StepFilter(logging.Filter):
    """Gives each record the `run_id`, `path` and `attempt` of the step that it is from, or `None`: for handlers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the attributes that a record does not have yet; every record passes."""
        for name, value in step_fields().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


def add_step(_logger: object, _method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the `run_id`, `path` and `attempt` of the step that runs here: a processor for structlog."""
    for name, value in step_fields().items():
        if value is not None:
            event_dict.setdefault(name, value)
    return event_dict


def step_fields() -> dict[str, str | int | None]:
    """Return the `run_id`, `path` and `attempt` of the step that runs here, `None` for each where none does."""
    try:
        here = step_context()
    except NotInAStep:
        return {"run_id": None, "path": None, "attempt": None}
    return {"run_id": here.run_id, "path": here.path, "attempt": here.attempt}
