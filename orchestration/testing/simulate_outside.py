"""What comes to a simulated run from outside: a cancel, and signals with their duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

from orchestration.errors import SignalRefused
from orchestration.runtime.tokens import CancelToken

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from orchestration.runtime.handle import Handle
    from orchestration.signals import Signal
    from orchestration.testing.loop import VirtualLoop
    from orchestration.testing.simulate_chance import Chance

REASON = "cancelled by chance"
BY_HANDLE, BY_TOKEN, BY_TASK = 1, 2, 3  # how a run is cancelled
COPIES = 2  # how often a signal is sent again at most
Signals: TypeAlias = "Sequence[tuple[Signal[Any], object]]"
Act: TypeAlias = "Callable[[Outside], None]"


class Said(NamedTuple):
    """What a cancel by the handle has answered: whether it has decided the run."""

    decided: bool


@final
class Outside:
    """The world that sends signals and cancels: after so many events, or after so many seconds.

    What a run does not hear, because its process has ended meanwhile, is not said again.
    """

    def __init__(self, chance: Chance, times: tuple[float, ...], most_events: int, known: Sequence[object]) -> None:
        """Have nothing to send; `known` are the events of the run so far."""
        self._chance = chance
        self._times = times
        self._most = most_events
        self._known = known
        self._after: dict[int, list[Act]] = {}  # what is to be done after so many events
        self._when: list[tuple[float, Act]] = []  # and at which time
        self._timers: list[asyncio.TimerHandle] = []
        self._loop: VirtualLoop
        self._handle: Handle[Any]
        self._task: asyncio.Task[Any]
        self.said: Said | None = None
        self.tokened: float | None = None  # when a token was cancelled that the run was to obey
        self.stopped: bool = False  # whether the task that awaits the run was cancelled
        self.error: SignalRefused | None = None

    def begin(
        self, loop: VirtualLoop, handle: Handle[Any], task: asyncio.Task[Any], signals: Signals, *, cancel: bool
    ) -> None:
        """Turn to a run that `task` awaits."""
        self.move(loop, handle, task)
        how = self._chance.choose("cancel", BY_TASK, 0.5) if cancel else 0
        if how:
            self._at_some_point("cancel", CANCELS[how])
        self._send(signals, 0)

    def move(self, loop: VirtualLoop, handle: Handle[Any], task: asyncio.Task[Any]) -> None:
        """Turn to a run that another process goes on with; what is still to come from outside comes to it."""
        self._loop, self._handle, self._task = loop, handle, task
        self.leave()
        waiting, self._when = self._when, []
        for at, act in waiting:
            self._at(at, act)

    def leave(self) -> None:
        """Do nothing until there is a process again."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def see(self) -> None:
        """Do what was to be done after so many events."""
        for number in [number for number in self._after if number <= len(self._known)]:
            for act in self._after.pop(number):
                self._loop.call_soon(act, self)

    @property
    def idle(self) -> bool:
        """Whether nothing more will come from here."""
        return not self._after and not self._when

    def hurry(self) -> bool:
        """Do what is next, for there will be no further events; false if there is nothing."""
        if not self._after:
            return False
        for act in self._after.pop(min(self._after)):
            self._loop.call_soon(act, self)
        return True

    def stop(self) -> None:
        """Do nothing any more: the run is over."""
        self.leave()
        self._after.clear()
        self._when.clear()

    def say(self) -> None:
        """Cancel the run by its handle."""
        self.said = Said(self._handle.cancel(REASON))

    def use_token(self) -> None:
        """Cancel the run by a token."""
        token = CancelToken()
        self._handle.obey(token)
        token.cancel(REASON)
        self._loop.call_soon(self._note_token)

    def _note_token(self) -> None:
        """Take note of a cancel by token: it reaches the run in its turn of the loop, unless that is over by then."""
        if self._handle.state.outcome is None:
            self.tokened = self._loop.time()

    def stop_waiting(self) -> None:
        """Cancel the task that awaits the run."""
        self.stopped = self._task.cancel()

    def _send(self, signals: Signals, number: int) -> None:
        """Send signals from this number on, one after the other."""
        if number == len(signals):
            return
        signal, payload = signals[number]
        name = f"signal {number + 1}"

        def send(outside: Outside) -> None:
            handle = outside._handle
            try:
                handle.signal(signal, payload, signal_id=name)
            except SignalRefused as error:
                state = handle.state
                if state.outcome is None and state.root is not None and state.ledger.cancel is None:
                    outside.error = error

        def send_all(outside: Outside) -> None:
            send(outside)
            for copy in range(self._chance.choose(f"{name} again", COPIES, 0.3)):
                self._at_some_point(f"{name} again {copy + 1}", send)
            self._send(signals, number + 1)

        self._at_some_point(name, send_all)

    def _at_some_point(self, what: str, act: Act) -> None:
        """Act after some further events, at most so many as a run usually has, or after some time."""
        point = self._chance.any_of(f"{what} comes", self._most + len(self._times))
        if point == 0:
            self._loop.call_soon(act, self)
        elif point < self._most:
            self._after.setdefault(len(self._known) + point, []).append(act)
        else:
            self._at(self._loop.time() + self._times[point - self._most], act)

    def _at(self, at: float, act: Act) -> None:
        waiting = at, act
        self._when.append(waiting)

        def run() -> None:
            self._when.remove(waiting)
            act(self)

        self._timers.append(self._loop.call_at(at, run))


CANCELS: dict[int, Act] = {BY_HANDLE: Outside.say, BY_TOKEN: Outside.use_token, BY_TASK: Outside.stop_waiting}
