"""What has to hold of every run that `explore` looks at: functions of the outcome, or of the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast, final

from orchestration.interpreter.effects import Attempted, Effect
from orchestration.interpreter.events import CancelRequested
from orchestration.testing.explore_keys import Keys
from orchestration.testing.means import key_of, means, place_of
from orchestration.testing.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.pending import Pending
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan
    from orchestration.testing.means import What


class Moment(NamedTuple):
    """One event of a run: what it was the `ended` of, what came of it, and what waits now."""

    event: AnyEvent
    ended: Effect | None
    effects: Sequence[Effect]
    state: State
    pending: Pending


class Invariant(Protocol):
    """What has to hold of every run. What it remembers of a run is part of the place where the run is.

    So two runs that it remembers differently are never taken for one, and what it says is said of all.
    """

    @property
    def name(self) -> str:
        """What it is called in a report."""
        ...

    @property
    def first(self) -> Hashable:
        """What is remembered at first."""
        ...

    def bound(self, plan: Plan, keys: Keys) -> Invariant:
        """Return it as it is for this plan."""
        ...

    def see(self, memory: Any, moment: Moment) -> Hashable:  # noqa: ANN401 - what it remembers
        """Take the next event, and return what is remembered from then on.

        Raises:
            AssertionError: if the invariant is broken.
        """
        ...

    def end(self, plan: Plan, moments: Callable[[], Sequence[Moment]], state: State) -> None:
        """Look at a run that has ended, from its start if needed.

        Raises:
            AssertionError: if the invariant is broken.
        """
        ...


Check: TypeAlias = "Invariant | Callable[[Any], object]"


def invariant_of(check: Check) -> Invariant:
    """Return an invariant for what a user gave: a plain function is one of the outcome."""
    given: Any = check  # the two type checkers differ on what `hasattr` tells
    return given if hasattr(given, "see") else OfOutcome(given)


def _judge(function: Callable[[Any], object], of: object) -> None:
    verdict = function(of)
    if verdict is not None and not verdict:
        raise AssertionError(f"it returned {verdict!r}")


def _name_of(function: Callable[..., object]) -> str:
    return getattr(function, "__name__", type(function).__name__)


class Remembers:
    """An invariant that remembers nothing and says yes; each of the others has what sets it apart.

    It stands for those that find nothing in a plan to look after.
    """

    first: Hashable = None

    def __init__(self, name: str) -> None:
        """Keep the name."""
        self.name = name

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - the protocol's signature
        """Be the same for each plan."""
        return self

    def see(self, memory: Any, moment: Moment) -> Hashable:  # noqa: ANN401, ARG002 - the protocol's signature
        """Remember nothing new."""
        return cast("Hashable", memory)

    def end(self, plan: Plan, moments: Callable[[], Sequence[Moment]], state: State) -> None:
        """Find nothing wrong."""


def watches(invariant: Invariant) -> bool:
    """Tell whether an invariant looks at a run while it goes on."""
    return getattr(type(invariant), "see", None) is not Remembers.see


def judges(invariant: Invariant) -> bool:
    """Tell whether an invariant looks at the end of a run."""
    return getattr(type(invariant), "end", None) is not Remembers.end


@final
class OfOutcome(Remembers):
    """A function of the outcome."""

    def __init__(self, function: Callable[[Any], object]) -> None:
        """Keep it."""
        super().__init__(_name_of(function))
        self._function = function

    def end(self, plan: Plan, moments: Callable[[], Sequence[Moment]], state: State) -> None:  # noqa: ARG002 - as above
        """Ask it."""
        _judge(self._function, state.outcome)


@final
class OfTrace(Remembers):
    """A function of the trace, of all that happened or of what concerns some steps; made by `about`."""

    def __init__(
        self, function: Callable[[Trace[Any]], object], what: tuple[What, ...], keys: Keys | None = None
    ) -> None:
        """Keep it."""
        super().__init__(_name_of(function))
        self._function = function
        self._given = what
        self._what = tuple(map(key_of, what))
        self._keys = keys or Keys()

    def __call__(self, trace: Trace[Any]) -> object:
        """Ask the function."""
        return self._function(trace)

    def bound(self, plan: Plan, keys: Keys) -> Invariant:  # noqa: ARG002 - as above
        """Know what happens by these keys."""
        return OfTrace(self._function, self._given, keys)

    def see(self, memory: Any, moment: Moment) -> Hashable:  # noqa: ANN401 - as above
        """Remember what concerns the steps, in its order."""
        shown = self._shown(moment)
        if shown is None:
            return cast("Hashable", memory)
        of = self._keys.of
        return self._keys.number((memory, self._keys.without_time(moment.event), tuple(map(of, shown))))

    def end(self, plan: Plan, moments: Callable[[], Sequence[Moment]], state: State) -> None:  # noqa: ARG002 - as above
        """Show the function the trace that it may see: that which is remembered."""
        trace: Trace[Any] = Trace(plan)
        for moment in moments():
            shown = self._shown(moment)
            if shown is not None:
                trace.add(moment.event, shown, moment.state)
        _judge(self._function, trace)

    def _shown(self, moment: Moment) -> list[Effect] | None:
        """Return which effects of an event are shown, `None` if it is not shown itself."""
        if not self._what:
            return list(moment.effects)
        shown = [effect for effect in moment.effects if self._concerns(effect)]
        alone = isinstance(moment.event, CancelRequested) or self._concerns(moment.ended)
        return shown if shown or alone or moment.state.outcome is not None else None

    def _concerns(self, effect: Effect | None) -> bool:
        return isinstance(effect, Attempted) and any(means(k, place_of(effect), effect.body) for k in self._what)


def about(*what: What) -> Callable[[Callable[[Trace[Any]], object]], OfTrace]:
    """Make an invariant of a function of the trace, which is shown what concerns these steps.

    Steps, undos and cleanups are meant by function, name or path, as in a `Trace`. The trace has the events that end
    one of their attempts or start one, the cancel, and the end. Runs that differ in this are told apart; so name no
    more steps than it is about. Without names it is the whole trace, and hardly two runs are alike. The times of events
    are those of one of the runs that are taken for one: time is no matter for invariants.

    ```python
    @about(reserve, release)
    def released_at_most_once(trace: Trace) -> bool:
        return not trace.ran(release) or trace.ran(release, times=1)

    sale = Workflow[Order]("sale").step(reserve).compensate(release).step(Payments.charge)
    world = {reserve: [Reserved(order)], Payments.charge: [Charge(Reserved(order), 900), OSError("gone")]}
    explore(sale, order, outcomes=world, invariants=[released_at_most_once]).check()
    ```
    """
    return lambda function: OfTrace(function, what)
