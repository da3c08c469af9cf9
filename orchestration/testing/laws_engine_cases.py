"""Workflows for the laws of engines: of every construct one whose outcome no schedule changes (S39).

The bodies are functions of a module, so that any engine can name them, and note what they do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from orchestration.dsl.workflow import Workflow
from orchestration.policies import Retry, tolerate
from orchestration.runtime.context import step_context

NOTES: list[str] = []  # what the bodies did, since the law began
FAR = 5
SOON = Retry(max_attempts=3, initial_delay=0.01, jitter="none")


class Refused(Exception):
    """What a step of a law fails with."""


async def increase(n: int) -> int:
    """Add one."""
    NOTES.append(f"increase {n}")
    return n + 1


async def decrease(n: int) -> None:
    """Undo `increase`."""
    NOTES.append(f"decrease {n}")


def double(n: int) -> int:
    """Multiply by two, in a thread."""
    NOTES.append(f"double {n}")
    return n * 2


def halve(n: int) -> None:
    """Undo `double`, in a thread."""
    NOTES.append(f"halve {n}")


async def refuse(n: object) -> int:
    """Fail."""
    NOTES.append("refuse")
    raise Refused(f"not {n}")


async def refuse_odd(n: int) -> int:
    """Fail for odd numbers."""
    if n % 2:
        raise Refused(f"{n} is odd")
    return n


async def third_time(n: int) -> int:
    """Fail twice."""
    context = step_context()
    NOTES.append(f"{context.attempt} {context.idempotency_key}")
    if context.attempt < SOON.max_attempts:
        raise Refused(f"attempt {context.attempt}")
    return n


async def nothing(n: object) -> None:
    """Give the falsiest of values."""
    NOTES.append(f"nothing {n!r}")


async def tidy(n: int) -> None:
    """Clean up."""
    NOTES.append(f"tidy {n}")


async def stuck(n: int) -> None:
    """Fail to undo."""
    NOTES.append(f"stuck {n}")
    raise Refused("no way back")


async def replace(failure: Any) -> int:  # noqa: ANN401 - a failure
    """Recover."""
    NOTES.append(f"replace {failure.kind.rpartition('.')[2]}")
    return -1


async def look(n: int) -> None:
    """Ask without a doubt left."""
    NOTES.append(f"look {n}")


async def lose_connection(n: int) -> int:
    """Fail in a way that leaves a doubt."""
    raise ConnectionError(f"lost at {n}")


def is_even(n: int) -> bool:
    """Tell whether a number is even."""
    return n % 2 == 0


def is_far(n: int, index: int) -> bool:
    """Tell whether to stop a loop."""
    return n > FAR or index > FAR


def add(one: int, other: int) -> int:
    """Add."""
    return one + other


async def add_slowly(total: int, n: int) -> int:
    """Add, as a step."""
    return total + n


def of_two(one: int, other: int) -> list[int]:
    """Make a list."""
    return [one, other]


class Case(NamedTuple):
    """A workflow, its input, and what the law about it says."""

    name: str
    rule: str
    says: str
    workflow: Workflow[Any, Any, Any]
    value: Any


def _flow(name: str = "law") -> Workflow[int, int]:
    return Workflow[int](name)


SAGA = _flow("saga").step(increase).compensate(decrease).step(double).compensate(halve)
CASES: tuple[Case, ...] = (
    Case("a_chain", "S7", "Outputs go from step to step.", _flow().step(increase).step(double), 3),
    Case("falsy_outputs", "S8", "A falsy output is an output.", _flow().step(nothing).step(nothing), 3),
    Case("pure_functions", "S7", "Pure functions are evaluated.", _flow().pure(str).pure(len), 333),
    Case("a_failure", "S8", "A step that raises fails the run, with what it raised.", _flow().step(refuse), 3),
    Case(
        "retries", "S9", "A retry counts the first attempt, and keeps the key.", _flow().step(third_time, retry=SOON), 3
    ),
    Case(
        "retries_end",
        "S9",
        "The last failure of a retried step is that of the run.",
        _flow().step(refuse, retry=SOON),
        3,
    ),
    Case(
        "a_branch",
        "S13",
        "The first arm that holds is taken.",
        _flow().branch().when(is_even, double).otherwise(increase),
        3,
    ),
    Case("a_fork", "S14", "A fork gives all outputs, in order.", _flow().fork(increase).fork(double).join(of_two), 3),
    Case(
        "a_map",
        "S16",
        "Results are in the order of the items.",
        Workflow[list[int]]("law").map(increase, concurrency=2),
        [5, 3, 4],
    ),
    Case("an_empty_map", "S16", "Nothing gives nothing.", Workflow[list[int]]("law").map(increase), []),
    Case(
        "results_are_collected",
        "S18",
        "Each item has its result.",
        Workflow[list[int]]("law").map(refuse_odd, on_error="collect"),
        [1, 2, 3],
    ),
    Case(
        "failures_are_tolerated",
        "S18",
        "As many as are tolerated.",
        Workflow[list[int]]("law").map(refuse_odd, on_error=tolerate(count=2)),
        [1, 2, 3],
    ),
    Case("a_fold", "S16", "One item after the other.", Workflow[list[int]]("law").fold(0, add_slowly), [1, 2, 3]),
    Case(
        "into",
        "S16",
        "Results are combined in the order of the items.",
        Workflow[list[int]]("law").map(increase).into(0, add),
        [1, 2, 3],
    ),
    Case("a_loop", "S17", "Until it is enough.", _flow().loop(increase, until=is_far, max_iterations=9), 1),
    Case("a_loop_ends", "S17", "But not for ever.", _flow().loop(increase, until=is_far, max_iterations=2), 1),
    Case("a_workflow_is_a_body", "S19", "Wherever a function is.", _flow().step(SAGA).step(increase), 3),
    Case("a_tap", "S21", "A tap passes its input on.", _flow().tap(nothing).step(increase), 3),
    Case(
        "a_cleanup",
        "S21",
        "It runs however its scope ends, the last first.",
        _flow().cleanup(tidy).step(increase).cleanup(tidy).step(refuse),
        3,
    ),
    Case("a_sleep", "S21", "A sleep passes the value on.", _flow().sleep(0.01).step(increase), 3),
    Case(
        "a_recovery",
        "S20",
        "What was before it is undone, and its output goes on.",
        SAGA.step(refuse).recover(replace, on=Refused),
        3,
    ),
    Case("a_rollback", "S23", "Steps are undone in reverse plan order.", SAGA.step(refuse), 3),
    Case(
        "a_map_is_undone",
        "S27",
        "Items are undone in reverse, each for itself.",
        Workflow[list[int]]("law").map(_flow("item").step(increase).compensate(decrease)).step(refuse),
        [1, 2, 3],
    ),
    Case(
        "an_undo_fails",
        "S26",
        "What a step depended on is held.",
        _flow()
        .step(increase)
        .compensate(decrease)
        .step(double)
        .compensate(stuck, retry=Retry(max_attempts=1))
        .step(refuse),
        3,
    ),
    Case(
        "a_doubt",
        "S22",
        "An in-doubt handler gets the input.",
        _flow().step(lose_connection).compensate(decrease, in_doubt=look),
        3,
    ),
    Case("a_doubt_without_a_handler", "S22", "It is listed.", _flow().step(lose_connection).compensate(decrease), 3),
    Case(
        "a_pivot",
        "S27",
        "What is before it is kept.",
        _flow().step(increase).compensate(decrease).pivot().step(double).compensate(halve).step(refuse),
        3,
    ),
    Case(
        "a_composite_is_retried",
        "S20",
        "It is undone before it begins again.",
        _flow().step(SAGA.step(refuse), retry=Retry(max_attempts=2, initial_delay=0.01)),
        3,
    ),
)
