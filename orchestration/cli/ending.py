"""How a run ended: its value on stdout, or else why there is none on stderr; and the exit code."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from pydantic_core import PydanticSerializationError

from orchestration.cli.exits import Exit
from orchestration.cli.telling import say, say_failure_traceback, show, tell
from orchestration.observe.json_lines import line, outcome_data
from orchestration.observe.terminal import block, escape, escape_json
from orchestration.outcomes import Cancelled, Failed, Succeeded
from orchestration.runtime.boundary import dump_output

if TYPE_CHECKING:
    import argparse

    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan


def end(plan: Plan, outcome: Outcome[object], options: argparse.Namespace) -> Exit:
    """Tell how a run ended, in words or in JSON."""
    if options.debug and isinstance(outcome, Failed):
        say_failure_traceback(outcome.failure)
    tell(outcome, plan.name)
    match outcome:
        case Succeeded():
            return _print(plan, outcome, as_json=options.json)
        case Failed() | Cancelled():
            if options.json:
                show(line(outcome_data(plan, outcome, None)))
            return Exit.FAILED if isinstance(outcome, Failed) else Exit.CANCELLED


def stopped(plan: Plan, stop: BaseException, outcome: Outcome[object] | None) -> Exit:
    """Tell that a step stopped the run, by SystemExit or KeyboardInterrupt."""
    say(f"{escape(plan.name)} was stopped by {escape(repr(stop))}")
    if outcome is not None:
        tell(outcome, plan.name)
    return Exit.CANCELLED if isinstance(stop, KeyboardInterrupt) else Exit.FAILED


def _print(plan: Plan, outcome: Succeeded[object], *, as_json: bool) -> Exit:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydantic's, of a value that is not of the declared type
            text = dump_output(plan, outcome.value)
    except (PydanticSerializationError, ValueError, TypeError) as error:
        say(f"error: {escape(plan.name)}: the run succeeded, but its value has no form in JSON: {block(str(error))}")
        return Exit.FAILED
    show(line(outcome_data(plan, outcome, text)) if as_json else escape_json(text))
    return Exit.SUCCESS
