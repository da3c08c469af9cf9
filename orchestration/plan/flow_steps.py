"""Rows of `flow`: steps, pure functions, taps and enrichments, and the policies around a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.plan import options
from orchestration.plan.nodes import Compensated, Pure, Retried, Sleep, Step, Timed, WaitFor
from orchestration.plan.report import said
from orchestration.plan.shapes import tuple_items
from orchestration.plan.tree import walk
from orchestration.policies import OnPartial

if TYPE_CHECKING:
    from orchestration.plan.body import Body
    from orchestration.plan.here import Here
    from orchestration.plan.nodes import Beside, Compensation

LEAVES = (Step, Pure, Sleep, WaitFor)
UNNAMED = ("lambda", "closure")


def step(node: Step, here: Here) -> object:
    """Check an effect: that its body takes what comes, and that each of its options can take effect."""
    if node.spread:
        _spread(node.body, here)
    else:
        here.report.callable(here.path, node.body, role=here.arguments.role)
        here.fit(here.given, node.body, gets=here.arguments.gets)
    _place(node, here)
    if node.retry is not None:
        options.retry(node.retry, here)
    if node.attempt_timeout is not None:
        options.seconds(node.attempt_timeout, "attempt_timeout", here, mend="Leave it out for none.")
    if node.limit is not None:
        options.name(node.limit, "limit", here)
    options.switch(node.cheap, "cheap", here)
    if node.compensation is not None:
        _compensation(node.compensation, node.body.gives, node.name, here)
        if node.attempt_timeout is not None and node.compensation.in_doubt is None:
            _doubt("attempt_timeout", here)
    return node.body.gives


def _spread(body: Body, here: Here) -> None:
    here.report.callable(here.path, body, role=here.arguments.role)
    items = tuple_items(here.given) or (Any,) * body.arity
    if len(items) != body.arity:
        here.add(
            found=f"{said(body)}, which is called with {body.arity} of {len(items)} values",
            expected="an argument for each of them",
            mend="Call it with as many, or leave `spread` out to give it the tuple.",
        )
        return
    sources = here.arguments.sources or (here.source,) * len(items)
    for of, (item, source) in enumerate(zip(items, sources, strict=False)):
        here.fit(item, body, of=of, source=source, gets=here.arguments.spread)


def _place(node: Step, here: Here) -> None:
    place, body = node.run_in, node.body
    if place is None:
        return
    if not options.name(place, "run_in", here):
        return
    if place in ("thread", "process") and body.asynchronous:
        here.add(
            found=f'run_in="{place}" on an async function',
            expected="a plain function",
            mend="Leave run_in out: an async function runs in the event loop.",
        )
    elif place == "process" and body.kind in UNNAMED:
        here.add(
            found=f'run_in="process" on a {body.kind}',
            expected="a function that another process can find by its name",
            mend="Define it with def in a module.",
        )


def _doubt(option: str, here: Here) -> None:
    here.warn(
        found=f"an undo and {'an' if option[0] == 'a' else 'a'} {option}, but no in_doubt",
        expected="a handler for an attempt that timed out: its effect may or may not have landed",
        mend=f"Write .compensate(undo, in_doubt=f), f takes the step's input; or leave {option} out.",
    )


def _compensation(compensation: Compensation, output: object, source: str, here: Here) -> None:
    undo, in_doubt = compensation.undo, compensation.in_doubt
    here.report.callable(here.path, undo, role="a compensation")
    here.fit(output, undo, source=source, gets="An undo gets the output of what it undoes")
    options.retry(compensation.retry, here, of=" of the compensation")
    mend = "Leave it out for 30 seconds an attempt."
    options.seconds(compensation.timeout, "timeout of the compensation", here, mend=mend)
    if in_doubt is not None:
        here.report.callable(here.path, in_doubt, role="an in-doubt handler")
        gets = "An in-doubt handler gets what its step got"
        here.fit(here.given, in_doubt, source=f"the input of {source}", gets=gets)


def compensated(node: Compensated, here: Here) -> object:
    """Check a composite with one undo: nothing inside is undone on its own (S27)."""
    output = here.flow(node.body)
    _compensation(node.compensation, output, node.name, here)
    if node.compensation.in_doubt is not None:
        here.add(
            found="in_doubt on a composite",
            expected="in_doubt on a step",
            mend="Give it to the step whose effect may be in doubt.",
        )
    undone = (Step, Compensated)
    inner = next((it for it in walk(node.body) if isinstance(it, undone) and it.compensation is not None), None)
    if inner is not None:
        here.add(
            found=f"a second undo of {inner.name}"
            if inner is node.body
            else f"an undo for the whole, and another on {inner.name} inside",
            expected="one of the two",
            mend="Undo each step, or the whole: what is undone twice is undone wrongly.",
        )
    return output


def timed(node: Timed, here: Here) -> object:
    """Check a bound around a node: what it bounds may not be allowed to take longer (S10)."""
    output = here.flow(node.body)
    sound = options.seconds(node.timeout, "timeout", here, mend="Leave it out for none.")
    inner = node.body
    if isinstance(inner, Timed | Compensated):
        here.add(
            found=f"a timeout around {_policy(inner)} of {node.name}",
            expected="one timeout, inside the compensation",
            mend="Give the shorter one; write .step(body, timeout=...).compensate(undo).",
        )
    if not isinstance(inner, Step):
        return output
    attempt = inner.attempt_timeout
    if sound and isinstance(attempt, int | float) and attempt > node.timeout:
        here.add(
            found=f"attempt_timeout={attempt} within timeout={node.timeout}",
            expected="an attempt that may take no longer than all of them together",
            mend="timeout bounds the step with its retries: make it the longer one, or leave attempt_timeout out.",
        )
    if attempt is None and inner.compensation is not None and inner.compensation.in_doubt is None:
        _doubt("timeout", here)
    return output


def retried(node: Retried, here: Here) -> object:
    """Check a composite that is tried again as a whole (S9)."""
    output = here.flow(node.body)
    options.retry(node.retry, here)
    options.one_of(node.on_partial, OnPartial, "on_partial", here)
    inner = node.body
    if isinstance(inner, Retried | Timed | Compensated):
        here.add(
            found=f"a retry around {_policy(inner)} of {node.name}",
            expected="one retry, inside the timeout and the compensation",
            mend="Give it once; write .step(body, retry=..., timeout=...).compensate(undo).",
        )
    elif isinstance(inner, LEAVES):
        here.add(
            found=f"a retry of the whole around {node.name}, which is no composite",
            expected="a workflow, a fork, a graph or a map",
            mend="Give retry to the step itself; what the interpreter computes gives the same each time.",
        )
    return output


def _policy(node: Retried | Timed | Compensated) -> str:
    return {Retried: "the retry", Timed: "the timeout", Compensated: "the compensation"}[type(node)]


def pure(node: Pure, here: Here) -> object:
    """Check a function that the interpreter evaluates."""
    here.evaluated(node.body, here.given, role="a pure step")
    return node.body.gives


def beside(node: Beside, here: Here) -> object:
    """Check a tap or an enrichment, and the combiner that makes one value of two."""
    output = here.flow(node.body)
    if node.combine is None:
        return here.given
    gets = "A combiner gets the value before and the output of the body"
    source = f"enrich({node.body.name})"
    here.evaluated(node.combine, here.given, output, role="a combiner", source=source, gets=gets)
    return node.combine.gives
