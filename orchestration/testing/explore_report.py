"""What `explore` answers: how much was seen, how the runs ended, and the shortest run that breaks an invariant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias

import attrs

from orchestration.failures import Failure
from orchestration.frozen import frozen
from orchestration.interpreter.engine import advance, start
from orchestration.interpreter.events import Started
from orchestration.interpreter.pending import ended_by, pending_after
from orchestration.testing.explore_invariants import Moment
from orchestration.testing.explore_moves import begun
from orchestration.testing.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Plan

Coverage: TypeAlias = Literal["exhaustive", "sampled", "stopped"]
COVERAGE: dict[Coverage, str] = {
    "exhaustive": "exhaustive",
    "sampled": "NOT exhaustive: sampled beyond the bound",
    "stopped": "stopped at the first broken invariant",
}
WAITS = "waits for ever"


@frozen
class Run:
    """A run as data: what it begins with, and its events."""

    plan: Plan
    value: Any
    deadline: float | None
    events: tuple[Event, ...]
    run_id: str = "explored"

    def moments(self) -> Iterator[Moment]:
        """Yield what happens, anew.

        Raises:
            IllegalEvent: if it cannot happen: the workflow is not what it was.
        """
        state, effects = start(self.plan, self.value, run_id=self.run_id, at=0.0, deadline=self.deadline)
        pending = begun(state, effects).pending
        yield Moment(self.started, None, effects, state, pending)
        for event in self.events:
            ended: Effect | None = ended_by(event, pending)
            state, effects = advance(self.plan, state, event)
            pending = pending_after(pending, event, effects)
            yield Moment(event, ended, effects, state, pending)

    @property
    def started(self) -> Started:
        """The first event."""
        return Started(self.plan.name, 0.0, self.run_id, self.value, self.deadline)

    def trace(self) -> Trace[Any]:
        """Return what happened."""
        trace: Trace[Any] = Trace(self.plan)
        for moment in self.moments():
            trace.add(moment.event, list(moment.effects), moment.state)
        return trace


class Ending(NamedTuple):
    """How runs end: the kind of the outcome and the verdict on its rollback; or `waits for ever`, for a signal."""

    kind: str
    rollback: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.kind}, rollback {self.rollback}" if self.rollback else self.kind


@frozen
class Counterexample:
    """A run that breaks an invariant; of those that were looked at, none with fewer events does.

    ```python
    def never_fails(outcome: Outcome[Reserved]) -> bool:
        return not isinstance(outcome, Failed)

    sale = Workflow[Order]("sale").step(reserve)
    world = {reserve: [Reserved(order), OSError("gone")]}
    found = explore(sale, order, outcomes=world, invariants=[never_fails]).broken
    print(found.invariant, found.trace, found.test)  # the test to paste replays this run
    ```
    """

    invariant: str
    message: str
    run: Run

    @property
    def trace(self) -> Trace[Any]:
        """What happened."""
        return self.run.trace()

    @property
    def test(self) -> str:
        """A test to paste, which fails as long as the run breaks the invariant; import your own names."""
        return _test(self.invariant, self.run)

    def __str__(self) -> str:
        """Tell the story."""
        message = f": {self.message}" if self.message else ""
        return f"{self.invariant} is broken{message}\n\n{self.trace}\n\n{self.test}"


@frozen
class Exploration:
    """What `explore` has seen.

    ```python
    seen = explore(Workflow[Order]("sale").step(reserve), order, outcomes={reserve: [Reserved(order), OSError("gone")]})
    assert seen.exhaustive and seen.broken is None
    print(seen.states, seen.endings, seen.example("Failed", "not needed"))
    ```

    `states` are the different places that runs of the workflow called `name` come to, `transitions` the events that
    lead from one to another, `endings` how many of the states are an end of each kind. `coverage` says whether that is
    all there is; beyond the bound `samples` runs were drawn. `broken` is the shortest run that breaks an invariant.
    """

    name: str
    states: int
    transitions: int
    endings: Mapping[Ending, int]
    coverage: Coverage
    samples: int
    broken: Counterexample | None
    examples: Mapping[Ending, Run] = attrs.field(repr=False)

    @property
    def exhaustive(self) -> bool:
        """Whether everything within the given outcomes was looked at."""
        return self.coverage == "exhaustive"

    def check(self) -> Self:
        """See to it that no invariant is broken and that everything was looked at.

        Raises:
            AssertionError: with the story of the shortest run that breaks one, or with how much was looked at.
        """
        if self.broken is not None:
            raise AssertionError(f"{self.broken}")
        if not self.exhaustive:
            raise AssertionError(f"{self}\nRaise max_states, or ask for less.")
        return self

    def example(self, kind: str, rollback: str = "") -> Trace[Any]:
        """Return the trace of one of the shortest runs that end so: `example("Failed", "partial")`.

        Raises:
            LookupError: if none does.
        """
        ending = Ending(kind, rollback)
        if ending not in self.examples:
            known = ", ".join(f"({one.kind!r}, {one.rollback!r})" for one in self.examples)
            raise LookupError(f"no run ends ({kind!r}, {rollback!r}); those that were seen end {known}")
        return self.examples[ending].trace()

    def __str__(self) -> str:
        """Say it in a few lines."""
        drawn = f", {self.samples:,} runs drawn" if self.samples else ""
        head = (
            f"{self.name}: {self.states:,} states, {self.transitions:,} transitions, {COVERAGE[self.coverage]}{drawn}"
        )
        rows = [f"{count:>8,}  {ending}" for ending, count in sorted(self.endings.items())]
        broken = [] if self.broken is None else [f"{self.broken.invariant} is broken: {self.broken.message}"]
        return "\n".join([head, *rows, *broken])


def _test(invariant: str, run: Run) -> str:
    kinds = sorted({type(event).__name__ for event in run.events})
    failures = any(isinstance(getattr(event, "failure", None), Failure) for event in run.events)
    name = "".join(letter if letter.isalnum() else "_" for letter in invariant).strip("_")
    deadline = [] if run.deadline is None else [f"        deadline={run.deadline!r},"]
    return "\n".join(
        [
            *(["from orchestration.failures import Failure"] if failures else []),
            *([f"from orchestration.interpreter.events import {', '.join(kinds)}"] if kinds else []),
            "from orchestration.testing import replay",
            "",
            "",
            f"def test_{name}_in_a_run_that_broke_it() -> None:",
            f'    """{invariant} holds in a run that `explore` found to break it."""',
            "    replay(",
            f"        {run.plan.name},",
            f"        {run.value!r},",
            "        [",
            *(f"            {event!r}," for event in run.events),
            "        ],",
            f"        invariants=[{invariant}],",
            *deadline,
            "    )",
        ]
    )
