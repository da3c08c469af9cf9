"""`Position`: where a run is, and what time it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from orchestration.interpreter.ahead import Ahead, ahead_of, has_chain
from orchestration.interpreter.engine import advance

if TYPE_CHECKING:
    from orchestration.interpreter.effects import Effect, RunStep
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.state import State
    from orchestration.plan.compile import Plan
    from orchestration.runtime.context import Clock


@final
class Position:
    """The state of a run. Steps of a chain may be ahead of it; when it is asked for, it catches up."""

    __slots__ = ("_ahead", "_clock", "_plan", "_state", "_stays")

    def __init__(self, plan: Plan, state: State, clock: Clock, *, stays: bool) -> None:
        """Begin at a state; one that `stays` has nothing go ahead of it, because somebody needs each event."""
        self._plan = plan
        self._state = state
        self._ahead: Ahead | None = None
        self._clock = clock
        self._stays = stays or not has_chain(plan)

    @property
    def state(self) -> State:
        """Where the run is."""
        self.catch_up()
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state = state

    def catch_up(self) -> None:
        """Bring the state to where the steps are."""
        ahead = self._ahead
        if ahead is not None:
            self._ahead = None
            self._state = ahead.state(self.now())

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

    def step_after(self, output: object) -> RunStep | None:
        """Go ahead: return the step that a success of the one under way leads to, if that is known without an event."""
        ahead = self._ahead
        if ahead is not None:
            return ahead.after(output)
        if self._stays:
            return None
        ahead = ahead_of(self._state)
        effect = None if ahead is None else ahead.after(output)
        if effect is not None:
            self._ahead = ahead
        return effect

    def now(self) -> float:
        """Return the time of an event: it never runs backwards (S2)."""
        now, last = self._clock(), self._state.at
        return now if now > last else last  # noqa: FURB136 - `max` costs more than the clock
