"""Rows of `flow`: loops and folds, where an output is the next input (S16, S17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.plan import options
from orchestration.plan.flow_groups import AGAIN, items, tuple_of
from orchestration.plan.here import Arguments
from orchestration.plan.initials import check_initial, taken_by
from orchestration.plan.shapes import either, streaming, tuple_items
from orchestration.plan.typenames import type_name
from orchestration.plan.types import Fit, fits

if TYPE_CHECKING:
    from orchestration.plan.here import Here
    from orchestration.plan.nodes import Fold, Loop


def loop(node: Loop, here: Here) -> object:
    """Check a loop: it takes what it gives, and it ends."""
    output = here.into("item", node.body, here.given, here.source)
    wanted = taken_by(node.body)
    if fits(output, wanted) is Fit.MISFITS:
        here.add(
            found=f"{type_name(output)} from an iteration",
            expected=f"{type_name(wanted)}, which the next iteration takes",
            mend="Let the body of a loop return what it takes.",
        )
    if node.check not in ("until", "while"):
        here.add(found=f"check={node.check!r}", expected='"until" or "while"', mend="Write until= or while_=.")
    if not options.whole(node.max_iterations):
        mend = "Give the most rounds that are sensible: a loop past them fails instead of running for ever."
        here.add(found=f"max_iterations={node.max_iterations!r}", expected="an int of at least 1", mend=mend)
    tested = output if node.check == "until" else either([here.given, output])
    gets = "The test of a loop gets the value and the number of the iteration"
    here.evaluated(node.test, tested, int, role="the test of a loop", source=f"loop({node.name})", gets=gets)
    return tested


def fold(node: Fold, here: Here) -> object:
    """Check a fold: the accumulator goes in, and what comes out is the next one."""
    item = items(here, "fold")
    if streaming(here.given):
        here.add(
            found=f"{type_name(here.given)} from {here.source}",
            expected="a list or another collection: only a map reads a stream",
            mend="Write .map(body).into(initial, combine): results are folded as they come.",
        )
    takes = tuple_items(taken_by(node.body)) or (Any,)
    accumulator = takes[0]
    check_initial(node.initial, accumulator, node.name, here)
    sources = ("the accumulator", f"an item of {here.source}")
    gets = "A fold's body gets the accumulator and an item"
    arguments = Arguments("the body of a fold", gets, gets, sources)
    given = tuple_of([accumulator, item])
    output = here.into("item", node.body, given, " and ".join(sources), arguments)
    if fits(output, accumulator) is Fit.MISFITS:
        here.add(
            found=f"{type_name(output)} from {node.name}",
            expected=f"{type_name(accumulator)}, which {node.name} takes first",
            mend=f"{AGAIN}: let it return what it takes first.",
        )
    return output if accumulator is Any else accumulator
