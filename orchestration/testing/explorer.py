"""`explore`: look at every run that a workflow can have, and show the shortest that breaks an invariant.

It drives the real interpreter, whose states are frozen values: from each state it takes every event that may come next.
What may come is in `explore_moves`: any attempt ends, in any of its ways; a timer is due; the run is cancelled.

Time is abstract: an attempt may take any time, its own timeout may pass at any time, and of two timers the earlier is
due first. While timers run, an event is tried at once, when the next timer is due, and between where a timer that it
starts changes places with one that runs; so each order of a new timer and those that run is seen.

What is independent comes in every order, but n steps side by side that end in k ways lead to (k + 1)^n states, not to
n! k^n runs: equal states are visited once, which is the only reduction. It is sound without any assumption on which
events are independent, and what cannot be told from a state (an invariant's memory) is part of the place.
"""

from __future__ import annotations

import gc
import random
from collections import Counter, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, final

from orchestration.frozen import evolve
from orchestration.interpreter.engine import start
from orchestration.plan.nodes import WaitFor
from orchestration.runtime.boundary import validate_input
from orchestration.testing.answers import NOTHING
from orchestration.testing.explore_invariants import Moment, about, invariant_of, judges, watches
from orchestration.testing.explore_keys import Keys
from orchestration.testing.explore_moves import Moves, Place, begun
from orchestration.testing.explore_outcomes import TIMES_OUT, Outcomes
from orchestration.testing.explore_ready import (
    READY,
    caps_held,
    nothing_after_cancel,
    nothing_in_flight,
    settled_once,
    undone_in_reverse,
)
from orchestration.testing.explore_report import WAITS, Counterexample, Coverage, Ending, Exploration, Run

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterable, Iterator, Sequence

    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Compilable
    from orchestration.signals import Signal
    from orchestration.testing.explore_invariants import Check, Invariant
    from orchestration.testing.explore_moves import Turned
    from orchestration.testing.explore_outcomes import Given
    from orchestration.testing.trace import Trace

__all__ = [
    "READY",
    "TIMES_OUT",
    "Counterexample",
    "Exploration",
    "about",
    "caps_held",
    "explore",
    "nothing_after_cancel",
    "nothing_in_flight",
    "replay",
    "settled_once",
    "undone_in_reverse",
]

In = TypeVar("In")
Out = TypeVar("Out")
Link: TypeAlias = "tuple[Link, Event] | None"  # the way to a place: the one before, and the event
LONGEST = 10_000  # events of a run that is drawn: what reads an endless stream has no end


def explore(  # noqa: PLR0913 - all but two are options, by keyword
    workflow: Compilable[In, Out, Any],
    value: In,
    /,
    *,
    outcomes: Given | None = None,
    default: Any = NOTHING,  # noqa: ANN401 - any output
    invariants: Iterable[Check] = (),
    signals: Iterable[tuple[Signal[Any] | str, object]] = (),
    deadline: float | None = None,
    cancel: bool = True,
    leaks: bool = False,
    crash: bool = False,
    max_states: int = 200_000,
    samples: int = 1_000,
) -> Exploration:
    """Look at every run of a workflow with this value; stop at the first, hence shortest, that breaks an invariant.

    ```python
    def charged_or_released(outcome: Outcome[Charge]) -> None:
        if isinstance(outcome, Failed) and outcome.failure.path == "sale/charge":
            assert outcome.rollback.undone == ("sale/reserve",)

    explore(
        Workflow[Order]("sale").step(reserve).compensate(release).step(Payments.charge, attempt_timeout=10),
        order,
        outcomes={
            reserve: [Reserved(order), LookupError("sold out")],
            Payments.charge: [Charge(Reserved(order), 900), OSError("gone"), TIMES_OUT],
        },
        invariants=[*READY, charged_or_released],
    ).check()
    ```

    `outcomes` says in which ways each attempt of a step may end: values, exceptions, `TIMES_OUT`, or `answers(does=…)`
    for a function of the input. Steps are meant by function, service method, name or path, an undo also by `:undo` (or
    `:in_doubt`) behind name or path; undos and cleanups without outcomes succeed, steps without any have the `default`.
    Gates have no objection, unless outcomes are given for `name:before`.
    An invariant is a function of the outcome, a function of the trace made by `about`, or one of the `READY` ones; it
    is broken when it returns something false that is not `None`, or raises an `AssertionError`.
    The `signals` come in their order, at any point. With `cancel` the run may be cancelled at any point. An attempt
    that is cancelled may end so, before or after it began, or end in one of its ways all the same; with `leaks` it may
    also outlive its grace, as may one that times out, and land later. With `crash` the process may end at any point of
    a durable run, as often as it likes, and another takes it up (S35). `deadline` is how many seconds the run may take.

    Beyond `max_states` the search goes on no further: `samples` runs are drawn from there on, always the same ones, and
    the exploration says that it is not exhaustive.

    Raises:
        Unanswered: if steps have no outcomes and there is no default, with all of them.
        Unasked: if outcomes are given for something that is not in the workflow.
        ValueError: if an outcome or a signal can never come.
        InvalidInput: if the value does not fit the workflow's type (S12).
    """
    plan = workflow.compile()
    keys = Keys()
    sent = [(one if isinstance(one, str) else one.name, payload) for one, payload in signals]
    waited = {node.signal for node in plan.nodes if isinstance(node, WaitFor)}
    for name, _ in sent:
        if name not in waited:
            raise ValueError(f"nothing in {plan.name} waits for the signal {name!r}")
    moves = Moves(
        plan, Outcomes(plan, outcomes or {}, default), keys, signals=sent, cancel=cancel, leaks=leaks, crash=crash
    )
    run = Run(plan, validate_input(plan, value), deadline, ())
    search = Search(run, moves, keys, [invariant_of(check).bound(plan, keys) for check in invariants])
    return search.explore(max_states, samples)


def replay(
    workflow: Compilable[In, Out, Any],
    value: In,
    events: Sequence[Event],
    *,
    invariants: Iterable[Check] = (),
    deadline: float | None = None,
) -> Trace[Out]:
    """Let a run happen again, event by event, as `explore` has found it; return its trace.

    ```python
    sale = Workflow[Order]("sale").step(reserve)
    run = explore(sale, order, outcomes={reserve: [OSError("gone")]}).example("Failed", "not needed")
    assert replay(sale, order, run.events[1:], invariants=READY).failure.path == "sale/reserve"
    ```

    Raises:
        AssertionError: if it breaks one of the invariants, with its story.
        IllegalEvent: if it cannot happen any more: the workflow is not what it was.
    """
    plan = workflow.compile()
    run = Run(plan, validate_input(plan, value), deadline, tuple(events))
    keys = Keys()
    for invariant in [invariant_of(check).bound(plan, keys) for check in invariants]:
        message = _broken(invariant, run)
        if message is not None:
            raise AssertionError(f"{invariant.name} is broken: {message}\n\n{run.trace()}")
    return run.trace()


def _broken(invariant: Invariant, run: Run) -> str | None:
    """Return in what way a run breaks an invariant, if it does."""
    memory = invariant.first
    moments = list(run.moments())
    try:
        for moment in moments:
            memory = invariant.see(memory, moment)
        if moments[-1].state.outcome is not None:
            invariant.end(run.plan, lambda: moments, moments[-1].state)
    except AssertionError as error:
        return str(error)
    return None


class Broken(Exception):
    """An invariant is broken by a run."""

    def __init__(self, invariant: str, message: str, link: Link) -> None:
        """Keep which, how and where."""
        super().__init__(message)
        self.invariant = invariant
        self.message = message
        self.link = link


class Stand(NamedTuple):
    """Where a search stands: a place, what the invariants remember, and the way there."""

    place: Place
    memories: tuple[Hashable, ...]
    link: Link


@final
class Search:
    """The search through all places, breadth first, so that what is found first is found after the fewest events."""

    def __init__(self, run: Run, moves: Moves, keys: Keys, invariants: list[Invariant]) -> None:
        """Begin with nothing seen."""
        self._run = run
        self._moves = moves
        self._keys = keys
        self._watching = [invariant for invariant in invariants if watches(invariant)]
        self._judging = [invariant for invariant in invariants if judges(invariant)]
        self._sees = [invariant.see for invariant in self._watching]
        self._seen: set[Hashable] = set()
        self._transitions = 0
        self._endings: Counter[Ending] = Counter()
        self._examples: dict[Ending, Run] = {}

    def explore(self, most: int, samples: int) -> Exploration:
        """Look at all places, but keep no more than so many; from there on, draw so many runs."""
        queue: deque[Stand] = deque()
        coverage: Coverage = "exhaustive"
        broken: Broken | None = None
        try:
            with _no_collector():
                queue.append(self._begin())
                while queue and len(self._seen) < most:
                    queue.extend(self._expand(queue.popleft()))
                if queue:
                    coverage = "sampled"
                    self._draw(list(queue), samples)
        except Broken as found:
            coverage, broken = "stopped", found
        return Exploration(
            self._run.plan.name,
            len(self._seen),
            self._transitions,
            dict(self._endings),
            coverage,
            samples if coverage == "sampled" else 0,
            None if broken is None else Counterexample(broken.invariant, broken.message, self._to(broken.link)),
            self._examples,
        )

    def _begin(self) -> Stand:
        run = self._run
        state, effects = start(run.plan, run.value, run_id=run.run_id, at=0.0, deadline=run.deadline)
        place = begun(state, effects)
        memories = tuple(invariant.first for invariant in self._watching)
        memories = self._see(memories, Moment(run.started, None, effects, state, place.pending), None)
        stand = Stand(place, memories, None)
        self._is_new(stand)
        return stand

    def _expand(self, stand: Stand) -> Iterator[Stand]:
        """Yield the places that have not been seen before."""
        for turned in self._moves.turns(stand.place):
            following = self._follow(stand, turned)
            if self._is_new(following):
                yield following

    def _follow(self, stand: Stand, turned: Turned) -> Stand:
        self._transitions += 1
        link = (stand.link, turned.event)
        memories = stand.memories
        if memories:
            place = turned.place
            moment = Moment(turned.event, turned.ended, turned.effects, place.state, place.pending)
            memories = self._see(memories, moment, link)
        return Stand(turned.place, memories, link)

    def _is_new(self, stand: Stand) -> bool:
        """Note a place; an end is looked at and counted, once."""
        key = (stand.place.key(self._keys), stand.memories)
        if key in self._seen:
            return False
        self._seen.add(key)
        outcome = stand.place.state.outcome
        if outcome is not None:
            self._judge(stand)
            self._count(Ending(type(outcome).__name__, outcome.rollback.verdict), stand)
        elif self._moves.wait_for_ever(stand.place):
            self._count(Ending(WAITS, ""), stand)
        return True

    def _count(self, ending: Ending, stand: Stand) -> None:
        self._endings[ending] += 1
        if ending not in self._examples:
            self._examples[ending] = self._to(stand.link)

    def _draw(self, stands: list[Stand], samples: int) -> None:
        """Draw runs from where the search has come to."""
        chance = random.Random(0)  # noqa: S311 - the same runs each time, nothing secret
        for _ in range(samples):
            stand = chance.choice(stands)
            for _ in range(LONGEST):
                ways = list(self._moves.turns(stand.place))
                if not ways:
                    break
                stand = self._follow(stand, chance.choice(ways))
                self._is_new(stand)

    # --- invariants

    def _see(self, memories: tuple[Hashable, ...], moment: Moment, link: Link) -> tuple[Hashable, ...]:
        seen: list[Hashable] = []
        try:
            for see, memory in zip(self._sees, memories, strict=True):
                seen.append(see(memory, moment))
        except AssertionError as error:
            raise Broken(self._watching[len(seen)].name, str(error), link) from error
        return tuple(seen)

    def _judge(self, stand: Stand) -> None:
        """Ask the invariants about a run that has ended."""
        moments = lambda: list(self._to(stand.link).moments())  # noqa: E731 - few ask for them, and all are slow
        for invariant in self._judging:
            try:
                invariant.end(self._run.plan, moments, stand.place.state)
            except AssertionError as error:
                raise Broken(invariant.name, str(error), stand.link) from error

    def _to(self, link: Link) -> Run:
        events: list[Event] = []
        while link is not None:
            link, event = link
            events.append(event)
        return evolve(self._run, events=tuple(reversed(events)))


@contextmanager
def _no_collector() -> Generator[None]:
    """Pause the garbage collector: states hold no cycles, and to look for some in all of them costs much time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
