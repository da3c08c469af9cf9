"""What the command says: results on stdout; on stderr, escaped for the terminal, errors and how a run ended."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, TextIO, assert_never

from orchestration.errors import OrchestrationError, PlanErrors
from orchestration.observe.terminal import block, escape, escape_json
from orchestration.outcomes import Cancelled, Failed, Outcome, Rollback, Succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.failures import Failure


def say(line: str) -> None:
    """Write a line to stderr, at once."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the command's voice


def show(result: str, stdout: TextIO | None = None) -> None:
    """Write a result to stdout; a reader that has gone away has read enough."""
    file = sys.stdout if stdout is None else stdout
    try:
        print(result, file=file, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())  # or else Python complains when it exits


def show_json(data: object) -> None:
    """Write JSON data to stdout, for people and programs."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    show("\n".join(escape_json(line) for line in text.split("\n")))


def complain(error: OrchestrationError, *, debug: bool) -> None:
    """Say what was wrong with what the command was given."""
    if debug:
        say_traceback(error)
    if isinstance(error, PlanErrors):
        say(f"error: {escape(error.message)}")
        for problem in error.exceptions:
            say(f"  {block(str(problem), '    ')}")
    else:
        say(f"error: {block(str(error))}")


def tell(outcome: Outcome[object], name: str) -> None:
    """Say how a run ended, unless it simply succeeded."""
    match outcome:
        case Succeeded():
            pass
        case Failed():
            say(f"{escape(name)} failed (run {escape(outcome.run_id)})")
            _say_all(_failure_lines(outcome.failure, "  "))
            _say_all(rollback_lines(outcome.rollback))
        case Cancelled():
            say(f"{escape(name)} was cancelled (run {escape(outcome.run_id)}): {escape(outcome.reason)}")
            for failure in outcome.attached:
                _say_all(_failure_lines(failure, "  also "))
            _say_all(rollback_lines(outcome.rollback))
        case _:
            assert_never(outcome)
    for path in outcome.leaked:
        say(f"{escape(path)}: still at work when the run ended, its effect may yet land")


def rollback_lines(rollback: Rollback) -> Iterator[str]:
    """Yield what `str(rollback)` says, each line escaped by itself."""
    yield str(rollback).partition("\n")[0]
    for step in rollback.steps:
        yield f"  {block(str(step), '    ')}"


def say_failure_traceback(failure: Failure) -> None:
    """Show where a failure was raised, and where the failures attached to it were."""
    if failure.exception is not None:
        say_traceback(failure.exception)
    for later in failure.attached:
        say_failure_traceback(later)


def say_traceback(error: BaseException) -> None:
    """Show the traceback of an error."""
    for part in traceback.format_exception(error):
        say(block(part.rstrip("\n")))


def _failure_lines(failure: Failure, lead: str) -> Iterator[str]:
    indent = " " * (len(lead) - len(lead.lstrip()) + 2)
    yield f"{lead}{block(str(failure), indent)}"
    cause = failure.cause
    while cause is not None:
        text = f"{cause.kind}: {cause.message}" if cause.message else cause.kind
        yield f"{indent}caused by {block(text, f'{indent}  ')}"
        cause = cause.cause
    for later in failure.attached:
        yield from _failure_lines(later, f"{indent}also ")


def _say_all(lines: Iterator[str]) -> None:
    for line in lines:
        say(line)
