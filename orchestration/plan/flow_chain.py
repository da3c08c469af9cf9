"""Rows of `flow`: a workflow, and what stands in its chain: recover, cleanup, pivot, sleep, signals (S19-S21, S27)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ForwardRef, cast

from orchestration.failures import Failure
from orchestration.plan import options
from orchestration.plan.here import Arguments
from orchestration.plan.shapes import either
from orchestration.plan.typenames import type_name
from orchestration.plan.types import Fit, fits, plain
from orchestration.policies import OnPartial, OnUndoFailure

if TYPE_CHECKING:
    from orchestration.plan.here import Here
    from orchestration.plan.nodes import Cleanup, Pivot, Recover, Scope, Sleep, WaitFor

# A cancel ends a run and is never recovered (S20); nor is what stops the process (S8).
NEVER_RECOVERED = ("asyncio.exceptions.CancelledError", "KeyboardInterrupt", "SystemExit", "GeneratorExit")


def scope(node: Scope, here: Here) -> object:
    """Check a workflow: each of its nodes gets what the one before gives."""
    if fits(here.given, node.takes) is Fit.MISFITS:
        here.add(
            found=f"{type_name(here.given)} from {here.source}",
            expected=f"{type_name(node.takes)}, which workflow {node.name!r} takes",
            mend="Change one of the two, or convert the value with .pure(...) before it.",
        )
    if isinstance(node.takes, str | ForwardRef):
        mend = "Write the type without quotes: Workflow[Order]."
        here.add(found=f"{node.takes!r} as the type it takes", expected="a type", mend=mend)
    if not isinstance(cast("object", node.version), str):
        here.add(found=f"version={node.version!r}", expected="a str", mend=f'Write version="{node.version}".')
    options.cap(node.max_concurrency, "max_concurrency", here)
    if node.retry is not None:
        options.retry(node.retry, here)
    options.one_of(node.on_undo_failure, OnUndoFailure, "on_undo_failure", here)
    if not isinstance(cast("object", node.compensate_on_cancel), bool):
        found = f"compensate_on_cancel={node.compensate_on_cancel!r}"
        here.add(found=found, expected="True or False", mend="Leave it out for True.")
    value, origin = (here.given if node.takes is Any else node.takes), f"the input of workflow {node.name!r}"
    for child in node.children:
        value = here.into("named", child, value, origin)
        origin = child.name
    return value


def recover(node: Recover, here: Here) -> object:
    """Check what takes over after a failure: its output takes the place of the chain's (S20)."""
    if not node.on:
        mend = "Name what it recovers from: on=ConnectionError, or on=(ConnectionError, TimeoutError)."
        here.add(found="a recover from no kind of failure", expected="one kind at least", mend=mend)
    never = ", ".join(kind for kind in node.on if kind in NEVER_RECOVERED)
    if never:
        here.add(
            found=f"a recover from {never}",
            expected="kinds of failures: a cancel ends the run, whatever is in its way",
            mend="Leave it out; for work that is due in any case register .cleanup(...) before.",
        )
    options.one_of(node.on_partial, OnPartial, "on_partial", here)
    arguments = Arguments("the body of a recover", "The body of a recover gets the Failure")
    output = here.into("same", node.body, Failure, "what stands before it", arguments)
    return either([here.given, output])


def cleanup(node: Cleanup, here: Here) -> object:
    """Check a body that runs when its scope has ended; the value passes on (S21)."""
    here.report.callable(here.path, node.body, role="a cleanup")
    here.fit(here.given, node.body, gets="A cleanup gets the value that passes by")
    options.retry(node.retry, here, of=" of the cleanup")
    mend = "Leave it out for 30 seconds an attempt."
    options.seconds(node.timeout, "timeout of the cleanup", here, mend=mend)
    if node.limit is not None:
        options.name(node.limit, "limit", here)
    return here.given


def pivot(_: Pivot, here: Here) -> object:
    """Pass the value on; where a pivot may stand is a matter of `structure`."""
    return here.given


def sleep(node: Sleep, here: Here) -> object:
    """Check how long it waits; the value passes on."""
    if not options.finite(node.seconds) or node.seconds < 0:
        mend = "Give seconds: .sleep(90), or timedelta(...).total_seconds()."
        here.add(
            found=f"{node.seconds!r} as the time to sleep", expected="a finite number of seconds from 0", mend=mend
        )
    return here.given


def wait_for(node: WaitFor, here: Here) -> object:
    """Check a wait for a signal, and the combiner that makes one value of two."""
    options.name(node.signal, "signal", here)
    kind = node.kind
    if plain(kind) is Any and plain(kind) is not kind:
        mend = "Give the class itself: Signal(name, Approval)."
        here.add(found=f"{kind!r} as the type of signal {node.signal!r}", expected="a type", mend=mend)
    if node.combine is None:
        return kind
    gets = "It gets the value before and what the signal brings"
    source = f"wait_for({node.signal})"
    here.evaluated(node.combine, here.given, kind, role="a combiner", source=source, gets=gets)
    return node.combine.gives
