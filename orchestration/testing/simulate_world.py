"""The world of a simulated run: what stands in the place of bodies, hooks and threads, and notes what it sees."""

from __future__ import annotations

import asyncio
import math
from asyncio import CancelledError
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, final

import attrs

from orchestration.frozen import evolve
from orchestration.interpreter.effects import AskHooks, Attempted, RunStep
from orchestration.plan.moments import Asked, StepBegan, StepEnded
from orchestration.plan.nodes import Step
from orchestration.plan.tree import static_path
from orchestration.runtime.context import current
from orchestration.testing.answers import NOTHING, Answer, RealWait
from orchestration.testing.explore_outcomes import placed
from orchestration.testing.inputs import Input, MutatedInput
from orchestration.testing.means import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.events import AnyEvent
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import Hook, When
    from orchestration.runtime.handler import Handler
    from orchestration.runtime.hooks import Hooks
    from orchestration.runtime.threads import Caller
    from orchestration.testing.explore_outcomes import End, Outcomes
    from orchestration.testing.loop import VirtualLoop
    from orchestration.testing.simulate_chance import Chance

GIVES_UP, TARRIES, LANDS, LEAKS = range(4)  # what an attempt does when it is told to end
FAILS, IS_SLOW, DAWDLES, HANGS = range(1, 5)  # what an observer does, if anything; the last two when its time is over
Asking: TypeAlias = "Asked | StepBegan | StepEnded"


class HookFailed(Exception):
    """A hook has failed, for no reason but the seed."""


@attrs.define(eq=False)
class Work:
    """An attempt as the world has seen it, with times in seconds; what the log held when it began, and ended."""

    effect: Attempted
    key: str
    life: int
    begun: float
    after: int
    lost: float | None = None  # when another process had taken the run over, if one had
    due: float = math.inf  # when it ends unless it is told to before
    told: float | None = None
    ended: float | None = None
    over: bool = False  # whether the run was over when it ended
    returned: Any = NOTHING
    raised: BaseException | None = None

    @property
    def name(self) -> str:
        """What its decisions are drawn by: begun by another process, it may end in another way."""
        return f"{self.key} (process {self.life + 1})" if self.life else self.key


class Mark(NamedTuple):
    """A change in what is under way: an attempt began, ended, or was given up as leaked."""

    at: float
    what: str
    key: str


def key_of_attempt(effect: Attempted) -> str:
    """Return what tells an attempt from all others of a run."""
    return f"{place_of(effect)}#{effect.attempt}"


@final
class World:
    """Answers for everything outside of the driver, as chance has it."""

    def __init__(
        self,
        plan: Plan,
        outcomes: Outcomes,
        chance: Chance,
        loop: VirtualLoop,
        times: tuple[float, ...],
        *,
        grace: float,
        leaks: bool,
    ) -> None:
        """Have seen nothing yet."""
        self._outcomes = outcomes
        self._chance = chance
        self._loop = loop
        self._times = times
        self._grace = grace
        self._leaks = leaks
        self._steps = {path: node for path, node in placed(plan.root, plan.name) if isinstance(node, Step)}
        self._calls: Counter[str] = Counter()
        self.late: set[asyncio.Task[Any] | None] = set()  # the tasks that were told to end, and go on all the same
        self.is_over: Callable[[], bool] = bool  # whether the run is over
        self.events: list[AnyEvent] = []  # what was told to listeners
        self.logged: Callable[[], int] = lambda: len(self.events)  # how many events have happened for good
        self.when_lost: Callable[[int], float | None] = lambda _: None  # when a process has ceased to own the run
        self.works: list[Work] = []
        self.marks: list[Mark] = []
        self.error: BaseException | None = None  # a mistake in the test itself, which ends it

    def note_leak(self, event: AnyEvent) -> None:
        """Take note of an attempt that was given up."""
        found = [work for work in self.works if work.effect.path == event.path and work.ended is None]
        for work in found:
            if work.effect.attempt == getattr(event, "attempt", 0):
                self.marks.append(Mark(event.at, "leaked", work.key))

    # --- attempts

    def move(self, loop: VirtualLoop) -> None:
        """Go on in another process: nothing of what was under way in the last one is heard of any more."""
        self._loop = loop
        self.late.clear()

    def handler(self, life: int) -> Handler:
        """Return what performs the attempts of a driver, the first (0) or a later one of the run."""
        return lambda effect: self._attempt(effect, life)

    async def _attempt(self, effect: Attempted, life: int) -> object:
        loop, key = self._loop, key_of_attempt(effect)
        if asyncio.get_running_loop() is not loop:
            raise CancelledError  # its process has ended
        work = Work(effect, key, life, loop.time(), self.logged(), self.when_lost(life))
        self.works.append(work)
        self.marks.append(Mark(work.begun, "began", key))
        if current.get().effect is not effect:
            self.error = AssertionError(f"{key} was begun in the context of {current.get().path}")
        try:
            work.returned = await self._perform(work)
        except BaseException as error:
            work.raised = error
            if isinstance(error, RealWait | MutatedInput):
                self.error = error
            raise
        finally:
            if loop is self._loop:  # otherwise its process has ended, and it with it
                work.ended, work.over = loop.time(), self.is_over()
                self.marks.append(Mark(work.ended, "ended", key))
                self.late.discard(asyncio.current_task())
        return work.returned

    async def _perform(self, work: Work) -> object:
        chosen = self._end_of(work.name, self._outcomes.of(work.effect))
        if await self._is_told(work, chosen) or not isinstance(chosen, Answer):
            end = await self._give_in(work, chosen)
        else:
            end = chosen
        if end.raises is not None:
            raise end.raises.with_traceback(None) if isinstance(end.raises, BaseException) else end.raises
        effect = work.effect
        given = None if end.does is None else Input(effect)
        output = end.outcome(
            tuple(effect.value) if isinstance(effect, RunStep) and effect.step.spread else (effect.value,)
        )
        if given is not None:
            given.check()
        return output

    def _end_of(self, what: str, ends: tuple[End, ...]) -> End:
        """Choose how something ends: mostly well, in a share of the cases badly."""
        bad = [number for number, end in enumerate(ends) if not isinstance(end, Answer) or end.raises is not None]
        good = [number for number in range(len(ends)) if number not in bad]
        fails = not good or (bad and self._chance.choose(f"{what} fails", 1, self._chance.faults))
        some = bad if fails else good
        return ends[some[self._chance.any_of(f"{what} ends", len(some))]]

    async def _is_told(self, work: Work, end: End) -> bool:
        """Let the time of an attempt pass; tell whether it is told to end meanwhile."""
        try:
            if isinstance(end, Answer):
                seconds = self._seconds(f"{work.name} takes", work.effect.timeout or math.inf)
                work.due = self._loop.time() + (seconds or 0.0)
                if seconds is not None:
                    await asyncio.sleep(seconds)
            else:
                await self._loop.create_future()
        except CancelledError:
            work.told = self._loop.time()
            return True
        return False

    async def _give_in(self, work: Work, end: End) -> Answer:
        """Do what an attempt does that is told to end: it gives up now or later, or lands all the same."""
        chance, key = self._chance, work.name
        how = chance.choose(f"{key} gives in", LEAKS if self._leaks else LANDS, 0.5)
        if how == LEAKS:
            self.late.add(asyncio.current_task())
            await asyncio.sleep(self._grace + self._times[chance.any_of(f"{key} leaks for", len(self._times))])
        elif how != GIVES_UP:
            await asyncio.sleep(self._within_grace(f"{key} tarries"))
        ends = [one for one in self._outcomes.of(work.effect) if isinstance(one, Answer)]
        lands = how == LANDS or (how == LEAKS and chance.choose(f"{key} lands", 1, 0.7))
        if not lands or not ends:
            raise CancelledError
        return end if isinstance(end, Answer) else ends[chance.any_of(f"{key} lands as", len(ends))]

    async def pass_time(self, what: str, *, most: float = math.inf) -> None:
        """Let some time pass, or none."""
        seconds = self._seconds(what, most)
        if seconds is not None:
            await asyncio.sleep(seconds)

    def _seconds(self, what: str, most: float) -> float | None:
        """Choose how long something takes; without a turn of the loop if `None`."""
        choice = self._chance.time(what, len(self._times))
        if not choice:
            return None
        return min(self._times[choice - 2], most) if choice > 1 else 0.0

    def _within_grace(self, what: str) -> float:
        times = [0.0, *(seconds for seconds in self._times if seconds < self._grace)]
        return times[self._chance.any_of(what, len(times))] if self._grace > 0 else 0.0

    # --- hooks

    def take_over(self, hooks: Hooks) -> None:
        """Put fakes in the place of hooks."""
        known: dict[int, Hook] = {}

        def fakes(real: tuple[Hook, ...]) -> tuple[Hook, ...]:
            return tuple(known.setdefault(id(hook), self._fake(hook, len(known))) for hook in real)

        for found in vars(hooks).values():
            if isinstance(found, dict):  # by node, by path
                found.update({key: fakes(real) for key, real in found.items()})

    def _fake(self, hook: Hook, number: int) -> Hook:
        async def play(moment: Any) -> None:  # noqa: ANN401 - any moment
            name = f"hook {number} {type(moment).__name__} {moment.path}"
            self._calls[name] += 1
            name = f"{name} {self._calls[name]}"
            if hook.kind == "gate" or hook.strict:
                await self._object(moment, name, hook.timeout)
            else:
                await self._observe(name, hook.timeout)

        return attrs.evolve(hook, body=evolve(hook.body, call=play))

    async def _object(self, asked: Asking, name: str, limit: float) -> None:
        """Have a say in a step: object as the outcomes have it."""
        when: When = "after" if isinstance(asked, StepEnded) else "before"
        effect = AskHooks(asked.path, when, self._steps[static_path(asked.path)], None)
        await self.pass_time(f"{name} takes", most=limit / 2)
        end = self._end_of(f"{asked.path}:{when}", self._outcomes.of(effect))
        if isinstance(end, Answer):
            end.outcome((asked,))

    async def _observe(self, name: str, limit: float) -> None:
        """Be told; nothing depends on how that ends."""
        how = self._chance.choose(f"{name} does", HANGS if self._leaks else DAWDLES, self._chance.faults / 4)
        try:
            await (asyncio.sleep(limit + 1) if how > FAILS else self.pass_time(f"{name} takes", most=limit / 2))
        except CancelledError:
            if how == IS_SLOW:
                raise
            self.late.add(asyncio.current_task())
            await asyncio.sleep(self._within_grace(f"{name} tarries") if how == DAWDLES else self._grace + 1)
            self.late.discard(asyncio.current_task())
        if how == FAILS:
            raise HookFailed(name)


@final
class OneThread:
    """Stands in the place of threads: what may block is called on the loop, after some time."""

    def __init__(self, world: World) -> None:
        """Have called nothing yet."""
        self._world = world
        self._calls = 0

    async def call_for(self, caller: Caller, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - of any function
        """Call a function; a cancel before it has begun takes it back."""
        self._calls += 1
        caller.note_queued(_keep)
        await self._world.pass_time(f"call {self._calls} of a stream takes")
        caller.note_started()
        return function(*arguments)

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


def _keep() -> None:
    """Do nothing when a call leaks: there is no thread to be replaced."""
