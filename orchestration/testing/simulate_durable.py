"""A durable run of a simulation: processes end at any call of the journal, calls fail, leases are lost."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, NamedTuple, Self, final

from orchestration.errors import JournalFailed, LeaseLost, OrchestrationError, RunHeld
from orchestration.journal.memory import MemoryJournal
from orchestration.journal.records import read
from orchestration.journal.refused import busy
from orchestration.runtime.beginning import started
from orchestration.runtime.durable import Durable
from orchestration.runtime.executors import Executors
from orchestration.runtime.handle import Handle
from orchestration.runtime.threads import Threads
from orchestration.testing.loop import NothingToCome, VirtualLoop
from orchestration.testing.simulate_trial import Trial, end_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestration.interpreter.events import AnyEvent
    from orchestration.outcomes import Outcome
    from orchestration.runtime.log import Log
    from orchestration.testing.simulate_chance import Chance
    from orchestration.testing.simulate_record import Record

MOST = 4  # processes that drive one run; the last one has no trouble
LEASE, POLL = 40.0, 10.0  # seconds
PATIENCE = 200  # how often a process reads the inbox of a run in which nothing happens any more
TROUBLED = 0.06  # in what share of the calls of the journal something happens
TAKES_A_TURN, TAKES_TIME, FAILS_BEFORE, FAILS_AFTER, DIES_BEFORE, DIES_AFTER, IS_SUSPENDED = range(1, 8)
AWAY = (0.0, 1.0, LEASE + POLL)  # seconds between the end of a process and the next one
STOPPED = (JournalFailed, LeaseLost, RunHeld, asyncio.CancelledError)  # how a process may end that has no outcome


class Life(NamedTuple):
    """A process that drives the run."""

    number: int
    task: asyncio.Task[Outcome]


@final
class Storage:
    """Makes the calls of one process to its journal, and has its troubles. To the driver it is its desk."""

    def __init__(self, trial: DurableTrial, number: int) -> None:
        """Have had no trouble yet."""
        self.log: Log | None = None
        self._trial = trial
        self._number = number
        self._calls = 0
        self._quiet = 0  # calls since the last that wrote something
        self._awake = asyncio.Event()
        self._awake.set()

    async def call(self, function: Callable[..., Any], *arguments: object, **options: object) -> Any:  # noqa: ANN401 - of any function
        """Call a function of the journal; it may take its time, fail before or after, or be the last of its process."""
        trial = self._trial
        self._calls += 1
        await self._awake.wait()
        if not trial.lives(asyncio.get_running_loop()):
            raise _failed()
        what = trial.trouble(f"call {self._calls} of process {self._number + 1} to the journal", self._number)
        self._look_for_the_end(function.__name__)
        if what == TAKES_TIME:
            await asyncio.sleep(1)
        elif what == TAKES_A_TURN:
            await asyncio.sleep(0)
        elif what == FAILS_BEFORE:
            raise _failed()
        elif what == DIES_BEFORE:
            await trial.die()
        elif what == IS_SUSPENDED:
            await self._sleep()
        result = function(*arguments, **options)
        trial.note_owner()
        if what == FAILS_AFTER:
            raise _failed()
        if what == DIES_AFTER:
            await trial.die()
        return result

    async def commit(self, function: Callable[..., Any], *arguments: object, **options: object) -> Any:  # noqa: ANN401 - of any function
        """Make a commit: a call like any other."""
        return await self.call(function, *arguments, **options)

    @property
    def took(self) -> float:
        """How long a commit takes: no time, in that of the simulation."""
        return 0.0

    @property
    def is_at_hand(self) -> bool:
        """Tell whether the next commit is made at once, without a turn of the loop."""
        what = f"call {self._calls + 1} of process {self._number + 1} is made at once"
        return self._awake.is_set() and self._trial.is_at_hand(what, self._number)

    def commit_here(self, function: Callable[..., Any], *arguments: object, **options: object) -> Any:  # noqa: ANN401 - of any function
        """Make a commit at once; others may be writing, and it may fail before or after."""
        trial = self._trial
        self._calls += 1
        if not trial.lives(asyncio.get_running_loop()):
            raise _failed()
        what = trial.trouble(f"call {self._calls} of process {self._number + 1} to the journal", self._number)
        self._quiet = 0
        if what in (FAILS_BEFORE, DIES_BEFORE):
            raise _failed()
        if what in (TAKES_A_TURN, TAKES_TIME, IS_SUSPENDED):
            raise busy("the journal")
        result = function(*arguments, **options)
        trial.note_owner()
        if what in (FAILS_AFTER, DIES_AFTER):
            raise _failed()
        return result

    async def _sleep(self) -> None:
        """Stand still until another process has had the time to take over."""
        self._awake.clear()
        self._trial.follow(LEASE + 1)
        await asyncio.sleep(2 * LEASE)
        self._awake.set()

    def _look_for_the_end(self, call: str) -> None:
        """See whether anything can still happen: a process reads the inbox of its run for ever."""
        self._quiet = self._quiet + 1 if call in ("letters", "renew") else 0
        if self._quiet > PATIENCE and self.log is not None:
            self._trial.wait(self.log)
            self._quiet = 0

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


@final
class DurableTrial(Trial):
    """One durable run, from its seed to what is known of it, by as many processes as it takes."""

    def _prepare(self) -> None:
        """Have an empty journal."""
        self._journal = MemoryJournal()
        self._world.logged = self._position
        self._world.when_lost = self._when_lost
        self._epochs: dict[int, int] = {}  # of the processes
        self._owned: dict[int, float] = {}  # by epoch, since when
        self._lives: list[Life] = []
        self._begun = 0
        self._dead = False  # whether the process has just ended
        self._waits = False
        self._told: list[AnyEvent] = []
        self._outcome: Outcome | None = None

    def run(self) -> Record:
        """Let it happen; return what is known of it.

        Raises:
            MutatedInput, RealWait, SignalRefused: if the test itself is wrong.
        """
        self._prepare()
        try:
            while self._outcome is None and not self._waits and self._trouble is None:
                self._live()
            self._outside.stop()
            self._loop.run_dry()
            self._judge_lives()
        finally:
            self._move(VirtualLoop())
            self._loop.close()
        if (error := self._world.error or self._outside.error) is not None:
            raise error
        events = self._happened()
        return self._record(
            events=events,
            works=self._world.works,
            marks=self._world.marks,
            outcome=self._outcome,
            waits=self._waits,
            durable=True,
            told=self._told,
        )

    def _happened(self) -> list[AnyEvent]:
        """Return the events of the log, as they are read back."""
        records = self._journal.read(self._run_id) if self._position() else ()
        try:
            return [read(self._setting.plan, record).event for record in records]
        except OrchestrationError as error:
            self._trouble = self._trouble or ("folds_again", f"the log cannot be read: {error}")
            return self._told

    # --- processes

    def _live(self) -> None:
        """Let a process drive the run for as long as it lives, and those that take over from it meanwhile."""
        self._begin_life()
        while self._lives and not self._dead and not self._waits and self._trouble is None:
            try:
                self._loop.run_forever()
            except NothingToCome as nothing:
                if not self._outside.hurry():
                    self._trouble = ("gets_on", str(nothing))
            self._judge_lives()
            if self._outcome is not None:
                return
        away = AWAY[self._chance.any_of(f"process {self._begun + 1} begins", len(AWAY))]
        self._move(VirtualLoop(self._loop.time() + away))

    def _move(self, loop: VirtualLoop) -> None:
        """Go on elsewhere; what is left of the process here ends where nobody hears of it."""
        before, self._loop = self._loop, loop
        self._lives, self._dead = [], False
        loop.set_exception_handler(self._complain)
        before.set_exception_handler(lambda *_: None)
        self._outside.leave()
        self._world.move(loop)
        end_all(before)
        before.close()

    def _begin_life(self) -> None:
        number = self._begun
        self._begun += 1
        task = self._loop.create_task(self._drive(number))
        task.add_done_callback(lambda _: self._loop.stop())
        self._lives.append(Life(number, task))

    async def _drive(self, number: int) -> Outcome:
        setting, loop, world = self._setting, self._loop, self._world
        home = self._home(number)
        storage = Storage(self, number)
        durable = Durable(self._journal, loop.time, lease=LEASE, poll=POLL)
        durable._desk = storage  # type: ignore[assignment]  # noqa: SLF001 - used like one
        first = started(setting.plan, setting.value, home, run_id=self._run_id, deadline=setting.deadline)
        driver, kept = await durable.begin_or_attach(setting.plan, first, home, None, wait=True)
        storage.log = None if kept is None else kept.log
        self._epochs[number] = driver.epoch
        driver.listen(lambda turned: self._see(turned.event))
        world.is_over = lambda: driver.over
        handle = Handle[Any](driver, setting.value, kept)
        task = next(life.task for life in self._lives if life.number == number)
        if self._handle is None:
            self._handle = handle
            self._outside.begin(loop, handle, task, setting.signals, cancel=setting.cancel)
        else:
            self._handle = handle
            self._outside.move(loop, handle, task)
        return await handle.supervise(Executors(Threads(), {}))

    def _see(self, event: AnyEvent) -> None:
        if asyncio.get_running_loop() is self._loop:  # otherwise its process has ended
            self._told.append(event)
            super()._see(event)

    def _judge_lives(self) -> None:
        """See how processes have ended: with the outcome, or in a way in which one may end without."""
        for life in [life for life in self._lives if life.task.done()]:
            self._lives.remove(life)
            error = None if life.task.cancelled() else life.task.exception()
            if not life.task.cancelled() and error is None:
                self._outcome = self._outcome or life.task.result()
            elif error is not None and not isinstance(error, STOPPED):
                self._trouble = self._trouble or ("no_crash", f"process {life.number + 1} raised {error!r}")

    # --- for the storage

    @property
    def _run_id(self) -> str:
        return f"seed-{self._seed}"

    def _position(self) -> int:
        heads = self._journal.heads()
        return heads[0].position if heads else 0

    def _when_lost(self, number: int) -> float | None:
        later = (at for epoch, at in self._owned.items() if epoch > self._epochs[number])
        return min(later, default=None)

    def note_owner(self) -> None:
        """Take note of who owns the run now."""
        for head in self._journal.heads():
            self._owned.setdefault(head.epoch, self._loop.time())

    def trouble(self, what: str, number: int) -> int:
        """Return what happens to a call of the journal by a process; nothing, most of the time."""
        chance: Chance = self._chance
        return 0 if number >= MOST - 1 else chance.choose(what, IS_SUSPENDED, TROUBLED)

    def is_at_hand(self, what: str, number: int) -> bool:
        """Tell whether a process makes a commit at once; without trouble it does."""
        return number >= MOST - 1 or self._chance.any_of(what, 2) == 1

    def lives(self, loop: object) -> bool:
        """Tell whether the process of a loop has not ended."""
        return loop is self._loop

    async def die(self) -> None:
        """End the process: nothing of it goes on, not even the call that was under way."""
        self._dead = True
        self._loop.stop()
        await self._loop.create_future()

    def follow(self, seconds: float) -> None:
        """Let another process take over after so many seconds."""
        loop = self._loop
        loop.call_later(seconds, lambda: self._begin_life() if self.lives(loop) else None)

    def wait(self, log: Log) -> None:
        """See what a run waits for in which nothing happens any more."""
        if self._outside.hurry() or not self._outside.idle:
            return
        if log.wake is None or log.wake == math.inf:
            self._waits = self._is_waiting("what does not come")
            self._loop.stop()


def _failed() -> JournalFailed:
    return JournalFailed("the journal", found="a full disk", expected="room", mend="Make room.")
