"""Runs, drawn: in which order things happen, and what goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from orchestration.frozen import evolve
from orchestration.interpreter.events import Started
from orchestration.testing.answers import NOTHING
from orchestration.testing.strategies_base import note, st
from orchestration.testing.strategies_walk import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Compilable
    from orchestration.signals import Signal
    from orchestration.testing.explore_outcomes import Given
    from orchestration.testing.strategies_walk import Walk
    from orchestration.testing.trace import Trace

In = TypeVar("In")
Out = TypeVar("Out")
LONGEST = 1_000  # events of a run that is drawn: what reads an endless stream has no end
QUARTERS = 4  # at how many times between now and the next timer something may happen
GAPS = st.one_of(st.integers(0, 3), st.integers(0, 15), st.integers(0, 63))  # faults come early and late alike


def runs(  # noqa: PLR0913 - all but two are options, by keyword
    workflow: Compilable[In, Out, Any],
    value: In | st.SearchStrategy[In],
    /,
    *,
    outcomes: Given | None = None,
    default: Any = NOTHING,  # noqa: ANN401 - any output
    signals: Iterable[tuple[Signal[Any] | str, object]] = (),
    deadline: float | None = None,
    faults: int = 4,
    cancel: bool = True,
    leaks: bool = False,
    crash: bool = False,
) -> st.SearchStrategy[Trace[Out]]:
    """Draw runs of a workflow with this value, or with those of a strategy, over the real interpreter.

    ```python
    @given(run=runs(checkout, order, outcomes={Inventory.reserve: [Reserved(1), OutOfStock], ...}))
    def test_nobody_pays_for_nothing(run: Trace[Parcel]) -> None:
        assert not (run.ran(Payments.charge) and run.undone == [])
    ```

    The options are those of `explore`, which looks at all runs where this draws some: take it for workflows of which
    there are too many. The first of the `outcomes` of a step is the expected one. A run has at most so many `faults`:
    another outcome than the first, a cancel, a hook that objects, a leak, a crash. What runs side by side ends in any
    order.

    A run that fails a test shrinks towards few events, then towards what is expected, in the order of the plan; its
    story is told with the failure. One that waits for a signal that does not come is cancelled if it may be, and
    otherwise has not ended; neither has one of 1,000 events. Time is abstract: an attempt may take any.

    Raises:
        Unanswered: if steps have no outcomes and there is no default, with all of them.
        Unasked: if outcomes are given for something that is not in the workflow.
        ValueError: if an outcome or a signal can never come.
    """
    world = World.of(workflow.compile(), outcomes, default, signals)
    world = evolve(world, deadline=deadline, cancel=cancel, leaks=leaks, crash=crash)
    values = value if isinstance(value, st.SearchStrategy) else st.just(value)
    return _traces(world, values, faults)


def schedules(
    workflow: Compilable[In, Out, Any],
    value: In,
    /,
    **options: Any,  # noqa: ANN401 - those of `runs`
) -> st.SearchStrategy[tuple[Event, ...]]:
    """Draw the events of runs, which `replay(workflow, value, events)` lets happen again, with the options of `runs`.

    For tests of what takes events: a handler, a journal, an engine of your own.
    """
    return runs(workflow, value, **options).map(lambda run: tuple(_events(run)))


def _events(run: Trace[Any]) -> Iterator[Event]:
    """Yield what happened after the start."""
    for event in run.events:
        if not isinstance(event, Started):
            yield event


@st.composite
def _traces(draw: st.DrawFn, world: World, values: st.SearchStrategy[Any], faults: int) -> Trace[Any]:
    walk = world.begin(draw(values))
    gaps = draw(st.lists(GAPS, max_size=faults))
    for _ in range(LONGEST):
        if not walk.events:
            break
        event, gaps = _next(draw, walk, gaps)
        latest = walk.latest(event)
        quarter = draw(st.integers(0, QUARTERS)) if latest > event.at else 0
        walk.take(event, event.at + (latest - event.at) * quarter / QUARTERS)
    trace = walk.trace()
    note(f"The run:\n{trace}")
    return trace


def _next(draw: st.DrawFn, walk: Walk, gaps: list[int]) -> tuple[Event, list[int]]:
    """Return what happens next, and how many expected events there are before each further fault."""
    expected, others = walk.expected, walk.faults
    if others and (not expected or gaps[:1] == [0]):
        return _one(draw, others), gaps[1:]
    left = [max(gaps[0] - 1, 0), *gaps[1:]] if gaps else []
    return _one(draw, expected), left


def _one(draw: st.DrawFn, events: list[Event]) -> Event:
    return events[draw(st.integers(0, len(events) - 1))] if len(events) > 1 else events[0]
