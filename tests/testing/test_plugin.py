"""The pytest plugin: there when it is asked for, and not in the way when it is not."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestration import LocalEngine, Workflow
from orchestration.testing import READY, plugin
from orchestration.testing.answers import answers
from orchestration.testing.plugin import Explorer, ManualClock, Memory, Simulator
from tests.bodies import increase
from tests.testing.test_explore import SHOP, naive_shop, never_charged_for_nothing, sound_shop

ROOT = Path(__file__).resolve().parents[2]
USED = """
from orchestration import Workflow

def increase(n: int) -> int:
    raise NotImplementedError

def test_used(fake, clock):
    fake.on(increase, 5)
    assert fake.run(Workflow[int]("flow").step(increase), 3).value == 5
    assert clock.advance(3) == clock() == 3
"""
UNUSED = """
import sys

def test_unused():
    assert "orchestration" not in sys.modules
"""
FOUND = """
from orchestration import Failed, Workflow

def sell(n: int) -> int: ...
def send(n: int) -> int: ...

shop = Workflow[int]("shop").step(sell).step(send)
WORLD = {sell: [1, 2, 3], send: [1, OSError("no van")]}

def never_fails(outcome):
    return not isinstance(outcome, Failed)

def test_explored(explorer):
    explorer(shop, 1, outcomes=WORLD, invariants=[never_fails], cancel=False)

def test_simulated(simulator):
    simulator(shop, 1, outcomes=WORLD, invariants=[never_fails])

def test_bounded(explorer):
    explorer(shop, 1, outcomes=WORLD)
"""
BUG: Any = {"outcomes": SHOP, "invariants": [*READY, never_charged_for_nothing]}


def run(path: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a test with the plugin, in a process of its own."""
    (path / "test_it.py").write_text(test, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "pytest_orchestration", *options]
    return subprocess.run(
        [*command, "--rootdir", str(path), str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_test_asks_for_a_fake_and_a_clock(tmp_path: Path) -> None:
    """The fixtures are a fake that answers nothing yet, and a clock that stands at 0."""
    ended = run(tmp_path, USED)
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_a_test_that_does_not_is_not_held_up(tmp_path: Path) -> None:
    """The library is not even imported."""
    ended = run(tmp_path, UNUSED, "-p", "no:cacheprovider")
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_what_is_found_is_told_kept_and_tried_first(tmp_path: Path) -> None:
    """The bounds are those of the command line; a run that fails is there the next time, and tried before others."""
    first = run(tmp_path, FOUND, "--orchestration-states=4", "--orchestration-seeds=30", "-rP")
    assert "2 failed, 1 passed" in first.stdout, first.stdout + first.stderr
    assert "never_fails is broken: it returned False" in first.stdout
    assert "shop: 30 runs" in first.stdout
    assert "NOT exhaustive: sampled beyond the bound" in first.stdout
    kept = [json.loads(file.read_text()) for file in sorted(tmp_path.glob(".pytest_cache/v/orchestration/*/*"))]
    assert [type(one["shop 1"]) for one in kept] == [dict, list]
    assert len(kept[0]["shop 1"]["moves"]) == 2
    again = run(tmp_path, FOUND, "--orchestration-seeds=30")
    assert "as the last time: never_fails is broken" in again.stdout, again.stdout + again.stderr
    assert "the seeds that failed the last time" in again.stdout
    mended = run(
        tmp_path, FOUND.replace("not isinstance(outcome, Failed)", "outcome is not None"), "--orchestration-seeds=30"
    )
    assert "3 passed" in mended.stdout, mended.stdout + mended.stderr
    assert all(json.loads(file.read_text()) == {} for file in tmp_path.glob(".pytest_cache/v/orchestration/*/*"))


def test_a_bound_below_one_is_refused(tmp_path: Path) -> None:
    """Nothing would be looked at, and all be well."""
    ended = run(tmp_path, UNUSED, "--orchestration-states=0")
    assert "expected a number of at least 1, found 0" in ended.stderr


# --- the parts


def test_the_clock_goes_when_it_is_told() -> None:
    """S2: it stands still, and never runs backwards."""
    clock = ManualClock(5)
    assert [clock(), clock.advance(2.5), clock(), clock.set(9), clock()] == [5, 7.5, 7.5, 9, 9]
    with pytest.raises(ValueError, match="time does not run backwards: it is 9, found 8"):
        clock.set(8)
    with pytest.raises(ValueError, match="found nan"):
        clock.advance(float("nan"))


def test_an_engine_takes_the_clock() -> None:
    """S2: events happen at the time that it shows."""
    clock = ManualClock(1_000)

    async def times() -> list[float]:
        handle = await LocalEngine(clock=clock).start(Workflow[int]("brief").step(increase), 1)
        clock.advance(60)
        seen = [event.at async for event in handle.events()]
        await handle.result()
        return seen

    assert {*asyncio.run(times())} == {1_000.0, 1_060.0}


class Cache:
    """What pytest has for plugins, in memory."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.held: dict[str, str] = {}

    def get(self, key: str, default: Any) -> Any:
        """Return what is held."""
        return json.loads(self.held[key]) if key in self.held else default

    def set(self, key: str, value: Any) -> None:
        """Hold something."""
        self.held[key] = json.dumps(value)


class Told(list[str]):
    """What was told, and the fixtures that tell it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.cache = Cache()

    def explorer(self, states: int | None = None) -> Explorer:
        """Return what the fixture is in the next session."""
        return Explorer(Memory(self.cache, "counterexamples", "test_it.py::test"), states, self.append)

    def simulator(self, seeds: int | None = None) -> Simulator:
        """Return what the fixture is in the next session."""
        return Simulator(Memory(self.cache, "seeds", "test_it.py::test"), seeds, self.append)


def test_a_counterexample_is_replayed_without_a_search(monkeypatch) -> None:
    """It is let happen again before anything else; each call of a test has its own."""
    told = Told()
    explorer = told.explorer()
    explorer(sound_shop, 5, outcomes=SHOP)
    with pytest.raises(AssertionError, match=r"^never_charged_for_nothing is broken: it returned False"):
        explorer(naive_shop, 5, **BUG)
    (kept,) = told.cache.held.values()
    assert json.loads(kept)["naive_shop 2"]["moves"] == [0, 1]
    assert "ConnectionError: gone; nothing to undo" in kept
    monkeypatch.setattr(plugin, "explore", None)
    with pytest.raises(AssertionError, match=r"^as the last time: never_charged_for_nothing is broken"):
        next_time(told)(naive_shop, 5, **BUG)
    assert told[-1] == "naive_shop: the counterexample of the last time breaks never_charged_for_nothing"


def next_time(told: Told) -> Explorer:
    """Return what the fixture is in the next session, after its first call."""
    explorer = told.explorer()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plugin, "explore", lambda *_, **__: Found())
        explorer(sound_shop, 5)
    return explorer


class Found:
    """An exploration in which nothing is wrong."""

    broken = None

    def check(self) -> Found:
        """Find nothing."""
        return self


@pytest.mark.parametrize(
    "mended",
    [{**BUG, "invariants": READY}, {**BUG, "outcomes": {"charge": [5], "ship": ["goods"]}, "cancel": False}],
    ids=["it holds now", "it cannot happen any more"],
)
def test_what_does_not_break_any_more_is_forgotten(mended) -> None:
    """A counterexample that no longer is one is dropped, and all is looked at."""
    told = Told()
    with pytest.raises(AssertionError):
        told.explorer()(naive_shop, 5, **BUG)
    assert told.explorer()(naive_shop, 5, **mended).exhaustive
    assert [*told.cache.held.values()] == ["{}"]


def test_what_is_like_nothing_else_is_not_kept() -> None:
    """A value that is not equal to its like cannot be found again; the failure is told all the same."""
    told = Told()
    unlike = Workflow[int]("unlike").step(abs)
    with pytest.raises(AssertionError, match="is broken"):
        told.explorer()(unlike, 5, outcomes={abs: [answers(does=lambda _: object())]}, invariants=[lambda _: False])
    assert told.cache.held == {}


def test_more_states_than_a_test_allows_fail_it() -> None:
    """Only a bound of the command line may be too small; a search that is not exhaustive never looks as if it was."""
    told = Told()
    with pytest.raises(AssertionError, match="NOT exhaustive"):
        told.explorer()(sound_shop, 5, outcomes=SHOP, max_states=3)
    assert not told.explorer(3)(sound_shop, 5, outcomes=SHOP).exhaustive
    assert told.explorer(3).__call__(sound_shop, 5, outcomes=SHOP, max_states=900).states > 3


def test_failing_seeds_come_first_the_next_time() -> None:
    """They are kept until they fail no more; seeds that a test lists are not replaced."""
    told = Told()
    with pytest.raises(AssertionError):
        told.simulator(40)(naive_shop, 5, **BUG, seeds=5)
    (kept,) = (json.loads(held)["naive_shop 1"] for held in told.cache.held.values())
    assert told[-1].startswith("naive_shop: 40 runs")
    assert 0 < len(kept) <= 20
    with pytest.raises(AssertionError):
        told.simulator(40)(naive_shop, 5, **BUG)
    assert told[-1].startswith(f"the seeds that failed the last time\nnaive_shop: {len(kept)} runs")
    told.simulator(40)(naive_shop, 5, outcomes=SHOP, seeds=[3, 4], invariants=iter(READY))
    assert told[-1].startswith("naive_shop: 2 runs")
    assert [*told.cache.held.values()] == ["{}"]


def test_without_a_cache_nothing_is_kept() -> None:
    """Pytest can do without it: `-p no:cacheprovider`."""
    memory = Memory(None, "seeds", "test")
    memory.put("one", [1])
    assert memory.get("one") is None
