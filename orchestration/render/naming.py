"""How the parts of a plan are called in a picture, be they compiled or read from a stored plan without its code."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, get_args

from orchestration.plan.body import Body
from orchestration.plan.places import Word
from orchestration.plan.report import said
from orchestration.plan.typenames import type_name
from orchestration.policies import Tolerate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestration.plan.nodes import Arm, Step
    from orchestration.plan.places import Stated
    from orchestration.policies import Retry

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


def body_name(body: Body | Stated) -> str:
    """Return the name of a body: `charge`, `a lambda`."""
    if isinstance(body, Body):
        return said(body)
    return body.ref.rpartition(":")[2].rpartition(".")[2] if ":" in body.ref else f"a {body.kind}"


def kind_of(kind: object) -> str:
    """Return the name of a type without its module: `Order`, `list[Order]`; nothing for any type at all."""
    if kind is Any:
        return ""
    text = str(kind) if isinstance(kind, Word) else type_name(kind)
    short = "".join(_short_names(text))
    return "" if short == "Any" else short


def _short_names(text: str) -> Iterator[str]:
    """Yield the parts of a type's name, each dotted name without its module."""
    word = ""
    for char in f"{text} ":
        if char.isalnum() or char in "_.:":
            word += char
        else:
            yield word.rpartition(":")[2].rpartition(".")[2]
            yield char
            word = ""


def condition(arm: Arm) -> str:
    """Say when an arm is taken."""
    if arm.test is not None:
        return f"when {body_name(arm.test)}"
    if isinstance(arm.kind, Word):
        return f"is {kind_of(arm.kind).strip()}"
    values = [str(value) if isinstance(value, Enum) else repr(value) for value in get_args(arm.kind)]
    return f"is {' or '.join(values) or arm.kind.__name__}"


def lasting(seconds: float) -> str:
    """Return a stretch of time as a person says it: `1.5 s`, `2 min`, `3 d`."""
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= size and seconds % (size / 2) == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s" if seconds >= 1 or seconds == 0 else f"{seconds * 1_000:.3g} ms"


def tries(retry: Retry) -> str:
    """Say how often something is tried."""
    return f"up to {retry.max_attempts} attempts"


def policies(step: Step) -> list[str]:
    """Say what holds for a step, in short."""
    said_of = [] if step.body.service is None else [step.body.service.rpartition(":")[2].rpartition(".")[2]]
    if step.retry is not None and step.retry.max_attempts > 1:
        said_of.append(tries(step.retry))
    if step.attempt_timeout is not None:
        said_of.append(f"{lasting(step.attempt_timeout)} each")
    if step.run_in is not None:
        said_of.append(f"in {step.run_in}")
    if step.limit is not None:
        said_of.append(f"limit {step.limit}")
    return said_of


def group_policies(concurrency: int | None, mode: object) -> list[str]:
    """Say how the members of a group run, and what becomes of failures where not the first of them fails all."""
    said_of = [] if concurrency is None else [f"{concurrency} at a time"]
    if isinstance(mode, Tolerate):
        said_of.append(f"tolerates {mode}")
    elif mode == "race":
        said_of.append("the first one wins")
    elif mode == "collect":
        said_of.append("failures are collected")
    return said_of
