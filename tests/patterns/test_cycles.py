"""WCP-10, WCP-21 and WCP-22: what is done again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from orchestration import Succeeded, Workflow, WorkflowFailed, step
from tests.machine import Machine
from tests.patterns.work import a, b


@dataclass(frozen=True)
class Place:
    """A place in a cycle: the `way` to it, and how many steps are left to go."""

    left: int
    way: str = ""


class Draft(Place):
    """Where a draft is to be written."""


class Review(Place):
    """Where it is to be reviewed."""


class Signing(Place):
    """Where it is to be signed."""


class End(Place):
    """Outside of the cycle."""


def write(at: Draft) -> Review | End:
    """Go on, or leave the cycle here."""
    return (Review if at.left > 1 else End)(at.left - 1, f"{at.way}w")


def review(at: Review) -> Signing:
    """Go on."""
    return Signing(at.left - 1, f"{at.way}r")


def sign(at: Signing) -> Draft | End:
    """Go round again, or leave the cycle here."""
    return (Draft if at.left > 1 else End)(at.left - 1, f"{at.way}s")


@pytest.mark.parametrize(
    ("entry", "way"), [(Draft(1), "w"), (Draft(3), "wrs"), (Review(1), "rs"), (Review(6), "rswrsw"), (Signing(2), "sw")]
)
def test_arbitrary_cycles(entry, way) -> None:
    """WCP-10: a cycle is entered at any of three places, and left at one of two."""
    choice = Workflow[Draft | Review | Signing | End]("move").branch()
    move = (
        choice.case(Draft, write).case(Review, review).case(Signing, sign).case(End, Workflow[End]("end")).exhaustive()
    )
    cycle = Workflow[Draft | Review | Signing | End]("flow").loop(
        move, while_=lambda at, _: not isinstance(at, End), max_iterations=20
    )
    outcome = Machine(cycle.compile(), entry).run()
    assert isinstance(outcome, Succeeded)
    assert outcome.value.way == way


@pytest.mark.parametrize(("check", "times"), [("until", 1), ("while_", 0)])
def test_structured_loop(check, times) -> None:
    """WCP-21: steps are done again; with the test behind them at least once, with the test before them maybe never."""
    tests = {
        "until": {"until": lambda value, _: len(value) >= 4},
        "while_": {"while_": lambda value, _: len(value) < 4},
    }
    flow = Workflow[str]("flow").loop(step(a).step(b), name="loop", max_iterations=9, **tests[check])
    assert Machine(flow.compile(), "").run() == Succeeded("abab", "run")
    assert Machine(flow.compile(), "1234").run() == Succeeded("1234" + "ab" * times, "run")


async def descend(tree: tuple[Any, Any]) -> int:
    """Run the workflow that this is a step of, for each half."""
    left, right = await asyncio.gather(*(SIZES.run(half) for half in tree))
    return int(left) + int(right)


SIZES = Workflow[Any]("sizes").branch().case(int, lambda leaf: leaf).otherwise(descend)


@pytest.mark.parametrize(("tree", "size"), [(3, 3), ((1, ((2, 3), 4)), 10)])
def test_recursion(tree, size) -> None:
    """WCP-22: a step of a workflow runs that workflow, down to where there is nothing left to divide."""
    assert SIZES.run_sync(tree) == size


def test_what_fails_below_fails_above() -> None:
    """WCP-22: a failure goes up through all levels of the recursion."""
    with pytest.raises(WorkflowFailed, match="unpack"):
        SIZES.run_sync((1, (2, 3, 4)))
