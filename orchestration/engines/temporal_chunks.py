"""A long run in pieces: which stretches of it go on, and when it moves to a new history.

Of a map of 20,000 items the interpreter begins 1,000 at a stretch, and asks to `Continue` with the others. Here it goes
on with them only when most of what it has begun is under way: so what moves to a new history stays small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from temporalio import workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from orchestration.interpreter.effects import Continue

FULL: Final = 40_000  # events of a history; Temporal ends a workflow after 51,200 …
FULL_BYTES: Final = 25_000_000  # … or 50 MB


@final
class Stretches:
    """Stretches of evaluations that have yet to go on (S7)."""

    def __init__(self, window: int) -> None:
        """Have none yet."""
        self._window = window
        self._waiting: dict[str, Continue] = {}  # by path

    def add(self, effect: Continue) -> None:
        """Have a further one."""
        self._waiting[effect.path] = effect

    def open(self, ready: Collection[str]) -> list[Continue]:
        """Return those that go on now, while attempts at these paths are ready but have no room in the window yet."""
        going = [effect for path, effect in self._waiting.items() if not self._is_held(path, ready)]
        for effect in going:
            del self._waiting[effect.path]
        return going

    def _is_held(self, path: str, ready: Collection[str]) -> bool:
        """Tell whether it would begin further items of a map, of which enough wait for room already."""
        siblings = f"{path.rpartition('[')[0]}["
        return len(ready) >= self._window and any(other.startswith(siblings) for other in ready)


@final
class Move:
    """When a run goes on in a new history: before it does, nothing new begins until what is under way has ended.

    If that takes longer than `patience` seconds, other things begin after all, and it is tried again when the history
    is twice as long; one that is full waits, however long it takes. Runs of former releases are patient without end.
    `wake` lets the run be looked at again after so many seconds.
    """

    def __init__(self, longest: int | None, patience: float | None, wake: Callable[[float], None]) -> None:
        """Be at the beginning of a history."""
        self._longest = longest
        self._patience = patience
        self._wake = wake
        self._until: float | None = None
        self._least = 0  # events, before which it is not tried again
        self._stuck = False
        self.draining: bool = False

    def look(self) -> None:
        """See whether something new may begin."""
        if not self.draining:
            self.draining = self._is_long()
            if self.draining and self._patience is not None:
                self._until = workflow.time() + self._patience
                self._wake(self._patience)
        elif self._until is not None and workflow.time() >= self._until and not self._is_full():
            self._give_up()

    def fail(self) -> None:
        """Note that the run cannot move as it is: the history grows."""
        self._stuck = self._is_full()
        self._give_up()

    def _give_up(self) -> None:
        self._least = 2 * workflow.info().get_current_history_length()
        self._until = None
        self.draining = False

    def _is_full(self) -> bool:
        info = workflow.info()
        return info.get_current_history_length() >= FULL or info.get_current_history_size() >= FULL_BYTES

    def _is_long(self) -> bool:
        info = workflow.info()
        length = info.get_current_history_length()
        if self._stuck or self._is_full():
            return not self._stuck
        suggested = info.is_continue_as_new_suggested() or (self._longest is not None and length >= self._longest)
        return suggested and length >= self._least
