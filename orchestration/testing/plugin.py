"""What the fixtures of the pytest plugin give: a clock, and `explore` and `simulate` that remember what they found."""

from __future__ import annotations

import hashlib
from itertools import count
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, final

from orchestration.frozen import evolve
from orchestration.testing.answers import NOTHING
from orchestration.testing.explorer import explore, replay
from orchestration.testing.simulate import SEEDS, simulate
from orchestration.testing.strategies_walk import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from typing_extensions import Unpack

    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Compilable
    from orchestration.signals import Signal
    from orchestration.testing.explore_invariants import Check
    from orchestration.testing.explore_outcomes import Given
    from orchestration.testing.explore_report import Exploration
    from orchestration.testing.simulate_report import Simulation
    from orchestration.testing.strategies_walk import Walk

In = TypeVar("In")
KEPT = 20  # failing seeds of a simulation
SPENT = ("invariants", "signals", "hooks")  # options that may be readable only once, and are read twice
# what `explore` does where nothing is said
USUAL: dict[str, object] = {"deadline": None, "cancel": True, "leaks": False, "crash": False}
LETTERS = 16  # of the digest by which a test is known


@final
class ManualClock:
    """A clock that stands still until it is told: `LocalEngine(clock=clock)`.

    It tells the time of events and deadlines, in seconds; what really waits, waits in real time. So it is for what lies
    between runs: stop an engine, let a week pass, resume. For waits inside of a run take a `FakeHandler`, which has a
    clock of its own.
    """

    def __init__(self, at: float = 0.0) -> None:
        """Stand at a time."""
        self._at = at

    def __call__(self) -> float:
        """Return the time."""
        return self._at

    def advance(self, seconds: float) -> float:
        """Let so many seconds pass, and return the time then.

        Raises:
            ValueError: if it is less than none: time does not run backwards.
        """
        return self.set(self._at + seconds)

    def set(self, at: float) -> float:
        """Let the time be `at`, and return it.

        Raises:
            ValueError: if that is over already.
        """
        if not at >= self._at:
            raise ValueError(f"time does not run backwards: it is {self._at:g}, found {at:g}")
        self._at = at
        return at


@final
class Memory:
    """What is kept from one run of the tests to the next: of one test, in the cache of pytest. JSON only."""

    def __init__(self, cache: Any, kind: str, test: str) -> None:  # noqa: ANN401 - pytest's, or `None` where it is off
        """Keep something of a kind for a test, known by its node id."""
        digest = hashlib.sha256(test.encode()).hexdigest()[:LETTERS]
        self._cache = cache
        self._key = f"orchestration/{kind}/{digest}"

    def get(self, name: str) -> Any:  # noqa: ANN401 - what was put
        """Return what is kept under a name; `None` for nothing."""
        return self._all().get(name)

    def put(self, name: str, value: object) -> None:
        """Keep something; `None` forgets it."""
        left = {key: kept for key, kept in self._all().items() if key != name}
        if self._cache is not None and (value is not None or len(left) < len(self._all())):
            self._cache.set(self._key, left if value is None else {**left, name: value})

    def _all(self) -> dict[str, Any]:
        found = None if self._cache is None else self._cache.get(self._key, None)
        return found if isinstance(found, dict) else {}


class ExploreOptions(TypedDict, total=False):
    """The options of `explore`."""

    outcomes: Given
    default: Any
    invariants: Iterable[Check]
    signals: Iterable[tuple[Signal[Any] | str, object]]
    deadline: float | None
    cancel: bool
    leaks: bool
    crash: bool
    max_states: int
    samples: int


@final
class Explorer:
    """`explore`, with the bounds of the command line; what it finds is kept, and tried first the next time."""

    def __init__(self, memory: Memory, states: int | None, tell: Callable[[str], None]) -> None:
        """Keep counterexamples in `memory`, look at no more than so many `states`, and `tell` what was seen."""
        self._memory = memory
        self._states = states
        self._tell = tell
        self._calls = count(1)

    def __call__(
        self, workflow: Compilable[In, Any, Any], value: In, /, **options: Unpack[ExploreOptions]
    ) -> Exploration:
        """Look at every run of a workflow, as `explore(workflow, value, **options).check()` does.

        With `--orchestration-states=N` on the command line no more than N states are looked at, and it is no failure
        that there are more. The run that has broken an invariant the last time is let happen first.

        Raises:
            AssertionError: with the story of a run that breaks an invariant, or if there are too many states.
        """
        given = options.copy()
        given["invariants"] = [*given.get("invariants", ())]
        given["signals"] = [*given.get("signals", ())]
        if self._states is not None:
            given["max_states"] = self._states
        plan = workflow.compile()
        name = f"{plan.name} {next(self._calls)}"
        self._again(name, workflow, value, given)
        found = explore(workflow, value, **given)
        self._tell(f"{found}")
        if found.broken is not None:
            broken = found.broken
            moves = _moves_of(_begun(workflow, value, given), broken.run.events)
            kept = {"invariant": broken.invariant, "moves": moves, "story": f"{broken.trace}".splitlines()}
            self._memory.put(name, None if moves is None else kept)
            raise AssertionError(f"{broken}")
        return found if self._states is not None else found.check()

    def _again(self, name: str, workflow: Compilable[In, Any, Any], value: In, given: ExploreOptions) -> None:
        """Let the run that is kept happen again."""
        kept = self._memory.get(name)
        if kept is None:
            return
        events = _events_of(_begun(workflow, value, given), kept["moves"])
        if events is not None:
            try:
                replay(workflow, value, events, invariants=given.get("invariants", ()), deadline=given.get("deadline"))
            except AssertionError as error:
                self._tell(f"{name.partition(' ')[0]}: the counterexample of the last time breaks {kept['invariant']}")
                raise AssertionError(f"as the last time: {error}") from error
        self._memory.put(name, None)


def _begun(workflow: Compilable[In, Any, Any], value: In, given: ExploreOptions) -> Walk:
    """Return a run at its start, with the moves that `explore` has."""
    default = given.get("default", NOTHING)
    world = World.of(workflow.compile(), given.get("outcomes"), default, given.get("signals", ()))
    options = {name: given.get(name, usual) for name, usual in USUAL.items()}
    return evolve(world, **options).begin(value)


def _moves_of(walk: Walk, events: Sequence[Event]) -> list[int] | None:
    """Return which of the moves each event is; `None` where an output is equal to none, not even its like."""
    moves: list[int] = []
    for event in events:
        known = walk.timed
        if event not in known:
            return None
        moves.append(known.index(event))
        walk.take(known[moves[-1]])
    return moves


def _events_of(walk: Walk, moves: Sequence[int]) -> list[Event] | None:
    """Return the events of these moves; `None` where there are not so many any more: the workflow has changed."""
    events: list[Event] = []
    for move in moves:
        known = walk.timed
        if move >= len(known):
            return None
        events.append(known[move])
        walk.take(events[-1])
    return events


@final
class Simulator:
    """`simulate`, with as many seeds as the command line says; seeds that fail are kept, and tried first next time."""

    def __init__(self, memory: Memory, seeds: int | None, tell: Callable[[str], None]) -> None:
        """Keep failing seeds in `memory`, run so many `seeds`, and `tell` what was seen."""
        self._memory = memory
        self._seeds = seeds
        self._tell = tell
        self._calls = count(1)

    def __call__(
        self,
        workflow: Compilable[In, Any, Any],
        value: In,
        /,
        *,
        seeds: int | Iterable[int] = SEEDS,
        **options: Any,  # noqa: ANN401 - those of `simulate`
    ) -> Simulation:
        """Simulate runs of a workflow, as `simulate(workflow, value, **options).check()` does.

        With `--orchestration-seeds=N` on the command line there are N seeds, unless the test names each. Those that
        have failed the last time come before.

        Raises:
            AssertionError: with the story of the simplest run that breaks an invariant.
        """
        given: dict[str, Any] = {name: [*value] if name in SPENT else value for name, value in options.items()}
        name = f"{workflow.compile().name} {next(self._calls)}"
        kept = self._memory.get(name)
        if kept:
            again = simulate(workflow, value, seeds=kept, **given)
            self._tell(f"the seeds that failed the last time\n{again}")
            self._memory.put(name, [*again.failed] or None)
            again.check()
        number = self._seeds if self._seeds is not None and isinstance(seeds, int) else seeds
        found = simulate(workflow, value, seeds=number, **given)
        self._tell(f"{found}")
        self._memory.put(name, [*found.failed[:KEPT]] or None)
        return found.check()
