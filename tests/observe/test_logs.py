"""Logging: what a run and its steps say by way of the standard library's `logging`, and of structlog."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import TYPE_CHECKING, Any, get_args

import pytest

from orchestration import Failure, LocalEngine, Retry, Workflow
from orchestration.observe.logs import LEVELS, SENTENCES, StepFilter, add_step, fields, log_hook, sentence
from orchestration.plan.moments import (
    AttemptEnded,
    Moment,
    RunCancelled,
    RunResumed,
    StepBegan,
    StepEnded,
    UndoBegan,
    UndoEnded,
    WorkflowBegan,
    WorkflowEnded,
)

if TYPE_CHECKING:
    from orchestration import Outcome

RESERVED = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
FAILURE = Failure("shop.Declined", "no\n\x1b[31m", "w/a")


async def both(value: Any) -> Any:
    """Do something, and say so."""
    logging.getLogger("shop").info("working")
    return value


def in_a_thread(value: Any) -> Any:
    """Do something elsewhere."""
    logging.getLogger("shop").info("working in a thread")
    return value


async def undo(value: Any) -> None:
    """Undo it."""


async def boom(value: Any) -> Any:
    """Fail."""
    raise ConnectionError("the line is dead")


def run(flow: Any, *hooks: Any, value: object = 1) -> Outcome[Any]:
    """Run a workflow."""
    return asyncio.run(LocalEngine(hooks=hooks).execute(flow, value, run_id="r"))


def test_a_run_as_records(caplog: pytest.LogCaptureFixture) -> None:
    """A sentence each, at a level that tells what wants attention; the same as attributes."""
    flow = Workflow[int]("w").step(both, name="a").compensate(undo)
    flow = flow.step(boom, retry=Retry(max_attempts=2, initial_delay=0, jitter="none"))
    with caplog.at_level(logging.DEBUG, "orchestration"):
        outcome = run(flow, log_hook())
    assert not outcome.hook_failures
    records = [record for record in caplog.records if record.name == "orchestration"]
    assert [(record.levelname, record.getMessage()) for record in records] == [
        ("INFO", "w: began"),
        ("DEBUG", "w/a: begins"),
        ("DEBUG", "w/a: attempt 1 begins"),
        ("DEBUG", "w/a: attempt 1 succeeded"),
        ("INFO", "w/a: succeeded"),
        ("DEBUG", "w/boom: begins"),
        ("DEBUG", "w/boom: attempt 1 begins"),
        ("WARNING", "w/boom: attempt 1 failed: ConnectionError: the line is dead"),
        ("INFO", "w/boom: next attempt in 0 s"),
        ("DEBUG", "w/boom: attempt 2 begins"),
        ("WARNING", "w/boom: attempt 2 failed: ConnectionError: the line is dead"),
        ("WARNING", "w/boom: failed: ConnectionError: the line is dead"),
        ("INFO", "w/a: its undo begins, attempt 1"),
        ("INFO", "w/a: attempt 1 to undo succeeded"),
        ("ERROR", "w: failed: ConnectionError: the line is dead; rollback complete"),
    ]
    failed: Any = records[7]
    assert (failed.run_id, failed.workflow, failed.path, failed.attempt) == ("r", "w", "w/boom", 1)
    assert (failed.moment, failed.how, failed.failure_kind) == ("AttemptEnded", "failed", "ConnectionError")
    assert not any(hasattr(record, "value") for record in records)


def test_what_is_logged_can_be_chosen(caplog: pytest.LogCaptureFixture) -> None:
    """The logger, the points, the level of a kind of moment, and whether values are in it."""
    hook = log_hook(logging.getLogger("mine"), at="step", levels={StepBegan: logging.CRITICAL}, expose=True)
    with caplog.at_level(logging.WARNING, "mine"):
        run(Workflow[int]("w").step(both, name="a"), hook, value=42)
    (record,) = (record for record in caplog.records if record.name == "mine")
    assert (record.levelname, record.getMessage(), vars(record)["value"]) == ("CRITICAL", "w/a: begins", 42)


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (StepEnded("r", "w/a", 1.0, "failed", FAILURE), r"w/a: failed: shop.Declined: no\n\x1b[31m"),
        (AttemptEnded("r", "w/a", 1.0, 2, "timed out"), "w/a: attempt 2 timed out"),
        (UndoBegan("r", "w/a", 1.0, "in_doubt", 1), "w/a: its in-doubt handler begins, attempt 1"),
        (UndoEnded("r", "w/a", 1.0, 3, "lost"), "w/a: attempt 3 to undo lost"),
        (WorkflowEnded("r", "w", 1.0, "succeeded", rollback="not needed"), "w: succeeded"),
        (RunCancelled("r", "w", 1.0, "enough", decided=True), "w: cancelled: enough"),
        (RunCancelled("r", "w", 1.0, "enough", decided=False), "w: cancelled: enough (too late to decide anything)"),
        (RunResumed("r", "w", 1.0, 2), "w: taken up again, by owner number 2"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_sentences(moment: Moment, told: str) -> None:
    """A moment is told in one line, whatever others wrote in it (S33)."""
    assert sentence(moment) == told
    assert sentence(moment).isprintable()


def test_every_moment_has_a_sentence_a_level_and_fields() -> None:
    """A new kind of moment is one row in each table, and none of its fields has a name that records have already."""
    assert set(get_args(Moment)) == LEVELS.keys() == SENTENCES.keys()
    for moment in (WorkflowBegan("r", "w", 1.0), UndoEnded("r", "w/a", 1.0, 1, "failed", FAILURE)):
        assert not fields(moment).keys() & RESERVED
    for kind in get_args(Moment):
        assert not {field.name for field in kind.__attrs_attrs__} & RESERVED


def test_records_of_steps_say_where_they_are_from() -> None:
    """What a body logs has its run, path and attempt, also in a thread; elsewhere they are `None`."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(StepFilter())
    handler.setFormatter(logging.Formatter("%(run_id)s %(path)s %(attempt)s %(message)s"))
    shop = logging.getLogger("shop")
    shop.addHandler(handler)
    shop.setLevel(logging.INFO)
    try:
        run(Workflow[int]("w").step(both, name="a").step(in_a_thread))
        shop.info("outside")
        shop.info("with its own", extra={"run_id": "mine"})
    finally:
        shop.removeHandler(handler)
    assert stream.getvalue().splitlines() == [
        "r w/a 1 working",
        "r w/in_a_thread 1 working in a thread",
        "None None None outside",
        "mine None None with its own",
    ]


def test_structlog_takes_the_fields() -> None:
    """Both ways: what a run logs goes through structlog's formatter, and structlog's own loggers know their step."""
    structlog = pytest.importorskip("structlog", reason="the group `tests` has it")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    chain = [structlog.stdlib.ExtraAdder(), add_step]
    renderer = structlog.processors.JSONRenderer()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processor=renderer))
    log = structlog.wrap_logger(structlog.PrintLogger(stream), [add_step, renderer])
    logger = logging.getLogger("for structlog")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    async def note(value: int) -> int:
        log.info("noted", amount=value)
        return value

    run(Workflow[int]("w").step(note), log_hook(logger, at="step"))
    logger.removeHandler(handler)
    log.info("outside")
    noted, ended, outside = map(json.loads, stream.getvalue().splitlines())
    assert noted == {"amount": 1, "event": "noted", "run_id": "r", "path": "w/note", "attempt": 1}
    assert (ended["event"], ended["how"], ended["path"]) == ("w/note: succeeded", "succeeded", "w/note")
    assert outside == {"event": "outside"}
