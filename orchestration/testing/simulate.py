"""`simulate`: many runs of a workflow on the real driver, in virtual time, each with another schedule and other faults.

`explore` looks at the pure interpreter, and at all that may come. This is the other half: the driver with its workers,
timers, caps, streams and hooks, on an event loop whose time costs nothing. A run is made of decisions, each drawn by a
hash of the seed and of what is decided; so a seed gives the same run in each process and on each Python, and a run that
fails is made simpler by taking decisions back.
"""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from orchestration.frozen import evolve
from orchestration.plan.durable import durable_problems
from orchestration.plan.hooks import hooks_of
from orchestration.plan.nodes import WaitFor
from orchestration.runtime.boundary import validate_input
from orchestration.runtime.local import GRACE
from orchestration.signals import Signal
from orchestration.testing.answers import NOTHING
from orchestration.testing.explore_invariants import OfOutcome, OfTrace, invariant_of
from orchestration.testing.explore_keys import Keys
from orchestration.testing.explore_outcomes import Outcomes
from orchestration.testing.simulate_chance import Chance, times_of
from orchestration.testing.simulate_checks import OWED
from orchestration.testing.simulate_durable import DurableTrial
from orchestration.testing.simulate_durably import OWED_DURABLY
from orchestration.testing.simulate_report import Finding, Simulation
from orchestration.testing.simulate_shrink import shrunk
from orchestration.testing.simulate_trial import Setting, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterable, Mapping

    from orchestration.plan.compile import Compilable, Plan
    from orchestration.plan.hooks import Hook
    from orchestration.testing.explore_invariants import Check, Invariant
    from orchestration.testing.explore_outcomes import Given
    from orchestration.testing.explore_report import Ending
    from orchestration.testing.simulate_chance import Choices
    from orchestration.testing.simulate_record import Record

In = TypeVar("In")
Out = TypeVar("Out")
SEEDS = 1_000
DURABLE = 0.4  # in what share of the runs there is a journal
OFTEN = 200  # runs after which the garbage collector may look for what they have left


def simulate(  # noqa: PLR0913 - all but two are options, by keyword
    workflow: Compilable[In, Out, Any],
    value: In,
    /,
    *,
    outcomes: Given | None = None,
    default: Any = NOTHING,  # noqa: ANN401 - any output
    invariants: Iterable[Check] = (),
    signals: Iterable[tuple[Signal[Any] | str, object]] = (),
    seeds: int | Iterable[int] = SEEDS,
    cancel: bool = True,
    crash: bool | float = True,
    leaks: bool = True,
    deadline: float | None = None,
    grace: float = GRACE,
    hooks: Iterable[Hook] = (),
    max_concurrency: int | None = None,
    limits: Mapping[str, int] | None = None,
) -> Simulation:
    """Run a workflow with this value once for each seed, with another schedule and other faults each time.

    ```python
    simulate(
        Workflow[Order]("sale").step(reserve).compensate(release).step(Payments.charge, attempt_timeout=10),
        order,
        outcomes={
            reserve: [Reserved(order), LookupError("sold out")],
            Payments.charge: [Charge(Reserved(order), 900), OSError("gone"), TIMES_OUT],
        },
        invariants=READY,
        seeds=100,
    ).check()
    ```

    `outcomes`, `default`, `invariants` and `signals` are as `explore` takes them. Mostly an attempt ends in one of the
    ways in which it does not fail; in some runs more fail, in some fewer, in some none. Chance has it how long each
    takes, and what it does when it is told to end: it may give up at once or later, end in one of its ways all the
    same and, with `leaks`, outlive its grace and land later. With `cancel` half of the runs are cancelled at some
    point, by handle, by token, or by a cancel of the task that awaits them. Signals come at some point, and come
    again. Gates and strict observers answer as `outcomes` has it for `name:before` and `name:after`; other observers
    may fail, and take too long. `hooks`, `grace`, `max_concurrency` and `limits` are those of the engine, and
    `deadline` is how many seconds a run may take.

    With `crash` some runs (two in five, or the share that it is) have a journal, if the plan can be durable: each call
    of it may fail, or be the last of its process, before or after it is done; and a process may stand still until
    another has taken its run over.

    Whatever the invariants, each run has to show that the driver did what it owes it: the log, folded anew by the pure
    interpreter, gives the same effects and outcome (S39); each attempt was made once, told to end in time, and is
    reported as it ended; caps are held, and nobody waits while there is room; timers fire when they are due; nothing
    is left at the end; what follows from an event is done when that is durable.

    Real are the interpreter, the driver with all its parts, and the log of durable runs. Simulated are bodies, hooks,
    the journal's storage, and time. Not played are threads, processes and executors, several runs at a time, and the
    sources of streams, which are read as they are.

    Raises:
        Unanswered: if steps have no outcomes and there is no default, with all of them.
        Unasked: if outcomes are given for something that is not in the workflow.
        ValueError: if an outcome or a signal can never come, or is a source that can be read only once.
        InvalidInput: if the value does not fit the workflow's type (S12).
        SignalRefused: if the payload of a signal is of another type (S21).
        MutatedInput: if a function that stands for a body changes its input (S11).
        MissingLimit: if a step names a limit that has no capacity here.
    """
    plan = workflow.compile()
    setting = Setting(
        plan,
        _read_often(validate_input(plan, value), "the input"),
        Outcomes(plan, outcomes or {}, default),
        tuple(_signals(plan, signals)),
        times_of(plan, deadline),
        deadline,
        grace,
        cancel,
        leaks,
        hooks_of(hooks),
        max_concurrency,
        dict(limits or {}),
        0.0 if durable_problems(plan, sealed=False) else DURABLE if crash is True else float(crash),
    )
    for what, ends in (outcomes or {}).items():
        for end in ends:
            _read_often(end, f"an outcome of {getattr(what, '__qualname__', what)}")
    judge = Judge(plan, invariants)
    tally = Tally(setting, judge)
    with _seldom_collected() as collect:
        for number, seed in enumerate(range(seeds) if isinstance(seeds, int) else seeds):
            tally.add(seed)
            if number % OFTEN == OFTEN - 1:
                collect()
    return tally.simulation()


class Judge:
    """What has to hold of each run: what every engine owes it, and what the user asks for."""

    def __init__(self, plan: Plan, invariants: Iterable[Check]) -> None:
        """Bind the invariants to the plan."""
        keys = Keys()
        self._plan = plan
        self._invariants = [invariant_of(check).bound(plan, keys) for check in invariants]

    def broken(self, record: Record) -> tuple[str, str] | None:
        """Return what is broken by a run, and how; the first that is, if anything."""
        if record.trouble is not None:
            return record.trouble
        for name, check in OWED_DURABLY if record.durable else OWED:
            wrong = check(record)
            if wrong is not None:
                return name, wrong
        for invariant in self._invariants:
            try:
                self._see(invariant, record)
            except AssertionError as error:
                return invariant.name, str(error)
        return None

    def _see(self, invariant: Invariant, record: Record) -> None:
        moments = record.moments
        memory: Hashable = invariant.first
        if not isinstance(invariant, OfOutcome | OfTrace):  # those look at the end alone
            for moment in moments:
                memory = invariant.see(memory, moment)
        if not record.waits and record.outcome is not None:
            invariant.end(self._plan, lambda: moments, evolve(moments[-1].state, outcome=record.outcome))


class Tally:
    """How the runs have ended so far, and what was found."""

    def __init__(self, setting: Setting, judge: Judge) -> None:
        """Have seen no run."""
        self._setting = setting
        self._judge = judge
        self._runs = 0
        self._durable = 0
        self._endings: Counter[Ending] = Counter()
        self._findings: dict[str, Finding] = {}
        self._failed: list[int] = []
        self._digest = hashlib.blake2b(digest_size=16)

    def add(self, seed: int) -> None:
        """Let a seed run, and judge it."""
        record = self._run(seed)
        self._runs += 1
        self._durable += record.durable
        self._endings[record.ending] += 1
        self._digest.update(record.digest)
        broken = self._judge.broken(record)
        if broken is not None:
            self._failed.append(seed)
            if broken[0] not in self._findings:
                self._findings[broken[0]] = self._found(seed, broken[0], record)

    def _run(self, seed: int, choices: Choices | None = None) -> Record:
        chance = Chance(seed, choices)
        durable = self._setting.durable and chance.choose("durable", 1, self._setting.durable)
        return (DurableTrial if durable else Trial)(self._setting, seed, chance).run()

    def simulation(self) -> Simulation:
        """Return what was seen."""
        return Simulation(
            self._setting.plan.name,
            self._runs,
            self._durable,
            dict(self._endings),
            tuple(self._findings.values()),
            tuple(self._failed),
            self._digest.hexdigest(),
        )

    def _found(self, seed: int, invariant: str, record: Record) -> Finding:
        """Make a run that fails as simple as it can be."""

        def fails(choices: Choices) -> bool:
            broken = self._judge.broken(self._run(seed, choices))
            return broken is not None and broken[0] == invariant

        choices = shrunk(record.choices, fails)
        simple = self._run(seed, choices)
        broken = self._judge.broken(simple)
        message = "" if broken is None else broken[1]
        return Finding(self._setting.plan.name, seed, invariant, message, choices, simple.trace())


def _signals(plan: Plan, signals: Iterable[tuple[Signal[Any] | str, object]]) -> Iterator[tuple[Signal[Any], object]]:
    kinds = {node.signal: node.kind for node in plan.nodes if isinstance(node, WaitFor)}
    for signal, payload in signals:
        name = signal if isinstance(signal, str) else signal.name
        if name not in kinds:
            raise ValueError(f"nothing in {plan.name} waits for the signal {name!r}")
        yield Signal(name, kinds[name]) if isinstance(signal, str) else signal, payload


def _read_often(value: object, what: str) -> object:
    """See to it that a value is the same for each run.

    Raises:
        ValueError: if it can be read only once.
    """
    if isinstance(value, AsyncIterator | Iterator):
        raise ValueError(f"{what} can be read only once, and every run reads it: give a list, or answers(does=...)")  # noqa: TRY004 - of the right type
    return value


@contextmanager
def _seldom_collected() -> Generator[Callable[[], object]]:
    """Pause the garbage collector, which otherwise looks at each run while it is under way; yield what calls it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield lambda: gc.collect(1)
    finally:
        if was_on:
            gc.enable()
