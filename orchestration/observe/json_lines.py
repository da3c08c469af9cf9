"""`JsonLines`: each event of a run as a line of JSON, for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orchestration.frozen import evolve
from orchestration.interpreter.serial import to_data
from orchestration.journal.records import VALUES_OF
from orchestration.observe.terminal import escape_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.engine import Turned
    from orchestration.interpreter.events import AnyEvent
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan

HIDDEN = "…"  # stands for a value (S33)


class JsonLines:
    """Writes the events of a run, without their values."""

    def __init__(self, plan: Plan, write: Callable[[str], object]) -> None:
        """Write with `write`, which gets one line, without its end, at a time."""
        self._plan = plan
        self._write = write

    def take(self, turned: Turned) -> None:
        """Take the next turn of the run."""
        self._write(line(event_data(self._plan, turned.event)))

    def __enter__(self) -> JsonLines:  # noqa: PYI034 - nobody derives from it
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End; there is nothing left to write."""


def event_data(plan: Plan, event: AnyEvent) -> dict[str, Any]:
    """Return an event as JSON data, as a journal keeps it, without its value."""
    name = VALUES_OF.get(type(event))
    if name is None:
        return _data(plan, event)
    return _data(plan, evolve(event, **{name: None})) | {name: HIDDEN}


def outcome_data(plan: Plan, outcome: Outcome[object], value: str | None) -> dict[str, Any]:
    """Return an outcome as JSON data, with its value as the JSON text `value` says it."""
    if value is None:
        return _data(plan, outcome)
    return _data(plan, evolve(outcome, value=None)) | {"value": json.loads(value)}


def line(data: dict[str, Any]) -> str:
    """Return JSON data as one line that is safe for a terminal."""
    return escape_json(json.dumps(data, ensure_ascii=False))


def _data(plan: Plan, part: Any) -> dict[str, Any]:  # noqa: ANN401 - an event or an outcome
    data: Any = to_data(plan, part, part.run_id if not hasattr(part, "path") else part.path)
    return data  # type: ignore[no-any-return]  # what has fields is an object
