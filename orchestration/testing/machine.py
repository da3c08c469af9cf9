"""`machine_for`: the interpreter as a rule-based state machine of Hypothesis, for the runs of one workflow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast

from orchestration.frozen import evolve
from orchestration.interpreter.effects import AskHooks, Attempted, Continue, Pull
from orchestration.interpreter.events import CancelRequested, Resumed, SignalReceived, TimerFired
from orchestration.interpreter.pending import ended_by
from orchestration.testing.answers import NOTHING
from orchestration.testing.explore_invariants import invariant_of
from orchestration.testing.explore_keys import Keys
from orchestration.testing.explore_ready import READY
from orchestration.testing.strategies_base import st, stateful
from orchestration.testing.strategies_walk import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orchestration.interpreter.events import Event
    from orchestration.plan.compile import Compilable
    from orchestration.signals import Signal
    from orchestration.testing.explore_invariants import Check, Invariant, Moment
    from orchestration.testing.explore_outcomes import Given
    from orchestration.testing.strategies_walk import Walk

In = TypeVar("In")
Rule: TypeAlias = "Callable[[Any, Event], None]"


def machine_for(  # noqa: PLR0913 - all but two are options, by keyword
    workflow: Compilable[In, Any, Any],
    value: In | st.SearchStrategy[In],
    /,
    *,
    outcomes: Given | None = None,
    default: Any = NOTHING,  # noqa: ANN401 - any output
    invariants: Iterable[Check] = READY,
    signals: Iterable[tuple[Signal[Any] | str, object]] = (),
    deadline: float | None = None,
    cancel: bool = True,
    leaks: bool = False,
    crash: bool = False,
) -> type[InterpreterMachine]:
    """Return a state machine whose rules are what may happen to a run, and whose invariants are those of `explore`.

    ```python
    TestCheckout = machine_for(checkout, order, outcomes={...}, invariants=[*READY, never_charged_and_lost]).TestCase
    ```

    The options are those of `explore`, and so are the moves: any attempt ends in any of its ways, timers are due,
    signals come, the run is cancelled, the process ends. An example is one run, of as many events as
    `stateful_step_count` has it. `runs` draws whole runs by a few choices; this is for those who want to see each
    choice, to add rules of their own in a subclass, or to let Hypothesis decide what is likely. With a broken invariant
    the story of the simplest run is told.

    Raises:
        Unanswered: if steps have no outcomes and there is no default, with all of them.
        Unasked: if outcomes are given for something that is not in the workflow.
        ValueError: if an outcome or a signal can never come.
    """
    plan = workflow.compile()
    world = evolve(
        World.of(plan, outcomes, default, signals), deadline=deadline, cancel=cancel, leaks=leaks, crash=crash
    )
    values = value if isinstance(value, st.SearchStrategy) else st.just(value)
    name = f"{''.join(part.capitalize() for part in re.split('[._-]', plan.name))}Machine"
    fields = {
        "__doc__": f"The runs of {plan.name}.",
        "__module__": __name__,
        "world": world,
        "values": values,
        "checks": tuple(invariants),
    }
    return cast("type[InterpreterMachine]", type(name, (InterpreterMachine,), fields))


def _may(kind: str) -> Callable[[Rule], Rule]:
    """Make a rule for when such events may come; it gets one of them."""
    one = st.runner().flatmap(lambda self: st.sampled_from(self.may[kind]))
    known = stateful.precondition(lambda self: bool(self.may[kind]))
    return lambda function: cast("Rule", known(stateful.rule(event=one)(function)))


class InterpreterMachine(stateful.RuleBasedStateMachine):
    """The rules. What a run is of is said by the classes that `machine_for` makes."""

    world: ClassVar[World]
    values: ClassVar[st.SearchStrategy[Any]]
    checks: ClassVar[Sequence[Check]]

    def __init__(self) -> None:
        """Have no run yet."""
        super().__init__()
        self.walk: Walk | None = None
        self.may: dict[str, list[Event]] = _sorted(None)
        self._invariants: list[Invariant] = []
        self._memories: list[Any] = []

    @stateful.initialize(value=st.runner().flatmap(lambda self: self.values))
    def a_run_begins(self, value: Any) -> None:  # noqa: ANN401 - of the workflow's input type
        """Begin the run."""
        self.walk = self.world.begin(value)
        self.may = _sorted(self.walk)
        keys = Keys()
        self._invariants = [invariant_of(check).bound(self.world.plan, keys) for check in self.checks]
        self._memories = [invariant.first for invariant in self._invariants]
        self._see(self.walk, self.walk.moments[0])

    @_may("attempt")
    def an_attempt_ends(self, event: Event) -> None:
        """Let an attempt of a step, an undo or a cleanup end."""
        self._take(event)

    @_may("hooks")
    def hooks_answer(self, event: Event) -> None:
        """Let the hooks of a step say what they think of it."""
        self._take(event)

    @_may("source")
    def a_source_answers(self, event: Event) -> None:
        """Let a stream give an item, or its end."""
        self._take(event)

    @_may("put off")
    def it_goes_on(self, event: Event) -> None:
        """Let what was put off go on."""
        self._take(event)

    @_may("timer")
    def a_timer_is_due(self, event: Event) -> None:
        """Let the time pass."""
        self._take(event)

    @_may("signal")
    def a_signal_comes(self, event: Event) -> None:
        """Send the next signal."""
        self._take(event)

    @_may("cancel")
    def the_run_is_cancelled(self, event: Event) -> None:
        """Cancel the run."""
        self._take(event)

    @_may("crash")
    def the_process_ends(self, event: Event) -> None:
        """Let another process take up the run; what was under way is lost (S35)."""
        self._take(event)

    @stateful.precondition(lambda self: not any(self.may.values()))
    @stateful.rule()
    def nothing_is_left(self) -> None:
        """Stay as it is: the run has ended, or waits for a signal that does not come."""

    def _take(self, event: Event) -> None:
        walk = cast("Walk", self.walk)
        moment = walk.take(event)
        self.may = _sorted(walk)
        self._see(walk, moment)

    def _see(self, walk: Walk, moment: Moment) -> None:
        """Show a moment, and the end, to the invariants."""
        for at, invariant in enumerate(self._invariants):
            try:
                self._memories[at] = invariant.see(self._memories[at], moment)
                if moment.state.outcome is not None:
                    invariant.end(walk.plan, lambda: walk.moments, moment.state)
            except AssertionError as error:
                raise AssertionError(f"{invariant.name} is broken: {error}\n\n{walk.trace()}") from error


KINDS: dict[str, Callable[[Any, Any], bool]] = {
    "attempt": lambda _, ended: isinstance(ended, Attempted),
    "hooks": lambda _, ended: isinstance(ended, AskHooks),
    "source": lambda _, ended: isinstance(ended, Pull),
    "put off": lambda _, ended: isinstance(ended, Continue),
    "timer": lambda event, _: isinstance(event, TimerFired),
    "signal": lambda event, _: isinstance(event, SignalReceived),
    "cancel": lambda event, _: isinstance(event, CancelRequested),
    "crash": lambda event, _: isinstance(event, Resumed),
}


def _sorted(walk: Walk | None) -> dict[str, list[Event]]:
    """Return what may come next, by its kind."""
    pairs = [] if walk is None else [(event, ended_by(event, walk.place.pending)) for event in walk.timed]
    return {name: [event for event, ended in pairs if is_one(event, ended)] for name, is_one in KINDS.items()}
