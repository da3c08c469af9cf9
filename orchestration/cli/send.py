"""`orchestration signal` and `orchestration cancel`: letters into the inbox of a durable run (S38)."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from orchestration.cli.distant import add_temporal, on_temporal
from orchestration.cli.exits import Exit
from orchestration.cli.journals import add_cipher, add_journal, find_cipher, opened
from orchestration.cli.loading import FORM, load_workflow
from orchestration.cli.misuse import Misuse
from orchestration.cli.telling import show
from orchestration.cli.words import clock
from orchestration.observe.terminal import escape
from orchestration.plan.codec import Codec
from orchestration.plan.typenames import type_name
from orchestration.runtime.boundary import adapter_of, validate_signal
from orchestration.runtime.durable import durable_plan, state_of
from orchestration.runtime.inbox import VERSION, cancel_text, kind_of, signal_text
from orchestration.signals import Signal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from orchestration.journal.protocol import Head, Journal


def configure_signal(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("run_id", metavar="RUN", help="the id of the run")
    parser.add_argument("name", metavar="NAME", help="the name of the signal")
    parser.add_argument("payload", metavar="JSON", help="its payload")
    parser.add_argument("--id", metavar="ID", help="the id of the signal: the same counts once (default: a new one)")
    parser.add_argument("--workflow", metavar="WORKFLOW", help=f"what the payload is checked against: {FORM}")
    add_journal(parser)
    add_cipher(parser)
    add_temporal(parser, queue=True)


def configure_cancel(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("run_id", metavar="RUN", help="the id of the run")
    parser.add_argument("--reason", default="cancelled by the command", help="why (default: %(default)s)")
    add_journal(parser)
    add_temporal(parser)


def signal(options: argparse.Namespace) -> Exit:
    """Send a signal to a run, whoever has it."""
    there = on_temporal(options)
    if there is not None:
        return there(options)
    signal_id = uuid.uuid4().hex if options.id is None else options.id
    with opened(options) as journal:
        head = _unfinished(journal, options.run_id)
        if options.workflow is None:
            text, kind = _unchecked(journal, head, options, signal_id)
            note = f"; its type {kind} was not looked at: --workflow does" if kind not in ("Any", "object") else ""
        else:
            text, note = _checked(head, options, signal_id), ""
        journal.post(head.run_id, text)
        show(escape(f"{head.run_id}: the signal {options.name!r} is in its inbox{_when(journal, head)}{note}"))
    return Exit.SUCCESS


def cancel(options: argparse.Namespace) -> Exit:
    """Cancel a run, whoever has it."""
    there = on_temporal(options)
    if there is not None:
        return there(options)
    with opened(options) as journal:
        head = _unfinished(journal, options.run_id)
        journal.post(head.run_id, cancel_text(options.reason))
        show(escape(f"{head.run_id}: the cancel is in its inbox{_when(journal, head)}"))
    return Exit.SUCCESS


def _unfinished(journal: Journal, run_id: str) -> Head:
    head = journal.head(run_id)
    if head.status != "unfinished":
        mend = "It is too late: look at how it ended with `orchestration show`."
        raise Misuse(run_id, found=f"a run that has ended ({head.status})", expected="one that goes on", mend=mend)
    return head


def _when(journal: Journal, before: Head) -> str:
    """Say when a letter will be read."""
    head = journal.head(before.run_id)
    if not head.is_free(time.time()):
        return f", which {head.owner} reads or, if that is dead, whoever takes the run over after {clock(head.until)}"
    return "; nobody has the run: it takes effect when it is taken up, by `resume` or a worker"


def _checked(head: Head, options: argparse.Namespace, signal_id: str) -> str:
    """Return the letter of a signal whose payload fits the workflow."""
    workflow, module = load_workflow(options.workflow)
    plan = durable_plan(workflow.compile(), find_cipher(options.cipher, module))
    if plan.name != head.plan:
        mend = "Name the workflow that the run was begun with."
        raise Misuse(options.workflow, found=plan.name, expected=f"{head.plan}, of which the run is", mend=mend)
    kind = kind_of(plan, options.name)
    value = payload_of(options, kind)
    known: Signal[Any] = Signal(options.name, kind)
    return signal_text(plan, options.name, signal_id, validate_signal(plan, state_of(head), known, value))


def payload_of(options: argparse.Namespace, kind: Any) -> object:  # noqa: ANN401 - a type, or Any
    """Return the payload that was given for a signal of this type.

    Raises:
        Misuse: if it does not fit.
    """
    adapter = adapter_of(kind) or TypeAdapter(Any)
    try:
        return adapter.validate_json(options.payload)
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, part['loc'])) or 'value'}: {part['msg']}" for part in error.errors(include_input=False)
        )
        mend = "Send a payload of that type."
        raise Misuse(f"the signal {options.name!r}", found=found, expected=type_name(kind), mend=mend) from None


def _unchecked(journal: Journal, head: Head, options: argparse.Namespace, signal_id: str) -> tuple[str, str]:
    """Return the letter of a signal that the run's plan tells of, as plain data, and the name of its type."""
    plan = journal.plan(head.fingerprint)
    kinds = dict(_signals_in(json.loads(plan) if plan is not None else None))
    if options.name not in kinds:
        raise Misuse(
            f"the signal {options.name!r}",
            found=f"a plan of {head.plan} that waits for {', '.join(map(repr, kinds)) or 'no signal at all'}",
            expected="one of those" if kinds else "a run that waits for one",
            mend="Look at the spelling; --workflow asks the workflow as it is now.",
        )
    try:
        payload = json.loads(options.payload)
    except (ValueError, RecursionError) as error:
        mend = "Write text in quotes of its own: '\"text\"'."
        raise Misuse(f"the signal {options.name!r}", found=str(error), expected="JSON", mend=mend) from error
    encoded = Codec(()).encode(payload)  # so that no data poses as one of the codec's tags
    return json.dumps({"v": VERSION, "signal": options.name, "id": signal_id, "payload": encoded}), kinds[options.name]


def _signals_in(data: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a plan's JSON
    """Yield the signals that a plan waits for, each with the name of its type."""
    if isinstance(data, dict):
        if data.get("is") == "WaitFor":
            yield str(data["signal"]), str(data.get("kind", "object"))
        for part in data.values():
            yield from _signals_in(part)
    elif isinstance(data, list):
        for part in data:
            yield from _signals_in(part)
