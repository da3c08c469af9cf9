"""Waits: for a time, and for a signal (S21)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from orchestration.frozen import evolve, frozen
from orchestration.interpreter.effects import VALUE, CancelTimer, StartTimer
from orchestration.interpreter.events import SignalReceived, TimerFired
from orchestration.interpreter.pure import evaluate
from orchestration.interpreter.turn import Done, Stopped, illegal

if TYPE_CHECKING:
    from orchestration.interpreter.events import Event
    from orchestration.interpreter.turn import Ended, Frame, Turn
    from orchestration.plan.nodes import Sleep, WaitFor


def sleep(node: Sleep, path: str, value: object, turn: Turn) -> Frame | Done:
    """Begin a sleep; none of 0 seconds."""
    if node.seconds == 0:
        return Done(value)
    due = turn.at + node.seconds
    turn.effects.append(StartTimer(path, due, "sleep"))
    return SleepFrame(path, due, value)


@frozen
class SleepFrame:
    """A sleep until `due`, and the value that then goes on."""

    path: str
    due: float
    value: Any = attrs.field(metadata=VALUE)

    def resume(self, event: Event, turn: Turn) -> Done:  # noqa: ARG002 - the protocol's signature
        """Take the end of the sleep."""
        fired = type(event) is TimerFired and event.purpose == "sleep" and event.path == self.path
        if not fired or event.at < self.due:
            raise illegal(event, self.path, f"TimerFired at {self.due}")
        return Done(self.value)

    def cancel(self, turn: Turn) -> Stopped:
        """End the sleep at once."""
        turn.effects.append(CancelTimer(self.path, "sleep"))
        return Stopped()


def wait_for(node: WaitFor, path: str, value: object, turn: Turn) -> Frame | Ended:
    """Take a signal that has come already, or wait for one."""
    letter, mail = turn.ledger.mail.take(node.signal)
    if letter is not None:
        turn.ledger = evolve(turn.ledger, mail=mail)
        return _combined(node, path, value, letter.payload, turn)
    ticket, mail = mail.wait(node.signal, path)
    turn.ledger = evolve(turn.ledger, mail=mail)
    return WaitFrame(node, path, ticket, value)


@frozen
class WaitFrame:
    """A wait for a signal, in line with this `ticket`, and the value that waits with it."""

    node: WaitFor
    path: str
    ticket: int
    value: Any = attrs.field(metadata=VALUE)

    def resume(self, event: Event, turn: Turn) -> Ended:
        """Take the signal: it was sent to this wait, which stands in no line any more."""
        if type(event) is not SignalReceived or event.path != self.path:
            raise illegal(event, self.path, f"the signal {self.node.signal!r}")
        return _combined(self.node, self.path, self.value, event.payload, turn)

    def cancel(self, turn: Turn) -> Stopped:
        """Leave the line."""
        turn.ledger = evolve(turn.ledger, mail=turn.ledger.mail.withdraw(self.ticket))
        return Stopped()


def _combined(node: WaitFor, path: str, value: object, payload: object, turn: Turn) -> Ended:
    return Done(payload) if node.combine is None else evaluate(node.combine, (value, payload), path, turn)
