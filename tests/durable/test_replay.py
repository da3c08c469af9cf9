"""What a log says, held against the plan as it is now: a difference is refused, and what fits goes on (S36)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from orchestration import Retry, Workflow
from orchestration.errors import ReplayMismatch
from orchestration.journal.replay import Replay, folded
from orchestration.outcomes import Succeeded
from tests.durable.virtual import LEASE, RUN, Stage
from tests.durable.workflows import inc, never, refuse, slowly, tidy, unmake

if TYPE_CHECKING:
    from orchestration.journal.protocol import Head, Record

NOW = Retry(max_attempts=2, initial_delay=0.0, jitter="none")


@dataclass(frozen=True)
class Box:
    """Something with a type of its own."""

    n: int


async def wrap(n: int) -> Box:
    """Put it in a box."""
    return Box(n)


async def unwrap(box: Box) -> int:
    """Take it out."""
    return box.n


async def keep(n: int) -> int:
    """Return a number where a box was."""
    return n


async def other(n: int) -> int:
    """Add one, under another name."""
    return n + 1


DRIFT = [0]  # what a pure function must not look at, and this one does


def drifting(n: int) -> int:
    """Return a number that depends on when it is asked."""
    return n + DRIFT[0]


def same(n: int) -> int:
    """Return the number."""
    return n


def alike(n: int) -> int:
    """Return the number, under another name."""
    return n


@pytest.fixture(autouse=True)
def _no_drift() -> None:
    DRIFT[0] = 0


def flow(**options: Any) -> Workflow[int, int]:
    """Begin a workflow of the one name."""
    return Workflow[int]("flow", **options)


def stopped(stage: Stage, workflow: Any, *, after: float = 5.0) -> None:
    """Begin a run that hangs, and stop its process in order."""

    async def main() -> None:
        task = asyncio.ensure_future(stage.engine().execute(workflow, 1, run_id=RUN))
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    stage.play(main)


def resumed(stage: Stage, workflow: Any) -> Any:
    """Go on with the run by a plan as it is now."""
    stage.workflows = (workflow,)

    async def main() -> Any:
        return await (await stage.engine().resume(RUN)).result()

    return stage.play(main, later=2 * LEASE)


def kept(stage: Stage) -> tuple[Head, list[Record]]:
    """Return what the journal has of the run."""
    return stage.journal.head(RUN), stage.journal.read(RUN)


BEGUN = flow().step(inc).compensate(unmake).step(slowly).step(never)
CHANGED: dict[str, tuple[Any, Any, str, str, str]] = {
    "renamed body": (
        BEGUN,
        flow().step(other, name="inc").compensate(unmake).step(slowly).step(never),
        "record 0: flow/inc",
        "RunStep flow/inc#1 other",
        "RunStep flow/inc#1 inc",
    ),
    "renamed step": (
        BEGUN,
        flow().step(inc, name="first").compensate(unmake).step(slowly).step(never),
        "record 0: flow/inc",
        "RunStep flow/first#1 inc",
        "RunStep flow/inc#1 inc",
    ),
    "inserted step": (
        BEGUN,
        flow().step(inc).compensate(unmake).step(keep).step(slowly).step(never),
        "record 1: flow/slowly",
        "RunStep flow/keep#1 keep",
        "RunStep flow/slowly#1 slowly",
    ),
    "removed step": (
        BEGUN,
        flow().step(inc).compensate(unmake).step(never),
        "record 1: flow/slowly",
        "RunStep flow/never#1 never",
        "RunStep flow/slowly#1 slowly",
    ),
    "removed end": (BEGUN, flow().step(inc).compensate(unmake).step(slowly), "flow/never", "nothing", "flow/never#1"),
    "added effect": (
        BEGUN,
        flow().step(inc).compensate(unmake).step(slowly).fork(never).fork(keep).join(max),
        "record 2: flow/never",
        "flow/fork/never",
        "flow/never#1",
    ),
    "no retry any more": (
        flow().step(refuse, retry=Retry(initial_delay=99, jitter="none")),
        flow().step(refuse),
        "record 1: flow/refuse",
        "nothing",
        "StartTimer flow/refuse backoff",
    ),
    "changed pure function": (
        flow().step(inc).pure(drifting).step(never),
        flow().step(inc).pure(drifting).step(never),
        "record 1: flow/never",
        "RunStep flow/never#1 never",
        "RunStep flow/never#1 never",
    ),
    "gone type": (
        flow().step(wrap).step(unwrap).step(never),
        flow().step(keep, name="wrap").step(keep, name="unwrap").step(never),
        "flow/wrap",
        "keep",
        "wrap",
    ),
}


@pytest.mark.parametrize("case", CHANGED)
def test_a_plan_that_does_something_else_is_refused(case: str) -> None:
    """S36: with the path, what is attempted, what was recorded and the mend; the journal stays as it is."""
    before, after, path, attempted, recorded = CHANGED[case]
    stage = Stage(before)
    stopped(stage, before)
    untouched = kept(stage)
    DRIFT[0] = 1
    with pytest.raises(ReplayMismatch) as error:
        resumed(stage, after)
    assert path in error.value.path
    assert error.value.path.startswith(f"{RUN}: record ")
    assert attempted in error.value.found
    assert recorded in error.value.expected
    assert "orchestration delete" in error.value.mend
    assert kept(stage) == untouched


def test_a_value_of_a_type_that_the_plan_has_no_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """S36, S37: nothing is imported to read it."""
    before, stage = flow().step(wrap).pure(one).step(never), Stage()
    stopped(stage, before)
    untouched = kept(stage)
    monkeypatch.setitem(wrap.__annotations__, "return", "object")
    with pytest.raises(ReplayMismatch, match="Box"):
        resumed(stage, flow().step(wrap).pure(one).step(never))
    assert kept(stage) == untouched


def one(value: object) -> int:
    """Return one."""
    return 1


def test_another_run_or_workflow_is_no_start_of_this_one() -> None:
    """S36: a log is of one run of one workflow."""
    stage = Stage(BEGUN)
    stopped(stage, BEGUN)
    plan = BEGUN.compile()
    with pytest.raises(ReplayMismatch, match="another of flow"):
        Replay(plan, "another").take(stage.journal.read(RUN)[0])
    with pytest.raises(ReplayMismatch, match="the start of a run"):
        folded(plan, stage.journal, RUN).take(stage.journal.read(RUN)[0])


ONE_MORE = flow().step(inc).compensate(unmake).step(slowly)
FITS: dict[str, tuple[Any, Any, int]] = {
    "step behind": (ONE_MORE.sleep(99), ONE_MORE.sleep(99).step(inc), 4),
    "policy": (
        flow().step(inc, retry=NOW).sleep(99),
        flow().step(inc, attempt_timeout=9.0).compensate(unmake, in_doubt=unmake).sleep(99),
        2,
    ),
    "shorter wait": (flow().step(inc).sleep(999), flow().step(inc).sleep(1), 2),
    "name of a pure function": (flow().step(inc).pure(same).sleep(99), flow().step(inc).pure(alike).sleep(99), 2),
    "cleanup": (flow().step(inc).sleep(99), flow().step(inc).sleep(99).cleanup(tidy), 2),
    "version": (flow().step(inc).sleep(99), flow(version="2").step(inc).sleep(99), 2),
}


@pytest.mark.parametrize("case", FITS)
def test_a_plan_that_would_have_done_the_same_goes_on(case: str) -> None:
    """S36: the fold proves it, and the run belongs to that plan from then on."""
    before, after, value = FITS[case]
    stage = Stage(before)
    stopped(stage, before)
    assert stage.journal.head(RUN).fingerprint == before.compile().fingerprint
    stage.time += 999
    assert resumed(stage, after) == Succeeded(value, RUN)
    plan = after.compile()
    assert stage.journal.head(RUN).fingerprint == plan.fingerprint
    assert stage.journal.plan(plan.fingerprint) is not None
    stage.look()
