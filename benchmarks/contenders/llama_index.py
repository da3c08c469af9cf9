"""llama-index-workflows: steps that send each other events. A chain is one step that sends itself the next event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent
from workflows.retry_policy import ConstantDelayRetryPolicy

from benchmarks.workloads import CAP, FAILURES, FAN_CAP, NAPS_CAP, Flaky, nap, noop, turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Body = Callable[[int], Awaitable[int]]
    Work = Callable[[], Awaitable[object]]


class Begin(StartEvent):
    """The first event: how many, and the first value."""

    left: int
    value: int


class Next(Event):
    """The next step of a chain."""

    left: int
    value: int


class Item(Event):
    """An item of a map."""

    index: int


class Output(Event):
    """What came of it."""

    index: int
    value: int


class Chain(Workflow):
    """Steps one after the other."""

    @step
    async def call(self, event: Begin | Next) -> Next | StopEvent:
        """Do a step."""
        value = await noop(event.value)
        return Next(left=event.left - 1, value=value) if event.left > 1 else StopEvent(result=value)


class Loop(Workflow):
    """A step until it is enough."""

    @step
    async def call(self, event: Begin | Next) -> Next | StopEvent:
        """Do an iteration."""
        value = await noop(event.value + 1)
        return Next(left=event.left, value=value) if value < event.left else StopEvent(result=value)


class This(Event):
    """One arm."""

    left: int
    value: int


class That(Event):
    """The other arm."""

    left: int
    value: int


class Branches(Workflow):
    """Choices in a row."""

    @step
    async def choose(self, event: Begin | Next) -> This | That | StopEvent:
        """Choose."""
        if event.left == 0:
            return StopEvent(result=event.value)
        chosen = This if event.value > 0 else That
        return chosen(left=event.left, value=event.value)

    @step
    async def this(self, event: This) -> Next:
        """Do one thing."""
        return Next(left=event.left - 1, value=await noop(event.value))

    @step
    async def that(self, event: That) -> Next:
        """Do the other."""
        return Next(left=event.left - 1, value=await turn(event.value))


def running(flow: Workflow, left: int, value: int = 1) -> Work:
    """Return what runs a workflow."""

    async def work() -> object:
        return await flow.run(left=left, value=value)

    return work


def mapped(body: Body, cap: int) -> Callable[[int], Work]:
    """Send an event for each item, and collect what comes back."""

    def prepare(size: int) -> Work:
        class Map(Workflow):
            @step
            async def spread(self, ctx: Context, event: Begin) -> Item | None:
                for index in range(event.left):
                    ctx.send_event(Item(index=index))

            @step(num_workers=cap)
            async def call(self, event: Item) -> Output:
                return Output(index=event.index, value=await body(event.index))

            @step
            async def collect(self, ctx: Context, event: Output) -> StopEvent | None:
                outputs = ctx.collect_events(event, [Output] * size)
                if outputs is None:
                    return None
                return StopEvent(result=[output.value for output in sorted(outputs, key=lambda one: one.index)])

        Map.spread.__annotations__.update(ctx=Context)
        return running(Map(timeout=None), size)

    return prepare


def retry(_size: int) -> Work:
    """Let the policy of a step try again."""
    flaky = Flaky()

    class Retried(Workflow):
        @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=FAILURES + 1, delay=0))
        async def call(self, event: Begin) -> StopEvent:
            return StopEvent(result=await flaky(event.value))

    return running(Retried(timeout=None), 1)


PREPARE = {
    "chain": lambda size: running(Chain(timeout=None), size),
    "fan_out": mapped(noop, FAN_CAP),
    "map": mapped(noop, CAP),
    "loop": lambda size: running(Loop(timeout=None), size, 0),
    "branch": lambda size: running(Branches(timeout=None), size),
    "retry": retry,
    "run": lambda _size: running(Chain(timeout=None), 1),
    "naps": mapped(nap, NAPS_CAP),
}
