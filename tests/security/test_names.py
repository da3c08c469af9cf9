"""Names, paths and keys: no two effects share a key, whatever things are called (S4, S5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration import LocalEngine, Retry, Workflow
from orchestration.errors import InvalidInput, PlanErrors
from orchestration.interpreter.effects import RunCleanup, RunStep, RunUndo
from orchestration.plan.naming import NAME
from orchestration.runtime.context import step_context
from orchestration.runtime.idempotency import Record, SqliteStore
from tests.bodies import increase, undo
from tests.machine import Machine
from tests.plans import workflows

RUN_IDS = st.text().filter(lambda text: bool(text) and ":" not in text and text.isprintable())


@given(workflows(), st.integers(0, 3))
def test_no_two_effects_of_a_run_have_one_key(workflow: Any, value: int) -> None:
    """S5: a key belongs to one node and one place in the run; all that repeats it is another attempt."""
    run = Machine(workflow.compile(), value)
    run.run()
    effects = [effect for effect in run.log if isinstance(effect, RunStep | RunUndo | RunCleanup)]
    owner: dict[str, tuple[type, str, object]] = {}
    attempts: set[tuple[str, int]] = set()
    for effect in effects:
        key = effect.key(run.run_id)
        assert owner.setdefault(key, (type(effect), effect.path, effect.body)) == (
            type(effect),
            effect.path,
            effect.body,
        )
        assert (key, effect.attempt) not in attempts
        attempts.add((key, effect.attempt))


@given(RUN_IDS, st.from_regex(NAME, fullmatch=True), st.from_regex(NAME, fullmatch=True))
def test_a_key_tells_its_run_and_its_path(run_id: str, flow: str, name: str) -> None:
    """S4, S5: a run id holds no colon, a name none of `/`, `[`, `#`, `:`: a key can be read in one way only."""
    run = Machine(Workflow[list[int]](flow).map(increase, name=name).compile(), [1], run_id=run_id)
    key = next(effect.key(run_id) for effect in run.log if isinstance(effect, RunStep))
    assert key.split(":") == [run_id, f"{flow}/{name}[0]"]
    assert key.split(":")[1].split("/") == [flow, f"{name}[0]"]


def test_repeated_composites_have_keys_of_their_own() -> None:
    """S4, S9: an item and the second attempt of a whole are places of their own, and so are their undos."""
    seen: list[str] = []
    failing = [True]

    async def work(n: int) -> int:
        seen.append(step_context().idempotency_key)
        return n

    async def take_back(n: int) -> None:
        seen.append(step_context().idempotency_key)

    async def fail_once(n: list[int]) -> list[int]:
        if failing:
            failing.pop()
            raise ValueError("once")
        return n

    inner = Workflow[list[int]]("inner").map(Workflow[int]("item").step(work).compensate(take_back)).step(fail_once)
    flow = Workflow[list[int]]("flow").step(inner, retry=Retry(max_attempts=2, initial_delay=0.001, jitter="none"))
    assert asyncio.run(LocalEngine().execute(flow, [1, 2], run_id="r")).ok
    assert len(seen) == len(set(seen)) == 6


HOSTILE = [
    "a/b",
    "a[0]",
    "a#2",
    "a:b",
    "a:undo",
    "@input",
    " a",
    "a\n",
    "\x1b[2J",
    "..",
    "a b",
    "\u0430bc",
    "\uff41",
    "\u017f",
    "é",
]


@pytest.mark.parametrize("name", [*HOSTILE, "a" * 256])
def test_a_name_that_could_pose_as_another_is_refused(name: str) -> None:
    """S4: separators, control characters and look-alikes of other scripts; names are ASCII, at most 255 letters."""
    with pytest.raises(PlanErrors):
        Workflow[int](name).step(increase).compile()
    with pytest.raises(PlanErrors):
        Workflow[int]("flow").step(increase, name=name).compile()


@pytest.mark.parametrize(
    "run_id", ["", "a:b", "a:flow/x", "a\n", "\x1b]0;x\x07", "\x9b31m", "\u202ea", "\udc80", 5, b"a"]
)
def test_a_run_id_that_could_pose_as_another_is_refused(run_id: Any) -> None:
    """S4: before anything runs; a colon would shift the border in a key, control characters break logs."""
    done: list[int] = []

    async def work(n: int) -> int:
        done.append(n)
        return n

    with pytest.raises(InvalidInput, match="run id"):
        asyncio.run(LocalEngine().execute(Workflow[int]("flow").step(work), 1, run_id=run_id))
    assert done == []


def test_given_names_are_never_taken_by_numbered_ones() -> None:
    """S4: `increase_2` that somebody wrote stays what it is, and the second unnamed step becomes another."""
    plan = Workflow[int]("flow").step(increase).step(increase).step(increase, name="increase_2").compile()
    assert [child.name for child in plan.root.children] == ["increase", "increase_3", "increase_2"]
    with pytest.raises(PlanErrors) as refused:
        Workflow[int]("flow").step(increase, name="a").step(increase, name="a").compile()
    assert "the name 'a' twice" in str(refused.value)


def test_an_undo_is_no_step_of_that_name() -> None:
    """S5: a step called `undo` and the undo of a step differ in what separates them."""
    run = Machine(Workflow[int]("flow").step(increase).compensate(undo).step(increase, name="undo").compile(), 1)
    run.call("flow/increase")
    run.fail("flow/undo")
    keys = [effect.key("r") for effect in run.log if isinstance(effect, RunStep | RunUndo)]
    assert keys == ["r:flow/increase", "r:flow/undo", "r:flow/increase:undo"]


def test_a_key_is_never_read_as_sql(tmp_path: Any) -> None:
    """S5: keys and results are parameters of a statement."""
    store = SqliteStore(tmp_path / "keys.db")
    hostile = Record("'); DROP TABLE results; --", '"\x00\' OR 1=1"')
    assert store.keep("'; DROP TABLE results; --", hostile) == hostile
    assert store.find("'; DROP TABLE results; --") == hostile
    assert store.find("' OR '1'='1") is None
    store.close()
