"""`Position`: where a run is, and what time it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from orchestration.interpreter.engine import advance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestration.interpreter.ahead import Ahead
    from orchestration.interpreter.effects import Attempted, Effect, RunStep
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.pure import Answer
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan
    from orchestration.runtime.beginning import Beginning, Home


@final
class Position:
    """The state of a run. Steps may be ahead of it; when it is asked for, it catches up."""

    __slots__ = ("_ahead", "_answers", "_clock", "_plan", "_route", "_state", "_stays")

    def __init__(self, plan: Plan, beginning: Beginning, home: Home, *, stays: bool) -> None:
        """Begin at a state; one that `stays` has nothing go ahead of it, because somebody needs each event."""
        self._plan = plan
        self._state = beginning.state
        self._ahead: Ahead | None = beginning.ahead
        # what pure functions have said of the success that comes next as an event
        self._answers: Sequence[Answer] = () if beginning.ahead is None else beginning.ahead.answers
        self._clock = home.clock
        self._route = home.route
        self._stays = stays or not home.route.leads_on

    @property
    def state(self) -> State:
        """Where the run is. Reading it changes nothing, so that a thread or a signal may."""
        ahead = self._ahead
        return self._state if ahead is None else ahead.state()

    @state.setter
    def state(self, state: State) -> None:
        self._state = state

    def _catch_up(self) -> None:
        """Bring the state to where the steps are."""
        self._state = self.state  # first: if this raises, nothing is forgotten
        self._ahead = None

    def stay(self) -> None:
        """Let nothing go ahead any more."""
        self._catch_up()
        self._stays = True

    def advance(self, event: Event) -> tuple[State, list[Effect]]:
        """Take an event; return the next state and the effects to perform."""
        if self._ahead is not None:
            self._catch_up()
        answers, self._answers = self._answers, ()
        advanced = advance(self._plan, self._state, event, answers)
        self._state = advanced[0]
        return advanced

    def step_after(self, effect: Attempted, output: object) -> RunStep | None:
        """Go ahead: return the step that a success of one leads to, if that is known without an event."""
        ahead = self._ahead
        if ahead is None:
            return None if self._stays else self._first_after(effect, output)
        following = ahead.after(effect, output, self._clock())  # type: ignore[arg-type]  # only steps go ahead
        if following is None:
            self._answers = ahead.answers
        elif ahead is not self._ahead:
            return None  # a pure function has begun to listen, or cancelled its run
        return following

    def _first_after(self, effect: Attempted, output: object) -> RunStep | None:
        """Begin to go ahead of the state, if something can."""
        before = self._state
        ahead = self._route.ahead_of(before)
        if ahead is None:
            return None
        following = ahead.after(effect, output, self._clock())  # type: ignore[arg-type]  # as above
        if following is None:
            self._answers = ahead.answers
        elif self._state is not before or self._stays:
            return None  # as above
        else:
            self._ahead, self._state = ahead, ahead.before
        return following

    def now(self) -> float:
        """Return the time of an event: it never runs backwards (S2)."""
        now, last = self._clock(), self._state.at
        return now if now > last else last  # noqa: FURB136 - `max` costs more than the clock
