"""Histories that earlier releases have written replay."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from temporalio.client import WorkflowHistory

from orchestration.engines.temporal import replayed
from orchestration.errors import ReplayMismatch
from orchestration.interpreter.events import Started
from tests.temporal.golden import FLOWS, HISTORIES

if TYPE_CHECKING:
    from pathlib import Path

SAVED = sorted(HISTORIES.glob("*.json"))


def history_in(path: Path) -> WorkflowHistory:
    """Read a saved history."""
    return WorkflowHistory.from_json(path.stem.partition("-")[2], path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_a_saved_history_replays(path: Path) -> None:
    """S36: with the code as it is now, the commands are those that the release of the history gave."""
    history = history_in(path)
    events = asyncio.run(replayed(history, FLOWS[history.workflow_id].compile()))
    goes_on = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    assert isinstance(events[0], Started) == (not goes_on)


def test_each_workflow_has_a_history() -> None:
    """A change of a workflow would otherwise leave its history unread."""
    assert {history_in(path).workflow_id for path in SAVED} == set(FLOWS)


def test_a_history_of_another_course_does_not_replay() -> None:
    """S36: with a plan of the same fingerprint that does something else now, the difference is found."""
    history = history_in(next(path for path in SAVED if path.stem.endswith("-groups")))
    plan = FLOWS["groups"].compile()
    scheduled = next(event for event in history.events if event.HasField("activity_task_scheduled_event_attributes"))
    scheduled.activity_task_scheduled_event_attributes.activity_id = "groups/another[0]#1"
    with pytest.raises(ReplayMismatch, match=r"another\[0\]"):
        asyncio.run(replayed(history, plan))
