"""`orchestration submit`: begin a durable run that a worker is to drive."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from orchestration.cli.distant import add_temporal, on_temporal
from orchestration.cli.exits import Exit
from orchestration.cli.input import read_input
from orchestration.cli.journals import add_cipher, add_journal, find_cipher, opened
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.misuse import Misuse
from orchestration.cli.run import add_input
from orchestration.cli.telling import show
from orchestration.errors import RunExists
from orchestration.interpreter.events import Started
from orchestration.journal.opening import create, look_equal
from orchestration.observe.terminal import escape
from orchestration.runtime.durable import durable_plan

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("reference", metavar="WORKFLOW", help=FORM)
    add_input(parser)
    parser.add_argument("--run-id", metavar="ID", help="the id of the run (default: a new one)")
    add_journal(parser)
    add_cipher(parser)
    add_temporal(parser, queue=True)


def submit(options: argparse.Namespace) -> Exit:
    """Begin a run and print its id. Its services are the worker's affair, so that no engine is needed here."""
    there = on_temporal(options)
    if there is not None:
        return there(options)
    workflow, module = load_workflow(options.reference)
    plan = durable_plan(workflow.compile(), find_cipher(options.cipher, module))
    value = read_input(plan, options.input)
    run_id = uuid.uuid4().hex if options.run_id is None else _usable(options.run_id)
    event = Started(plan.name, time.time(), run_id, value)
    with opened(options, new=True) as journal:
        try:
            create(journal, plan, event, None)
        except RunExists:
            look_equal(journal, plan, event)
    show(escape(run_id))
    return Exit.SUCCESS


def _usable(run_id: str) -> str:
    if not run_id or ":" in run_id or not run_id.isprintable():
        expected = "a text of printable characters without a colon"
        raise Misuse("--run-id", found=repr(run_id), expected=expected, mend="Choose another id.")
    return run_id
