"""The timers of a run: the clock behind `StartTimer` and `CancelTimer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Handle
    from collections.abc import Callable

    from orchestration.interpreter.effects import CancelTimer, Purpose, StartTimer


class Timers:
    """The timers under way, one a path and purpose."""

    def __init__(self, loop: AbstractEventLoop, fire: Callable[[StartTimer], None]) -> None:
        """Start none yet; `fire` is called with each that is due."""
        self._loop = loop
        self._fire = fire
        self._handles: dict[tuple[str, Purpose], Handle] = {}

    def start(self, effect: StartTimer, now: float) -> None:
        """Start the timer of an effect."""
        due = self._give_a_turn if effect.purpose == "timeout" else self._due
        handle = self._loop.call_later(max(0.0, effect.due - now), due, effect)
        self._handles[effect.path, effect.purpose] = handle

    def cancel(self, effect: CancelTimer) -> None:
        """Forget a timer, unless it has just been due."""
        handle = self._handles.pop((effect.path, effect.purpose), None)
        if handle is not None:
            handle.cancel()

    def clear(self) -> None:
        """Forget all timers: the run is over (S29)."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _give_a_turn(self, effect: StartTimer) -> None:
        """Let a result that has arrived at the same instant be taken first: it wins, and cancels the timer (S10)."""
        self._handles[effect.path, effect.purpose] = self._loop.call_soon(self._give_another, effect)

    def _give_another(self, effect: StartTimer) -> None:
        """Let the body take its turn whose timer was due behind this one."""
        self._handles[effect.path, effect.purpose] = self._loop.call_soon(self._due, effect)

    def _due(self, effect: StartTimer) -> None:
        del self._handles[effect.path, effect.purpose]
        self._fire(effect)
