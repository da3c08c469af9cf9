"""`Position`: where a run is, and what time it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from orchestration.interpreter.ahead import Ahead, ahead_of, can_go_ahead
from orchestration.interpreter.engine import advance

if TYPE_CHECKING:
    from orchestration.interpreter.effects import Attempted, Effect, RunStep
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan
    from orchestration.runtime.context import Clock


@final
class Position:
    """The state of a run. Steps may be ahead of it; when it is asked for, it catches up."""

    __slots__ = ("_ahead", "_clock", "_plan", "_state", "_stays")

    def __init__(self, plan: Plan, state: State, clock: Clock, *, stays: bool) -> None:
        """Begin at a state; one that `stays` has nothing go ahead of it, because somebody needs each event."""
        self._plan = plan
        self._state = state
        self._ahead: Ahead | None = None
        self._clock = clock
        self._stays = stays or not can_go_ahead(plan)

    @property
    def state(self) -> State:
        """Where the run is. Reading it changes nothing, so that a thread or a signal may."""
        ahead = self._ahead
        return self._state if ahead is None else ahead.state()

    @state.setter
    def state(self, state: State) -> None:
        self._state = state

    def catch_up(self) -> None:
        """Bring the state to where the steps are."""
        self._state = self.state  # first: if this raises, nothing is forgotten
        self._ahead = None

    def stay(self) -> None:
        """Let nothing go ahead any more."""
        self.catch_up()
        self._stays = True

    def advance(self, event: Event) -> tuple[State, list[Effect]]:
        """Take an event; return the next state and the effects to perform."""
        self.catch_up()
        advanced = advance(self._plan, self._state, event)
        self._state = advanced[0]
        return advanced

    def step_after(self, effect: Attempted, output: object) -> RunStep | None:
        """Go ahead: return the step that a success of one leads to, if that is known without an event."""
        ahead = self._ahead
        if ahead is not None:
            return ahead.after(effect, output, self._clock())  # type: ignore[arg-type]  # only steps go ahead
        if self._stays:
            return None
        ahead = ahead_of(self._state)
        following = None if ahead is None else ahead.after(effect, output, self.now())  # type: ignore[arg-type]  # as above
        if following is not None:
            self._ahead = ahead
        return following

    def now(self) -> float:
        """Return the time of an event: it never runs backwards (S2)."""
        now, last = self._clock(), self._state.at
        return now if now > last else last  # noqa: FURB136 - `max` costs more than the clock
