"""The cluster example: with processes, and with Dask where it is installed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from examples.cluster import PARTS, Span, count_primes, dask, primes, processes, split
from orchestration import Failed, LocalEngine, Retry, Succeeded, Workflow
from tests.docs.snippets import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

PLACES = [
    pytest.param(processes, id="processes"),
    pytest.param(
        dask,
        id="dask",
        marks=[
            pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed: it is `distributed`"),
            pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that its cluster leaves to the collector
        ],
    ),
]


def where(number: int) -> int:
    """Return which process this is."""
    return os.getpid()


def divide(number: int) -> float:
    """Fail, if it is zero."""
    return 1 / number


ELSEWHERE = Workflow[int]("elsewhere").step(where, run_in="cluster")
DIVIDING = Workflow[int]("dividing").step(divide, run_in="cluster", retry=Retry(2, 0.01))


@pytest.mark.parametrize("place", PLACES)
def test_an_executor_computes(place: Callable[[], AbstractContextManager[Executor]]) -> None:
    """S8, S11: the steps run in other processes, and a failure there is a failure here, retried here."""
    with place() as executor:
        engine = LocalEngine(executors={"cluster": executor})

        async def main() -> None:
            assert await engine.execute(primes, 1_000, run_id="primes") == Succeeded(168, "primes")
            elsewhere = await engine.execute(ELSEWHERE, 1)
            assert isinstance(elsewhere, Succeeded)
            assert elsewhere.value != os.getpid()
            outcome = await engine.execute(DIVIDING, 0)
            assert isinstance(outcome, Failed)
            assert outcome.failure.kind == "ZeroDivisionError"

        asyncio.run(main())


def test_the_parts_are_the_whole() -> None:
    """Each number is in one part."""
    parts = split(1_000)
    assert len(parts) == PARTS
    assert [number for part in parts for number in range(part.first, part.last)] == list(range(1_000))
    assert count_primes(Span(10, 20)) == 4


def test_the_example_runs() -> None:
    """As its docstring says; the numbers up to it are a matter of record."""
    command = [sys.executable, "examples/cluster.py"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "33,860 primes up to 400,000\n"
