"""`Trace`: what happened in a run, to be asked in the words of a test, and to be read as a story."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from orchestration.interpreter.effects import Attempted, RunCleanup, RunStep, RunUndo
from orchestration.interpreter.events import CleanupEvent, StepEvent, UndoEvent
from orchestration.outcomes import Failed, Succeeded
from orchestration.testing.means import key_of, means, place_of
from orchestration.testing.story import drawn, story, written

if TYPE_CHECKING:
    from orchestration.failures import Failure
    from orchestration.interpreter.effects import Effect
    from orchestration.interpreter.events import AnyEvent
    from orchestration.interpreter.state import State
    from orchestration.outcomes import Outcome
    from orchestration.plan.compile import Plan
    from orchestration.testing.means import What
    from orchestration.testing.story import Line

T = TypeVar("T")
ENDS: dict[type[Attempted], Any] = {RunStep: StepEvent, RunUndo: UndoEvent, RunCleanup: CleanupEvent}


class Turn(NamedTuple):
    """An event, and the effects that it brought about."""

    event: AnyEvent
    effects: list[Effect]


class Trace(Generic[T]):
    """What happened in a run: its events in their order, with the effects that each brought about.

    ```python
    sale = Workflow[Order]("sale").step(reserve).compensate(release).step(Payments.charge)
    trace = FakeHandler(real=True).on(Payments.charge, raises=OSError("gone")).run(sale, order)
    assert trace.before(reserve, Payments.charge) and trace.undone == ["sale/reserve"]
    assert trace.inputs(release) == [Reserved(order)]
    print(trace)
    ```

    A step is meant by its function, by the method of a service, by its name or by its path; an undo or a cleanup by its
    function as well, an undo also by the step's name or path with `:undo` behind it.
    """

    def __init__(self, plan: Plan) -> None:
        """Begin with nothing."""
        self.plan = plan
        self.turns: list[Turn] = []
        self._outcome: Outcome[T] | None = None
        self._lines: list[Line] = []

    def add(self, event: AnyEvent, effects: list[Effect], state: State) -> None:
        """Take the next event. For what drives a run."""
        self.turns.append(Turn(event, effects))
        self._lines += story(event, effects, state)
        self._outcome = state.outcome  # type: ignore[assignment]  # what the plan gives is what the workflow's type says

    # --- the end

    @property
    def outcome(self) -> Outcome[T]:
        """The outcome.

        Raises:
            AssertionError: if there is none yet, with the story of the run.
        """
        if self._outcome is None:
            raise AssertionError(f"the run has not ended\n{self}")
        return self._outcome

    @property
    def value(self) -> T:
        """The value of a run that has succeeded.

        Raises:
            AssertionError: if it has not, with the story of the run.
        """
        outcome = self.outcome
        if not isinstance(outcome, Succeeded):
            raise AssertionError(f"the run has no value\n{self}")  # noqa: TRY004 - no type is wrong: a test fails
        return outcome.value

    @property
    def failure(self) -> Failure:
        """The failure of a run that has failed.

        Raises:
            AssertionError: if it has not, with the story of the run.
        """
        outcome = self.outcome
        if not isinstance(outcome, Failed):
            raise AssertionError(f"the run has not failed\n{self}")  # noqa: TRY004 - as above
        return outcome.failure

    @property
    def undone(self) -> list[str]:
        """The paths that were undone, in order."""
        return list(self.outcome.rollback.undone)

    @property
    def seconds(self) -> float:
        """How long the run has taken so far, in virtual time."""
        return self.events[-1].at - self.events[0].at

    # --- what ran

    @property
    def events(self) -> list[AnyEvent]:
        """The events, in order."""
        return [turn.event for turn in self.turns]

    @property
    def steps(self) -> list[str]:
        """The paths of the steps, in the order in which they began."""
        return list(dict.fromkeys(effect.path for effect in self._attempts() if isinstance(effect, RunStep)))

    @property
    def cleanups(self) -> list[str]:
        """The paths of the cleanups, in the order in which they began."""
        return list(dict.fromkeys(effect.path for effect in self._attempts() if isinstance(effect, RunCleanup)))

    def attempts(self, what: What) -> list[Attempted]:
        """Return the attempts of something, in the order in which they began."""
        key = key_of(what)
        return [effect for effect in self._attempts() if means(key, place_of(effect), effect.body)]

    def inputs(self, what: What) -> list[Any]:
        """Return what the attempts of something were given."""
        return [effect.value for effect in self.attempts(what)]

    def ran(self, what: What, *, times: int | None = None) -> bool:
        """Tell whether something was attempted; with `times`, whether it was so often."""
        found = len(self.attempts(what))
        return found > 0 if times is None else found == times

    def before(self, one: What, other: What) -> bool:
        """Tell whether one had ended, each time, before the other began for the first time. Both have to have run."""
        first, second = self.attempts(one), self.attempts(other)
        ends = [at for at, turn in enumerate(self.turns) if any(_ends(turn.event, effect) for effect in first)]
        begun = {id(effect) for effect in second}
        begins = [at for at, turn in enumerate(self.turns) if any(id(effect) in begun for effect in turn.effects)]
        return bool(ends and begins) and len(ends) >= len(first) and ends[-1] <= begins[0]

    def _attempts(self) -> list[Attempted]:
        return [effect for turn in self.turns for effect in turn.effects if isinstance(effect, Attempted)]

    # --- to be read

    def check_same(self, other: Trace[Any]) -> None:
        """See to it that another run went the same way, times included.

        Raises:
            AssertionError: with what differs; what the other one did is marked with a -, what this one did with a +.
        """
        difference = drawn(str(other), str(self))
        if difference:
            raise AssertionError(f"the runs differ\n{difference}")

    def check_golden(self, path: Path | str) -> None:
        """See to it that the run went as the file says, which is a story like this one.

        Raises:
            AssertionError: with what differs; or if there was no such file, which is then written, to be read by you.
        """
        golden = Path(path)
        if not golden.exists():
            golden.write_text(f"{self}\n", encoding="utf-8")
            raise AssertionError(f"{golden} was not there and has been written: read it, and keep it if it is right")
        difference = drawn(golden.read_text(encoding="utf-8"), str(self))
        if difference:
            mend = "If it is right now, delete the file and run the test again."
            raise AssertionError(f"the run differs from {golden}\n{difference}\n{mend}")

    def __str__(self) -> str:
        """Tell the story of the run, a line an event."""
        return written(self._lines)

    def __repr__(self) -> str:
        """Say what it is of, and how it ended."""
        how = "under way" if self._outcome is None else type(self._outcome).__name__
        return f"<Trace of {self.plan.name}: {how} after {self.seconds:g} s>"


def _ends(event: Any, effect: Attempted) -> bool:  # noqa: ANN401 - any event
    return isinstance(event, ENDS[type(effect)]) and (event.path, event.attempt) == (effect.path, effect.attempt)
