"""One run of a simulation: the real driver on a virtual loop, in a world of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from orchestration.interpreter.ahead import Route
from orchestration.interpreter.events import StepLeaked
from orchestration.interpreter.pending import KINDS
from orchestration.runtime.admission import Limits, gate_of, lines_of
from orchestration.runtime.beginning import Home, beginning_of, started
from orchestration.runtime.driver import Driver
from orchestration.runtime.executors import Executors
from orchestration.runtime.handle import Handle
from orchestration.runtime.hooks import Hooks
from orchestration.runtime.threads import Threads
from orchestration.testing.loop import NothingToCome, VirtualLoop
from orchestration.testing.simulate_outside import Outside
from orchestration.testing.simulate_record import THE_ENGINE, THE_RUN, Record, folded
from orchestration.testing.simulate_world import OneThread, World

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from orchestration.interpreter.events import AnyEvent
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.plan.hooks import Hook
    from orchestration.signals import Signal
    from orchestration.testing.explore_outcomes import Outcomes
    from orchestration.testing.simulate_chance import Chance

ROUNDS = 20  # of cancels: one reaches who waits, the next who that has woken


class Setting(NamedTuple):
    """What is the same for all runs of a simulation."""

    plan: Plan
    value: object
    outcomes: Outcomes
    signals: tuple[tuple[Signal[Any], object], ...]
    times: tuple[float, ...]
    deadline: float | None
    grace: float
    cancel: bool
    leaks: bool
    hooks: tuple[Hook, ...]
    max_concurrency: int | None
    limits: Mapping[str, int]
    durable: float  # the share of the runs that are durable

    @property
    def capacities(self) -> dict[str, int]:
        """What bounds the attempts."""
        wide = {THE_RUN: self.plan.root.max_concurrency, THE_ENGINE: self.max_concurrency}
        return {**self.limits, **{name: most for name, most in wide.items() if most is not None}}


class Trial:
    """One run, from its seed to what is known of it."""

    def __init__(self, setting: Setting, seed: int, chance: Chance) -> None:
        """Leave to chance what happens."""
        self._setting = setting
        self._seed = seed
        self._chance = chance
        self._loop = loop = VirtualLoop()
        loop.set_exception_handler(self._complain)
        self._world = World(
            setting.plan,
            setting.outcomes,
            self._chance,
            loop,
            setting.times,
            grace=setting.grace,
            leaks=setting.leaks,
        )
        events = len(setting.plan.nodes) + 4
        self._outside = Outside(self._chance, setting.times, events, self._world.events)
        self._handle: Handle[Any] | None = None
        self._hooked = False
        self._trouble: tuple[str, str] | None = None

    def run(self) -> Record:
        """Let it happen; return what is known of it.

        Raises:
            MutatedInput, RealWait, SignalRefused: if the test itself is wrong.
        """
        self._task: asyncio.Task[Outcome] = self._loop.create_task(self._main())
        self._task.add_done_callback(lambda _: self._loop.stop())
        try:
            waits = self._run_to_the_end()
            world = self._world
            seen = {"events": list(world.events), "works": list(world.works), "marks": list(world.marks)}
            left = [] if waits or self._trouble else self._left()
            self._clear()
        finally:
            self._loop.close()
        error = self._world.error or self._outside.error
        if error is not None:
            raise error
        return self._record(
            **seen,
            outcome=None if self._handle is None else self._handle.state.outcome,
            waits=waits,
            left=left,
            said=self._outside.said,
            tokened=self._outside.tokened,
            stopped=self._task.cancelled() if self._outside.stopped else None,
            told=seen["events"],
        )

    def _record(self, **known: Any) -> Record:  # noqa: ANN401 - fields of a record
        setting = self._setting
        return Record(
            plan=setting.plan,
            choices=self._chance.made,
            grace=setting.grace,
            capacities=setting.capacities,
            hooked=self._hooked,
            trouble=self._trouble,
            **known,
        )

    def _home(self, life: int) -> Home:
        """Return what a driver has from its engine, the first (0) or a later one of the run."""
        setting, world = self._setting, self._world
        hooks = Hooks(setting.plan, setting.hooks)
        world.take_over(hooks)
        self._hooked = bool(hooks)
        gate = None if setting.max_concurrency is None else gate_of(setting.max_concurrency, "the engine")
        lines = lines_of(setting.plan, gate, Limits(setting.limits))
        threads = cast("Threads", OneThread(world))  # it is used like them
        return Home(world.handler(life), threads, setting.grace, lines, hooks, self._loop.time, Route(setting.plan))

    async def _main(self) -> Outcome:
        """Supervise the run, as a caller of `execute` does."""
        setting, world = self._setting, self._world
        home = self._home(0)
        first = started(setting.plan, setting.value, home, run_id=f"seed-{self._seed}", deadline=setting.deadline)
        driver = Driver(setting.plan, home, beginning_of(setting.plan, first))
        driver.listen(lambda turned: self._see(turned.event))
        world.is_over = lambda: driver.over
        self._handle = handle = Handle[Any](driver, setting.value)
        self._outside.begin(self._loop, handle, self._task, setting.signals, cancel=setting.cancel)
        return await handle.supervise(Executors(Threads(), {}))

    def _see(self, event: AnyEvent) -> None:
        world = self._world
        world.events.append(event)
        if isinstance(event, StepLeaked) or getattr(event, "leaked", False):
            world.note_leak(event)
        self._outside.see()

    def _run_to_the_end(self) -> bool:
        """Run until the run is over; true if it would wait for a signal for ever."""
        while not self._task.done():
            try:
                self._loop.run_forever()
            except NothingToCome as nothing:
                if not self._outside.hurry():
                    return self._is_waiting(str(nothing))
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            self._trouble = ("no_crash", f"the run raised {error!r}")
        elif self._task.cancelled() and not self._outside.stopped:
            self._trouble = ("no_crash", "the task that awaits the run was cancelled")
        return False

    def _is_waiting(self, nothing: str) -> bool:
        """Tell whether a run that does not go on waits for a signal; else the driver owes it something."""
        last = folded(self._setting.plan, self._happened(), strict=False)[-1]
        owed = sorted(f"{path} ({kind})" for path, kind in last.pending if kind in KINDS)
        if not owed and last.state.ledger.mail.waiting and last.state.outcome is None:
            return True
        if last.state.outcome is not None:
            what = f"the run is over, and who awaits it does not hear of it: {nothing}"
        else:
            what = f"nothing happens any more, and the run waits for {', '.join(owed) or nothing}"
        self._trouble = self._trouble or ("gets_on", what)
        return False

    def _happened(self) -> list[AnyEvent]:
        """Return the events of the run so far."""
        return self._world.events

    def _left(self) -> list[str]:
        """Return what is left of a run that is over, except for what has leaked (S29)."""
        self._outside.stop()
        late = self._world.late
        tasks = [task for task in self._loop.waiting if task not in late]
        timers = self._loop.timers
        names = [f"the task {getattr(task.get_coro(), '__qualname__', task)}" for task in tasks]
        return [*names, f"{len(timers) - len(late)} timers"] if len(timers) != len(late) else names

    def _clear(self) -> None:
        """Let what has leaked land, and end what is left."""
        known = len(self._world.events)
        over = self._task.done() and self._trouble is None
        self._outside.stop()
        self._loop.run_dry()
        if over and len(self._world.events) > known:
            self._trouble = ("leaves_nothing", f"{self._world.events[known]!r} was reported after the outcome")
        end_all(self._loop)

    def _complain(self, _: object, context: dict[str, Any]) -> None:
        """Take note of what the loop has to say: nothing of it should be heard."""
        error = context.get("exception")
        self._trouble = self._trouble or ("no_crash", f"{context.get('message')}: {error!r}")


def end_all(loop: VirtualLoop) -> None:
    """End what is left on a loop."""
    for _ in range(ROUNDS):
        waiting = loop.waiting
        if not waiting:
            break
        loop.run_dry()
        for task in loop.waiting:
            task.cancel()
    loop.run_dry()
    for task in loop.tasks:
        if task.done() and not task.cancelled():
            task.exception()  # seen
