"""The pytest plugin of `orchestration`: the fixtures `fake`, `clock`, `explorer` and `simulator`, and their options.

It stands beside the package, as importing a module of that imports the library: pytest loads its plugins at each start,
and a project that does not use this one should not pay for it.
"""

# ruff: noqa: PLC0415 - only who asks for a fixture waits for the import

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.testing import FakeHandler
    from orchestration.testing.plugin import Explorer, ManualClock, Memory, Simulator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("orchestration", "workflows")
    group.addoption(
        "--orchestration-seeds",
        metavar="N",
        type=_number,
        help="how many seeds the fixture `simulator` runs where a test does not list them",
    )
    group.addoption(
        "--orchestration-states",
        metavar="N",
        type=_number,
        help="how many states the fixture `explorer` looks at, at most; that there are more is then no failure",
    )


@pytest.fixture
def fake() -> FakeHandler:
    """Return a new `orchestration.testing.FakeHandler`, which answers nothing yet."""
    from orchestration.testing import FakeHandler

    return FakeHandler()


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock for `LocalEngine(clock=clock)`: it stands at 0 until `clock.advance(seconds)`."""
    from orchestration.testing.plugin import ManualClock

    return ManualClock()


@pytest.fixture
def explorer(request: pytest.FixtureRequest) -> Explorer:
    """Return `explore`, checked: a run that breaks an invariant fails the test, and is tried first the next time.

    What was seen stands in the report of the test, which `-rP` shows for one that has passed.
    """
    from orchestration.testing.plugin import Explorer

    return Explorer(_memory(request, "counterexamples"), _option(request, "states"), _teller(request))


@pytest.fixture
def simulator(request: pytest.FixtureRequest) -> Simulator:
    """Return `simulate`, checked: a seed that breaks an invariant fails the test, and is tried first the next time.

    What was seen stands in the report of the test, which `-rP` shows for one that has passed.
    """
    from orchestration.testing.plugin import Simulator

    return Simulator(_memory(request, "seeds"), _option(request, "seeds"), _teller(request))


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, found {text}")
    return number


def _option(request: pytest.FixtureRequest, name: str) -> int | None:
    given: int | None = request.config.getoption(f"--orchestration-{name}")
    return given


def _memory(request: pytest.FixtureRequest, kind: str) -> Memory:
    from orchestration.testing.plugin import Memory

    cache = getattr(request.config, "cache", None)  # missing with `-p no:cacheprovider`
    return Memory(cache, kind, request.node.nodeid)


def _teller(request: pytest.FixtureRequest) -> Callable[[str], None]:
    def tell(text: str) -> None:
        request.node.add_report_section("call", "orchestration", f"{text}\n")

    return tell
