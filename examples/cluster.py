"""Count prime numbers on many processors: in processes of this machine, or on a Dask cluster.

    python examples/cluster.py                       in processes
    python examples/cluster.py tcp://10.0.0.5:8786   on a cluster, by the address of its scheduler
    python examples/cluster.py dask                  on a cluster of Dask's that is started here for the occasion

What it teaches: where a step computes is no business of the workflow. It names an executor, and who runs it says what
that is: any `concurrent.futures.Executor`, of which a process pool is one and Dask's `Client.get_executor()` another.
Retries, timeouts, failures and undo stay here and are the same. A workflow for `TemporalWorker` does it in the same
way: its workers take `executors=`, too. Dask comes with `pip install distributed`.
"""

import asyncio
import sys
from collections.abc import Generator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from math import isqrt
from multiprocessing import get_context
from typing import Any

from orchestration import LocalEngine, Retry, Succeeded, Workflow

UP_TO = 400_000
PARTS = 16


@dataclass(frozen=True)
class Span:
    """Numbers from `first` on, before `last`."""

    first: int
    last: int


def split(up_to: int) -> list[Span]:
    """Make parts of about the same size."""
    edges = [up_to * part // PARTS for part in range(PARTS + 1)]
    return [Span(first, last) for first, last in pairwise(edges)]


def count_primes(span: Span) -> int:
    """Count the prime numbers of a part, without haste."""
    return sum(all(n % d for d in range(2, isqrt(n) + 1)) for n in range(max(span.first, 2), span.last))


primes = (
    Workflow[int]("primes")
    .pure(split)
    .map(Workflow[Span]("part").step(count_primes, run_in="cluster", retry=Retry(max_attempts=3)))
    .pure(sum)
)


@contextmanager
def processes() -> Generator[Executor]:
    """Have processes of this machine, started afresh: a copy of one that has threads may hang."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield pool


@contextmanager
def dask(address: str | None = None) -> Generator[Executor]:
    """Have a Dask cluster; without an address a small one on this machine, which nobody else can reach."""
    distributed: Any = import_module("distributed")  # only who computes there needs it
    if address is not None:
        with distributed.Client(address) as client:
            yield client.get_executor(pure=False)
        return
    local = distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
    with local, distributed.Client(local) as client:
        yield client.get_executor(pure=False)


def main(where: str = "processes") -> None:
    """Count, and print."""
    has = processes() if where == "processes" else dask(None if where == "dask" else where)
    with has as executor:
        outcome = asyncio.run(LocalEngine(executors={"cluster": executor}).execute(primes, UP_TO))
    print(f"{outcome.value:,} primes up to {UP_TO:,}" if isinstance(outcome, Succeeded) else outcome)


if __name__ == "__main__":
    main(*sys.argv[1:])
